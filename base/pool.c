/*
 * Work on many things at once, a bounded number of threads, none left behind.
 */
#include "base/pool.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t ended;  /* one more is done */
	size_t n, next, done;  /* items: all, not yet begun from, ended */
	void (*work)(size_t i, void *arg);
	void *arg;
};

/* The lock is ours but for the work itself; who is free takes the next. */
static void *worker(void *p)
{
	struct pool *pool = p;

	pthread_mutex_lock(&pool->lock);
	while (pool->next < pool->n) {
		size_t i = pool->next++;

		pthread_mutex_unlock(&pool->lock);
		pool->work(i, pool->arg);
		pthread_mutex_lock(&pool->lock);
		pool->done++;
		pthread_cond_signal(&pool->ended);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

void pool_run(size_t n, unsigned parallel, void (*work)(size_t i, void *arg),
	      void (*progress)(size_t done, void *arg), void *arg)
{
	struct pool pool = { .n = n, .work = work, .arg = arg };
	size_t want = parallel < n ? parallel : n;
	pthread_t *threads = mem_calloc(want, sizeof *threads);
	pthread_condattr_t attr;
	size_t started = 0, done;

	pthread_mutex_init(&pool.lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool.ended, &attr);
	while (started < want &&
	       pthread_create(&threads[started], NULL, worker, &pool) == 0)
		started++;
	if (started == 0)
		worker(&pool); /* no thread to be had: one after the other */
	pthread_mutex_lock(&pool.lock);
	while (pool.done < pool.n) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += 200 * 1000 * 1000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&pool.ended, &pool.lock, &until);
		done = pool.done;
		pthread_mutex_unlock(&pool.lock);
		if (progress)
			progress(done, arg);
		pthread_mutex_lock(&pool.lock);
	}
	pthread_mutex_unlock(&pool.lock);
	/* the last may have ended before we looked for the first time */
	if (progress)
		progress(n, arg);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_condattr_destroy(&attr);
	pthread_cond_destroy(&pool.ended);
	pthread_mutex_destroy(&pool.lock);
	free(threads);
}
