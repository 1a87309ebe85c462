/*
 * A command line of the user's in words, without a shell: $EDITOR and the
 * password command, in which a file name with a blank or a "$" is to stay what it is.
 */
#include "vault/words.h"

#include "base/auto.h"
#include "base/sbuf.h"

/* As a shell, but for variables, patterns and what else it does with text.
 * Take in one word from *@s on; 0, or -1 when a quote stays open. */
static int take_word(struct sbuf *word, const char **s)
{
	char quote = '\0';
	const char *p = *s;

	for (; *p && (quote || (*p != ' ' && *p != '\t' && *p != '\n')); p++) {
		if (quote && *p == quote)
			quote = '\0';
		else if (!quote && (*p == '\'' || *p == '"'))
			quote = *p;
		else if (*p == '\\' && quote != '\'' && p[1])
			sbuf_putc(word, *++p);
		else
			sbuf_putc(word, *p);
	}
	*s = p;
	return quote ? -1 : 0;
}

int words_split(struct strings *out, const char *s, struct err *e)
{
	size_t before = out->len;

	for (;;) {
		AUTO(sbuf_done) struct sbuf word = SBUF_INIT;

		s += strspn(s, " \t\n");
		if (!*s)
			break;
		if (take_word(&word, &s) < 0)
			return err_set(e, ERR_INPUT, "the command has a quote "
				       "that is not closed");
		strings_add(out, sbuf_str(&word));
	}
	if (out->len == before)
		return err_set(e, ERR_INPUT, "the command is empty");
	return 0;
}
