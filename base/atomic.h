/*
 * A file replaced whole or not at all, whatever happens in between, and the one
 * type of a temporary file.
 */
#ifndef WGMESH_BASE_ATOMIC_H
#define WGMESH_BASE_ATOMIC_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** How the new file is to be; zeroed is well for one that holds secrets. */
struct atomic_how {
	bool fresh;  /* there must be no file of that name yet */
	uid_t uid;   /* its owner, given by root alone; 0: as it is made */
	gid_t gid;   /* the same */
	mode_t mode; /* as for open(), under the umask; 0: 0600 in any case */
	/*
	 * The caller holds a lock of @path, so that nobody else writes it: the
	 * temporary file is "<path>.new", and what a killed writer left there
	 * is replaced. Else its name is random.
	 */
	bool locked;
};

/** A file in the making; gone at the end unless it was committed. */
struct temporary {
	int fd;     /* to write to */
	char *path; /* NULL: none, or committed */
};

/** For one that temporary_done() may meet before it is open. */
#define TEMPORARY_NONE { -1, NULL }

/**
 * Make an empty file beside @target; temporary_done() ends it. SYSTEM; INPUT
 * when @target is there and is no regular file.
 */
int temporary_open(struct temporary *t, const char *target,
		   const struct atomic_how *how, struct err *e);

/** Append bytes. SYSTEM. */
int temporary_write(struct temporary *t, const void *data, size_t len,
		    struct err *e);

/**
 * Sync the file and let it be @target. 0, or -1 with SYSTEM (CONFLICT when
 * @how->fresh and a file is there): then @target is as it was.
 */
int temporary_commit(struct temporary *t, const char *target,
		     const struct atomic_how *how, struct err *e);

/** Close it, and remove it unless it was committed. */
void temporary_done(struct temporary *t);

/**
 * Write @len bytes as the file @path by way of a temporary file. -1 as
 * temporary_commit(): the old file is as it was and nothing is left behind.
 * A new name is safe from a power cut only after atomic_sync().
 */
int atomic_replace(const char *path, const void *data, size_t len,
		   const struct atomic_how *how, struct err *e);

/** Sync the folder of @path. SYSTEM: it is replaced, and that may not last. */
int atomic_sync(const char *path, struct err *e);

/** Both, for whom a file that may not last is an error like any other. */
int atomic_write(const char *path, const void *data, size_t len,
		 const struct atomic_how *how, struct err *e);

#endif
