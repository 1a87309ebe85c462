/*
 * The file that a state is in: found behind a symlink, judged, read whole.
 * Error texts continue its name ("state 'x' is no regular file").
 */
#ifndef WGMESH_STATE_STORE_FILE_H
#define WGMESH_STATE_STORE_FILE_H

#include "base/err.h"
#include "base/sbuf.h"
#include "state/json/json.h"

#include <sys/stat.h>

/** The longest file: base64 and line ends make a sealed state longer. */
#define FILE_SIZE_MAX (STATE_SIZE_MAX / 2 * 3)

/**
 * INPUT when others than us and root may replace files in the folder of @path.
 * Under sudo, "us" is the user who called it: see SUDO_UID in sudo(8).
 */
int file_check_folder(const char *path, struct err *e);

/**
 * @out gets @path, or the file in the same folder that it is a symlink to; the
 * caller frees. INPUT for a symlink that leads elsewhere, and as
 * file_check_folder(); SYSTEM with ENOENT when there is none.
 */
int file_resolve(char **out, const char *path, struct err *e);

/**
 * Append the bytes of @path to @out, with its @st. INPUT when it is no regular
 * file, belongs to others, may be written by them, or is too long.
 */
int file_read(struct sbuf *out, struct stat *st, const char *path,
	      struct err *e);

/** Make all folders that lead to @path and are missing (0700). */
int file_make_folders(const char *path, struct err *e);

#endif
