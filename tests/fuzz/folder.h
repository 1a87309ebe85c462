/*
 * A folder of its own for a target whose reader opens files by name: made at
 * the first use, removed at the end.
 */
#ifndef WGMESH_TESTS_FUZZ_FOLDER_H
#define WGMESH_TESTS_FUZZ_FOLDER_H

#include "base/mem.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <unistd.h>

static char *fuzz_folder;

static int fuzz_remove(const char *path, const struct stat *st, int kind,
		       struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void fuzz_sweep(void)
{
	nftw(fuzz_folder, fuzz_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(fuzz_folder);
}

/** Make the folder unless it is there; its path ends without '/'. */
static inline const char *fuzz_begin(void)
{
	if (fuzz_folder)
		return fuzz_folder;
	/* where fsync() costs nothing, if there is such a place */
	fuzz_folder = mem_printf("%s/wgmesh-fuzz.XXXXXX",
				 access("/dev/shm", W_OK) == 0 ? "/dev/shm"
							       : "/tmp");
	if (!mkdtemp(fuzz_folder))
		abort();
	atexit(fuzz_sweep);
	return fuzz_folder;
}

/** Make @path a file of ours alone with these bytes. */
static inline void fuzz_put(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

/** The bytes of @path, at most @size; -1 when there is no such file. */
static inline ssize_t fuzz_get(const char *path, void *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, out, size);
	close(fd);
	return n;
}

#endif
