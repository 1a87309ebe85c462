/*
 * What `import` asks a host for besides the probe.
 */
#ifndef WGMESH_RENDER_HOST_FOUND_H
#define WGMESH_RENDER_HOST_FOUND_H

#include "base/sbuf.h"
#include "render/found.h"

/**
 * Append the script that reads it; it changes nothing on the host. Only with
 * @private_key that is in the answer, with @hooks PostUp and PreDown.
 */
void found_script(struct sbuf *out, const char *interface, bool private_key,
		  bool hooks, const char *nonce);

/** Parse the answer (a secret buffer, up to probe_end()). ERR_INPUT. */
int found_parse(struct found *out, const char *text, size_t len,
		const char *nonce, struct err *e);

#endif
