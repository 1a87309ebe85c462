/*
 * Logins, and what is read there: the probe, and a script's answer. The one
 * file of the room that talks to a host: each answer is bounded here, in bytes
 * (choose.c says how many) and in time, whatever the host does.
 */
#include "ssh/fleet/internal.h"

/** Answers together may take so many silences, and no longer than that. */
#define TOTAL_SILENCES 15
#define TOTAL_MAX_MS 1800000

int fleet_total_ms(int silence_ms)
{
	int64_t total = (int64_t)silence_ms * TOTAL_SILENCES;

	if (total > TOTAL_MAX_MS)
		total = TOTAL_MAX_MS;
	return total > silence_ms ? (int)total : silence_ms;
}

static struct remote_target host_target(const struct host *h)
{
	const struct node *n = h->node;

	return (struct remote_target){
		.host = n->ssh_host,
		.user = n->ssh_user,
		.port = node_ssh_port(n),
		.pinned = &n->ssh_host_keys,
		.local = h->local,
	};
}

static struct probe_request request_of(const struct fleet *f,
				       const struct host *h,
				       const struct remote *r)
{
	return (struct probe_request){
		.interface = f->mesh->interface_name,
		.port = node_port(f->mesh, h->node),
		.nonce = f->nonce,
		.known_hostname = h->node->actual_hostname,
		.sudo = !remote_facts(r)->is_root,
		.password = f->options.sudo_password,
		.local = h->local,
		.forwards = !h->removed && h->node->routable_networks.len,
		.size = f->size,
	};
}

/* What helps where the host's own words, in the C locale, have one of these. */
static const struct {
	const char *words;
	enum advice advice;
} refusals[] = {
	{ "a password is required", ADVICE_SUDO_PASSWORD },
	{ "a terminal is required", ADVICE_SUDO_PASSWORD },
	{ "must have a tty", ADVICE_SUDO_TTY },
	{ "doas: ", ADVICE_DOAS },
	{ "password was not taken", ADVICE_NONE },
	{ "incorrect password", ADVICE_NONE },
};

/*
 * @e is why a login that worked brought no answer: what would help, and what a
 * silence means there.
 */
static int no_answer(const struct fleet *f, const struct host *h,
		     const struct remote *r, const struct sbuf *answer,
		     struct err *e)
{
	AUTO(auto_free) char *end = probe_end(f->nonce);

	end[strcspn(end, " ")] = '\0'; /* of every line of ours */
	if (strstr(sbuf_str(answer), end))
		return -1;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (strstr(e->msg, refusals[i].words))
			return err_advise(e, refusals[i].advice, NULL);
	/* it took the command: what failed is no connection */
	if (e->code == ERR_UNREACHABLE && !remote_facts(r)->vouched &&
	    strstr(e->msg, "no answer within"))
		err_set_(e, ERR_REMOTE, "the login worked, and its shell ran "
			 "nothing in %d s, as one does that a start file "
			 "(.bashrc: exec fish) puts in its place",
			 f->conf.timeout_ms / 1000);
	return e->code == ERR_REMOTE
		       ? err_advise(e, ADVICE_OTHER_ACCOUNT, h->name) : -1;
}

int fleet_look(const struct fleet *f, const struct host *h,
	       struct remote **out, struct observed *o, struct err *e)
{
	AUTO(auto_free) char *end = probe_end(f->nonce);
	AUTO(auto_free) char *prompt = probe_prompt(f->nonce);
	AUTO(auto_remote_free) struct remote *r = NULL;
	AUTO(sbuf_done) struct sbuf command = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = { .max = fleet_answer_max(f) };
	struct remote_target target = host_target(h);
	struct probe_request request;

	if (h->node->is_local && h->node->local_machine && !h->local) {
		err_set(e, ERR_UNREACHABLE, "it is local to another machine: "
			"deploy it there, or say where to log in");
		return err_advise(e, ADVICE_SAY_WHERE, h->name);
	}
	if (remote_open(&r, &target, &f->conf, e) < 0)
		return -1;
	/* only the login tells whether the probe has to go through sudo */
	request = request_of(f, h, r);
	probe_command(&command, &request);
	if (remote_start(r, sbuf_str(&command), e) < 0)
		return -1;
	remote_allow(r, fleet_total_ms(f->conf.timeout_ms));
	if (request.sudo && request.password)
		remote_answer(r, prompt, f->options.sudo_password);
	if (remote_read_to(r, end, &answer, 0, NULL, NULL, e) < 0)
		return no_answer(f, h, r, &answer, e);
	if (observed_parse(o, sbuf_str(&answer), answer.len, &request, e) < 0)
		return -1;
	*out = STEAL(r);
	return 0;
}

/* A host that was hung up is logged in on again. What is there now does not
 * matter: if another deploy was there meanwhile, the script does not run. */
int host_connect(const struct fleet *f, struct host *h, struct err *e)
{
	AUTO(observed_done) struct observed seen = { 0 };
	struct remote *r = NULL;

	if (remote_is_open(h->remote))
		return 0;
	if (fleet_look(f, h, &r, &seen, e) < 0)
		return -1;
	remote_free(h->remote);
	h->remote = r;
	return 0;
}

int fleet_run(const struct fleet *f, struct host *h,
	      const struct sbuf *script, int timeout_ms, struct sbuf *answer,
	      struct err *e)
{
	AUTO(auto_free) char *end = probe_end(f->nonce);

	answer->max = fleet_answer_max(f);
	if (host_connect(f, h, e) < 0)
		return -1;
	remote_allow(h->remote, fleet_total_ms(timeout_ms));
	if (remote_send(h->remote, script->s, script->len, e) < 0 ||
	    remote_read_to(h->remote, end, answer, timeout_ms, NULL, NULL,
			   e) < 0)
		return -1;
	if (!h->held)
		remote_hang_up(h->remote);
	return 0;
}

static void probe_one(struct fleet *f, struct host *h, void *arg)
{
	(void)arg;
	if (fleet_look(f, h, &h->remote, &h->observed, &h->err) < 0) {
		fleet_host_failed(f, h);
		return;
	}
	h->has_observed = true;
	if (f->keep_probes) {
		const struct probe_request asked = request_of(f, h, h->remote);

		probe_text(&h->probe, &asked);
	}
	h->held = ++f->held <= f->room;
	if (!h->held)
		remote_hang_up(h->remote);
}

int fleet_probe(struct fleet *f, struct err *e)
{
	VEC(struct remote_target) targets = { 0 };
	int ret;

	for (size_t i = 0; i < f->hosts.len; i++)
		vec_push(&targets, host_target(&f->hosts.items[i]));
	ret = remote_keys_load(&f->keys, targets.items, targets.len, &f->conf,
			       f->voice->passphrase, e);
	vec_done(&targets);
	if (ret < 0)
		return -1;
	f->conf.keys = f->keys;
	fleet_each(f, "probing", HOST_OPEN, probe_one, NULL);
	return 0;
}
