/*
 * A file or standard input that an argument names, read whole and bounded.
 */
#include "cmd/input.h"

#include "base/auto.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int input_read(struct sbuf *out, const char *path, size_t max, struct err *e)
{
	bool is_stdin = strcmp(path, "-") == 0;
	AUTO(auto_close) int file =
		is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	const char *name = is_stdin ? "standard input" : path;
	struct stat st = { 0 };

	if (!is_stdin && (file < 0 || fstat(file, &st) < 0)) {
		/* what the user named is wrong, not this machine */
		err_sys(e, "cannot open '%s'", path);
		e->code = ERR_INPUT;
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, "'%s' is a folder, expected a "
			       "file", path);
	out->max = max;
	if (sbuf_read(out, is_stdin ? STDIN_FILENO : file) == 0)
		return 0;
	if (!out->failed)
		return err_sys(e, "cannot read '%s'", name);
	return err_set(e, ERR_INPUT, "'%s' is too large, expected at most "
		       "%zu MiB", name, max >> 20);
}
