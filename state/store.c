#include "state/store.h"

#include "base/auto.h"
#include "base/mem.h"
#include "state/atomic.h"
#include "state/check.h"
#include "state/json.h"
#include "state/lock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define STATE_NAME "mesh-state.json"
#define STATE_SYSTEM "/var/lib/wgmesh/" STATE_NAME

struct store {
	char *path; /* of the file itself, no symlink */
	struct mesh mesh;
	struct sbuf text; /* what the file holds, as far as we know */
	struct stat st;   /* of the file that was read */
	struct lock *lock; /* NULL: read only */
	bool fresh;        /* there is no file yet */
	char *note;
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
	s->text = (struct sbuf)SBUF_SECRET;
	s->text.max = STATE_SIZE_MAX;
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	lock_free(s->lock);
	mesh_done(&s->mesh);
	sbuf_done(&s->text);
	free(s->path);
	free(s->note);
	free(s);
}

struct mesh *store_mesh(struct store *s)
{
	return &s->mesh;
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
	return -1;
}

/* The folder part of @path ("." if there is none); the caller frees. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_strdup(".");
	return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static bool same_folder(const char *a, const char *b)
{
	AUTO(auto_free) char *left = folder_of(a);
	AUTO(auto_free) char *right = folder_of(b);
	struct stat x;
	struct stat y;

	return stat(left, &x) == 0 && stat(right, &y) == 0 &&
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The path that the symlink @path names; the caller frees. */
static char *link_target(const char *path)
{
	AUTO(auto_free) char *folder = folder_of(path);
	char text[4096];
	ssize_t n = readlink(path, text, sizeof text);

	if (n < 0 || n == (ssize_t)sizeof text)
		return NULL;
	if (*text == '/')
		return mem_strndup(text, (size_t)n);
	return mem_printf("%s/%.*s", folder, (int)n, text);
}

/* Who may not read the file named the wrong one: that is wrong input. */
static int cannot_open(struct err *e)
{
	err_sys(e, "cannot be opened");
	if (e->sys_errno == EACCES)
		e->code = ERR_INPUT;
	return -1;
}

/* Find the file itself: @out gets @path, or where its symlink leads. */
static int resolve(char **out, const char *path, struct err *e)
{
	AUTO(auto_free) char *target = NULL;
	struct stat st;

	if (lstat(path, &st) < 0)
		return cannot_open(e);
	if (!S_ISLNK(st.st_mode)) {
		*out = mem_strdup(path);
		return 0;
	}
	target = link_target(path);
	if (!target || !same_folder(path, target))
		return err_set(e, ERR_INPUT, "is a symlink out of its folder, "
			       "expected a file");
	if (lstat(target, &st) < 0)
		return err_sys(e, "is a symlink that leads nowhere");
	if (S_ISLNK(st.st_mode))
		return err_set(e, ERR_INPUT, "is a symlink to a symlink, "
			       "expected a file");
	*out = STEAL(target);
	return 0;
}

/* Who may change the file may have commands run on every host. */
static int check_file(const struct stat *st, struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_INPUT, "is no regular file");
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, ERR_INPUT, "may be written by others (mode "
			       "%04o), expected 0600", st->st_mode & 07777);
	if (st->st_size > STATE_SIZE_MAX)
		return err_set(e, ERR_INPUT, "has more than %d MiB",
			       STATE_SIZE_MAX >> 20);
	return 0;
}

static int read_all(struct sbuf *out, int fd, struct err *e)
{
	char chunk[16384];
	ssize_t n;

	do {
		n = read(fd, chunk, sizeof chunk);
		if (n > 0)
			sbuf_add(out, chunk, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		err_sys(e, "cannot be read");
	else if (out->failed)
		n = err_set(e, ERR_INPUT, "has more than %d MiB",
			    STATE_SIZE_MAX >> 20);
	explicit_bzero(chunk, sizeof chunk);
	return n < 0 ? -1 : 0;
}

/* Read the file @path as it is now. */
static int read_file(struct sbuf *out, struct stat *st, const char *path,
		     struct err *e)
{
	AUTO(auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
						     O_NONBLOCK);

	if (fd < 0 || fstat(fd, st) < 0)
		return cannot_open(e);
	if (check_file(st, e) < 0)
		return -1;
	return read_all(out, fd, e);
}

static bool holds_private_keys(const struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->len; i++)
		if (nodes->items[i].private_key.len)
			return true;
	return false;
}

/* Private keys that others can read are a mistake to mend before all else. */
static int check_private(const struct store *s, struct err *e)
{
	if (!(s->st.st_mode & (S_IRGRP | S_IROTH)) ||
	    !(holds_private_keys(&s->mesh.nodes) ||
	      holds_private_keys(&s->mesh.removed)))
		return 0;
	return err_set(e, ERR_INPUT, "holds private keys and may be read by "
		       "others (mode %04o): chmod 600", s->st.st_mode & 07777);
}

static int lock_state(struct store *s, int wait_ms, struct err *e)
{
	AUTO(auto_free) char *path = mem_printf("%s.lock", s->path);

	return lock_take(&s->lock, path, wait_ms, &s->note, e);
}

int store_open(struct store **out, const char *path, bool write, int wait_ms,
	       struct err *e)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(auto_free) char *file = NULL;

	if (resolve(&file, path, e) < 0)
		return about_state(path, e);
	s = store_new(file);
	if ((write && lock_state(s, wait_ms, e) < 0) ||
	    read_file(&s->text, &s->st, s->path, e) < 0)
		return about_state(path, e);
	if (state_parse(&s->mesh, sbuf_str(&s->text), s->text.len, e) < 0)
		return in_state(path, e);
	if (check_private(s, e) < 0)
		return about_state(path, e);
	*out = STEAL(s);
	return 0;
}

static int make_folder(const char *path, struct err *e)
{
	struct stat st;
	int saved;

	if (mkdir(path, 0700) == 0)
		return 0;
	saved = errno;
	if (saved == EEXIST && stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		saved = ENOTDIR;
	}
	errno = saved;
	return err_sys(e, "cannot make the folder '%s'", path);
}

/* Make all folders that lead to @path and are missing. */
static int make_folders(const char *path, struct err *e)
{
	AUTO(auto_free) char *copy = mem_strdup(path);

	for (char *p = copy + 1; *copy && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (make_folder(copy, e) < 0)
			return -1;
		*p = '/';
	}
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

static int fill_new(struct store *s, struct err *e)
{
	char name[256];

	mesh_init(&s->mesh);
	if (gethostname(name, sizeof name) < 0)
		return err_sys(e, "cannot get this machine's name");
	name[sizeof name - 1] = '\0';
	s->mesh.local_hostname = mem_strdup(name);
	s->fresh = true;
	s->st.st_uid = geteuid();
	s->st.st_gid = getegid();
	return mesh_make_id(&s->mesh, e);
}

int store_create(struct store **out, const char *path, struct err *e)
{
	AUTO(auto_store_close) struct store *s = store_new(path);

	if (make_folders(path, e) < 0)
		return in_state(path, e);
	if (refuse_existing(path, e) < 0 || lock_state(s, 0, e) < 0 ||
	    refuse_existing(path, e) < 0)
		return about_state(path, e);
	if (fill_new(s, e) < 0)
		return in_state(path, e);
	*out = STEAL(s);
	return 0;
}

/* Is the file still the text that we read? */
static int check_unchanged(const struct store *s, struct err *e)
{
	AUTO(sbuf_done) struct sbuf now = SBUF_SECRET;
	struct stat st;

	if (s->fresh)
		return 0;
	now.max = STATE_SIZE_MAX;
	if (read_file(&now, &st, s->path, e) < 0) {
		if (e->sys_errno == ENOENT)
			e->code = ERR_CONFLICT;
		return -1;
	}
	if (now.len != s->text.len ||
	    memcmp(sbuf_str(&now), sbuf_str(&s->text), now.len) != 0)
		return err_set(e, ERR_CONFLICT, "was changed by somebody else "
			       "since it was read, nothing is saved");
	return 0;
}

static int format(struct sbuf *out, const struct store *s, struct err *e)
{
	sbuf_clear(out);
	state_format(out, &s->mesh);
	if (out->failed)
		return err_set(e, ERR_INPUT, "state '%s' would have more than "
			       "%d MiB", s->path, STATE_SIZE_MAX >> 20);
	return 0;
}

static bool same_text(const struct sbuf *a, const struct sbuf *b)
{
	return a->len == b->len &&
	       memcmp(sbuf_str(a), sbuf_str(b), a->len) == 0;
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

/* Replace the file by @text, which becomes what we know it to hold. */
static int replace(struct store *s, struct sbuf *text, struct err *e)
{
	const struct atomic_how how = { s->fresh, s->st.st_uid, s->st.st_gid };

	if (check_unchanged(s, e) < 0)
		return about_state(s->path, e);
	if (atomic_write(s->path, sbuf_str(text), text->len, &how, e) < 0)
		return in_state(s->path, e);
	sbuf_done(&s->text);
	s->text = *text;
	*text = (struct sbuf)SBUF_SECRET;
	s->st.st_mode = S_IFREG | 0600;
	s->fresh = false;
	return 0;
}

/* Write a text that differs, counted if @count. */
static int save_changed(struct store *s, struct sbuf *text, bool count,
			struct err *e)
{
	uint64_t serial = s->mesh.serial;
	int ret;

	if (count)
		s->mesh.serial++;
	ret = format(text, s, e);
	if (ret == 0)
		ret = replace(s, text, e);
	if (ret < 0)
		s->mesh.serial = serial;
	return ret;
}

int store_save(struct store *s, bool count, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;

	text.max = STATE_SIZE_MAX;
	if (!s->lock)
		return err_set(e, ERR_BUG, "state '%s' was opened for reading",
			       s->path);
	if (check_mesh(&s->mesh, e) < 0)
		return in_state(s->path, e);
	if (format(&text, s, e) < 0)
		return -1;
	if (!s->fresh && same_text(&text, &s->text))
		return tighten_mode(s, e);
	return save_changed(s, &text, count, e);
}
