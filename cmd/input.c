/*
 * A file or standard input that an argument names, read whole and bounded.
 */
#include "cmd/input.h"

#include "base/auto.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int read_all(struct sbuf *out, int fd, const char *path, size_t max,
		    struct err *e)
{
	char block[65536];
	ssize_t n;

	while ((n = read(fd, block, sizeof block)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read '%s'", path);
		if (out->len + (size_t)n > max)
			return err_set(e, ERR_INPUT, "'%s' is too large, "
				       "expected at most %zu MiB", path,
				       max >> 20);
		sbuf_add(out, block, (size_t)n);
	}
	explicit_bzero(block, out->secret ? sizeof block : 0);
	return 0;
}

int input_read(struct sbuf *out, const char *path, size_t max, struct err *e)
{
	AUTO(auto_close) int fd = -1;
	struct stat st;

	if (strcmp(path, "-") == 0)
		return read_all(out, STDIN_FILENO, "standard input", max, e);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(e, "cannot open '%s'", path);
		e->code = ERR_INPUT;
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, "'%s' is a folder, expected a "
			       "file", path);
	return read_all(out, fd, path, max, e);
}
