/*
 * Addresses and networks of both families: parsed strictly, printed in one form,
 * compared. No name is ever resolved here.
 */
#include "base/addr.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/vec.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of @b that count; those of an unset one are all zero. */
static size_t ip_size(const struct ip *a)
{
	return a->family == 4 ? 4 : 16;
}

bool ip_parse(struct ip *out, const char *s)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ip a = { 0 };

	if (inet_pton(AF_INET, s, a.b) == 1) {
		a.family = 4;
	} else if (inet_pton(AF_INET6, s, a.b) == 1) {
		a.family = 6;
		/* ::ffff:0:0/96 (RFC 4291): one address, one text, one order */
		if (memcmp(a.b, mapped, sizeof mapped) == 0) {
			a.family = 4;
			memmove(a.b, a.b + 12, 4);
			memset(a.b + 4, 0, 12);
		}
	} else {
		return false;
	}
	*out = a;
	return true;
}

const char *ip_text(const struct ip *a, char buf[ADDR_TEXT_MAX])
{
	buf[0] = '\0';
	if (a->family)
		inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->b, buf,
			  ADDR_TEXT_MAX);
	return buf;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return ip_compare(a, b) == 0;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, ip_size(a));
}

unsigned ip_bits(const struct ip *a)
{
	return a->family == 4 ? 32 : 128;
}

bool ip_next(struct ip *a)
{
	for (size_t i = ip_size(a); i-- > 0;)
		if (++a->b[i])
			return true;
	return false;
}

/* Does @a lie in one of the networks written in @list? */
static bool in_list(const struct ip *a, const char *const *list, size_t n)
{
	struct cidr c;

	for (size_t i = 0; i < n; i++)
		if (cidr_parse(&c, list[i]) && cidr_contains(&c, a))
			return true;
	return false;
}

bool ip_is_special(const struct ip *a)
{
	static const char *const list[] = {
		"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4",
		"255.255.255.255/32", "::/128", "::1/128", "fe80::/10",
		"ff00::/8",
	};

	return in_list(a, list, sizeof list / sizeof *list);
}

bool ip_is_private(const struct ip *a)
{
	static const char *const list[] = {
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
		"100.64.0.0/10", "fc00::/7",
	};

	return in_list(a, list, sizeof list / sizeof *list);
}

bool cidr_is_wide(const struct cidr *c)
{
	return c->plen < 8;
}

bool cidr_parse(struct cidr *out, const char *s)
{
	const char *slash = strchr(s, '/');
	char text[INET6_ADDRSTRLEN];
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	struct cidr c;
	long plen;

	if (n >= sizeof text)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if (!ip_parse(&c.ip, text))
		return false;
	c.plen = ip_bits(&c.ip);
	if (slash) {
		bool mapped = c.ip.family == 4 && strchr(text, ':');

		if (!num_parse(&plen, slash + 1, 0, mapped ? 128 : c.plen))
			return false;
		/* a shorter one would hold more than version 4 has */
		if (mapped && (plen -= 96) < 0)
			return false;
		c.plen = (unsigned)plen;
	}
	*out = c;
	return true;
}

const char *cidr_text(const struct cidr *c, char buf[ADDR_TEXT_MAX])
{
	char ip[ADDR_TEXT_MAX];

	snprintf(buf, ADDR_TEXT_MAX, "%.45s/%u", ip_text(&c->ip, ip),
		 c->plen);
	return buf;
}

/* The network mask's byte number @i for a prefix length. */
static uint8_t mask_byte(unsigned plen, size_t i)
{
	if (plen >= 8 * (i + 1))
		return 0xff;
	if (plen <= 8 * i)
		return 0;
	return (uint8_t)(0xff << (8 - (plen - 8 * i)));
}

void cidr_mask(struct cidr *c)
{
	for (size_t i = 0; i < ip_size(&c->ip); i++)
		c->ip.b[i] &= mask_byte(c->plen, i);
}

bool cidr_contains(const struct cidr *c, const struct ip *a)
{
	if (c->ip.family != a->family)
		return false;
	for (size_t i = 0; i < ip_size(a); i++)
		if ((c->ip.b[i] ^ a->b[i]) & mask_byte(c->plen, i))
			return false;
	return true;
}

bool ip_is_link_local(const struct ip *a)
{
	struct cidr net;

	return cidr_parse(&net, "fe80::/10") && cidr_contains(&net, a);
}

bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
	return a->plen <= b->plen ? cidr_contains(a, &b->ip)
				  : cidr_contains(b, &a->ip);
}

bool cidr_equal(const struct cidr *a, const struct cidr *b)
{
	return cidr_compare(a, b) == 0;
}

int cidr_compare(const struct cidr *a, const struct cidr *b)
{
	int order = ip_compare(&a->ip, &b->ip);

	if (order)
		return order;
	return a->plen < b->plen ? -1 : a->plen > b->plen;
}

static int compare_items(const void *a, const void *b)
{
	return cidr_compare(a, b);
}

void cidrs_sort(struct cidrs *v)
{
	vec_sort(v, compare_items);
}

long cidrs_find(const struct cidrs *v, const struct cidr *c)
{
	for (size_t i = 0; i < v->len; i++)
		if (cidr_equal(&v->items[i], c))
			return (long)i;
	return -1;
}

struct cidr cidr_host(const struct ip *a)
{
	return (struct cidr){ .ip = *a, .plen = ip_bits(a) };
}

struct ip cidr_last(const struct cidr *c)
{
	struct ip a = c->ip;

	for (size_t i = 0; i < ip_size(&a); i++)
		a.b[i] |= (uint8_t)~mask_byte(c->plen, i);
	return a;
}

int endpoint_parse(const char *s, char **host, int *port, struct err *e)
{
	const char *colon = strrchr(s, ':');
	const char *start = s;
	const char *end = colon;
	struct ip a;
	long n;

	if (!colon || !num_parse(&n, colon + 1, 1, 65535))
		return err_set(e, ERR_INPUT, "'%s' is no endpoint, expected "
			       "host:port with a port of 1 to 65535", s);
	if (*s == '[' && colon > s && colon[-1] == ']') {
		start = s + 1;
		end = colon - 1;
	}
	*host = mem_strndup(start, (size_t)(end - start));
	if (start == end || (start == s) != !strchr(*host, ':') ||
	    (start != s && !ip_parse(&a, *host))) {
		free(*host);
		*host = NULL;
		return err_set(e, ERR_INPUT, "'%s' is no endpoint, expected "
			       "host:port, or [address]:port for IPv6", s);
	}
	*port = (int)n;
	return 0;
}

const char *endpoint_text(const struct ip *a, int port,
			  char buf[ENDPOINT_TEXT_MAX])
{
	char ip[ADDR_TEXT_MAX];

	snprintf(buf, ENDPOINT_TEXT_MAX, a->family == 6 ? "[%.45s]:%d" : "%.45s:%d",
		 ip_text(a, ip), port);
	return buf;
}
