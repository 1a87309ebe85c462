/*
 * The message of a commit: a subject, lines that tell more, and trailers
 * ("Wgmesh-Command: add") that programs read.
 */
#ifndef WGMESH_STATE_GIT_MESSAGE_H
#define WGMESH_STATE_GIT_MESSAGE_H

#include "base/sbuf.h"
#include "base/vec.h"

/** The trailers that we write. */
#define TRAILER_COMMAND "Wgmesh-Command"
#define TRAILER_HOST "Wgmesh-Host"
#define TRAILER_STATE "Wgmesh-State" /* its path: whose deploy it records */
#define TRAILER_DEPLOY "Wgmesh-Deploy"
#define TRAILER_CONVERGED "Wgmesh-Converged"
#define TRAILER_FAILED "Wgmesh-Failed"
/** Those that earlier versions wrote: they tell readers what is sealed. */
#define TRAILER_SERIAL "Wgmesh-Serial"
#define TRAILER_MESH "Wgmesh-Mesh"

/** Lines of a body, and bytes of a trailer's value, that are written. */
#define MESSAGE_LINES_MAX 200
#define MESSAGE_VALUE_MAX (256 << 10)

struct trailer {
	char *key;
	char *value; /* one line: folds are undone */
};

struct trailers {
	struct trailer *items;
	size_t len;
	size_t cap;
};

/** Append copies of @key (letters, digits, '-') and @value (some words). */
void trailers_add(struct trailers *v, const char *key, const char *value);

/** The value of the first one of that key in any letter case, or NULL. */
const char *trailers_find(const struct trailers *v, const char *key);

/** Free; for AUTO(trailers_done). */
void trailers_done(struct trailers *v);

struct message {
	const char *subject;
	const struct strings *body; /* may be NULL */
	const struct trailers *trailers; /* may be NULL */
};

/**
 * Append the text of @m. Everything is made one line and escaped; what is too
 * long is cut and says so; long trailers are folded at blanks.
 */
void message_write(struct sbuf *out, const struct message *m);

/**
 * Append the trailers of a commit message that anybody may have written. Values
 * are as they stand there, not escaped.
 */
void message_trailers(struct trailers *out, const char *message);

#endif
