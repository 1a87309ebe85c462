/*
 * vault/age against damage and malice: every bit flipped, every truncation,
 * every swapped chunk, work factors and headers that ask for too much. All
 * refused, in bounded time and memory, and nothing comes out.
 */
#include "tests/unit/sealing.h"

#include "vault/age/internal.h"

#define CHUNK (65536 + 16)

/* Open, want a refusal, nothing written, and a code that says whose fault. */
static void assert_damaged(const struct age_keys *keys, const void *file,
			   size_t len, struct err *e)
{
	AUTO(sbuf_done) struct sbuf plain = SBUF_INIT;

	*e = (struct err){ .code = ERR_NONE };
	assert_int_equal(age_open(&plain, file, len, keys, e), -1);
	assert_true(e->code == ERR_INPUT || e->code == ERR_AUTH);
	assert_null(plain.s);
	assert_true(e->msg[0]);
}

/* Where the payload of a binary file begins. */
static size_t payload_of(const struct sbuf *file)
{
	AUTO(age_header_done) struct age_header h = { 0 };
	struct err e = { 0 };

	assert_int_equal(age_header_parse(&h, VIEW(file->s, file->len), &e), 0);
	return file->len - h.payload.len;
}

static struct sbuf sealed(const struct age_to *to, size_t len)
{
	AUTO(auto_free) unsigned char *plain = some_bytes(len);
	struct sbuf out = SBUF_INIT;
	struct err e = { 0 };

	assert_int_equal(age_seal(&out, plain, len, to, &e), 0);
	return out;
}

/* ---- each bit, each length ---- */

static void flip_all(const struct age_keys *keys, struct sbuf *file, bool bits)
{
	size_t payload = age_armored(file->s, file->len) ? file->len
							 : payload_of(file);
	struct err e;

	for (size_t i = 0; i < file->len; i++) {
		for (int bit = 0; bit < (bits ? 8 : 1); bit++) {
			file->s[i] ^= (char)(1 << bit);
			assert_damaged(keys, file->s, file->len, &e);
			/* Past the header it is known to be damage. */
			if (i >= payload)
				assert_int_equal(e.code, ERR_INPUT);
			file->s[i] ^= (char)(1 << bit);
		}
	}
}

static void test_flipped(void **state)
{
	AUTO(person_done) struct person p;
	AUTO(sbuf_done) struct sbuf binary = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf phrase = SBUF_INIT;
	struct age_keys keys = { &p.file, &p.ids };

	(void)state;
	person_new(&p);
	binary = sealed(&(struct age_to){ .recipients = &p.to, .binary = true },
			20);
	flip_all(&keys, &binary, true);
	text = sealed(&(struct age_to){ .recipients = &p.to }, 20);
	flip_all(&keys, &text, true);
	phrase = sealed(&(struct age_to){ .passphrase = &p.file, .log_n = 10,
					  .binary = true }, 20);
	flip_all(&keys, &phrase, false);
}

static void cut_all(const struct age_keys *keys, const struct sbuf *file,
		    size_t most)
{
	struct err e;

	for (size_t n = 0; n < most; n++) {
		/* A copy of that size, so that a sanitizer sees a read past. */
		AUTO(auto_free) char *copy = mem_calloc(n + !n, 1);

		memcpy(copy, file->s, n);
		assert_damaged(keys, copy, n, &e);
	}
}

static void test_cut(void **state)
{
	AUTO(person_done) struct person p;
	AUTO(sbuf_done) struct sbuf binary = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf phrase = SBUF_INIT;
	struct age_keys keys = { &p.file, &p.ids };

	(void)state;
	person_new(&p);
	binary = sealed(&(struct age_to){ .recipients = &p.to, .binary = true },
			20);
	cut_all(&keys, &binary, binary.len);
	/* Without the line end at the end, armour is whole. */
	text = sealed(&(struct age_to){ .recipients = &p.to }, 20);
	cut_all(&keys, &text, text.len - 1);
	phrase = sealed(&(struct age_to){ .passphrase = &p.file, .log_n = 10,
					  .binary = true }, 20);
	cut_all(&keys, &phrase, phrase.len);
}

/* ---- chunks ---- */

/* Three full chunks and a short one; everything that can be done to them. */
static void test_chunks(void **state)
{
	AUTO(person_done) struct person p;
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	AUTO(auto_free) char *copy = NULL;
	struct age_keys keys = { NULL, &p.ids };
	struct err e;
	size_t start;

	(void)state;
	person_new(&p);
	file = sealed(&(struct age_to){ .recipients = &p.to, .binary = true },
		      3 * 65536 + 100);
	start = payload_of(&file) + 16;
	copy = mem_calloc(file.len + CHUNK, 1);
	for (size_t i = 0; i < 3; i++) {
		char *at = copy + start + i * CHUNK;
		size_t rest = file.len - start - i * CHUNK;

		/* Swapped with the next full one. */
		for (size_t j = i + 1; j < 3; j++) {
			memcpy(copy, file.s, file.len);
			memcpy(at, file.s + start + j * CHUNK, CHUNK);
			memcpy(copy + start + j * CHUNK, file.s + start +
			       i * CHUNK, CHUNK);
			assert_damaged(&keys, copy, file.len, &e);
			assert_int_equal(e.code, ERR_INPUT);
		}
		/* Left out. */
		memcpy(copy, file.s, file.len);
		memmove(at, at + CHUNK, rest - CHUNK);
		assert_damaged(&keys, copy, file.len - CHUNK, &e);
		/* There twice. */
		memcpy(copy, file.s, file.len);
		memmove(at + CHUNK, at, rest);
		assert_damaged(&keys, copy, file.len + CHUNK, &e);
		/* Cut off before, in and after it. */
		for (int k = -1; k <= 17; k++)
			assert_damaged(&keys, file.s, start + i * CHUNK +
				       (size_t)k, &e);
		assert_non_null(strstr(e.msg, "cut off"));
	}
	memcpy(copy, file.s, file.len);
	assert_damaged(&keys, copy, file.len + 1, &e);
}

/* ---- a header that asks for too much ---- */

struct hostile {
	const struct age_keys *keys;
	struct sbuf file;
	const char *message;
};

static bool refused(void *arg)
{
	struct hostile *h = arg;
	struct sbuf plain = SBUF_INIT;
	struct age_look look;
	struct err e = { 0 };

	if (age_look(&look, h->file.s, h->file.len, &e) == 0 ||
	    !strstr(e.msg, h->message))
		return false;
	e.msg[0] = '\0';
	if (age_open(&plain, h->file.s, h->file.len, h->keys, &e) == 0 ||
	    e.code != ERR_INPUT || plain.s || !strstr(e.msg, h->message)) {
		print_message("'%s': %s\n", h->message, e.msg);
		return false;
	}
	return true;
}

/* An age file whose scrypt stanza asks for the work factor @log_n. */
static void with_log_n(struct sbuf *out, const char *log_n)
{
	sbuf_clear(out);
	sbuf_printf(out, "age-encryption.org/v1\n"
		    "-> scrypt rF0/NwblUHHTpgQgRpe5CQ %s\n"
		    "gUjEymFKMVXQEKdMMHL24oYexjE3TIC0O0zGSqJ2aUY\n"
		    "--- IOtC2EHzWfTVDUm5aiIqQtH+TtCtdzeWjJXjE6CnWKE\n"
		    "0123456789abcdef0123456789abcdef0123456789abcdef", log_n);
}

static void test_work_factor(void **state)
{
	static const char *const high[] = {
		"23", "30", "63", "64", "99", "4294967295", "4294967296",
		"18446744073709551626", "99999999999999999999999999999999",
	};
	static const char *const malformed[] = {
		"0", "010", "+10", "-10", "0xa", "1e1", "10 ", " 10", "10a", "",
		"10 10", "1\xc2\xb2",
	};
	AUTO(person_done) struct person p;
	struct age_keys keys = { &p.file, NULL };
	struct hostile h = { .keys = &keys };

	(void)state;
	person_new(&p);
	h.message = "asks for a scrypt work factor above 2^22";
	for (size_t i = 0; i < COUNT(high); i++) {
		with_log_n(&h.file, high[i]);
		assert_bounded(refused, &h, 2);
	}
	h.message = "is damaged: its header";
	for (size_t i = 0; i < COUNT(malformed); i++) {
		with_log_n(&h.file, malformed[i]);
		assert_bounded(refused, &h, 2);
	}
	sbuf_done(&h.file);
}

static bool out_of_memory(void *arg)
{
	struct hostile *h = arg;
	struct sbuf plain = SBUF_INIT;
	struct err e = { 0 };

	return age_open(&plain, h->file.s, h->file.len, h->keys, &e) < 0 &&
	       e.code == ERR_SYSTEM && !plain.s &&
	       strstr(e.msg, "that takes 4097 MiB of memory");
}

/* The most that is taken, on a machine that has not got that much. */
static void test_no_memory(void **state)
{
	AUTO(person_done) struct person p;
	struct age_keys keys = { &p.file, NULL };
	struct hostile h = { .keys = &keys };

	(void)state;
	if (SANITIZED) {
		print_message("skipped: a sanitizer's memory has no bounds\n");
		skip();
	}
	person_new(&p);
	with_log_n(&h.file, "22");
	assert_bounded(out_of_memory, &h, 10);
	sbuf_done(&h.file);
}

static void add_stanzas(struct sbuf *out, size_t n, const char *stanza)
{
	sbuf_clear(out);
	sbuf_puts(out, "age-encryption.org/v1\n");
	while (n--)
		sbuf_puts(out, stanza);
}

static void add_end(struct sbuf *out)
{
	sbuf_puts(out, "--- IOtC2EHzWfTVDUm5aiIqQtH+TtCtdzeWjJXjE6CnWKE\n"
		  "0123456789abcdef0123456789abcdef0123456789abcdef");
}

#define X25519_STANZA                                                          \
	"-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc\n"              \
	"EmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U\n"

#define SCRYPT_STANZA                                                          \
	"-> scrypt rF0/NwblUHHTpgQgRpe5CQ 10\n"                                \
	"gUjEymFKMVXQEKdMMHL24oYexjE3TIC0O0zGSqJ2aUY\n"

static void test_stanzas(void **state)
{
	static const char *const stanzas[] = {
		X25519_STANZA, "-> grease\n\n", SCRYPT_STANZA,
	};
	AUTO(person_done) struct person p;
	struct age_keys keys = { &p.file, &p.ids };
	struct hostile h = { .keys = &keys };

	(void)state;
	person_new(&p);
	h.message = "has more than 1000 recipients: refused";
	for (size_t i = 0; i < COUNT(stanzas); i++) {
		add_stanzas(&h.file, 10000, stanzas[i]);
		add_end(&h.file);
		assert_bounded(refused, &h, 2);
		add_stanzas(&h.file, 1001, stanzas[i]);
		add_end(&h.file);
		assert_bounded(refused, &h, 2);
	}
	h.message = "is sealed with a passphrase and in another way";
	add_stanzas(&h.file, 2, stanzas[2]);
	add_end(&h.file);
	assert_bounded(refused, &h, 2);
	sbuf_done(&h.file);
}

/* One line, one argument or one body that does not end. */
static void test_endless(void **state)
{
	static const char full_line[] =
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
	AUTO(person_done) struct person p;
	struct age_keys keys = { &p.file, &p.ids };
	struct hostile h = { .keys = &keys };

	(void)state;
	person_new(&p);
	h.message = "is longer than 1 MiB";
	add_stanzas(&h.file, 1, "-> grease ");
	for (int i = 0; i < 1 << 20; i++)
		sbuf_puts(&h.file, "a b ");
	assert_bounded(refused, &h, 2);
	add_stanzas(&h.file, 1, "-> grease\n");
	for (int i = 0; i < 1 << 16; i++)
		sbuf_puts(&h.file, full_line);
	add_end(&h.file);
	assert_bounded(refused, &h, 2);
	sbuf_done(&h.file);
}

static bool opens_none(void *arg)
{
	struct hostile *h = arg;
	struct sbuf plain = SBUF_INIT;
	struct err e = { 0 };

	return age_open(&plain, h->file.s, h->file.len, h->keys, &e) < 0 &&
	       e.code == ERR_AUTH && strstr(e.msg, h->message);
}

/* As many recipients as are taken, and none of them us. */
static void test_most(void **state)
{
	AUTO(person_done) struct person p;
	struct age_keys keys = { NULL, &p.ids };
	struct hostile h = { .keys = &keys };

	(void)state;
	person_new(&p);
	h.message = "sealed to 1000 recipients, and no identity";
	add_stanzas(&h.file, AGE_STANZAS_MAX, X25519_STANZA);
	add_end(&h.file);
	assert_bounded(opens_none, &h, 20);
	sbuf_done(&h.file);
}

/* A share of low order makes a shared secret that everybody knows. */
static void test_low_order(void **state)
{
	static const char *const shares[] = {
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA",
		"X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc",
		"7P///////////////////////////////////////38",
		"7f///////////////////////////////////////38",
		"7v///////////////////////////////////////38",
	};
	AUTO(person_done) struct person p;
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	struct age_keys keys = { NULL, &p.ids };
	struct err e;

	(void)state;
	person_new(&p);
	for (size_t i = 0; i < COUNT(shares); i++) {
		sbuf_clear(&file);
		sbuf_printf(&file, "age-encryption.org/v1\n-> X25519 %s\n"
			    "EmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U\n",
			    shares[i]);
		add_end(&file);
		assert_damaged(&keys, file.s, file.len, &e);
		assert_int_equal(e.code, ERR_INPUT);
		assert_non_null(strstr(e.msg, "low order"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_work_factor),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_stanzas),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_most),
		cmocka_unit_test(test_low_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
