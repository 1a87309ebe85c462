/*
 * Who has what: one claim for each owner of an address, a network or a text.
 * Sorted, equal neighbours are two owners of one thing.
 */
#ifndef WGMESH_STATE_MODEL_CLAIM_H
#define WGMESH_STATE_MODEL_CLAIM_H

#include "state/model/finding.h"
#include "state/model/mesh.h"

struct claim {
	struct cidr net; /* an address with full length, or a network */
	char *text;      /* or a text, owned; NULL: none */
	const struct node *node;
};

struct claims { VEC_OF(struct claim); };

/** Append; claims_text() copies @text. */
void claims_net(struct claims *c, const struct cidr *net,
		const struct node *node);
void claims_text(struct claims *c, const char *text, const struct node *node);

/** By what is claimed, then by the owner's name. */
void claims_sort(struct claims *c);

/** Of a sorted list: does number @i claim what the one before it does? */
bool claims_shared(const struct claims *c, size_t i);

/** What it is when two nodes have one thing; @key of mesh.yaml or NULL. */
struct claim_words {
	bool error;
	const char *code, *key;
	const char *verb; /* "nodes 'a' and 'b' VERB THING" */
};

/** Sort, and append a finding for each that is shared, at the later node. */
void claims_report(struct claims *c, const struct claim_words *words,
		   struct findings *out);

/** Free; for AUTO(claims_done). */
void claims_done(struct claims *c);

#endif
