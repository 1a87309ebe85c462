/*
 * Random bytes from the kernel, and as hex.
 */
#include "base/random.h"

#include "base/text.h"

#include <sys/random.h>

int random_bytes(void *out, size_t n, struct err *e)
{
	/* up to 256 bytes come whole, and no signal cuts in: getrandom(2) */
	if (getrandom(out, n, 0) != (ssize_t)n)
		return err_sys(e, "cannot get random bytes");
	return 0;
}

int random_hex(char *out, size_t digits, struct err *e)
{
	unsigned char raw[32];

	if (random_bytes(raw, digits / 2, e) < 0)
		return -1;
	text_hex(out, raw, digits / 2);
	return 0;
}
