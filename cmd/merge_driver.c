/*
 * wgmesh merge-driver: what git calls to merge two states by meaning. Nobody is
 * asked here and nobody looks, so what decides whom to believe is a conflict.
 */
#include "cmd/cmd.h"

#include "base/atomic.h"
#include "cmd/input.h"
#include "cmd/known.h"
#include "cmd/side.h"
#include "state/store/store.h"

/* May they be merged without a question? */
static int check_unattended(const struct sides *s, struct err *e)
{
	enum known ours, theirs;

	if (known_judge(&ours, &s->ours.mesh, e) < 0 ||
	    known_judge(&theirs, &s->theirs.mesh, e) < 0)
		return -1;
	if (ours == KNOWN_OTHER && theirs != KNOWN_SAME)
		return err_set(e, ERR_CONFLICT, "neither side has the secret "
			       "that this mesh is known by here");
	if (sides_unseal(s))
		return err_set(e, ERR_CONFLICT, "their side is sealed in "
			       "another way (%s): 'wgmesh pull' shows it and "
			       "asks", side_kind(&s->theirs));
	return 0;
}

/*
 * @paths are git's temporary files: the base, ours, theirs. Ours gets the
 * result.
 */
static int merge_files(char *const *paths, const struct source *source,
		       struct conflicts *conflicts, struct err *e)
{
	const struct atomic_how how = { 0 };
	AUTO(sides_done) struct sides s;
	AUTO(sbuf_done) struct sbuf raw = SBUF_SECRET;

	sides_init(&s);
	raw.max = FILE_SIZE_MAX;
	if (input_read(&s.base.raw, paths[0], FILE_SIZE_MAX, e) < 0 ||
	    input_read(&s.ours.raw, paths[1], FILE_SIZE_MAX, e) < 0 ||
	    input_read(&s.theirs.raw, paths[2], FILE_SIZE_MAX, e) < 0 ||
	    sides_open(&s, source, e) < 0 || check_unattended(&s, e) < 0 ||
	    sides_merge(&raw, &s, mesh_merge_unattended, conflicts, e) < 0)
		return -1;
	return atomic_write(paths[1], raw.s, raw.len, &how, e);
}

/*
 * git takes an exit status of 1 to 128 for a conflict; what is in the file
 * of our side then stays there.
 */
int cmd_merge_driver(struct cmd_env *env)
{
	AUTO(conflicts_done) struct conflicts conflicts = { 0 };
	const char *path = env->args.len > 3 ? env->args.items[3] : "the state";
	const struct source source = env_source(env);
	struct err e;

	if (merge_files(env->args.items, &source, &conflicts, &e) < 0) {
		note("'%s' is not merged and is our side alone: %s ('git "
		     "checkout -m' merges it when that is mended)", path,
		     err_words(&e).s);
		return EXIT_FAILED;
	}
	if (conflicts.len == 0)
		return EXIT_DONE;
	note_conflicts(&conflicts);
	note("'%s' has our side of %s; 'wgmesh merge -resolve' lists and "
	     "resolves, then git add", path,
	     conflicts.len == 1 ? "it" : "them");
	return EXIT_FAILED;
}
