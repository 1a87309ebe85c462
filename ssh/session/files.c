/*
 * Files that logins read: where home is, what "~" stands for, a file read whole
 * by a rule of who else may read it, and a text as a file for a program.
 */
#include "ssh/session/internal.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/stat.h>

char *remote_home(void)
{
	const char *home = getenv("HOME");
	struct passwd pw, *found = NULL;
	char buf[4096];

	if (home && *home == '/')
		return mem_strdup(home);
	if (getpwuid_r(getuid(), &pw, buf, sizeof buf, &found) == 0 && found)
		return mem_strdup(found->pw_dir);
	return mem_strdup("/");
}

char *remote_untilde(const char *path)
{
	AUTO(auto_free) char *home = NULL;

	if (path[0] != '~' || (path[1] && path[1] != '/'))
		return mem_strdup(path);
	home = remote_home();
	return mem_printf("%s%s", home, path + 1);
}

int remote_slurp(struct sbuf *out, const char *path,
		 enum remote_slurp_rule rule)
{
	AUTO(auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	/* OpenSSH's rule for keys */
	if (rule == SLURP_PRIVATE && st.st_uid == getuid() &&
	    (st.st_mode & 077)) {
		errno = EPERM;
		return -1;
	}
	return sbuf_read(out, fd);
}

int remote_open_text(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0 || (write(fd, text, len) == (ssize_t)len &&
		       lseek(fd, 0, SEEK_SET) == 0))
		return fd;
	close(fd);
	return -1;
}
