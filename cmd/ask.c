/*
 * Questions on the terminal: the yes that a change needs, and passphrases,
 * whose answer is not shown.
 */
#include "cmd/ask.h"

#include "base/auto.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/team.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>

/** The longest line that is taken in. */
#define LINE_MAX_BYTES 65536
/** What Ctrl-C sends. */
#define INTERRUPT_KEY 3

bool ask_on_terminal(void)
{
	AUTO(auto_close) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	return fd >= 0 || isatty(STDIN_FILENO);
}

int ask_consent(bool said, const char *question, const char *unasked,
		const char *refused, struct err *e)
{
	int yes = said ? 1 : question ? ask_yes(question) : -1;

	if (yes == 1)
		return 0;
	return err_set(e, yes < 0 ? ERR_INPUT : ERR_CONFLICT, "%s",
		       yes < 0 ? unasked : refused);
}

/*
 * One line of @fd; false at the end of the input, and for a Ctrl-C, which must
 * not leave the terminal without its echo.
 */
static bool read_line(int fd, struct sbuf *out)
{
	char c;
	ssize_t n;

	while ((n = read(fd, &c, 1)) == 1 && c != '\n') {
		if (c == INTERRUPT_KEY)
			return false;
		sbuf_putc(out, c);
	}
	explicit_bzero(&c, 1);
	return n == 1 && !out->failed;
}

/* Ask on @in, showing the prompt on @out. */
static int ask_on(int in, int out, const char *prompt, struct sbuf *line)
{
	struct termios before, quiet;
	bool ok;

	if (tcgetattr(in, &before) != 0)
		return -1;
	quiet = before;
	quiet.c_lflag &= (tcflag_t)~(ECHO | ISIG); /* see read_line() */
	if (tcsetattr(in, TCSAFLUSH, &quiet) != 0)
		return -1;
	dprintf(out, "%s", prompt);
	team_rest();
	ok = read_line(in, line);
	team_go_on();
	tcsetattr(in, TCSAFLUSH, &before);
	dprintf(out, "\n");
	return ok ? 0 : -1;
}

/*
 * The terminal itself where stdin is none: a pipe on stdin is the command's
 * input, and an answer in it would be a secret in a file or a process list.
 */
static int ask_line(const char *prompt, struct sbuf *line)
{
	AUTO(auto_close) int tty = -1;

	line->max = LINE_MAX_BYTES;
	if (isatty(STDIN_FILENO))
		return ask_on(STDIN_FILENO, STDERR_FILENO, prompt, line);
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	return tty < 0 ? -1 : ask_on(tty, tty, prompt, line);
}

int ask_passphrase(const char *file, struct sbuf *passphrase)
{
	AUTO(auto_free) char *shown = text_escaped(file);
	AUTO(auto_free) char *prompt = NULL;

	if (asprintf(&prompt, "Passphrase for %s: ", shown) < 0 ||
	    ask_line(prompt, passphrase) < 0)
		return -1;
	return passphrase->len ? 0 : -1;
}

int ask_secret(const char *prompt, struct secret *out, struct err *e)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_SECRET;

	if (ask_line(prompt, &line) < 0)
		return err_set(e, ERR_INPUT, "nothing was typed");
	secret_set(out, sbuf_str(&line), line.len);
	return 0;
}
