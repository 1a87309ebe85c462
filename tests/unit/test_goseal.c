/*
 * vault/goseal: the recorded vectors in both directions, damage, and a reading
 * of our own files that shares no code with us but OpenSSL. And vault/sealed:
 * what a file is, found by looking at it.
 */
#include "vault/goseal.h"

#include "tests/unit/sealing.h"
#include "tests/unit/vectors.h"
#include "vault/sealed.h"

#include <openssl/evp.h>

static json *manifest(void)
{
	return vectors_load("encrypted/manifest.json");
}

/* Bytes of base64 text; for input that is known to be good. */
static struct sbuf bytes64(const char *text)
{
	struct sbuf out = SBUF_INIT;
	size_t len = strlen(text);
	AUTO(auto_free) unsigned char *raw = mem_calloc(len + 4, 1);
	int n = EVP_DecodeBlock(raw, (const unsigned char *)text, (int)len);

	assert_true(n >= 0);
	while (len && text[--len] == '=')
		n--;
	sbuf_add(&out, raw, (size_t)n);
	return out;
}

static void password_of(struct secret *out, json *c)
{
	const char *hex = vectors_text(c, "password_hex");
	unsigned char raw[256];
	size_t n = strlen(hex) / 2;

	assert_true(n <= sizeof raw);
	for (size_t i = 0; i < n; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		raw[i] = (unsigned char)strtoul(pair, NULL, 16);
	}
	secret_set(out, raw, n);
}

static struct sbuf file_of(const char *name)
{
	AUTO(auto_free) char *in = mem_printf("encrypted/%s", name);
	AUTO(auto_free) char *path = vectors_path(in);

	return get_file(path);
}

static struct sbuf plain_of(json *c)
{
	if (*vectors_text(c, "plaintext"))
		return file_of(vectors_text(c, "plaintext"));
	return bytes64(vectors_text(c, "plaintext_base64"));
}

/* Open by code of this test alone: base64, PBKDF2, AES-256-GCM of OpenSSL. */
static struct sbuf open_apart(const struct sbuf *sealed,
			      const struct secret *password)
{
	AUTO(sbuf_done) struct sbuf raw = bytes64(sealed->s);
	struct sbuf plain = SBUF_INIT;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char *b = (unsigned char *)raw.s;
	unsigned char key[32], rest[16];
	unsigned char *out = mem_calloc(raw.len, 1);
	int n = 0;
	int last = 0;

	assert_true(raw.len >= 60);
	assert_int_equal(PKCS5_PBKDF2_HMAC(secret_text(password),
					   (int)password->len, b, 32, 100000,
					   EVP_sha256(), 32, key), 1);
	EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, b + 32);
	EVP_DecryptUpdate(ctx, out, &n, b + 44, (int)raw.len - 60);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, 16, b + raw.len - 16);
	assert_int_equal(EVP_DecryptFinal_ex(ctx, rest, &last), 1);
	sbuf_add(&plain, out, (size_t)n);
	EVP_CIPHER_CTX_free(ctx);
	free(out);
	return plain;
}

static void assert_same(const struct sbuf *a, const struct sbuf *b)
{
	assert_int_equal(a->len, b->len);
	assert_true(a->len == 0 || memcmp(a->s, b->s, a->len) == 0);
}

/* ---- vectors ---- */

static void check_file(json *c)
{
	AUTO(sbuf_done) struct sbuf sealed = file_of(vectors_text(c, "file"));
	AUTO(sbuf_done) struct sbuf want = plain_of(c);
	AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf again = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf apart = SBUF_INIT;
	AUTO(secret_done) struct secret password = { 0 };
	struct err e = { 0 };

	password_of(&password, c);
	assert_int_equal(sealed_form(sealed.s, sealed.len), SEALED_GO);
	if (goseal_open(&got, sealed.s, sealed.len, &password, &e) < 0)
		fail_msg("%s: %s", vectors_text(c, "file"), e.msg);
	assert_true(got.secret);
	assert_same(&got, &want);
	assert_int_equal(goseal_seal(&again, want.s, want.len, &password, &e),
			 0);
	assert_int_equal(again.len, sealed.len);
	assert_string_not_equal(again.s, sealed.s);
	apart = open_apart(&again, &password);
	assert_same(&apart, &want);
}

static void test_files(void **state)
{
	struct tally t = { .kind = "encrypted files" };
	json *m = manifest();
	json *files = vectors_get(m, "files");

	(void)state;
	for (size_t i = 0; i < vectors_len(files); i++, t.checked++)
		check_file(vectors_item(files, i));
	json_object_put(m);
	tally_end(&t);
}

/* Wrong password or damage, as far as it can be known. */
static bool right_code(json *c, size_t len, const struct err *e)
{
	bool known = !strstr(vectors_text(c, "stderr"), "wrong password?") ||
		     len < GOSEAL_LEAST / 3 * 4;

	return e->code == (known ? ERR_INPUT : ERR_AUTH) && e->msg[0];
}

static void check_bad(json *c, struct tally *t)
{
	AUTO(sbuf_done) struct sbuf sealed =
		bytes64(vectors_text(c, "data_base64"));
	AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
	AUTO(secret_done) struct secret password = { 0 };
	struct age_keys keys = { &password, NULL };
	bool want = json_object_get_boolean(vectors_get(c, "accepted"));
	struct err e = { 0 };
	int ret;

	t->checked++;
	password_of(&password, c);
	ret = goseal_open(&got, sealed.s, sealed.len, &password, &e);
	if ((ret == 0) != want)
		tally_failed(t, vectors_text(c, "name"), ret ? e.msg : "taken");
	else if (!want && (!right_code(c, sealed.len, &e) || got.s))
		tally_failed(t, vectors_text(c, "name"), e.msg);
	ret = sealed_open(&got, sealed.s, sealed.len, &keys, &e);
	if ((ret == 0) != want)
		tally_failed(t, vectors_text(c, "name"), "by sealed_open()");
}

static void test_bad(void **state)
{
	struct tally t = { .kind = "encrypted bad" };
	json *m = manifest();
	json *bad = vectors_get(m, "bad");

	(void)state;
	for (size_t i = 0; i < vectors_len(bad); i++)
		check_bad(vectors_item(bad, i), &t);
	json_object_put(m);
	tally_end(&t);
}

/* ---- without vectors ---- */

static void test_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		AUTO(auto_free) unsigned char *plain = some_bytes(sizes[i]);
		AUTO(sbuf_done) struct sbuf sealed = SBUF_INIT;
		AUTO(sbuf_done) struct sbuf apart = SBUF_INIT;
		AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
		AUTO(secret_done) struct secret word = { 0 };
		struct err e = { 0 };

		passphrase(&word, i % COUNT(passphrases));
		assert_int_equal(goseal_seal(&sealed, plain, sizes[i], &word,
					     &e), 0);
		assert_null(strpbrk(sealed.s, "\r\n"));
		assert_int_equal(goseal_open(&got, sealed.s, sealed.len, &word,
					     &e), 0);
		apart = open_apart(&sealed, &word);
		assert_same(&got, &apart);
		assert_int_equal(got.len, sizes[i]);
		assert_true(!got.len || !memcmp(got.s, plain, got.len));
	}
}

/* Each is one key derivation, so not each of the 84. */
static void change(struct sbuf *sealed, size_t i, const struct secret *word)
{
	AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
	struct err e = { 0 };
	char c = sealed->s[i];

	sealed->s[i] = c == 'A' ? 'Q' : 'A';
	assert_int_equal(goseal_open(&got, sealed->s, sealed->len, word, &e),
			 -1);
	assert_int_equal(e.code, ERR_AUTH);
	assert_non_null(strstr(e.msg, "wrong or the file is damaged"));
	assert_null(got.s);
	sealed->s[i] = c;
}

/* Characters changed, each length: 63 bytes, so that there is no padding. */
static void test_damaged(void **state)
{
	AUTO(sbuf_done) struct sbuf sealed = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
	AUTO(secret_done) struct secret word = { 0 };
	struct err e = { 0 };

	(void)state;
	passphrase(&word, 1);
	assert_int_equal(goseal_seal(&sealed, "abc", 3, &word, &e), 0);
	assert_int_equal(sealed.len, 84);
	for (size_t i = 0; i < sealed.len; i++) {
		char c = sealed.s[i];

		if (i % 5 == 0)
			change(&sealed, i, &word);
		sealed.s[i] = (char)(c | 0x80);
		assert_int_equal(goseal_open(&got, sealed.s, sealed.len, &word,
					     &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		sealed.s[i] = c;
		assert_int_equal(goseal_open(&got, sealed.s, i, &word, &e), -1);
		assert_int_equal(e.code, i == 80 ? ERR_AUTH : ERR_INPUT);
		assert_null(got.s);
	}
}

static void test_form(void **state)
{
	static const struct {
		const char *text;
		enum sealed_form form;
	} cases[] = {
		{ "{}", SEALED_NOT },
		{ " \r\n\t{", SEALED_NOT },
		{ "", SEALED_UNKNOWN },
		{ "  \n", SEALED_UNKNOWN },
		{ "null", SEALED_UNKNOWN },
		{ "[]", SEALED_UNKNOWN },
		{ "hello", SEALED_UNKNOWN },
		{ "\xef\xbb\xbf{}", SEALED_UNKNOWN },
		{ "age-encryption.org/v1\n", SEALED_AGE },
		{ "age-encryption.org/v2\n", SEALED_AGE },
		{ "-----BEGIN AGE ENCRYPTED FILE-----\n", SEALED_AGE },
		{ "\n -----BEGIN AGE ENCRYPTED FILE-----\n", SEALED_AGE },
		{ "-----BEGIN PGP MESSAGE-----\n", SEALED_UNKNOWN },
		{ "/zbyXE3FxzVQI5Dj4C5XfJwrcM47oPhgg0TRtySUX0/+YbFlGBXblAt/UYL"
		  "sskTxOZju+5hfwrOKmD+1", SEALED_GO },
		{ "\r\n/zbyXE3FxzVQI5Dj4C5XfJwrcM47oPhgg0TRtySUX0/+YbFlGBXblAt"
		  "/UYL\nsskTxOZju+5hfwrOKmD+1 and more", SEALED_GO },
		{ "/zbyXE3FxzVQI5Dj4C5XfJwrcM47oPhgg0TRtySUX0/+YbFlGBXblAt/UYL"
		  "sskTxOZju+5hfwrOKmD+", SEALED_UNKNOWN },
		{ "/zbyXE3FxzVQI5Dj4C5XfJwrcM47oPhgg0TRtySUX0/+YbFlGBXblAt/UYL"
		  "sskTxOZju 5hfwrOKmD+1", SEALED_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sealed_look look;
		struct err e = { 0 };

		if (sealed_form(cases[i].text, strlen(cases[i].text)) !=
		    cases[i].form)
			fail_msg("'%s'", cases[i].text);
		if (cases[i].form != SEALED_UNKNOWN)
			continue;
		assert_int_equal(sealed_look(&look, cases[i].text,
					     strlen(cases[i].text), &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
	}
}

/* What a file takes, and that the wrong kind of key is told so. */
static void check_look(enum sealed_form form, struct person *p, bool phrase)
{
	AUTO(sbuf_done) struct sbuf sealed = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
	struct sealed_to to = { .form = form, .how = { .log_n = 10 } };
	struct age_keys keys = { NULL, NULL };
	struct sealed_look look;
	struct err e = { 0 };

	if (phrase)
		to.how.passphrase = keys.passphrase = &p->file;
	else
		to.how.recipients = &p->to;
	keys.identities = phrase ? NULL : &p->ids;
	assert_int_equal(sealed_seal(&sealed, "{}", 2, &to, &e), 0);
	assert_int_equal(sealed_look(&look, sealed.s, sealed.len, &e), 0);
	assert_int_equal(look.form, form);
	assert_int_equal(look.passphrase, phrase);
	assert_int_equal(look.recipients, phrase ? 0 : 1);
	assert_int_equal(sealed_open(&got, sealed.s, sealed.len, &keys, &e), 0);
	assert_string_equal(got.s, "{}");
	keys = (struct age_keys){ phrase ? NULL : &p->file,
				  phrase ? &p->ids : NULL };
	assert_int_equal(sealed_open(&got, sealed.s, sealed.len, &keys, &e),
			 -1);
	assert_int_equal(e.code, ERR_AUTH);
	assert_non_null(strstr(e.msg, phrase ? "with a passphrase"
					     : "to recipients"));
	assert_string_equal(got.s, "{}");
}

static void test_look(void **state)
{
	AUTO(person_done) struct person p;
	AUTO(secret_done) struct secret empty = { 0 };
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	struct sealed_to to = { .form = SEALED_GO };
	struct sealed_look look;
	struct err e = { 0 };

	(void)state;
	person_new(&p);
	check_look(SEALED_GO, &p, true);
	check_look(SEALED_AGE, &p, true);
	check_look(SEALED_AGE, &p, false);
	assert_int_equal(sealed_look(&look, "{}", 2, &e), 0);
	assert_int_equal(look.form, SEALED_NOT);
	secret_set(&empty, "", 0);
	assert_int_equal(sealed_seal(&out, "x", 1, &to, &e), -1);
	to.how.recipients = &p.to;
	assert_int_equal(sealed_seal(&out, "x", 1, &to, &e), -1);
	to.how = (struct age_to){ .passphrase = &empty };
	assert_int_equal(sealed_seal(&out, "x", 1, &to, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_null(out.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
