/*
 * The same work on many items, a bounded number of them at a time. Items share
 * nothing, so one thread or many make no difference to the result.
 */
#ifndef WGMESH_BASE_POOL_H
#define WGMESH_BASE_POOL_H

#include <stddef.h>

/**
 * Run @work(i, arg) for i = 0 to n-1 on at most @parallel threads and wait for
 * all. @progress, if given, is called in the caller's thread with the number
 * that has ended, after each end and at least every 200 ms.
 */
void pool_run(size_t n, unsigned parallel, void (*work)(size_t i, void *arg),
	      void (*progress)(size_t done, void *arg), void *arg);

#endif
