/*
 * Pairs of nodes whose tunnel should be up and is not, by what their hosts say
 * of their handshakes.
 */
#ifndef WGMESH_RENDER_SILENT_H
#define WGMESH_RENDER_SILENT_H

#include "render/observed.h"
#include "state/model/model.h"

/** A host of the run. Borrowed. */
struct silent_host {
	const struct node *node;
	const struct observed *observed; /* as it still is; NULL: its pairs are
					    not to be judged */
};

struct silent_pair {
	const struct node *a, *b; /* by name */
	int64_t age_s; /* of the latest handshake; -1: never */
};

struct silent_pairs { VEC_OF(struct silent_pair); };

/**
 * Append the silent pairs of @m, by name, as its @n hosts tell. A pair is
 * silent when one side's handshake is older than a keepalive of theirs allows,
 * or when there never was one though packets were sent; and no side says
 * otherwise. One that is quiet because nobody has a packet for it is not. A node
 * that is no host of the run is judged by its peers alone.
 */
void silent_find(struct silent_pairs *out, const struct mesh *m,
		 const struct silent_host *hosts, size_t n);

#endif
