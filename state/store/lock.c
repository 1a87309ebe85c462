/*
 * The state lock: one writer at a time, by flock, never by a process id. What
 * the file says is for people; to us it only tells which machine wrote it,
 * since the flock of a file that NFS or the like shares may not reach the other
 * one.
 */
#include "state/store/lock.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define POLL_MS 25
#define HOLDER_MAX 512 /* bytes of a lock file that are read; ours has less */

struct lock {
	char *path;
	int fd;
};

/* What a lock file says: "user host pid boot-id time" and a newline. */
struct holder {
	char text[HOLDER_MAX];
	char *user;
	char *host;
	char *pid;
	char *boot;     /* random(4): another one at each boot */
	uint64_t since; /* seconds since 1970 */
};

/* What came of one try. */
enum outcome { TAKEN, BUSY, AGAIN, FOREIGN, FAILED };

static void read_boot_id(char *out, size_t size)
{
	AUTO(auto_fclose) FILE *f = fopen("/proc/sys/kernel/random/boot_id",
					  "re");

	snprintf(out, size, "-");
	if (f && fgets(out, (int)size, f))
		out[strcspn(out, " \n")] = '\0';
	if (!*out)
		snprintf(out, size, "-");
}

static void read_host(char *out, size_t size)
{
	if (gethostname(out, size) < 0 || !*out)
		snprintf(out, size, "localhost");
	out[size - 1] = '\0';
	out[strcspn(out, " \n")] = '\0';
}

/* False when the file says nothing, or nothing we understand. */
static bool read_holder(struct holder *h, int fd)
{
	ssize_t n = pread(fd, h->text, sizeof h->text - 1, 0);
	char *rest = h->text;
	char *since;

	if (n <= 0)
		return false;
	h->text[n] = '\0';
	h->text[strcspn(h->text, "\n")] = '\0';
	h->user = strsep(&rest, " ");
	h->host = strsep(&rest, " ");
	h->pid = strsep(&rest, " ");
	h->boot = strsep(&rest, " "); /* strsep() of NULL yields NULL */
	since = strsep(&rest, " ");
	return since && num_parse_u64(&h->since, since);
}

/* The same kernel, or the same machine before it was booted anew. */
static bool is_from_here(const struct holder *h)
{
	char host[256];
	char boot[64];

	read_host(host, sizeof host);
	read_boot_id(boot, sizeof boot);
	if (strcmp(boot, "-") != 0 && strcmp(h->boot, boot) == 0)
		return true;
	return strcmp(h->host, host) == 0;
}

/* "alice@laptop, pid 123, for 12 s"; the caller frees. */
static char *holder_text(const struct holder *h)
{
	AUTO(auto_free) char *user = text_escaped(h->user);
	AUTO(auto_free) char *host = text_escaped(h->host);
	AUTO(auto_free) char *pid = text_escaped(h->pid);
	uint64_t now = (uint64_t)time(NULL);

	return mem_printf("%s@%s, pid %s, for %llu s", user, host, pid,
			  (unsigned long long)(now > h->since ? now - h->since
							      : 0));
}

/* Does the name still lead to the file that we have open? */
static bool still_there(const char *path, int fd)
{
	struct stat named;
	struct stat opened;

	return lstat(path, &named) == 0 && fstat(fd, &opened) == 0 &&
	       named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* Write who we are into the file whose flock we hold. */
static enum outcome write_holder(const char *path, int fd, struct err *e)
{
	struct passwd *pw = getpwuid(geteuid());
	char text[HOLDER_MAX];
	char host[256];
	char boot[64];
	size_t n;

	read_host(host, sizeof host);
	read_boot_id(boot, sizeof boot);
	snprintf(text, sizeof text, "%.64s %s %ld %s %lld\n",
		 pw ? pw->pw_name : "?", host, (long)getpid(), boot,
		 (long long)time(NULL));
	n = strlen(text);
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, n, 0) == (ssize_t)n)
		return TAKEN;
	err_sys(e, "cannot write the lock file '%s'", path);
	unlink(path);
	return FAILED;
}

/* We hold the flock of a file that was there before us. */
static enum outcome take_over(const char *path, int fd, struct holder *h,
			      char **note, struct err *e)
{
	bool known = read_holder(h, fd);
	enum outcome result;

	if (known && !is_from_here(h))
		return FOREIGN;
	result = write_holder(path, fd, e);
	if (result == TAKEN && known) {
		AUTO(auto_free) char *who = holder_text(h);

		free(*note);
		*note = mem_printf("cleared the lock of a process that has "
				   "ended (%s)", who);
	}
	return result;
}

/* One try. @fd stays open when TAKEN. @h is filled when BUSY or FOREIGN. */
static enum outcome try_lock(const char *path, int *fd, struct holder *h,
			     char **note, struct err *e)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
			  O_NONBLOCK; /* a FIFO there must not hang us */
	struct stat st;
	bool born = true;

	*fd = open(path, flags | O_EXCL, 0600);
	if (*fd < 0 && errno == EEXIST) {
		born = false;
		*fd = open(path, flags & ~O_CREAT);
		if (*fd < 0 && errno == ENOENT)
			return AGAIN;
	}
	if (*fd < 0) {
		err_sys(e, "cannot create the lock file '%s'", path);
		return FAILED;
	}
	if (fstat(*fd, &st) < 0) {
		err_sys(e, "cannot look at the lock file '%s'", path);
		return FAILED;
	}
	/* a link would have us write over a file that is something else */
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1) {
		err_set(e, ERR_INPUT, "has a lock file '%s' that is no plain "
			"file of one name: look what it is, then remove it",
			path);
		return FAILED;
	}
	if (flock(*fd, LOCK_EX | LOCK_NB) < 0) {
		if (!read_holder(h, *fd))
			h->user = NULL;
		return BUSY;
	}
	if (!still_there(path, *fd))
		return AGAIN;
	return born ? write_holder(path, *fd, e)
		    : take_over(path, *fd, h, note, e);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int lock_take(struct lock **out, const char *path, int wait_ms, char **note,
	      struct err *e)
{
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	const int64_t deadline = now_ms() + wait_ms;
	AUTO(auto_free) char *who = NULL;
	enum outcome o;
	struct holder h;
	int fd;

	while (true) {
		memset(&h, 0, sizeof h);
		o = try_lock(path, &fd, &h, note, e);
		if (o == TAKEN) {
			*out = mem_calloc(1, sizeof **out);
			(*out)->path = mem_strdup(path);
			(*out)->fd = fd;
			return 0;
		}
		auto_close(&fd);
		if (o == FAILED)
			return -1;
		if (o == AGAIN)
			continue;
		if (now_ms() >= deadline)
			break;
		nanosleep(&pause, NULL);
	}
	who = h.user ? holder_text(&h) : mem_strdup("another process");
	if (o == FOREIGN)
		return err_set(e, ERR_CONFLICT, "is locked by %s; if that "
			       "process is gone, delete '%s'", who, path);
	return err_set(e, ERR_CONFLICT, "is locked by %s", who);
}

void lock_free(struct lock *l)
{
	if (!l)
		return;
	/* before the close: while we have the flock, the name is ours alone */
	if (still_there(l->path, l->fd))
		unlink(l->path);
	close(l->fd);
	free(l->path);
	free(l);
}
