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
	out->max = max;
	if (sbuf_read(out, fd) == 0)
		return 0;
	if (!out->failed)
		return err_sys(e, "cannot read '%s'", path);
	return err_set(e, ERR_INPUT, "'%s' is too large, expected at most "
		       "%zu MiB", path, max >> 20);
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
