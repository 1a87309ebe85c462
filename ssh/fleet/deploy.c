/*
 * The order of a deploy: save, write, record. The state knows of a host before
 * that host is written to (it may need taking off again), and forgets a removed
 * one only after it is clean.
 */
#include "ssh/fleet/internal.h"

/* Tombstones whose host is clean are done with. */
static void forget_removed(struct fleet *f)
{
	AUTO(strings_done) struct strings gone = { 0 };

	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		if (h->removed && (h->result == HOST_UNCHANGED ||
				   h->result == HOST_CHANGED))
			strings_add(&gone, h->name);
		if (h->removed)
			h->node = NULL; /* they move now */
	}
	for (size_t i = 0; i < gone.len; i++)
		nodes_drop(&f->mesh->removed, gone.items[i]);
}

int fleet_deploy(struct fleet *f, const struct fleet_memory *memory,
		 struct err *e)
{
	for (size_t i = 0; i < f->hosts.len; i++)
		if (f->hosts.items[i].has_plan)
			f->hosts.items[i].node->facts.deployed = true;
	if (memory->save(memory->arg, e) < 0 ||
	    memory->before(memory->arg, e) < 0)
		return -1;
	f->wrote = true;
	if (fleet_count(f, HOST_TO_CHANGE))
		fleet_apply(f);
	memory->report(memory->arg, f);
	fleet_forget_keys(f);
	forget_removed(f);
	return memory->save(memory->arg, e) < 0
		       ? -1 : memory->record(memory->arg, f, e);
}
