/*
 * One deploy at a time on a host: the script, the probe and the lock file
 * between them, with a real shell. /run is a folder of the test.
 */
#include "render/plan.h"
#include "render/script.h"
#include "tests/unit/fixture.h"

#include <fcntl.h>
#include <sys/file.h>

#define OURS "0123456789abcdef"
#define OTHER "fedcba9876543210"

struct place {
	char folder[32];
	char lock[64];
};

/* A folder with a lock file that says @text, and a sleep that does not. */
static void place_init(struct place *p, const char *text)
{
	char *command;

	memcpy(p->folder, "/tmp/wgmesh-lock-XXXXXX", 24);
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->lock, sizeof p->lock, "%s/wgmesh-wg0.lock", p->folder);
	command = mem_printf("cd %s && printf '#!/bin/sh\\n' >sleep && "
			     "chmod 700 sleep && printf '%%s' '%s' >%s",
			     p->folder, text, p->lock);
	assert_int_equal(pclose(popen(command, "we")), 0);
	free(command);
}

static void place_done(struct place *p)
{
	char *command = mem_printf("rm -r %s", p->folder);

	assert_int_equal(pclose(popen(command, "we")), 0);
	free(command);
}

static void get_file(struct sbuf *out, const char *path)
{
	AUTO(auto_fclose) FILE *f = fopen(path, "re");
	int c;

	while (f && (c = fgetc(f)) != EOF)
		sbuf_putc(out, (char)c);
}

/* What a shell prints that runs @text with the folder in place of /run. */
static void run(struct sbuf *out, const struct place *p, const char *text)
{
	char *script = mem_printf("%s/script", p->folder);
	char *answer = mem_printf("%s/answer", p->folder);
	/* a probe waits for a line of input at its end */
	char *command = mem_printf("echo : | PATH=%s:$PATH sh %s >%s",
				   p->folder, script, answer);
	FILE *f = fopen(script, "we");

	assert_non_null(f);
	for (; *text; text++)
		if (strncmp(text, "/run/wgmesh", 11) == 0) {
			fputs(p->folder, f);
			text += 3;
		} else {
			fputc(*text, f);
		}
	assert_int_equal(fclose(f), 0);
	assert_int_equal(pclose(popen(command, "we")), 0);
	get_file(out, answer);
	free(command);
	free(answer);
	free(script);
}

static int hold(const struct place *p)
{
	int fd = open(p->lock, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	return fd;
}

/* Run a script whose one step is nothing, planned when @token was there. */
static void deploy(struct script_result *r, const struct place *p,
		   const char *token)
{
	const struct script_run how = { OURS, "me@here, pid 5", token };
	AUTO(sbuf_done) struct sbuf script = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(plan_done) struct plan plan = { .mesh = &m };
	struct err e = { 0 };

	mesh_of(&m, "'mesh_id':'" MESH_ID "'");
	vec_add(&plan.steps)->kind = STEP_TAKE_OVER;
	script_text(&script, &plan, NULL, &how);
	run(&answer, p, sbuf_str(&script));
	memset(r, 0, sizeof *r);
	if (script_parse(r, &plan, sbuf_str(&answer), answer.len, OURS, &e) < 0)
		fail_msg("%s", e.msg);
}

static void assert_runs(const char *before, const char *token)
{
	AUTO(sbuf_done) struct sbuf after = SBUF_INIT;
	struct script_result r;
	struct place p;

	place_init(&p, before);
	deploy(&r, &p, token);
	assert_null(r.failure);
	assert_int_equal(r.steps_done, 1);
	get_file(&after, p.lock);
	assert_int_equal(strncmp(sbuf_str(&after), OURS "\n", 17), 0);
	script_result_done(&r);
	place_done(&p);
}

/* @held: somebody has the lock. */
static void assert_refused(const char *before, const char *token, bool held,
			   const char *words)
{
	AUTO(sbuf_done) struct sbuf after = SBUF_INIT;
	struct script_result r;
	struct place p;
	int fd;

	place_init(&p, before);
	fd = held ? hold(&p) : -1;
	deploy(&r, &p, token);
	assert_true(r.refused);
	assert_string_equal(r.failure, words);
	assert_int_equal(r.steps_done, 0);
	get_file(&after, p.lock);
	assert_string_equal(sbuf_str(&after), before);
	if (held)
		close(fd);
	script_result_done(&r);
	place_done(&p);
}

static void test_token(void **state)
{
	(void)state;
	assert_runs("", "");
	assert_runs(OTHER "\n", OTHER);
	assert_runs(OTHER "\n@there, pid 4, since x\n", OTHER);
	/* a deploy that died there, and one of ours before (a key was made) */
	assert_runs(OTHER " you@there, pid 4, since x\n", OTHER);
	assert_runs(OURS "\n", "");
	/* what is no token is none */
	assert_runs("held\n", "");
	assert_refused(OTHER "\n", "", false, "another deploy changed this "
		       "host meanwhile; run it again");
	assert_refused("", OTHER, false, "another deploy changed this host "
		       "meanwhile; run it again");
}

static void test_held(void **state)
{
	(void)state;
	assert_refused(OTHER " you@there, pid 4, since x\n", OTHER, true,
		       "another deploy is at work there (you@there, pid 4, "
		       "since x); try again when it is done");
	assert_refused("", "", true, "another deploy is at work there (it does "
		       "not say who); try again when it is done");
	assert_refused(OTHER " \x1b[31myou\n", OTHER, true,
		       "another deploy is at work there (\\x1b[31myou); try "
		       "again when it is done");
}

/* While it works the file says who it is; never anything else than a line. */
static void test_holder(void **state)
{
	const struct script_run how = { OURS, "o'me@here, pid 5", OTHER };
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	const char *part, *since;
	struct place p;

	(void)state;
	place_init(&p, OTHER "\n");
	script_make_key(&script, "wg0", false, &how);
	/* a part of ours in the place of its own fails, showing the file */
	part = strstr(sbuf_str(&script), "part() {\n");
	assert_non_null(part);
	sbuf_add(&text, sbuf_str(&script), (size_t)(part - script.s));
	sbuf_puts(&text, "part() {\ncat \"$L\" >&2; return 1\n}\nrun 0\n}\n"
			 "main\n");
	run(&answer, &p, sbuf_str(&text));
	since = strstr(sbuf_str(&answer), OURS " o'me@here, pid 5, since 20");
	assert_non_null(since);
	since += strlen(OURS " o'me@here, pid 5, since ");
	assert_int_equal(strspn(since, "0123456789-:TZ"), 20);
	place_done(&p);
}

/* ---- the probe ---- */

/* The line of the probe's report that begins with @name; the caller frees. */
static char *probed(const struct place *p, const char *name)
{
	const struct probe_request request = { .interface = "wg0",
					       .nonce = OURS, .local = true };
	AUTO(sbuf_done) struct sbuf command = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	char *start = mem_printf("\n%s=", name);
	const char *at;
	char *value;

	probe_command(&command, &request);
	run(&answer, p, sbuf_str(&command));
	at = strstr(sbuf_str(&answer), start);
	value = at ? mem_strndup(at + strlen(start),
				 strcspn(at + strlen(start), "\n"))
		   : mem_strdup("(none)");
	free(start);
	return value;
}

static void assert_probed(const char *file, bool held, const char *name,
			  const char *want)
{
	struct place p;
	int fd = -1;
	char *got;

	place_init(&p, file);
	if (held)
		fd = hold(&p);
	got = probed(&p, name);
	assert_string_equal(got, want);
	free(got);
	if (held)
		close(fd);
	place_done(&p);
}

static void test_probe(void **state)
{
	(void)state;
	assert_probed("", false, "lock", "");
	assert_probed(OTHER "\n", false, "lock", OTHER);
	assert_probed("held\n", false, "lock", "");
	assert_probed(OTHER "\nrest of a line\n", false, "busy", "(none)");
	assert_probed(OTHER " you@there, pid 4\n", false, "busy", "(none)");
	assert_probed(OTHER " you@there, pid 4\n", false, "lock", OTHER);
	assert_probed(OTHER " you@there, pid 4\n", true, "busy",
		      "you@there, pid 4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_holder),
		cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
