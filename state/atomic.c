#include "state/atomic.h"

#include "base/auto.h"
#include "base/mem.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Nobody else writes it, see the header: what is there is a leftover. */
static int create_new(const char *path, struct err *e)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == EEXIST && unlink(path) == 0)
		fd = open(path, flags, 0600);
	if (fd < 0)
		return err_sys(e, "cannot create '%s'", path);
	return fd;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A file that alice shares with root stays hers when root saves it. */
static int give_to_owner(int fd, const struct atomic_how *how)
{
	if (geteuid() != 0 || (how->uid == 0 && how->gid == 0))
		return 0;
	return fchown(fd, how->uid, how->gid);
}

static int fill(int fd, const void *data, size_t len,
		const struct atomic_how *how)
{
	if (fchmod(fd, 0600) < 0 || give_to_owner(fd, how) < 0 ||
	    write_all(fd, data, len) < 0)
		return -1;
	return fsync(fd);
}

/* Not every file system can rename without replacing. */
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

static int sync_folder(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	AUTO(auto_free) char *folder = NULL;
	AUTO(auto_close) int fd = -1;

	if (!slash)
		folder = mem_strdup(".");
	else
		folder = mem_strndup(path, slash == path
						   ? 1
						   : (size_t)(slash - path));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return err_sys(e, "'%s' is written, but its folder cannot be "
			       "synced to disk", path);
	return 0;
}

int atomic_write(const char *path, const void *data, size_t len,
		 const struct atomic_how *how, struct err *e)
{
	AUTO(auto_free) char *temporary = mem_printf("%s.new", path);
	int fd = create_new(temporary, e);
	int ret;

	if (fd < 0)
		return -1;
	ret = fill(fd, data, len, how);
	if (ret < 0)
		err_sys(e, "cannot write '%s'", temporary);
	if (close(fd) < 0 && ret == 0)
		ret = err_sys(e, "cannot write '%s'", temporary);
	if (ret == 0) {
		ret = how->fresh ? rename_fresh(temporary, path)
				 : rename(temporary, path);
		if (ret < 0)
			err_sys(e, "cannot rename '%s' to '%s'", temporary,
				path);
	}
	if (ret < 0) {
		if (e->sys_errno == EEXIST)
			e->code = ERR_CONFLICT;
		unlink(temporary);
		return -1;
	}
	return sync_folder(path, e);
}
