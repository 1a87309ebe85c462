/*
 * Logins against a real sshd on loopback with folders of its own, against
 * sockets that misbehave, and the local shell. Needs root, sshd, ssh-keygen,
 * ssh-agent, ssh; what is missing is named and skipped.
 */
#include "base/auto.h"
#include "base/mem.h"
#include "base/pool.h"
#include "ssh/session/remote.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

extern char **environ;

#define PHRASE "correct horse"

static struct {
	char dir[64];
	pid_t sshd, agent;
	int port;
	char host_line[512], other_line[512];
	const char *missing;
	int asked;
	const char *answer;
} lab;

static const char *at(const char *name)
{
	static char buf[8][256];
	static int i;

	i = (i + 1) % 8;
	snprintf(buf[i], sizeof buf[i], "%s/%s", lab.dir, name);
	return buf[i];
}

__attribute__((format(printf, 2, 3)))
static void put_file(const char *name, const char *fmt, ...)
{
	FILE *f = fopen(at(name), "we");
	va_list ap;

	assert_non_null(f);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	assert_int_equal(fclose(f), 0);
}

static void get_line(const char *name, char *buf, size_t len)
{
	AUTO(auto_fclose) FILE *f = fopen(at(name), "re");

	assert_non_null(f);
	assert_non_null(fgets(buf, (int)len, f));
	buf[strcspn(buf, "\n")] = '\0';
}

/* Run a program quietly and return its status. */
__attribute__((format(printf, 1, 2)))
static int sh(const char *fmt, ...)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, NULL, NULL };
	int status = -1;
	va_list ap;
	pid_t pid;

	va_start(ap, fmt);
	if (vasprintf(&argv[2], fmt, ap) < 0)
		abort();
	va_end(ap);
	if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) == 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	free(argv[2]);
	return status;
}

static int listen_on_free_port(int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* Wait, bounded, until something accepts on @port. */
static bool accepts(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 500; i++) {
		AUTO(auto_close) int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

static const char *find_missing(void)
{
	static const char *const need[] = { "/usr/sbin/sshd",
		"/usr/bin/ssh-keygen", "/usr/bin/ssh-agent",
		"/usr/bin/ssh-add", "/usr/bin/ssh" };

	if (geteuid() != 0)
		return "root";
	for (size_t i = 0; i < sizeof need / sizeof *need; i++)
		if (access(need[i], X_OK) != 0)
			return need[i];
	return NULL;
}

static void make_keys(void)
{
	assert_int_equal(sh("cd %s && mkdir -p .ssh && chmod 700 .ssh && "
			    "for k in host other good wrong spare third; do "
			    "ssh-keygen -q -t ed25519 -N '' -C $k -f $k; done "
			    "&& ssh-keygen -q -t rsa -b 2048 -N '' -f rsa && "
			    "ssh-keygen -q -t ecdsa -N '' -f ecdsa && "
			    "ssh-keygen -q -t ed25519 -N '%s' -f locked && "
			    "cat good.pub locked.pub rsa.pub ecdsa.pub "
			    "third.pub > authorized", lab.dir, PHRASE), 0);
	get_line("host.pub", lab.host_line, sizeof lab.host_line);
	get_line("other.pub", lab.other_line, sizeof lab.other_line);
	/* without the comment */
	*strchr(strchr(lab.host_line, ' ') + 1, ' ') = '\0';
	*strchr(strchr(lab.other_line, ' ') + 1, ' ') = '\0';
}

static void start_sshd(void)
{
	char *argv[] = { (char[]){ "/usr/sbin/sshd" }, (char[]){ "-D" },
			 (char[]){ "-e" }, (char[]){ "-f" },
			 mem_strdup(at("sshd_config")), NULL };
	posix_spawn_file_actions_t files;
	int fd = listen_on_free_port(&lab.port);

	close(fd);
	mkdir("/run/sshd", 0755); /* where sshd wants it */
	put_file("sshd_config", "Port %d\nListenAddress 127.0.0.1\n"
		 "HostKey %s\nAuthorizedKeysFile %s\nPidFile none\n"
		 /* bash, called so, leaves out the user's ~/.bashrc */
		 "SetEnv SHLVL=1\n"
		 "StrictModes no\nUsePAM no\nPasswordAuthentication no\n"
		 "KbdInteractiveAuthentication no\nMaxStartups 200\n"
		 "PermitRootLogin yes\nTrustedUserCAKeys %s\n",
		 lab.port, at("host"), at("authorized"), at("other.pub"));
	posix_spawn_file_actions_init(&files);
	/* a pipe of ours is not to be held open by it */
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, at("sshd.log"),
					 O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_int_equal(posix_spawn(&lab.sshd, argv[0], &files, NULL, argv,
				     environ), 0);
	posix_spawn_file_actions_destroy(&files);
	free(argv[4]);
	assert_true(accepts(lab.port));
}

static void start_agent(void)
{
	char *argv[] = { (char[]){ "/usr/bin/ssh-agent" }, (char[]){ "-D" },
			 (char[]){ "-a" }, mem_strdup(at("agent")), NULL };
	posix_spawn_file_actions_t files;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&files, 1, 2);
	assert_int_equal(posix_spawn(&lab.agent, argv[0], &files, NULL, argv,
				     environ), 0);
	posix_spawn_file_actions_destroy(&files);
	free(argv[3]);
	for (int i = 0; i < 500 && access(at("agent"), F_OK) != 0; i++)
		poll(NULL, 0, 10);
}

static int start_lab(void **state)
{
	(void)state;
	unsetenv("SSH_AUTH_SOCK");
	lab.missing = find_missing();
	snprintf(lab.dir, sizeof lab.dir, "/tmp/test_remote.XXXXXX");
	assert_non_null(mkdtemp(lab.dir));
	setenv("HOME", lab.dir, 1);
	if (lab.missing)
		return 0;
	make_keys();
	start_sshd();
	start_agent();
	return 0;
}

static void stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

static int end_lab(void **state)
{
	(void)state;
	stop(lab.sshd);
	stop(lab.agent);
	sh("rm -rf '%s'", lab.dir);
	return 0;
}

/* Files and agent as at the start, before each test. */
static int reset(void **state)
{
	(void)state;
	lab.asked = 0;
	lab.answer = PHRASE;
	unsetenv("SSH_AUTH_SOCK");
	if (lab.missing)
		return 0;
	put_file("config", "Host *\n");
	put_file("known", "[127.0.0.1]:%d %s\n", lab.port, lab.host_line);
	sh("SSH_AUTH_SOCK=%s ssh-add -q -D 2>/dev/null", at("agent"));
	return 0;
}

#define NEED_SSHD()                                                        \
	do {                                                               \
		if (lab.missing) {                                         \
			print_message("skipped: no %s\n", lab.missing);    \
			skip();                                            \
		}                                                          \
	} while (0)

/* Append @line to the sshd-wide part of the test's ssh_config. */
__attribute__((format(printf, 1, 2)))
static void configure(const char *fmt, ...)
{
	AUTO(auto_free) char *more = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&more, fmt, ap) < 0)
		abort();
	va_end(ap);
	put_file("config", "Host *\n\tUserKnownHostsFile %s\n"
		 "\tGlobalKnownHostsFile none\n%s", at("known"), more);
}

static int ask(const char *file, struct sbuf *phrase)
{
	assert_non_null(strstr(file, "locked"));
	lab.asked++;
	if (!lab.answer)
		return -1;
	sbuf_puts(phrase, lab.answer);
	return 0;
}

/* A login and all it needs. */
struct session {
	struct remote_target target;
	struct remote_conf conf;
	struct remote *r;
	struct err e;
	char config[256];
};

static void session_done(struct session *s)
{
	remote_free(s->r);
	remote_keys_free(s->conf.keys);
}

static void prepare(struct session *s, const char *host, int port)
{
	memset(s, 0, sizeof *s);
	snprintf(s->config, sizeof s->config, "%s", at("config"));
	s->target.host = host;
	s->target.port = port;
	s->conf.timeout_ms = 60000;
	s->conf.config_file = s->config;
	assert_int_equal(remote_keys_load(&s->conf.keys, &s->target, 1,
					  &s->conf, ask, &s->e), 0);
}

static int login(struct session *s)
{
	prepare(s, "127.0.0.1", lab.port);
	return remote_open(&s->r, &s->target, &s->conf, &s->e);
}

static void assert_text(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

static void must(int rc, const struct err *e)
{
	if (rc != 0)
		fail_msg("failed: %s", e->msg);
}

static void must_fail(int rc, const struct err *e, enum err_code code)
{
	assert_int_equal(rc, -1);
	if (e->code != code)
		fail_msg("code %s: %s", err_code_name(e->code), e->msg);
}

static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void happy_path(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	int before = open_fds();
	struct session s;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	must(login(&s), &s.e);
	assert_int_equal(remote_facts(s.r)->hostkey, REMOTE_KEY_KNOWN);
	assert_string_equal(remote_facts(s.r)->hostkey_line, lab.host_line);
	assert_int_equal(strncmp(remote_facts(s.r)->fingerprint, "SHA256:", 7),
			 0);
	assert_string_equal(remote_facts(s.r)->dialled, "127.0.0.1");
	assert_string_equal(remote_facts(s.r)->user, "root");
	assert_true(remote_facts(s.r)->is_root);
	must(remote_start(s.r, "echo one; echo two >&2; echo .; exec sh -s",
			  &s.e), &s.e);
	must(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e);
	assert_string_equal(out.s, "one\n");
	sbuf_clear(&out);
	must(remote_send(s.r, "echo three; echo .\n", 19, &s.e), &s.e);
	must(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e);
	assert_string_equal(out.s, "three\n");
	must_fail(remote_start(s.r, "true", &s.e), &s.e, ERR_BUG);
	session_done(&s);
	assert_int_equal(open_fds(), before);
}

static void other_key_types(void **state)
{
	static const char *const keys[] = { "rsa", "ecdsa" };

	(void)state;
	NEED_SSHD();
	for (size_t i = 0; i < 2; i++) {
		AUTO(session_done) struct session s;

		configure("\tIdentityFile %s\n", at(keys[i]));
		must(login(&s), &s.e);
	}
}

static void default_key_is_used(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("%s", "");
	sh("cp %s %s", at("good"), at(".ssh/id_ed25519"));
	must(login(&s), &s.e);
	unlink(at(".ssh/id_ed25519"));
}

static void count_line(const char *line, void *arg)
{
	(void)line;
	++*(size_t *)arg;
}

static void big_output(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(session_done) struct session s;
	size_t lines = 0;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	must(login(&s), &s.e);
	must(remote_start(s.r, "seq 1000000; seq 100000 >&2; echo END",
			  &s.e), &s.e);
	must(remote_read_to(s.r, "END", &out, 0, count_line, &lines, &s.e),
	     &s.e);
	assert_int_equal(lines, 1000000);
	assert_int_equal(out.len, 6888896);
}

static void send_big(struct session *s, const char *command)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	size_t len = (size_t)10 << 20;
	AUTO(auto_free) char *data = mem_calloc(len, 1);

	memset(data, 'x', len);
	data[len - 1] = '\n';
	must(remote_start(s->r, command, &s->e), &s->e);
	must(remote_send(s->r, data, len, &s->e), &s->e);
	must(remote_read_to(s->r, ".", &out, 0, NULL, NULL, &s->e), &s->e);
	assert_string_equal(out.s, "10485760\n");
}

static void big_input(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	must(login(&s), &s.e);
	send_big(&s, "head -c 10485760 | wc -c; echo .");
}

/* A host that echoes everything must not block us both. */
static void echoed_input(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(session_done) struct session s;
	size_t len = (size_t)8 << 20;
	AUTO(auto_free) char *data = mem_calloc(len, 1);

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	must(login(&s), &s.e);
	memset(data, 'x', len);
	memcpy(data + len - 3, "\n.\n", 3);
	must(remote_start(s.r, "cat", &s.e), &s.e);
	must(remote_send(s.r, data, len, &s.e), &s.e);
	must(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e);
	assert_int_equal(out.len, len - 2);
}

/* Output and errors end while we still send: the rest goes out all the same. */
static void output_ends_first(void **state)
{
	AUTO(session_done) struct session s;
	size_t len = (size_t)10 << 20;
	AUTO(auto_free) char *data = mem_calloc(len, 1);

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	prepare(&s, "127.0.0.1", lab.port);
	must(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e);
	must(remote_start(s.r, "exec >&- 2>&-; exec cat >/dev/null", &s.e),
	     &s.e);
	must(remote_send(s.r, data, len, &s.e), &s.e);
}

static void host_that_does_not_read(void **state)
{
	AUTO(session_done) struct session s;
	size_t len = (size_t)10 << 20;
	AUTO(auto_free) char *data = mem_calloc(len, 1);

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	prepare(&s, "127.0.0.1", lab.port);
	s.conf.timeout_ms = 2000;
	must(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e);
	must(remote_start(s.r, "sleep 60", &s.e), &s.e);
	must_fail(remote_send(s.r, data, len, &s.e), &s.e, ERR_UNREACHABLE);
	assert_text(s.e.msg, "no answer within 2 s");
}

static void wrong_key(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n\tIdentityFile %s\n", at("wrong"),
		  at("absent"));
	must_fail(login(&s), &s.e, ERR_AUTH);
	assert_text(s.e.msg, "root@127.0.0.1: login refused; tried ");
	assert_text(s.e.msg, "/wrong");
	assert_text(s.e.msg, "/absent: no such file");
	assert_text(s.e.msg, "no agent");
}

static void no_key_at_all(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("%s", "");
	must_fail(login(&s), &s.e, ERR_AUTH);
	assert_text(s.e.msg, "no key to log in with");
}

static void readable_key_is_refused(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	sh("cp %s %s; chmod 644 %s", at("good"), at("open"), at("open"));
	configure("\tIdentityFile %s\n", at("open"));
	must_fail(login(&s), &s.e, ERR_AUTH);
	assert_text(s.e.msg, "/open: others can read it (chmod 600)");
}

static void second_key_works(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n\tIdentityFile %s\n", at("wrong"),
		  at("good"));
	must(login(&s), &s.e);
}

static void passphrase_is_asked(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("locked"));
	must(login(&s), &s.e);
	assert_int_equal(lab.asked, 1);
}

static void wrong_passphrase(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	lab.answer = "not the phrase";
	configure("\tIdentityFile %s\n", at("locked"));
	must_fail(login(&s), &s.e, ERR_AUTH);
	assert_int_equal(lab.asked, 3);
	assert_text(s.e.msg, "locked: wrong passphrase");
	assert_null(strstr(s.e.msg, "not the phrase"));
}

static void no_passphrase(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	lab.answer = NULL;
	configure("\tIdentityFile %s\n", at("locked"));
	must_fail(login(&s), &s.e, ERR_AUTH);
	assert_int_equal(lab.asked, 1);
	assert_text(s.e.msg, "locked: needs a passphrase");
}

static void add_to_agent(const char *key)
{
	setenv("SSH_AUTH_SOCK", at("agent"), 1);
	put_file("askpass", "#!/bin/sh\necho '%s'\n", PHRASE);
	chmod(at("askpass"), 0700);
	assert_int_equal(sh("SSH_ASKPASS=%s SSH_ASKPASS_REQUIRE=force ssh-add "
			    "-q %s 2>/dev/null", at("askpass"), at(key)), 0);
}

static void agent_holds_the_locked_key(void **state)
{
	AUTO(session_done) struct session s;
	int pub;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("locked"));
	add_to_agent("locked");
	/* the private file carries its public part in clear */
	pub = rename(at("locked.pub"), at("locked.away"));
	assert_int_equal(pub, 0);
	must(login(&s), &s.e);
	assert_int_equal(rename(at("locked.away"), at("locked.pub")), 0);
	assert_int_equal(lab.asked, 0);
}

static void agent_alone(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("%s", "");
	add_to_agent("wrong");
	add_to_agent("good");
	prepare(&s, "127.0.0.1", lab.port);
	remote_keys_free(STEAL(s.conf.keys));
	must(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e);
}

static void identities_only(void **state)
{
	struct session s;

	(void)state;
	NEED_SSHD();
	add_to_agent("good");
	add_to_agent("third");
	configure("\tIdentitiesOnly yes\n\tIdentityFile %s\n", at("wrong"));
	must_fail(login(&s), &s.e, ERR_AUTH);
	assert_null(strstr(s.e.msg, "agent"));
	session_done(&s);
	configure("\tIdentitiesOnly yes\n\tIdentityFile %s\n",
		  at("third.pub"));
	must(login(&s), &s.e);
	session_done(&s);
	configure("\tIdentityAgent none\n\tIdentityFile %s\n", at("wrong"));
	must_fail(login(&s), &s.e, ERR_AUTH);
	session_done(&s);
}

/* Certificates of users: the CA "other" is trusted, "spare" is not. */
static void user_certificates(void **state)
{
	static const struct {
		const char *key, *ca, *how; /* how ssh-keygen makes it */
		bool named; /* by CertificateFile, else beside the key */
		const char *why;  /* NULL: logs in */
	} cases[] = {
		{ "wrong", "other", "-n root", true, NULL },
		{ "wrong", "other", "-n root", false, NULL },
		{ "wrong", "other", "-n admin,root -V -1h:+1h", true, NULL },
		{ "certrsa", "other", "-n root", true, NULL },
		{ "certec", "other", "-n root", false, NULL },
		{ "wrong", "other", "-n root -V -2h:-1h", true, "expired 2" },
		{ "wrong", "other", "-n root -V +1h:+2h", true, "not valid b" },
		{ "wrong", "other", "-n admin", false, "not for the user" },
		{ "wrong", "other", "-h -n root", true, "of a host" },
		{ "wrong", "spare", "-n root", true, "does not accept" },
	};

	(void)state;
	NEED_SSHD();
	sh("cd %s && ssh-keygen -q -t rsa -b 2048 -N '' -f certrsa && "
	   "ssh-keygen -q -t ecdsa -b 384 -N '' -f certec", lab.dir);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(session_done) struct session s;
		const char *key = cases[i].key;

		assert_int_equal(sh("cd %s && rm -f *-cert.pub named && "
				    "ssh-keygen -q -s %s -I id %s %s.pub",
				    lab.dir, cases[i].ca, cases[i].how, key),
				 0);
		if (cases[i].named)
			sh("cd %s && mv %s-cert.pub named", lab.dir, key);
		configure("\tIdentityFile %s\n%s%s\n", at(key),
			  cases[i].named ? "\tCertificateFile " : "",
			  cases[i].named ? at("named") : "");
		if (!cases[i].why) {
			must(login(&s), &s.e);
			continue;
		}
		must_fail(login(&s), &s.e, ERR_AUTH);
		assert_text(s.e.msg, cases[i].why);
		assert_text(s.e.msg, cases[i].named ? "named" : "-cert.pub");
	}
	sh("cd %s && rm -f *-cert.pub named", lab.dir);
}

/* What CertificateFile names and is no certificate of a key is said. */
static void no_certificate(void **state)
{
	static const char *const files[] = { "absent", "good.pub", "wrong",
					     "of_third" };

	(void)state;
	NEED_SSHD();
	sh("cd %s && cp third.pub of_third.pub && ssh-keygen -q -s other -I x "
	   "-n root of_third.pub && mv of_third-cert.pub of_third", lab.dir);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		AUTO(session_done) struct session s;

		configure("\tIdentityFile %s\n\tCertificateFile %s\n",
			  at("wrong"), at(files[i]));
		must_fail(login(&s), &s.e, ERR_AUTH);
		assert_text(s.e.msg, files[i]);
		assert_text(s.e.msg, "no certificate of a key");
	}
}

/* Six wrong keys in the agent: the named one is shown first. */
static void named_key_first(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	for (int i = 0; i < 7; i++) {
		AUTO(auto_free) char *name = mem_printf("many%d", i);

		sh("test -f %s || ssh-keygen -q -t ed25519 -N '' -f %s",
		   at(name), at(name));
		add_to_agent(name);
	}
	add_to_agent("locked");
	configure("\tIdentityFile %s\n", at("locked"));
	must(login(&s), &s.e);
	assert_int_equal(lab.asked, 0);
}

static void too_many_keys(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	for (int i = 0; i < 7; i++) {
		AUTO(auto_free) char *name = mem_printf("many%d", i);

		sh("test -f %s || ssh-keygen -q -t ed25519 -N '' -f %s",
		   at(name), at(name));
		add_to_agent(name);
	}
	configure("%s", "");
	must_fail(login(&s), &s.e, ERR_AUTH);
	assert_text(s.e.msg, "tried agent (7 keys)");
	assert_text(s.e.msg, "Too many authentication failures");
}

static int login_pinned(struct session *s, const char *line)
{
	struct strings pins = { 0 };
	int rc;

	prepare(s, "127.0.0.1", lab.port);
	strings_add(&pins, line);
	s->target.pinned = &pins;
	rc = remote_open(&s->r, &s->target, &s->conf, &s->e);
	s->target.pinned = NULL;
	strings_done(&pins);
	return rc;
}

static void pinned(void **state)
{
	struct session s;

	(void)state;
	NEED_SSHD();
	put_file("known", "%s", "");
	configure("\tIdentityFile %s\n", at("good"));
	must(login_pinned(&s, lab.host_line), &s.e);
	assert_int_equal(remote_facts(s.r)->hostkey, REMOTE_KEY_PINNED);
	session_done(&s);
	must_fail(login_pinned(&s, lab.other_line), &s.e, ERR_HOSTKEY);
	assert_text(s.e.msg, "than the pinned one: SHA256:");
	assert_text(s.e.msg, "pinned is SHA256:");
	session_done(&s);
	must_fail(login_pinned(&s, "ssh-ed25519 nonsense"), &s.e, ERR_INPUT);
	session_done(&s);
}

/* A pinned key wins over a known_hosts that says otherwise. */
static void pinned_of_another_type(void **state)
{
	AUTO(session_done) struct session s;
	char line[512];

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	get_line("ecdsa.pub", line, sizeof line);
	must_fail(login_pinned(&s, line), &s.e, ERR_HOSTKEY);
	assert_text(s.e.msg, "pinned is SHA256:");
}

static void known_hashed(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	assert_int_equal(sh("ssh-keygen -q -H -f %s >/dev/null 2>&1",
			    at("known")), 0);
	configure("\tIdentityFile %s\n", at("good"));
	must(login(&s), &s.e);
	assert_int_equal(remote_facts(s.r)->hostkey, REMOTE_KEY_KNOWN);
}

static void known_in_a_second_file(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	put_file("config", "Host *\n UserKnownHostsFile %s %s\n"
		 "IdentityFile %s\n", at("absent"), at("known"), at("good"));
	must(login(&s), &s.e);
}

static void unknown_host(void **state)
{
	struct session s;

	(void)state;
	NEED_SSHD();
	put_file("known", "# nothing\n\njunk\n@cert-authority x %s\n",
		 lab.host_line);
	configure("\tIdentityFile %s\n", at("good"));
	must_fail(login(&s), &s.e, ERR_HOSTKEY);
	assert_text(s.e.msg, "is not known: SHA256:");
	s.conf.accept_new = true;
	must(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e);
	assert_int_equal(remote_facts(s.r)->hostkey, REMOTE_KEY_NEW);
	remote_free(STEAL(s.r));
	s.conf.accept_new = false;
	must(remote_peek(&s.r, &s.target, &s.conf, &s.e), &s.e);
	assert_int_equal(remote_facts(s.r)->hostkey, REMOTE_KEY_NEW);
	assert_string_equal(remote_facts(s.r)->hostkey_line, lab.host_line);
	must_fail(remote_start(s.r, "true", &s.e), &s.e, ERR_BUG);
	session_done(&s);
}

static void changed_key(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	put_file("known", "[127.0.0.1]:%d %s\n", lab.port, lab.other_line);
	configure("\tIdentityFile %s\n", at("good"));
	prepare(&s, "127.0.0.1", lab.port);
	s.conf.accept_new = true;
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_HOSTKEY);
	assert_text(s.e.msg, "changed: it shows SHA256:");
	assert_text(s.e.msg, "known:1 has SHA256:");
	assert_text(s.e.msg, "ssh-keygen -R '[127.0.0.1]:");
	must_fail(remote_peek(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_HOSTKEY);
}

static void revoked_key(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	put_file("known", "[127.0.0.1]:%d %s\n@revoked * %s\n", lab.port,
		 lab.host_line, lab.host_line);
	configure("\tIdentityFile %s\n", at("good"));
	must_fail(login(&s), &s.e, ERR_HOSTKEY);
	assert_text(s.e.msg, "revoked");
}

static void frozen_server(void **state)
{
	AUTO(session_done) struct session s;
	int port;
	AUTO(auto_close) int fd = listen_on_free_port(&port);

	(void)state;
	assert_true(fd >= 0);
	put_file("config", "Host *\n");
	prepare(&s, "127.0.0.1", port);
	s.conf.timeout_ms = 300;
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_UNREACHABLE);
	assert_text(s.e.msg, "no answer within 0.3 s");
}

static void refused_port(void **state)
{
	AUTO(session_done) struct session s;
	int port;

	(void)state;
	close(listen_on_free_port(&port));
	put_file("config", "Host *\n");
	prepare(&s, "127.0.0.1", port);
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_UNREACHABLE);
	assert_text(s.e.msg, "Connection refused");
}

static void unknown_name(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	put_file("config", "Host *\n");
	prepare(&s, "no-such-host.invalid", 22);
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_UNREACHABLE);
	assert_text(s.e.msg, "no-such-host.invalid");
}

static void hostile_names(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	put_file("config", "Host *\n");
	prepare(&s, "-oProxyCommand=x", 22);
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_INPUT);
	s.target.host = "a;b";
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_INPUT);
	s.target.host = "h";
	s.target.user = "$(x)";
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_INPUT);
}

/* As ssh would get them, behind brackets, too. */
static void hostile_jumps(void **state)
{
	static const char *const jumps[] = {
		"-oProxyCommand=x", "[-ox]", "root@[-ox]:22", "-ox@jump",
		"a,-ox", "jump:-ox", "jump:0", "ssh://-ox", "$(x)@jump", "a,,b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
		AUTO(session_done) struct session s;

		put_file("config", "Host *\n ProxyJump %s\n", jumps[i]);
		prepare(&s, "h", 22);
		must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
			  ERR_INPUT);
		assert_text(s.e.msg, "ProxyJump");
	}
}

/* Plays a host that closes after one greeting. */
static void *greet_and_close(void *arg)
{
	int fd = accept4(*(int *)arg, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		if (send(fd, "SSH-2.0-x\r\n", 11, MSG_NOSIGNAL) < 0)
			perror("send");
		close(fd);
	}
	return NULL;
}

static void closes_midway(void **state)
{
	AUTO(session_done) struct session s;
	pthread_t thread;
	int port;
	AUTO(auto_close) int fd = listen_on_free_port(&port);

	(void)state;
	put_file("config", "Host *\n");
	assert_int_equal(pthread_create(&thread, NULL, greet_and_close, &fd),
			 0);
	prepare(&s, "127.0.0.1", port);
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_UNREACHABLE);
	pthread_join(thread, NULL);
}

static void silent_command(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	must(login(&s), &s.e);
	must(remote_start(s.r, "exec cat", &s.e), &s.e);
	must_fail(remote_read_to(s.r, ".", &out, 300, NULL, NULL, &s.e), &s.e,
		  ERR_UNREACHABLE);
	assert_text(s.e.msg, "no answer within 0.3 s");
}

/* A sign of life now and then keeps no login and no command going for good. */
static void *drip(void *arg)
{
	int fd = accept4(*(int *)arg, NULL, NULL, SOCK_CLOEXEC);

	/* lines before the greeting are allowed */
	while (fd >= 0 && send(fd, "x\n", 2, MSG_NOSIGNAL) == 2)
		poll(NULL, 0, 20);
	close(fd);
	return NULL;
}

static void endless_login(void **state)
{
	struct session s;
	pthread_t thread;
	int port;
	AUTO(auto_close) int fd = listen_on_free_port(&port);

	(void)state;
	put_file("config", "Host *\n");
	assert_int_equal(pthread_create(&thread, NULL, drip, &fd), 0);
	prepare(&s, "127.0.0.1", port);
	s.conf.timeout_ms = 500;
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_UNREACHABLE);
	session_done(&s);
	pthread_join(thread, NULL);
}

static void endless_command(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	must(login(&s), &s.e);
	must(remote_start(s.r, "while echo x; do sleep 0.01; done", &s.e),
	     &s.e);
	remote_allow(s.r, 500);
	must_fail(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e,
		  ERR_UNREACHABLE);
	assert_text(s.e.msg, "not done within 0.5 s");
}

static void early_exit(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	must(login(&s), &s.e);
	must(remote_start(s.r, "echo x; printf 'no \\033[1mspace\\nb\\n' >&2; "
			  "exit 7", &s.e), &s.e);
	must_fail(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e,
		  ERR_REMOTE);
	assert_string_equal(s.e.msg, "'127.0.0.1': the command ended with "
			    "status 7: no \\x1b[1mspace / b / x");
	assert_string_equal(out.s, "x\n");
}

static void ended_by_signal(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	must(login(&s), &s.e);
	must(remote_start(s.r, "kill -TERM $$", &s.e), &s.e);
	must_fail(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e,
		  ERR_REMOTE);
	assert_text(s.e.msg, "signal TERM");
}

static void broken_link(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	must(login(&s), &s.e);
	/* the shell's parent is the sshd of this connection */
	must(remote_start(s.r, "kill -KILL $PPID; exec sleep 60", &s.e), &s.e);
	must_fail(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e,
		  ERR_UNREACHABLE);
	assert_text(s.e.msg, "the connection broke");
}

static void endless_line(void **state)
{
	AUTO(session_done) struct session s;
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	must(login(&s), &s.e);
	out.max = 100000;
	must(remote_start(s.r, "exec cat /dev/zero", &s.e), &s.e);
	must_fail(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e,
		  ERR_REMOTE);
	assert_text(s.e.msg, "more than 100000 bytes");
}

static void proxy_command(void **state)
{
	struct session s;
	int before = open_fds();

	(void)state;
	NEED_SSHD();
	put_file("known", "there %s\n", lab.host_line);
	put_file("config", "Host nowhere\n HostName there\n Port 22\n"
		 " UserKnownHostsFile %s\n IdentityFile %s\n"
		 " ProxyCommand ssh -F %s -W 127.0.0.1:%d inner\n"
		 "Host inner\n HostName 127.0.0.1\n Port %d\n"
		 " StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n"
		 " IdentityFile %s\n", at("known"), at("good"), at("config"),
		 lab.port, lab.port, at("good"));
	prepare(&s, "nowhere", 0);
	must(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e);
	assert_string_equal(remote_facts(s.r)->dialled, "");
	send_big(&s, "head -c 10485760 | wc -c; echo .");
	session_done(&s);
	assert_int_equal(open_fds(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* sshd, agent only */
}

static void broken_proxy(void **state)
{
	struct session s;

	(void)state;
	put_file("config", "ProxyCommand echo 'no way' >&2; exit 1\n");
	prepare(&s, "h", 0);
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_UNREACHABLE);
	assert_text(s.e.msg, "the proxy says: no way");
	session_done(&s);
	put_file("config", "ProxyCommand sleep 60\n");
	prepare(&s, "h", 0);
	s.conf.timeout_ms = 300;
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_UNREACHABLE);
	assert_text(s.e.msg, "within 0.3 s");
	session_done(&s);
}

static void proxy_jump(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	put_file("config", "Host target\n HostName 127.0.0.1\n Port %d\n"
		 " UserKnownHostsFile %s\n ProxyJump root@jump:%d\n"
		 "Host jump\n HostName 127.0.0.1\n"
		 " StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n"
		 "Host *\n IdentityFile %s\n", lab.port, at("known"),
		 lab.port, at("good"));
	prepare(&s, "target", 0);
	must(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e);
	assert_string_equal(remote_facts(s.r)->dialled, "");
}

/* A jump host that is known as "jump1" and one behind it, "jump2". */
static void configure_jumps(const char *jump, const char *known)
{
	put_file("jump_known", "%s", known);
	put_file("config", "Host target\n HostName 127.0.0.1\n Port %d\n"
		 " UserKnownHostsFile %s\n ProxyJump %s\n"
		 "Host one two\n HostName 127.0.0.1\n Port %d\n"
		 " UserKnownHostsFile %s\n User root\n"
		 "Host one\n HostKeyAlias jump1\n"
		 "Host two\n HostKeyAlias jump2\n"
		 "Host round\n HostName 127.0.0.1\n ProxyJump round\n"
		 "Host *\n IdentityFile %s\n", lab.port, at("known"), jump,
		 lab.port, at("jump_known"), at("good"));
}

/* The known_hosts that were made for OpenSSH are gone. */
static void assert_no_jump_files(void)
{
	assert_int_not_equal(sh("ls %s/wgmesh-known* 2>/dev/null", lab.dir), 0);
}

static int refuse_jump(void *arg, const char *place, const char *fingerprint)
{
	(void)fingerprint;
	*(const char **)arg = strcmp(place, "jump1") == 0 ? "asked" : "other";
	return 0;
}

/* Each jump host's key by pins, by known_hosts, or as a new one. */
static void jump_host_keys(void **state)
{
	static const struct {
		const char *jump;
		const char *pin1, *pin2; /* "right", "wrong" or none */
		const char *known1;      /* the same */
		bool accept_new;
		const char *fails; /* with this in its words; NULL: logs in */
		size_t jumps;      /* then: whose keys are to be pinned */
	} rows[] = {
		{ "one", NULL, NULL, NULL, false, "jump host 'one'", 0 },
		{ "one", NULL, NULL, NULL, true, NULL, 1 },
		{ "one", NULL, NULL, "right", false, NULL, 1 },
		{ "one", NULL, NULL, "wrong", true, "jump host 'one'", 0 },
		{ "one", "right", NULL, NULL, false, NULL, 0 },
		{ "one", "right", NULL, "wrong", false, NULL, 0 },
		{ "one", "wrong", NULL, "right", true, "jump host 'one'", 0 },
		{ "one,two", "right", NULL, NULL, false, "host 'two'", 0 },
		{ "one,two", "right", NULL, NULL, true, NULL, 1 },
		{ "one,two", NULL, NULL, NULL, true, NULL, 2 },
		{ "one,two", "right", "right", NULL, false, NULL, 0 },
		{ "one,two", "right", "wrong", NULL, true, "host 'two'", 0 },
		{ "one,two", "wrong", "right", NULL, true, "host 'one'", 0 },
		{ "round", "right", NULL, NULL, true, "a circle", 0 },
	};

	(void)state;
	NEED_SSHD();
	setenv("TMPDIR", lab.dir, 1);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(session_done) struct session s;
		AUTO(strings_done) struct strings pins = { 0 };
		const char *const said[] = { rows[i].pin1, rows[i].pin2 };
		char known[1200] = "";

		for (int k = 0; k < 2; k++)
			if (said[k])
				strings_printf(&pins, k ? "JUMP%d %s" :
					       "jump%d %s", k + 1,
					       *said[k] == 'r' ? lab.host_line
							: lab.other_line);
		if (rows[i].known1)
			snprintf(known, sizeof known, "jump1 %s\n",
				 *rows[i].known1 == 'r' ? lab.host_line
							: lab.other_line);
		configure_jumps(rows[i].jump, known);
		prepare(&s, "target", 0);
		s.conf.jump_pins = &pins;
		s.conf.accept_new = rows[i].accept_new;
		if (rows[i].fails) {
			must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e),
				  &s.e, strstr(rows[i].fails, "circle") ?
				  ERR_INPUT : ERR_HOSTKEY);
			assert_text(s.e.msg, rows[i].fails);
		} else {
			must(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e);
			assert_int_equal(remote_facts(s.r)->jumps->len,
					 rows[i].jumps);
		}
		assert_no_jump_files();
	}
}

/* What was found is what a pin says; a no stops before the jump host. */
static void jump_host_is_asked_about(void **state)
{
	AUTO(session_done) struct session s, t;
	const char *asked = "nobody";
	const struct remote_jump *j;

	(void)state;
	NEED_SSHD();
	configure_jumps("one", "");
	prepare(&s, "target", 0);
	s.conf.accept_new = true;
	must(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e);
	j = &remote_facts(s.r)->jumps->items[0];
	assert_string_equal(j->place, "jump1");
	assert_string_equal(j->hostkey_line, lab.host_line);
	assert_int_equal(j->hostkey, REMOTE_KEY_NEW);
	prepare(&t, "target", 0);
	t.conf.take_jump = refuse_jump;
	t.conf.take_arg = &asked;
	must_fail(remote_peek(&t.r, &t.target, &t.conf, &t.e), &t.e,
		  ERR_HOSTKEY);
	assert_string_equal(asked, "asked");
	assert_text(t.e.msg, "jump1");
}

/* Log in and have the host say something, into @out. */
static int talk(struct session *s, struct sbuf *out)
{
	if (remote_open(&s->r, &s->target, &s->conf, &s->e) < 0 ||
	    remote_start(s->r, "echo 'in it'; echo .", &s->e) < 0)
		return -1;
	return remote_read_to(s->r, ".", out, 0, NULL, NULL, &s->e);
}

/* Keys that a KnownHostsCommand prints, and an authority without certificates. */
static void known_by_command(void **state)
{
	const struct {
		const char *printed, *known;
		bool accept_new, in;
	} rows[] = {
		{ lab.host_line, "", false, true },
		{ lab.other_line, "", false, false },
		{ NULL, "", false, false },
		{ NULL, "@cert-authority * ", false, false },
		{ NULL, "@cert-authority * ", true, true },
		{ lab.host_line, "@cert-authority x ", false, true },
	};

	(void)state;
	NEED_SSHD();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(session_done) struct session s;
		AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
		bool command = !*rows[i].known || rows[i].printed;

		put_file("known", "%s%s\n", rows[i].known,
			 *rows[i].known ? lab.other_line : "");
		put_file("printed", "[127.0.0.1]:%d %s\n", lab.port,
			 rows[i].printed ? rows[i].printed : "");
		put_file("config", "Host *\n UserKnownHostsFile %s\n"
			 " IdentityFile %s\n %s/bin/cat %s\n", at("known"),
			 at("good"), command ? "KnownHostsCommand " : "#",
			 at("printed"));
		prepare(&s, "127.0.0.1", lab.port);
		s.conf.accept_new = rows[i].accept_new;
		if (rows[i].in) {
			must(talk(&s, &out), &s.e);
			assert_string_equal(sbuf_str(&out), "in it\n");
			assert_int_equal(remote_facts(s.r)->hostkey,
					 rows[i].accept_new ? REMOTE_KEY_NEW :
					 REMOTE_KEY_VOUCHED);
		} else {
			assert_int_equal(talk(&s, &out), -1);
			assert_text(s.e.msg, "127.0.0.1");
			assert_int_equal(out.len, 0);
		}
	}
}

/*
 * A second sshd, whose key has a certificate for the names of each row, signed
 * by the key "other"; known_hosts has what the row says.
 */
static void host_certificates(void **state)
{
	static const struct {
		const char *names;  /* in the certificate */
		const char *known;  /* "CA" is the authority's key */
		bool in;
		const char *words;
	} rows[] = {
		{ "127.0.0.1", "@cert-authority 127.0.0.* CA", true, NULL },
		{ "127.0.0.1", "@cert-authority * CA", true, NULL },
		{ "127.0.0.1", "@cert-authority [127.0.0.1]:PORT CA", true,
		  NULL },
		{ "127.0.0.1,more", "@cert-authority x,127.0.0.1 CA", true,
		  NULL },
		{ "elsewhere", "@cert-authority * CA", false,
		  "listed principal" },
		{ "127.0.0.1", "@cert-authority *,!*127.0.0.1* CA", false,
		  "not known" },
		{ "127.0.0.1", "@cert-authority [127.0.0.1]:1 CA", false,
		  "not known" },
		{ "127.0.0.1", "@cert-authority * CA\n@revoked * CA", false,
		  "REVOKED" },
	};

	(void)state;
	NEED_SSHD();
	setenv("TMPDIR", lab.dir, 1);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(session_done) struct session s;
		AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
		int fd, port, rc;

		fd = listen_on_free_port(&port);
		close(fd);
		assert_int_equal(sh("cd %s && ssh-keygen -q -s other -I h -h "
				    "-n %s spare.pub && sed 's/^Port .*/Port "
				    "%d/;s/^HostKey /#/' sshd_config >cert_sshd "
				    "&& printf 'HostKey %%s/spare\\nHostCertificate"
				    " %%s/spare-cert.pub\\nPidFile %%s/cert_pid\\n'"
				    " $PWD $PWD $PWD >>cert_sshd && sed -i "
				    "'/^PidFile none/d' cert_sshd && "
				    "/usr/sbin/sshd -f $PWD/cert_sshd "
				    "-E $PWD/cert.log", lab.dir, rows[i].names,
				    port), 0);
		assert_true(accepts(port));
		put_file("known", "%s\n", rows[i].known);
		assert_int_equal(sh("cd %s && sed -i \"s|CA|$(cut -d' ' -f1,2 "
				    "other.pub)|;s|PORT|%d|\" known",
				    lab.dir, port), 0);
		put_file("config", "Host *\n UserKnownHostsFile %s\n"
			 " IdentityFile %s\n", at("known"), at("good"));
		prepare(&s, "127.0.0.1", port);
		rc = talk(&s, &out);
		sh("kill $(cat %s)", at("cert_pid"));
		if (rows[i].in) {
			must(rc, &s.e);
			assert_string_equal(sbuf_str(&out), "in it\n");
			assert_string_equal(remote_facts(s.r)->dialled,
					    "127.0.0.1");
			assert_int_equal(remote_facts(s.r)->hostkey,
					 REMOTE_KEY_VOUCHED);
		} else {
			if (rc == 0)
				fail_msg("'%s' lets it in", rows[i].known);
			assert_int_equal(s.e.code, ERR_HOSTKEY);
			assert_text(s.e.msg, rows[i].words);
		}
	}
	assert_no_jump_files();
}

static void config_rules(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	put_file("more", "Host alias\n HostName=\"127.0.0.1\"\n"
		 "Match originalhost alias user nobody-else\n Port 1\n");
	put_file("config", "Include %s\nHost !alias *\n Port 1\n"
		 "Host a*\n\tPort %d # first wins\n\tPort 2\n"
		 "Match host 127.0.0.1 originalhost alias\n"
		 "  UserKnownHostsFile %s\n"
		 "  IdentityFile ~/%%r-key\n", at("more"), lab.port,
		 at("known"));
	sh("cp %s %s", at("good"), at("root-key"));
	prepare(&s, "alias", 0);
	must(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e);
	remote_free(STEAL(s.r));
	s.target.port = 1;
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_UNREACHABLE);
	assert_text(s.e.msg, "port 1");
}

static void other_user(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n\tUser nobody\n", at("good"));
	prepare(&s, "127.0.0.1", lab.port);
	s.target.user = "no-such-user";
	must_fail(remote_open(&s.r, &s.target, &s.conf, &s.e), &s.e,
		  ERR_AUTH);
	assert_text(s.e.msg, "no-such-user@127.0.0.1");
	s.target.user = NULL;
	if (remote_open(&s.r, &s.target, &s.conf, &s.e) == 0) {
		assert_string_equal(remote_facts(s.r)->user, "nobody");
		assert_false(remote_facts(s.r)->is_root);
	} else {
		assert_text(s.e.msg, "nobody@127.0.0.1");
	}
}

struct many {
	struct session *s;
	struct err errors[64];
};

static void one_of_many(size_t i, void *arg)
{
	struct many *m = arg;
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	struct remote *r = NULL;
	struct err *e = &m->errors[i];

	if (remote_open(&r, &m->s->target, &m->s->conf, e) == 0 &&
	    remote_start(r, "echo hi; echo .; exec sh -s", e) == 0)
		remote_read_to(r, ".", &out, 0, NULL, NULL, e);
	remote_free(r);
}

static void many_at_once(void **state)
{
	AUTO(session_done) struct session s;
	static struct many m;
	int before = open_fds();

	(void)state;
	NEED_SSHD();
	configure("\tIdentityFile %s\n", at("good"));
	add_to_agent("third");
	prepare(&s, "127.0.0.1", lab.port);
	s.conf.timeout_ms = 60000;
	m.s = &s;
	pool_run(64, 64, one_of_many, NULL, &m);
	for (size_t i = 0; i < 64; i++)
		must(m.errors[i].code ? -1 : 0, &m.errors[i]);
	assert_int_equal(open_fds(), before);
}

static void open_local(struct session *s)
{
	memset(s, 0, sizeof *s);
	s->target.local = true;
	s->conf.timeout_ms = 60000;
	must(remote_open(&s->r, &s->target, &s->conf, &s->e), &s->e);
}

static void local_target(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	struct session s;
	int before = open_fds();

	(void)state;
	open_local(&s);
	assert_string_equal(remote_facts(s.r)->dialled, "");
	must(remote_start(s.r, "echo one; echo .; exec sh -s", &s.e), &s.e);
	must(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e);
	must(remote_send(s.r, "ls /proc/self/fd | wc -l; echo .\n", 33, &s.e),
	     &s.e);
	must(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e);
	/* stdin, stdout, stderr and the folder that ls reads */
	assert_string_equal(out.s, "one\n4\n");
	session_done(&s);
	assert_int_equal(open_fds(), before);
}

static void local_big_input(void **state)
{
	AUTO(session_done) struct session s;

	(void)state;
	open_local(&s);
	send_big(&s, "head -c 10485760 | wc -c; echo .");
}

static void local_early_exit(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(session_done) struct session s;
	size_t len = (size_t)1 << 20;
	AUTO(auto_free) char *data = mem_calloc(len, 1);

	(void)state;
	open_local(&s);
	must(remote_start(s.r, "echo oops >&2; exit 7", &s.e), &s.e);
	must_fail(remote_send(s.r, data, len, &s.e), &s.e, ERR_REMOTE);
	assert_string_equal(s.e.msg, "'localhost': the command ended with "
			    "status 7: oops");
	must_fail(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e,
		  ERR_REMOTE);
	assert_text(s.e.msg, "status 7: oops");
}

static void local_hostile_output(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(session_done) struct session s;

	(void)state;
	open_local(&s);
	must(remote_start(s.r, "printf 'a\\000b\\n.x\\n\\n.\\nrest\\n..\\n'; "
			  "printf tail; kill -KILL $$", &s.e), &s.e);
	must(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e);
	assert_int_equal(out.len, 8);
	assert_memory_equal(out.s, "a\0b\n.x\n\n", 8);
	sbuf_clear(&out);
	must(remote_read_to(s.r, "..", &out, 0, NULL, NULL, &s.e), &s.e);
	assert_string_equal(out.s, "rest\n");
	must_fail(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e,
		  ERR_REMOTE);
	assert_text(s.e.msg, "signal KILL");
}

/* What a host says instead of answering is shown, in one short line. */
static void local_own_words(void **state)
{
	static const struct { const char *command, *want; } cases[] = {
		{ "echo only git here", "the host ran something else: "
		  "'only git here'" },
		{ "printf 'no line end'", "something else: 'no line end'" },
		{ "echo This account is not available.; exit 1",
		  "status 1: This account is not available." },
		{ "echo 'Unmatched \\047.' >&2; exit 1",
		  "status 1: Unmatched '." },
		{ "echo WARNING: expired >&2; echo Change it. >&2; exit 1",
		  "status 1: WARNING: expired / Change it." },
		{ "seq 1 9; echo last; exit 2", "status 2: 1 / 2 / ... / last" },
		{ "printf '\\033[2J\\r\\n'; exit 2", "status 2: \\x1b[2J" },
		{ "exit 0", "the command ended with status 0" },
		{ "echo =n= host; exit 3", "the command ended with status 3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
		AUTO(session_done) struct session s;
		const char *want = cases[i].want;

		open_local(&s);
		must(remote_start(s.r, cases[i].command, &s.e), &s.e);
		must_fail(remote_read_to(s.r, "=n= end", &out, 0, NULL, NULL,
					 &s.e), &s.e, ERR_REMOTE);
		assert_text(s.e.msg, want);
		assert_string_equal(s.e.msg + strlen(s.e.msg) - strlen(want),
				    want);
	}
}

/* The answer goes out when its prompt was seen, and once. */
static void local_answers(void **state)
{
	static const struct { const char *command, *want; } cases[] = {
		{ "printf 'lecture\\nask no' >&2; printf 'nce: ' >&2; read -r p; "
		  "echo got $p; echo .", "got a \\ pass\n" },
		{ "printf 'aask nask nonce: ' >&2; read -r p; echo $p; echo .",
		  "a \\ pass\n" },
		/* what is only like it is no prompt */
		{ "printf 'ask nonc: [sudo] password: ask nonce:' >&2; echo x; "
		  "echo .", "x\n" },
		{ "echo 'ask nonce: '; echo .", "ask nonce: \n" },
		{ "printf 'ask nonce: ' >&2; read -r p; "
		  "printf 'no\\nask nonce: ' >&2; read -r p; echo .", NULL },
	};
	AUTO(secret_done) struct secret answer = { 0 };

	(void)state;
	secret_set(&answer, "a \\ pass", 8);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
		AUTO(session_done) struct session s;

		open_local(&s);
		remote_answer(s.r, "ask nonce: ", &answer);
		must(remote_start(s.r, cases[i].command, &s.e), &s.e);
		if (!cases[i].want) {
			must_fail(remote_read_to(s.r, ".", &out, 0, NULL, NULL,
						 &s.e), &s.e, ERR_AUTH);
			continue;
		}
		must(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e), &s.e);
		assert_string_equal(sbuf_str(&out), cases[i].want);
		if (i < 2)
			continue;
		/* nothing of it is in the input of what runs then */
		must_fail(remote_read_to(s.r, ".", &out, 0, NULL, NULL, &s.e),
			  &s.e, ERR_REMOTE);
		assert_null(strstr(s.e.msg, "pass\n"));
	}
}

static void fingerprints(void **state)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	struct err e;

	(void)state;
	must(remote_fingerprint("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzr"
				"m0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl comment",
				&out, &e), &e);
	assert_string_equal(out.s, "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSv"
			    "Hdkr4UvCOqU");
	must_fail(remote_fingerprint("", &out, &e), &e, ERR_INPUT);
	must_fail(remote_fingerprint("ssh-ed25519", &out, &e), &e, ERR_INPUT);
	must_fail(remote_fingerprint("ssh-ed25519 !!!", &out, &e), &e,
		  ERR_INPUT);
	must_fail(remote_fingerprint("what AAAA", &out, &e), &e, ERR_INPUT);
}

#define T(f) cmocka_unit_test_setup(f, reset)

/* An argument names the tests that are to run: "agent_*". */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(happy_path), T(other_key_types), T(default_key_is_used),
		T(big_output), T(big_input), T(echoed_input),
		T(output_ends_first), T(host_that_does_not_read), T(wrong_key), T(no_key_at_all),
		T(readable_key_is_refused), T(second_key_works),
		T(passphrase_is_asked), T(wrong_passphrase), T(no_passphrase),
		T(agent_holds_the_locked_key), T(agent_alone),
		T(identities_only), T(user_certificates), T(no_certificate),
		  T(named_key_first), T(too_many_keys),
		T(pinned), T(pinned_of_another_type), T(known_hashed),
		T(known_in_a_second_file), T(unknown_host), T(changed_key),
		T(revoked_key), T(frozen_server), T(refused_port),
		T(unknown_name), T(hostile_names), T(hostile_jumps), T(closes_midway),
		T(silent_command), T(endless_login), T(endless_command),
		T(early_exit), T(ended_by_signal),
		T(broken_link), T(endless_line), T(proxy_command),
		T(broken_proxy), T(proxy_jump), T(jump_host_keys),
		T(jump_host_is_asked_about), T(host_certificates),
		T(known_by_command), T(config_rules),
		T(other_user), T(many_at_once), T(local_target),
		T(local_big_input), T(local_early_exit),
		T(local_hostile_output), T(local_own_words),
		T(local_answers), T(fingerprints),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, start_lab, end_lab);
}
