/*
 * Errors are values. A function that can fail takes a `struct err *` last,
 * returns -1 and sets it, or returns 0 (or a count) and leaves it untouched.
 * Nothing below cmd/ prints or exits.
 *
 * Text rules: lower case, no full stop, names the thing in single quotes and
 * what would be right; no command and no option, see base/advice.h. Text from
 * outside (files, hosts, users) is escaped by the caller of the terminal, see
 * base/text.h.
 */
#ifndef WGMESH_BASE_ERR_H
#define WGMESH_BASE_ERR_H

#include "base/advice.h"

#include <stddef.h>

/** What the user would have to do next; decides the exit status. */
enum err_code {
	ERR_NONE = 0,
	ERR_INPUT,       /* the input is wrong: mend it */
	ERR_SYSTEM,      /* this machine refused: disk, permission, memory */
	ERR_UNREACHABLE, /* the host did not answer in time, or the link broke */
	ERR_AUTH,        /* the host answered, the login was refused */
	ERR_HOSTKEY,     /* the host's SSH key is unknown or another one */
	ERR_REMOTE,      /* a command on the host failed */
	ERR_CONFLICT,    /* somebody else works on it, or it changed meanwhile */
	ERR_BUG,         /* cannot happen */
};

/** Bytes of a message with its NUL: some names and what would be right. */
#define ERR_MSG_MAX 768
/** A name of DNS, a node's name, and a word. */
#define ERR_ABOUT_MAX 384

struct err {
	enum err_code code; /* ERR_NONE only where the caller set it so */
	int sys_errno; /* errno at the time, or 0 */
	enum advice advice; /* what would help, which cmd/ puts in words */
	char msg[ERR_MSG_MAX]; /* one line, without the program's name */
	char about[ERR_ABOUT_MAX]; /* what the advice speaks of, or "" */
};

/* The functions behind the macros below, which let the compiler see the -1. */
void err_set_(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void err_sys_(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void err_wrap_(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void err_advise_(struct err *e, enum advice advice, const char *about);

/* -1 in the eyes of the compiler, too, that @e is set where it is read. */
static inline int err_failed(void)
{
	return -1;
}

/**
 * Set @e from a code and a format and yield -1, so that `return err_set(...)`
 * is one line. A message longer than ERR_MSG_MAX is cut at a character border.
 */
#define err_set(e, code, ...) (err_set_(e, code, __VA_ARGS__), err_failed())

/** As err_set() with code ERR_SYSTEM; appends ": " and the text of errno. */
#define err_sys(e, ...) (err_sys_(e, __VA_ARGS__), err_failed())

/** Put "<format>: " before the message; all else stays. Yields -1. */
#define err_wrap(e, ...) (err_wrap_(e, __VA_ARGS__), err_failed())

/**
 * Say what would help with @e, which is set already: @about is the name that
 * the kind of advice asks for, or NULL. One that does not fit leaves no advice,
 * for half a name would be another's. Yields -1.
 */
#define err_advise(e, advice, about) \
	(err_advise_(e, advice, about), err_failed())

/** A word for the code ("unreachable"), stable, used in --json. */
const char *err_code_name(enum err_code code);

#endif
