/*
 * Any bytes as an endpoint, an address, a network, a number, a text to show:
 * what is taken reads the same when it is written, what is shown steers no
 * terminal.
 */
#include "base/addr.h"
#include "base/auto.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "state/model/model.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void endpoint(const char *s)
{
	char text[ENDPOINT_TEXT_MAX];
	char *host = NULL, *other = NULL;
	int port, same;
	struct err e;
	struct ip ip;

	if (endpoint_parse(s, &host, &port, &e) < 0)
		return;
	if (ip_parse(&ip, host) &&
	    (endpoint_parse(endpoint_text(&ip, port, text), &other, &same,
			    &e) < 0 || same != port))
		abort();
	free(host);
	free(other);
}

static void network(const char *s)
{
	char text[ADDR_TEXT_MAX];
	struct cidr c, again;
	struct ip last;

	if (!cidr_parse(&c, s))
		return;
	if (!cidr_parse(&again, cidr_text(&c, text)) || !cidr_equal(&c, &again))
		abort();
	last = cidr_last(&c);
	cidr_mask(&c);
	if (!cidr_contains(&c, &last) || !cidr_contains(&c, &again.ip))
		abort();
}

static void shown(const char *s, size_t size)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(auto_free) char *cut = check_shown(s);

	text_escape(&out, s, size, false);
	if (!text_is_printable(sbuf_str(&out)) || !text_is_printable(cut))
		abort();
	text_quote(&out, s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(auto_free) char *s = mem_strndup((const char *)data, size);
	struct err e;
	uint64_t u;
	long n;

	endpoint(s);
	network(s);
	shown(s, strlen(s));
	if (num_parse(&n, s, -5, 70000) && (n < -5 || n > 70000))
		abort();
	num_parse_u64(&u, s);
	check_endpoint(s, &e);
	check_host(s, &e);
	check_node_name(s, &e);
	check_interface(s, &e);
	check_user(s, &e);
	check_group_name(s, &e);
	check_key(s, &e);
	return 0;
}
