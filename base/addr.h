/*
 * IP addresses and networks, version 4 and 6 alike. Text is parsed strictly:
 * dotted quads without leading zeros, RFC 4291 text for version 6, no zone,
 * no blanks. An IPv4-mapped version 6 address is its version 4 address.
 */
#ifndef WGMESH_BASE_ADDR_H
#define WGMESH_BASE_ADDR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest text of an address with a prefix length and NUL, rounded up. */
#define ADDR_TEXT_MAX 56
/** Longest text of "[address]:port" and NUL. */
#define ENDPOINT_TEXT_MAX 64

/** An address; family 0 is "unset". Bytes in network order, 4 or 16 of them. */
struct ip {
	int family; /* 0, 4 or 6 */
	uint8_t b[16]; /* of version 4 the first four; the rest is zero */
};

/** A network or an address with a prefix length. */
struct cidr {
	struct ip ip;  /* with or without host bits */
	unsigned plen; /* bits, 0 to 32 or 128 */
};

/** A list of networks; see base/vec.h. */
struct cidrs {
	struct cidr *items; /* owned */
	size_t len;
	size_t cap;         /* networks that there is room for */
};

/** Parse an address; false when @s is none, and @out is as it was. */
bool ip_parse(struct ip *out, const char *s);

/** Text of @a into @buf of ADDR_TEXT_MAX bytes, "" when unset; returns buf. */
const char *ip_text(const struct ip *a, char buf[ADDR_TEXT_MAX]);

/** The same address? Two that are unset are. */
bool ip_equal(const struct ip *a, const struct ip *b);

/** Order: version 4 before 6, then by bytes. */
int ip_compare(const struct ip *a, const struct ip *b);

/** Bits of an address of this family: 32 or 128. */
unsigned ip_bits(const struct ip *a);

/** Add one; false when it wrapped around, from the last to all zero. */
bool ip_next(struct ip *a);

/** Loopback, multicast, unspecified, broadcast or link-local: no host's own. */
bool ip_is_special(const struct ip *a);

/** Private use: RFC 1918, RFC 6598 (shared), RFC 4193 (unique local). */
bool ip_is_private(const struct ip *a);

/**
 * Parse "address/plen"; a bare address gets its full length. Host bits are
 * kept: see cidr_mask(). False when @s is none.
 */
bool cidr_parse(struct cidr *out, const char *s);

/** Text "address/plen", host bits and all, into @buf; returns buf. */
const char *cidr_text(const struct cidr *c, char buf[ADDR_TEXT_MAX]);

/** Clear the host bits. */
void cidr_mask(struct cidr *c);

/** Is @a inside @c? False across families. */
bool cidr_contains(const struct cidr *c, const struct ip *a);

/**
 * A default route, or a large part of one? Less than 8 bits: two halves of
 * everything, as VPNs write a default route, are wide as well.
 */
bool cidr_is_wide(const struct cidr *c);

/** In fe80::/10, which every card has by itself? */
bool ip_is_link_local(const struct ip *a);

/** Do the two networks share an address? */
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);

/** The same address and prefix length? Host bits count: see cidr_mask(). */
bool cidr_equal(const struct cidr *a, const struct cidr *b);

/** Order by address, then prefix length. */
int cidr_compare(const struct cidr *a, const struct cidr *b);

/** Sort by cidr_compare(). Doubles stay. */
void cidrs_sort(struct cidrs *v);

/** Index of @c, or -1. */
long cidrs_find(const struct cidrs *v, const struct cidr *c);

/** A single host: its address with the full prefix length. */
struct cidr cidr_host(const struct ip *a);

/** The last address of the network (version 4: broadcast). */
struct ip cidr_last(const struct cidr *c);

/**
 * Parse an endpoint "host:port" or "[v6]:port". @host gets the address or name
 * without brackets (caller frees), @port 1 to 65535.
 * Returns 0, or -1 with ERR_INPUT that says what would be right.
 */
int endpoint_parse(const char *s, char **host, int *port, struct err *e);

/** "a.b.c.d:port" or "[v6]:port" into @buf; returns buf. */
const char *endpoint_text(const struct ip *a, int port,
			  char buf[ENDPOINT_TEXT_MAX]);

#endif
