/*
 * One pass over the hosts of a run, in parallel, and how it counts who failed.
 */
#include "ssh/fleet/internal.h"

#include "base/pool.h"

/* What all threads of a pass share; its hosts are chosen before it begins, so
 * that a result that changes meanwhile takes none in or out. */
struct pass {
	struct fleet *fleet;
	const char *doing;
	void (*work)(struct fleet *f, struct host *h, void *arg);
	void *arg;
	VEC(struct host *) hosts;
};

static void pass_one(size_t i, void *arg)
{
	struct pass *p = arg;

	p->work(p->fleet, p->hosts.items[i], p->arg);
}

static void show_pass_progress(size_t done, void *arg)
{
	const struct pass *p = arg;
	const struct fleet *f = p->fleet;
	size_t left = p->hosts.len - done;

	f->voice->progress(&(struct fleet_progress){
		.doing = p->doing,
		.hosts = p->hosts.len,
		.done = done,
		.working = left < f->parallel ? left : f->parallel,
		.failed = f->failed,
		.again = f->again });
}

void fleet_each(struct fleet *f, const char *doing, enum host_result which,
		void (*work)(struct fleet *f, struct host *h, void *arg),
		void *arg)
{
	struct pass p = { .fleet = f, .doing = doing, .work = work,
			  .arg = arg };

	for (size_t i = 0; i < f->hosts.len; i++)
		if (f->hosts.items[i].result == which)
			vec_push(&p.hosts, &f->hosts.items[i]);
	f->voice->waits(true);
	pool_run(p.hosts.len, f->parallel, pass_one,
		 f->voice->progress ? show_pass_progress : NULL, &p);
	f->voice->waits(false);
	if (f->voice->progress && p.hosts.len)
		f->voice->progress(NULL);
	vec_done(&p.hosts);
}

void fleet_host_failed(struct fleet *f, struct host *h)
{
	f->failed++; /* atomic: any thread of a pass may be here */
	h->result = h->err.code == ERR_UNREACHABLE ? HOST_UNREACHABLE
						   : HOST_FAILED;
	remote_free(h->remote);
	h->remote = NULL;
}

void fleet_fail_those(struct fleet *f, enum host_result which)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		if (h->result != which)
			continue;
		err_set(&h->err, ERR_BUG, "was passed over: nothing is known "
			"of it");
		fleet_host_failed(f, h);
	}
}

bool host_has_failed(const struct host *h)
{
	return h->result == HOST_UNREACHABLE || h->result == HOST_FAILED;
}

bool fleet_has_failed(const struct fleet *f)
{
	return fleet_count(f, HOST_UNREACHABLE) || fleet_count(f, HOST_FAILED);
}

size_t fleet_count(const struct fleet *f, enum host_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < f->hosts.len; i++)
		n += f->hosts.items[i].result == result;
	return n;
}

const char *fleet_result_name(enum host_result result)
{
	switch (result) {
	case HOST_OPEN: break;
	case HOST_UNCHANGED: return "unchanged";
	case HOST_TO_CHANGE: return "to_change";
	case HOST_CHANGED: return "changed";
	case HOST_UNREACHABLE: return "unreachable";
	case HOST_FAILED: return "failed";
	}
	return "failed";
}
