/*
 * Everything about a node, gathered to be printed: by cmd/show.c, for
 * cmd/show_text.c and cmd/show_json.c, which say the same.
 */
#ifndef WGMESH_CMD_SHOW_H
#define WGMESH_CMD_SHOW_H

#include "render/desired.h"

/** Filled by cmd_show() alone; the mesh is borrowed and outlives it. */
struct shown {
	struct desired d; /* what a deploy would bring to the node's host */
	struct strings *reasons; /* for each peer: the names of policies */
	struct strings groups;
	struct strings pins; /* "ssh-ed25519 SHA256:..." */
	enum key_place key_place; /* where the private key is now; KEY_UNSAID
				     when there is none */
};

/** Append what the state says of it for the field @f of a node: its items. */
void show_said(const struct shown *s, const struct mesh_field *f,
	       struct strings *out);

/** Print it on standard output. No secret is in it. */
void show_text(const struct shown *s);
void show_json(const struct shown *s);

#endif
