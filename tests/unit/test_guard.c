/*
 * cmd/lock: who holds the deploy lock and gets a signal releases it and then
 * dies of it, whether he rests or is in the middle of git. Each case is a
 * process of its own, which ends by itself if nothing ends it.
 */
#include "cmd/team.h"

#include "tests/unit/git_scene.h"

#include <sys/stat.h>
#include <sys/wait.h>

#define MESH "0123456789abcdef0123456789abcdef"
/** So often git is asked while the signal is there already. */
#define ROUNDS 50

/* A bare repository and a clone of it, work/a, with a state. */
static int begin(void **state)
{
	need("git");
	if (scene_begin(state) < 0)
		return -1;
	shell("git init -q --bare hub.git; git clone -q hub.git a 2>/dev/null;"
	      "cd a; echo '{}' >" STATE "; git add .; git commit -qm root;"
	      "git push -q origin main");
	return 0;
}

/* The lock is taken, in this process. */
static void lock(struct team *t)
{
	struct err e = { 0 };

	memset(t, 0, sizeof *t);
	t->file = mem_strdup("a/" STATE);
	t->repo = open_repo(t->file);
	t->mesh_id = mem_strdup(MESH);
	if (team_lock(t, &e) < 0)
		fail_msg("%s", e.msg);
}

static size_t locks(void)
{
	return strtoul(shell("git -C hub.git for-each-ref refs/wgmesh/lock |"
			     "wc -l"), NULL, 10);
}

/* What a child does once it has the lock; it is not to come back. */
typedef void life(struct team *t);

static int status_of(life *live)
{
	pid_t pid = fork();
	struct team t;
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(600);
		lock(&t);
		live(&t);
		_exit(9);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_dies_of(int signo, life *live)
{
	int status = status_of(live);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signo);
	assert_int_equal(locks(), 0);
}

/* For ever; a signal that is to end us does. */
static void rest(void)
{
	team_rest();
	for (;;)
		pause();
}

static void rests(struct team *t)
{
	(void)t;
	kill(getpid(), SIGTERM);
	rest();
}

static void rested_before(struct team *t)
{
	(void)t;
	team_rest();
	team_go_on();
	kill(getpid(), SIGINT);
	rest();
}

/* The guard waits for the main thread, which is in git, until that rests. */
static void works(struct team *t)
{
	struct err e;

	kill(getpid(), SIGHUP);
	for (int i = 0; i < ROUNDS; i++) {
		AUTO(repo_lock_done) struct repo_lock seen = { 0 };

		if (repo_lock_show(t->repo, MESH, &seen, &e) == 0 && !*seen.id)
			_exit(8);
	}
	if (mkdir("worked", 0700) < 0)
		_exit(7);
	rest();
}

/* It comes at the very end: the guard or the main thread releases, not both. */
static void ends(struct team *t)
{
	kill(getpid(), SIGTERM);
	team_unlock(t);
	_exit(0);
}

static void ignores(struct team *t)
{
	kill(getpid(), SIGINT);
	team_rest();
	team_go_on();
	team_unlock(t);
	_exit(0);
}

static void test_signals(void **state)
{
	(void)state;
	assert_dies_of(SIGTERM, rests);
	assert_dies_of(SIGINT, rested_before);
	assert_dies_of(SIGHUP, works);
	assert_int_equal(rmdir("worked"), 0);
}

static void test_end(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		int status = status_of(ends);

		assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGTERM
						: WEXITSTATUS(status) == 0);
		assert_int_equal(locks(), 0);
	}
}

/* What the user had ignored stays so. */
static void test_ignored(void **state)
{
	int status;

	(void)state;
	signal(SIGINT, SIG_IGN);
	status = status_of(ignores);
	signal(SIGINT, SIG_DFL);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(locks(), 0);
}

/* Without a signal: released, and signals do again what they did. */
static void test_unlocked(void **state)
{
	sigset_t blocked;
	struct team t;

	(void)state;
	lock(&t);
	assert_int_equal(locks(), 1);
	team_rest();
	team_go_on();
	team_unlock(&t);
	assert_int_equal(locks(), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	assert_false(sigismember(&blocked, SIGTERM));
	team_done(&t);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_signals), CASE(test_end), CASE(test_ignored),
		CASE(test_unlocked),
	};

	/* nohup, or a shell that runs us beside others, ignores some */
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
