/*
 * ssh/fleet through its door: a whole deploy against two sessions that are not
 * there. The functions of ssh/session/ are defined here, so that the library's are
 * not linked: a host answers the probe with a text, and a script with "ok" for
 * each of its parts, or a failure. What real hosts do with a script is seen in the lab.
 */
#include "ssh/fleet/fleet.h"

#include "fixture.h"

#include <stdarg.h>
#include <stdio.h>

/** A host. */
struct remote {
	const char *name;
	struct remote_facts facts;
	bool asked; /* the probe was read */
	bool open;
};

static const char *const machines[] = { "192.0.2.1", "192.0.2.2" };
static const char *const keys[] = { KEY_A, KEY_B };
static struct fleet *running;
static struct sbuf journal; /* what happened, in order */
static struct sbuf sent[2]; /* the last script of each */
static struct sbuf notes;
static const char *failing;     /* the host whose script fails */
static const char *unreachable; /* nobody answers there */
static const char *live[2];     /* the interface of each; NULL: none is there */
static const char *holder;      /* who has the first one's new port */

static size_t number(const struct remote *r)
{
	return strcmp(r->name, machines[1]) == 0;
}

int remote_keys_load(struct remote_keys **out,
		     const struct remote_target *targets, size_t n,
		     const struct remote_conf *conf,
		     int (*ask)(const char *file, struct sbuf *passphrase),
		     struct err *e)
{
	(void)targets, (void)n, (void)conf, (void)ask, (void)e;
	*out = NULL;
	return 0;
}

void remote_keys_free(struct remote_keys *k)
{
	(void)k;
}

int remote_open(struct remote **out, const struct remote_target *target,
		const struct remote_conf *conf, struct err *e)
{
	struct remote *r;

	(void)conf;
	if (unreachable && strcmp(target->host, unreachable) == 0)
		return err_set(e, ERR_UNREACHABLE, "no answer");
	r = mem_calloc(1, sizeof *r);
	r->name = target->host;
	r->open = true;
	r->facts = (struct remote_facts){
		.hostkey = REMOTE_KEY_KNOWN, .hostkey_line = "ssh-ed25519 AAAA",
		.fingerprint = "SHA256:x", .dialled = target->host,
		.source = "192.0.2.9", .user = "root", .is_root = true };
	*out = r;
	return 0;
}

const struct remote_facts *remote_facts(const struct remote *r)
{
	return &r->facts;
}

bool remote_is_open(const struct remote *r)
{
	return r->open;
}

void remote_hang_up(struct remote *r)
{
	r->open = false;
}

void remote_free(struct remote *r)
{
	free(r);
}

void remote_allow(struct remote *r, int total_ms)
{
	(void)r, (void)total_ms;
}

void remote_answer(struct remote *r, const char *prompt,
		   const struct secret *answer)
{
	(void)r, (void)prompt, (void)answer;
}

int remote_start(struct remote *r, const char *command, struct err *e)
{
	(void)r, (void)e;
	assert_non_null(strstr(command, running->nonce));
	return 0;
}

int remote_send(struct remote *r, const void *bytes, size_t len, struct err *e)
{
	(void)e;
	sbuf_done(&sent[number(r)]);
	sbuf_add(&sent[number(r)], bytes, len);
	return 0;
}

static void answer_probe(struct sbuf *out, const struct remote *r)
{
	const char *n = running->nonce;

	if (holder && !number(r))
		sbuf_printf(out, "\n=%s= host\nport_holder=%s\n", n, holder);
	if (live[number(r)])
		sbuf_printf(out, "\n=%s= link\n7: wg0: <NOARP,UP,LOWER_UP> "
			    "mtu 1420 x\n\n=%s= dump\n%s\t51820\toff\n%s",
			    n, n, keys[number(r)], live[number(r)]);
	sbuf_printf(out, "\n=%s= host\nuid=0\nnow=1800000000\n"
		    "ssh=192.0.2.9 40000 %s 22\nhostname=h%zu\nfqdn=h%zu\n"
		    "wg=1\nip=1\nsystemd=1\nkeyfile=1\nhostkey=%s\n"
		    "\n=%s= address\n", n, r->name, number(r), number(r),
		    keys[number(r)], n);
}

int remote_read_to(struct remote *r, const char *end, struct sbuf *out,
		   int timeout_ms, void (*line)(const char *line, void *arg),
		   void *arg, struct err *e)
{
	const char *script = sbuf_str(&sent[number(r)]);

	(void)end, (void)timeout_ms, (void)line, (void)arg, (void)e;
	if (!r->asked) {
		answer_probe(out, r);
		r->asked = true;
		return 0;
	}
	for (const char *p = script; (p = strstr(p, "\nrun ")); p++) {
		bool bad = failing && strcmp(failing, r->name) == 0;

		sbuf_printf(out, "\n=%s= %s %.*s\n%s", running->nonce,
			    bad ? "fail" : "ok",
			    (int)strcspn(p + 5, "\n"), p + 5,
			    bad ? "disk full\n" : "");
		if (bad)
			break;
	}
	return 0;
}

/* ---- who asks for the deploy ---- */

__attribute__((format(printf, 1, 2)))
static void take_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sbuf_vprintf(&notes, fmt, ap);
	va_end(ap);
	sbuf_putc(&notes, '\n');
}

static void take_warning(const struct err *e)
{
	take_note("warning: %s", e->msg);
}

static int ask(const char *question)
{
	sbuf_printf(&journal, "ask: %s\n", question);
	return 0;
}

static void waits(bool yes)
{
	(void)yes;
}

/* One at a time: see parallel below. */
static void wrote(const struct fleet *f, const struct host *h)
{
	assert_ptr_equal(f, running);
	sbuf_printf(&journal, "wrote %s: %s\n", h->name,
		    fleet_result_name(h->result));
}

static int save(void *arg, struct err *e)
{
	const struct mesh *m = arg;

	(void)e;
	sbuf_printf(&journal, "save: a %s, %zu removed\n",
		    nodes_find(&m->nodes, "a")->facts.deployed ? "deployed"
							       : "new",
		    m->removed.len);
	return 0;
}

static int before(void *arg, struct err *e)
{
	(void)arg, (void)e;
	sbuf_puts(&journal, "before\n");
	return 0;
}

static int refuse(void *arg, struct err *e)
{
	(void)arg;
	return err_set(e, ERR_CONFLICT, "somebody was first");
}

/* Tombstones are still there: steps of others name them. */
static void report(void *arg, const struct fleet *f)
{
	(void)arg;
	sbuf_printf(&journal, "report: %zu removed\n", f->mesh->removed.len);
}

static int record(void *arg, const struct fleet *f, struct err *e)
{
	(void)arg, (void)e;
	sbuf_puts(&journal, "record:");
	for (size_t i = 0; i < f->hosts.len; i++)
		sbuf_printf(&journal, " %s", f->hosts.items[i].name);
	sbuf_puts(&journal, "\n");
	return 0;
}

static const struct fleet_voice voice = { .note = take_note,
					  .warn = take_warning, .ask = ask,
					  .waits = waits, .wrote = wrote };

#define NODE(name, n, more)                                                   \
	"'" name "':{'mesh_ip':'10.99.0." n "','ssh_host':'192.0.2." n "'"    \
	more "}"
#define TWO                                                                   \
	"'mesh_id':'" MESH_ID "','key':'host','nodes':{"                      \
	NODE("a", "1", ",'public_key':'" KEY_A "'") ","                       \
	NODE("b", "2", "") "}"
/* b is to be taken off its host. */
#define ONE_LEAVES                                                            \
	"'mesh_id':'" MESH_ID "','key':'host','nodes':{"                      \
	NODE("a", "1", ",'public_key':'" KEY_A "'") "},'removed_nodes':{"     \
	NODE("b", "2", "") "}"

struct scene {
	struct mesh mesh;
	struct fleet fleet;
	struct strings names;
};

static void scene_init(struct scene *s, const char *mesh)
{
	struct err e = { 0 };
	const struct fleet_options options = {
		.names = &s->names, .parallel = 1, .timeout_ms = 1000,
		.user = "ann", .machine = "laptop",
	};

	memset(s, 0, sizeof *s);
	mesh_of(&s->mesh, mesh);
	assert_int_equal(fleet_begin(&s->fleet, &options, &voice, &s->mesh, &e),
			 0);
	running = &s->fleet;
}

static void scene_done(struct scene *s)
{
	fleet_done(&s->fleet);
	mesh_done(&s->mesh);
	strings_done(&s->names);
	for (size_t i = 0; i < 2; i++)
		sbuf_done(&sent[i]);
	sbuf_done(&journal);
	sbuf_done(&notes);
	memset(sent, 0, sizeof sent);
	memset(&journal, 0, sizeof journal);
	memset(&notes, 0, sizeof notes);
	failing = unreachable = holder = live[0] = live[1] = NULL;
}

static int deploy(struct scene *s, struct err *e)
{
	const struct fleet_memory memory = { save, before, report, record, &s->mesh };

	if (fleet_choose(&s->fleet, NULL, e) < 0 ||
	    fleet_prepare(&s->fleet, true, true, e) < 0)
		return -1;
	return fleet_deploy(&s->fleet, &memory, e);
}

/* Each learns the other's key, and where it was dialled. */
static void test_deploy(void **state)
{
	struct scene s;
	struct err e = { 0 };

	(void)state;
	scene_init(&s, TWO);
	assert_int_equal(deploy(&s, &e), 0);
	assert_string_equal(sbuf_str(&journal),
			    "save: a deployed, 0 removed\nbefore\n"
			    "wrote a: changed\nwrote b: changed\n"
			    "report: 0 removed\n"
			    "save: a deployed, 0 removed\nrecord: a b\n");
	assert_non_null(strstr(sbuf_str(&sent[0]), KEY_B));
	assert_non_null(strstr(sbuf_str(&sent[0]), "192.0.2.2:51820"));
	assert_non_null(strstr(sbuf_str(&sent[1]), KEY_A));
	assert_non_null(strstr(sbuf_str(&notes), "the key of 'b'"));
	assert_string_equal(nodes_find(&s.mesh.nodes, "b")->public_key, KEY_B);
	assert_string_equal(nodes_find(&s.mesh.nodes, "a")->facts.dialled,
			    "192.0.2.1");
	assert_false(fleet_has_failed(&s.fleet));
	scene_done(&s);
}

/* One fails, the other is done all the same. */
static void test_fails(void **state)
{
	struct scene s;
	struct err e = { 0 };

	(void)state;
	scene_init(&s, TWO);
	failing = machines[0];
	assert_int_equal(deploy(&s, &e), 0);
	assert_int_equal(s.fleet.hosts.items[0].result, HOST_FAILED);
	assert_non_null(strstr(s.fleet.hosts.items[0].err.msg, "disk full"));
	assert_int_equal(s.fleet.hosts.items[1].result, HOST_CHANGED);
	assert_true(fleet_has_failed(&s.fleet));
	scene_done(&s);
	scene_init(&s, TWO);
	unreachable = machines[1];
	assert_int_equal(deploy(&s, &e), 0);
	assert_int_equal(s.fleet.hosts.items[0].result, HOST_CHANGED);
	assert_int_equal(s.fleet.hosts.items[1].result, HOST_UNREACHABLE);
	assert_int_equal(sent[1].len, 0);
	scene_done(&s);
}

/* Of two that are deployed, a is to have another port. */
#define NEW_PORT                                                              \
	"'mesh_id':'" MESH_ID "','key':'host','nodes':{"                      \
	NODE("a", "1", ",'listen_port':51821,'public_key':'" KEY_A            \
	     "','facts':{'listen_port':51820,'deployed':true}") ","           \
	NODE("b", "2", ",'public_key':'" KEY_B                                \
	     "','facts':{'deployed':true}") "}"

/*
 * The others learn a new port from the deploy in which its own host takes it,
 * after it; never before.
 */
static void test_new_port(void **state)
{
	static const struct {
		const char *failing, *unreachable, *holder;
		enum host_result result;
		const char *there; /* what b is told */
		const char *words;
	} rows[] = {
		{ NULL, NULL, NULL, HOST_CHANGED, "192.0.2.1:51821", NULL },
		{ "192.0.2.1", NULL, NULL, HOST_FAILED, "192.0.2.1:51820",
		  "disk full" },
		{ NULL, "192.0.2.1", NULL, HOST_UNREACHABLE, "192.0.2.1:51820",
		  "no answer" },
		{ NULL, NULL, "wg1", HOST_FAILED, "192.0.2.1:51820",
		  "UDP 51821 is used on a by wg1" },
		{ NULL, NULL, "named", HOST_FAILED, "192.0.2.1:51820",
		  "UDP 51821 is used on a by named" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene s;
		struct err e = { 0 };
		const struct node *a;

		scene_init(&s, NEW_PORT);
		live[0] = live[1] = "";
		failing = rows[i].failing;
		unreachable = rows[i].unreachable;
		holder = rows[i].holder;
		/* an unreachable one was seen before */
		mem_replace(&s.mesh.nodes.items[0].facts.address,
			    "192.0.2.1");
		assert_int_equal(deploy(&s, &e), 0);
		assert_int_equal(s.fleet.hosts.items[0].result, rows[i].result);
		assert_int_equal(s.fleet.hosts.items[1].result, HOST_CHANGED);
		assert_non_null(strstr(sbuf_str(&sent[1]), rows[i].there));
		if (rows[i].words)
			assert_non_null(strstr(s.fleet.hosts.items[0].err.msg,
					       rows[i].words));
		a = nodes_find(&s.mesh.nodes, "a");
		assert_int_equal(a->facts.listen_port,
				 rows[i].words ? 51820 : 0);
		/* all else is done where just the port can not be had */
		if (rows[i].holder) {
			assert_non_null(strstr(sbuf_str(&sent[0]), KEY_B));
			assert_null(strstr(sbuf_str(&sent[0]),
					   "listen-port 51821"));
			assert_non_null(strstr(sbuf_str(&sent[0]),
					       "ListenPort = 51820"));
		}
		scene_done(&s);
	}
}

/* Nothing begins on a new host whose port is taken, and it says by whom. */
static void test_port_of_new_host(void **state)
{
	struct scene s;
	struct err e = { 0 };

	(void)state;
	scene_init(&s, TWO);
	holder = "wg1";
	assert_int_equal(deploy(&s, &e), 0);
	assert_int_equal(s.fleet.hosts.items[0].result, HOST_FAILED);
	assert_non_null(strstr(s.fleet.hosts.items[0].err.msg,
			       "UDP 51820 is used on a by wg1"));
	assert_int_equal(sent[0].len, 0);
	assert_int_equal(s.fleet.hosts.items[1].result, HOST_CHANGED);
	scene_done(&s);
}

/* The tombstone goes when the host is clean, and the record still names it. */
static void test_removed(void **state)
{
	struct scene s;
	struct err e = { 0 };

	(void)state;
	scene_init(&s, ONE_LEAVES);
	assert_int_equal(deploy(&s, &e), 0);
	assert_non_null(strstr(sbuf_str(&journal),
			       "report: 1 removed\n"
			       "save: a deployed, 0 removed\nrecord: a b\n"));
	scene_done(&s);
	scene_init(&s, ONE_LEAVES);
	unreachable = machines[1];
	assert_int_equal(deploy(&s, &e), 0);
	assert_int_equal(s.mesh.removed.len, 1);
	scene_done(&s);
}

/* Refused at the last moment: no host is written to. */
static void test_refused(void **state)
{
	struct scene s;
	struct err e = { 0 };
	struct fleet_memory memory = { save, refuse, report, record, NULL };

	(void)state;
	scene_init(&s, TWO);
	memory.arg = &s.mesh;
	assert_int_equal(fleet_choose(&s.fleet, NULL, &e), 0);
	assert_int_equal(fleet_prepare(&s.fleet, true, true, &e), 0);
	assert_int_equal(fleet_deploy(&s.fleet, &memory, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_false(s.fleet.wrote);
	assert_int_equal(sent[0].len + sent[1].len, 0);
	scene_done(&s);
}

static void test_names(void **state)
{
	struct scene s;
	struct err e = { 0 };

	(void)state;
	scene_init(&s, TWO);
	strings_add(&s.names, "b");
	assert_int_equal(fleet_choose(&s.fleet, NULL, &e), 0);
	assert_int_equal(s.fleet.hosts.len, 1);
	assert_string_equal(s.fleet.hosts.items[0].name, "b");
	scene_done(&s);
	scene_init(&s, TWO);
	strings_add(&s.names, "c");
	assert_int_equal(fleet_choose(&s.fleet, NULL, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	scene_done(&s);
}

/* What no pass has looked at is a failure, never "unchanged". */
static void test_passed_over(void **state)
{
	struct scene s;
	struct err e = { 0 };

	(void)state;
	scene_init(&s, ONE_LEAVES);
	assert_int_equal(fleet_choose(&s.fleet, NULL, &e), 0);
	assert_int_equal(s.fleet.hosts.len, 2);
	fleet_plan(&s.fleet, false);
	assert_int_equal(fleet_count(&s.fleet, HOST_FAILED), 2);
	assert_true(fleet_has_failed(&s.fleet));
	for (size_t i = 0; i < s.fleet.hosts.len; i++)
		assert_non_null(strstr(s.fleet.hosts.items[i].err.msg,
				       "passed over"));
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deploy),
		cmocka_unit_test(test_fails),
		cmocka_unit_test(test_new_port),
		cmocka_unit_test(test_port_of_new_host),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
