/*
 * Bytes as the Go tool's envelope. The key derivation takes all the time, so
 * that only the reading of the text is done each time, and the rest for one
 * size in 64.
 */
#include "base/auto.h"
#include "vault/sealed.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_file(const uint8_t *data, size_t size)
{
	AUTO(sbuf_done) struct sbuf plain = SBUF_INIT;
	AUTO(secret_done) struct secret word = { 0 };
	struct age_keys keys = { &word, NULL };
	struct err e = { 0 };

	secret_set(&word, "x", 1);
	if (goseal_open(&plain, data, size, &word, &e) < 0) {
		if (e.code == ERR_NONE || plain.s)
			abort();
	} else if (sealed_open(&plain, data, size, &keys, &e) < 0) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	bool whole = goseal_check(data, size, &e) == 0;

	/* What is whole is also taken for what it is. */
	if (whole && sealed_form(data, size) != SEALED_GO)
		abort();
	if (!whole && e.code != ERR_INPUT)
		abort();
	if (size % 64 == 20)
		open_file(data, size);
	return 0;
}
