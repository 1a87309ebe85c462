/*
 * What comes from the other side of a pull: shown, its secret judged, and
 * agreed to. What needs a yes is judged in state/merge/trust.c.
 */
#include "cmd/incoming.h"

#include "cmd/ask.h"
#include "cmd/known.h"
#include "state/model/model.h"

#include <inttypes.h>
#include <string.h>

/** So many changes are told of where standard output is not for them. */
#define NOTED_MAX 100

void incoming_init(struct incoming *in, const struct cmd_env *env)
{
	memset(in, 0, sizeof *in);
	in->env = env;
	side_init(&in->ours);
	side_init(&in->comes);
}

void incoming_done(struct incoming *in)
{
	side_done(&in->ours);
	side_done(&in->comes);
}

/* What we have, opened once. */
static int open_ours(struct incoming *in, const struct sbuf *ours,
		     struct err *e)
{
	const struct source source = env_source(in->env);

	if (in->opened)
		return 0;
	sbuf_add(&in->ours.raw, sbuf_str(ours), ours->len);
	if (side_open(&in->ours, &source, e) < 0)
		return err_wrap(e, "our side");
	in->opened = true;
	return 0;
}

int incoming_signed(const struct sbuf *ours, void *arg, struct err *e)
{
	struct incoming *in = arg;

	if (open_ours(in, ours, e) < 0)
		return -1;
	return in->ours.mesh.verify_signatures;
}

/* ---- another secret ---- */

static int refuse_secret(const struct incoming *in, struct err *e)
{
	if (in->env->options.accept_secret)
		return 0;
	return err_set(e, ERR_CONFLICT, "what comes does not have the secret "
		       "of this mesh: it is an old one, or somebody else made "
		       "it (-accept-new-secret takes it all the same)");
}

/*
 * Their secret, against ours and the one that the mesh is known by here. Once
 * for a pull: a merge and the review of its result would ask the same question
 * twice.
 */
static int judge_secret(struct incoming *in, const struct mesh *base,
			const struct mesh *theirs, struct err *e)
{
	enum known ours, known;

	if (in->judged)
		return 0;
	in->judged = true;
	if (known_judge(&ours, &in->ours.mesh, e) < 0 ||
	    known_judge(&known, theirs, e) < 0)
		return -1;
	switch (mesh_secrets_relate(base, &in->ours.mesh, theirs)) {
	case SECRETS_SAME:
	case SECRETS_FIRST:
		return known_check(theirs, in->env, e);
	case SECRETS_NEWER:
		if (known == KNOWN_SAME)
			return 0;
		return known == KNOWN_OTHER ? refuse_secret(in, e)
					    : known_agree(in->env, e);
	case SECRETS_OLDER:
		return ours == KNOWN_OTHER ? refuse_secret(in, e)
					   : known_agree(in->env, e);
	case SECRETS_FOREIGN:
		break;
	}
	return refuse_secret(in, e);
}

int incoming_merge(struct sbuf *out, const struct sbuf *base,
		   const struct sbuf *ours, const struct sbuf *theirs,
		   void *arg, struct err *e)
{
	struct incoming *in = arg;
	const struct source source = env_source(in->env);
	AUTO(conflicts_done) struct conflicts all = { 0 };
	AUTO(sides_done) struct sides s;

	sides_init(&s);
	sbuf_add(&s.base.raw, sbuf_str(base), base->len);
	sbuf_add(&s.ours.raw, sbuf_str(ours), ours->len);
	sbuf_add(&s.theirs.raw, sbuf_str(theirs), theirs->len);
	if (open_ours(in, ours, e) < 0 || sides_open(&s, &source, e) < 0 ||
	    judge_secret(in, &s.base.mesh, &s.theirs.mesh, e) < 0 ||
	    sides_merge(out, &s, mesh_merge, &all, e) < 0)
		return -1;
	if (all.len == 0)
		return 0;
	note_conflicts(&all);
	return err_set(e, ERR_CONFLICT, "%zu conflict%s, and nothing is "
		       "changed: 'wgmesh git-setup', 'git merge @{upstream}', "
		       "then 'wgmesh merge -resolve', 'git add' the state "
		       "and 'git commit'", all.len, all.len == 1 ? "" : "s");
}

/* ---- shown and agreed to ---- */

/* On standard output where that is the command's own. */
static void tell(const struct incoming *in, const char *line)
{
	if (in->env->command->shows_what_comes)
		put("%s\n", line);
	else
		note("%s", line);
}

static void add_change(struct changes *out, const struct node *n,
		       const char *field, const char *before,
		       const char *after)
{
	if (strcmp(before ? before : "", after ? after : "") != 0)
		vec_push(out, ((struct change){
			.sign = '~', .part = PART_NODE,
			.name = mem_strdup(n->name), .field = field,
			.before = mem_strdup(before),
			.after = mem_strdup(after) }));
}

/*
 * What deploys found decides where the others reach a node, too; and a node
 * that is new brings pins. mesh_diff() tells of neither.
 */
static void diff_facts(struct changes *out, const struct mesh *before,
		       const struct mesh *after)
{
	for (size_t i = 0; i < after->nodes.len; i++) {
		const struct node *b = &after->nodes.items[i];
		const struct node *a = nodes_find(&before->nodes, b->name);

		for (size_t k = 0; !a && k < b->ssh_host_keys.len; k++)
			add_change(out, b, "host key", NULL,
				b->ssh_host_keys.items[k]);
		if (!a)
			continue;
		add_change(out, b, "found: dialled", a->facts.dialled,
			b->facts.dialled);
		add_change(out, b, "found: address", a->facts.address,
			b->facts.address);
		add_change(out, b, "found: behind NAT", a->facts.nat_from,
			b->facts.nat_from);
	}
}

static void show_changes(const struct incoming *in)
{
	AUTO(changes_done) struct changes all = { 0 };
	AUTO(conflicts_done) struct conflicts unresolved = { 0 };
	struct err e;
	size_t max;

	mesh_diff(&all, &in->ours.mesh, &in->comes.mesh);
	diff_facts(&all, &in->ours.mesh, &in->comes.mesh);
	/* a state can come with a merge that somebody did not resolve */
	if (mesh_conflicts(&unresolved, &in->comes.mesh, &e) < 0)
		note("conflicts that come: %s", err_words(&e).s);
	note_conflicts(&unresolved);
	max = in->env->command->shows_what_comes ? all.len : NOTED_MAX;
	for (size_t i = 0; i < all.len && i < max; i++) {
		AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

		change_text(&line, &all.items[i]);
		tell(in, sbuf_str(&line));
	}
	if (all.len > max)
		note("and %zu more changes", all.len - max);
}

static const char *or_unset(const char *text)
{
	return text && *text ? text : "unset";
}

/*
 * Show what needs a yes; @out counts it. The sealing and the serial are among
 * it, though no members of the mesh: both decide who can read or roll back.
 */
static int show_trust(const struct incoming *in, size_t *out, struct err *e)
{
	const struct side *a = &in->ours, *b = &in->comes;
	bool goes_back = b->mesh.serial < a->mesh.serial;
	AUTO(conflicts_done) struct conflicts all = { 0 };

	if (mesh_trust_changes(&all, &a->mesh, &b->mesh, e) < 0)
		return -1;
	for (size_t i = 0; i < all.len; i++) {
		const struct conflict *c = &all.items[i];
		AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

		sbuf_puts(&line, "! ");
		part_text(&line, c->part, c->name);
		sbuf_printf(&line, ": %s: %s -> %s", c->field,
			    or_unset(c->ours), or_unset(c->theirs));
		tell(in, sbuf_str(&line));
	}
	*out = all.len;
	if (!side_same_kind(a, b)) {
		AUTO(auto_free) char *line = mem_printf(
			"! how it is sealed: %s -> %s", side_kind(a),
			side_kind(b));

		tell(in, line);
		++*out;
	}
	if (goes_back || mesh_serial_jumps(&a->mesh, &b->mesh)) {
		AUTO(auto_free) char *line = mem_printf(
			"! the serial %s: %" PRIu64 " -> %" PRIu64,
			goes_back ? "goes back" : "jumps", a->mesh.serial,
			b->mesh.serial);

		tell(in, line);
		++*out;
	}
	return 0;
}

int incoming_review(const struct sbuf *ours, const struct sbuf *comes,
		    void *arg, struct err *e)
{
	static const char question[] =
		"What is marked '!' decides who can read the state, who is "
		"trusted, or what runs where. Take it?";
	struct incoming *in = arg;
	const struct options *o = &in->env->options;
	const struct source source = env_source(in->env);
	AUTO(auto_free) char *refused = NULL;
	AUTO(auto_free) char *unasked = NULL;
	size_t n = 0;

	if (open_ours(in, ours, e) < 0)
		return -1;
	sbuf_add(&in->comes.raw, sbuf_str(comes), comes->len);
	if (side_open_next(&in->comes, &source, &in->ours, e) < 0)
		return err_wrap(e, "what comes");
	if (judge_secret(in, &in->ours.mesh, &in->comes.mesh, e) < 0)
		return -1;
	show_changes(in);
	if (ours->len && show_trust(in, &n, e) < 0)
		return -1;
	if (n == 0)
		return 0;
	refused = mem_printf("nothing is changed: %zu of these changes "
			     "decide%s who can read the state, who is trusted, "
			     "or what runs where", n, n == 1 ? "s" : "");
	unasked = mem_printf("%s; 'wgmesh pull -yes' agrees", refused);
	/* the -yes of another command, a deploy's, says nothing of this */
	return ask_consent(in->env->command->shows_what_comes && o->yes,
			   o->json ? NULL : question, unasked, refused, e);
}

void incoming_taken(const struct incoming *in)
{
	/* what was never seen here is known by a deploy that is agreed to */
	if (in->comes.raw.len && !known_is_new(&in->comes.mesh))
		known_note(&in->comes.mesh);
}
