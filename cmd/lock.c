/*
 * wgmesh lock and unlock, and how a deploy holds the deploy lock, a ref at the
 * git remote. It outlives a process that is killed, so a thread of its own
 * removes it when a signal comes: that takes the network, which no signal
 * handler can use.
 */
#include "cmd/team.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* ---- holding it ---- */

/* The signals that would end us and that nobody (nohup) told us to ignore. */
static void deadly(sigset_t *out)
{
	static const int all[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction now;

	sigemptyset(out);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (sigaction(all[i], NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN)
			sigaddset(out, all[i]);
}

/*
 * The main thread has it but for when it rests: libgit2 is for one thread at a
 * time, with all that it sets for the whole process.
 */
static pthread_mutex_t at_work = PTHREAD_MUTEX_INITIALIZER;
static bool guarded; /* the main thread's alone */

void team_rest(void)
{
	if (guarded)
		pthread_mutex_unlock(&at_work);
}

void team_go_on(void)
{
	if (guarded)
		pthread_mutex_lock(&at_work); /* for ever, if we are to end */
}

/* Remove the lock at the remote, over a repository of our own. */
static int release(const struct team *t, struct err *e)
{
	struct repo *r = NULL;
	int ret = repo_open(&r, t->file, e);

	if (ret == 0 && !r)
		ret = err_set(e, ERR_SYSTEM, "the git repository is gone");
	if (ret == 0)
		ret = repo_unlock(r, t->mesh_id, &t->lock, e);
	repo_close(r);
	if (ret < 0)
		note("the deploy lock stays at the remote: %s ('wgmesh unlock' "
		     "removes it)", err_words(e).s);
	return ret;
}

/*
 * A thread that waits for a signal, and until then may be cancelled. The
 * signal is raised again at the end, so that whoever started us sees what
 * ended us.
 */
static void *release_on_signal(void *arg)
{
	const struct team *t = arg;
	sigset_t which;
	struct err e;
	int signo;

	deadly(&which);
	if (sigwait(&which, &signo) != 0)
		return NULL;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	repo_interrupt(true);
	pthread_mutex_lock(&at_work);
	repo_interrupt(false);
	release(t, &e);
	signal(signo, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &which, NULL);
	raise(signo);
	return NULL;
}

int team_lock(struct team *t, struct err *e)
{
	AUTO(auto_free) char *owner = mem_printf("%s@%s, pid %ld", env_user(),
						 env_host(), (long)getpid());
	sigset_t which;

	/* before the lock is there: a signal between the two would leave it */
	deadly(&which);
	pthread_sigmask(SIG_BLOCK, &which, &t->before);
	if (repo_lock_take(t->repo, t->mesh_id, owner, &t->lock, e) == 0) {
		pthread_mutex_lock(&at_work);
		guarded = pthread_create(&t->guard, NULL, release_on_signal,
					 t) == 0;
		if (guarded)
			return 0;
		pthread_mutex_unlock(&at_work);
	}
	pthread_sigmask(SIG_SETMASK, &t->before, NULL);
	if (*t->lock.id)
		return err_set(e, ERR_SYSTEM, "cannot start a thread");
	if (e->code != ERR_CONFLICT)
		return -1;
	return err_advise(e, ADVICE_DEAD_LOCK, NULL);
}

void team_unlock(struct team *t)
{
	struct err e;

	if (!*t->lock.id)
		return;
	if (guarded) {
		pthread_cancel(t->guard);
		team_rest();
		pthread_join(t->guard, NULL); /* for ever, if it releases */
	}
	release(t, &e);
	*t->lock.id = '\0';
	if (guarded)
		pthread_sigmask(SIG_SETMASK, &t->before, NULL);
	guarded = false;
}

/* ---- showing and breaking it ---- */

/* Its age in the largest unit that there is one of: "2 hours". */
static void put_lock(const struct repo_lock *l)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" },
		      { 1, "second" } };
	int64_t age = (int64_t)time(NULL) - l->since;
	time_t since = (time_t)l->since;
	char when[32] = "?";
	struct tm tm;
	size_t i = 0;

	if (age < 0) /* it was taken by a clock that is ahead of ours */
		age = 0;
	while (i < 3 && age < units[i].seconds)
		i++;
	age /= units[i].seconds;
	if (gmtime_r(&since, &tm))
		strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &tm);
	/* the owner is what a commit at the remote says: anybody's words */
	put("%.200s has the deploy lock since %s (%" PRId64 " %s%s)\n",
	    l->owner, when, age, units[i].name, age == 1 ? "" : "s");
}

/* The lock at the remote, shown; *@l has the id "" when there is none. */
static int show_lock(struct team *t, struct cmd_env *env, struct repo_lock *l,
		     struct err *e)
{
	AUTO(auto_store_close) struct store *s = NULL;

	if (team_open(t, env, e) < 0 || env_open(&s, env, false, e) < 0)
		return -1;
	if (!store_mesh(s)->mesh_id) /* no deploy could have named its lock */
		return 0;
	t->mesh_id = mem_strdup(store_mesh(s)->mesh_id);
	if (repo_lock_show(t->repo, t->mesh_id, l, e) < 0)
		return -1;
	if (*l->id)
		put_lock(l);
	else
		put("no deploy has the lock\n");
	fflush(stdout); /* before a question on stderr */
	return 0;
}

int cmd_lock(struct cmd_env *env)
{
	AUTO(team_done) struct team t = { 0 };
	AUTO(repo_lock_done) struct repo_lock l = { 0 };
	struct err e;

	return show_lock(&t, env, &l, &e) < 0 ? fail(&e) : EXIT_DONE;
}

int cmd_unlock(struct cmd_env *env)
{
	AUTO(team_done) struct team t = { 0 };
	AUTO(repo_lock_done) struct repo_lock l = { 0 };
	struct err e;
	int yes;

	if (show_lock(&t, env, &l, &e) < 0)
		return fail(&e);
	if (!*l.id)
		return EXIT_DONE;
	yes = env->options.yes ? 1 :
	      ask_yes("Remove it? A deploy that still runs would not know.");
	if (yes != 1) {
		err_set(&e, yes < 0 ? ERR_INPUT : ERR_CONFLICT,
			"%s; the lock stays",
			yes < 0 ? "say -yes to remove it" : "not agreed to");
		return fail(&e);
	}
	/* it was asked about this one: refused if there is another by now */
	if (repo_unlock(t.repo, t.mesh_id, &l, &e) < 0)
		return fail(&e);
	put("removed\n");
	return EXIT_DONE;
}
