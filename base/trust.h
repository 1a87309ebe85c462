/*
 * Who else can write a folder: what is read from one that others can write is
 * theirs, not the user's.
 */
#ifndef WGMESH_BASE_TRUST_H
#define WGMESH_BASE_TRUST_H

#include <stdbool.h>
#include <sys/stat.h>

/**
 * Does the folder that @st describes belong to @uid or root, with nobody else
 * who may replace a file in it? Writable by a group counts as private while that
 * group has nobody else in it (a umask of 002 and a group per user), as for
 * Debian's ssh. One that all may write is fine with the sticky bit (/tmp): there
 * a file is safe with its owner. Not safe for threads: it walks the user
 * database.
 */
bool trust_folder(const struct stat *st, uid_t uid);

#endif
