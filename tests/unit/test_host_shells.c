/*
 * What runs on hosts says the same under every shell and every awk that hosts
 * have: each text is run on a recorded host, which is a folder with the files that
 * it reads and with stand-ins for ip and wg that print what was recorded.
 */
#include "render/host/host.h"
#include "render/plan.h"
#include "tests/unit/fixture.h"
#include "tests/unit/hostshell.h"

#include <unistd.h>

#define NONCE "0123456789abcdef"
#define HEAD(section) "\n=" NONCE "= " section "\n"
#define PSK "ppppppppppppppppppppppppppppppppppppppppppA="

/* What awk is a link to. */
static const char *const awks[] = { "mawk", "gawk", "busybox", NULL };

/* ---- a recorded host ---- */

/** Of interfaces and of version 6 routes: more than are told. */
#define MANY 600
#define TOLD 500

struct recorded {
	const char *name;
	bool has_interface;
	bool busybox; /* its ip knows no -batch */
};

static const struct recorded hosts[] = {
	{ "iproute2", true, false },
	{ "iproute2, fresh", false, false },
	{ "BusyBox", true, true },
	{ "BusyBox, fresh", false, true },
};

#define HOSTS (sizeof hosts / sizeof *hosts)

#define ADDRESSES                                                             \
	"1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever\n" \
	"2: eth0    inet 192.0.2.10/24 brd 192.0.2.255 scope global eth0\\\n" \
	"2: eth0    inet6 2001:db8::10/64 scope global \\       valid_lft\n"
#define OUR_ROUTES4                                                           \
	"10.99.0.0/16 proto kernel scope link src 10.99.0.1 \n"               \
	"192.168.20.0/24 via 10.99.0.2 proto 119 \n"
#define OUR_LINK                                                              \
	"7: wg0: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1420 qdisc noqueue\n"
#define OUR_ROUTES6 "fd55::/48 via fd99::2 proto 119 metric 1024 pref medium\n"
#define LOCAL6 "local fd99::1 table local proto kernel metric 0 pref medium\n"
#define LO "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue\n"
#define ROUTES4                                                               \
	"default via 192.0.2.1 dev eth0 \n"                                   \
	"192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.10 \n"
#define THROUGH_US "192.168.30.0/24 via 10.99.0.2 dev wg0 proto 119 \n"
#define DEFAULT6 "default via fe80::1 dev eth0 metric 1024 pref medium\n"

/* ip: what is asked for by its words; the wildcard is for both its forms. */
static const char ip_stand_in[] =
	"#!/bin/dash\n"
	"say() { case $* in\n"
	"'addr show') cat addr;;\n"
	"*'route show root ::/0 table all dev wg0'|'-6 route show dev wg0') cat our6;;\n"
	"*'route show dev wg0') cat our4;;\n"
	"'link show dev wg0') cat our;;\n"
	"'link show dev lo') cat lo;;\n"
	"*'route show root ::/0 table all'|'-6 route show') cat main6;;\n"
	"*'route show') cat main4;;\n"
	"'link show') cat links;;\n"
	"*) echo \"$*\" >>log;;\n"
	"esac; }\n"
	"cd %s/records || exit\n"
	"[ \"$1\" != -V ] || { echo ip from %s; exit; }\n"
	"[ \"$1\" != -o ] || shift\n"
	"[ \"$1\" = -batch ] || [ \"$2\" = -batch ] || { say \"$@\"; exit; }\n"
	"[ -z '%s' ] || exit 1\n"
	"while read -r line; do [ -z \"$line\" ] || say $line; done\n";

static const char wg_stand_in[] =
	"#!/bin/dash\n"
	"case $* in\n"
	"'show wg0 dump') printf '%%s\\t%%s\\t51820\\toff\\n' " KEY_C " " KEY_A "\n"
	"  printf '%%s\\t%%s\\t192.0.2.2:51820\\t10.99.0.2/32\\t0\\t0\\t0\\toff\\n' " KEY_B " " PSK "\n"
	"  printf '%%s\\t(none)\\t(none)\\t(none)\\t0\\t0\\t0\\toff\\n' " KEY_A ";;\n"
	"'show wg0 private-key') echo " KEY_C ";;\n"
	"'show wg0 preshared-keys') printf '%%s\\t%%s\\n' " KEY_B " " PSK ";;\n"
	"pubkey) read -r key; echo \"public of $key\";;\n"
	"*) { echo wg \"$@\"; } >>%s/records/log;;\n"
	"esac\n";

static const char boot_file[] =
	"# managed by wgmesh, mesh " MESH_ID ", serial 4\n"
	"# it's \\ $HOME `id` %d\n"
	"[Interface]\nPrivateKey = " KEY_B "\nMTU = 1380\nPostUp = x\n\n"
	"[Peer]\n# name: bob\nPublicKey = " KEY_B "\nPresharedKey = " PSK "\n"
	"Endpoint = 192.0.2.2:51820\n"
	"[Peer]\nPublicKey = " KEY_A "\nEndpoint = $(id).x:1\n"
	"Endpoint = dyn.example.org:1\n";

/* the resolver of the host; no shell runs a name that is none */
static const char getent_stand_in[] =
	"#!/bin/dash\n"
	"[ \"$*\" = 'ahosts dyn.example.org' ] || exit 2\n"
	"echo '192.0.2.77  STREAM dyn.example.org'\n"
	"echo '192.0.2.77  DGRAM'\n"
	"echo '2001:db8::77 STREAM'\n";

static const char timeout_stand_in[] = "#!/bin/dash\nshift; exec \"$@\"\n";

#define SAID_BOOT                                                             \
	HEAD("boot") "# managed by wgmesh, mesh " MESH_ID ", serial 4\n"      \
	"|# it's \\ $HOME `id` %d\n|[Interface]\n|PrivateKey = (hidden)\n"     \
	"public public of " KEY_B "\n\n|MTU = 1380\n|PostUp = x\n|\n|[Peer]\n" \
	"|# name: bob\n|PublicKey = " KEY_B "\n|PresharedKey = (hidden)\n"     \
	"|Endpoint = 192.0.2.2:51820\n|[Peer]\n|PublicKey = " KEY_A "\n"      \
	"|Endpoint = $(id).x:1\n|Endpoint = dyn.example.org:1\n"              \
	HEAD("names") "\n" KEY_A "\t192.0.2.77\t2001:db8::77\n"

struct place {
	char root[32];
};

static void put_file(const struct place *p, const char *name, const char *text)
{
	AUTO(auto_free) char *path = mem_printf("%s/%s", p->root, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void get_file(struct sbuf *out, const struct place *p, const char *name)
{
	AUTO(auto_free) char *path = mem_printf("%s/%s", p->root, name);

	file_get(out, path);
}

static void assert_file(const struct place *p, const char *name,
			const char *want)
{
	AUTO(sbuf_done) struct sbuf got = SBUF_INIT;

	get_file(&got, p, name);
	assert_string_equal(sbuf_str(&got), want);
}

static void record(const struct place *p, const struct recorded *h)
{
	AUTO(sbuf_done) struct sbuf links = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf main6 = SBUF_INIT;

	sbuf_puts(&links, LO);
	sbuf_puts(&main6, LOCAL6);
	for (int i = 0; i < MANY; i++) {
		sbuf_printf(&links, "%d: d%d: <UP> mtu 1500 qdisc x\n", i + 9, i);
		sbuf_printf(&main6, "fd00:%x::/48 dev eth0 metric 1\n", i);
	}
	sbuf_puts(&main6, "fd55::/48 via fd99::2 dev wg0 proto 119\n" DEFAULT6);
	put_file(p, "records/addr", ADDRESSES);
	put_file(p, "records/our4", OUR_ROUTES4);
	put_file(p, "records/our", OUR_LINK);
	put_file(p, "records/our6", OUR_ROUTES6 LOCAL6);
	put_file(p, "records/lo", LO);
	put_file(p, "records/main4", ROUTES4 THROUGH_US);
	put_file(p, "records/links", sbuf_str(&links));
	put_file(p, "records/main6", sbuf_str(&main6));
	put_file(p, "proc/sys/kernel/hostname", "recorded");
	put_file(p, "proc/sys/net/ipv4/ip_forward", "0\n");
	put_file(p, "proc/sys/net/ipv6/conf/all/forwarding", "0");
	put_file(p, "proc/sys/net/ipv6/conf/eth0/accept_ra", "1\n");
	put_file(p, "proc/sys/net/ipv6/conf/lan0/accept_ra", "0\n");
	if (h->has_interface)
		put_file(p, "etc/wireguard/wg0.conf", boot_file);
}

static void place_init(struct place *p, const struct recorded *h,
		       const char *shell, const char *awk)
{
	AUTO(auto_free) char *command = NULL;
	AUTO(auto_free) char *ip = NULL;
	AUTO(auto_free) char *wg = NULL;

	memcpy(p->root, "/tmp/wgmesh-host-XXXXXX", 24);
	assert_non_null(mkdtemp(p->root));
	command = mem_printf(
		"cd %s && mkdir -p bin records run/systemd/system etc/wireguard "
		"etc/sysctl.d sys/class/net/%s proc/sys/kernel "
		"proc/sys/net/ipv4 proc/sys/net/ipv6/conf/all "
		"proc/sys/net/ipv6/conf/eth0 proc/sys/net/ipv6/conf/lan0 && "
		"cd bin && ln -s $(printf '/usr/bin/%%s ' cat chmod date flock "
		"grep id mkdir mktemp mv printf rm sed sync) . && ln -s /usr/bin/%s sh && ln -s /usr/bin/%s awk && "
		": >ip && : >wg && : >getent && : >timeout && "
		"chmod 755 ip wg getent timeout",
		p->root, h->has_interface ? "wg0" : "eth0", shell, awk);
	command_run(command);
	ip = mem_printf(ip_stand_in, p->root, h->busybox ? "BusyBox" : "x",
			h->busybox ? "1" : "");
	wg = mem_printf(wg_stand_in, p->root);
	put_file(p, "bin/ip", ip);
	put_file(p, "bin/wg", wg);
	put_file(p, "bin/getent", getent_stand_in);
	put_file(p, "bin/timeout", timeout_stand_in);
	record(p, h);
}

static void place_done(const struct place *p)
{
	AUTO(auto_free) char *command = mem_printf("rm -r %s", p->root);

	command_run(command);
}

/* @text with the folder in front of the paths that are a host's own. */
static void put_script(const struct place *p, const char *text)
{
	static const char *const own[] = { "/run/", "/etc/", "/proc/sys/",
					   "/sys/" };
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;

	while (*text) {
		size_t i = 0, n = 1;

		while (i < 4 && strncmp(text, own[i], strlen(own[i])) != 0)
			i++;
		if (i < 4) {
			n = strlen(own[i]);
			sbuf_puts(&out, p->root);
		}
		sbuf_add(&out, text, n);
		text += n;
	}
	put_file(p, "script", sbuf_str(&out));
}

/* What the host's shell prints that runs @text; the time is not recorded. */
static void run(struct sbuf *answer, const struct place *p, const char *text)
{
	AUTO(auto_free) char *command = mem_printf(
		"cd %s && echo : | PATH=%s/bin sh script 2>errors | "
		"sed 's/^now=1[0-9]\\{9\\}$/now=TIME/' >answer",
		p->root, p->root);

	put_script(p, text);
	command_run(command);
	get_file(answer, p, "answer");
}

/* ---- the probe ---- */

static void want_probe(struct sbuf *out, const struct recorded *h)
{
	sbuf_printf(out, HEAD("host") "lock=\nuid=%d\n", (int)geteuid());
	sbuf_puts(out, "ssh=\nhostname=recorded\nforward4=0\nforward6=0\nwg=1\n"
		       "ip=1\nsystemd=1\n"
		       HEAD("host") "now=TIME\n" HEAD("address") ADDRESSES);
	if (h->has_interface)
		sbuf_puts(out, HEAD("route4") OUR_ROUTES4 HEAD("link") OUR_LINK
			       HEAD("route6") OUR_ROUTES6);
	sbuf_puts(out, HEAD("main4") ROUTES4);
	sbuf_puts(out, HEAD("links") "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536\n");
	for (int i = 0; i < TOLD - 1; i++)
		sbuf_printf(out, "%d: d%d: <UP> mtu 1500\n", i + 9, i);
	sbuf_puts(out, HEAD("main6"));
	for (int i = 0; i < TOLD; i++)
		sbuf_printf(out, "fd00:%x::/48 dev eth0 metric 1\n", i);
	sbuf_puts(out, DEFAULT6);
	if (h->has_interface)
		sbuf_puts(out, HEAD("dump") KEY_A "\t51820\toff\n"
			       KEY_B "\t(set)\t192.0.2.2:51820\t10.99.0.2/32"
			       "\t0\t0\t0\toff\n"
			       KEY_A "\t(none)\t(none)\t(none)\t0\t0\t0\toff\n"
			       SAID_BOOT);
	sbuf_puts(out, HEAD("end"));
}

static void probe_with(const struct recorded *h, const char *shell,
		       const char *awk)
{
	const struct probe_request request = { .interface = "wg0",
					       .nonce = NONCE, .local = true,
					       .known_hostname = "recorded" };
	AUTO(sbuf_done) struct sbuf command = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf want = SBUF_INIT;
	struct place p;

	place_init(&p, h, shell, awk);
	probe_command(&command, &request);
	run(&answer, &p, sbuf_str(&command));
	want_probe(&want, h);
	if (strcmp(sbuf_str(&answer), sbuf_str(&want)) != 0)
		print_error("%s, %s, %s\n", h->name, shell, awk);
	assert_string_equal(sbuf_str(&answer), sbuf_str(&want));
	place_done(&p);
}

static void found_with(const char *shell, const char *awk)
{
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	struct place p;

	place_init(&p, &hosts[0], shell, awk);
	found_script(&script, "wg0", true, false, NONCE);
	run(&answer, &p, sbuf_str(&script));
	assert_string_equal(sbuf_str(&answer),
			    HEAD("private") KEY_C "\n"
			    HEAD("preshared") KEY_B "\t" PSK "\n"
			    HEAD("boot") "line c  managed by wgmesh, mesh "
			    MESH_ID ", serial 4\n"
			    "line c  it's \\ $HOME `id` %d\nline i\n"
			    "line s\nset PrivateKey\nline s\nmtu 1380\n"
			    "line s\nset PostUp\nline c\n"
			    "line p\nline c  name: bob\npeer " KEY_B "\n"
			    "line k\nline s\nline s\n"
			    "line p\npeer " KEY_A "\nline k\nline s\nline s\n"
			    HEAD("end"));
	place_done(&p);
}

/* Every shell with every awk. */
static void test_reports(void **state)
{
	bool missing = false;

	(void)state;
	for (size_t i = 0; shells[i]; i++)
		for (size_t k = 0; awks[k]; k++) {
			if (!shell_is_here(shells[i]) ||
			    !shell_is_here(awks[k])) {
				missing = true;
				continue;
			}
			for (size_t n = 0; n < HOSTS; n++)
				probe_with(&hosts[n], shells[i], awks[k]);
			found_with(shells[i], awks[k]);
		}
	if (missing)
		skip(); /* those of tests/packages-check.txt */
}

/* ---- scripts ---- */

/* Run a script of steps of these kinds, and all is done. */
static void change(const struct place *p, struct plan *plan,
		   const enum step_kind *kinds, size_t n)
{
	const struct script_run how = { NONCE, "me@here, pid 1", "", false };
	AUTO(sbuf_done) struct sbuf script = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	struct script_result r = { 0 };
	struct cidr network;
	struct err e = { 0 };

	assert_true(cidr_parse(&network, "fd99::1/64"));
	plan->steps.len = 0;
	for (size_t i = 0; i < n; i++)
		*vec_add(&plan->steps) = (struct step){ .kind = kinds[i],
							.network = network };
	script_text(&script, plan, boot_file, &how);
	run(&answer, p, sbuf_str(&script));
	if (script_parse(&r, plan, sbuf_str(&answer), answer.len, NONCE,
			 &e) < 0 || r.failure)
		fail_msg("%s: %s", e.msg, r.failure ? r.failure : "");
	script_result_done(&r);
}

/* A boot file, commands of ip, forwarding on, of one family less, and off. */
static void script_with(const struct recorded *h, const char *shell)
{
	static const enum step_kind first[] = { STEP_WRITE_BOOT,
						STEP_ADD_ADDRESS,
						STEP_FORWARD_ON };
	static const enum step_kind off[] = { STEP_FORWARD_OFF };
	struct desired d = { .forward4 = true, .forward6 = true };
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(plan_done) struct plan plan = { .mesh = &m, .desired = &d };
	struct place p;

	mesh_of(&m, "'mesh_id':'" MESH_ID "'");
	place_init(&p, h, shell, "mawk");
	put_file(&p, "etc/wireguard/wg0.conf", "by hand\n");
	change(&p, &plan, first, 3);
	assert_file(&p, "etc/wireguard/wg0.conf", boot_file);
	assert_file(&p, "etc/wireguard/wg0.conf.before-wgmesh", "by hand\n");
	assert_file(&p, "records/log",
		    h->busybox ? "-6 addr add fd99::1/64 dev wg0\n"
			       : "addr add fd99::1/64 dev wg0\n");
	assert_file(&p, "etc/sysctl.d/90-wgmesh-wg0.conf",
		    "# managed by wgmesh: this host forwards for networks "
		    "behind it\n# before: net.ipv4.ip_forward=0 "
		    "net.ipv6.conf.all.forwarding=0\nnet.ipv4.ip_forward = 1\n"
		    "net.ipv6.conf.all.forwarding = 1\n"
		    "net/ipv6/conf/eth0/accept_ra = 2\n");
	assert_file(&p, "proc/sys/net/ipv4/ip_forward", "1\n");
	assert_file(&p, "proc/sys/net/ipv6/conf/all/forwarding", "1\n");
	assert_file(&p, "proc/sys/net/ipv6/conf/eth0/accept_ra", "2\n");
	assert_file(&p, "proc/sys/net/ipv6/conf/lan0/accept_ra", "0\n");
	d.forward6 = false;
	change(&p, &plan, first + 2, 1);
	assert_file(&p, "etc/sysctl.d/90-wgmesh-wg0.conf",
		    "# managed by wgmesh: this host forwards for networks "
		    "behind it\n# before: net.ipv4.ip_forward=0 "
		    "net.ipv6.conf.all.forwarding=0\nnet.ipv4.ip_forward = 1\n");
	assert_file(&p, "proc/sys/net/ipv6/conf/all/forwarding", "0\n");
	assert_file(&p, "proc/sys/net/ipv6/conf/eth0/accept_ra", "1\n");
	change(&p, &plan, off, 1);
	assert_file(&p, "proc/sys/net/ipv4/ip_forward", "0\n");
	assert_file(&p, "etc/sysctl.d/90-wgmesh-wg0.conf", "");
	place_done(&p);
}

static void test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; shells[i]; i++)
		for (size_t n = 0; n < HOSTS && shell_is_here(shells[i]); n++)
			script_with(&hosts[n], shells[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
