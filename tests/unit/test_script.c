/*
 * render/script: the text for a host, read by a real shell with stand-ins for
 * wg and ip, and the answers that may come back.
 */
#include "render/host/host.h"
#include "render/wgquick.h"
#include "tests/unit/fixture.h"
#include "tests/unit/hostshell.h"

#include <sys/stat.h>

#define NONCE "0123456789abcdef"

/* A deploy that meets no other one. */
static const struct script_run same_run = { NONCE, "me@here, pid 1", "", false };

#define HEAD(section) "\n=" NONCE "= " section "\n"
#define OK(n) "\n=" NONCE "= ok " n "\n"
#define FAIL(n) "\n=" NONCE "= fail " n "\n"

#define MESH                                                                  \
	"'mesh_id':'" MESH_ID "','network6':'fd99::/64','nodes':{"            \
	"'a':{'mesh_ip':'10.99.0.1','mesh_ip6':'fd99::1','public_key':'" KEY_A \
	"','private_key':'" KEY_C "'},"                                       \
	"'b':{'mesh_ip':'10.99.0.2','mesh_ip6':'fd99::2','public_key':'" KEY_B \
	"','public_endpoint':'b.example.org:1','routable_networks':"          \
	"['192.168.20.0/24','fd55::/48']}}"

/* Peers, routes and an address differ; nothing that touches a file. */
#define REPORT                                                                \
	HEAD("host") "uid=0\nnow=1800000000\nhostname=a\nwg=1\nip=1\n"         \
	"systemd=1\nenabled=1\n"                                              \
	HEAD("address") "7: wg0    inet6 fd99::1/64 x\n"                      \
	HEAD("link") "7: wg0: <UP> mtu 1420 x\n"                              \
	HEAD("dump") KEY_A "\t99\toff\n"                                       \
	KEY_C "\t(set)\t(none)\t10.99.0.3/32\t0\t0\t0\toff\n"                 \
	HEAD("route4") "10.5.0.0/16 via 10.99.0.9 proto 119\n"                \
	HEAD("boot") "|same\n# managed by wgmesh, mesh " MESH_ID            \
	", serial 1\n"

struct scripted {
	struct mesh mesh;
	struct desired desired;
	struct observed observed;
	struct plan plan;
	struct sbuf script;
};

static void scripted_init(struct scripted *s, const char *report)
{
	const struct probe_request request = { .interface = "wg0",
					       .nonce = NONCE };
	const struct plan_options options = { .install = true };
	AUTO(sbuf_done) struct sbuf boot = SBUF_SECRET;
	struct err e = { 0 };

	memset(s, 0, sizeof *s);
	s->script.secret = true;
	mesh_of(&s->mesh, MESH);
	desired_of(&s->desired, &s->mesh, "a");
	if (observed_parse(&s->observed, report, strlen(report), &request,
			   &e) < 0 ||
	    plan_make(&s->plan, &s->desired, &s->observed,
		      boot_of(&s->observed, report), &options, &e) < 0)
		fail_msg("%s", e.msg);
	wgquick_file(&boot, &s->desired, 7, true);
	script_text(&s->script, &s->plan, sbuf_str(&boot), &same_run);
}

static void scripted_done(struct scripted *s)
{
	sbuf_done(&s->script);
	plan_done(&s->plan);
	observed_done(&s->observed);
	desired_done(&s->desired);
	mesh_done(&s->mesh);
}

/* ---- a host of stand-ins ---- */

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* A program that notes its arguments, one per line, and what is sent to it. */
static const char stand_in[] =
	"#!/bin/sh\n"
	"echo \"${0##*/}:\" >>\"$LOG\"\n"
	"for a in \"$@\"; do printf '  [%s]\\n' \"$a\" >>\"$LOG\"; done\n"
	"case \"$*\" in *\"$BAD\"*) echo 'it is broken' >&2; exit 1;; esac\n"
	"case $1 in -[46]) while read -r l; do echo \"  < $l\" >>\"$LOG\"; done;; "
	"esac\n";

/* Run the script with stand-ins; those called with @bad fail. */
static void run(const struct scripted *s, const char *bad, struct sbuf *log,
		struct sbuf *answer)
{
	static const char *const names[] = { "wg", "ip", "log", "script",
					     "answer" };
	char folder[] = "/tmp/wgmesh-script-XXXXXX";
	char path[5][64];
	char *command;

	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < 5; i++)
		snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
	write_file(path[0], stand_in, 0700);
	write_file(path[1], stand_in, 0700);
	host_text(path[3], folder, sbuf_str(&s->script));
	command = mem_printf("cd %s && for i in date flock grep; do "
			     "ln -s \"$(command -v $i)\" $i; done; PATH=%s "
			     "LOG=%s BAD='%s' /bin/sh <%s >%s", folder, folder,
			     path[2], bad, path[3], path[4]);
	command_run(command);
	free(command);
	file_get(log, path[2]);
	file_get(answer, path[4]);
	command = mem_printf("rm -r %s", folder);
	command_run(command);
	free(command);
}

static int parse(struct script_result *r, const struct scripted *s,
		 const char *text, struct err *e)
{
	memset(r, 0, sizeof *r);
	return script_parse(r, &s->plan, text, strlen(text), NONCE, e);
}

/* The whole way: what wg and ip are called with, and that all is done. */
static void test_run(void **state)
{
	AUTO(sbuf_done) struct sbuf log = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	struct script_result r;
	struct scripted s;
	struct err e = { 0 };

	(void)state;
	scripted_init(&s, REPORT);
	assert_int_equal(s.plan.steps.len, 8);
	run(&s, "nothing of the kind", &log, &answer);
	assert_string_equal(
		sbuf_str(&log),
		"wg:\n  [set]\n  [wg0]\n  [listen-port]\n  [51820]\n"
		"ip:\n  [-V]\nip:\n  [-4]\n  [-batch]\n  [-]\n"
		"  < addr add 10.99.0.1/16 dev wg0\n"
		"wg:\n  [set]\n  [wg0]\n  [peer]\n  [" KEY_B "]\n"
		"  [allowed-ips]\n"
		"  [10.99.0.2/32,fd99::2/128,192.168.20.0/24,fd55::/48]\n"
		"  [peer]\n  [" KEY_C "]\n  [remove]\n"
		"ip:\n  [-V]\nip:\n  [-4]\n  [-batch]\n  [-]\n"
		"  < route add 192.168.20.0/24 via 10.99.0.2 dev wg0 proto 119\n"
		"  < route del 10.5.0.0/16 via 10.99.0.9 dev wg0 proto 119\n"
		"ip:\n  [-V]\nip:\n  [-6]\n  [-batch]\n  [-]\n"
		"  < route add fd55::/48 via fd99::2 dev wg0 proto 119\n"
		/* a name comes last: what it does not resolve to harms nobody */
		"wg:\n  [set]\n  [wg0]\n  [peer]\n  [" KEY_B "]\n"
		"  [endpoint]\n  [b.example.org:1]\n");
	assert_int_equal(parse(&r, &s, sbuf_str(&answer), &e), 0);
	assert_null(r.failure);
	assert_int_equal(r.steps_done, 8);
	scripted_done(&s);
}

/* A part that fails: its words come back, nothing behind it runs. */
static void test_run_failing(void **state)
{
	AUTO(sbuf_done) struct sbuf log = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	struct script_result r;
	struct scripted s;
	struct err e = { 0 };

	(void)state;
	scripted_init(&s, REPORT);
	run(&s, "allowed-ips", &log, &answer);
	assert_null(strstr(sbuf_str(&log), "route"));
	assert_int_equal(parse(&r, &s, sbuf_str(&answer), &e), 0);
	assert_string_equal(r.failure, "it is broken");
	assert_int_equal(r.steps_done, 2);
	assert_int_equal(r.failed_step, 2);
	script_result_done(&r);
	scripted_done(&s);
}

/* What a shell prints that reads @text, with stand-ins for wg and ip. */
static void shell_output(struct sbuf *out, const char *text)
{
	char path[] = "/tmp/wgmesh-cut-XXXXXX";
	int fd = mkstemp(path);
	char *command = mem_printf("sh >%s 2>/dev/null", path);
	FILE *shell = popen(command, "we");

	assert_true(fd >= 0 && shell);
	fprintf(shell, "wg() { echo called; }; ip() { echo called; }\n%s", text);
	(void)pclose(shell);
	file_get(out, path);
	close(fd);
	unlink(path);
	free(command);
}

/* Cut off anywhere, nothing of it runs. */
static void test_cut(void **state)
{
	struct scripted s;
	size_t whole;

	(void)state;
	scripted_init(&s, REPORT);
	whole = s.script.len;
	for (size_t cut = 1; cut + 1 < whole; cut += 1 + whole / 60) {
		AUTO(sbuf_done) struct sbuf output = SBUF_INIT;
		char kept = s.script.s[cut];

		s.script.s[cut] = '\0';
		shell_output(&output, s.script.s);
		assert_string_equal(sbuf_str(&output), "");
		s.script.s[cut] = kept;
	}
	scripted_done(&s);
}

/* Does a shell accept the whole text? */
static void assert_syntax(const struct scripted *s)
{
	FILE *shell = popen("sh -n", "we");

	assert_non_null(shell);
	fputs(sbuf_str(&s->script), shell);
	assert_int_equal(pclose(shell), 0);
}

/* Every kind of step in one text. */
static void test_all_steps(void **state)
{
	struct scripted s;
	struct desired_peer peer = { .name = "b", .public_key = KEY_B,
				     .endpoint = mem_strdup("1.2.3.4:5") };
	struct observed_peer live = { .public_key = mem_strdup(KEY_C),
				      .endpoint = mem_strdup("") };
	struct observed_route old = { 0 };
	struct cidr net;

	(void)state;
	scripted_init(&s, REPORT);
	assert_true(cidr_parse(&net, "10.1.0.0/16"));
	s.plan.steps.len = 0;
	for (int kind = 0; kind < STEP_KINDS; kind++) {
		struct step *step = vec_add(&s.plan.steps);

		*step = (struct step){ .kind = (enum step_kind)kind,
				       .peer = &peer, .live = &live,
				       .change = 15, .network = net,
				       .old = &old };
		assert_true(*step_name(step->kind));
		sbuf_clear(&s.script);
		step_text(&s.script, &s.plan, step);
		assert_non_null(strchr("+-~!", *sbuf_str(&s.script)));
		assert_true(s.script.len > 2);
	}
	sbuf_clear(&s.script);
	script_text(&s.script, &s.plan, "[Interface]\nit's $HOME `id`\n", &same_run);
	assert_syntax(&s);
	assert_non_null(strstr(s.script.s, "preshared-key /dev/null"));
	scripted_done(&s);
	free(peer.endpoint);
	free(live.public_key);
	free(live.endpoint);
}

/* ---- secrets ---- */

/*
 * Run @script with /run and /etc/wireguard in @folder, by @shell, under the name
 * of sh. All programs that it finds note their arguments in the file log; wg
 * also takes what comes for it, and has KEY_B.
 */
static void run_watched(const char *folder, const char *shell,
			const char *script)
{
	AUTO(auto_free) char *path = mem_printf("%s/script", folder);
	AUTO(auto_free) char *command = mem_printf(
		"cd %s && umask 022 && mkdir bin && ln -s /usr/bin/%s sh && "
		"for i in cat chmod date flock mkdir mktemp mv printf rm sync; "
		"do printf '#!/bin/dash\\necho %%s \"$@\" >>%s/log\\nexec "
		"/usr/bin/%%s \"$@\"\\n' $i $i >bin/$i; done && "
		"printf '#!/bin/dash\\necho wg \"$@\" >>%s/log\\n"
		"case $* in set*) exec cat /dev/stdin >%s/taken;; "
		"show*) echo " KEY_B ";; pubkey) echo " KEY_A ";; esac\\n' >bin/wg && "
		"chmod 700 bin/* && PATH=%s/bin ./sh <script >answer",
		folder, shell, folder, folder, folder, folder);

	host_text(path, folder, script);
	command_run(command);
}

/* The file @name in @folder holds @want; it is nobody else's if it is @secret. */
static void assert_file(const char *folder, const char *name, bool secret,
			const char *want)
{
	AUTO(auto_free) char *path = mem_printf("%s/%s", folder, name);
	AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
	struct stat st;

	file_get(&got, path);
	assert_string_equal(sbuf_str(&got), want);
	if (!secret)
		return;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* No program was called with @key, but programs were. */
static void assert_not_in_arguments(const char *folder, const char *key)
{
	AUTO(auto_free) char *path = mem_printf("%s/log", folder);
	AUTO(sbuf_done) struct sbuf log = SBUF_INIT;

	file_get(&log, path);
	assert_non_null(strstr(sbuf_str(&log), "mktemp "));
	assert_null(strstr(sbuf_str(&log), key));
}

static void folder_remove(const char *folder)
{
	AUTO(auto_free) char *command = mem_printf("rm -r %s", folder);

	command_run(command);
}

/* Both ways of a key to a host, and a boot file, in one script. */
static void secrets_with(struct scripted *s, const char *shell,
			 const char *boot)
{
	static const enum step_kind kinds[] = { STEP_STORE_KEY,
						STEP_WRITE_BOOT,
						STEP_PRIVATE_KEY };
	char folder[] = "/tmp/wgmesh-secret-XXXXXX";
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;

	assert_non_null(mkdtemp(folder));
	s->plan.steps.len = 0;
	for (size_t i = 0; i < 3; i++)
		vec_add(&s->plan.steps)->kind = kinds[i];
	script_text(&script, &s->plan, boot, &same_run);
	run_watched(folder, shell, sbuf_str(&script));
	assert_file(folder, "wg0.key", true, KEY_C "\n");
	assert_file(folder, "wg0.conf", true, boot);
	assert_file(folder, "taken", false, KEY_C "\n");
	assert_not_in_arguments(folder, "cccccccc");
	folder_remove(folder);
}

/* A key that is made, here: taken from the interface, stays on its host. */
static void key_made_with(const char *shell)
{
	char folder[] = "/tmp/wgmesh-secret-XXXXXX";
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;

	assert_non_null(mkdtemp(folder));
	script_make_key(&script, "wg0", false, &same_run);
	run_watched(folder, shell, sbuf_str(&script));
	assert_file(folder, "wg0.key", true, KEY_B "\n");
	assert_not_in_arguments(folder, "bbbbbbbb");
	folder_remove(folder);
}

/* What any byte becomes, and that keys are in no program's arguments. */
static void test_secrets(void **state)
{
	AUTO(sbuf_done) struct sbuf boot = SBUF_INIT;
	struct scripted s;

	(void)state;
	scripted_init(&s, REPORT);
	sbuf_puts(&boot, "PrivateKey = " KEY_C "\nit's $HOME `id` \\ \\\\ \"\n");
	for (int c = 1; c < 256; c++)
		if (c != '\n')
			sbuf_putc(&boot, (char)c);
	/* more than a pipe holds */
	for (int i = 0; i < 2000; i++)
		sbuf_puts(&boot, "\n[Peer]\nAllowedIPs = 10.99.0.0/16 # filled");
	sbuf_puts(&boot, "\n");
	for (size_t i = 0; shells[i]; i++) {
		if (!shell_is_here(shells[i]))
			continue;
		secrets_with(&s, shells[i], sbuf_str(&boot));
		key_made_with(shells[i]);
	}
	scripted_done(&s);
}

/* Many peers go out in commands of a bounded length. */
static void test_many_peers(void **state)
{
	struct scripted s;
	struct desired_peer peer = { .name = "b", .public_key = KEY_B,
				     .endpoint = mem_strdup("192.0.2.1:51820") };
	size_t commands = 0, longest = 0;
	struct cidr net;

	(void)state;
	scripted_init(&s, REPORT);
	assert_true(cidr_parse(&net, "10.99.0.2/32"));
	vec_push(&peer.allowed_ips, net);
	s.plan.steps.len = 0;
	for (int i = 0; i < 5000; i++)
		*vec_add(&s.plan.steps) = (struct step){ .kind = STEP_ADD_PEER,
							 .peer = &peer };
	sbuf_clear(&s.script);
	script_text(&s.script, &s.plan, NULL, &same_run);
	assert_syntax(&s);
	for (const char *line = s.script.s; *line;
	     line = strchrnul(line, '\n'), line += *line != '\0') {
		size_t len = strcspn(line, "\n");

		commands += strncmp(line, "wg set \"$INTERFACE\"", 19) == 0;
		longest = len > longest ? len : longest;
	}
	assert_true(commands > 5 && commands < 50);
	assert_true(longest < 100 * 1024);
	vec_done(&peer.allowed_ips);
	free(peer.endpoint);
	scripted_done(&s);
}

/* ---- answers ---- */

/* Words of a host's failure as they are shown. */
static void assert_failure(const struct scripted *s, const char *answer,
			   const char *want)
{
	struct script_result r;
	struct err e;

	assert_int_equal(parse(&r, s, answer, &e), 0);
	assert_string_equal(r.failure, want);
	assert_true(text_is_printable(r.failure));
	script_result_done(&r);
}

static void test_answers(void **state)
{
	static const char *const wrong[] = {
		"", "noise", OK("0"), OK("0") OK("1"), OK("99"), OK("-1"),
		OK("x"), OK("18446744073709551616"), FAIL("99") "x\n",
		"\n=ffff= ok 3\n", "=" NONCE "= ok 3\n", OK(""), HEAD("ok"),
	};
	AUTO(auto_free) char *much = mem_calloc(100001, 1);
	AUTO(auto_free) char *text = NULL;
	struct script_result r;
	struct scripted s;
	struct err e;

	(void)state;
	scripted_init(&s, REPORT);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		if (parse(&r, &s, wrong[i], &e) == 0)
			fail_msg("'%s' accepted", wrong[i]);
		assert_int_equal(e.code, ERR_REMOTE);
		assert_true(text_is_printable(e.msg));
	}
	assert_failure(&s, FAIL("0") "one\ntwo\n\n" HEAD("end"), "one; two");
	assert_failure(&s, FAIL("0"), "no reason given");
	assert_failure(&s, OK("0") FAIL("1") "\x1b[2Jx\xff\n",
		       "\\x1b[2Jx\\xff");
	memset(much, '\x1b', 100000);
	text = mem_printf(FAIL("0") "%s", much);
	assert_int_equal(parse(&r, &s, text, &e), 0);
	assert_true(strlen(r.failure) < 2000);
	script_result_done(&r);
	scripted_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_run_failing),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_all_steps),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_many_peers),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests_name("script", tests, NULL, NULL);
}
