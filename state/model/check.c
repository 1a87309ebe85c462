/*
 * The syntax of single values: names, hosts, ports, endpoints. Names and hosts
 * end up in scripts, boot files and the command line of ssh: the alphabets are
 * those that mean nothing there.
 */
#include "state/model/check.h"

#include "base/auto.h"
#include "base/text.h"
#include "vault/wgkey.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* As much of a value as a message shows. */
#define SHOWN_MAX 100

/* What names are made of. */
struct alphabet {
	const char *first; /* the first character */
	const char *rest;
	size_t max; /* bytes */
};

char *check_shown(const char *s)
{
	size_t n = strlen(s);
	struct sbuf b = SBUF_INIT;

	if (n <= SHOWN_MAX) {
		text_escape(&b, s, n, false);
		return sbuf_detach(&b);
	}
	n = SHOWN_MAX; /* but no part of a character: at most 3 bytes back */
	while (n > SHOWN_MAX - 4 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	text_escape(&b, s, n, false);
	sbuf_puts(&b, "...");
	return sbuf_detach(&b);
}

static bool is_spelled(const char *s, const struct alphabet *a)
{
	size_t n = strlen(s);

	return n > 0 && n <= a->max && strchr(a->first, *s) &&
	       strspn(s, a->rest) == n;
}

/* The one shape of these errors: "'x' is no WHAT, expected WANTED". */
static int refuse_as(const char *s, const char *what, const char *wanted,
		     struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(s);

	return err_set(e, ERR_INPUT, "'%s' is no %s, expected %s", shown, what,
		       wanted);
}

int check_node_name(const char *s, struct err *e)
{
	static const struct alphabet name = { LETTERS DIGITS,
					      LETTERS DIGITS "._-", 63 };

	if (is_spelled(s, &name))
		return 0;
	return refuse_as(s, "node name",
			 "1 to 63 letters, digits, '.', '_' or '-', starting "
			 "with a letter or digit", e);
}

int check_group_name(const char *s, struct err *e)
{
	if (*s && strlen(s) <= 128 && text_is_printable(s))
		return 0;
	return refuse_as(s, "group name",
			 "1 to 128 bytes of text without control characters",
			 e);
}

int check_hook(const char *s, struct err *e)
{
	if (s[strspn(s, " ")] && strlen(s) <= HOOK_BYTES_MAX &&
	    text_is_printable(s) && !strchr(s, '#'))
		return 0;
	return err_set(e, ERR_INPUT, "expected a command of one line, at most "
		       "%d bytes, without control characters and '#', behind "
		       "which wg-quick reads nothing", HOOK_BYTES_MAX);
}

/*
 * A letter in front: it is an argument of ip and wg, and no option of theirs.
 */
int check_interface(const char *s, struct err *e)
{
	static const struct alphabet name = { LETTERS,
					      LETTERS DIGITS "_=+.-", 15 };

	if (is_spelled(s, &name))
		return 0;
	return refuse_as(s, "interface name",
			 "1 to 15 letters, digits or _=+.-, starting with a "
			 "letter", e);
}

/*
 * Labels of 63 bytes, 253 in all (RFC 1035); an underscore is none of DNS's,
 * but in use. A name whose last label is a number would be a mistyped address.
 */
static bool is_dns_name(const char *s)
{
	size_t n = strlen(s);

	if (n > 253)
		return false;
	for (;; s += n + 1) {
		n = strcspn(s, ".");
		if (n == 0 || n > 63 || *s == '-' || s[n - 1] == '-' ||
		    strspn(s, LETTERS DIGITS "_-") < n)
			return false;
		if (!s[n])
			return strspn(s, DIGITS) != n;
	}
}

int check_host(const char *s, struct err *e)
{
	struct ip a;

	if (is_dns_name(s) || ip_parse(&a, s))
		return 0;
	return refuse_as(s, "host",
			 "a DNS name or an IP address without brackets", e);
}

/* It becomes an argument of ssh: a dash in front would be an option. */
int check_user(const char *s, struct err *e)
{
	static const struct alphabet name = { LETTERS DIGITS "_",
					      LETTERS DIGITS "_.-", 32 };

	if (is_spelled(s, &name))
		return 0;
	return refuse_as(s, "login name",
			 "1 to 32 letters, digits, '_', '.' or '-', not "
			 "starting with '.' or '-'", e);
}

int check_endpoint(const char *s, struct err *e)
{
	AUTO(auto_free) char *host = NULL;
	struct err ignored;
	int port;

	if (endpoint_parse(s, &host, &port, &ignored) < 0 ||
	    check_host(host, &ignored) < 0)
		return refuse_as(s, "endpoint",
				 "host:port, or [address]:port for IPv6", e);
	return 0;
}

int check_port(long port, struct err *e)
{
	if (port >= 1 && port <= 65535)
		return 0;
	return err_set(e, ERR_INPUT, "%ld is no port, expected 1 to 65535",
		       port);
}

int check_mtu(long mtu, struct err *e)
{
	if (mtu >= 576 && mtu <= 65535)
		return 0;
	return err_set(e, ERR_INPUT, "%ld is no MTU, expected 576 to 65535",
		       mtu);
}

int check_keepalive(long keepalive_s, struct err *e)
{
	if (keepalive_s >= 0 && keepalive_s <= 65535)
		return 0;
	return err_set(e, ERR_INPUT, "%ld is no keepalive, expected 0 (off) to "
		       "65535 seconds", keepalive_s);
}

/* Are the first or the last address for other uses? */
static bool touches_special(const struct cidr *c)
{
	struct ip last = cidr_last(c);

	return ip_is_special(&c->ip) || ip_is_special(&last);
}

/*
 * A prefix shorter than that of 10.0.0.0/8, the largest private network (RFC
 * 1918), or one in which no two hosts fit, is mistyped.
 */
int check_network(const struct cidr *c, int family, struct err *e)
{
	unsigned min = family == 4 ? 8 : 16;
	unsigned max = family == 4 ? 30 : 126;
	char text[ADDR_TEXT_MAX];

	cidr_text(c, text);
	if (c->ip.family != family)
		return err_set(e, ERR_INPUT, "'%s' is no IPv%d network", text,
			       family);
	if (c->plen < min || c->plen > max)
		return err_set(e, ERR_INPUT, "'%s' cannot be a mesh network, "
			       "expected a prefix length of %u to %u", text,
			       min, max);
	if (touches_special(c))
		return err_set(e, ERR_INPUT, "'%s' cannot be a mesh network, "
			       "it is reserved for other uses", text);
	return 0;
}

int check_routable(const struct cidr *c, struct err *e)
{
	char text[ADDR_TEXT_MAX];
	struct cidr masked = *c;

	cidr_text(c, text);
	cidr_mask(&masked);
	if (!cidr_equal(c, &masked))
		return err_set(e, ERR_INPUT, "'%s' has host bits set", text);
	if (c->plen > 0 && touches_special(c))
		return err_set(e, ERR_INPUT, "'%s' cannot be routed, it is "
			       "reserved for other uses", text);
	return 0;
}

int check_mesh_ip(const struct mesh *m, const struct ip *a, struct err *e)
{
	const struct cidr *c = a->family == 6 ? &m->network6 : &m->network;
	struct ip last = cidr_last(c);
	char text[ADDR_TEXT_MAX];
	char network[ADDR_TEXT_MAX];

	ip_text(a, text);
	if (ip_is_special(a))
		return err_set(e, ERR_INPUT, "%s cannot be a mesh address, it "
			       "is reserved for other uses", text);
	if (!c->ip.family)
		return 0;
	cidr_text(c, network);
	if (!cidr_contains(c, a))
		return err_set(e, ERR_INPUT, "%s is outside of the mesh "
			       "network %s", text, network);
	if (ip_equal(a, &c->ip) || ip_equal(a, &last))
		return err_set(e, ERR_INPUT, "%s is the %s address of the mesh "
			       "network %s, no host can have it", text,
			       ip_equal(a, &c->ip) ? "first" : "last", network);
	return 0;
}

int check_key(const char *s, struct err *e)
{
	if (wgkey_valid(s))
		return 0;
	return err_set(e, ERR_INPUT, "not a WireGuard key, expected 44 "
		       "characters of base64");
}
