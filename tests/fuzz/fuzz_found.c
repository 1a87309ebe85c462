/*
 * Any bytes as what `import` reads besides the probe: refused in one printable
 * line without a key in it, or taken in.
 */
#include "base/auto.h"
#include "base/text.h"
#include "render/host/host.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(found_done) struct found f = { 0 };
	struct err e = { 0 };

	if (found_parse(&f, (const char *)data, size, "0123456789abcdef",
			&e) < 0) {
		if (!text_is_printable(e.msg))
			abort();
		return 0;
	}
	for (size_t i = 0; i < f.peers.len; i++)
		if (!found_peer(&f, f.peers.items[i].public_key))
			abort();
	return 0;
}
