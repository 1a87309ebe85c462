/*
 * vault/age and the stock age, each opening what the other sealed: recipients,
 * passphrases typed on a terminal, OpenSSH keys.
 */
#include "tests/unit/sealing.h"

/* ---- recipients ---- */

/* The stock age makes no file for an empty plain text. */
static void assert_stock_opens(const char *identity, const void *want,
			       size_t len)
{
	put_file("opened", "", 0);
	assert_int_equal(RUN("age", "-d", "-i", identity, "-o", "opened",
			     "sealed"), 0);
	assert_file("opened", want, len);
}

static void test_stock_opens(void **state)
{
	AUTO(person_done) struct person a;
	AUTO(person_done) struct person b;

	(void)state;
	need("age");
	person_new(&a);
	person_new(&b);
	put_file("a", a.file.bytes, a.file.len);
	put_file("b", b.file.bytes, b.file.len);
	vec_push(&a.to, b.recipient);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		AUTO(auto_free) unsigned char *plain = some_bytes(sizes[i]);
		struct age_to to = { .recipients = &a.to, .binary = i % 2 };

		seal_to("sealed", plain, sizes[i], &to);
		assert_stock_opens("a", plain, sizes[i]);
		assert_stock_opens("b", plain, sizes[i]);
	}
}

static void test_opens_stock(void **state)
{
	AUTO(person_done) struct person a;
	AUTO(person_done) struct person b;
	struct age_keys keys = { 0 };

	(void)state;
	need("age");
	person_new(&a);
	person_new(&b);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		AUTO(auto_free) unsigned char *plain = some_bytes(sizes[i]);

		put_file("plain", plain, sizes[i]);
		keys.identities = i % 2 ? &a.ids : &b.ids;
		assert_int_equal(RUN("age", "-r", a.text, "-r", b.text, "-o",
				     "sealed", "plain"), 0);
		assert_opens("sealed", &keys, plain, sizes[i]);
		assert_int_equal(RUN("age", "-a", "-r", a.text, "-r", b.text,
				     "-o", "sealed", "plain"), 0);
		assert_opens("sealed", &keys, plain, sizes[i]);
	}
}

/* ---- passphrases, on a terminal ---- */

static void test_stock_opens_passphrase(void **state)
{
	AUTO(secret_done) struct secret word = { 0 };

	(void)state;
	need("age");
	for (size_t i = 0; i < COUNT(passphrases); i++) {
		struct age_to to = { .passphrase = &word, .log_n = 10,
				     .binary = i % 2 };

		passphrase(&word, i);
		seal_to("sealed", "plain", 5, &to);
		unlink("opened");
		assert_int_equal(RUN_TYPING(secret_text(&word), "age", "-d",
					    "-o", "opened", "sealed"), 0);
		assert_file("opened", "plain", 5);
	}
	assert_int_equal(RUN_TYPING("wrong", "age", "-d", "-o", "no", "sealed"),
			 1);
}

static void assert_log_n(const char *path, int want)
{
	AUTO(sbuf_done) struct sbuf file = get_file(path);
	struct age_look look;
	struct err e = { 0 };

	assert_int_equal(age_look(&look, file.s, file.len, &e), 0);
	assert_int_equal(look.log_n, want);
}

/* The stock age writes a work factor of 18, as we do when not told. */
static void test_opens_stock_passphrase(void **state)
{
	AUTO(secret_done) struct secret word = { 0 };
	struct age_keys keys = { &word, NULL };

	(void)state;
	need("age");
	put_file("plain", "plain", 5);
	for (size_t i = 0; i < COUNT(passphrases); i++) {
		passphrase(&word, i);
		assert_int_equal(RUN_TYPING(secret_text(&word), "age", "-p",
					    i % 2 ? "-a" : "-e", "-o", "sealed",
					    "plain"), 0);
		assert_opens("sealed", &keys, "plain", 5);
	}
	seal_to("sealed", "again", 5, &(struct age_to){ .passphrase = &word });
	assert_log_n("sealed", 18);
	assert_int_equal(RUN_TYPING(secret_text(&word), "age", "-d", "-o",
				    "opened", "sealed"), 0);
	assert_file("opened", "again", 5);
	secret_set(&word, "wrong", 5);
	assert_refused("sealed", &keys, ERR_AUTH, "the passphrase is wrong");
}

/* ---- OpenSSH keys ---- */

static void test_ssh(void **state)
{
	AUTO(person_done) struct person p = { 0 };
	AUTO(sbuf_done) struct sbuf key = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf public_key = SBUF_INIT;
	struct age_keys keys = { NULL, &p.ids };
	struct age_recipient r;
	struct err e = { 0 };

	(void)state;
	need("ssh-keygen");
	assert_int_equal(RUN("ssh-keygen", "-q", "-t", "ed25519", "-N", "",
			     "-C", "a comment", "-f", "ssh"), 0);
	key = get_file("ssh");
	public_key = get_file("ssh.pub");
	secret_set(&p.file, key.s, key.len);
	person_read(&p);
	assert_int_equal(age_recipient_parse(&r, public_key.s, &e), 0);
	assert_true(same_recipient(&r, &p.recipient));
	assert_memory_equal(p.text, public_key.s, strlen(p.text));
	seal_to("sealed", "plain", 5, &(struct age_to){ .recipients = &p.to });
	assert_opens("sealed", &keys, "plain", 5);
	need("age");
	assert_int_equal(RUN("age", "-d", "-i", "ssh", "-o", "opened",
			     "sealed"), 0);
	assert_file("opened", "plain", 5);
	assert_int_equal(RUN("age", "-R", "ssh.pub", "-o", "sealed", "opened"),
			 0);
	assert_opens("sealed", &keys, "plain", 5);
}

/* Not ours: another type, a passphrase, a byte changed anywhere. */
static void test_ssh_refused(void **state)
{
	AUTO(secret_done) struct secret text = { 0 };
	AUTO(sbuf_done) struct sbuf key = SBUF_SECRET;
	struct age_identities ids = { 0 };
	struct err e = { 0 };

	(void)state;
	need("ssh-keygen");
	RUN("ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", "other");
	RUN("ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", "locked");
	RUN("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "good");
	key = get_file("other");
	secret_set(&text, key.s, key.len);
	assert_int_equal(age_identities_parse(&ids, &text, &e), -1);
	assert_non_null(strstr(e.msg, "is not of type ssh-ed25519"));
	sbuf_done(&key);
	key = get_file("locked");
	secret_set(&text, key.s, key.len);
	assert_int_equal(age_identities_parse(&ids, &text, &e), -1);
	assert_non_null(strstr(e.msg, "has a passphrase"));
	sbuf_done(&key);
	key = get_file("good");
	for (size_t i = 0; i < key.len; i++) {
		secret_set(&text, key.s, i);
		if (i < key.len - 1)
			assert_int_equal(age_identities_parse(&ids, &text, &e),
					 -1);
	}
	assert_int_equal(ids.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stock_opens),
		cmocka_unit_test(test_opens_stock),
		cmocka_unit_test(test_stock_opens_passphrase),
		cmocka_unit_test(test_opens_stock_passphrase),
		cmocka_unit_test(test_ssh),
		cmocka_unit_test(test_ssh_refused),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
