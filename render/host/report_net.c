/*
 * The parts of the probe's report that ip and wg print: the interface with its
 * peers, addresses and routes, and what the tunnel's packets go through, which
 * are the host's other interfaces and its main routing table. Apart from
 * report_host.c, which reads what the probe itself says.
 */
#include "render/host/report.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "state/model/model.h"

#include <string.h>

/* The longest that `wg` prints: an address with a zone, and a port. */
#define ENDPOINT_MAX 80
/** The longest name of a table of nftables that is shown. */
#define TABLE_MAX 128

static const char *unset_as_empty(const char *s, const char *unset)
{
	return strcmp(s, unset) == 0 ? "" : s;
}

static int parse_interface_line(struct observed *o, struct fields *f,
				struct err *e)
{
	size_t first = f->n == 4 ? 1 : 0; /* 4: with the private key */
	const char *mark;
	long port, fwmark = 0;
	struct err ignored;
	char *end;

	if (f->n != 3 && f->n != 4)
		return report_bad(e, "first line of 'wg show dump' of fields",
				f->n ? f->f[f->n - 1] : "");
	if (strcmp(f->f[first], "(none)") != 0 &&
	    check_key(f->f[first], &ignored) < 0)
		return report_bad(e, "public key", f->f[first]);
	if (!num_parse(&port, f->f[first + 1], 0, 65535))
		return report_bad(e, "listen port", f->f[first + 1]);
	mark = unset_as_empty(f->f[first + 2], "off");
	if (*mark) {
		fwmark = strtol(mark, &end, 0); /* wg prints 0x... */
		if (*end || fwmark < 0 || fwmark > (long)UINT32_MAX)
			return report_bad(e, "fwmark", mark);
	}
	mem_replace(&o->public_key, unset_as_empty(f->f[first], "(none)"));
	o->listen_port = (int)port;
	o->is_wireguard = true;
	o->fwmark = (uint32_t)fwmark;
	return 0;
}

/* public key, PSK, endpoint, allowed IPs, handshake, rx, tx, keepalive */
static int parse_peer_line(struct observed *o, struct fields *f, struct err *e)
{
	struct observed_peer *p;
	const char *keepalive;
	char *save = NULL;
	uint64_t handshake, sent;
	long seconds = 0;

	if (f->n != 8)
		return report_bad(e, "peer line of 'wg show dump'",
				f->n ? f->f[0] : "");
	keepalive = unset_as_empty(f->f[7], "off");
	if (*keepalive && !num_parse(&seconds, keepalive, 0, 65535))
		return report_bad(e, "keepalive", keepalive);
	if (!num_parse_u64(&handshake, f->f[4]) || handshake > INT64_MAX)
		return report_bad(e, "latest handshake", f->f[4]);
	if (!num_parse_u64(&sent, f->f[6]))
		return report_bad(e, "count of bytes", f->f[6]);
	/* whatever is there can be removed */
	if (strlen(f->f[0]) != 44 || !text_is_printable(f->f[0]))
		return report_bad(e, "peer key", f->f[0]);
	if (strlen(f->f[2]) > ENDPOINT_MAX || !text_is_printable(f->f[2]))
		return report_bad(e, "endpoint", f->f[2]);
	p = vec_add(&o->peers);
	p->public_key = mem_strdup(f->f[0]);
	p->has_psk = strcmp(f->f[1], "(none)") != 0;
	p->endpoint = mem_strdup(unset_as_empty(f->f[2], "(none)"));
	p->handshake = (int64_t)handshake;
	p->sent = sent;
	p->keepalive_s = (int)seconds;
	if (strcmp(f->f[3], "(none)") == 0)
		return 0;
	for (char *word = strtok_r(f->f[3], ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		struct cidr c;

		if (!cidr_parse(&c, word))
			return report_bad(e, "allowed IP", word);
		if (report_count(o, "allowed IPs", ++o->n_allowed_ips, 4,
				 e) < 0)
			return -1;
		vec_push(&p->allowed_ips, c);
	}
	cidrs_sort(&p->allowed_ips);
	return 0;
}

int report_dump(struct observed *o, char *line, struct err *e)
{
	struct fields f;

	fields_split(&f, line, "\t");
	return o->public_key ? parse_peer_line(o, &f, e)
			     : parse_interface_line(o, &f, e);
}

/* A peer's key, and each address of its name, or that none could be asked for. */
int report_names(struct observed *o, char *line, struct err *e)
{
	struct observed_peer *p = NULL;
	struct fields f;
	struct ip ip;

	fields_split(&f, line, "\t");
	for (size_t i = 0; f.n && i < o->peers.len && !p; i++)
		if (strcmp(o->peers.items[i].public_key, f.f[0]) == 0)
			p = &o->peers.items[i];
	if (!p)
		return report_bad(e, "peer", f.n ? f.f[0] : "");
	for (size_t i = 1; i < f.n; i++) {
		if (strcmp(f.f[i], "unasked") == 0)
			p->unasked = true;
		else if (!ip_parse(&ip, f.f[i]))
			return report_bad(e, "address", f.f[i]);
		else
			vec_push(&p->named, ip);
	}
	return 0;
}

/* "forward FAMILY TABLE"; one for both families counts for both. */
int report_firewall(struct observed *o, char *line, struct err *e)
{
	struct fields f;

	fields_split(&f, line, " ");
	if (f.n != 3 || strcmp(f.f[0], "forward") != 0 ||
	    strlen(f.f[2]) > TABLE_MAX || !text_is_printable(f.f[2]))
		return report_bad(e, "line", f.n ? f.f[f.n - 1] : "");
	if (strcmp(f.f[1], "ip6") != 0)
		mem_replace(&o->drops4, f.f[2]);
	if (strcmp(f.f[1], "ip") != 0)
		mem_replace(&o->drops6, f.f[2]);
	return 0;
}

/* Does a line of `ip route` begin so that it leads nowhere else? */
static bool is_route_type(const char *word)
{
	static const char *const types[] = {
		"unreachable", "blackhole", "prohibit", "throw",
		"local", "broadcast", "multicast", "anycast", "nexthop",
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(word, types[i]) == 0)
			return true;
	return false;
}

/* The network that a line of `ip route` begins with. */
static int parse_network(struct cidr *out, const char *word, int family,
			 struct err *e)
{
	if (strcmp(word, "default") == 0)
		cidr_parse(out, family == 4 ? "0.0.0.0/0" : "::/0");
	else if (!cidr_parse(out, word))
		return report_bad(e, "route", word);
	return 0;
}

static int route_line(struct observed *o, char *line, int family,
		      struct err *e)
{
	struct observed_route r = { 0 };
	const char *via, *proto;
	struct fields f;

	fields_split(&f, line, " \t");
	if (f.n == 0 || is_route_type(f.f[0]))
		return 0;
	if (parse_network(&r.network, f.f[0], family, e) < 0)
		return -1;
	via = fields_after(&f, "via");
	if (via && strcmp(via, "inet6") == 0)
		via = fields_after(&f, "inet6");
	if (via && !ip_parse(&r.gateway, via))
		return report_bad(e, "gateway", via);
	proto = fields_after(&f, "proto");
	r.kernel = proto && strcmp(proto, "kernel") == 0;
	r.tagged = proto && strcmp(proto, OBSERVED_ROUTE_PROTO) == 0;
	vec_push(&o->routes, r);
	return 0;
}

int report_address(struct observed *o, char *line, struct err *e)
{
	struct observed_address a = { 0 };
	struct fields f;

	fields_split(&f, line, " \t\\");
	if (f.n < 4 || strncmp(f.f[2], "inet", 4) != 0)
		return 0;
	if (strlen(f.f[1]) >= sizeof a.ifname ||
	    !cidr_parse(&a.address, f.f[3]))
		return report_bad(e, "address", f.f[3]);
	snprintf(a.ifname, sizeof a.ifname, "%s", f.f[1]);
	a.passing = fields_have(&f, "temporary") ||
		    fields_have(&f, "deprecated");
	vec_push(&o->addresses, a);
	return 0;
}

int report_link(struct observed *o, char *line, struct err *e)
{
	const char *mtu;
	struct fields f;
	long n;

	fields_split(&f, line, " \t\\");
	if (f.n < 3)
		return 0;
	mtu = fields_after(&f, "mtu");
	if (!mtu || !num_parse(&n, mtu, 0, 1 << 30))
		return report_bad(e, "mtu", mtu ? mtu : "");
	o->exists = true;
	o->mtu = (int)n;
	fields_split(&f, f.f[2], "<>,");
	o->is_up = fields_have(&f, "UP");
	return 0;
}

int report_route4(struct observed *o, char *line, struct err *e)
{
	return route_line(o, line, 4, e);
}

int report_route6(struct observed *o, char *line, struct err *e)
{
	return route_line(o, line, 6, e);
}

/* ---- what the packets go through ---- */

int report_links(struct observed *o, char *line, struct err *e)
{
	struct observed_link l = { 0 };
	const char *mtu;
	struct fields f;
	long n;

	fields_split(&f, line, " \t\\");
	mtu = f.n < 5 ? NULL : fields_after(&f, "mtu");
	if (!mtu || !num_parse(&n, mtu, 0, 1 << 30))
		return report_bad(e, "mtu", mtu ? mtu : "");
	f.f[1][strcspn(f.f[1], "@:")] = '\0'; /* "eth0@if5:" */
	if (strlen(f.f[1]) >= sizeof l.ifname)
		return report_bad(e, "interface", f.f[1]);
	snprintf(l.ifname, sizeof l.ifname, "%s", f.f[1]);
	l.mtu = (int)n;
	if (o->links.len < OBSERVED_LINKS_MAX)
		vec_push(&o->links, l);
	return 0;
}

/* The number behind @name; @out stays as it is where there is none. */
static int number_after(long *out, const struct fields *f, const char *name,
			long max, struct err *e)
{
	const char *value = fields_after(f, name);

	if (value && strcmp(value, "lock") == 0) /* mtu lock N */
		value = fields_after(f, "lock");
	if (value && !num_parse(out, value, 0, max))
		return report_bad(e, name, value);
	return 0;
}

/* Each way of a route by its "dev"; one without any leads nowhere. */
static int main_line(struct observed *o, char *line, int family, struct err *e)
{
	struct observed_underlay way = { 0 };
	struct fields f;
	long mtu = 0;

	fields_split(&f, line, " \t\\");
	if (f.n == 0 || is_route_type(f.f[0]) || fields_have(&f, "dead"))
		return 0;
	if (parse_network(&way.network, f.f[0], family, e) < 0 ||
	    number_after(&way.metric, &f, "metric", UINT32_MAX, e) < 0 ||
	    number_after(&mtu, &f, "mtu", 1 << 30, e) < 0)
		return -1;
	way.mtu = (int)mtu;
	for (size_t i = 1; i + 1 < f.n; i++) {
		if (strcmp(f.f[i], "dev") != 0)
			continue;
		if (strlen(f.f[++i]) >= sizeof way.ifname)
			return report_bad(e, "interface", f.f[i]);
		snprintf(way.ifname, sizeof way.ifname, "%s", f.f[i]);
		if (o->underlay.len < OBSERVED_UNDERLAY_MAX)
			vec_push(&o->underlay, way);
	}
	return 0;
}

int report_main4(struct observed *o, char *line, struct err *e)
{
	return main_line(o, line, 4, e);
}

int report_main6(struct observed *o, char *line, struct err *e)
{
	return main_line(o, line, 6, e);
}
