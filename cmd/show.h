/*
 * Everything about a node, gathered to be printed.
 */
#ifndef WGMESH_CMD_SHOW_H
#define WGMESH_CMD_SHOW_H

#include "render/desired.h"

struct shown {
	struct desired d;
	struct strings *reasons; /* for each peer: the names of policies */
	struct strings groups;
	struct strings pins; /* "ssh-ed25519 SHA256:..." */
};

/** Where the private key is now: "state", "host", or NULL when there is none. */
const char *show_key_place(const struct shown *s);

/** Print it. */
void show_text(const struct shown *s);
void show_json(const struct shown *s);

#endif
