/*
 * The boot file: what wg-quick(8) would set up at boot equals the live state,
 * so that a deploy after a reboot has nothing to do.
 */
#ifndef WGMESH_RENDER_WGQUICK_H
#define WGMESH_RENDER_WGQUICK_H

#include "base/sbuf.h"
#include "render/desired.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * Append the file for @d. The first line is the marker with the mesh id,
 * @serial and the proof of both; it alone depends on the serial. With @secrets
 * the private key, the external peers' preshared keys and the proof are in it
 * (@out should be a secret buffer), else "(hidden)".
 */
void wgquick_file(struct sbuf *out, const struct desired *d, uint64_t serial,
		  bool secrets);

/** The line before the commands of the node; they go on to an empty line. */
#define WGQUICK_HOOKS "# hooks of this node"

/** Append the node's own commands, as their lines of the file: "PostUp = x". */
void wgquick_hooks(struct strings *out, const struct node *n);

/** text_hash() of the file for @d behind its first line, secrets "(hidden)". */
uint64_t wgquick_hash(const struct desired *d);

/**
 * "ip ... route add" arguments behind "route add|replace|del": NET [via GW].
 */
void wgquick_route(struct sbuf *out, const struct cidr *network,
		   const struct ip *gateway);

#endif
