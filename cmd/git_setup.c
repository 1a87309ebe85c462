/*
 * wgmesh git-setup: git is told to show and merge the state by meaning.
 */
#include "cmd/cmd.h"

#include "base/atomic.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/input.h"
#include "state/git/git.h"
#include "state/store/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/** Longest .gitattributes or hook that is read, in bytes. */
#define SIZE_MAX_READ (1 << 20)

static const char hook[] =
	"#!/bin/sh\n"
	"# Made by 'wgmesh git-setup': refuse a mesh state in plain text with\n"
	"# private keys in it.\n"
	"export LC_ALL=C GIT_LITERAL_PATHSPECS=1\n"
	"git config --get-all wgmesh.state | {\n"
	"\twhile IFS= read -r path; do\n"
	"\t\tgit diff --cached --quiet -- \"$path\" && continue\n"
	"\t\tgit cat-file blob \":$path\" 2>/dev/null | tr -d '[:space:]' |\n"
	"\t\t\tgrep -qiE '^\\{.*\"(private_key|preshared_key|mesh_secret)\":\"[^\"]' ||\n"
	"\t\t\tcontinue\n"
	"\t\techo \"wgmesh: '$path' holds private keys in plain text:\" \\\n"
	"\t\t\t\"'wgmesh seal' it, or 'wgmesh keys host'\" >&2\n"
	"\t\texit 1\n"
	"\tdone\n"
	"}\n";

static const char caller[] =
	"#!/bin/sh\n"
	"# Made by 'wgmesh git-setup'.\n"
	"exec \"$(dirname \"$0\")/wgmesh-pre-commit\" \"$@\"\n";

/* Where the state is, and what git says about that. */
struct setup {
	char *folder; /* of the state */
	char *name;   /* of the state, in it */
	char *hooks;  /* the repository's own folder of hooks */
	char *program; /* ours, as a word of a shell */
};

static void setup_done(struct setup *s)
{
	free(s->folder);
	free(s->name);
	free(s->hooks);
	free(s->program);
}

/* ---- git ---- */

/* Run git in the folder; @words end with NULL. True when it exits with 0. */
static bool run_git(struct child *c, const char *folder,
		    const char *const *words, struct sbuf *out, bool *started,
		    struct err *e)
{
	AUTO(strings_done) struct strings argv = { 0 };

	strings_add(&argv, "git");
	for (size_t i = 0; words[i]; i++)
		strings_add(&argv, words[i]);
	*started = child_start(c, &argv, folder, e) == 0;
	return *started && child_run(c, "", out);
}

/* What git prints, without the line end; NULL with @e set when it fails. */
static char *ask_git(const char *folder, const char *const *words,
		     struct err *e)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(auto_free) char *why = NULL;
	struct child c;
	bool started, ok = run_git(&c, folder, words, &out, &started, e);

	if (!started)
		return NULL;
	why = child_words(&c);
	sbuf_done(&c.words);
	if (!ok) {
		err_set(e, ERR_INPUT, "git %s%s", words[0], why);
		return NULL;
	}
	return mem_strndup(sbuf_str(&out), strcspn(sbuf_str(&out), "\n"));
}

static int set_config(const char *folder, const char *key, const char *value,
		      struct err *e)
{
	const char *const words[] = { "config", "--local", "--replace-all",
				      key, value, NULL };
	AUTO(auto_free) char *said = ask_git(folder, words, e);

	return said ? 0 : -1;
}

static int set_driver(const struct setup *s, const char *key,
		      const char *command, struct err *e)
{
	AUTO(auto_free) char *value =
		mem_printf("%s %s", s->program, command);

	return set_config(s->folder, key, value, e);
}

/* The state's path in the work tree is one of wgmesh.state. */
static int set_state(const struct setup *s, struct err *e)
{
	static const char *const ask[] = { "rev-parse", "--show-prefix", NULL };
	AUTO(auto_free) char *prefix = ask_git(s->folder, ask, e);
	AUTO(auto_free) char *path = NULL;
	AUTO(auto_free) char *there = NULL;
	AUTO(auto_free) char *said = NULL;
	struct err none;

	if (!prefix)
		return -1;
	path = mem_printf("%s%s", prefix, s->name);
	there = ask_git(s->folder,
			(const char *const[]){ "config", "--local",
					       "--fixed-value", "--get",
					       "wgmesh.state", path, NULL },
			&none);
	if (there)
		return 0;
	said = ask_git(s->folder,
		       (const char *const[]){ "config", "--local", "--add",
					      "wgmesh.state", path, NULL },
		       e);
	return said ? 0 : -1;
}

static int configure(const struct setup *s, struct err *e)
{
	if (set_driver(s, "diff.wgmesh.textconv", "textconv", e) < 0 ||
	    set_config(s->folder, "diff.wgmesh.cachetextconv", "false", e) < 0)
		return -1;
	if (set_config(s->folder, "merge.wgmesh.name",
		       "mesh state, by node and field", e) < 0 ||
	    set_driver(s, "merge.wgmesh.driver", "merge-driver %O %A %B %P",
		       e) < 0)
		return -1;
	return set_state(s, e);
}

/* ---- files ---- */

/* Is @line one of the lines of @text? */
static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *p = text; *p; p += strspn(p, "\n")) {
		size_t n = strcspn(p, "\r\n");

		if (n == len && memcmp(p, line, len) == 0)
			return true;
		p += strcspn(p, "\n");
	}
	return false;
}

static int append(const char *path, const char *text, struct err *e)
{
	AUTO(auto_close) int fd = open(path, O_WRONLY | O_APPEND | O_CREAT |
						     O_CLOEXEC | O_NOFOLLOW,
				       0666);
	size_t len = strlen(text);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		return err_sys(e, "cannot write '%s'", path);
	return 0;
}

/* One line more in .gitattributes beside the state, unless it is there. */
static int add_attributes(const struct setup *s, struct err *e)
{
	AUTO(auto_free) char *path = mem_printf("%s/.gitattributes", s->folder);
	AUTO(auto_free) char *line =
		mem_printf("%s diff=wgmesh merge=wgmesh", s->name);
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(auto_free) char *more = NULL;

	if (access(path, F_OK) == 0 &&
	    input_read(&text, path, SIZE_MAX_READ, e) < 0)
		return -1;
	if (has_line(sbuf_str(&text), line))
		return 0;
	more = mem_printf("%s%s\n", text.len && text.s[text.len - 1] != '\n'
					    ? "\n"
					    : "", line);
	if (append(path, more, e) < 0)
		return -1;
	put("added to '%s': %s\n", path, line);
	return 0;
}

static int write_script(const char *path, const char *text, struct err *e)
{
	const struct atomic_how how = { .mode = 0777 };

	return atomic_write(path, text, strlen(text), &how, e);
}

/* A hook that calls @script already, or cannot be made by us. */
static int advise(const char *pre_commit, const char *script, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf word = SBUF_INIT;

	if (access(pre_commit, F_OK) == 0 &&
	    input_read(&text, pre_commit, SIZE_MAX_READ, e) < 0)
		return -1;
	if (strstr(sbuf_str(&text), "wgmesh-pre-commit"))
		return 0;
	text_quote(&word, script);
	note("the hook '%s' is not wgmesh's and is left as it is: add the line "
	     "%s || exit 1", pre_commit, sbuf_str(&word));
	return 0;
}

static int add_hook(const struct setup *s, struct err *e)
{
	static const char *const ask[] = { "config", "core.hooksPath", NULL };
	AUTO(auto_free) char *script =
		mem_printf("%s/wgmesh-pre-commit", s->hooks);
	AUTO(auto_free) char *elsewhere = NULL;
	AUTO(auto_free) char *pre_commit = NULL;
	struct err none;

	if (mkdir(s->hooks, 0777) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make '%s'", s->hooks);
	if (write_script(script, hook, e) < 0)
		return -1;
	elsewhere = ask_git(s->folder, ask, &none);
	pre_commit = mem_printf("%s/pre-commit",
				elsewhere && *elsewhere ? elsewhere : s->hooks);
	if ((elsewhere && *elsewhere) || access(pre_commit, F_OK) == 0)
		return advise(pre_commit, script, e);
	return write_script(pre_commit, caller, e);
}

/* ---- the whole ---- */

static int check_name(const char *name, struct err *e)
{
	if (*name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789._-")])
		return 0;
	return err_set(e, ERR_INPUT, "'%s': expected the state's file name to "
		       "be of letters, digits, '.', '_' and '-', so that it "
		       "can stand in .gitattributes", name);
}

/* This program, so that git finds it whatever its PATH is. */
static char *own_program(struct err *e)
{
	AUTO(sbuf_done) struct sbuf word = SBUF_INIT;
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n < 0) {
		err_sys(e, "cannot find this program's file");
		return NULL;
	}
	path[n] = '\0';
	text_quote(&word, path);
	return sbuf_detach(&word);
}

static int find(struct setup *s, const struct cmd_env *env, struct err *e)
{
	static const char *const ask[] = { "rev-parse",
					   "--path-format=absolute",
					   "--git-common-dir", NULL };
	AUTO(auto_free) char *given =
		store_path(env->options.state, getenv("WGMESH_STATE"));
	AUTO(auto_free) char *path = NULL;
	AUTO(auto_free) char *git = NULL;
	struct err ignored;

	/* git has the file, not a link to it; there may be none yet */
	if (file_resolve(&path, given, &ignored) < 0)
		path = mem_strdup(given);
	s->name = mem_strdup(path_name(path));
	s->folder = path_folder(path);
	s->program = own_program(e);
	if (!s->program || check_name(s->name, e) < 0)
		return -1;
	git = ask_git(s->folder, ask, e);
	if (!git)
		return err_wrap(e, "the state's folder '%s'", s->folder);
	s->hooks = mem_printf("%s/hooks", git);
	return 0;
}

int cmd_git_setup(struct cmd_env *env)
{
	AUTO(setup_done) struct setup s = { 0 };
	struct err e;

	if (find(&s, env, &e) < 0 || configure(&s, &e) < 0 ||
	    add_attributes(&s, &e) < 0 || add_hook(&s, &e) < 0)
		return fail(&e);
	put("git shows and merges '%s' by meaning in this clone\n", s.name);
	return EXIT_DONE;
}
