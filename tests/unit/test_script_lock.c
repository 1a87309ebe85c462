/*
 * One deploy at a time on a host: the script, the probe and the lock file
 * between them, with real shells, with flock and without. /run is a folder of
 * the test.
 */
#include "render/host/host.h"
#include "render/plan.h"
#include "tests/unit/fixture.h"
#include "tests/unit/hostshell.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#define OURS "0123456789abcdef"
#define OTHER "fedcba9876543210"

/* The host of the tests that run: its shell, its few programs. */
static const char *shell;
static bool has_flock;
static char tools[32];

struct place {
	char folder[32];
	char lock[64];
};

/* What a script without steps needs. */
static void tools_init(void)
{
	char *command;

	memcpy(tools, "/tmp/wgmesh-tools-XXXXXX", 25);
	assert_non_null(mkdtemp(tools));
	command = mem_printf("cd %s && for i in cat date mkdir printf "
			     "rm rmdir %s; do ln -s /usr/bin/$i $i || exit; "
			     "done; ln -s /usr/bin/%s sh", tools,
			     has_flock ? "flock" : "", shell);
	command_run(command);
	free(command);
}

static void tools_done(void)
{
	char *command = mem_printf("rm -r %s", tools);

	command_run(command);
	free(command);
}

/* A folder with a lock file that says @text, and a sleep that does not. */
static void place_init(struct place *p, const char *text)
{
	char *command;

	memcpy(p->folder, "/tmp/wgmesh-lock-XXXXXX", 24);
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->lock, sizeof p->lock, "%s/wgmesh-wg0.lock", p->folder);
	command = mem_printf("cd %s && printf '#!%s/sh\\n' >sleep && "
			     "chmod 700 sleep && printf '%%s' '%s' >%s",
			     p->folder, tools, text, p->lock);
	command_run(command);
	free(command);
}

static void place_done(struct place *p)
{
	char *command = mem_printf("rm -r %s", p->folder);

	command_run(command);
	free(command);
}

/* What the shell prints that runs @text with the folder in place of /run. */
static void run(struct sbuf *out, const struct place *p, const char *text)
{
	char *script = mem_printf("%s/script", p->folder);
	char *answer = mem_printf("%s/answer", p->folder);
	/* a probe waits for a line of input at its end */
	char *command = mem_printf("echo : | PATH=%s:%s sh %s >%s 2>&1",
				   p->folder, tools, script, answer);

	host_text(script, p->folder, text);
	(void)command_status(command);
	file_get(out, answer);
	free(command);
	free(answer);
	free(script);
}

/* What a process is called in the lock's folder. */
static char *claim_of(pid_t pid)
{
	AUTO(auto_free) char *path = mem_printf("/proc/%d/stat", (int)pid);
	AUTO(sbuf_done) struct sbuf stat = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf boot = SBUF_INIT;
	unsigned long long start;
	const char *at;

	file_get(&stat, path);
	file_get(&boot, "/proc/sys/kernel/random/boot_id");
	at = strrchr(sbuf_str(&stat), ')');
	assert_non_null(at);
	assert_int_equal(sscanf(at, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s "
				"%*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
				&start), 1);
	return mem_printf("%d-%llu-%.*s", (int)pid, start,
			  (int)strcspn(sbuf_str(&boot), "\n"), sbuf_str(&boot));
}

static void put_claim(const struct place *p, const char *claim)
{
	char *command = mem_printf("mkdir -p %s.d && : >%s.d/%s", p->lock,
				   p->lock, claim);

	command_run(command);
	free(command);
}

/* No claim is left. */
static void assert_swept(const struct place *p)
{
	char *command = mem_printf("[ -z \"$(ls -A %s.d 2>/dev/null)\" ]",
				   p->lock);

	command_run(command);
	free(command);
}

/* This process has the lock, until the descriptor is closed. */
static int hold(const struct place *p)
{
	int fd = open(p->lock, O_RDWR | O_CLOEXEC);

	if (!has_flock) {
		AUTO(auto_free) char *claim = claim_of(getpid());

		put_claim(p, claim);
	}
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	return fd;
}

/* Run a script whose one step is nothing, planned when @token was there. */
static void deploy(struct script_result *r, const struct place *p,
		   const char *token)
{
	const struct script_run how = { OURS, "me@here, pid 5", token, false };
	AUTO(sbuf_done) struct sbuf script = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(plan_done) struct plan plan = { .mesh = &m };
	struct err e = { 0 };

	mesh_of(&m, "'mesh_id':'" MESH_ID "'");
	vec_add(&plan.steps)->kind = STEP_TAKE_OVER;
	script_text(&script, &plan, NULL, &how);
	run(&answer, p, sbuf_str(&script));
	memset(r, 0, sizeof *r);
	if (script_parse(r, &plan, sbuf_str(&answer), answer.len, OURS, &e) < 0)
		fail_msg("%s", e.msg);
}

static void assert_runs(const char *before, const char *token)
{
	AUTO(sbuf_done) struct sbuf after = SBUF_INIT;
	struct script_result r;
	struct place p;

	place_init(&p, before);
	deploy(&r, &p, token);
	assert_null(r.failure);
	assert_int_equal(r.steps_done, 1);
	file_get(&after, p.lock);
	assert_int_equal(strncmp(sbuf_str(&after), OURS "\n", 17), 0);
	assert_swept(&p);
	script_result_done(&r);
	place_done(&p);
}

/* @held: somebody has the lock. */
static void assert_refused(const char *before, const char *token, bool held,
			   const char *words)
{
	AUTO(sbuf_done) struct sbuf after = SBUF_INIT;
	struct script_result r;
	struct place p;
	int fd;

	place_init(&p, before);
	fd = held ? hold(&p) : -1;
	deploy(&r, &p, token);
	assert_true(r.refused);
	assert_string_equal(r.failure, words);
	assert_int_equal(r.steps_done, 0);
	file_get(&after, p.lock);
	assert_string_equal(sbuf_str(&after), before);
	if (held)
		close(fd);
	script_result_done(&r);
	place_done(&p);
}

static void test_token(void **state)
{
	(void)state;
	assert_runs("", "");
	assert_runs(OTHER "\n", OTHER);
	assert_runs(OTHER "\n@there, pid 4, since x\n", OTHER);
	/* a deploy that died there, and one of ours before (a key was made) */
	assert_runs(OTHER " you@there, pid 4, since x\n", OTHER);
	assert_runs(OURS "\n", "");
	/* what is no token is none */
	assert_runs("held\n", "");
	assert_refused(OTHER "\n", "", false, "another deploy changed this "
		       "host meanwhile; run it again");
	assert_refused("", OTHER, false, "another deploy changed this host "
		       "meanwhile; run it again");
}

static void test_held(void **state)
{
	(void)state;
	assert_refused(OTHER " you@there, pid 4, since x\n", OTHER, true,
		       "another deploy is at work there (you@there, pid 4, "
		       "since x); try again when it is done");
	assert_refused("", "", true, "another deploy is at work there (it does "
		       "not say who); try again when it is done");
	assert_refused(OTHER " \x1b[31myou\n", OTHER, true,
		       "another deploy is at work there (\\x1b[31myou); try "
		       "again when it is done");
}

/* While it works the file says who it is; never anything else than a line. */
static void test_holder(void **state)
{
	const struct script_run how = { OURS, "o'me@here, pid 5", OTHER, false };
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	const char *part, *since;
	struct place p;

	(void)state;
	place_init(&p, OTHER "\n");
	script_make_key(&script, "wg0", false, &how);
	/* a part of ours in the place of its own fails, showing the file */
	part = strstr(sbuf_str(&script), "part() {\n");
	assert_non_null(part);
	sbuf_add(&text, sbuf_str(&script), (size_t)(part - script.s));
	sbuf_puts(&text, "part() {\ncat \"$lock\" >&2; return 1\n}\nrun 0\n}\n"
			 "main\n");
	run(&answer, &p, sbuf_str(&text));
	since = strstr(sbuf_str(&answer), OURS " o'me@here, pid 5, since 20");
	assert_non_null(since);
	since += strlen(OURS " o'me@here, pid 5, since ");
	assert_int_equal(strspn(since, "0123456789-:TZ"), 20);
	place_done(&p);
}

/* ---- the probe ---- */

/* The line of the probe's report that begins with @name; the caller frees. */
static char *probed(const struct place *p, const char *name)
{
	const struct probe_request request = { .interface = "wg0",
					       .nonce = OURS, .local = true };
	AUTO(sbuf_done) struct sbuf command = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	char *start = mem_printf("\n%s=", name);
	const char *at;
	char *value;

	probe_command(&command, &request);
	run(&answer, p, sbuf_str(&command));
	at = strstr(sbuf_str(&answer), start);
	value = at ? mem_strndup(at + strlen(start),
				 strcspn(at + strlen(start), "\n"))
		   : mem_strdup("(none)");
	free(start);
	return value;
}

static void assert_probed(const char *file, bool held, const char *name,
			  const char *want)
{
	struct place p;
	int fd = -1;
	char *got;

	place_init(&p, file);
	if (held)
		fd = hold(&p);
	got = probed(&p, name);
	assert_string_equal(got, want);
	free(got);
	if (held)
		close(fd);
	place_done(&p);
}

static void test_probe(void **state)
{
	(void)state;
	assert_probed("", false, "lock", "");
	assert_probed(OTHER "\n", false, "lock", OTHER);
	assert_probed("held\n", false, "lock", "");
	assert_probed(OTHER "\nrest of a line\n", false, "busy", "(none)");
	assert_probed(OTHER " you@there, pid 4\n", false, "busy", "(none)");
	assert_probed(OTHER " you@there, pid 4\n", false, "lock", OTHER);
	assert_probed(OTHER " you@there, pid 4\n", true, "busy",
		      "you@there, pid 4");
}

/* ---- without flock: claims ---- */

/* @claim is nobody's: the probe sees no one at work, a script runs, sweeps it. */
static void assert_not_held(const char *claim)
{
	struct script_result r;
	struct place p;
	char *got;

	place_init(&p, OTHER " you@there, pid 4\n");
	put_claim(&p, claim);
	got = probed(&p, "busy");
	assert_string_equal(got, "(none)");
	free(got);
	deploy(&r, &p, OTHER);
	assert_null(r.failure);
	script_result_done(&r);
	assert_swept(&p);
	place_done(&p);
}

/* Claims of those that are gone: killed, with their number used again, of
 * another boot, not even reaped, and what is no claim. */
static void test_claim_dead(void **state)
{
	AUTO(auto_free) char *self = claim_of(getpid());
	AUTO(auto_free) char *before = mem_printf("%d-1-%s", getpid(),
						  strrchr(self, '-') - 23);
	AUTO(auto_free) char *zombie = NULL;
	pid_t pid = fork();
	siginfo_t info;

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	zombie = claim_of(pid);
	assert_not_held(zombie);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_not_held(zombie);
	assert_not_held(before);
	*strrchr(self, '-') = '+';
	assert_not_held(self);
	assert_not_held("x");
	assert_not_held("-");
}

/* The script of key making, with @part for its part; the caller frees. */
static char *script_with(const char *part)
{
	const struct script_run how = { OURS, "me@here, pid 5", OURS, false };
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;
	const char *at;

	script_make_key(&script, "wg0", false, &how);
	at = strstr(sbuf_str(&script), "part() {\n");
	assert_non_null(at);
	return mem_printf("%.*spart() {\n%s\n}\nrun 0\n%s",
			  (int)(at - script.s), script.s, part,
			  strstr(at, "[ -z \"$locked\" ]"));
}

/* One that is killed at its work: the next one goes on. */
static void test_claim_killed(void **state)
{
	AUTO(auto_free) char *script = script_with("kill -9 $$");
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf lock = SBUF_INIT;
	struct script_result r;
	struct place p;

	(void)state;
	place_init(&p, OURS "\n");
	run(&answer, &p, script);
	assert_null(strstr(sbuf_str(&answer), "= end"));
	file_get(&lock, p.lock);
	assert_non_null(strstr(sbuf_str(&lock), OURS " me@here"));
	deploy(&r, &p, OURS);
	assert_null(r.failure);
	script_result_done(&r);
	assert_swept(&p);
	place_done(&p);
}

/* Four at once, again and again: never two at work. */
static void test_claim_many(void **state)
{
	AUTO(auto_free) char *script = script_with(
		"mkdir $lock.in || { echo two >>$lock.two; return 1; }\n"
		"echo one >>$lock.one; rmdir $lock.in");
	AUTO(auto_free) char *file = NULL;
	AUTO(auto_free) char *command = NULL;
	struct place p;

	(void)state;
	place_init(&p, OURS "\n");
	file = mem_printf("%s/script", p.folder);
	host_text(file, p.folder, script);
	command = mem_printf("cd %s && for i in 1 2 3 4 5; do\n"
			     "for k in 1 2 3 4; do PATH=%s:%s sh script "
			     ">/dev/null & done; wait; done\n"
			     "! [ -e %s.two ] && [ -s %s.one ]", p.folder,
			     p.folder, tools, p.lock, p.lock);
	command_run(command);
	assert_swept(&p);
	place_done(&p);
}

/* Where no lock can be made nothing runs, and the answer says why. */
static void test_no_lock(void **state)
{
	struct script_result r;
	struct place p;
	char *command;

	(void)state;
	place_init(&p, "");
	/* nobody can write to what is a folder, not even root */
	command = mem_printf("rm %s && %s %s%s", p.lock,
			     has_flock ? "mkdir" : ": >", p.lock,
			     has_flock ? "" : ".d");
	command_run(command);
	free(command);
	deploy(&r, &p, "");
	assert_true(r.refused);
	assert_non_null(strstr(r.failure, "lock"));
	assert_non_null(strstr(r.failure, p.lock));
	script_result_done(&r);
	place_done(&p);
}

static int run_group(const char *of, bool with_flock)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_holder),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_no_lock),
	};
	const struct CMUnitTest claims[] = {
		cmocka_unit_test(test_claim_dead),
		cmocka_unit_test(test_claim_killed),
		cmocka_unit_test(test_claim_many),
	};
	char *name = mem_printf("%s %s flock", of, with_flock ? "with"
							      : "without");
	int failed;

	shell = of;
	has_flock = with_flock;
	tools_init();
	failed = cmocka_run_group_tests_name(name, tests, NULL, NULL);
	if (!with_flock)
		failed += cmocka_run_group_tests_name(name, claims, NULL, NULL);
	tools_done();
	free(name);
	return failed;
}

int main(void)
{
	int failed = 0;

	for (size_t i = 0; shells[i]; i++)
		if (shell_is_here(shells[i]))
			failed += run_group(shells[i], true) +
				  run_group(shells[i], false);
	return failed;
}
