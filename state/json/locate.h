/*
 * Where in a state's text an error is.
 */
#ifndef WGMESH_STATE_JSON_LOCATE_H
#define WGMESH_STATE_JSON_LOCATE_H

#include <stddef.h>

/**
 * The line (from 1) of @text that the error @message of state_parse() is about,
 * by the names in it ("node 'a': listen_port: ..."); 0 when it cannot be told, or
 * when the message has the line itself.
 */
size_t state_locate(const char *text, const char *message);

#endif
