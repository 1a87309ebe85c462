/*
 * What of one peer is different, as one step.
 */
#include "render/peer_change.h"

#include <string.h>

/** A handshake younger than this says that a roamed endpoint works (seconds). */
#define HANDSHAKE_FRESH 180

static bool same_cidrs(const struct cidrs *desired, const struct cidrs *live)
{
	struct cidrs sorted = { 0 };
	bool same = desired->len == live->len;

	for (size_t i = 0; same && i < desired->len; i++)
		vec_push(&sorted, desired->items[i]);
	cidrs_sort(&sorted);
	for (size_t i = 0; same && i < sorted.len; i++)
		same = cidr_equal(&sorted.items[i], &live->items[i]);
	vec_done(&sorted);
	return same;
}

static bool same_endpoint(const char *a, const char *b)
{
	char *host_a = NULL, *host_b = NULL;
	struct ip ip_a, ip_b;
	int port_a, port_b;
	struct err e;
	bool same = strcmp(a, b) == 0;

	if (!same && endpoint_parse(a, &host_a, &port_a, &e) == 0 &&
	    endpoint_parse(b, &host_b, &port_b, &e) == 0)
		same = port_a == port_b && ip_parse(&ip_a, host_a) &&
		       ip_parse(&ip_b, host_b) && ip_equal(&ip_a, &ip_b);
	free(host_a);
	free(host_b);
	return same;
}

/*
 * An endpoint is a hint: the peer may have roamed since it was set. What was
 * set before stands in the boot file.
 */
static bool endpoint_differs(const struct desired_peer *d,
			     const struct observed_peer *l,
			     const struct observed *o)
{
	const char *booted;

	if (!*d->endpoint || same_endpoint(d->endpoint, l->endpoint))
		return false;
	booted = observed_boot_endpoint(o, d->public_key);
	if (!booted || strcmp(booted, d->endpoint) != 0)
		return true;
	if (desired_endpoint_is_name(d))
		return !*l->endpoint;
	return !l->handshake || o->now - l->handshake >= HANDSHAKE_FRESH;
}

unsigned peer_changes(const struct desired_peer *d,
			     const struct observed_peer *l,
			     const struct observed *o)
{
	unsigned change = 0;

	if (endpoint_differs(d, l, o))
		change |= PEER_ENDPOINT;
	if (!same_cidrs(&d->allowed_ips, &l->allowed_ips))
		change |= PEER_ALLOWED_IPS;
	if (d->keepalive_s != l->keepalive_s)
		change |= PEER_KEEPALIVE;
	if (l->has_psk)
		change |= PEER_PSK;
	return change;
}
