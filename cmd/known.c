/*
 * What this user knows of meshes: a one-way image of each one's secret, as
 * known_hosts has host keys.
 */
#include "cmd/known.h"

#include "base/atomic.h"
#include "cmd/ask.h"
#include "state/store/store.h"
#include "vault/proof.h"

#include <pwd.h>
#include <string.h>

/** Hex digits of a mesh's id. */
#define ID_HEX 32
/** Length of a line, with its end. */
#define LINE_BYTES (ID_HEX + 1 + IMAGE_HEX + 1)
/** How long to wait for another process that writes the file. */
#define WAIT_MS 10000

DEFINE_AUTO(struct lock *, lock_free)

/* NULL: there is no place for such things. */
static char *known_path(void)
{
	const char *place = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (place && *place == '/')
		return mem_printf("%s/wgmesh/known_meshes", place);
	if (!home || *home != '/') {
		pw = getpwuid(geteuid());
		home = pw ? pw->pw_dir : NULL;
	}
	return home ? mem_printf("%s/.local/state/wgmesh/known_meshes", home)
		    : NULL;
}

/*
 * The whole file, checked; empty when there is none. Every line has the same
 * length, so that a line is found and replaced by its place.
 */
static int read_known(struct sbuf *out, const char *path, struct err *e)
{
	static const char hex[] = "0123456789abcdef";
	struct stat st;

	if (file_read(out, &st, path, e) < 0) {
		if (e->sys_errno == ENOENT)
			return 0;
		return err_wrap(e, "known meshes '%s'", path);
	}
	for (size_t at = 0; at < out->len; at += LINE_BYTES) {
		const char *s = sbuf_str(out) + at;

		/* a NUL ends each test before the end of the text is passed */
		if (strspn(s, hex) != ID_HEX || s[ID_HEX] != ' ' ||
		    strspn(s + ID_HEX + 1, hex) != IMAGE_HEX ||
		    s[LINE_BYTES - 1] != '\n')
			return err_set(e, ERR_INPUT, "known meshes '%s': line "
				       "%zu: expected a mesh's id and its "
				       "image", path, at / LINE_BYTES + 1);
	}
	return 0;
}

/* The line of the mesh in the checked text, or NULL. */
static char *find_line(const struct sbuf *all, const char *mesh_id)
{
	for (size_t at = 0; at < all->len; at += LINE_BYTES)
		if (strncmp(all->s + at, mesh_id, ID_HEX) == 0)
			return all->s + at;
	return NULL;
}

static bool is_image(const char *line, const struct secret *s,
		     const char *mesh_id)
{
	char image[IMAGE_HEX + 1];
	struct err ignored;

	return s->len && proof_image(image, s, mesh_id, &ignored) == 0 &&
	       strncmp(line + ID_HEX + 1, image, IMAGE_HEX) == 0;
}

int known_judge(enum known *out, const struct mesh *m, struct err *e)
{
	AUTO(auto_free) char *path = known_path();
	AUTO(sbuf_done) struct sbuf all = SBUF_INIT;
	const char *line;

	*out = KNOWN_SAME;
	if (!path || !m->mesh_id)
		return 0;
	if (read_known(&all, path, e) < 0)
		return -1;
	line = find_line(&all, m->mesh_id);
	if (!line) {
		*out = m->mesh_secret.len ? KNOWN_FIRST : KNOWN_SAME;
		return 0;
	}
	if (is_image(line, &m->mesh_secret, m->mesh_id))
		return 0;
	*out = KNOWN_OTHER;
	for (size_t i = 0; m->mesh_secret.len && i < m->former_secrets.len; i++)
		if (is_image(line, &m->former_secrets.items[i], m->mesh_id))
			*out = KNOWN_FORMER;
	return 0;
}

int known_agree(const struct cmd_env *env, struct err *e)
{
	static const char question[] =
		"The secret of this mesh was changed, as it is when somebody "
		"has left. Was it one of you who did that?";

#define WHAT "the secret of this mesh was changed since it was seen here last"
	return ask_consent(env->options.accept_secret,
			   env->options.json ? NULL : question,
			   WHAT ": say -accept-new-secret if one of you did "
			   "that", WHAT "; not agreed to", e);
#undef WHAT
}

bool known_is_new(const struct mesh *m)
{
	AUTO(auto_free) char *path = known_path();
	AUTO(sbuf_done) struct sbuf all = SBUF_INIT;
	struct err ignored;

	return path && m->mesh_id && read_known(&all, path, &ignored) == 0 &&
	       !find_line(&all, m->mesh_id);
}

int known_agree_first(const struct cmd_env *env, struct err *e)
{
	static const char question[] =
		"This mesh was never seen here, and not all of its hosts prove "
		"that they belong to it. Was this state made by one of you?";

#define WHAT "this mesh was never seen here, and not all hosts that would be " \
	     "changed prove that they belong to it"
	return ask_consent(env->options.accept_secret,
			   env->options.json ? NULL : question,
			   WHAT ": say -accept-new-secret if this state is "
			   "yours, or give this user its line of known_meshes",
			   WHAT "; not agreed to", e);
#undef WHAT
}

int known_check(const struct mesh *m, const struct cmd_env *env,
		struct err *e)
{
	enum known known;

	if (known_judge(&known, m, e) < 0)
		return -1;
	switch (known) {
	case KNOWN_SAME:
	case KNOWN_FIRST:
		return 0;
	case KNOWN_FORMER:
		return known_agree(env, e);
	case KNOWN_OTHER:
		break;
	}
	if (env->options.accept_secret)
		return 0;
	return err_set(e, ERR_CONFLICT, "the state does not have the secret "
		       "that this mesh is known by here: it is an old one, or "
		       "somebody else made it (-accept-new-secret takes it all "
		       "the same)");
}

/* Make the file say that @m is known by its secret, or by none. */
static int write_known(const char *path, const struct mesh *m, struct err *e)
{
	const struct atomic_how how = { .locked = true };
	AUTO(auto_lock_free) struct lock *lock = NULL;
	AUTO(auto_free) char *lock_path = mem_printf("%s.lock", path);
	AUTO(auto_free) char *cleared = NULL;
	AUTO(sbuf_done) struct sbuf all = SBUF_INIT;
	char image[IMAGE_HEX + 1];
	char *line;

	/* read under the lock, so that no other command's line is lost */
	if (file_make_folders(path, e) < 0 ||
	    lock_take(&lock, lock_path, WAIT_MS, &cleared, e) < 0 ||
	    read_known(&all, path, e) < 0)
		return -1;
	if (m->mesh_secret.len &&
	    proof_image(image, &m->mesh_secret, m->mesh_id, e) < 0)
		return -1;
	line = find_line(&all, m->mesh_id);
	if (line && m->mesh_secret.len) {
		memcpy(line + ID_HEX + 1, image, IMAGE_HEX);
	} else if (line) {
		all.len -= LINE_BYTES;
		memmove(line, line + LINE_BYTES,
			all.len - (size_t)(line - all.s));
	} else if (m->mesh_secret.len) {
		sbuf_printf(&all, "%s %s\n", m->mesh_id, image);
	}
	return atomic_write(path, sbuf_str(&all), all.len, &how, e);
}

void known_note(const struct mesh *m)
{
	AUTO(auto_free) char *path = known_path();
	enum known known;
	struct err e;

	if (!path || !m->mesh_id ||
	    (known_judge(&known, m, &e) == 0 && known == KNOWN_SAME))
		return;
	if (write_known(path, m, &e) < 0)
		note("this mesh will not be known again here: %s",
		     err_words(&e).s);
}

bool known_is_ours(const struct mesh *m)
{
	enum known known;
	struct err ignored;

	return known_judge(&known, m, &ignored) == 0 &&
	       (known == KNOWN_SAME || known == KNOWN_FIRST);
}
