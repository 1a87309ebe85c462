/*
 * The files that say whom to trust over SSH: known_hosts (patterns, what is
 * revoked, what cannot be read), RevokedHostKeys, and an ssh_config that
 * OpenSSH refuses.
 */
#include "base/auto.h"
#include "base/mem.h"
#include "base/run.h"
#include "ssh/session/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#define KEY_A \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICMD1SiGAF8FNwJpSK2Z" \
	"bp2IjTZT/dDfqyykDF9g5DVt"
#define KEY_B \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM4/J+8XsHZsXTGmxH7/" \
	"TsJ71KAIQB0BX4TS7B8RmB4L"

static char folder[64];

static const char *at(const char *name)
{
	static char buf[4][256];
	static int i;

	i = (i + 1) % 4;
	snprintf(buf[i], sizeof buf[i], "%s/%s", folder, name);
	return buf[i];
}

static void put_bytes(const char *name, const char *text, size_t len)
{
	FILE *f = fopen(at(name), "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(at(name), 0600), 0);
}

static void put_file(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

static int start(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/test_ssh_files.XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("HOME", folder, 1);
	assert_int_equal(mkdir(at(".ssh"), 0700), 0);
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = { "known", "a.pub", ".ssh/config",
					     ".ssh/more", ".ssh" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		remove(at(names[i]));
	return rmdir(folder);
}

/* ---- known_hosts ---- */

/* What comes of a host of that name that shows KEY_A. */
struct asked {
	const char *host; /* dialled */
	int port;
	const char *alias;
	const char *pin; /* or NULL */
};

#define REFUSED (-1)
#define UNREADABLE (-2)

static int judge(const struct asked *a, struct err *e)
{
	struct remote_settings s = { .port = a->port ? a->port : 22 };
	AUTO(strings_done) struct strings pins = { 0 };
	AUTO(remote_known_done) struct remote_known k = { 0 };
	enum remote_hostkey got = REMOTE_KEY_NEW;
	int ret;

	s.name = mem_strdup("n1");
	s.host = mem_strdup(a->host);
	s.alias = a->alias ? mem_strdup(a->alias) : NULL;
	strings_add(&s.known_hosts, at("absent"));
	strings_add(&s.known_hosts, at("known"));
	if (a->pin)
		strings_add(&pins, a->pin);
	ret = remote_known_load(&k, &s, &pins, e) < 0 ? UNREADABLE :
	      remote_known_check(&got, &k, KEY_A, &s, e) < 0 ? REFUSED :
							       (int)got;
	remote_settings_done(&s);
	return ret;
}

/* Judge with known_hosts @text, of which @want comes. */
static void check(int line, const char *text, struct asked a, int want)
{
	struct err e = { 0 };
	int got;

	put_file("known", text);
	got = judge(&a, &e);
	if (got != want)
		fail_msg("line %d: %d, expected %d (%s)", line, got, want,
			 e.msg);
	if (want == REFUSED)
		assert_int_equal(e.code, ERR_HOSTKEY);
}

#define CHECK(text, want, ...)                                                 \
	check(__LINE__, text, (struct asked){ .host = __VA_ARGS__ }, want)

static void test_patterns(void **state)
{
	(void)state;
	CHECK("h.example.org " KEY_A "\n", REMOTE_KEY_KNOWN, "h.example.org");
	CHECK("H.Example.org\t  " KEY_A " me\r\n", REMOTE_KEY_KNOWN,
	      "h.example.ORG");
	CHECK("*.example.org " KEY_A, REMOTE_KEY_KNOWN, "h.example.org");
	CHECK("x,h?example.org,y " KEY_A, REMOTE_KEY_KNOWN, "h.example.org");
	CHECK("*.example.org " KEY_A, REMOTE_KEY_NEW, "example.org");
	CHECK("h.example " KEY_A, REMOTE_KEY_NEW, "h.example.org");
	CHECK("[a-z] " KEY_A, REMOTE_KEY_NEW, "h");
	/* a negated pattern takes away, wherever it stands */
	CHECK("*,!h " KEY_A, REMOTE_KEY_NEW, "h");
	CHECK("!h,* " KEY_A, REMOTE_KEY_NEW, "h");
	CHECK("!h,* " KEY_A, REMOTE_KEY_KNOWN, "g");
	CHECK("!h " KEY_A, REMOTE_KEY_NEW, "g");
	CHECK("*,!h " KEY_B "\nh " KEY_A, REMOTE_KEY_KNOWN, "h");
	CHECK("[h]:2222 " KEY_A, REMOTE_KEY_KNOWN, "h", .port = 2222);
	CHECK("[h]:2222 " KEY_A, REMOTE_KEY_NEW, "h", .port = 22);
	CHECK("h " KEY_A, REMOTE_KEY_KNOWN, "h", .port = 2222);
	CHECK("nick " KEY_A, REMOTE_KEY_KNOWN, "h", .port = 2222, .alias = "nick");
}

static void test_changed(void **state)
{
	(void)state;
	CHECK("h " KEY_B, REFUSED, "h");
	CHECK("h " KEY_B "\nh " KEY_A, REMOTE_KEY_KNOWN, "h");
	CHECK("[h]:2222 " KEY_B "\nh " KEY_A, REFUSED, "h", .port = 2222);
	CHECK("h " KEY_A, REFUSED, "h", .pin = KEY_B);
	CHECK("h " KEY_B, REMOTE_KEY_PINNED, "h", .pin = KEY_A);
	/* known by something that we cannot compare with: not new */
	CHECK("h ssh-later AAAA\n", REFUSED, "h");
	CHECK("g ssh-later AAAA\n", REMOTE_KEY_NEW, "h");
	CHECK("h ssh-later AAAA\nh " KEY_A, REMOTE_KEY_KNOWN, "h");
}

static void test_revoked(void **state)
{
	(void)state;
	CHECK("@revoked h " KEY_A, REFUSED, "h");
	CHECK("h " KEY_A "\n@revoked * " KEY_A, REFUSED, "h");
	CHECK("@revoked\t*  " KEY_A, REFUSED, "h", .pin = KEY_A);
	CHECK("@revoked * " KEY_B, REMOTE_KEY_PINNED, "h", .pin = KEY_A);
	CHECK("@revoked g " KEY_A, REMOTE_KEY_PINNED, "h", .pin = KEY_A);
	CHECK("@revoked *,!h " KEY_A, REMOTE_KEY_PINNED, "h", .pin = KEY_A);
	/* for one port of the host, or none: for all of them */
	CHECK("@revoked h " KEY_A, REFUSED, "h", .port = 2222, .pin = KEY_A);
	CHECK("@revoked [h]:2222 " KEY_A, REFUSED, "h", .pin = KEY_A);
	CHECK("@revoked [h]:2222 " KEY_A, REFUSED, "h", .port = 2200, .pin = KEY_A);
	CHECK("@revoked [*.org]:2222 " KEY_A, REFUSED, "h.org", .pin = KEY_A);
	CHECK("@revoked [g]:2222 " KEY_A, REMOTE_KEY_NEW, "h");
	CHECK("@revoked *,!h " KEY_A, REFUSED, "h", .port = 2222,
	      .pin = KEY_A);
	CHECK("@revoked *,![h]:2222 " KEY_A, REFUSED, "h", .pin = KEY_A);
	/* a host with an alias is known by that */
	CHECK("@revoked nick " KEY_A, REFUSED, "h", .alias = "nick",
	      .pin = KEY_A);
	CHECK("@revoked [nick]:2222 " KEY_A, REFUSED, "h", .alias = "nick",
	      .pin = KEY_A);
}

static void test_hashed(void **state)
{
	/* of "h" */
	static const char plain[] =
		"|1|AAECAwQFBgcICQoLDA0ODxAREhM=|P52femGmyhHsNXzeKdYpm86Fs/c= ";
	char text[512];

	(void)state;
	snprintf(text, sizeof text, "%s" KEY_A, plain);
	CHECK(text, REMOTE_KEY_KNOWN, "h");
	CHECK(text, REMOTE_KEY_NEW, "g");
	snprintf(text, sizeof text, "@revoked %s" KEY_A, plain);
	CHECK(text, REFUSED, "h", .port = 2222, .pin = KEY_A);
	CHECK(text, REMOTE_KEY_PINNED, "g", .pin = KEY_A);
}

/* The rest of such a file could revoke the key. */
static void test_cut_off(void **state)
{
	static const char nul[] = "# x\0y\n@revoked h " KEY_A "\n";
	const struct asked new = { .host = "h" },
			   pinned = { .host = "h", .pin = KEY_A };
	struct err e = { 0 };

	(void)state;
	put_bytes("known", nul, sizeof nul - 1);
	assert_int_equal(judge(&new, &e), UNREADABLE);
	assert_int_equal(judge(&pinned, &e), UNREADABLE);
	assert_non_null(strstr(e.msg, "NUL"));
	put_file("known", "h " KEY_A "\n");
	assert_int_equal(judge(&new, &e), REMOTE_KEY_KNOWN);
	assert_int_equal(truncate(at("known"), ((off_t)32 << 20) + 1), 0);
	assert_int_equal(judge(&new, &e), UNREADABLE);
	assert_non_null(strstr(e.msg, "known"));
	assert_non_null(strstr(e.msg, "large"));
	remove(at("known"));
	assert_int_equal(judge(&new, &e), REMOTE_KEY_NEW);
}

/* ---- ssh_config ---- */

/* The user that "Host h" logs in as, by the user's configuration. */
static int ask_user(char user[64], const char *file, struct err *e)
{
	const struct remote_target target = { .host = "h" };
	AUTO(auto_remote_config_free) struct remote_config *c = NULL;
	struct remote_settings s;

	if (remote_config_load(&c, file, e) < 0 ||
	    remote_config_ask(&s, c, &target, e) < 0)
		return -1;
	snprintf(user, 64, "%s", s.user);
	remote_settings_done(&s);
	return 0;
}

static void assert_taken(const char *file)
{
	char user[64];
	struct err e = { 0 };

	if (ask_user(user, file, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(user, "carol");
}

/* Refused, and @part is in the reason. */
static void assert_refused(const char *file, const char *part)
{
	char user[64];
	struct err e = { 0 };

	assert_int_equal(ask_user(user, file, &e), -1);
	if (!strstr(e.msg, part))
		fail_msg("'%s' is not in '%s'", part, e.msg);
}

static void put_configs(void)
{
	AUTO(auto_free) char *text = mem_printf("Include %s\n",
						at(".ssh/more"));

	put_file(".ssh/config", text);
	put_file(".ssh/more", "Host h\n\tUser carol\n");
}

/* Whoever writes it can have commands run as the user: OpenSSH judges that. */
static void test_config_mode(void **state)
{
	static const char *const names[] = { ".ssh/config", ".ssh/more" };

	(void)state;
	put_configs();
	assert_taken(NULL);
	assert_taken(at(".ssh/config"));
	for (size_t i = 0; i < 2; i++) {
		put_configs();
		assert_int_equal(chmod(at(names[i]), 0602), 0);
		assert_refused(NULL, "permissions");
		assert_refused(NULL, names[i]);
		assert_int_equal(chmod(at(names[i]), 0644), 0);
		assert_taken(NULL);
	}
	/* a file that was named: as for ssh, only what it includes */
	put_configs();
	assert_int_equal(chmod(at(".ssh/config"), 0666), 0);
	assert_taken(at(".ssh/config"));
	assert_int_equal(chmod(at(".ssh/more"), 0666), 0);
	assert_refused(at(".ssh/config"), "permissions");
}

/* What ssh refuses is no configuration: its words, in one line. */
static void test_config_bad(void **state)
{
	AUTO(auto_free) char *loop = mem_printf("Include %s\n",
						at(".ssh/more"));

	(void)state;
	put_configs();
	put_file(".ssh/more", loop);
	assert_refused(NULL, "Too many recursive");
	put_file(".ssh/config", "Host h\n Frobnicate yes\n");
	assert_refused(NULL, "line 2: Bad configuration option: frobnicate");
	put_file(".ssh/config", "Host h\n Port \033[1m\n");
	assert_refused(NULL, "\\033[1m");
	assert_refused(at(".ssh/none"), "No such file");
	/* what is not there is not included */
	put_file(".ssh/config", "Include absent/*\nHost h\n User carol\n");
	assert_taken(NULL);
}

/* Without the program there is nothing to read a file with. */
static void test_config_without_ssh(void **state)
{
	AUTO(auto_free) char *path = mem_strdup(getenv("PATH"));
	char user[64];
	struct err e = { 0 };

	(void)state;
	setenv("PATH", folder, 1);
	put_configs();
	assert_refused(NULL, "openssh-client");
	remove(at(".ssh/config"));
	if (access("/etc/ssh/ssh_config", F_OK) == 0) {
		assert_refused(NULL, "openssh-client");
	} else {
		assert_int_equal(ask_user(user, NULL, &e), 0);
		assert_string_equal(user, "root");
	}
	setenv("PATH", path, 1);
}

static void make_krl(const char *krl, const char *key)
{
	AUTO(strings_done) struct strings argv = { 0 };
	struct run how = { .argv = &argv, .fds = { 0, 1, 2 } };
	const char *const words[] = { "ssh-keygen", "-qkf", krl, key };
	struct err e;
	pid_t pid;

	for (size_t i = 0; i < 4; i++)
		strings_add(&argv, words[i]);
	pid = run_start(&how, &e);
	assert_true(pid > 0);
	assert_int_equal(run_end(pid, false, RUN_FOREVER), 0);
}

/* RevokedHostKeys: keys in text, or a KRL, for every host. */
static void test_revoked_files(void **state)
{
	struct remote_settings s = { .name = (char[]){ "h" },
				     .host = (char[]){ "h" }, .port = 22 };
	AUTO(strings_done) struct strings pinned = { 0 };

	(void)state;
	put_file("a.pub", KEY_A " a\n");
	strings_add(&pinned, KEY_A);
	strings_add(&pinned, KEY_B);
	for (int krl = 0; krl < 2; krl++) {
		AUTO(remote_known_done) struct remote_known k = { 0 };
		enum remote_hostkey found;
		struct err e = { 0 };

		if (krl)
			make_krl(at("revoked"), at("a.pub"));
		else
			put_file("revoked", "# two\n" KEY_A " a\n");
		strings_done(&s.revoked);
		strings_add(&s.revoked, at("revoked"));
		assert_int_equal(remote_known_load(&k, &s, &pinned, &e), 0);
		assert_int_equal(remote_known_check(&found, &k, KEY_A, &s, &e),
				 -1);
		assert_int_equal(e.code, ERR_HOSTKEY);
		assert_non_null(strstr(e.msg, "revoked"));
		assert_int_equal(remote_known_check(&found, &k, KEY_B, &s, &e),
				 0);
	}
	remove(at("revoked"));
	{
		AUTO(remote_known_done) struct remote_known k = { 0 };
		struct err e = { 0 };

		assert_int_equal(remote_known_load(&k, &s, &pinned, &e), -1);
		assert_non_null(strstr(e.msg, "revoked host keys"));
	}
	strings_done(&s.revoked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_hashed),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_config_mode),
		cmocka_unit_test(test_config_bad),
		cmocka_unit_test(test_config_without_ssh),
		cmocka_unit_test(test_revoked_files),
	};

	return cmocka_run_group_tests(tests, start, end);
}
