/*
 * Any bytes as the message of a commit: its trailers are of one line each; and
 * as what goes into a message of ours: nothing but our trailers comes back.
 */
#include "base/auto.h"
#include "base/text.h"
#include "state/git/git.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_any(const char *text)
{
	AUTO(trailers_done) struct trailers found = { 0 };

	message_trailers(&found, text);
	for (size_t i = 0; i < found.len; i++)
		if (strpbrk(found.items[i].key, "\r\n") ||
		    strpbrk(found.items[i].value, "\r\n") ||
		    !trailers_find(&found, found.items[i].key))
			abort();
}

static void add_lines(struct strings *out, const char *text)
{
	AUTO(auto_free) char *copy = mem_strdup(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		strings_add(out, line);
}

static void check_lines(const char *text)
{
	AUTO(auto_free) char *copy = mem_strdup(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		if (!text_is_printable(line))
			abort();
}

/* Words of a value, as they come back: escaped, one blank between them. */
static char *words(const char *value)
{
	AUTO(auto_free) char *shown = text_escaped(value);
	struct sbuf b = SBUF_INIT;
	char *rest = shown, *word;

	while ((word = strsep(&rest, " ")))
		if (*word)
			sbuf_printf(&b, "%s%s", b.len ? " " : "", word);
	return b.len ? sbuf_detach(&b) : mem_strdup("");
}

static void write_ours(const char *text)
{
	AUTO(auto_free) char *value = words(text);
	AUTO(strings_done) struct strings body = { 0 };
	AUTO(trailers_done) struct trailers t = { 0 }, found = { 0 };
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	const struct message m = { text, &body, &t };

	add_lines(&body, text);
	trailers_add(&t, TRAILER_SERIAL, "7");
	if (*value)
		trailers_add(&t, TRAILER_FAILED, text);
	trailers_add(&t, TRAILER_MESH, "00112233445566778899aabbccddeeff");
	message_write(&out, &m);
	check_lines(out.s);
	message_trailers(&found, out.s);
	if (found.len != t.len || strcmp(found.items[0].value, "7") != 0 ||
	    (*value && strcmp(found.items[1].value, value) != 0) ||
	    strcmp(found.items[t.len - 1].key, TRAILER_MESH) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(auto_free) char *text = mem_strndup((const char *)data, size);

	read_any(text);
	write_ours(text);
	return 0;
}
