/*
 * What `import` reads on a host besides the probe: secrets, and what the boot
 * file says that an interface does not show.
 */
#ifndef WGMESH_RENDER_FOUND_H
#define WGMESH_RENDER_FOUND_H

#include "base/err.h"
#include "base/sbuf.h"
#include "base/secret.h"
#include "base/vec.h"

#include <stdbool.h>

struct found_peer {
	char *public_key; /* base64 text */
	struct secret preshared_key; /* base64 text; empty for none */
	char *name; /* in comments of the boot file, as a node may be named; NULL */
};

struct found {
	struct secret private_key; /* base64 text; empty when not asked for */
	struct {
		struct found_peer *items;
		size_t len;
		size_t cap;
	} peers; /* of the interface, sorted by public key */
	int mtu; /* of the boot file, 0: not said */
	struct strings post_up, pre_down; /* its commands, when asked for */
	struct strings dropped; /* settings of the boot file that no deploy
				   keeps: "PostUp"; names alone, their values
				   may be secret */
};

/** The order of peers, for vec_sort(). */
int found_compare(const void *a, const void *b);

/** The peer that has this public key, or NULL. */
const struct found_peer *found_peer(const struct found *f,
				    const char *public_key);

/** Free, secrets wiped; for AUTO(found_done). */
void found_done(struct found *f);

#endif
