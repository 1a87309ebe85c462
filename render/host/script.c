/*
 * A plan as a script: the files *.sh of this folder, told what to do by
 * commands with the values of the plan; and what came back. Every text that is
 * not ours is quoted, and a secret never is an argument.
 */
#include "render/host/script.h"

#include "base/auto.h"
#include "base/text.h"
#include "render/host/texts.h"
#include "render/wgquick.h"
#include "state/model/model.h"

#include <stdio.h>
#include <string.h>

/** Bytes of one `wg set` command line; far below ARG_MAX everywhere. */
#define SET_BATCH_BYTES (48 * 1024)
/** What is told of a failed part's words (bytes): the end, where the reason
 * is. A host may print megabytes. */
#define FAILURE_BYTES 400

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

static void put_key_here(struct sbuf *out, const struct plan *p,
			 const struct script_run *run)
{
	put_here(out, run->hidden ? "(hidden)"
				  : secret_text(&p->node->private_key),
		 run->nonce);
}

/*
 * The arguments that add or change one peer; names come in a step of their own.
 */
static void put_peer_arguments(struct sbuf *out, const struct step *s)
{
	bool add = s->kind == STEP_ADD_PEER;
	const struct desired_peer *peer = s->peer;
	char text[ADDR_TEXT_MAX];

	sbuf_puts(out, " peer ");
	text_quote(out, peer->public_key);
	if (s->change & PEER_PSK)
		sbuf_puts(out, " preshared-key /dev/null");
	if (((add && *peer->endpoint) || s->change & PEER_ENDPOINT) &&
	    !desired_endpoint_is_name(peer)) {
		sbuf_puts(out, " endpoint ");
		text_quote(out, peer->endpoint);
	}
	if ((add && peer->keepalive_s) || s->change & PEER_KEEPALIVE)
		sbuf_printf(out, " persistent-keepalive %d",
			    peer->keepalive_s);
	if (!add && !(s->change & PEER_ALLOWED_IPS))
		return;
	sbuf_puts(out, " allowed-ips ");
	if (peer->allowed_ips.len == 0)
		sbuf_puts(out, "''");
	for (size_t i = 0; i < peer->allowed_ips.len; i++)
		sbuf_printf(out, "%s%s", i ? "," : "",
			    cidr_text(&peer->allowed_ips.items[i], text));
}

/* Endpoints that are names, one by one: one that fails spoils no other. */
static void put_named_endpoints(struct sbuf *out, const struct plan *p,
				size_t from, size_t to)
{
	sbuf_puts(out, "bad=\n");
	for (size_t i = from; i < to; i++) {
		const struct desired_peer *peer = p->steps.items[i].peer;

		sbuf_puts(out, "WG_ENDPOINT_RESOLUTION_RETRIES=1 "
			       "wg set \"$INTERFACE\" peer ");
		text_quote(out, peer->public_key);
		sbuf_puts(out, " endpoint ");
		text_quote(out, peer->endpoint);
		sbuf_puts(out, " || bad=1\n");
	}
	sbuf_puts(out, "[ -z \"$bad\" ]\n");
}

/* Steps @from to @to as few `wg set` commands. */
static void put_peer_commands(struct sbuf *out, const struct plan *p,
			      size_t from, size_t to)
{
	size_t start = 0;

	for (size_t i = from; i < to; i++) {
		const struct step *s = &p->steps.items[i];

		if (i == from || out->len - start > SET_BATCH_BYTES) {
			sbuf_puts(out, i == from ? "" : " || return 1\n");
			start = out->len;
			sbuf_puts(out, "wg set \"$INTERFACE\"");
		}
		if (s->kind != STEP_REMOVE_PEER) {
			put_peer_arguments(out, s);
			continue;
		}
		sbuf_puts(out, " peer ");
		text_quote(out, s->live->public_key);
		sbuf_puts(out, " remove");
	}
	sbuf_puts(out, "\n");
}

/* One line of `ip -batch`; an interface name has no letter that ends a word. */
static void put_route_line(struct sbuf *out, const struct plan *p,
			   const struct step *s)
{
	bool remove = s->kind == STEP_REMOVE_ROUTE;
	const struct ip *gateway = remove ? &s->old->gateway : &s->gateway;
	bool direct4 = remove && !gateway->family && s->network.ip.family == 4;

	sbuf_printf(out, "route %s ",
		    remove ? "del" : s->kind == STEP_ADD_ROUTE ? "add"
							       : "replace");
	wgquick_route(out, &s->network, gateway);
	sbuf_printf(out, "%s dev %s", direct4 ? " scope link" : "",
		    p->mesh->interface_name);
	if (!remove || s->old->tagged)
		sbuf_puts(out, " proto " OBSERVED_ROUTE_PROTO);
	sbuf_puts(out, "\n");
}

/* Routes or addresses as one `ip -batch` for each family. */
static void put_batches(struct sbuf *out, const struct plan *p, size_t from,
			size_t to)
{
	char text[ADDR_TEXT_MAX];

	/* else the kernel drops the other addresses with the first one */
	if (p->steps.items[from].kind == STEP_REMOVE_ADDRESS)
		sbuf_puts(out, "echo 1 >\"/proc/sys/net/ipv4/conf/$INTERFACE/"
			       "promote_secondaries\" || :\n");
	for (int family = 4; family <= 6; family += 2) {
		bool any = false;

		for (size_t i = from; i < to; i++) {
			const struct step *s = &p->steps.items[i];

			if (s->network.ip.family != family)
				continue;
			if (!any)
				sbuf_printf(out, "ip_batch -%d <<EOF || "
					    "return 1\n", family);
			any = true;
			if (s->kind == STEP_ADD_ADDRESS ||
			    s->kind == STEP_REMOVE_ADDRESS)
				sbuf_printf(out, "addr %s %s dev %s\n",
					    s->kind == STEP_ADD_ADDRESS
						    ? "add" : "del",
					    cidr_text(&s->network, text),
					    p->mesh->interface_name);
			else
				put_route_line(out, p, s);
		}
		if (any)
			sbuf_puts(out, "EOF\n");
	}
}

/*
 * The commands of steps @from to @to, which are of one kind or go out together.
 */
static void put_commands(struct sbuf *out, const struct plan *p, size_t from,
			 size_t to, const char *boot_file,
			 const struct script_run *run)
{
	const struct desired *d = p->desired;

	switch (p->steps.items[from].kind) {
	case STEP_INSTALL: sbuf_puts(out, "install_wireguard\n"); break;
	case STEP_TAKE_OVER: sbuf_puts(out, ":\n"); break; /* a word to say */
	case STEP_WRITE_BOOT_FIRST:
	case STEP_WRITE_BOOT:
		sbuf_printf(out, "MESH=%s\nwrite_boot_file", p->mesh->mesh_id);
		put_here(out, boot_file, run->nonce);
		break;
	case STEP_ENABLE_FIRST:
	case STEP_ENABLE:
		sbuf_puts(out, "systemctl enable \"wg-quick@$INTERFACE\"\n");
		break;
	case STEP_BRING_UP: sbuf_puts(out, "bring_up\n"); break;
	case STEP_PRIVATE_KEY:
		sbuf_puts(out, "wg set \"$INTERFACE\" private-key ");
		if (node_key_on_host(p->mesh, p->node)) {
			sbuf_puts(out, "\"$key_file\"\n");
			break;
		}
		sbuf_puts(out, "/dev/stdin");
		put_key_here(out, p, run);
		break;
	case STEP_LISTEN_PORT:
		sbuf_printf(out, "wg set \"$INTERFACE\" listen-port %d\n",
			    d->listen_port);
		break;
	case STEP_FWMARK:
		sbuf_puts(out, "wg set \"$INTERFACE\" fwmark off\n");
		break;
	case STEP_MTU:
		sbuf_printf(out, "ip link set dev \"$INTERFACE\" mtu %d\n",
			    d->mtu);
		break;
	case STEP_LINK_UP:
		sbuf_puts(out, "ip link set dev \"$INTERFACE\" up\n");
		break;
	case STEP_NAME_ENDPOINT: put_named_endpoints(out, p, from, to); break;
	case STEP_ADD_PEER:
	case STEP_SET_PEER:
	case STEP_REMOVE_PEER: put_peer_commands(out, p, from, to); break;
	case STEP_ADD_ADDRESS:
	case STEP_REMOVE_ADDRESS:
	case STEP_ADD_ROUTE:
	case STEP_REPLACE_ROUTE:
	case STEP_REMOVE_ROUTE: put_batches(out, p, from, to); break;
	case STEP_FORWARD_ON:
		sbuf_printf(out, "FORWARD4=%s FORWARD6=%s\nforward_on\n",
			    d->forward4 ? "1" : "", d->forward6 ? "1" : "");
		break;
	case STEP_FORWARD_OFF: sbuf_puts(out, "forward_off\n"); break;
	case STEP_TEAR_DOWN: sbuf_puts(out, "tear_down\n"); break;
	case STEP_REMOVE_BOOT: sbuf_puts(out, "rm -f \"$boot_file\"\n"); break;
	case STEP_REMOVE_KEY: sbuf_puts(out, "rm -f \"$key_file\"\n"); break;
	case STEP_STORE_KEY:
		sbuf_puts(out, "write_secret \"$key_file\"");
		put_key_here(out, p, run);
		break;
	}
}

/* Steps of these kinds go out together: additions first, then removals. */
static enum step_kind part_kind(enum step_kind kind)
{
	switch (kind) {
	case STEP_SET_PEER:
	case STEP_REMOVE_PEER: return STEP_ADD_PEER;
	case STEP_REPLACE_ROUTE:
	case STEP_REMOVE_ROUTE: return STEP_ADD_ROUTE;
	default: return kind;
	}
}

static size_t part_end(const struct plan *p, size_t from)
{
	size_t to = from;

	while (to < p->steps.len &&
	       part_kind(p->steps.items[to].kind) ==
		       part_kind(p->steps.items[from].kind))
		to++;
	return to;
}

/* ---- the frame ---- */

#define KIND(kind) (UINT64_C(1) << STEP_##kind)
_Static_assert(STEP_KINDS <= 64, "a set of kinds is 64 bits");

/*
 * The files with functions that parts call, and for which kinds of steps; those
 * that others need come first. A host is sent no more than its steps call.
 */
static const struct {
	const char *text;
	uint64_t kinds;
} functions[] = {
	{ write_file_sh, KIND(STORE_KEY) | KIND(WRITE_BOOT_FIRST) |
			 KIND(WRITE_BOOT) | KIND(FORWARD_ON) },
	{ boot_file_sh, KIND(WRITE_BOOT_FIRST) | KIND(WRITE_BOOT) },
	{ install_sh, KIND(INSTALL) },
	{ bring_up_sh, KIND(BRING_UP) },
	{ ip_batch_sh, KIND(ADD_ADDRESS) | KIND(ADD_ROUTE) |
		       KIND(REPLACE_ROUTE) | KIND(REMOVE_ROUTE) |
		       KIND(REMOVE_ADDRESS) },
	{ accept_ra_sh, KIND(FORWARD_ON) | KIND(FORWARD_OFF) },
	{ forward_on_sh, KIND(FORWARD_ON) },
	{ forward_off_sh, KIND(FORWARD_OFF) },
	{ tear_down_sh, KIND(TEAR_DOWN) },
};

/* The first line is taken by the probe's shell, which waits for it. */
static void put_head(struct sbuf *out, const char *interface,
		     const struct script_run *run)
{
	sbuf_puts(out, ":\nmain() {\nINTERFACE=");
	text_quote(out, interface);
	sbuf_printf(out, " NONCE=%s SEEN_TOKEN=", run->nonce);
	text_quote(out, run->token);
	sbuf_puts(out, " WHO=");
	text_quote(out, run->who);
	sbuf_printf(out, "\n%s%s%s", section_sh, lock_sh, begin_sh);
}

void script_text(struct sbuf *out, const struct plan *p, const char *boot_file,
		 const struct script_run *run)
{
	uint64_t kinds = 0;
	size_t to;

	put_head(out, p->mesh->interface_name, run);
	for (size_t i = 0; i < p->steps.len; i++)
		kinds |= UINT64_C(1) << p->steps.items[i].kind;
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (functions[i].kinds & kinds)
			sbuf_puts(out, functions[i].text);
	for (size_t from = 0; from < p->steps.len; from = to) {
		to = part_end(p, from);
		sbuf_puts(out, "part() {\n");
		put_commands(out, p, from, to, boot_file, run);
		sbuf_printf(out, "}\nrun %zu\n", from);
	}
	/* only now anything runs */
	sbuf_printf(out, "%s}\nmain\n", end_sh);
}

void script_make_key(struct sbuf *out, const char *interface, bool install,
		     const struct script_run *run)
{
	put_head(out, interface, run);
	sbuf_printf(out, "%s%s%s", write_file_sh, make_key_sh,
		    install ? install_sh : "");
	sbuf_printf(out, "part() {\n%smake_key\n}\nrun 0\n",
		    install ? "(install_wireguard) || return 1\n" : "");
	sbuf_printf(out, "section \"key $(wg pubkey <\"$key_file\")\"\n"
		    "%s}\nmain\n", end_sh);
}

/* ---- the answer ---- */

/*
 * The words of a failed part: its lines joined and escaped, the last of them.
 */
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
	const char *at = copy; /* to the first NUL: a host may send some */
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
