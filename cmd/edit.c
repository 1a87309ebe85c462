/*
 * wgmesh edit: the plain state in an editor, from memory and back, never on
 * disk.
 */
#include "cmd/cmd.h"

#include "base/atomic.h"
#include "base/run.h"
#include "state/json/json.h"
#include "vault/words.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/** How much is zeroed at once (bytes). */
#define CHUNK_BYTES 4096

/* ---- a private folder in memory ---- */

/*
 * A folder that only we can enter, on a file system in memory; the caller frees
 * its name. What is no absolute path is nobody's runtime folder.
 */
static int make_folder(char **out, struct err *e)
{
	const char *const places[] = { getenv("XDG_RUNTIME_DIR"), "/dev/shm",
				       "/run" };

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		const char *place = places[i];
		AUTO(auto_free) char *folder = NULL;
		struct statfs fs;

		if (!place || *place != '/' || statfs(place, &fs) < 0 ||
		    (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC) ||
		    access(place, W_OK) < 0)
			continue;
		folder = mem_printf("%s/wgmesh.XXXXXX", place);
		if (mkdtemp(folder)) {
			*out = STEAL(folder);
			return 0;
		}
	}
	return err_set(e, ERR_SYSTEM, "no place in memory to edit in: neither "
		       "$XDG_RUNTIME_DIR nor /dev/shm nor /run is a tmpfs that "
		       "can be written");
}

/*
 * Overwrite a file with zeros, then remove it; folders go when empty. A link
 * that an editor left is removed and not followed.
 */
static int shred(const char *path, const struct stat *st, int kind,
		 struct FTW *ftw)
{
	AUTO(auto_close) int fd = -1;
	static const char zeros[CHUNK_BYTES];

	(void)ftw;
	if (kind == FTW_F && S_ISREG(st->st_mode))
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	for (off_t left = st->st_size; fd >= 0 && left > 0; left -= CHUNK_BYTES)
		if (write(fd, zeros, left < CHUNK_BYTES ? (size_t)left
							: CHUNK_BYTES) < 0)
			break;
	remove(path);
	return 0;
}

static int write_text(char *path, const struct sbuf *text, struct err *e)
{
	AUTO(auto_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC |
						     O_CLOEXEC | O_NOFOLLOW,
				       0600);
	struct temporary file = { fd, path };

	if (fd < 0)
		return err_sys(e, "cannot write '%s'", path);
	return temporary_write(&file, text->s, text->len, e);
}

/* ---- the editor ---- */

static int run_editor(const char *path, struct err *e)
{
	AUTO(strings_done) struct strings words = { 0 };
	const char *editor = getenv("VISUAL");
	const struct run how = { .argv = &words, .fds = { 0, 1, 2 } };
	pid_t pid;

	if (!editor || !*editor)
		editor = getenv("EDITOR");
	if (words_split(&words, editor && *editor ? editor : "vi", e) < 0)
		return err_wrap(e, "$EDITOR");
	strings_add(&words, path);
	pid = run_start(&how, e);
	if (pid < 0)
		return err_wrap(e, "the editor");
	if (run_end(pid, false, RUN_FOREVER) != 0)
		return err_set(e, ERR_CONFLICT, "the editor '%s' failed; "
			       "nothing was changed", words.items[0]);
	return 0;
}

/*
 * The text as the editor left it, parsed. Editors that replace the file are
 * well: it is opened anew, by its name.
 */
static int read_text_back(struct mesh *out, const char *path, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	AUTO(auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t line;

	text.max = STATE_SIZE_MAX;
	if (fd < 0 || sbuf_read(&text, fd) < 0)
		return text.failed
			       ? err_set(e, ERR_INPUT, "the text has more than "
					 "%d MiB", STATE_SIZE_MAX >> 20)
			       : err_sys(e, "cannot read '%s'", path);
	if (state_parse(out, sbuf_str(&text), text.len, e) == 0)
		return 0;
	line = state_locate(sbuf_str(&text), e->msg);
	return line ? err_wrap(e, "line %zu", line) : -1;
}

/* Until the text is a valid state, or the user gives up. */
static int edit_text(struct mesh *out, const char *path, struct err *e)
{
	for (;;) {
		AUTO(auto_free) char *question = NULL;

		if (run_editor(path, e) < 0)
			return -1;
		if (read_text_back(out, path, e) == 0)
			return 0;
		question = mem_printf("wgmesh: %s\nBack to the editor?",
				      err_words(e).s);
		if (ask_yes(question) != 1)
			return -1;
	}
}

static int edit_state(struct store *s, struct err *e)
{
	static const int ends[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP };
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	AUTO(auto_free) char *folder = NULL;
	AUTO(auto_free) char *path = NULL;
	struct mesh edited = { 0 };
	sigset_t held, before;
	int ret;

	state_format(&text, store_mesh(s));
	sbuf_putc(&text, '\n');
	/* nothing ends us while plain text lies there: signals wait */
	sigemptyset(&held);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		sigaddset(&held, ends[i]);
	sigprocmask(SIG_BLOCK, &held, &before);
	if (make_folder(&folder, e) < 0)
		return -1;
	path = mem_printf("%s/mesh-state.json", folder);
	ret = write_text(path, &text, e);
	if (ret == 0)
		ret = edit_text(&edited, path, e);
	/* all that an editor may have left: copies, swap files, folders */
	nftw(folder, shred, 16, FTW_DEPTH | FTW_PHYS);
	if (access(folder, F_OK) == 0)
		note("'%s' still holds plain text: remove it", folder);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (ret < 0)
		return -1;
	mesh_done(store_mesh(s));
	*store_mesh(s) = edited;
	return env_save(s, e);
}

int cmd_edit(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	uint64_t serial;
	struct err e;

	if (env_open(&s, env, true, &e) < 0)
		return fail(&e);
	serial = store_mesh(s)->serial;
	if (edit_state(s, &e) < 0)
		return fail(&e);
	put(store_mesh(s)->serial == serial ? "Nothing was changed\n"
					    : "Saved\n");
	return EXIT_DONE;
}
