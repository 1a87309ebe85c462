/*
 * A temporary file beside its target, and the rename that makes it the target:
 * whoever reads that name, and whatever kills us, finds the old file or the new.
 */
#include "base/atomic.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/random.h"

#include <fcntl.h>
#include <sys/stat.h>

/* A name that nobody can have guessed is taken in a handful of tries. */
#define NAME_TRIES 16

/* O_EXCL and O_NOFOLLOW: never what somebody else has put there. */
static int create(const char *path, mode_t mode)
{
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    mode ? mode : 0600);
}

/* Nobody else writes it, see the header: what is there is a leftover. */
static int create_fixed(struct temporary *t, const char *target, mode_t mode)
{
	t->path = mem_printf("%s.new", target);
	t->fd = create(t->path, mode);
	if (t->fd < 0 && errno == EEXIST && unlink(t->path) == 0)
		t->fd = create(t->path, mode);
	return t->fd;
}

static int create_random(struct temporary *t, const char *target, mode_t mode)
{
	char random[9];
	struct err ignored; /* errno says it, too */

	for (int i = 0; i < NAME_TRIES; i++) {
		if (random_hex(random, 8, &ignored) < 0)
			return -1;
		free(t->path);
		t->path = mem_printf("%s.%s", target, random);
		t->fd = create(t->path, mode);
		if (t->fd >= 0 || errno != EEXIST)
			return t->fd;
	}
	return -1;
}

int temporary_open(struct temporary *t, const char *target,
		   const struct atomic_how *how, struct err *e)
{
	struct stat st;
	bool give = geteuid() == 0 && (how->uid || how->gid);

	*t = (struct temporary)TEMPORARY_NONE;
	/* a file takes no device's place, nor a link's, such as /dev/stdout */
	if (!how->fresh && lstat(target, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "'%s' is there and no regular "
			       "file: it is not replaced", target);
	if ((how->locked ? create_fixed(t, target, how->mode)
			 : create_random(t, target, how->mode)) < 0) {
		err_sys(e, "cannot create a file beside '%s'", target);
		free(STEAL(t->path)); /* it is not ours */
		return -1;
	}
	/* a file that alice shares with root stays hers when root saves it */
	if ((!how->mode && fchmod(t->fd, 0600) < 0) ||
	    (give && fchown(t->fd, how->uid, how->gid) < 0)) {
		err_sys(e, "cannot write '%s'", t->path);
		temporary_done(t);
		return -1;
	}
	return 0;
}

int temporary_write(struct temporary *t, const void *data, size_t len,
		    struct err *e)
{
	const char *at = data;

	while (len) {
		ssize_t n = write(t->fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot write '%s'", t->path);
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Not every file system can rename without replacing; then there is a gap in
 * which a file that is made meanwhile would be replaced. */
static int rename_fresh(const char *from, const char *to)
{
	struct stat st;

	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (lstat(to, &st) == 0) {
		errno = EEXIST;
		return -1;
	}
	return rename(from, to);
}

int temporary_commit(struct temporary *t, const char *target,
		     const struct atomic_how *how, struct err *e)
{
	int fd = t->fd;

	t->fd = -1;
	/* before the rename, or a power cut could leave an empty target */
	if (fsync(fd) < 0) {
		err_sys(e, "cannot write '%s'", t->path);
		close(fd);
		return -1;
	}
	if (close(fd) < 0)
		return err_sys(e, "cannot write '%s'", t->path);
	if ((how->fresh ? rename_fresh(t->path, target)
			: rename(t->path, target)) < 0) {
		err_sys(e, "cannot rename '%s' to '%s'", t->path, target);
		if (e->sys_errno == EEXIST)
			e->code = ERR_CONFLICT;
		return -1;
	}
	free(STEAL(t->path));
	return 0;
}

void temporary_done(struct temporary *t)
{
	int saved = errno;

	auto_close(&t->fd);
	t->fd = -1;
	if (t->path)
		unlink(t->path);
	free(STEAL(t->path));
	errno = saved;
}

int atomic_replace(const char *path, const void *data, size_t len,
		   const struct atomic_how *how, struct err *e)
{
	AUTO(temporary_done) struct temporary t = TEMPORARY_NONE;

	if (temporary_open(&t, path, how, e) < 0 ||
	    temporary_write(&t, data, len, e) < 0)
		return -1;
	return temporary_commit(&t, path, how, e);
}

int atomic_sync(const char *path, struct err *e)
{
	AUTO(auto_free) char *folder = path_folder(path);
	AUTO(auto_close) int fd = open(folder,
				       O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* EINVAL: a file system whose folders can't be synced */
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return err_sys(e, "'%s' is written, but its folder cannot be "
			       "synced to disk: a power cut may take it back",
			       path);
	return 0;
}

int atomic_write(const char *path, const void *data, size_t len,
		 const struct atomic_how *how, struct err *e)
{
	if (atomic_replace(path, data, len, how, e) < 0)
		return -1;
	return atomic_sync(path, e);
}
