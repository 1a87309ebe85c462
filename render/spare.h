/*
 * The one thing that a host should not have because of who asks: a route that
 * would lead its answers to the control node astray.
 */
#ifndef WGMESH_RENDER_SPARE_H
#define WGMESH_RENDER_SPARE_H

#include "render/desired.h"
#include "render/observed.h"

/**
 * Move routes of @d that cover the address from which the host in @o was logged
 * in to from d->routes to d->connected. A route stays when it is live already,
 * or when a network of the host's own leads there.
 */
void spare_client(struct desired *d, const struct observed *o);

#endif
