/*
 * ssh_config as OpenSSH reads it: for config.c and config_ask.c alone.
 */
#ifndef WGMESH_SSH_SESSION_CONFIG_H
#define WGMESH_SSH_SESSION_CONFIG_H

#include "ssh/session/internal.h"

#include <pthread.h>

/** What 'ssh -G' said about a host, or about many. */
struct remote_answer {
	char *key;        /* hosts with the same one get the same answer */
	char *host;       /* that was asked about */
	struct sbuf text; /* "keyword value" lines, keywords in lower case */
	bool as_root;     /* the user that it says nobody has named */
	bool failed;      /* then e says why */
	struct err e;
};

struct remote_config {
	char *file; /* the one that was named, or NULL: OpenSSH's own */
	bool none;  /* there is no program 'ssh', and no file for it */
	pthread_mutex_t lock; /* of what follows */
	VEC(struct remote_answer *) answers;
	struct strings patterns; /* of Host lines, without "!" */
	bool learnt; /* the patterns */
	bool each;   /* each host is asked about by itself */
};

/**
 * The settings for @target by the answer @a (NULL: where there is no ssh_config
 * and nothing to read it with). INPUT.
 */
int remote_config_parse(struct remote_settings *out,
			const struct remote_target *target,
			const struct remote_answer *a, struct err *e);

/** Is there a file that OpenSSH would read? */
bool remote_config_is_there(const struct remote_config *c);

/** The answer for @t, asked now if it is not known; @c owns it. Any thread. */
const struct remote_answer *remote_config_answer(struct remote_config *c,
					const struct remote_target *t);

#endif
