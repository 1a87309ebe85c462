#include "cmd/ask.h"

#include "base/auto.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>

bool ask_on_terminal(void)
{
	AUTO(auto_close) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	return fd >= 0;
}

static void read_line(int fd, struct sbuf *out)
{
	char c;

	while (read(fd, &c, 1) == 1 && c != '\n')
		sbuf_putc(out, c);
}

int ask_passphrase(const char *file, struct sbuf *passphrase)
{
	AUTO(auto_close) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	AUTO(auto_free) char *shown = text_escaped(file);
	struct termios before, quiet;

	if (fd < 0 || tcgetattr(fd, &before) != 0)
		return -1;
	quiet = before;
	quiet.c_lflag &= (tcflag_t)~ECHO;
	if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
		return -1;
	dprintf(fd, "Passphrase for %s: ", shown);
	read_line(fd, passphrase);
	tcsetattr(fd, TCSAFLUSH, &before);
	dprintf(fd, "\n");
	return passphrase->len ? 0 : -1;
}
