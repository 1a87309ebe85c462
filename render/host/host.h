/*
 * What runs on a host, and what it answers. The probe (probe.h) and what an
 * import reads besides it (found.h); a plan as a script, and how that went
 * (script.h). What runs as root there are the files *.sh and *.awk of this
 * folder (texts.h), with values and short commands that script.c puts in.
 * Everything that comes back is hostile: bounded, parsed strictly, and an error
 * names the section and the line. Nothing here knows how a text gets to a host:
 * see ssh/session/.
 */
#ifndef WGMESH_RENDER_HOST_HOST_H
#define WGMESH_RENDER_HOST_HOST_H

#include "render/host/found.h"
#include "render/host/probe.h"
#include "render/host/script.h"

#endif
