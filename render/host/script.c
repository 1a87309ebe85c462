#include "render/host/script.h"

#include "base/auto.h"
#include "base/text.h"
#include "render/host/host_lock.h"
#include "render/wgquick.h"
#include "state/model/model.h"

#include <stdio.h>
#include <string.h>

/** Bytes of one `wg set` command line; far below ARG_MAX everywhere. */
#define SET_BATCH_BYTES (48 * 1024)
/** What is told of a failed part's words: the end, where the reason is. */
#define FAILURE_BYTES 400

/*
 * Variables: I interface, B boot file, D sysctl file, N nonce, F set once a part
 * has failed; W who we are, T the token that the probe saw, H set with the lock,
 * K the file that is it.
 */
static const char prelude[] =
	"trap '' HUP PIPE\n"
	"umask 077\n"
	"B=/etc/wireguard/$I.conf\n"
	"Y=/etc/wireguard/$I.key\n"
	"D=/etc/sysctl.d/90-wgmesh-$I.conf\n"
	"F=\n"
	/* one deploy at a time, and none that was planned before another one;
	 * programs that stay must not keep the lock. The file's first line is
	 * written in one go, never cut; what is behind it says nothing. */
	"H=\n" HOST_LOCK_TEXT
	"no() { F=1; printf '\\n=%s= held 0\\n%s\\n' \"$N\" \"$1\"; }\n"
	"take() { i=0; until try; do [ $i -lt 30 ] || return 1; i=$((i + 1)); sleep 1; done; }\n"
	"if command -v flock >/dev/null; then K=$L; try() { flock -n 0 <&9; }\n"
	/* a claim is made before the others are looked at: of two at once one
	 * at least sees the other */
	"else mkdir \"$L.d\" 2>/dev/null; proc $$; C=$c K=$L.d/$c\n"
	"  try() { true >\"$K\" && ! others && return; rm -f \"$K\"; return 1; }; fi\n"
	"if ! true 2>/dev/null >>\"$K\"; then no \"no lock can be made there: $K\"\n"
	"elif exec 9<>\"$L\"; ! take; then l; no \"another deploy is at work there (${w:-it does not say who}); try again when it is done\"\n"
	"elif l; [ \"$t\" != \"$T\" ] && [ \"$t\" != \"$N\" ]; then no 'another deploy changed this host meanwhile; run it again'\n"
	"else H=1; printf '%s %s, since %s\\n' \"$N\" \"$W\" \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\" 1<>\"$L\"; fi\n"
	"run() { [ -n \"$F\" ] && return\n"
	"  if r=$(part 2>&1 >/dev/null </dev/null 9>&-); then printf '\\n=%s= ok %s\\n' \"$N\" \"$1\"\n"
	"  else F=1; printf '\\n=%s= fail %s\\n%s\\n' \"$N\" \"$1\" \"$r\"; fi; }\n"
	/* one ip -batch, or line by line where ip knows none (BusyBox) */
	"batch() { if ip -V 2>&1 | grep -q BusyBox\n"
	"  then while read -r l; do ip \"$1\" $l || return 1; done\n"
	"  else ip \"$1\" -batch -; fi; }\n"
	/* replace file $1 by standard input, whole or not at all */
	"put() { t=$(mktemp \"${1%/*}/.wgmesh.XXXXXX\") || return 1\n"
	"  if cat >\"$t\" && { sync \"$t\" 2>/dev/null || sync; } && chmod \"$2\" \"$t\" && mv -f \"$t\" \"$1\"\n"
	"  then sync \"${1%/*}\" 2>/dev/null || sync; else rm -f \"$t\"; return 1; fi; }\n";

/* The lock goes, the answer ends; and only now anything runs. */
static const char postlude[] =
	"[ -z \"$H\" ] || printf '%s\\n' \"$N\" 1<>\"$L\"\n"
	"[ -z \"$C\" ] || rm -f \"$K\"\n"
	"exec 9>&-\n"
	"printf '\\n=%s= end\\n' \"$N\"\n}\nmain\n";

/* ---- parts: one command text for steps that go together ---- */

static const char install_text[] =
	"umask 022\nexport DEBIAN_FRONTEND=noninteractive\n"
	"get() { apt-get install -y -qq --no-install-recommends wireguard-tools iproute2; }\n"
	"get || { apt-get update -qq && get; }\n"
	"modprobe wireguard 2>/dev/null || :\n";

static const char bring_up_text[] =
	"if [ -d /run/systemd/system ]; then\n"
	"  systemctl reset-failed \"wg-quick@$I\" 2>/dev/null\n"
	"  systemctl restart \"wg-quick@$I\" || { journalctl -q -n 6 -o cat -u \"wg-quick@$I\" >&2; false; }\n"
	"else wg-quick up \"$I\"; fi\n";

static const char enable_text[] = "systemctl enable \"wg-quick@$I\"\n";

static const char tear_down_text[] =
	"if [ -d /run/systemd/system ]; then\n"
	"  systemctl disable --now \"wg-quick@$I\" || :\n"
	"  systemctl reset-failed \"wg-quick@$I\" 2>/dev/null || :\n"
	"fi\n"
	"[ ! -d \"/sys/class/net/$I\" ] || wg-quick down \"$I\" || ip link del dev \"$I\" || :\n"
	"[ ! -d \"/sys/class/net/$I\" ]\n";

/*
 * What held before is kept in the file, so that it can be put back. Forwarding
 * of version 6 makes the kernel ignore router advertisements where accept_ra is
 * 1: those interfaces get 2, or the host would lose its default route.
 */
static const char forward_on_text[] =
	"one() { x=; read -r x <\"$1\"; printf '%s' \"$x\"; [ -n \"$x\" ]; }\n"
	"was=$(sed -n '/^# before:/p' \"$D\" 2>/dev/null)\n"
	"[ -n \"$was\" ] || was=\"# before: net.ipv4.ip_forward=$(one /proc/sys/net/ipv4/ip_forward) net.ipv6.conf.all.forwarding=$(one /proc/sys/net/ipv6/conf/all/forwarding 2>/dev/null || echo 0)\"\n"
	"ra=$(sed -n '/accept_ra = 2$/p' \"$D\" 2>/dev/null)\n"
	/* one family may go while the other stays */
	"if [ -z \"$V6\" ] && grep -q '^net.ipv6.conf.all' \"$D\" 2>/dev/null; then\n"
	"  case $was in *all.forwarding=0*) echo 0 >/proc/sys/net/ipv6/conf/all/forwarding;; esac\n"
	"  printf '%s\\n' \"$ra\" | sed -n 's/ = 2$//p' | while read -r a; do [ ! -f \"/proc/sys/$a\" ] || echo 1 >\"/proc/sys/$a\"; done; ra=; fi\n"
	"if [ -z \"$V4\" ] && grep -q '^net.ipv4.ip_forward' \"$D\" 2>/dev/null; then\n"
	"  case $was in *ip_forward=0*) echo 0 >/proc/sys/net/ipv4/ip_forward;; esac; fi\n"
	"if [ -n \"$V6\" ]; then for a in /proc/sys/net/ipv6/conf/*/accept_ra; do\n"
	"  if [ \"$(one \"$a\")\" = 1 ]; then echo 2 >\"$a\"; a=${a#/proc/sys/}; ra=\"${ra:+$ra\n}$a = 2\"; fi; done; fi\n"
	"{ echo '# managed by wgmesh: this host forwards for networks behind it'\n"
	"  printf '%s\\n' \"$was\"\n"
	"  [ -z \"$V4\" ] || echo 'net.ipv4.ip_forward = 1'\n"
	"  [ -z \"$V6\" ] || echo 'net.ipv6.conf.all.forwarding = 1'\n"
	"  [ -z \"$ra\" ] || printf '%s\\n' \"$ra\"; } | put \"$D\" 644 || return 1\n"
	"[ -z \"$V4\" ] || echo 1 >/proc/sys/net/ipv4/ip_forward || return 1\n"
	"[ -z \"$V6\" ] || echo 1 >/proc/sys/net/ipv6/conf/all/forwarding\n";

static const char forward_off_text[] =
	"if grep -q '^# before:.*ip_forward=0' \"$D\" && grep -q '^net.ipv4.ip_forward' \"$D\"; then echo 0 >/proc/sys/net/ipv4/ip_forward; fi\n"
	"if grep -q '^# before:.*all.forwarding=0' \"$D\" && grep -q '^net.ipv6.conf.all' \"$D\"; then echo 0 >/proc/sys/net/ipv6/conf/all/forwarding; fi\n"
	"sed -n 's/ = 2$//p' \"$D\" | while read -r a; do [ ! -f \"/proc/sys/$a\" ] || echo 1 >\"/proc/sys/$a\"; done\n"
	"rm -f \"$D\"\n";

/*
 * Ends a command that reads @text. Not by printf, which is a program of its own
 * in some shells: anybody on the host can read a program's arguments.
 */
static void put_here(struct sbuf *out, const char *text, const char *nonce)
{
	size_t len = strlen(text);

	sbuf_printf(out, " <<'%s'\n", nonce);
	sbuf_add(out, text, len);
	sbuf_printf(out, "%s%s\n", len && text[len - 1] == '\n' ? "" : "\n",
		    nonce);
}

/* A file that is there and was not written by this mesh is kept once. */
static void put_boot_file(struct sbuf *out, const struct plan *p,
			  const char *boot_file, const char *nonce)
{
	sbuf_printf(out, "if [ -e \"$B.before-wgmesh\" ]; then "
			 "chmod 600 \"$B.before-wgmesh\"\n"
			 "elif [ -f \"$B\" ]; then x=; read -r x <\"$B\"\n"
			 "  case $x in '# managed by wgmesh, mesh '%s,*) ;; "
			 "*) put \"$B.before-wgmesh\" 600 <\"$B\" || return 1;; "
			 "esac; fi\n",
		    p->mesh->mesh_id);
	sbuf_puts(out, "mkdir -p -m 700 /etc/wireguard\nput \"$B\" 600");
	put_here(out, boot_file, nonce);
}

static void put_store_key(struct sbuf *out, const struct plan *p,
			  const char *nonce)
{
	sbuf_puts(out, "mkdir -p -m 700 /etc/wireguard\nput \"$Y\" 600");
	put_here(out, secret_text(&p->node->private_key), nonce);
}

static void put_private_key(struct sbuf *out, const struct plan *p,
			    const char *nonce)
{
	if (node_key_on_host(p->mesh, p->node)) {
		sbuf_puts(out, "wg set \"$I\" private-key \"$Y\"\n");
		return;
	}
	sbuf_puts(out, "wg set \"$I\" private-key /dev/stdin");
	put_here(out, secret_text(&p->node->private_key), nonce);
}

static void put_cidr_list(struct sbuf *out, const struct cidrs *v)
{
	char text[ADDR_TEXT_MAX];

	if (v->len == 0)
		sbuf_puts(out, "''");
	for (size_t i = 0; i < v->len; i++)
		sbuf_printf(out, "%s%s", i ? "," : "",
			    cidr_text(&v->items[i], text));
}

static bool sets_endpoint(const struct step *s)
{
	return (s->kind == STEP_ADD_PEER && *s->peer->endpoint) ||
	       s->change & PEER_ENDPOINT;
}

/* The arguments that add or change one peer; names come in a step of their own. */
static void put_peer(struct sbuf *out, const struct step *s)
{
	bool add = s->kind == STEP_ADD_PEER;
	const struct desired_peer *peer = s->peer;

	sbuf_puts(out, " peer ");
	text_quote(out, peer->public_key);
	if (s->change & PEER_PSK)
		sbuf_puts(out, " preshared-key /dev/null");
	if (sets_endpoint(s) && !desired_endpoint_is_name(peer)) {
		sbuf_puts(out, " endpoint ");
		text_quote(out, peer->endpoint);
	}
	if ((add && peer->keepalive_s) || s->change & PEER_KEEPALIVE)
		sbuf_printf(out, " persistent-keepalive %d",
			    peer->keepalive_s);
	if (add || s->change & PEER_ALLOWED_IPS) {
		sbuf_puts(out, " allowed-ips ");
		put_cidr_list(out, &peer->allowed_ips);
	}
}

/* Endpoints that are names, one by one: one that fails spoils no other. */
static void put_named_endpoints(struct sbuf *out, const struct plan *p,
				size_t from, size_t to)
{
	sbuf_puts(out, "bad=\n");
	for (size_t i = from; i < to; i++) {
		const struct desired_peer *peer = p->steps.items[i].peer;

		sbuf_puts(out, "WG_ENDPOINT_RESOLUTION_RETRIES=1 wg set \"$I\" "
			       "peer ");
		text_quote(out, peer->public_key);
		sbuf_puts(out, " endpoint ");
		text_quote(out, peer->endpoint);
		sbuf_puts(out, " || bad=1\n");
	}
	sbuf_puts(out, "[ -z \"$bad\" ]\n");
}

/* Steps @from to @to as few `wg set` commands. */
static void put_peers(struct sbuf *out, const struct plan *p, size_t from,
		      size_t to)
{
	size_t start = 0;

	for (size_t i = from; i < to; i++) {
		const struct step *s = &p->steps.items[i];

		if (i == from || out->len - start > SET_BATCH_BYTES) {
			sbuf_puts(out, i == from ? "" : " || return 1\n");
			start = out->len;
			sbuf_puts(out, "wg set \"$I\"");
		}
		if (s->kind != STEP_REMOVE_PEER) {
			put_peer(out, s);
			continue;
		}
		sbuf_puts(out, " peer ");
		text_quote(out, s->live->public_key);
		sbuf_puts(out, " remove");
	}
	sbuf_puts(out, "\n");
}

static void put_route(struct sbuf *out, const struct step *s)
{
	bool remove = s->kind == STEP_REMOVE_ROUTE;
	const struct ip *gateway = remove ? &s->old->gateway : &s->gateway;
	bool direct4 = remove && !gateway->family && s->network.ip.family == 4;

	sbuf_printf(out, "route %s ",
		    remove ? "del" : s->kind == STEP_ADD_ROUTE ? "add"
							       : "replace");
	wgquick_route(out, &s->network, gateway);
	sbuf_puts(out, direct4 ? " scope link dev $I" : " dev $I");
	if (!remove || s->old->tagged)
		sbuf_puts(out, " proto " OBSERVED_ROUTE_PROTO);
	sbuf_puts(out, "\n");
}

static void put_address(struct sbuf *out, const struct step *s)
{
	char text[ADDR_TEXT_MAX];

	sbuf_printf(out, "addr %s %s dev $I\n",
		    s->kind == STEP_ADD_ADDRESS ? "add" : "del",
		    cidr_text(&s->network, text));
}

/* Routes and addresses of one family as one `ip -batch`. */
static bool put_batch(struct sbuf *out, const struct plan *p, size_t from,
		      size_t to, int family)
{
	bool any = false;

	for (size_t i = from; i < to; i++) {
		const struct step *s = &p->steps.items[i];

		if (s->network.ip.family != family)
			continue;
		if (!any)
			sbuf_printf(out, "batch -%d <<EOF || return 1\n",
				    family);
		any = true;
		if (s->kind == STEP_ADD_ADDRESS ||
		    s->kind == STEP_REMOVE_ADDRESS)
			put_address(out, s);
		else
			put_route(out, s);
	}
	if (any)
		sbuf_puts(out, "EOF\n");
	return any;
}

static void put_batches(struct sbuf *out, const struct plan *p, size_t from,
			size_t to)
{
	/* else the kernel drops the other addresses with the first one */
	if (p->steps.items[from].kind == STEP_REMOVE_ADDRESS)
		sbuf_puts(out, "echo 1 >\"/proc/sys/net/ipv4/conf/$I/"
			       "promote_secondaries\" || :\n");
	put_batch(out, p, from, to, 4);
	put_batch(out, p, from, to, 6);
}

static void put_forward_on(struct sbuf *out, const struct plan *p)
{
	sbuf_printf(out, "V4=%s V6=%s\n", p->desired->forward4 ? "1" : "",
		    p->desired->forward6 ? "1" : "");
	sbuf_puts(out, forward_on_text);
}

static void put_part(struct sbuf *out, const struct plan *p, size_t from,
		     size_t to, const char *boot_file, const char *nonce)
{
	switch (p->steps.items[from].kind) {
	case STEP_INSTALL: sbuf_puts(out, install_text); break;
	case STEP_TAKE_OVER: sbuf_puts(out, ":\n"); break; /* a word to say */
	case STEP_WRITE_BOOT_FIRST:
	case STEP_WRITE_BOOT: put_boot_file(out, p, boot_file, nonce); break;
	case STEP_ENABLE_FIRST:
	case STEP_ENABLE: sbuf_puts(out, enable_text); break;
	case STEP_BRING_UP: sbuf_puts(out, bring_up_text); break;
	case STEP_PRIVATE_KEY: put_private_key(out, p, nonce); break;
	case STEP_LISTEN_PORT:
		sbuf_printf(out, "wg set \"$I\" listen-port %d\n",
			    p->desired->listen_port);
		break;
	case STEP_FWMARK: sbuf_puts(out, "wg set \"$I\" fwmark off\n"); break;
	case STEP_MTU:
		sbuf_printf(out, "ip link set dev \"$I\" mtu %d\n",
			    p->desired->mtu);
		break;
	case STEP_LINK_UP: sbuf_puts(out, "ip link set dev \"$I\" up\n"); break;
	case STEP_NAME_ENDPOINT: put_named_endpoints(out, p, from, to); break;
	case STEP_ADD_PEER:
	case STEP_SET_PEER:
	case STEP_REMOVE_PEER: put_peers(out, p, from, to); break;
	case STEP_ADD_ADDRESS:
	case STEP_REMOVE_ADDRESS:
	case STEP_ADD_ROUTE:
	case STEP_REPLACE_ROUTE:
	case STEP_REMOVE_ROUTE: put_batches(out, p, from, to); break;
	case STEP_FORWARD_ON: put_forward_on(out, p); break;
	case STEP_FORWARD_OFF: sbuf_puts(out, forward_off_text); break;
	case STEP_TEAR_DOWN: sbuf_puts(out, tear_down_text); break;
	case STEP_REMOVE_BOOT: sbuf_puts(out, "rm -f \"$B\"\n"); break;
	case STEP_REMOVE_KEY: sbuf_puts(out, "rm -f \"$Y\"\n"); break;
	case STEP_STORE_KEY: put_store_key(out, p, nonce); break;
	}
}

/* Steps of these kinds go out together: additions first, then removals. */
static int part_of(enum step_kind kind)
{
	switch (kind) {
	case STEP_SET_PEER:
	case STEP_REMOVE_PEER: return STEP_ADD_PEER;
	case STEP_REPLACE_ROUTE:
	case STEP_REMOVE_ROUTE: return STEP_ADD_ROUTE;
	default: return (int)kind;
	}
}

static size_t part_end(const struct plan *p, size_t from)
{
	size_t to = from;

	while (to < p->steps.len && part_of(p->steps.items[to].kind) ==
					    part_of(p->steps.items[from].kind))
		to++;
	return to;
}

/* The first line is taken by the probe's shell, which waits for it. */
static void put_head(struct sbuf *out, const char *interface,
		     const struct script_run *run)
{
	sbuf_puts(out, ":\nmain() {\nI=");
	text_quote(out, interface);
	sbuf_printf(out, " N=%s T=", run->nonce);
	text_quote(out, run->token);
	sbuf_puts(out, " W=");
	text_quote(out, run->who);
	sbuf_printf(out, "\n%s", prelude);
}

void script_text(struct sbuf *out, const struct plan *p, const char *boot_file,
		 const struct script_run *run)
{
	size_t to;

	put_head(out, p->mesh->interface_name, run);
	for (size_t from = 0; from < p->steps.len; from = to) {
		to = part_end(p, from);
		sbuf_puts(out, "part() {\n");
		put_part(out, p, from, to, boot_file, run->nonce);
		sbuf_printf(out, "}\nrun %zu\n", from);
	}
	sbuf_puts(out, postlude);
}

void script_make_key(struct sbuf *out, const char *interface, bool install,
		     const struct script_run *run)
{
	put_head(out, interface, run);
	sbuf_puts(out, "part() {\n");
	if (install)
		sbuf_printf(out, "( %s ) || return 1\n", install_text);
	sbuf_puts(out, "mkdir -p -m 700 /etc/wireguard\n"
		       "if ! [ -s \"$Y\" ]; then "
		       "k=$(wg show \"$I\" private-key 2>/dev/null)\n"
		       "case $k in ''|'(none)') k=$(wg genkey) || return 1;; "
		       "esac\n"
		       "put \"$Y\" 600 <<E\n$k\nE\nfi\n"
		       "}\nrun 0\n"
		       "printf '\\n=%s= key %s\\n' \"$N\" "
		       "\"$(wg pubkey <\"$Y\")\"\n");
	sbuf_puts(out, postlude);
}

/* ---- the answer ---- */

/* The words of a failed part: its lines joined and escaped, the last of them. */
static char *failure_words(const char *text, const char *frame)
{
	const char *end = strstr(text, frame);
	size_t len = end ? (size_t)(end - text) : strlen(text);
	struct sbuf lines = SBUF_INIT, shown = SBUF_INIT;
	const char *from;
	char *words;

	for (size_t i = strspn(text, "\n"); i < len; i++)
		if (text[i] != '\n')
			sbuf_putc(&lines, text[i]);
		else if (i + 1 < len && text[i + 1] != '\n')
			sbuf_puts(&lines, "; ");
	text_escape(&shown, sbuf_str(&lines), lines.len, false);
	from = sbuf_str(&shown);
	if (shown.len > FAILURE_BYTES)
		from += shown.len - FAILURE_BYTES;
	while (((unsigned char)*from & 0xc0) == 0x80)
		from++;
	words = mem_printf("%s%s", shown.len > FAILURE_BYTES ? "... " : "",
			   *from ? from : "no reason given");
	sbuf_done(&lines);
	sbuf_done(&shown);
	return words;
}

void script_parse_start(struct script_result *out, const struct plan *p,
			const char *text, size_t len, const char *nonce)
{
	AUTO(auto_free) char *frame = mem_printf("\n=%s= ", nonce);
	AUTO(auto_free) char *copy = mem_strndup(text, len);
	struct script_result r = { 0 };
	const char *at = copy;
	char word[8];
	size_t from;

	while ((at = strstr(at, frame))) {
		at += strlen(frame);
		if (sscanf(at, "%7s %zu", word, &from) != 2 ||
		    from >= p->steps.len)
			break;
		if (strcmp(word, "ok") == 0) {
			r.steps_done = part_end(p, from);
			continue;
		}
		r.refused = strcmp(word, "held") == 0;
		r.failure = failure_words(at + strcspn(at, "\n"), frame);
		r.failed_step = from;
		break;
	}
	*out = r;
}

int script_parse(struct script_result *out, const struct plan *p,
		 const char *text, size_t len, const char *nonce, struct err *e)
{
	struct script_result r;

	script_parse_start(&r, p, text, len, nonce);
	if (!r.failure && r.steps_done != p->steps.len)
		return err_set(e, ERR_REMOTE, "the host's answer stops after "
			       "step %zu of %zu", r.steps_done, p->steps.len);
	*out = r;
	return 0;
}

void script_result_done(struct script_result *r)
{
	free(r->failure);
	memset(r, 0, sizeof *r);
}

int script_parse_key(char **out, const char *text, size_t len,
		     const char *nonce, struct err *e)
{
	AUTO(auto_free) char *frame = mem_printf("\n=%s= ", nonce);
	AUTO(auto_free) char *mark = mem_printf("%skey ", frame);
	AUTO(auto_free) char *bad = mem_printf("%sfail 0", frame);
	AUTO(auto_free) char *held = mem_printf("%sheld 0", frame);
	AUTO(auto_free) char *copy = mem_strndup(text, len);
	AUTO(auto_free) char *key = NULL;
	const char *at = strstr(copy, held);
	bool refused = at;

	if (at || (at = strstr(copy, bad))) {
		AUTO(auto_free) char *words =
			failure_words(at + 1 + strcspn(at + 1, "\n"), frame);

		return err_set(e, refused ? ERR_CONFLICT : ERR_REMOTE,
			       "no key could be made there: %s", words);
	}
	at = strstr(copy, mark);
	if (at)
		key = mem_strndup(at + strlen(mark),
				  strcspn(at + strlen(mark), "\n"));
	if (!key || check_key(key, e) < 0)
		return err_set(e, ERR_REMOTE, "no key could be made there");
	*out = STEAL(key);
	return 0;
}
