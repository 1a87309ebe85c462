/*
 * All that is printed goes through here, escaped; and yes-or-no questions.
 */
#include "cmd/cmd.h"

#include "base/text.h"
#include "cmd/team.h"

#include <stdarg.h>
#include <string.h>

__attribute__((format(printf, 2, 0)))
static void put_escaped(FILE *f, const char *fmt, va_list ap, bool keep_lines)
{
	struct sbuf raw = SBUF_INIT;
	struct sbuf shown = SBUF_INIT;

	sbuf_vprintf(&raw, fmt, ap);
	text_escape(&shown, sbuf_str(&raw), raw.len, keep_lines);
	fwrite(sbuf_str(&shown), 1, shown.len, f);
	sbuf_done(&raw);
	sbuf_done(&shown);
}

void put(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_escaped(stdout, fmt, ap, true);
	va_end(ap);
}

/* A line on stderr that is written over; guarded by its lock. */
static bool progress_shown;

void progress(const char *text)
{
	flockfile(stderr);
	fprintf(stderr, "\r\033[K%s", text);
	fflush(stderr);
	progress_shown = *text;
	funlockfile(stderr);
}

void note(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	flockfile(stderr); /* threads that work on hosts have notes, too */
	if (progress_shown)
		progress("");
	fputs("wgmesh: ", stderr);
	va_start(ap, fmt);
	put_escaped(stderr, fmt, ap, false);
	va_end(ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

int fail(const struct err *e)
{
	note("%s", err_words(e).s);
	return e->code == ERR_INPUT ? EXIT_USAGE : EXIT_FAILED;
}

int ask_yes(const char *question)
{
	AUTO(sbuf_done) struct sbuf shown = SBUF_INIT;
	char answer[16] = "";

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return -1;
	fflush(stdout);
	text_escape(&shown, question, strlen(question), true);
	fprintf(stderr, "%s [y/N] ", sbuf_str(&shown));
	fflush(stderr);
	team_rest();
	if (!fgets(answer, sizeof answer, stdin))
		*answer = '\0';
	team_go_on();
	answer[strcspn(answer, "\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

int env_save(struct store *s, struct err *e)
{
	return store_save(s, true, e);
}
