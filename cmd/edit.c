/*
 * wgmesh edit: the plain state in an editor, from memory and back, never on disk.
 */
#include "cmd/cmd.h"

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

/* ---- a private place in memory ---- */

static bool in_memory(const char *folder)
{
	struct statfs fs;

	return folder && *folder == '/' && statfs(folder, &fs) == 0 &&
	       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC) &&
	       access(folder, W_OK) == 0;
}

/* A folder that only we can enter, on a file system in memory. */
static int make_place(char **out, struct err *e)
{
	const char *const places[] = { getenv("XDG_RUNTIME_DIR"), "/dev/shm",
				       "/run" };

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char *folder;

		if (!in_memory(places[i]))
			continue;
		folder = mem_printf("%s/wgmesh.XXXXXX", places[i]);
		if (mkdtemp(folder)) {
			*out = folder;
			return 0;
		}
		free(folder);
	}
	return err_set(e, ERR_SYSTEM, "no place in memory to edit in: neither "
		       "$XDG_RUNTIME_DIR nor /dev/shm nor /run is a tmpfs that "
		       "can be written");
}

/* Overwrite a file with zeros, then remove it; folders go when empty. */
static int shred(const char *path, const struct stat *st, int kind,
		 struct FTW *ftw)
{
	AUTO(auto_close) int fd = -1;
	static const char zeros[4096];

	(void)ftw;
	if (kind == FTW_F && S_ISREG(st->st_mode))
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	for (off_t left = st->st_size; fd >= 0 && left > 0; left -= 4096)
		if (write(fd, zeros, left < 4096 ? (size_t)left : 4096) < 0)
			break;
	remove(path);
	return 0;
}

/* The place with all that an editor may have left there. */
static void remove_place(const char *folder)
{
	nftw(folder, shred, 16, FTW_DEPTH | FTW_PHYS);
	if (access(folder, F_OK) == 0)
		note("'%s' still holds plain text: remove it", folder);
}

/* Nothing ends us while plain text lies there: signals wait until it is gone. */
static void hold_signals(sigset_t *before)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGQUIT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGTSTP);
	sigprocmask(SIG_BLOCK, &held, before);
}

static int write_text(const char *path, const struct sbuf *text, struct err *e)
{
	AUTO(auto_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC |
						     O_CLOEXEC | O_NOFOLLOW,
				       0600);
	size_t at = 0;

	while (fd >= 0 && at < text->len) {
		ssize_t n = write(fd, text->s + at, text->len - at);

		if (n < 0 && errno != EINTR)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || at < text->len)
		return err_sys(e, "cannot write '%s'", path);
	return 0;
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

/* The text as the editor left it, parsed. */
static int read_back(struct mesh *out, const char *path, struct err *e)
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

/* Edit until the text is a valid state, or the user gives up. */
static int edit_until_valid(struct mesh *out, const char *path, struct err *e)
{
	for (;;) {
		AUTO(auto_free) char *question = NULL;

		if (run_editor(path, e) < 0)
			return -1;
		if (read_back(out, path, e) == 0)
			return 0;
		question = mem_printf("wgmesh: %s\nBack to the editor?",
				      err_words(e).s);
		if (ask_yes(question) != 1)
			return -1;
	}
}

static int edit(struct store *s, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	AUTO(auto_free) char *folder = NULL;
	AUTO(auto_free) char *path = NULL;
	struct mesh edited = { 0 };
	sigset_t before;
	int ret;

	state_format(&text, store_mesh(s));
	sbuf_putc(&text, '\n');
	hold_signals(&before);
	if (make_place(&folder, e) < 0)
		return -1;
	path = mem_printf("%s/mesh-state.json", folder);
	ret = write_text(path, &text, e);
	if (ret == 0)
		ret = edit_until_valid(&edited, path, e);
	remove_place(folder);
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
	if (edit(s, &e) < 0)
		return fail(&e);
	put(store_mesh(s)->serial == serial ? "Nothing was changed\n"
					    : "Saved\n");
	return EXIT_DONE;
}
