/*
 * Any bytes as a node spec: refused and the mesh as it was, or a node that may
 * stand in a state.
 */
#include "base/auto.h"
#include "state/json/json.h"
#include "state/model/model.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char state[] =
	"{\"network\":\"10.99.0.0/29\",\"network6\":\"fd99::/64\",\"nodes\":{"
	"\"a\":{\"mesh_ip\":\"10.99.0.1\",\"mesh_ip6\":\"fd99::1\","
	"\"ssh_host\":\"h\"}},\"removed_nodes\":{\"r\":{\"ssh_host\":\"i\"}}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(auto_free) char *spec = mem_strndup((const char *)data, size);
	AUTO(sbuf_done) struct sbuf before = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf after = SBUF_INIT;
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(mesh_done) struct mesh again = { 0 };
	struct err e = { 0 };
	const struct node *n;

	if (state_parse(&m, state, sizeof state - 1, &e) < 0)
		abort();
	state_format(&before, &m);
	n = spec_add(&m, spec, &e);
	state_format(&after, &m);
	if (!n && (e.code != ERR_INPUT ||
		   strcmp(sbuf_str(&before), sbuf_str(&after)) != 0))
		abort();
	if (n && (check_mesh(&m, &e) < 0 || check_host(n->ssh_host, &e) < 0))
		abort();
	if (state_parse(&again, sbuf_str(&after), after.len, &e) < 0)
		abort();
	return 0;
}
