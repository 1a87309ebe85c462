/*
 * The parts of a path, as text: no look at what is there.
 */
#ifndef WGMESH_BASE_PATH_H
#define WGMESH_BASE_PATH_H

/** The folder that @path is in: "." if it names none. The caller frees. */
char *path_folder(const char *path);

/** What @path is called in its folder: a part of @path. */
const char *path_name(const char *path);

#endif
