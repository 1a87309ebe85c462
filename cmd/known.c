/*
 * What this user knows of meshes: a one-way image of each one's secret, as
 * known_hosts has host keys.
 */
#include "cmd/known.h"

#include "base/atomic.h"
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

static bool is_line(const char *s)
{
	static const char hex[] = "0123456789abcdef";

	return strspn(s, hex) == ID_HEX && s[ID_HEX] == ' ' &&
	       strspn(s + ID_HEX + 1, hex) == IMAGE_HEX &&
	       s[LINE_BYTES - 1] == '\n';
}

/* The whole file, checked; empty when there is none. */
static int read_all(struct sbuf *out, const char *path, struct err *e)
{
	struct stat st;

	if (file_read(out, &st, path, e) < 0) {
		if (e->sys_errno == ENOENT)
			return 0;
		return err_wrap(e, "known meshes '%s'", path);
	}
	for (size_t at = 0; at < out->len; at += LINE_BYTES)
		if (!is_line(sbuf_str(out) + at))
			return err_set(e, ERR_INPUT, "known meshes '%s': line "
				       "%zu: expected a mesh's id and its "
				       "image", path, at / LINE_BYTES + 1);
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

static enum known judge_line(const char *line, const struct mesh *m)
{
	if (is_image(line, &m->mesh_secret, m->mesh_id))
		return KNOWN_SAME;
	for (size_t i = 0; m->mesh_secret.len && i < m->former_secrets.len; i++)
		if (is_image(line, &m->former_secrets.items[i], m->mesh_id))
			return KNOWN_FORMER;
	return KNOWN_OTHER;
}

int known_judge(enum known *out, const struct mesh *m, struct err *e)
{
	AUTO(auto_free) char *path = known_path();
	AUTO(sbuf_done) struct sbuf all = SBUF_INIT;
	const char *line;

	*out = KNOWN_SAME;
	if (!path || !m->mesh_id)
		return 0;
	if (read_all(&all, path, e) < 0)
		return -1;
	line = find_line(&all, m->mesh_id);
	if (line)
		*out = judge_line(line, m);
	else if (m->mesh_secret.len)
		*out = KNOWN_FIRST;
	return 0;
}

/* A yes to @question, or the option; else @what is refused, and @hint is told. */
static int agree_to(const struct cmd_env *env, const char *question,
		    const char *what, const char *hint, struct err *e)
{
	int yes;

	if (env->options.accept_secret)
		return 0;
	yes = env->options.json ? -1 : ask_yes(question);
	if (yes == 1)
		return 0;
	return err_set(e, yes < 0 ? ERR_INPUT : ERR_CONFLICT, "%s%s%s", what,
		       yes < 0 ? ": " : "; not agreed to", yes < 0 ? hint : "");
}

int known_agree(const struct cmd_env *env, struct err *e)
{
	return agree_to(env, "The secret of this mesh was changed, as it is "
			"when somebody has left. Was it one of you who did "
			"that?", "the secret of this mesh was changed since "
			"it was seen here last", "say -accept-new-secret if "
			"one of you did that", e);
}

bool known_is_new(const struct mesh *m)
{
	AUTO(auto_free) char *path = known_path();
	AUTO(sbuf_done) struct sbuf all = SBUF_INIT;
	struct err ignored;

	return path && m->mesh_id && read_all(&all, path, &ignored) == 0 &&
	       !find_line(&all, m->mesh_id);
}

int known_agree_first(const struct cmd_env *env, struct err *e)
{
	return agree_to(env, "This mesh was never seen here, and not all of its "
			"hosts prove that they belong to it. Was this state "
			"made by one of you?", "this mesh was never seen here, "
			"and not all hosts that would be changed prove that "
			"they belong to it", "say -accept-new-secret if this "
			"state is yours, or give this user its line of "
			"known_meshes", e);
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

/* Make @all say that @m is known by its secret, or by none. */
static int set_line(struct sbuf *all, const struct mesh *m, struct err *e)
{
	char image[IMAGE_HEX + 1];
	char *line = find_line(all, m->mesh_id);
	size_t at = line ? (size_t)(line - all->s) : all->len;

	if (!m->mesh_secret.len) {
		if (line) {
			memmove(line, line + LINE_BYTES,
				all->len - at - LINE_BYTES);
			all->len -= LINE_BYTES;
		}
		return 0;
	}
	if (proof_image(image, &m->mesh_secret, m->mesh_id, e) < 0)
		return -1;
	if (line)
		memcpy(line + ID_HEX + 1, image, IMAGE_HEX);
	else
		sbuf_printf(all, "%s %s\n", m->mesh_id, image);
	return 0;
}

static int write_known(const char *path, const struct mesh *m, struct err *e)
{
	const struct atomic_how how = { .locked = true };
	AUTO(auto_lock_free) struct lock *lock = NULL;
	AUTO(auto_free) char *lock_path = mem_printf("%s.lock", path);
	AUTO(auto_free) char *cleared = NULL;
	AUTO(sbuf_done) struct sbuf all = SBUF_INIT;

	if (file_make_folders(path, e) < 0 ||
	    lock_take(&lock, lock_path, WAIT_MS, &cleared, e) < 0 ||
	    read_all(&all, path, e) < 0 || set_line(&all, m, e) < 0)
		return -1;
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
