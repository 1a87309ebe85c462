/*
 * vault/age: identities and recipients, bech32, round trips by ourselves, wrong
 * keys, what cannot be sealed.
 */
#include "tests/unit/sealing.h"

#include "vault/age/age.h"
#include "vault/age/bech32.h"

/* ---- identities and recipients ---- */

#define KNOWN_SECRET                                                        \
	"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZG" \
	"FPQ4EGAEX"

/* The pair in the specification, and age-keygen's opinion of a new one. */
static void test_identity(void **state)
{
	static const char known[] = KNOWN_SECRET;
	static const char head[] = "# created: 2023-11-14T22:13:20Z\n"
				   "# public key: age1";
	AUTO(person_done) struct person spec = { 0 };
	AUTO(person_done) struct person fresh;

	(void)state;
	secret_set(&spec.file, known, strlen(known));
	person_read(&spec);
	assert_string_equal(spec.text, "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hz"
				       "rye869xeexvn73equnujwj");
	person_new(&fresh);
	assert_memory_equal(fresh.file.bytes, head, strlen(head));
	assert_non_null(strstr(secret_text(&fresh.file), fresh.text));
	assert_string_not_equal(fresh.text, spec.text);
	need("age-keygen");
	put_file("key", fresh.file.bytes, fresh.file.len);
	assert_int_equal(RUN("age-keygen", "-y", "-o", "public", "key"), 0);
	fresh.text[62] = '\n';
	assert_file("public", fresh.text, 63);
}

static void test_identity_file(void **state)
{
	AUTO(person_done) struct person a;
	AUTO(person_done) struct person b;
	AUTO(age_identities_done) struct age_identities ids = { 0 };
	AUTO(secret_done) struct secret both = { 0 };
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	struct err e = { 0 };

	(void)state;
	person_new(&a);
	person_new(&b);
	sbuf_printf(&text, "\n# two\r\n%s\r\n\r\n%s", secret_text(&a.file),
		    secret_text(&b.file));
	secret_set(&both, text.s, text.len - 1); /* no line end at the end */
	assert_int_equal(age_identities_parse(&ids, &both, &e), 0);
	assert_int_equal(ids.len, 2);
	assert_true(same_recipient(&ids.items[0].recipient, &a.recipient));
	assert_true(same_recipient(&ids.items[1].recipient, &b.recipient));
	assert_false(same_recipient(&a.recipient, &b.recipient));
}

/* Each is refused, the line named and never shown. */
static void test_identity_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "", "holds no identity" },
		{ "# nothing\n\n", "holds no identity" },
		{ "\n#\nSECRET", "line 3: expected a secret key" },
		{ " AGE-SECRET-KEY-1SECRET", "line 1: expected a secret key" },
		{ KNOWN_SECRET "Z", "line 1: the key is damaged" },
		{ "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFP"
		  "YYSJZGFPQ4EGAE", "line 1: the key is damaged" },
		{ "age-secret-key-1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfp"
		  "yysjzgfpq4egaex", "line 1: expected a secret key" },
		{ "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFP"
		  "YYSJZGFPq4egaex", "line 1: the key is damaged" },
		{ "AGE-SECRET-KEY-PQ-1SECRET", "line 1: post-quantum" },
		{ "AGE-PLUGIN-SECRET-1", "line 1: plugins are not" },
		{ "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnuj"
		  "wj", "line 1: that is a public key" },
		{ "age-encryption.org/v1\n", "is itself sealed" },
		{ "-----BEGIN AGE ENCRYPTED FILE-----\n", "is itself sealed" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\nSECRET",
		  "the OpenSSH private key is damaged" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		AUTO(secret_done) struct secret text = { 0 };
		struct age_identities ids = { 0 };
		struct err e = { 0 };

		secret_set(&text, bad[i].text, strlen(bad[i].text));
		assert_int_equal(age_identities_parse(&ids, &text, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		if (!strstr(e.msg, bad[i].message))
			fail_msg("'%s': %s", bad[i].message, e.msg);
		assert_null(strstr(e.msg, "GFPYY"));
		assert_null(strstr(e.msg, "SECRET-1"));
		assert_int_equal(ids.len, 0);
	}
}

static void test_recipient_refused(void **state)
{
	static const char *const bad[] = {
		"", "age1", "bob",
		"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk",
		"AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ",
		"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj ",
		"age1yubikey1qwerty", "ssh-rsa AAAAB3NzaC1yc2E=", "ssh-ed25519 ",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==",
		KNOWN_SECRET,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct age_recipient r = { .key = { 7 } };
		struct err e = { 0 };

		assert_int_equal(age_recipient_parse(&r, bad[i], &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_null(strstr(e.msg, "GFPYY"));
		assert_int_equal(r.key[0], 7);
	}
}

/* One character changed anywhere is found by the checksum. */
static void test_bech32(void **state)
{
	AUTO(person_done) struct person p;
	unsigned char key[BECH32_BYTES];

	(void)state;
	person_new(&p);
	for (size_t i = 0; i < strlen(p.text); i++) {
		char c = p.text[i];

		for (int other = 1; other < 256; other++) {
			p.text[i] = (char)other;
			assert_int_equal(bech32_decode(key, "age", p.text,
						       strlen(p.text)),
					 (char)other == c);
		}
		p.text[i] = c;
	}
}

/* ---- sealing and opening ---- */

static void test_alone(void **state)
{
	AUTO(person_done) struct person p;
	AUTO(secret_done) struct secret word = { 0 };

	(void)state;
	person_new(&p);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		AUTO(auto_free) unsigned char *plain = some_bytes(sizes[i]);
		struct age_keys keys = { &word, &p.ids };
		struct age_to to = { .recipients = &p.to, .binary = i % 2 };

		seal_to("sealed", plain, sizes[i], &to);
		assert_opens("sealed", &keys, plain, sizes[i]);
		passphrase(&word, i % COUNT(passphrases));
		to = (struct age_to){ .passphrase = &word, .log_n = 10,
				      .binary = i % 2 };
		seal_to("sealed", plain, sizes[i], &to);
		assert_opens("sealed", &keys, plain, sizes[i]);
	}
}

static void test_look(void **state)
{
	AUTO(person_done) struct person p;
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	struct age_look look;
	struct err e = { 0 };

	(void)state;
	person_new(&p);
	vec_push(&p.to, p.recipient);
	assert_int_equal(age_seal(&out, "x", 1, &(struct age_to){
					  .recipients = &p.to }, &e), 0);
	assert_int_equal(age_look(&look, out.s, out.len, &e), 0);
	assert_true(look.armored && !look.passphrase);
	assert_int_equal(look.x25519, 2);
	assert_int_equal(age_seal(&out, "x", 1, &(struct age_to){
					  .passphrase = &p.file, .log_n = 11,
					  .binary = true }, &e), 0);
	assert_int_equal(age_look(&look, out.s, out.len, &e), 0);
	assert_true(!look.armored && look.passphrase);
	assert_int_equal(look.log_n, 11);
	assert_int_equal(look.x25519 + look.ssh_ed25519 + look.unknown, 0);
}

static void test_wrong_key(void **state)
{
	AUTO(person_done) struct person a;
	AUTO(person_done) struct person b;
	AUTO(secret_done) struct secret word = { 0 };
	AUTO(secret_done) struct secret other = { 0 };
	struct age_keys none = { 0 };
	struct age_keys keys = { &other, NULL };
	struct age_to to = { .recipients = &a.to };

	(void)state;
	person_new(&a);
	person_new(&b);
	passphrase(&word, 1);
	passphrase(&other, 2);
	seal_to("sealed", "plain", 5, &to);
	assert_refused("sealed", &none, ERR_AUTH, "it takes an identity");
	assert_refused("sealed", &keys, ERR_AUTH, "it takes an identity");
	keys.identities = &b.ids;
	assert_refused("sealed", &keys, ERR_AUTH, "sealed to 1 recipient, and "
		       "no identity");
	seal_to("sealed", "plain", 5, &(struct age_to){ .passphrase = &word,
							.log_n = 10 });
	assert_refused("sealed", &none, ERR_AUTH, "with a passphrase");
	assert_refused("sealed", &keys, ERR_AUTH, "the passphrase is wrong");
	secret_set(&other, "", 0);
	assert_refused("sealed", &keys, ERR_AUTH, "never empty");
	need("age");
	put_file("b", b.file.bytes, b.file.len);
	seal_to("sealed", "plain", 5, &to);
	assert_int_equal(RUN("age", "-d", "-i", "b", "-o", "no", "sealed"), 1);
}

static void test_cannot_seal(void **state)
{
	AUTO(person_done) struct person p;
	AUTO(secret_done) struct secret empty = { 0 };
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	struct age_recipients none = { 0 };
	struct age_recipients zero = { 0 };
	const struct age_to bad[] = {
		{ 0 },
		{ .recipients = &none },
		{ .passphrase = &empty },
		{ .passphrase = &p.file, .recipients = &p.to },
		{ .recipients = &zero },
	};

	(void)state;
	person_new(&p);
	secret_set(&empty, "", 0);
	vec_add(&zero); /* the point zero: of low order */
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e = { 0 };

		assert_int_equal(age_seal(&out, "x", 1, &bad[i], &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_null(out.s);
	}
	vec_done(&zero);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_identity_file),
		cmocka_unit_test(test_identity_refused),
		cmocka_unit_test(test_recipient_refused),
		cmocka_unit_test(test_bech32),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_wrong_key),
		cmocka_unit_test(test_cannot_seal),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
