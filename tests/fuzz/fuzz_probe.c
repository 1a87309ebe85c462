/*
 * Any bytes as a host's report: refused in one printable line, or planned
 * against, shown and scripted, and imported.
 */
#include "base/auto.h"
#include "base/text.h"
#include "render/host/host.h"
#include "render/import.h"
#include "state/json/json.h"
#include "state/model/model.h"

#include <stdint.h>
#include <string.h>

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA="
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbA="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A mesh to plan for; the corpus speaks of its keys and addresses. */
static const char state[] =
	"{\"interface_name\":\"wg0\",\"network\":\"10.99.0.0/16\","
	"\"network6\":\"fd99::/64\",\"mtu\":1380,\"mesh_id\":"
	"\"00112233445566778899aabbccddeeff\",\"nodes\":{"
	"\"a\":{\"mesh_ip\":\"10.99.0.1\",\"public_key\":\"" KEY_A "\","
	"\"routable_networks\":[\"10.1.0.0/16\"]},"
	"\"b\":{\"mesh_ip\":\"10.99.0.2\",\"public_key\":\"" KEY_B "\","
	"\"public_endpoint\":\"192.0.2.2:51820\",\"routable_networks\":"
	"[\"192.168.20.0/24\",\"fd55::/48\"]}}}";

static void show(const struct plan *p)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	const struct script_run run = { "0123456789abcdef", "a@b, pid 1",
					p->observed->lock_token, false };

	for (size_t i = 0; i < p->steps.len; i++)
		step_text(&text, p, &p->steps.items[i]);
	if (!text_is_printable(sbuf_str(&text)))
		abort();
	script_text(&text, p, "[Interface]\n", &run);
}

static void plan(const struct mesh *m, const struct observed *o)
{
	const struct plan_options options = { .install = true,
					      .adopt = true };
	struct access *a = access_new(m);
	struct desired d = { 0 };
	struct plan p = { 0 };
	struct err e = { 0 };

	desired_compute(&d, m, a, &m->nodes.items[0]);
	if (plan_make(&p, &d, o, o->boot_hash, &options, &e) == 0)
		show(&p);
	plan_done(&p);
	plan_teardown(&p, m, &m->nodes.items[0], o);
	show(&p);
	plan_done(&p);
	desired_done(&d);
	access_free(a);
}

/* What is taken in can be saved and loaded. */
static void import(struct mesh *m, const struct observed *o)
{
	static char host[] = "h";
	const struct node place = { .ssh_host = host };
	const struct found found = { 0 };
	const struct import_source source = { .name = "new", .place = &place,
					      .observed = o, .found = &found,
					      .dialled = "" };
	AUTO(strings_done) struct strings notes = { 0 };
	AUTO(strings_done) struct strings doubts = { 0 };
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(mesh_done) struct mesh again = { 0 };
	struct err e = { 0 };

	m->key = KEY_ON_HOST;
	if (import_hosts(m, &source, 1, &notes, &doubts, &e) < 0 ||
	    check_mesh(m, &e) < 0)
		return;
	state_format(&text, m);
	if (state_parse(&again, text.s, text.len, &e) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct probe_request request = { .interface = "wg0",
					       .nonce = "0123456789abcdef" };
	AUTO(mesh_done) struct mesh m = { 0 };
	struct observed o;
	struct err e = { 0 };

	if (observed_parse(&o, (const char *)data, size, &request, &e) < 0) {
		if (!text_is_printable(e.msg))
			abort();
		return 0;
	}
	if (state_parse(&m, state, sizeof state - 1, &e) < 0)
		abort();
	plan(&m, &o);
	import(&m, &o);
	observed_done(&o);
	return 0;
}
