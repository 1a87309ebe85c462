/*
 * Any bytes as the answer to a script: never more steps done than there are,
 * and only printable words.
 */
#include "base/text.h"
#include "render/host/host.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct step steps[] = {
		{ .kind = STEP_LISTEN_PORT }, { .kind = STEP_ADD_PEER },
		{ .kind = STEP_REMOVE_PEER }, { .kind = STEP_ADD_ROUTE },
		{ .kind = STEP_WRITE_BOOT },
	};
	const struct plan p = { .steps = { steps, 5, 5 } };
	struct script_result r = { 0 };
	struct err e = { 0 };

	if (script_parse(&r, &p, (const char *)data, size, "0123456789abcdef",
			 &e) < 0) {
		if (e.code != ERR_REMOTE || !text_is_printable(e.msg))
			abort();
		return 0;
	}
	if (r.steps_done > 5 || r.failed_step >= 5 ||
	    (r.failure && !text_is_printable(r.failure)))
		abort();
	script_result_done(&r);
	return 0;
}
