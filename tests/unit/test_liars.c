/*
 * render/facts and render/desired against hosts that lie: random meshes, up to a
 * third of the nodes liars, in random order. Whatever those say of themselves and
 * of others, each honest node gets the endpoint, allowed IPs and routes of each
 * other honest node that it would get if nobody lied. What counts as ours, the
 * addresses that were dialled, is the same in both.
 */
#include "acl/access.h"
#include "render/desired.h"
#include "render/facts.h"
#include "tests/unit/fixture.h"

#define NODES_MAX 12
#define NOW 1800000000
#define MESHES 3000

static uint64_t seed;

/* A number below @n; the same row for each @seed. */
static unsigned draw(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % n;
}

/* Where a host is, and so what it says when it is honest. */
struct world {
	char dialled[NODES_MAX][ADDR_TEXT_MAX]; /* "": through a proxy */
	char own[NODES_MAX][ADDR_TEXT_MAX];     /* its card */
	char server[NODES_MAX][ADDR_TEXT_MAX];
	bool liar[NODES_MAX], local[NODES_MAX];
	size_t n;
};

/* An address of a few, so that they meet often. */
static void some_address(char out[ADDR_TEXT_MAX])
{
	static const char *const nets[] = { "8.8", "10.0", "192.168",
					    "172.16" };
	const char *net = nets[draw(4)];
	unsigned c = draw(3);

	snprintf(out, ADDR_TEXT_MAX, "%s.%u.%u", net, c, 1 + draw(20));
}

static void make_world(struct world *w)
{
	size_t liars = 0;

	memset(w, 0, sizeof *w);
	w->n = 3 + draw(NODES_MAX - 2);
	for (size_t i = 0; i < w->n; i++) {
		some_address(w->own[i]);
		memcpy(w->server[i], w->own[i], ADDR_TEXT_MAX);
		switch (draw(4)) {
		case 0: /* through a proxy */
			break;
		case 1: /* through a router that forwards a port */
			some_address(w->dialled[i]);
			break;
		default:
			memcpy(w->dialled[i], w->own[i], ADDR_TEXT_MAX);
		}
		w->liar[i] = liars < w->n / 3 && draw(3) == 0;
		liars += w->liar[i];
	}
	w->local[0] = !w->liar[0] && draw(4) == 0;
}

static void make_mesh(struct mesh *m, const struct world *w)
{
	static const char *const networks[] = { "10.0.1.0/24", "192.168.0.0/16",
						"172.16.2.0/25", "0.0.0.0/0" };
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;
	size_t next = draw(2);

	sbuf_puts(&b, "'nodes':{");
	for (size_t i = 0; i < w->n; i++) {
		sbuf_printf(&b, "%s'n%02zu':{'mesh_ip':'10.99.0.%zu',"
			    "'ssh_host':'h%zu'", i ? "," : "", i, i + 1, i);
		/* what the user says is said in both worlds */
		if (draw(3) == 0 && next < 4)
			sbuf_printf(&b, ",'exit':true,'routable_networks':"
				    "['%s']", networks[next++]);
		if (draw(12) == 0)
			sbuf_puts(&b, ",'behind_nat':true");
		if (draw(12) == 0)
			sbuf_puts(&b, ",'public_endpoint':'10.0.1.9:51820'");
		sbuf_puts(&b, "}");
	}
	sbuf_puts(&b, "}");
	mesh_of(m, sbuf_str(&b));
	for (size_t i = 0; i < w->n; i++) {
		char key[] = KEY_A;

		key[0] = (char)('a' + i);
		key[1] = 'k';
		mem_replace(&m->nodes.items[i].public_key, key);
	}
}

static void add_address(struct observed *o, const char *ip)
{
	struct observed_address *a = vec_add(&o->addresses);
	AUTO(auto_free) char *text = mem_printf("%s/24", ip);

	snprintf(a->ifname, sizeof a->ifname, "eth0");
	assert_true(cidr_parse(&a->address, text));
}

static void hear(struct observed *o, const char *key, const char *ip)
{
	struct observed_peer *p = vec_add(&o->peers);

	p->public_key = mem_strdup(key);
	p->endpoint = mem_printf("%s:51820", ip);
	p->handshake = NOW - 5;
}

/* What host @i answers; a liar says anything, of itself and of everybody. */
static void answer(struct observed *o, const struct world *w, size_t i,
		   const struct mesh *m, bool lies)
{
	char text[ADDR_TEXT_MAX];

	*o = (struct observed){ .hostname = mem_strdup("h"), .now = NOW,
				.public_key = mem_strdup("") };
	some_address(text);
	o->ssh_client = mem_strdup(text);
	some_address(text);
	o->ssh_server = mem_strdup(!lies      ? w->server[i]
				   : draw(4)  ? text
					      : "");
	if (w->local[i])
		mem_replace(&o->ssh_server, "");
	if (!lies)
		add_address(o, w->own[i]);
	for (unsigned k = lies ? draw(6) : 0; k > 0; k--) {
		some_address(text);
		add_address(o, text);
	}
	for (size_t k = 0; k < w->n; k++) {
		some_address(text);
		if (draw(2)) /* liars that are of one mind */
			snprintf(text, sizeof text, "8.8.9.9");
		if (k != i && (lies || draw(2)))
			hear(o, m->nodes.items[k].public_key,
			     lies ? text : w->own[k]);
	}
}

/* The facts by the answers, in an order of their own. */
static void merge(struct mesh *m, const struct world *w, bool lies)
{
	struct observed *o = mem_calloc(w->n, sizeof *o);
	struct host_report reports[NODES_MAX];
	size_t order[NODES_MAX];

	for (size_t i = 0; i < w->n; i++) {
		answer(&o[i], w, i, m, lies && w->liar[i]);
		order[i] = i;
	}
	for (size_t i = w->n; i > 1; i--) {
		size_t k = draw((unsigned)i), was = order[i - 1];

		order[i - 1] = order[k];
		order[k] = was;
	}
	for (size_t i = 0; i < w->n; i++) {
		size_t k = order[i];
		bool direct = *w->dialled[k] && !w->local[k];

		reports[i] = (struct host_report){
			&m->nodes.items[k], &o[k],
			direct ? w->dialled[k] : "",
			direct ? "192.168.1.77" : "", w->local[k] };
	}
	facts_merge(m, reports, w->n);
	for (size_t i = 0; i < w->n; i++)
		observed_done(&o[i]);
	free(o);
}

/* What honest nodes get of honest nodes, as lines. */
static void honest(struct sbuf *out, const struct mesh *m,
		   const struct world *w)
{
	struct access *access = access_new(m);
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < w->n; i++) {
		AUTO(desired_done) struct desired d = { 0 };

		if (w->liar[i])
			continue;
		desired_compute(&d, m, access, &m->nodes.items[i]);
		sbuf_printf(out, "%s\n", d.node->name);
		for (size_t k = 0; k < d.peers.len; k++) {
			const struct desired_peer *p = &d.peers.items[k];

			if (w->liar[p->node - m->nodes.items])
				continue;
			sbuf_printf(out, "  %s at %s: %s\n", p->name,
				    p->endpoint, cidrs_text(&p->allowed_ips));
		}
		for (size_t k = 0; k < d.routes.len; k++)
			sbuf_printf(out, "  route %s\n",
				    cidr_text(&d.routes.items[k].network,
					      text));
	}
	access_free(access);
}

static void test_liars(void **state)
{
	unsigned lied = 0;

	(void)state;
	for (unsigned i = 1; i <= MESHES; i++) {
		AUTO(mesh_done) struct mesh truth = { 0 };
		AUTO(mesh_done) struct mesh lies = { 0 };
		AUTO(sbuf_done) struct sbuf one = SBUF_INIT;
		AUTO(sbuf_done) struct sbuf two = SBUF_INIT;
		struct world w;
		uint64_t mesh;

		seed = i;
		make_world(&w);
		mesh = seed;
		make_mesh(&truth, &w);
		seed = mesh;
		make_mesh(&lies, &w);
		merge(&truth, &w, false);
		merge(&lies, &w, true);
		merge(&lies, &w, true); /* nothing adds up over time */
		honest(&one, &truth, &w);
		honest(&two, &lies, &w);
		if (strcmp(sbuf_str(&one), sbuf_str(&two)) != 0)
			fail_msg("mesh %u: without lies:\n%s\nwith them:\n%s", i,
				 sbuf_str(&one), sbuf_str(&two));
		for (size_t k = 0; k < w.n; k++)
			lied += w.liar[k];
	}
	assert_true(lied > MESHES);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_liars) };

	return cmocka_run_group_tests_name("liars", tests, NULL, NULL);
}
