/*
 * Bytes as an age file (binary or armoured), an identity file, a recipient.
 * What seals takes part too: the bytes as plain text must come back, from a
 * fixed identity, so that the input decides alone.
 */
#include "base/auto.h"
#include "base/vec.h"
#include "vault/sealed.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char identity[] = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJ"
			       "ZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

static struct age_identities ids;
static struct age_recipients to;

static void begin(void)
{
	struct secret text = { 0 };
	struct err e = { 0 };

	if (ids.len)
		return;
	secret_set(&text, identity, sizeof identity - 1);
	if (age_identities_parse(&ids, &text, &e) < 0)
		abort();
	vec_push(&to, ids.items[0].recipient);
	secret_done(&text);
}

/* No passphrase: scrypt would take all the time there is. */
static void open_file(const uint8_t *data, size_t size)
{
	AUTO(sbuf_done) struct sbuf plain = SBUF_INIT;
	struct age_keys keys = { NULL, &ids };
	struct age_look look;
	struct err e = { 0 };
	bool opened = age_open(&plain, data, size, &keys, &e) == 0;

	if (!opened && e.code == ERR_NONE)
		abort();
	if (opened && age_look(&look, data, size, &e) < 0)
		abort();
	if (opened && sealed_form(data, size) != SEALED_AGE)
		abort();
}

static void parse_identities(const uint8_t *data, size_t size)
{
	AUTO(age_identities_done) struct age_identities v = { 0 };
	AUTO(secret_done) struct secret text = { 0 };
	struct err e = { 0 };

	secret_set(&text, data, size);
	if (age_identities_parse(&v, &text, &e) == 0 && !v.len)
		abort();
}

/* What is taken must be written in one way only. */
static void parse_recipient(const uint8_t *data, size_t size)
{
	AUTO(auto_free) char *text = mem_strndup((const char *)data, size);
	char again[AGE_RECIPIENT_TEXT];
	struct age_recipient r, s;
	struct err e = { 0 };

	if (age_recipient_parse(&r, text, &e) < 0)
		return;
	age_recipient_text(&r, again);
	if (strncmp(again, text, strlen(again)) != 0 ||
	    age_recipient_parse(&s, again, &e) < 0 ||
	    r.kind != s.kind || memcmp(r.key, s.key, sizeof r.key) != 0)
		abort();
}

static void round_trip(const uint8_t *data, size_t size)
{
	AUTO(sbuf_done) struct sbuf sealed = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf plain = SBUF_INIT;
	struct age_to how = { .recipients = &to, .binary = size % 2 };
	struct age_keys keys = { NULL, &ids };
	struct err e = { 0 };

	if (age_seal(&sealed, data, size, &how, &e) < 0 ||
	    age_open(&plain, sealed.s, sealed.len, &keys, &e) < 0 ||
	    plain.len != size || (size && memcmp(plain.s, data, size) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	begin();
	open_file(data, size);
	parse_identities(data, size);
	parse_recipient(data, size);
	if (size % 8 == 0)
		round_trip(data, size);
	return 0;
}
