/*
 * What became of a host whose answer did not come to its end: the connection
 * broke, or nothing came for too long, while steps ran there. A script that
 * has begun goes on by itself, so nothing is said of the host before it was
 * looked at again, by a new login.
 */
#include "ssh/fleet/internal.h"

#include <poll.h>
#include <string.h>
#include <time.h>

/** How long it is tried to look: in silences of -timeout. */
#define TRY_SILENCES 3
/** How long a script that may be there may take to begin: it waits that long
 * for another's lock (milliseconds). */
#define BEGIN_MS 35000
/** Between two looks (milliseconds). */
#define PAUSE_MS 1000
/** Steps that a message names. */
#define NAMED 3

/* What one look shows. */
enum sight {
	SEEN_NOTHING, /* could not look */
	SEEN_RUNNING, /* our script has the lock */
	SEEN_WAITING, /* not all is done, and our script did not begin */
	SEEN_ENDED,   /* not all is done, and our script is over */
	SEEN_DONE,    /* all is done */
};

struct again {
	const struct fleet *f;
	const struct host *h;
	struct observed seen; /* by the last look that worked */
	struct plan left;     /* what it leaves to do */
	size_t n_left;
	struct err why; /* the last look did not work */
};

static void again_done(struct again *a)
{
	plan_done(&a->left);
	observed_done(&a->seen);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A key that is to be put there is a step until the state has forgotten it. */
static bool is_left(const struct again *a, const struct step *s)
{
	return s->kind != STEP_STORE_KEY || !a->seen.host_key ||
	       !wgkey_equal(a->seen.host_key, a->h->node->public_key);
}

/* Log in again, and compare what is there now with what should be there. */
static enum sight look_again(struct again *a)
{
	AUTO(auto_remote_free) struct remote *r = NULL;
	struct observed seen = { 0 };
	struct plan left = { 0 };

	if (fleet_look(a->f, a->h, &r, &seen, &a->why) < 0)
		return SEEN_NOTHING;
	again_done(a);
	a->left = left;
	a->seen = seen;
	if (seen.busy)
		return SEEN_RUNNING;
	if (fleet_plan_host(a->f, a->h, &a->seen, &left, &a->why) < 0)
		return SEEN_NOTHING;
	a->left = left;
	a->n_left = 0;
	for (size_t i = 0; i < left.steps.len; i++)
		a->n_left += is_left(a, &left.steps.items[i]);
	if (a->n_left == 0)
		return SEEN_DONE;
	return strcmp(seen.lock_token, a->f->nonce) == 0 ? SEEN_ENDED
							 : SEEN_WAITING;
}

static void note_of_host(const struct fleet *f, const struct host *h,
			 const char *what)
{
	f->voice->note("'%s': %s", h->name, what);
}

/* Look until the host says how it ended, or for as long as makes sense. */
static enum sight look_until_told(struct again *a, int64_t end)
{
	int64_t since = now_ms();
	enum sight sight, before = SEEN_NOTHING;

	for (;;) {
		int64_t limit = since +
			TRY_SILENCES * (int64_t)a->f->conf.timeout_ms;

		sight = look_again(a);
		if (sight == SEEN_DONE || sight == SEEN_ENDED)
			return sight;
		if (sight == SEEN_RUNNING) {
			since = now_ms();
			limit = end;
			if (before != sight)
				note_of_host(a->f, a->h,
					     "its steps are still running");
		} else if (sight == SEEN_WAITING) {
			limit = since + BEGIN_MS;
		}
		if (now_ms() >= limit)
			return sight;
		before = sight;
		poll(NULL, 0, PAUSE_MS);
	}
}

/* How many steps are done for sure: those before the first that is left. */
static size_t count_done(const struct again *a)
{
	const struct plan *p = &a->h->plan;

	for (size_t i = 0; i < p->steps.len; i++) {
		AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

		step_text(&text, p, &p->steps.items[i]);
		for (size_t k = 0; k < a->left.steps.len; k++) {
			AUTO(sbuf_done) struct sbuf left = SBUF_INIT;

			step_text(&left, &a->left, &a->left.steps.items[k]);
			if (strcmp(sbuf_str(&text), sbuf_str(&left)) == 0)
				return i;
		}
	}
	return 0;
}

/* The truth about a host that is not done: "...: a; b; c; ...". */
static int err_unfinished(const struct again *a, enum sight sight, size_t steps,
			  struct err *e)
{
	AUTO(sbuf_done) struct sbuf left = SBUF_INIT;
	struct err why = *e;
	size_t n = 0;

	for (size_t i = 0; i < a->left.steps.len && n <= NAMED; i++) {
		const struct step *s = &a->left.steps.items[i];

		if (!is_left(a, s))
			continue;
		sbuf_puts(&left, n ? "; " : "");
		if (n++ < NAMED)
			step_text(&left, &a->left, s);
		else
			sbuf_puts(&left, "...");
	}
	if (sight == SEEN_NOTHING) {
		err_set(e, ERR_UNREACHABLE, "%s; which of its %zu steps are "
			"done is not known, looking again failed: %s", why.msg,
			steps, a->why.msg);
		return err_advise(e, a->why.advice, a->why.about);
	}
	if (sight == SEEN_RUNNING)
		return err_set(e, ERR_UNREACHABLE, "%s; its %zu steps are still "
			       "running there", why.msg, steps);
	if (sight == SEEN_WAITING)
		return err_set(e, ERR_UNREACHABLE, "%s; looked again: %zu of "
			       "%zu steps are not done, whether they will be is "
			       "not known: %s", why.msg, a->n_left, steps,
			       sbuf_str(&left));
	return err_set(e, ERR_REMOTE, "%s; looked again: %zu of %zu steps are "
		       "not done: %s", why.msg, a->n_left, steps,
		       sbuf_str(&left));
}

int fleet_again(struct fleet *f, struct host *h, int64_t total_ms,
		struct err *e)
{
	AUTO(again_done) struct again a = { .f = f, .h = h };
	AUTO(auto_free) char *why = mem_printf("%s; looking again what became "
					       "of it", e->msg);
	enum sight sight;

	note_of_host(f, h, why);
	f->again++;
	sight = look_until_told(&a, now_ms() + total_ms);
	f->again--;
	if (sight == SEEN_DONE) {
		note_of_host(f, h, "looked again: all its steps are done");
		h->applied.steps_done = h->plan.steps.len;
		return 0;
	}
	if (sight == SEEN_ENDED && count_done(&a) > h->applied.steps_done)
		h->applied.steps_done = count_done(&a);
	return err_unfinished(&a, sight, h->plan.steps.len, e);
}
