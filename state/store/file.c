/*
 * The state's file: found behind a link, judged by owner and mode, read whole.
 * What it says is run as root on many hosts, so whoever may write it is as good
 * as root there.
 */
#include "state/store/file.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/trust.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* The path that the symlink @path names; the caller frees. */
static char *link_target(const char *path)
{
	AUTO(auto_free) char *folder = path_folder(path);
	char text[4096];
	ssize_t n = readlink(path, text, sizeof text);

	if (n < 0 || n == (ssize_t)sizeof text)
		return NULL;
	if (*text == '/')
		return mem_strndup(text, (size_t)n);
	return mem_printf("%s/%.*s", folder, (int)n, text);
}

/* Who counts as us: root under sudo works for the user who called it. */
static uid_t our_uid(void)
{
	const char *caller = getenv("SUDO_UID");
	long uid;

	if (geteuid() == 0 && caller && num_parse(&uid, caller, 0, UINT32_MAX))
		return (uid_t)uid;
	return geteuid();
}

static int check_owner(const struct stat *st, const char *what, struct err *e)
{
	if (st->st_uid == 0 || st->st_uid == our_uid())
		return 0;
	return err_set(e, ERR_INPUT, "%s to another user (uid %u), who could "
		       "have commands run on every host; if it is yours, "
		       "chown it to uid %u", what, (unsigned)st->st_uid,
		       (unsigned)geteuid());
}

int file_check_folder(const char *path, struct err *e)
{
	AUTO(auto_free) char *folder = path_folder(path);
	struct stat st;

	if (stat(folder, &st) < 0)
		return err_sys(e, "has no folder");
	if (check_owner(&st, "is in a folder that belongs", e) < 0)
		return -1;
	if (!trust_folder(&st, our_uid()))
		return err_set(e, ERR_INPUT, "is in a folder that others may "
			       "write (mode %04o), who could put another file "
			       "in its place: chmod go-w '%s'",
			       st.st_mode & 07777, folder);
	return 0;
}

/* Who may not read the file named the wrong one: that is wrong input. */
static int cannot_open(struct err *e)
{
	err_sys(e, "cannot be opened");
	if (e->sys_errno == EACCES)
		e->code = ERR_INPUT;
	return -1;
}

int file_resolve(char **out, const char *path, struct err *e)
{
	AUTO(auto_free) char *target = NULL;
	AUTO(auto_free) char *here = path_folder(path);
	AUTO(auto_free) char *there = NULL;
	struct stat st, a, b;

	if (lstat(path, &st) < 0)
		return cannot_open(e);
	if (file_check_folder(path, e) < 0)
		return -1;
	if (!S_ISLNK(st.st_mode)) {
		*out = mem_strdup(path);
		return 0;
	}
	target = link_target(path);
	there = target ? path_folder(target) : NULL;
	/* the lock and the new file are made beside the state: in one folder */
	if (!there || stat(here, &a) < 0 || stat(there, &b) < 0 ||
	    a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return err_set(e, ERR_INPUT, "is a symlink out of its folder, "
			       "expected a file");
	if (lstat(target, &st) < 0)
		return err_sys(e, "is a symlink that leads nowhere");
	if (S_ISLNK(st.st_mode))
		return err_set(e, ERR_INPUT, "is a symlink to a symlink, "
			       "expected a file");
	*out = STEAL(target);
	return 0;
}

int file_read(struct sbuf *out, struct stat *st, const char *path,
	      struct err *e)
{
	/* without waiting for a FIFO, or being led away by a link made since */
	AUTO(auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
						     O_NONBLOCK);

	if (fd < 0 || fstat(fd, st) < 0)
		return cannot_open(e);
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_INPUT, "is no regular file");
	if (check_owner(st, "belongs", e) < 0)
		return -1;
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, ERR_INPUT, "may be written by others (mode "
			       "%04o), expected 0600", st->st_mode & 07777);
	if (st->st_size > FILE_SIZE_MAX)
		return err_set(e, ERR_INPUT, "has more than %d MiB",
			       FILE_SIZE_MAX >> 20);
	if (sbuf_read(out, fd) == 0)
		return 0;
	/* it grew after the fstat(), or the disk has a fault */
	return out->failed ? err_set(e, ERR_INPUT, "has more than %d MiB",
				     FILE_SIZE_MAX >> 20)
			   : err_sys(e, "cannot be read");
}

static int make_folder(const char *path, struct err *e)
{
	struct stat st;
	int saved;

	if (mkdir(path, 0700) == 0)
		return 0;
	saved = errno;
	/* mkdir(2) says EEXIST of a file and of a link to nowhere, too */
	if (saved == EEXIST && stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		saved = ENOTDIR;
	}
	errno = saved;
	return err_sys(e, "cannot make the folder '%s'", path);
}

int file_make_folders(const char *path, struct err *e)
{
	AUTO(auto_free) char *copy = mem_strdup(path);

	for (char *p = copy + 1; *copy && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (make_folder(copy, e) < 0)
			return -1;
		*p = '/';
	}
	return 0;
}
