/*
 * Any bytes as a state file: refused in one printable line, or read; what was
 * read is written, and reads and writes the same again.
 */
#include "acl/access.h"
#include "base/auto.h"
#include "base/text.h"
#include "state/check.h"
#include "state/json.h"

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
	struct strings warnings = { 0 };
	struct err e = { 0 };

	if (state_parse(&m, (const char *)data, size, &e) < 0) {
		if (e.code != ERR_INPUT || !text_is_printable(e.msg))
			abort();
		return 0;
	}
	state_format(&text, &m);
	again(&text);
	if (check_deployable(&m, &e) == 0)
		access_check(&m, &warnings, &e);
	strings_done(&warnings);
	return 0;
}
