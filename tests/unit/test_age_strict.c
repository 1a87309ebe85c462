/*
 * vault/age, how strict it reads: headers, armour and payloads that are made
 * with the right keys and the right checksum, and yet odd. The specification
 * says which are taken; the stock age, where it is installed, must agree.
 */
#include "tests/unit/sealing.h"

#include "vault/crypto/aead.h"
#include "vault/age/internal.h"

#define A16 "AAAAAAAAAAAAAAAA"
#define A64 A16 A16 A16 A16

/** Does the stock age agree? */
enum stock { STOCK_AGREES, STOCK_REFUSES_IT, STOCK_NOT_ASKED };

static void judge(const char *name, const struct sbuf *file, struct person *p,
		  bool taken, enum stock stock)
{
	AUTO(sbuf_done) struct sbuf plain = SBUF_INIT;
	struct age_keys keys = { NULL, &p->ids };
	struct err e = { 0 };
	bool stock_taken = taken && stock == STOCK_AGREES;

	if ((age_open(&plain, file->s, file->len, &keys, &e) == 0) != taken)
		fail_msg("'%s' is %s: %s", name, taken ? "refused" : "taken",
			 e.msg);
	assert_true(taken || e.code == ERR_INPUT);
	if (taken)
		assert_string_equal(plain.s, "plain");
	if (stock == STOCK_NOT_ASKED || !have("age"))
		return;
	put_file("odd", file->s, file->len);
	if ((RUN("age", "-d", "-i", "key", "-o", "opened", "odd") == 0) !=
	    stock_taken)
		fail_msg("'%s': the stock age thinks otherwise", name);
}

static void person_at_home(struct person *p)
{
	person_new(p);
	put_file("key", p->file.bytes, p->file.len);
}

/* ---- headers ---- */

/* A file with that text before and after the true stanza; key in @key. */
static void craft(struct sbuf *out, struct person *p, const char *before,
		  const char *after, struct file_key *key)
{
	unsigned char mac[32];
	struct stanza s;
	struct err e = { 0 };

	memset(key->b, 9, sizeof key->b);
	sbuf_clear(out);
	sbuf_puts(out, AGE_VERSION_LINE "\n");
	sbuf_puts(out, before);
	assert_int_equal(age_share_wrap(&s, key, &p->recipient, &e), 0);
	age_stanza_write(out, &s);
	sbuf_puts(out, after);
	sbuf_puts(out, "---");
	assert_int_equal(age_header_mac(mac, key, VIEW(out->s, out->len), &e),
			 0);
	age_mac_write(out, mac);
	assert_int_equal(age_payload_seal(out, key, VIEW("plain", 5), &e), 0);
}

static const struct {
	const char *text;
	bool taken;
} stanzas[] = {
	{ "", true },
	{ "-> grease\n\n", true },
	{ "-> x25519 nobody\nAAAA\n", true },
	{ "-> SCRYPT " A16 " 10\nAAAA\n", true },
	{ "-> !\"#$ ~ <>&\nAAAA\n", true },
	{ "-> grease a b c d e f g\nAAA\n", true },
	{ "-> grease\n" A64 "\n\n", true },
	{ "-> grease\n" A64 "\n" A64 "\nAA\n", true },
	{ "-> grease\n" A64 "\n", false },
	{ "-> grease\n", false },
	{ "-> grease\nAA==\n", false },
	{ "-> grease\nAB\n", false },
	{ "-> grease\nA\n", false },
	{ "-> grease\nAAAAA\n", false },
	{ "-> grease\nAA A\n", false },
	{ "-> grease\nAA-_\n", false },
	{ "-> grease\nAAAA\nAAAA\n", false },
	{ "-> grease\n" A64 "AAAA\n\n", false },
	{ "-> grease\n" A64 "AAAA\n", false },
	{ "-> grease\nAAAA\n\n", false },
	{ "-> grease\r\n\r\n", false },
	{ "-> grease\nAAAA\r\n", false },
	{ "-> grease \nAAAA\n", false },
	{ "->  grease\nAAAA\n", false },
	{ "-> grease  b\nAAAA\n", false },
	{ "-> grease\tb\nAAAA\n", false },
	{ "-> gr\x7f\nAAAA\n", false },
	{ "-> gr\xc3\xa4\nAAAA\n", false },
	{ "-> \nAAAA\n", false },
	{ "->\nAAAA\n", false },
	{ "->grease\nAAAA\n", false },
	{ "grease\n", false },
	{ "\n", false },
	{ " \n", false },
	{ "--- " A16 "\n", false },
	{ "-> X25519\nAAAA\n", false },
	{ "-> X25519 AAAA\n" A16 A16 "AAAAAAAAAAA\n", false },
	{ "-> X25519 CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAA\n", false },
	{ "-> X25519 CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n"
	  A16 A16 "AAAAAAAAAAA\n", false },
	{ "-> X25519 CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA a\n"
	  A16 A16 "AAAAAAAAAAA\n", false },
	{ "-> scrypt rF0/NwblUHHTpgQgRpe5CQ 10\n" A16 A16 "AAAAAAAAAAA\n", false },
};

static void test_stanzas(void **state)
{
	AUTO(person_done) struct person p;
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	struct file_key key;

	(void)state;
	person_at_home(&p);
	for (size_t i = 0; i < COUNT(stanzas); i++) {
		const char *text = stanzas[i].text;
		/*
		 * The stock age looks at arguments no further than to the
		 * stanza that fits, and not at all at scrypt's here.
		 */
		bool lax = strncmp(text, "-> X25519", 9) == 0;
		bool deaf = strncmp(text, "-> scrypt", 9) == 0;

		craft(&file, &p, text, "", &key);
		judge(text, &file, &p, stanzas[i].taken,
		      deaf ? STOCK_NOT_ASKED : STOCK_AGREES);
		craft(&file, &p, "", text, &key);
		judge(text, &file, &p, stanzas[i].taken,
		      lax || deaf ? STOCK_NOT_ASKED : STOCK_AGREES);
	}
}

/** A text that is found once or more, and what it is replaced by. */
struct edit {
	const char *name, *find, *with;
	bool all, taken;
	enum stock stock;
};

static void apply(struct sbuf *out, const struct sbuf *in,
		  const struct edit *edit)
{
	const char *end = in->s + in->len;
	const char *at = in->s;
	const char *found;

	sbuf_clear(out);
	while ((found = memmem(at, (size_t)(end - at), edit->find,
			       strlen(edit->find)))) {
		sbuf_add(out, at, (size_t)(found - at));
		sbuf_puts(out, edit->with);
		at = found + strlen(edit->find);
		if (!edit->all)
			break;
	}
	assert_true(at > in->s); /* the edit did something */
	sbuf_add(out, at, (size_t)(end - at));
}

static void judge_edits(struct person *p, const struct sbuf *file,
			const struct edit *edits, size_t n)
{
	AUTO(sbuf_done) struct sbuf odd = SBUF_INIT;

	for (size_t i = 0; i < n; i++) {
		apply(&odd, file, &edits[i]);
		judge(edits[i].name, &odd, p, edits[i].taken, edits[i].stock);
	}
}

static void test_header_lines(void **state)
{
	static const struct edit edits[] = {
		{ .name = "version 2", .find = "/v1", .with = "/v2" },
		{ .name = "version line with CR", .find = "v1\n",
		  .with = "v1\r\n" },
		{ .name = "blank before the version", .find = "age-",
		  .with = " age-" },
		{ .name = "no blank before the checksum", .find = "--- ",
		  .with = "---" },
		{ .name = "two blanks before the checksum", .find = "--- ",
		  .with = "---  " },
		{ .name = "four dashes", .find = "--- ", .with = "---- " },
	};
	AUTO(person_done) struct person p;
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	struct file_key key;

	(void)state;
	person_at_home(&p);
	craft(&file, &p, "", "", &key);
	judge_edits(&p, &file, edits, COUNT(edits));
}

/* The checksum's own line: its length, its last character, its end. */
static void test_checksum(void **state)
{
	static const char *const ends[] = {
		"=\n", " \n", "\r\n", "A\n", " AAAA\n", "", "\n\n",
	};
	AUTO(person_done) struct person p;
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf odd = SBUF_INIT;
	struct file_key key;
	size_t end;

	(void)state;
	person_at_home(&p);
	craft(&file, &p, "", "", &key);
	end = (size_t)(strstr(file.s, "\n--- ") - file.s) + 5 + 43;
	assert_int_equal(file.s[end], '\n');
	for (size_t i = 0; i < COUNT(ends); i++) {
		sbuf_clear(&odd);
		sbuf_add(&odd, file.s, end);
		sbuf_puts(&odd, ends[i]);
		sbuf_add(&odd, file.s + end + 1, file.len - end - 1);
		judge(ends[i], &odd, &p, false, STOCK_AGREES);
	}
	file.s[end - 1]++; /* the same bytes, another spelling */
	judge("checksum not canonical", &file, &p, false, STOCK_AGREES);
}

/* ---- armour ---- */

static const struct edit armour_edits[] = {
	{ "CRLF", "\n", "\r\n", true, true, 0 },
	{ "CRLF in the first line", "\n", "\r\n", false, true, 0 },
	{ "no line end at the end", "END AGE ENCRYPTED FILE-----\n",
	  "END AGE ENCRYPTED FILE-----", false, true, 0 },
	{ "blanks after it", "END AGE ENCRYPTED FILE-----\n",
	  "END AGE ENCRYPTED FILE-----\n \n\t\r\n ", false, true, 0 },
	/* The program, unlike its library, looks at the first bytes only. */
	{ "blanks before it", "-----BEGIN", "\n \t\r\n-----BEGIN", false, true,
	  STOCK_REFUSES_IT },
	{ "blanks in the first line", "-----BEGIN", " -----BEGIN", false,
	  false, 0 },
	{ "blank ends the first line", "FILE-----\n", "FILE----- \n", false,
	  false, 0 },
	{ "text after it", "END AGE ENCRYPTED FILE-----\n",
	  "END AGE ENCRYPTED FILE-----\nx", false, false, 0 },
	{ "text in the last line", "END AGE ENCRYPTED FILE-----",
	  "END AGE ENCRYPTED FILE-----x", false, false, 0 },
	{ "text before it", "-----BEGIN", "x\n-----BEGIN", false, false, 0 },
	{ "another type", "AGE ENCRYPTED FILE", "PGP MESSAGE", true, false, 0 },
	{ "another type ends it", "END AGE ENCRYPTED", "END ENCRYPTED", false,
	  false, 0 },
	{ "lower case", "BEGIN AGE", "begin age", false, false, 0 },
	{ "empty line first", "FILE-----\n", "FILE-----\n\n", false, false, 0 },
	{ "a PEM header", "FILE-----\n", "FILE-----\nA: b\n\n", false, false,
	  0 },
	{ "empty line last", "\n-----END", "\n\n-----END", false, false, 0 },
	{ "a PGP checksum", "\n-----END", "\n=AbCd\n-----END", false, false,
	  0 },
	{ "no last line", "-----END AGE ENCRYPTED FILE-----\n", "", false,
	  false, 0 },
	{ "no padding", "==\n", "\n", false, false, 0 },
	{ "more padding", "==\n", "===\n", false, false, 0 },
	{ "line end in the padding", "==\n", "=\n=\n", false, false, 0 },
	{ "blank ends a line", "YWdl", "YWdl ", false, false, 0 },
	{ "a short line", "YWdl", "YWdl\n", false, false, 0 },
	{ "a long line", "YWdl", "YWdlYWdl", false, false, 0 },
	{ "URL-safe alphabet", "/", "_", true, false, 0 },
	{ "a blank starts a line", "\nYWdl", "\n YWdl", false, false, 0 },
	{ "armour in armour", "FILE-----\n", "FILE-----\n-----BEGIN AGE "
	  "ENCRYPTED FILE-----\n", false, false, 0 },
};

static void test_armour(void **state)
{
	AUTO(person_done) struct person p;
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	struct file_key key;
	char *last;

	(void)state;
	person_at_home(&p);
	/* "==" at the end and a slash: made so by an unknown stanza. */
	craft(&file, &p, "-> grease /////\n\n", "", &key);
	while (file.len % 3 != 1) {
		AUTO(auto_free) char *more = mem_printf(
			"-> grease ????%.*s\n\n", (int)(file.len % 3), "?????");

		craft(&file, &p, more, "", &key);
	}
	age_armor_write(&text, VIEW(file.s, file.len));
	judge("armour", &text, &p, true, STOCK_AGREES);
	judge_edits(&p, &text, armour_edits, COUNT(armour_edits));
	last = strstr(text.s, "==\n");
	last[-1]++; /* the same bytes, another spelling */
	judge("armour not canonical", &text, &p, false, STOCK_AGREES);
	last[-1]--;
	/* The first two lines made one. */
	last = strchr(strchr(text.s, '\n') + 1, '\n');
	memmove(last, last + 1, strlen(last));
	text.len--;
	judge("a line of 128 columns", &text, &p, false, STOCK_AGREES);
}

/* Full lines only; and the last line has just the end of the text. */
static void test_armour_sizes(void **state)
{
	AUTO(person_done) struct person p;
	struct age_keys keys = { NULL, NULL };

	(void)state;
	person_at_home(&p);
	keys.identities = &p.ids;
	for (size_t len = 0; len < 100; len++) {
		AUTO(auto_free) unsigned char *plain = some_bytes(len);

		seal_to("sealed", plain, len, &(struct age_to){
				.recipients = &p.to });
		assert_opens("sealed", &keys, plain, len);
		if (!have("age"))
			continue;
		put_file("opened", "", 0);
		assert_int_equal(RUN("age", "-d", "-i", "key", "-o", "opened",
				     "sealed"), 0);
		assert_file("opened", plain, len);
	}
}

/* ---- payloads ---- */

/* One more chunk to a payload that ends with a full one: the last, empty. */
static void add_empty_chunk(struct sbuf *file, const struct file_key *key,
			    const char *payload)
{
	static const unsigned char nonce[12] = { [10] = 1, [11] = 1 };
	unsigned char tag[16];
	struct aead *a = NULL;
	struct err e = { 0 };
	struct key k;

	assert_int_equal(crypto_hkdf(&k, VIEW(key->b, sizeof key->b),
				     VIEW(payload, 16), "payload", &e), 0);
	assert_int_equal(aead_new(&a, AEAD_CHACHA20_POLY1305, AEAD_SEAL, &k,
				  &e), 0);
	assert_true(aead_seal(a, nonce, VIEW("", 0), tag, tag));
	aead_free(a);
	sbuf_add(file, tag, sizeof tag);
}

/* An empty last chunk after a full one: a second spelling of the same text. */
static void test_empty_chunk(void **state)
{
	AUTO(person_done) struct person p;
	AUTO(auto_free) unsigned char *plain = some_bytes(65537);
	AUTO(sbuf_done) struct sbuf longer = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	struct file_key key;
	struct err e = { 0 };
	size_t head;

	(void)state;
	person_at_home(&p);
	craft(&file, &p, "", "", &key);
	head = file.len - 16 - 5 - 16;
	/* 64 KiB + 1: the first chunk is full and not the last. */
	assert_int_equal(age_payload_seal(&longer, &key, VIEW(plain, 65537),
					  &e), 0);
	file.len = head;
	sbuf_add(&file, longer.s, 16 + 65536 + 16);
	judge("no last chunk", &file, &p, false, STOCK_AGREES);
	add_empty_chunk(&file, &key, longer.s);
	judge("an empty last chunk", &file, &p, false, STOCK_AGREES);
	file.len = head;
	assert_int_equal(age_payload_seal(&file, &key, VIEW(plain, 0), &e), 0);
	assert_int_equal(age_open(&out, file.s, file.len, &(struct age_keys){
					  NULL, &p.ids }, &e), 0);
	assert_int_equal(out.len, 0);
	file.len = head + 16;
	judge("no chunk", &file, &p, false, STOCK_AGREES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stanzas),
		cmocka_unit_test(test_header_lines),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_armour),
		cmocka_unit_test(test_armour_sizes),
		cmocka_unit_test(test_empty_chunk),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
