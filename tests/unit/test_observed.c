/*
 * render/observed and the parsers of the report: a whole report, each section,
 * and hosts that lie.
 */
#include "base/text.h"
#include "render/host/host.h"
#include "tests/unit/fixture.h"

#define NONCE "0123456789abcdef"
#define HEAD(section) "\n=" NONCE "= " section "\n"
#define HOST                                                                  \
	HEAD("host") "uid=0\nnow=1800000000\nssh=192.0.2.9 40000 192.0.2.1 22\n" \
	"hostname=web1\nfqdn=web1.example.org\nforward4=1\nforward6=0\nwg=1\n" \
	"ip=1\napt=1\nsystemd=1\nenabled=1\n"

#define NO_KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const struct probe_request request = { .interface = "wg0",
					      .nonce = NONCE };

static int parse(struct observed *o, const char *text, size_t len,
		 struct err *e)
{
	memset(o, 0, sizeof *o);
	return observed_parse(o, text, len, &request, e);
}

static void good(struct observed *o, const char *text)
{
	struct err e = { 0 };

	if (parse(o, text, strlen(text), &e) < 0)
		fail_msg("refused: %s", e.msg);
}

/* Refused with these words, in one printable line. */
static void bad(const char *text, const char *words)
{
	struct observed o, none = { 0 };
	struct err e = { 0 };

	if (parse(&o, text, strlen(text), &e) == 0)
		fail_msg("accepted: %s", text);
	if (!strstr(e.msg, words))
		fail_msg("'%s' does not say '%s'", e.msg, words);
	assert_true(text_is_printable(e.msg));
	assert_true(strlen(e.msg) < 600);
	assert_memory_equal(&o, &none, sizeof o);
}

static void test_whole(void **state)
{
	static const char boot[] =
		"[Interface]\nPublicKey = " KEY_B "\n publickey=\t" KEY_C
		" # c\n\n\tENDPOINT =[2001:db8::9]:51820 \n";
	struct observed o;
	char text[ADDR_TEXT_MAX];

	(void)state;
	good(&o,
	     "Welcome to web1!\n" HOST
	     HEAD("address")
	     "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever\n"
	     "2: eth0    inet 192.0.2.1/24 brd 192.0.2.255 scope global eth0\\  x\n"
	     "2: eth0    inet6 2001:db8::5/64 scope global temporary dynamic \\ x\n"
	     "7: wg0    inet 10.99.0.1/16 scope global wg0\\       valid_lft x\n"
	     HEAD("link")
	     "7: wg0: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1420 qdisc noqueue state UNKNOWN\\    link/none\n"
	     HEAD("dump")
	     KEY_A "\t51820\t0xca6c\n"
	     KEY_C "\t(set)\t[2001:db8::9]:51820\t10.99.0.3/32,fd00::/48\t1799999999\t1\t2\t25\n"
	     KEY_B "\t(none)\t(none)\t(none)\t0\t0\t0\toff\n"
	     HEAD("route4")
	     "10.99.0.0/16 proto kernel scope link src 10.99.0.1 \n"
	     "192.168.5.5 via 10.99.0.3 proto 119 \n"
	     "blackhole 10.7.0.0/16 \n"
	     HEAD("route6") "fd55::/48 via fd99::3 proto 119 metric 1024 pref medium\n"
	     HEAD("boot")
	     "public " KEY_A "\n|[Interface]\n"
	     "# managed by wgmesh, mesh " MESH_ID ", serial 41\n"
	     "|PublicKey = " KEY_B "\n| publickey=\t" KEY_C " # c\n"
	     "|\n|\tENDPOINT =[2001:db8::9]:51820 \n"
	     HEAD("dropin")
	     "# managed by wgmesh: this host forwards\n"
	     "# before: net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=1\n"
	     "net.ipv4.ip_forward = 1\n");
	assert_true(o.is_root && o.has_wg && o.has_ip && o.has_apt);
	assert_true(o.has_systemd && o.unit_enabled && o.forward4);
	assert_false(o.forward6);
	assert_string_equal(o.hostname, "web1");
	assert_string_equal(o.fqdn, "web1.example.org");
	assert_string_equal(o.ssh_client, "192.0.2.9");
	assert_string_equal(o.ssh_server, "192.0.2.1");
	assert_int_equal(o.now, 1800000000);
	assert_int_equal(o.addresses.len, 4);
	assert_true(o.addresses.items[2].passing);
	assert_string_equal(o.addresses.items[3].ifname, "wg0");
	assert_true(o.exists && o.is_up && o.is_wireguard);
	assert_int_equal(o.mtu, 1420);
	assert_int_equal(o.fwmark, 0xca6c);
	/* sorted by key */
	assert_string_equal(o.peers.items[0].public_key, KEY_B);
	assert_true(o.peers.items[1].has_psk);
	assert_string_equal(cidrs_text(&o.peers.items[1].allowed_ips),
			    "10.99.0.3/32,fd00::/48");
	assert_int_equal(o.peers.items[1].handshake, 1799999999);
	assert_ptr_equal(observed_peer_by_key(&o, KEY_C), &o.peers.items[1]);
	assert_null(observed_peer_by_key(&o, KEY_A));
	assert_int_equal(o.routes.len, 3);
	assert_true(o.routes.items[0].kernel && !o.routes.items[0].tagged);
	assert_true(o.routes.items[1].tagged);
	assert_string_equal(ip_text(&o.routes.items[2].gateway, text), "fd99::3");
	assert_int_equal(o.boot, BOOT_MARKED);
	assert_string_equal(o.boot_mesh_id, MESH_ID);
	assert_int_equal(o.boot_serial, 41);
	assert_string_equal(o.boot_public_key, KEY_A);
	assert_true(o.boot_hash ==
		    text_hash(TEXT_HASH_START, boot, strlen(boot)));
	assert_string_equal(observed_boot_endpoint(&o, KEY_C),
			    "[2001:db8::9]:51820");
	assert_null(observed_boot_endpoint(&o, KEY_B));
	assert_null(observed_boot_endpoint(&o, KEY_A));
	assert_true(o.dropin && o.dropin4 && !o.dropin6);
	observed_done(&o);
}

/* ---- for a digest ---- */

#define TEXT_HOST                                                             \
	HEAD("host") "uid=0\nnow=1800000000\nssh=192.0.2.9 40000 192.0.2.1 22\n" \
	"hostname=h\nlock=\nwg=1\nip=1\nforward4=1\n"
#define TEXT_ADDRESS                                                          \
	HEAD("address") "2: eth0    inet 192.0.2.1/24 scope global eth0\\  x\n"
#define TEXT_LINK HEAD("link") "7: wg0: <UP> mtu 1420 x\n"
#define TEXT_DUMP HEAD("dump") KEY_A "\t51820\toff\n"
#define TEXT_PEER                                                             \
	KEY_B "\t(none)\t192.0.2.2:51820\t10.99.0.2/32\t1799999990\t1\t1\toff\n"
#define TEXT_ROUTE HEAD("route4") "10.1.0.0/16 via 10.99.0.2 proto 119\n"
#define TEXT_BOOT                                                             \
	HEAD("boot") "|x\n# managed by wgmesh, mesh " MESH_ID ", serial 4\n"

/* Does this report say the same as the one of those parts? */
static bool same_text(const char *report)
{
	struct sbuf a = SBUF_INIT, b = SBUF_INIT;
	struct observed o;
	bool same;

	good(&o, TEXT_HOST TEXT_ADDRESS TEXT_LINK TEXT_DUMP TEXT_PEER TEXT_ROUTE
	     TEXT_BOOT);
	observed_text(&a, &o);
	observed_done(&o);
	good(&o, report);
	observed_text(&b, &o);
	observed_done(&o);
	same = strcmp(sbuf_str(&a), sbuf_str(&b)) == 0;
	sbuf_done(&a);
	sbuf_done(&b);
	return same;
}

/* What moves by itself. */
static void test_text_same(void **state)
{
	(void)state;
	assert_true(same_text(
		HEAD("host") "uid=0\nnow=1800000999\nssh=192.0.2.8 1 192.0.2.1 "
		"22\nhostname=h\nlock=0a\nwg=1\nip=1\nforward4=1\n" TEXT_ADDRESS
		"3: veth9    inet6 fe80::9/64 scope link \\  x\n"
		"2: eth0    inet6 2001:db8::5/64 scope global temporary dynamic \\ x\n"
		TEXT_LINK TEXT_DUMP
		KEY_B "\t(none)\t192.0.2.99:1\t10.99.0.2/32\t1800000998\t7\t8\toff\n"
		TEXT_ROUTE TEXT_BOOT));
}

/* Each thing that a plan depends on. */
static void test_text_differs(void **state)
{
	static const char *const c[] = {
		TEXT_HOST TEXT_ADDRESS TEXT_LINK TEXT_DUMP TEXT_ROUTE TEXT_BOOT,
		TEXT_HOST TEXT_ADDRESS TEXT_LINK TEXT_DUMP TEXT_PEER TEXT_BOOT,
		TEXT_HOST TEXT_ADDRESS TEXT_LINK TEXT_DUMP TEXT_PEER TEXT_ROUTE,
		TEXT_HOST TEXT_LINK TEXT_DUMP TEXT_PEER TEXT_ROUTE TEXT_BOOT,
		TEXT_HOST TEXT_ADDRESS TEXT_LINK TEXT_DUMP TEXT_PEER TEXT_ROUTE
		HEAD("boot") "|y\n# managed by wgmesh, mesh " MESH_ID
		", serial 4\n",
		TEXT_HOST TEXT_ADDRESS TEXT_LINK TEXT_DUMP TEXT_PEER TEXT_ROUTE
		HEAD("boot") "|x\n# managed by wgmesh, mesh " MESH_ID
		", serial 5\n",
		TEXT_HOST TEXT_ADDRESS TEXT_LINK HEAD("dump") KEY_A
		"\t51821\toff\n" TEXT_PEER TEXT_ROUTE TEXT_BOOT,
		TEXT_HOST TEXT_ADDRESS HEAD("link") "7: wg0: <> mtu 1420 x\n"
		TEXT_DUMP TEXT_PEER TEXT_ROUTE TEXT_BOOT,
		TEXT_HOST TEXT_ADDRESS HEAD("link") "7: wg0: <UP> mtu 1400 x\n"
		TEXT_DUMP TEXT_PEER TEXT_ROUTE TEXT_BOOT,
		TEXT_HOST TEXT_ADDRESS TEXT_LINK TEXT_DUMP
		KEY_B "\t(set)\t(none)\t10.99.0.2/32\t0\t1\t1\toff\n" TEXT_ROUTE
		TEXT_BOOT,
		TEXT_HOST TEXT_ADDRESS TEXT_LINK TEXT_DUMP
		KEY_B "\t(none)\t(none)\t10.99.0.2/32,10.5.0.0/16\t0\t1\t1\toff\n"
		TEXT_ROUTE TEXT_BOOT,
		TEXT_HOST "enabled=1\n" TEXT_ADDRESS TEXT_LINK TEXT_DUMP
		TEXT_PEER TEXT_ROUTE TEXT_BOOT,
		TEXT_HOST "keyfile=1\n" TEXT_ADDRESS TEXT_LINK TEXT_DUMP
		TEXT_PEER TEXT_ROUTE TEXT_BOOT,
		TEXT_HOST "forward6=1\n" TEXT_ADDRESS TEXT_LINK TEXT_DUMP
		TEXT_PEER TEXT_ROUTE TEXT_BOOT,
		TEXT_HOST TEXT_ADDRESS TEXT_LINK TEXT_DUMP TEXT_PEER TEXT_ROUTE
		TEXT_BOOT HEAD("dropin") "net.ipv4.ip_forward = 1\n",
	};

	(void)state;
	assert_true(same_text(TEXT_HOST TEXT_ADDRESS TEXT_LINK TEXT_DUMP
			      TEXT_PEER TEXT_ROUTE TEXT_BOOT));
	for (size_t i = 0; i < sizeof c / sizeof *c; i++)
		if (same_text(c[i]))
			fail_msg("case %zu", i);
}

/* A host that has nothing of ours. */
static void test_bare(void **state)
{
	struct observed o;
	struct ip ip;

	(void)state;
	good(&o, HEAD("host") "uid=0\nnow=1\nssh=\nhostname=h\nip=1\n"
		 HEAD("address"));
	assert_false(o.exists || o.has_wg || o.is_wireguard || o.dropin);
	assert_int_equal(o.boot, BOOT_NONE);
	assert_string_equal(o.public_key, "");
	assert_string_equal(o.ssh_server, "");
	assert_null(o.fqdn);
	assert_true(ip_parse(&ip, "10.0.0.1"));
	assert_false(observed_owns(&o, &ip, "wg0"));
	observed_done(&o);
}

static void test_boot_files(void **state)
{
	static const struct { const char *text; enum observed_boot want; } c[] = {
		{ HEAD("boot") "|abc\n", BOOT_FOREIGN },
		{ HEAD("boot") "|abc\n|PublicKey = k\n", BOOT_FOREIGN },
		{ HEAD("boot") "|abc\n# managed by wgmesh\n", BOOT_FOREIGN },
		{ HEAD("boot") "|abc\n# managed by wgmesh, mesh x\n",
		  BOOT_FOREIGN },
		{ HEAD("boot") "|abc\n# managed by wgmesh, mesh x, serial -1\n",
		  BOOT_FOREIGN },
		{ HEAD("boot") "|abc\n# managed by wgmesh, mesh x, serial 7\n",
		  BOOT_MARKED },
		{ HEAD("boot") "", BOOT_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		char *text = mem_printf("%s%s", HOST, c[i].text);
		struct observed o;

		good(&o, text);
		assert_int_equal(o.boot, c[i].want);
		observed_done(&o);
		free(text);
	}
}

/* ---- hosts that lie ---- */

static void test_incomplete(void **state)
{
	(void)state;
	bad("", "probe: the report came back without the host's name");
	bad("no frame at all\n", "probe: ");
	bad(HEAD("host") "uid=0\nnow=1\nip=1\n", "name and clock");
	bad(HEAD("host") "uid=0\nhostname=h\nip=1\n", "name and clock");
	bad(HEAD("host") "uid=1000\nnow=1\nhostname=h\nip=1\n", "root");
	bad(HEAD("host") "uid=00\nnow=1\nhostname=h\nip=1\n", "root");
	bad(HEAD("host") "now=1\nhostname=h\nip=1\n", "root");
	bad(HEAD("host") "uid=0\nbusy=1\nnow=1\nhostname=h\nip=1\n",
	    "another deploy is at work there (1); try again");
	bad(HEAD("host") "uid=0\nbusy=\nnow=1\nhostname=h\nip=1\n",
	    "another deploy is at work there (it does not say who)");
	bad(HEAD("host") "uid=0\nnow=1\nhostname=h\n", "iproute2");
	bad(HEAD("host") "uid=0\nnow=99999999999999999999\nhostname=h\nip=1\n", "clock");
	bad(HEAD("host") "uid=0\nnow=9223372036854775807\nhostname=h\nip=1\n", "clock");
	bad(HEAD("host") "uid=0\nnow=x\nhostname=h\nip=1\n", "clock");
}

static void test_lies(void **state)
{
	static const struct { const char *text, *words; } c[] = {
		{ HEAD("surprise") "x\n", "section 'surprise'" },
		{ HEAD("\x1b[2J") "x\n", "\\x1b[2J" },
		{ HEAD("host") "what\n", "section 'host'" },
		{ HEAD("host") "colour=red\n", "unexpected line 'colour'" },
		{ HEAD("host") "hostname=a\x1b[31mb\n", "host name" },
		{ HEAD("host") "hostname=a\xe2\x80\xae\n", "host name" },
		{ HEAD("host") "hostname=\xff\n", "host name" },
		{ HEAD("host") "busy=\x1b[31mx\n", "holder of the lock" },
		{ HEAD("host") "lock=12x\n", "token '12x'" },
		{ HEAD("host") "lock='; reboot; '\n", "token" },
		{ HEAD("host") "ssh=x 1 y 2\n", "SSH_CONNECTION" },
		{ HEAD("host") "ssh=192.0.2.1 1 192.0.2.2\n", "SSH_CONNECTION" },
		{ HEAD("host") "ssh=1.2.3.4 1 $(reboot) 22\n", "SSH_CONNECTION" },
		{ HEAD("address") "2: eth0    inet 1.2.3.999/24 x\n", "address" },
		{ HEAD("address") "2: a-very-long-interface-name inet 1.2.3.4/24\n",
		  "address" },
		{ HEAD("link") "7: wg0: <UP>\n", "mtu" },
		{ HEAD("link") "7: wg0: <UP> mtu huge\n", "mtu" },
		{ HEAD("link") "7: wg0: <UP> mtu -5\n", "mtu" },
		{ HEAD("dump") "x\n", "first line" },
		{ HEAD("names") KEY_B "\t192.0.2.1\n", "peer" },
		{ HEAD("firewall") "forward ip\n", "line" },
		{ HEAD("firewall") "forward ip a b\n", "line" },
		{ HEAD("firewall") "forward ip \x1b[2J\n", "line" },
		{ HEAD("dump") KEY_A "\t1\toff\n" KEY_B "\t(none)\t(none)\t(none)\t0\t0\t0\toff\n"
		  HEAD("names") KEY_B "\t192.0.2.1;id\n", "address" },
		{ HEAD("dump") KEY_A "\t1\toff\n" KEY_B "\t(none)\t(none)\t(none)\t0\t0\t-1\toff\n",
		  "count of bytes" },
		{ HEAD("dump") KEY_A "\t51820\toff\textra\tmore\n", "first line" },
		{ HEAD("dump") "a\x1b[2J\t1\toff\n", "public key" },
		{ HEAD("dump") NO_KEY "\t1\toff\n", "public key" },
		{ HEAD("host") "hostkey=" NO_KEY "\n", "public key" },
		{ HEAD("boot") "public " NO_KEY "\n", "public key" },
		{ HEAD("dump") KEY_A "\t70000\toff\n", "listen port" },
		{ HEAD("dump") KEY_A "\t-1\toff\n", "listen port" },
		{ HEAD("dump") KEY_A "\t1\tred\n", "fwmark" },
		{ HEAD("dump") KEY_A "\t1\t0x1ffffffff\n", "fwmark" },
		{ HEAD("dump") KEY_A "\t1\toff\nshort\t(none)\t(none)\t(none)\t0\t0\t0\toff\n",
		  "peer key" },
		{ HEAD("dump") KEY_A "\t1\toff\n" KEY_B "\t(none)\t(none)\t(none)\t0\t0\toff\n",
		  "peer line" },
		{ HEAD("dump") KEY_A "\t1\toff\n" KEY_B "\t(none)\t\x1b[2J:1\t(none)\t0\t0\t0\toff\n",
		  "endpoint" },
		{ HEAD("dump") KEY_A "\t1\toff\n\xff" KEY_B "\t(none)\t(none)\t(none)\t0\t0\t0\toff\n",
		  "peer key" },
		{ HEAD("h\x9c\x9c\xf0\xf0\xf0\xf0\xf0\xf0\xf0(\xf0\xf0\xf0\xf0\xf0\xf0"
		       "\xf0\xf0\xf0\xf0\xf0\xf0\xf0\x9c\x9c\x9c$"), "section" },
		{ HEAD("dump") KEY_A "\t1\toff\n" KEY_B "\t(none)\t(none)\t1.2.3.4.5/32\t0\t0\t0\toff\n",
		  "allowed IP" },
		{ HEAD("dump") KEY_A "\t1\toff\n" KEY_B "\t(none)\t(none)\t1.2.3.4/32;id\t0\t0\t0\toff\n",
		  "allowed IP" },
		{ HEAD("dump") KEY_A "\t1\toff\n" KEY_B "\t(none)\t(none)\t(none)\t-1\t0\t0\toff\n",
		  "handshake" },
		{ HEAD("dump") KEY_A "\t1\toff\n" KEY_B "\t(none)\t(none)\t(none)\t18446744073709551615\t0\t0\toff\n",
		  "handshake" },
		{ HEAD("dump") KEY_A "\t1\toff\n" KEY_B "\t(none)\t(none)\t(none)\t0\t0\t0\t65536\n",
		  "keepalive" },
		{ HEAD("route4") "10.0.0.0/99 via 1.2.3.4\n", "route" },
		{ HEAD("route4") "$(id) via 1.2.3.4\n", "route" },
		{ HEAD("route4") "10.0.0.0/8 via nowhere\n", "gateway" },
		{ HEAD("route4") "10.0.0.0/8 via inet6 \x1b[2J\n", "gateway" },
		{ HEAD("route6") "fd00::/8 via g::1\n", "gateway" },
		{ HEAD("boot") "|abc\nrm -rf /\n", "section 'boot': line 2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		char *text = mem_printf("%s%s", HOST, c[i].text);

		bad(text, c[i].words);
		free(text);
	}
}

/* Texts that are too long are cut in the message. */
/* @n times @line behind @head; %zu in it is the number. */
static char *many(const char *head, const char *before, const char *after,
		  size_t n)
{
	struct sbuf b = { .max = (size_t)64 << 20 };

	sbuf_puts(&b, head);
	for (size_t i = 0; i < n; i++)
		sbuf_printf(&b, "%s%zu.%zu.%zu.%zu%s", before, 1 + i / 65536 % 200,
			    i / 256 % 256, i % 256, (size_t)0, after);
	return sbuf_detach(&b);
}

/* More of anything than a host has is an error that says of what. */
static void test_too_many(void **state)
{
	static const char head[] = HEAD("dump") KEY_A "\t51820\toff\n";
	static const struct {
		const char *head, *before, *after, *words;
		size_t n;
	} cases[] = {
		{ HOST HEAD("address"), "1: eth0 inet ", "/8\n", "addresses",
		  5001 },
		{ HOST HEAD("route4"), "", "/24 dev wg0\n", "routes", 5001 },
		{ HOST HEAD("boot") "|\n", "|PublicKey = ", "\n", "peers",
		  5001 },
		{ HOST HEAD("dropin"), "# ", "\n", "lines", 50001 },
	};
	AUTO(auto_free) char *ips = NULL, *report = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(auto_free) char *text = many(cases[i].head,
						  cases[i].before,
						  cases[i].after, cases[i].n);

		bad(text, cases[i].words);
	}
	ips = many("", "", "/24,", 20001);
	report = mem_printf("%s%s" KEY_B "\t(none)\t(none)\t%s\t0\t0\t0\toff\n",
			    HOST, head, ips);
	bad(report, "allowed IPs");
}

/* No handshake was yet to come when the host was read. */
static void test_future(void **state)
{
	struct observed o;

	(void)state;
	good(&o, HOST HEAD("dump") KEY_A "\t51820\toff\n"
	     KEY_B "\t(none)\t192.0.2.7:1\t(none)\t1800000005\t0\t0\toff\n"
	     KEY_C "\t(none)\t192.0.2.7:1\t(none)\t9000000000000\t0\t0\toff\n");
	assert_int_equal(observed_peer_by_key(&o, KEY_B)->handshake, 1800000005);
	assert_int_equal(observed_peer_by_key(&o, KEY_C)->handshake, 0);
	observed_done(&o);
}

/* A script of this very run is no other deploy. */
static void test_own_lock(void **state)
{
	struct observed o;

	(void)state;
	good(&o, HOST "busy=me, since now\nlock=" NONCE "\n");
	assert_non_null(o.busy);
	observed_done(&o);
	bad(HOST "busy=me, since now\nlock=abc\n", "another deploy");
}

static void test_long(void **state)
{
	char *much = mem_calloc(100001, 1);
	char *text;

	(void)state;
	memset(much, 0x1b, 100000);
	text = mem_printf("%s" HEAD("route4") "%s\n", HOST, much);
	bad(text, "unexpected route '\\x1b\\x1b");
	free(text);
	text = mem_printf(HEAD("host") "hostname=%s\n", much);
	bad(text, "host name");
	free(text);
	memset(much, 'x', 100000);
	text = mem_printf("%s" HEAD("dump") "%s\t1\toff\n", HOST, much);
	free(text);
	free(much);
}

/* A frame with another nonce is no frame; neither is one inside a line. */
static void test_frames(void **state)
{
	struct observed o;

	(void)state;
	good(&o, "=0000= host\nuid=1000\n" HOST
		 HEAD("boot") "|abc\n# x =" NONCE "= dump\n");
	assert_true(o.is_root);
	assert_false(o.is_wireguard);
	observed_done(&o);
}

/* Any cut and any spoilt byte: an error or a report, nothing else. */
static void test_spoilt(void **state)
{
	static const char text[] =
		HOST HEAD("address") "2: eth0    inet 192.0.2.1/24 x\n"
		HEAD("link") "7: wg0: <UP,LOWER_UP> mtu 1420 x\n"
		HEAD("dump") KEY_A "\t51820\toff\n" KEY_B
		"\t(none)\t[2001:db8::1]:1\t10.0.0.0/8,::/0\t1\t2\t3\t25\n"
		HEAD("route4") "default via 10.99.0.3 dev wg0\n"
		HEAD("boot") "|00\n# managed by wgmesh, mesh x, serial 7\n"
		"|Endpoint = a:1\n|PublicKey = b\n|Endpoint = c:2\n";
	static const char spoil[] = { '\0', '\n', '\t', ' ', '=', ',', '\x1b',
				      '\xff', '9', '-' };
	struct observed o;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		if (parse(&o, text, i, &e) == 0)
			observed_done(&o);
	for (size_t i = 0; i + 1 < sizeof text; i++)
		for (size_t k = 0; k < sizeof spoil; k++) {
			char copy[sizeof text];

			memcpy(copy, text, sizeof text);
			copy[i] = spoil[k];
			if (parse(&o, copy, sizeof text - 1, &e) == 0)
				observed_done(&o);
			else
				assert_true(text_is_printable(e.msg));
		}
}

/* ---- the command ---- */

static void test_command(void **state)
{
	AUTO(sbuf_done) struct sbuf plain = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf sudo = SBUF_INIT;
	struct probe_request r = { .interface = "wg0", .nonce = NONCE,
				   .known_hostname = "it's; $(reboot)" };
	AUTO(auto_free) char *end = probe_end(NONCE);

	(void)state;
	probe_command(&plain, &r);
	assert_memory_equal(sbuf_str(&plain), "exec sh -c '", 12);
	/* quoted for the script; then for the login shell */
	assert_non_null(strstr(sbuf_str(&plain),
			       "KNOWN_NAME=\\0047it\\0047\\0134\\0047\\0047s;"
			       " $(reboot)\\0047"));
	assert_null(strchr(sbuf_str(&plain), '\n'));
	assert_null(strchr(sbuf_str(&plain), '!'));
	r.sudo = r.local = true;
	probe_command(&sudo, &r);
	assert_non_null(strstr(sbuf_str(&sudo), "exec sudo -n "));
	assert_null(strstr(sbuf_str(&sudo), NONCE ": "));
	r.password = true;
	probe_command(&sudo, &r);
	assert_non_null(strstr(sbuf_str(&sudo), NONCE ": "));
	assert_string_equal(end, "=" NONCE "= end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_text_same),
		cmocka_unit_test(test_text_differs),
		cmocka_unit_test(test_boot_files),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_future),
		cmocka_unit_test(test_own_lock),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests_name("observed", tests, NULL, NULL);
}
