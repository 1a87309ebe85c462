/*
 * ssh_config as a list of lines: quotes, "keyword = value", Include. What the
 * lines mean is in config.c.
 */
#include "base/path.h"
#include "base/text.h"
#include "base/trust.h"
#include "ssh/session/internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <sys/stat.h>

#define CONFIG_MAX ((size_t)1 << 20) /* bytes, of each file */
#define CONFIG_LINES_MAX 20000       /* of all files together */
#define INCLUDE_DEPTH_MAX 16         /* as OpenSSH */

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
	/* OpenSSH's rules for keys, and for files that name commands */
	if ((rule == SLURP_PRIVATE && st.st_uid == getuid() &&
	     (st.st_mode & 077)) ||
	    (rule == SLURP_TRUSTED && !trust_owner(&st, getuid()))) {
		errno = EPERM;
		return -1;
	}
	return sbuf_read(out, fd);
}

/* The next argument of the line at *@s; NULL at its end or at a comment. */
static char *next_word(const char **s)
{
	struct sbuf word = SBUF_INIT;
	bool quoted = false;
	const char *p = *s;

	p += strspn(p, " \t");
	if (!*p || *p == '#')
		return NULL;
	for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			sbuf_putc(&word, *++p);
		else
			sbuf_putc(&word, *p);
	}
	*s = p;
	return sbuf_detach(&word);
}

/* "Keyword value", "Keyword=value", "Keyword = value" are one. */
static void add_line(remote_config_lines *out, const char *text)
{
	struct remote_config_line *line;
	size_t len = strcspn(text, " \t=");
	const char *rest = text + len;
	char *word;

	rest += strspn(rest, " \t");
	if (*rest == '=')
		rest++;
	rest += strspn(rest, " \t");
	line = vec_add(out);
	line->keyword = mem_strndup(text, len);
	for (char *p = line->keyword; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	line->rest = mem_strdup(rest);
	while ((word = next_word(&rest))) {
		strings_add(&line->args, word);
		free(word);
	}
}

/* Files that match @pattern; relative ones are in the folder of @file. */
static int include_files(remote_config_lines *out, const char *pattern,
			 const char *file, int depth, struct err *e)
{
	AUTO(auto_free) char *path = remote_untilde(pattern);
	AUTO(globfree) glob_t found = { 0 };
	AUTO(auto_free) char *folder = path_folder(file);

	if (path[0] != '/' && strchr(file, '/')) {
		char *whole = mem_printf("%s/%s", folder, path);

		free(path);
		path = whole;
	}
	if (glob(path, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		vec_add(out)->kind = CONFIG_BEGIN;
		if (remote_config_read(out, found.gl_pathv[i], SLURP_TRUSTED,
				       depth + 1, e) < 0 &&
		    e->sys_errno != ENOENT)
			return -1;
		vec_add(out)->kind = CONFIG_END;
	}
	return 0;
}

int remote_config_read(remote_config_lines *out, const char *file,
		       enum remote_slurp_rule rule, int depth, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = { .max = CONFIG_MAX };
	char *rest, *line;

	if (depth > INCLUDE_DEPTH_MAX)
		return err_set(e, ERR_INPUT, "ssh_config '%s' is included in "
			       "more than %d levels: does it include itself?",
			       file, INCLUDE_DEPTH_MAX);
	if (remote_slurp(&text, file, rule) < 0) {
		if (errno != EPERM)
			return err_sys(e, "cannot read ssh_config '%s'", file);
		return err_set(e, ERR_INPUT, "ssh_config '%s' may be written by "
			       "others, who could have commands run as you; "
			       "make it yours alone: chown, chmod 600", file);
	}
	if (text.len && memchr(text.s, '\0', text.len))
		return err_set(e, ERR_INPUT, "ssh_config '%s' has a NUL byte, "
			       "expected text", file);
	rest = text.s;
	while (rest && (line = strsep(&rest, "\n"))) {
		static const char blanks[] = " \t\r\f";
		size_t at = out->len, n;

		line += strspn(line, blanks);
		n = strlen(line);
		while (n && strchr(blanks, line[n - 1]))
			line[--n] = '\0';
		if (!*line || *line == '#')
			continue;
		if (at >= CONFIG_LINES_MAX)
			return err_set(e, ERR_INPUT, "ssh_config '%s' and what "
				       "it includes have more than %d lines",
				       file, CONFIG_LINES_MAX);
		add_line(out, line);
		if (strcmp(out->items[at].keyword, "include") != 0)
			continue;
		/* the list may move: each name is looked for anew */
		for (size_t i = 0; i < out->items[at].args.len; i++)
			if (include_files(out, out->items[at].args.items[i],
					  file, depth, e) < 0)
				return -1;
	}
	return 0;
}
