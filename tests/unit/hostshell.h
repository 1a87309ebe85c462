/*
 * A host that is a folder: texts of the program are run by a real shell, with
 * the folder in place of /run and /etc/wireguard, and of the programs only those
 * that the test puts there. Its shells are those that hosts have for sh.
 */
#ifndef WGMESH_TESTS_HOSTSHELL_H
#define WGMESH_TESTS_HOSTSHELL_H

#include "base/auto.h"
#include "base/mem.h"
#include "base/sbuf.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** What sh is a link to; mksh has no printf of its own. NULL ends the list. */
static const char *const shells[] = { "dash", "bash", "busybox", "mksh", NULL };

static inline int command_status(const char *command)
{
	return pclose(popen(command, "we"));
}

static inline void command_run(const char *command)
{
	if (command_status(command) != 0)
		fail_msg("failed: %s", command);
}

/** Is the shell installed here? Those of tests/packages-check.txt may not be. */
static inline bool shell_is_here(const char *shell)
{
	AUTO(auto_free) char *command = mem_printf("command -v %s >/dev/null",
						   shell);

	return command_status(command) == 0;
}

static inline void file_get(struct sbuf *out, const char *path)
{
	AUTO(auto_fclose) FILE *f = fopen(path, "re");
	int c;

	while (f && (c = fgetc(f)) != EOF)
		sbuf_putc(out, (char)c);
}

/** Write @text to @path, with @folder for the host's own ones. */
static inline void host_text(const char *path, const char *folder,
			     const char *text)
{
	static const char *const places[] = { "/run/wgmesh",
					      "/etc/wireguard" };
	static const size_t cut[] = { 4, 14 };
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	while (*text) {
		size_t i = 0;

		while (i < 2 && strncmp(text, places[i], strlen(places[i])) != 0)
			i++;
		if (i < 2)
			fputs(folder, f);
		else
			fputc(*text, f);
		text += i < 2 ? cut[i] : 1;
	}
	assert_int_equal(fclose(f), 0);
}

#endif
