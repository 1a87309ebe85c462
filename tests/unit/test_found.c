/*
 * What runs on a host that is taken over, by a real shell: what is read there, and
 * what keeps its key and its boot file. Nothing of this machine is touched:
 * /etc/wireguard and /run are a folder of the test.
 */
#include "render/host/host.h"
#include "render/host/host.h"
#include "render/plan.h"
#include "tests/unit/fixture.h"

#define NONCE "0123456789abcdef"

/* A deploy that meets no other one. */
static const struct script_run same_run = { NONCE, "me@here, pid 1", "", false };

#define HEAD(section) "\n=" NONCE "= " section "\n"
#define PSK "ppppppppppppppppppppppppppppppppppppppppppA="
#define KEY_D "ddddddddddddddddddddddddddddddddddddddddddA="

/* ---- a folder in place of a host ---- */

struct place {
	char folder[32];
};

static void place_init(struct place *p)
{
	memcpy(p->folder, "/tmp/wgmesh-import-XXXXXX", 26);
	assert_non_null(mkdtemp(p->folder));
}

static void place_done(struct place *p)
{
	char *command = mem_printf("rm -r %s", p->folder);

	assert_int_equal(pclose(popen(command, "we")), 0);
	free(command);
}

static void put_file(const struct place *p, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", p->folder, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	free(path);
}

/* The text of a file; "" when there is none. */
static void get_file(struct sbuf *out, const struct place *p, const char *name)
{
	char *path = mem_printf("%s/%s", p->folder, name);
	AUTO(auto_fclose) FILE *f = fopen(path, "re");
	int c;

	free(path);
	while (f && (c = fgetc(f)) != EOF)
		sbuf_putc(out, (char)c);
}

/* @text with the folder in place of a host's. */
static void redirect(struct sbuf *out, const struct place *p, const char *text)
{
	while (*text) {
		size_t skip = strncmp(text, "/etc/wireguard", 14) == 0 ? 14
			      : strncmp(text, "/run/", 5) == 0	      ? 4
								      : 0;

		if (skip)
			sbuf_puts(out, p->folder);
		else
			sbuf_putc(out, *text);
		text += skip ? skip : 1;
	}
}

/* What a shell prints that reads @text, where wg is the function @wg. */
static void run(struct sbuf *out, const struct place *p, const char *wg,
		const char *text)
{
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;
	char *command = mem_printf("sh >%s/answer", p->folder);
	FILE *shell = popen(command, "we");

	free(command);
	assert_non_null(shell);
	redirect(&script, p, text);
	fprintf(shell, "wg() { %s\n}\n%s", wg, sbuf_str(&script));
	assert_int_equal(pclose(shell), 0);
	get_file(out, p, "answer");
}

/* ---- what is read ---- */

static const char by_hand[] =
	"# our office\n[interface]\nPrivateKey = hush\nAddress=10.99.0.1/16\n"
	"MTU = 1380 # less\nPostUp = curl -H 'token: hush' x; echo a=b\n"
	"PostUp = true\nTable = off\nSaveConfig=true\nDNS = 1.1.1.1\n\n"
	"# above\n[Peer]\nPublicKey = " KEY_A "\n# not a name\n\n"
	"# far\n\n[peer]\n# Name = inside\n# more\npublickey=" KEY_B "#x\n"
	"[Peer]\r\nPublicKey = " KEY_C "\r\n# up\n# close\n[Peer]\n"
	"AllowedIPs = ::/0\nPublicKey=" KEY_D;

#define WG_BY_HAND                                                            \
	"case $3 in private-key) echo " KEY_A ";; preshared-keys) printf "    \
	"'%s\\t%s\\n' " KEY_D " '(none)' " KEY_B " " PSK " " KEY_A            \
	" '(none)' " KEY_C " '(none)';; *) exit 9;; esac"

static void read_file(struct found *f, struct sbuf *answer, bool key,
		      bool hooks, const char *file)
{
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;
	struct place p;
	struct err e = { 0 };

	place_init(&p);
	put_file(&p, "wg0.conf", file);
	found_script(&script, "wg0", key, hooks, NONCE);
	run(answer, &p, WG_BY_HAND, sbuf_str(&script));
	place_done(&p);
	if (found_parse(f, sbuf_str(answer), answer->len, NONCE, &e) < 0)
		fail_msg("%s", e.msg);
}

static void read_host(struct found *f, struct sbuf *answer, bool key)
{
	read_file(f, answer, key, false, by_hand);
}

/* Commands, where they are asked for: as wg-quick would read them. */
static void test_hooks(void **state)
{
	static const struct { const char *file, *up, *down, *dropped; } all[] = {
		{ by_hand, "curl -H 'token: hush' x; echo a=b, true", NULL,
		  "SaveConfig, DNS" },
		{ "[Interface]\n postup=a # b\nPREDOWN =\tc  d \r\n"
		  "PreDown =\nPostDown = x\n[Peer]\nPostUp = y\n", "a", "c  d",
		  "PostDown" },
		{ "[Interface]\nPostUp = wg set %i private-key /x\n"
		  "PostUp = iptables -A FORWARD -i %i -j ACCEPT\n",
		  "iptables -A FORWARD -i %i -j ACCEPT", NULL, "PostUp" },
		{ "[Interface]\nPreUp = a\nPreDown = b\nPreDown = a\n", NULL,
		  "b, a", "PreUp" },
		{ "# managed by wgmesh, mesh x, serial 1\n[Interface]\n"
		  "PostUp = ip route\n# hooks of this node\nPostUp = mine\n",
		  "mine", NULL, "PostUp" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		AUTO(found_done) struct found f = { 0 };
		AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
		AUTO(auto_free) char *up = NULL, *down = NULL, *rest = NULL;

		read_file(&f, &answer, false, true, all[i].file);
		up = strings_line(&f.post_up, 99);
		down = strings_line(&f.pre_down, 99);
		rest = strings_line(&f.dropped, 99);
		assert_string_equal(up ? up : "", all[i].up ? all[i].up : "");
		assert_string_equal(down ? down : "",
				    all[i].down ? all[i].down : "");
		assert_string_equal(rest, all[i].dropped);
	}
}

static const char *name_of(const struct found *f, const char *key)
{
	const struct found_peer *p = found_peer(f, key);

	assert_non_null(p);
	return p->name ? p->name : "";
}

/* The forms of common tools: the same names as from the file itself. */
static void test_names(void **state)
{
	static const struct { const char *peer, *name; } all[] = {
		{ "# Name: alice\n[Peer]\nPublicKey = " KEY_A "\n", "alice" },
		{ "[Peer]\n#Name# = bob\nPublicKey = " KEY_A "\n", "bob" },
		{ "[Peer] # bob\nPublicKey = " KEY_A "\n", "bob" },
		{ "[Peer]\nPublicKey = " KEY_A " # friendly_name=c\n", "c" },
		{ "### Client dora\n[Peer]\nPublicKey = " KEY_A "\n", "dora" },
		{ "# BEGIN_PEER eve\n[Peer]\nPublicKey=" KEY_A
		  "\n# END_PEER eve\n", "eve" },
		{ "[Interface]\nDNS = x\n# fred (laptop)\n[Peer]\n"
		  "PublicKey = " KEY_A "\nEndpoint = a:1 # home\n", "fred-laptop" },
		{ "[Peer]\nPublicKey = " KEY_A "\n# of the next\n[Peer]\n"
		  "AllowedIPs = ::/0\n", "" },
		{ "# PrivateKey = hush\n[Peer]\nPublicKey = " KEY_A "\n", "" },
		{ "# \033[31m\303\244\377 x\n[Peer]\nPublicKey = " KEY_A "\n",
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		AUTO(found_done) struct found f = { 0 };
		AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;

		read_file(&f, &answer, false, false, all[i].peer);
		assert_string_equal(name_of(&f, KEY_A), all[i].name);
		assert_null(strstr(sbuf_str(&answer), "hush"));
	}
}

/* A host that sends a section twice gets no peer of ours that has moved. */
static void test_again(void **state)
{
	AUTO(found_done) struct found f = { 0 };
	struct err e = { 0 };
	static const char text[] =
		HEAD("preshared") KEY_A "\t(none)\n" HEAD("boot")
		"line p here\npeer " KEY_A "\nline k\n" HEAD("preshared")
		KEY_B "\t(none)\n" KEY_C "\t(none)\n" KEY_D "\t(none)\n"
		HEAD("boot") "line p\nline s\nline c\nline i there\n"
		HEAD("boot") "line x\n";

	(void)state;
	assert_int_equal(found_parse(&f, text, strlen(text) - 7, NONCE, &e), 0);
	assert_string_equal(name_of(&f, KEY_A), "here");
	found_done(&f);
	assert_int_equal(found_parse(&f, text, strlen(text), NONCE, &e), -1);
}

static void test_read(void **state)
{
	AUTO(found_done) struct found f = { 0 };
	AUTO(found_done) struct found less = { 0 };
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer2 = SBUF_INIT;

	(void)state;
	read_host(&f, &answer, true);
	assert_string_equal(secret_text(&f.private_key), KEY_A);
	assert_int_equal(f.peers.len, 4);
	assert_string_equal(secret_text(&found_peer(&f, KEY_B)->preshared_key),
			    PSK);
	assert_int_equal(found_peer(&f, KEY_A)->preshared_key.len, 0);
	assert_string_equal(name_of(&f, KEY_A), "above");
	assert_string_equal(name_of(&f, KEY_B), "inside");
	assert_string_equal(name_of(&f, KEY_C), "");
	assert_string_equal(name_of(&f, KEY_D), "close");
	assert_int_equal(f.mtu, 1380);
	assert_int_equal(f.dropped.len, 3);
	assert_string_equal(f.dropped.items[0], "PostUp");
	assert_string_equal(f.dropped.items[1], "SaveConfig");
	assert_string_equal(f.dropped.items[2], "DNS");
	assert_null(strstr(sbuf_str(&answer), "hush"));
	/* the key stays there unless it is asked for */
	read_host(&less, &answer2, false);
	assert_int_equal(less.private_key.len, 0);
	assert_null(strstr(sbuf_str(&answer2), "private"));
}

static void test_read_bad(void **state)
{
	static const char *const bad[] = {
		HEAD("private") "not a key\n", HEAD("preshared") KEY_A "\n",
		HEAD("preshared") KEY_A "\thush\n", HEAD("boot") "x\x1b\n",
		HEAD("preshared") "x\t(none)\n",
	};
	struct found f = { 0 };
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (found_parse(&f, bad[i], strlen(bad[i]), NONCE, &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.code, ERR_INPUT);
		assert_null(strstr(e.msg, "hush"));
		assert_true(text_is_printable(e.msg));
	}
	/* other nonces and sections are nobody's */
	assert_int_equal(found_parse(&f, "=ff= private\n" KEY_A "\n", 58,
				     NONCE, &e), 0);
	assert_int_equal(f.private_key.len, 0);
}

/* ---- on the host, at the next deploy ---- */

/* The key file after script_make_key() where wg is this. */
static void make_key(struct sbuf *file, const char *wg, const char *before)
{
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	AUTO(auto_free) char *key = NULL;
	struct place p;
	struct err e = { 0 };

	place_init(&p);
	if (before)
		put_file(&p, "wg0.key", before);
	script_make_key(&script, "wg0", false, &same_run);
	run(&answer, &p, wg, sbuf_str(&script));
	get_file(file, &p, "wg0.key");
	if (script_parse_key(&key, sbuf_str(&answer), answer.len, NONCE,
			     &e) < 0)
		fail_msg("%s", e.msg);
	place_done(&p);
}

#define WG_KEYS(live)                                                         \
	"case $1 in genkey) echo " KEY_C ";; pubkey) cat;; show) " live      \
	";; esac"

static void test_key_stays(void **state)
{
	AUTO(sbuf_done) struct sbuf live = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf unset = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf none = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;

	(void)state;
	make_key(&live, WG_KEYS("echo " KEY_B), NULL);
	assert_string_equal(sbuf_str(&live), KEY_B "\n");
	make_key(&unset, WG_KEYS("echo '(none)'"), NULL);
	assert_string_equal(sbuf_str(&unset), KEY_C "\n");
	make_key(&none, WG_KEYS("echo no such device >&2; return 1"), NULL);
	assert_string_equal(sbuf_str(&none), KEY_C "\n");
	make_key(&file, WG_KEYS("echo " KEY_B), KEY_A "\n");
	assert_string_equal(sbuf_str(&file), KEY_A "\n");
}

/* The file that @before is kept in when the boot file is written. */
static void write_boot(struct sbuf *kept, const char *before,
		       const char *before_that)
{
	AUTO(sbuf_done) struct sbuf script = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(plan_done) struct plan plan = { .mesh = &m };
	struct place p;

	mesh_of(&m, "'mesh_id':'" MESH_ID "'");
	vec_add(&plan.steps)->kind = STEP_WRITE_BOOT;
	place_init(&p);
	put_file(&p, "wg0.conf", before);
	if (before_that)
		put_file(&p, "wg0.conf.before-wgmesh", before_that);
	script_text(&script, &plan, "new\n", &same_run);
	run(&answer, &p, ":", sbuf_str(&script));
	assert_non_null(strstr(sbuf_str(&answer), HEAD("ok 0")));
	get_file(&file, &p, "wg0.conf");
	assert_string_equal(sbuf_str(&file), "new\n");
	get_file(kept, &p, "wg0.conf.before-wgmesh");
	place_done(&p);
}

/* What somebody else wrote is kept, once; what we wrote is not. */
static void test_backup(void **state)
{
	AUTO(sbuf_done) struct sbuf foreign = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf again = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf ours = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf other = SBUF_INIT;

	(void)state;
	write_boot(&foreign, "by hand\n", NULL);
	assert_string_equal(sbuf_str(&foreign), "by hand\n");
	write_boot(&again, "by hand\n", "older\n");
	assert_string_equal(sbuf_str(&again), "older\n");
	write_boot(&ours, "# managed by wgmesh, mesh " MESH_ID ", serial 1\n",
		   NULL);
	assert_string_equal(sbuf_str(&ours), "");
	write_boot(&other, "# managed by wgmesh, mesh ff, serial 1\n", NULL);
	assert_string_equal(sbuf_str(&other),
			    "# managed by wgmesh, mesh ff, serial 1\n");
}

/* ---- the probe ---- */

/* What the probe reports of a host without interface that has this boot file. */
static void probe(struct sbuf *report, const char *boot)
{
	const struct probe_request request = { .interface = "wgmesh-none",
					       .nonce = NONCE, .local = true,
					       .known_hostname = "" };
	AUTO(sbuf_done) struct sbuf command = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	struct place p;

	place_init(&p);
	put_file(&p, "wgmesh-none.conf", boot);
	put_file(&p, "wg", "#!/bin/sh\nsed 's/^/public of /'\n");
	sbuf_printf(&text, "chmod 700 %s/wg; PATH=%s:$PATH; export PATH; read "
		    "x\n", p.folder, p.folder);
	probe_command(&command, &request);
	sbuf_printf(&text, "echo | (%s) | cat\n", sbuf_str(&command));
	run(report, &p, ":", sbuf_str(&text));
	place_done(&p);
}

static void test_probe(void **state)
{
	AUTO(sbuf_done) struct sbuf foreign = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf ours = SBUF_INIT;

	(void)state;
	/* the public key of a foreign file, and no secret */
	probe(&foreign, "[Interface]\n  privatekey=hush # x\n[Peer]\n"
			"PublicKey = k\nPresharedKey = hush2\n");
	assert_non_null(strstr(sbuf_str(&foreign), HEAD("boot") "|\n"
			       "public public of hush\n\n|PublicKey = k\n"));
	assert_null(strstr(sbuf_str(&foreign), "hush2"));
	/* ours, as wgquick_hash() sees it; as it should not be, hidden too */
	probe(&ours, "# managed by wgmesh, mesh x, serial 1\n"
		     "PrivateKey = hush\nPresharedKey = hush2\n"
		     "presharedkey=hush3\n");
	assert_non_null(strstr(sbuf_str(&ours), HEAD("boot")
			       "# managed by wgmesh, mesh x, serial 1\n"
			       "|PrivateKey = (hidden)\npublic public of hush\n"
			       "\n|PresharedKey = (hidden)\n|(secret)\n"));
	assert_null(strstr(sbuf_str(&ours), "hush2"));
	assert_null(strstr(sbuf_str(&ours), "hush3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_read_bad),
		cmocka_unit_test(test_key_stays),
		cmocka_unit_test(test_backup),
		cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests_name("found", tests, NULL, NULL);
}
