/*
 * wgmesh apply: the state is brought to what a mesh.yaml says.
 */
#include "cmd/change.h"
#include "cmd/commit.h"
#include "cmd/input.h"
#include "cmd/keys.h"
#include "cmd/seal.h"
#include "state/model/model.h"
#include "state/yaml/yaml.h"

#include <errno.h>

/** So many kept nodes are named. */
#define NAMED_MAX 10

DEFINE_AUTO(struct yaml_marks *, yaml_marks_free)

/*
 * Open the state, or begin a new one where there is none. What cannot be opened
 * for any other reason is never taken for "none": it would be replaced.
 */
static int open_or_create(struct change_run *c, const struct cmd_env *env,
			  struct err *e)
{
	AUTO(auto_free) char *path = env_state(env);

	if (change_begin(c, env, e) == 0)
		return 0;
	if (e->sys_errno != ENOENT || store_create(&c->store, path, e) < 0 ||
	    seal_if_asked(c->store, env, e) < 0 ||
	    (!c->dry_run && commit_follow(c->store, env, e) < 0))
		return -1;
	mesh_init(&c->before);
	note("there is no state '%s' yet: it is a new one", path);
	return 0;
}

/* Make the mesh what the file says. */
static int apply_file(struct change_run *c, const struct cmd_env *env,
		      struct err *e)
{
	enum apply_mode mode = env->options.prune ? APPLY_PRUNE : APPLY_WHOLE;
	const char *file = env->options.file, *them;
	struct mesh *m = change_mesh(c);
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(auto_yaml_marks_free) struct yaml_marks *marks = NULL;
	AUTO(mesh_done) struct mesh wanted = { 0 };
	AUTO(strings_done) struct strings kept = { 0 };
	AUTO(auto_free) char *names = NULL;
	struct finding_place failed = { 0 };

	if (!file)
		return err_set(e, ERR_INPUT, "which file? expected: wgmesh "
			       "apply -f mesh.yaml");
	if (input_read(&text, file, YAML_SIZE_MAX, e) < 0 ||
	    yaml_parse(&wanted, &marks, sbuf_str(&text), text.len, file, e) < 0)
		return -1;
	if (mesh_apply(m, &wanted, mode, &kept, &failed, e) < 0) {
		struct yaml_mark at;

		if (!failed.name)
			return -1;
		at = yaml_find(marks, &failed);
		return err_wrap(e, "%s:%zu:%zu", file, at.line, at.column);
	}
	if (keys_fill(m, &c->before, e) < 0)
		return -1;
	for (size_t i = 0; i < m->nodes.len; i++)
		if (change_follow(c, &m->nodes.items[i], e) < 0)
			return -1;
	c->marks = STEAL(marks);
	c->file = file;
	them = kept.len > 1 ? "them" : "it";
	names = strings_line(&kept, NAMED_MAX);
	if (names)
		note("kept, though the file lacks %s: %s (-prune removes %s)",
		     them, names, them);
	return 0;
}

int cmd_apply(struct cmd_env *env)
{
	AUTO(change_done) struct change_run c = { 0 };
	struct err e;

	if (open_or_create(&c, env, &e) < 0 || apply_file(&c, env, &e) < 0 ||
	    change_confirm(&c, env, &e) < 0)
		return fail(&e);
	return EXIT_DONE;
}
