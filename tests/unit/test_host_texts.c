/*
 * What runs on hosts is what one can read: each text in the program is its file in
 * render/host/ without comments and indentation, and nothing else. And every
 * login shell takes what is sent.
 */
#include "base/auto.h"
#include "base/sbuf.h"
#include "base/text.h"
#include "render/host/host.h"
#include "render/host/texts.h"
#include "tests/unit/hostshell.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(name, kind) { "render/host/" #name "." #kind, name##_##kind }

static const struct {
	const char *file, *text;
} texts[] = {
	TEXT(accept_ra, sh),  TEXT(begin, sh),	 TEXT(boot_file, sh),
	TEXT(bring_up, sh),   TEXT(end, sh),	 TEXT(forward_off, sh),
	TEXT(forward_on, sh), TEXT(found, awk),	 TEXT(found, sh),
	TEXT(install, sh),    TEXT(ip_batch, sh), TEXT(lock, sh),
	TEXT(make_key, sh),   TEXT(probe, awk),	 TEXT(probe, sh),
	TEXT(rise, sh),	      TEXT(section, sh), TEXT(tear_down, sh),
	TEXT(write_file, sh), TEXT(forward, awk),
};

#define TEXTS (sizeof texts / sizeof *texts)

/* The file's lines from their first letter on, but for comments. */
static void read_plain(struct sbuf *out, const char *path)
{
	AUTO(auto_fclose) FILE *f = fopen(path, "re");
	char line[512];

	if (!f)
		fail_msg("no %s: this test is run where the sources are", path);
	while (fgets(line, sizeof line, f)) {
		const char *at = line;

		while (*at == ' ' || *at == '\t')
			at++;
		if (*at != '#' && *at != '\n')
			sbuf_puts(out, at);
	}
}

static void test_embedded(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		AUTO(sbuf_done) struct sbuf want = SBUF_INIT;

		read_plain(&want, texts[i].file);
		assert_string_equal(texts[i].text, sbuf_str(&want));
	}
}

/* No file is left out here. */
static void test_all(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob("render/host/*.sh", 0, NULL, &found), 0);
	assert_int_equal(glob("render/host/*.awk", GLOB_APPEND, NULL, &found),
			 0);
	assert_int_equal(found.gl_pathc, TEXTS);
	globfree(&found);
}

/*
 * The exec request of a probe stays far below what carries it: Linux takes 128 KiB
 * as one argument, an SSH packet 32 KiB, a new TCP connection 14 KiB at once.
 */
static void test_probe_size(void **state)
{
	const struct probe_request request = {
		.interface = "fifteen-letters", .nonce = "0123456789abcdef",
		.known_hostname = "a-host-with-a-long-name.example.org",
		.sudo = true, .password = true,
	};
	AUTO(sbuf_done) struct sbuf command = SBUF_INIT;

	(void)state;
	probe_command(&command, &request);
	assert_true(command.len < 10 * 1024);
}

/*
 * The exec request is run by the account's login shell, whichever it is: on this
 * very machine, straight and through what stands in for sudo.
 */
static void test_login_shells(void **state)
{
	static const char *const logins[] = {
		"dash", "bash", "busybox sh", "busybox ash", "mksh", "zsh",
		"tcsh", "fish", "bsd-csh",
	};
	AUTO(auto_free) char *end = probe_end("abc");
	char folder[] = "/tmp/wgmesh-login-XXXXXX";
	AUTO(auto_free) char *make = NULL;
	AUTO(auto_free) char *clean = NULL;
	bool missing = false;

	(void)state;
	assert_non_null(mkdtemp(folder));
	make = mem_printf("cd %s && printf '#!/bin/sh\\nshift\\nexec \"$@\"\\n' "
			  ">sudo && chmod 755 sudo", folder);
	clean = mem_printf("rm -r %s", folder);
	command_run(make);
	for (size_t i = 0; i < 2 * sizeof logins / sizeof *logins; i++) {
		const struct probe_request request = {
			.interface = "none0", .nonce = "abc",
			.known_hostname = "it's! a \\ `x` $(y) %s", .sudo = i % 2,
		};
		AUTO(auto_free) char *shell = mem_strdup(logins[i / 2]);
		AUTO(auto_free) char *run = NULL;
		AUTO(auto_free) char *path = mem_printf("%s/out", folder);
		AUTO(sbuf_done) struct sbuf command = SBUF_INIT;
		AUTO(sbuf_done) struct sbuf word = SBUF_INIT;
		AUTO(sbuf_done) struct sbuf out = SBUF_INIT;

		shell[strcspn(shell, " ")] = '\0';
		if (!shell_is_here(shell)) {
			missing = true;
			continue;
		}
		probe_command(&command, &request);
		text_quote(&word, sbuf_str(&command));
		run = mem_printf("cd %s && echo 'echo then' | env "
				 "SSH_CONNECTION='192.0.2.1 1 192.0.2.2 22' "
				 "PATH=%s:$PATH %s -c %s >out", folder, folder,
				 logins[i / 2], sbuf_str(&word));
		command_run(run);
		file_get(&out, path);
		if (!strstr(sbuf_str(&out), end))
			fail_msg("%s: %s", logins[i / 2], sbuf_str(&out));
		assert_non_null(strstr(sbuf_str(&out),
				       "ssh=192.0.2.1 1 192.0.2.2 22\n"));
	}
	command_run(clean);
	if (missing)
		skip(); /* those of tests/packages-check.txt, and fish */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_embedded),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_probe_size),
		cmocka_unit_test(test_login_shells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
