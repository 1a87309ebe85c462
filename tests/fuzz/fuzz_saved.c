/*
 * Any bytes as a saved plan: refused in one printable line, or written back byte
 * by byte and held against itself.
 */
#include "base/auto.h"
#include "base/text.h"
#include "state/json/json.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(saved_plan_done) struct saved_plan p = { 0 };
	AUTO(sbuf_done) struct sbuf again = SBUF_INIT;
	struct err e = { 0 };

	if (saved_plan_parse(&p, (const char *)data, size, &e) < 0) {
		if (e.code != ERR_INPUT || !text_is_printable(e.msg))
			abort();
		return 0;
	}
	if (saved_plan_write(&again, &p, &e) < 0 || again.len != size ||
	    memcmp(again.s, data, size) != 0)
		abort();
	if (saved_plan_check_state(&p, &p, &e) < 0 ||
	    saved_plan_check_hosts(&p, &p, &e) < 0)
		abort();
	return 0;
}
