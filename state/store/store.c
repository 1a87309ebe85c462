/*
 * An open state: read, unsealed, changed, sealed again and replaced whole.
 * Whose file it is and who else writes it are questions of file.c and lock.c.
 */
#include "state/store/store.h"

#include "base/atomic.h"
#include "base/auto.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "state/json/json.h"
#include "state/merge/merge.h"
#include "state/model/model.h"
#include "state/store/file.h"
#include "state/store/lock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define STATE_NAME "mesh-state.json"
#define STATE_SYSTEM "/var/lib/wgmesh/" STATE_NAME

struct store {
	char *path; /* of the file itself, no symlink */
	struct mesh mesh;
	struct sbuf raw;  /* the file's bytes, as far as we know */
	struct sbuf text; /* the plain text in them */
	struct sealing sealing; /* of the file, or of the next save */
	bool reseal;      /* write even if the text is the same */
	struct stat st;   /* of the file that was read */
	struct lock *lock; /* NULL: read only */
	bool fresh;        /* there is no file yet */
	char *note;
	const struct store_hook *hook; /* NULL: nothing follows a save */
	void *follower;
};

DEFINE_AUTO(struct store *, store_close)

char *store_path(const char *option, const char *env)
{
	if (option && *option)
		return mem_strdup(option);
	if (env && *env)
		return mem_strdup(env);
	return mem_strdup(access(STATE_NAME, F_OK) == 0 ? STATE_NAME
							: STATE_SYSTEM);
}

static struct store *store_new(const char *path)
{
	struct store *s = mem_calloc(1, sizeof *s);

	s->path = mem_strdup(path);
	s->raw = (struct sbuf)SBUF_SECRET;
	s->raw.max = FILE_SIZE_MAX;
	s->text = (struct sbuf)SBUF_SECRET;
	s->text.max = STATE_SIZE_MAX;
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->hook)
		s->hook->done(s->follower);
	lock_free(s->lock);
	mesh_done(&s->mesh);
	secret_done(&s->sealing.passphrase);
	sbuf_done(&s->raw);
	sbuf_done(&s->text);
	free(s->path);
	free(s->note);
	free(s);
}

struct mesh *store_mesh(struct store *s)
{
	return &s->mesh;
}

void store_follow(struct store *s, const struct store_hook *hook, void *arg)
{
	s->hook = hook;
	s->follower = arg;
}

void *store_follower(struct store *s)
{
	return s->follower;
}

int store_original(struct mesh *out, const struct store *s, struct err *e)
{
	return state_parse(out, sbuf_str(&s->text), s->text.len, e);
}

const char *store_file(const struct store *s)
{
	return s->path;
}

const char *store_note(const struct store *s)
{
	return s->note;
}

static int in_state(const char *path, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(path);

	return err_wrap(e, "state '%s'", shown);
}

/* The same for a message that goes on from there: "is locked by ...". */
static int about_state(const char *path, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(path);
	const struct err inner = *e;

	err_set(e, inner.code, "state '%s' %s", shown, inner.msg);
	e->sys_errno = inner.sys_errno;
	return err_advise(e, inner.advice, inner.about);
}

/* What git made of the file it can merge again, in the folder of the file. */
static int advise_merge(const struct store *s, struct err *e)
{
	AUTO(auto_free) char *folder = path_folder(s->path);
	AUTO(sbuf_done) struct sbuf words = SBUF_INIT;

	if (strcmp(folder, ".") != 0) {
		sbuf_puts(&words, "-C ");
		text_quote(&words, folder);
		sbuf_putc(&words, ' ');
	}
	sbuf_puts(&words, "checkout -m ");
	text_quote(&words, path_name(s->path));
	return err_advise(e, ADVICE_MERGE_AGAIN, sbuf_str(&words));
}

static bool holds_private_keys(const struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->len; i++) {
		const struct node *n = &nodes->items[i];

		if (n->private_key.len)
			return true;
		for (size_t k = 0; k < n->externals.len; k++)
			if (n->externals.items[k].preshared_key.len)
				return true;
	}
	return false;
}

bool store_is_new(const struct store *s)
{
	return s->fresh;
}

bool store_has_keys(const struct store *s)
{
	return s->mesh.mesh_secret.len || s->mesh.former_secrets.len ||
	       holds_private_keys(&s->mesh.nodes) ||
	       holds_private_keys(&s->mesh.removed) ||
	       conflicts_hold_secrets(&s->mesh);
}

static int lock_state(struct store *s, int wait_ms, struct err *e)
{
	AUTO(auto_free) char *path = mem_printf("%s.lock", s->path);

	return lock_take(&s->lock, path, wait_ms, &s->note, e);
}

enum sealed_form store_form(const struct store *s)
{
	return s->sealing.form;
}

bool store_has_passphrase(const struct store *s)
{
	return s->sealing.form != SEALED_NOT && s->sealing.passphrase.len > 0;
}

void store_seal(struct store *s, enum sealed_form form,
		const struct secret *passphrase)
{
	s->sealing.form = form;
	s->reseal = true;
	secret_done(&s->sealing.passphrase);
	if (passphrase)
		secret_copy(&s->sealing.passphrase, passphrase);
}

int store_open(struct store **out, const char *path, bool write, int wait_ms,
	       const struct source *source, struct err *e)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(auto_free) char *file = NULL;

	if (file_resolve(&file, path, e) < 0)
		return about_state(path, e);
	s = store_new(file);
	if ((write && lock_state(s, wait_ms, e) < 0) ||
	    file_read(&s->raw, &s->st, s->path, e) < 0 ||
	    sealing_open(&s->text, &s->sealing, &s->raw, source, NULL, e) < 0) {
		if (e->code == ERR_AUTH)
			e->code = ERR_INPUT; /* no host refused a login */
		if (text_conflict_line(sbuf_str(&s->raw), s->raw.len))
			advise_merge(s, e);
		return about_state(path, e);
	}
	if (state_parse(&s->mesh, sbuf_str(&s->text), s->text.len, e) < 0)
		return in_state(path, e);
	/*
	 * Private keys that others can read are a mistake to mend before all
	 * else. A sealed file may be read: that is how git checks it out.
	 */
	if (s->sealing.form == SEALED_NOT &&
	    (s->st.st_mode & (S_IRGRP | S_IROTH)) && store_has_keys(s)) {
		err_set_(e, ERR_INPUT, "holds private keys and may be read by "
			 "others (mode %04o): chmod 600",
			 s->st.st_mode & 07777);
		return about_state(path, e);
	}
	*out = STEAL(s);
	return 0;
}

static int refuse_existing(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return err_set(e, ERR_INPUT, "exists already: its keys would "
			       "be lost");
	if (errno != ENOENT)
		return err_sys(e, "cannot be made");
	return 0;
}

int store_create(struct store **out, const char *path, struct err *e)
{
	AUTO(auto_store_close) struct store *s = store_new(path);
	char name[256];

	if (file_make_folders(path, e) < 0)
		return in_state(path, e);
	if (refuse_existing(path, e) < 0 || file_check_folder(path, e) < 0 ||
	    lock_state(s, 0, e) < 0 ||
	    refuse_existing(path, e) < 0) /* made before we had the lock */
		return about_state(path, e);
	mesh_init(&s->mesh);
	if (gethostname(name, sizeof name) < 0) {
		err_sys_(e, "cannot get this machine's name");
		return in_state(path, e);
	}
	name[sizeof name - 1] = '\0'; /* POSIX: cut, with or without a NUL */
	mem_replace(&s->mesh.local_hostname, name);
	s->fresh = true;
	s->st.st_uid = geteuid();
	s->st.st_gid = getegid();
	if (mesh_make_id(&s->mesh, e) < 0)
		return in_state(path, e);
	*out = STEAL(s);
	return 0;
}

static bool same_text(const struct sbuf *a, const struct sbuf *b)
{
	return a->len == b->len &&
	       memcmp(sbuf_str(a), sbuf_str(b), a->len) == 0;
}

/* Is the file still the bytes that we read? */
static int check_unchanged(const struct store *s, struct err *e)
{
	AUTO(sbuf_done) struct sbuf now = SBUF_SECRET;
	struct stat st;

	if (s->fresh)
		return 0;
	now.max = FILE_SIZE_MAX;
	if (file_read(&now, &st, s->path, e) < 0) {
		if (e->sys_errno == ENOENT)
			e->code = ERR_CONFLICT;
		return -1;
	}
	if (!same_text(&now, &s->raw))
		return err_set(e, ERR_CONFLICT, "was changed by somebody else "
			       "since it was read, nothing is saved");
	return 0;
}

static int format_mesh(struct sbuf *out, const struct store *s, struct err *e)
{
	sbuf_clear(out);
	state_format(out, &s->mesh);
	if (out->failed)
		return err_set(e, ERR_INPUT, "state '%s' would have more than "
			       "%d MiB", s->path, STATE_SIZE_MAX >> 20);
	return 0;
}

/* The text stays, but others shall not read it. */
static int tighten_mode(struct store *s, struct err *e)
{
	AUTO(auto_close) int fd = -1;

	if ((s->st.st_mode & 07777) == 0600)
		return 0;
	fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fchmod(fd, 0600) < 0 || fstat(fd, &s->st) < 0)
		return err_sys(e, "state '%s' cannot be made 0600", s->path);
	return 0;
}

/* Put @from in the place of @to; @from is empty afterwards. */
static void move_text(struct sbuf *to, struct sbuf *from)
{
	sbuf_done(to);
	*to = *from;
	*from = (struct sbuf)SBUF_SECRET;
}

/*
 * Replace the file by @text, which becomes what we know it to hold. @replaced
 * tells whether it is, also when that is not committed or may not last.
 */
static int replace_file(struct store *s, struct sbuf *text, bool *replaced,
			struct err *e)
{
	const struct atomic_how how = { .fresh = s->fresh,
					.uid = s->st.st_uid,
					.gid = s->st.st_gid,
					.locked = true };
	AUTO(sbuf_done) struct sbuf raw = SBUF_SECRET;
	struct err unsynced = { 0 };

	raw.max = FILE_SIZE_MAX;
	if (check_unchanged(s, e) < 0 ||
	    sealing_seal(&raw, &s->sealing, text, &s->mesh, e) < 0)
		return about_state(s->path, e);
	if (s->hook &&
	    s->hook->before(s->follower, sbuf_str(&raw), raw.len, e) < 0)
		return -1;
	if (atomic_replace(s->path, sbuf_str(&raw), raw.len, &how, e) < 0) {
		if (s->hook)
			s->hook->failed(s->follower);
		return in_state(s->path, e);
	}
	*replaced = true;
	atomic_sync(s->path, &unsynced); /* what follows is due in any case */
	move_text(&s->text, text);
	move_text(&s->raw, &raw);
	s->reseal = false;
	s->st.st_mode = S_IFREG | 0600;
	s->fresh = false;
	if (s->hook && s->hook->after(s->follower, e) < 0)
		return err_wrap(e, "saved, but not committed");
	if (unsynced.code == ERR_NONE)
		return 0;
	*e = unsynced;
	return in_state(s->path, e);
}

int store_save(struct store *s, bool count, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	uint64_t serial = s->mesh.serial;
	bool replaced = false;
	int ret;

	text.max = STATE_SIZE_MAX;
	if (!s->lock)
		return err_set(e, ERR_BUG, "state '%s' was opened for reading",
			       s->path);
	if (check_mesh(&s->mesh, e) < 0)
		return in_state(s->path, e);
	if (format_mesh(&text, s, e) < 0)
		return -1;
	if (!s->fresh && !s->reseal && same_text(&text, &s->text))
		return tighten_mode(s, e);
	/* a sealed state has a secret of its mesh, which no other file has */
	if (s->sealing.form != SEALED_NOT && mesh_secret_make(&s->mesh, e) < 0)
		return -1;
	if (count && mesh_serial_next(&s->mesh, serial, e) < 0)
		return in_state(s->path, e);
	ret = format_mesh(&text, s, e);
	if (ret == 0)
		ret = replace_file(s, &text, &replaced, e);
	if (!replaced)
		s->mesh.serial = serial; /* who tries again counts from there */
	return ret;
}
