/*
 * Any bytes as a state file: refused in one printable line, or read; what was
 * read is written, and reads and writes the same again.
 */
#include "base/auto.h"
#include "base/text.h"
#include "render/validate.h"
#include "state/json/json.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct sbuf *text)
{
	AUTO(sbuf_done) struct sbuf second = SBUF_INIT;
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e;

	if (state_parse(&m, sbuf_str(text), text->len, &e) < 0)
		abort();
	state_format(&second, &m);
	if (second.len != text->len ||
	    memcmp(sbuf_str(&second), sbuf_str(text), text->len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(findings_done) struct findings all = { 0 };
	struct err e = { 0 };

	if (state_parse(&m, (const char *)data, size, &e) < 0) {
		if (e.code != ERR_INPUT || !text_is_printable(e.msg))
			abort();
		return 0;
	}
	state_format(&text, &m);
	again(&text);
	validate_mesh(&all, &m);
	for (size_t i = 0; i < all.len; i++)
		if (!text_is_printable(all.items[i].text))
			abort();
	return 0;
}
