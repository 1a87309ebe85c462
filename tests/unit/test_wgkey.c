/* vault/wgkey: RFC 7748 vectors, strict base64, agreement with wg(8). */
#include "vault/wgkey.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void public_of(const char *private_key, char out[WGKEY_TEXT + 1])
{
	AUTO(secret_done) struct secret s = { 0 };
	struct err e = { 0 };

	secret_set(&s, private_key, strlen(private_key));
	assert_int_equal(wgkey_public(&s, out, &e), 0);
	assert_int_equal(e.code, ERR_NONE);
}

/* RFC 7748, section 6.1. */
static void test_rfc7748(void **state)
{
	char text[WGKEY_TEXT + 1];

	(void)state;
	public_of("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=", text);
	assert_string_equal(text,
			    "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
	public_of("XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Os=", text);
	assert_string_equal(text,
			    "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=");
}

static void test_generate(void **state)
{
	AUTO(secret_done) struct secret a = { 0 };
	AUTO(secret_done) struct secret b = { 0 };
	char public_a[WGKEY_TEXT + 1];
	char public_b[WGKEY_TEXT + 1];
	char again[WGKEY_TEXT + 1];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(wgkey_generate(&a, public_a, &e), 0);
	assert_int_equal(wgkey_generate(&b, public_b, &e), 0);
	assert_int_equal(a.len, WGKEY_TEXT);
	assert_true(wgkey_valid(secret_text(&a)));
	assert_true(wgkey_valid(public_a));
	assert_false(secret_equal(&a, &b));
	assert_string_not_equal(public_a, public_b);
	public_of(secret_text(&a), again);
	assert_string_equal(again, public_a);
}

/* The neighbours of those are keys. */
static void test_next_to_weak(void **state)
{
	(void)state;
	assert_true(wgkey_valid("AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
	assert_true(wgkey_valid("6////////////////////////////////////////38="));
	assert_true(wgkey_valid("7////////////////////////////////////////38="));
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"", "K", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n",
		" dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCp=",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LC==",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCoA",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25L*o=",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25====",
		/* with these there is no secret: points of low order */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA=",
		"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=",
		"X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=",
		"7P///////////////////////////////////////38=",
		"7f///////////////////////////////////////38=",
		"7v///////////////////////////////////////38=",
		"7f////////////////////////////////////////8=",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO(secret_done) struct secret s = { 0 };
		char text[WGKEY_TEXT + 1] = "untouched";
		struct err e = { 0 };

		assert_false(wgkey_valid(bad[i]));
		secret_set(&s, bad[i], strlen(bad[i]));
		assert_int_equal(wgkey_public(&s, text, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_string_equal(e.msg, "private key is not 44 characters "
				    "of base64 as 'wg genkey' prints them");
		assert_string_equal(text, "untouched");
	}
}

/* What `wg pubkey` says to the private key in the file @path. */
static bool ask_wg(const char *path, char *out, size_t size)
{
	char command[256];
	FILE *p;
	bool ok;

	snprintf(command, sizeof command, "wg pubkey < '%s'", path);
	p = popen(command, "re");
	ok = p && fgets(out, (int)size, p);
	if (p && pclose(p) != 0)
		ok = false;
	out[strcspn(out, "\n")] = '\0';
	return ok;
}

static void test_against_wg(void **state)
{
	char path[] = "/tmp/wgmesh-key-XXXXXX";
	int fd;

	(void)state;
	if (access("/usr/bin/wg", X_OK) != 0) {
		print_message("skipped: no /usr/bin/wg\n");
		skip();
	}
	fd = mkstemp(path);
	assert_true(fd >= 0);
	for (int i = 0; i < 20; i++) {
		AUTO(secret_done) struct secret s = { 0 };
		char ours[WGKEY_TEXT + 1];
		char theirs[256] = "";
		struct err e = { 0 };

		assert_int_equal(wgkey_generate(&s, ours, &e), 0);
		assert_int_equal(pwrite(fd, s.bytes, s.len, 0), s.len);
		assert_true(ask_wg(path, theirs, sizeof theirs));
		assert_string_equal(ours, theirs);
	}
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc7748),
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_next_to_weak),
		cmocka_unit_test(test_against_wg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
