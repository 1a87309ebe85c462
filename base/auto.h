/*
 * Cleanup attributes: every local owner says at its declaration how it ends.
 * A cleanup function keeps errno and accepts the empty value.
 */
#ifndef WGMESH_BASE_AUTO_H
#define WGMESH_BASE_AUTO_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** Run @fn on the variable when it leaves its scope. */
#define AUTO(fn) __attribute__((cleanup(fn)))

/** Hand the value over: yields it and empties the variable. */
#define STEAL(p) __extension__({ __typeof__(p) v_ = (p); (p) = NULL; v_; })

/** Define auto_<freefn>() for AUTO() from a function that takes the pointer. */
#define DEFINE_AUTO(T, freefn)                                                 \
	static inline void auto_##freefn(T *p)                                 \
	{                                                                      \
		if (*p)                                                        \
			freefn(*p); /* @freefn keeps errno itself */           \
	}

/** For whatever malloc() gave: @p points to the variable. */
static inline void auto_free(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

/** Close a descriptor variable unless it is negative. */
static inline void auto_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

/** For streams that were read; a written stream is closed by hand and tested. */
static inline void auto_fclose(FILE **f)
{
	int saved = errno;

	if (*f)
		fclose(*f);
	errno = saved;
}

#endif
