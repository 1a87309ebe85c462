/*
 * Any bytes as a lock file that lies beside the state: what somebody on another
 * machine wrote is never taken, what is taken is ours then, and who holds it is
 * told in one printable line.
 */
#include "base/auto.h"
#include "base/text.h"
#include "folder.h"
#include "state/store/lock.h"

#include <sys/file.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *path;

/* Ours: the lock file says so and is gone when it is let go. */
static void check_taken(struct lock *l)
{
	char text[1024] = "";
	char pid[32];

	snprintf(pid, sizeof pid, " %ld ", (long)getpid());
	if (fuzz_get(path, text, sizeof text - 1) <= 0 || !strstr(text, pid))
		abort();
	lock_free(l);
	if (access(path, F_OK) == 0)
		abort();
}

static void take(bool held)
{
	AUTO(auto_free) char *note = NULL;
	struct lock *l = NULL;
	struct err e = { 0 };

	if (lock_take(&l, path, 0, &note, &e) == 0) {
		if (held || (note && !text_is_printable(note)))
			abort();
		check_taken(l);
		return;
	}
	if (e.code != ERR_CONFLICT || !text_is_printable(e.msg) || note)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char far[] = "alice elsewhere.example 1 "
				  "00000000-0000-0000-0000-000000000000 1\n";
	char text[sizeof far] = "";
	int fd;

	if (!path)
		path = mem_printf("%s/lock", fuzz_begin());
	fuzz_put(path, data, size);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		abort();
	take(true);
	close(fd);
	take(false);
	fuzz_put(path, far, sizeof far - 1);
	take(false);
	if (fuzz_get(path, text, sizeof text) != sizeof far - 1 ||
	    memcmp(text, far, sizeof far - 1) != 0)
		abort();
	return 0;
}
