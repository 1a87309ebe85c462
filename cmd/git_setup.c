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
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

/** Longest .gitattributes or hook that is read, in bytes. */
#define SIZE_MAX_READ (1 << 20)

/*
 * Refuses a commit of a state that is plain text and has keys in it. It judges
 * what is staged, not the file. Without any space, JSON on many lines matches
 * as one line; a sealed state does not begin with '{'.
 */
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

/*
 * What a hook of the user's has to have: right in every clone, for the hook may
 * be that of all (core.hooksPath).
 */
static const char call_line[] =
	"h=$(git rev-parse --git-common-dir)/hooks/wgmesh-pre-commit; "
	"[ ! -x \"$h\" ] || \"$h\" || exit 1";

/* The hook itself, where there was none. */
static const char caller[] =
	"#!/bin/sh\n"
	"# Made by 'wgmesh git-setup'.\n"
	"exec \"$(dirname \"$0\")/wgmesh-pre-commit\" \"$@\"\n";

/* Where the state is, and what git says about that. */
struct setup {
	char *folder;  /* of the state */
	char *name;    /* of the state, in it */
	char *hooks;   /* the repository's own folder of hooks */
	char *used;    /* the one that git takes them from */
	char *program; /* ours, as a word of a shell */
};

static void setup_done(struct setup *s)
{
	free(s->folder);
	free(s->name);
	free(s->hooks);
	free(s->used);
	free(s->program);
}

/* ---- git ---- */

/*
 * What git prints when it is run in @folder with these words, without the line
 * end; NULL with @e set when it fails. NULL ends the words.
 */
__attribute__((sentinel))
static char *ask_git(const char *folder, struct err *e, ...)
{
	AUTO(child_done) struct child c = { .folder = folder };
	AUTO(auto_free) char *why = NULL;
	const char *word;
	va_list words;
	int status;

	strings_add(&c.argv, "git");
	va_start(words, e);
	while ((word = va_arg(words, const char *)))
		strings_add(&c.argv, word);
	va_end(words);
	status = child_run(&c, e);
	if (status < 0)
		return NULL;
	why = child_words(&c);
	if (status) {
		err_set(e, ERR_INPUT, "git %s%s", c.argv.items[1], why);
		return NULL;
	}
	return mem_strndup(sbuf_str(&c.out), strcspn(sbuf_str(&c.out), "\n"));
}

/* What stands in the clone's config; git starts drivers by a shell. */
static int configure_git(const struct setup *s, struct err *e)
{
	static const struct {
		const char *key, *value;
		bool is_command; /* of this program */
	} settings[] = {
		{ "diff.wgmesh.textconv", "textconv", true },
		{ "diff.wgmesh.cachetextconv", "false", false },
		{ "merge.wgmesh.name", "mesh state, by node and field", false },
		{ "merge.wgmesh.driver", "merge-driver %O %A %B %P", true },
	};
	AUTO(auto_free) char *prefix = NULL;
	AUTO(auto_free) char *path = NULL;
	AUTO(auto_free) char *there = NULL;
	AUTO(auto_free) char *added = NULL;
	struct err none;

	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		AUTO(auto_free) char *value = mem_printf(
			"%s%s%s", settings[i].is_command ? s->program : "",
			settings[i].is_command ? " " : "", settings[i].value);
		AUTO(auto_free) char *set =
			ask_git(s->folder, e, "config", "--local",
				"--replace-all", settings[i].key, value, NULL);

		if (!set)
			return -1;
	}
	/* the state's path in the work tree is one of wgmesh.state */
	prefix = ask_git(s->folder, e, "rev-parse", "--show-prefix", NULL);
	if (!prefix)
		return -1;
	path = mem_printf("%s%s", prefix, s->name);
	there = ask_git(s->folder, &none, "config", "--local", "--fixed-value",
			"--get", "wgmesh.state", path, NULL);
	if (there)
		return 0;
	added = ask_git(s->folder, e, "config", "--local", "--add",
			"wgmesh.state", path, NULL);
	return added ? 0 : -1;
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

/* One line more in .gitattributes beside the state, unless it is there. */
static int add_attributes(const struct setup *s, struct err *e)
{
	AUTO(auto_free) char *path = mem_printf("%s/.gitattributes", s->folder);
	AUTO(auto_free) char *line =
		mem_printf("%s diff=wgmesh merge=wgmesh", s->name);
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(auto_free) char *more = NULL;
	AUTO(auto_close) int fd = -1;
	bool cut;
	size_t len;

	if (access(path, F_OK) == 0 &&
	    input_read(&text, path, SIZE_MAX_READ, e) < 0)
		return -1;
	if (has_line(sbuf_str(&text), line))
		return 0;
	/* the user's last line may lack its end */
	cut = text.len && text.s[text.len - 1] != '\n';
	more = mem_printf("%s%s\n", cut ? "\n" : "", line);
	len = strlen(more);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		  0666);
	if (fd < 0 || write(fd, more, len) != (ssize_t)len)
		return err_sys(e, "cannot write '%s'", path);
	put("added to '%s': %s\n", path, line);
	return 0;
}

static int write_script(const char *path, const char *text, struct err *e)
{
	const struct atomic_how how = { .mode = 0777 };

	return atomic_write(path, text, strlen(text), &how, e);
}

/*
 * Our script, and a hook that calls it. A hook that is there is the user's: it
 * is left as it is, and a note says what to add, unless it does that already.
 */
static int add_hook(const struct setup *s, struct err *e)
{
	AUTO(auto_free) char *script =
		mem_printf("%s/wgmesh-pre-commit", s->hooks);
	AUTO(auto_free) char *pre_commit = mem_printf("%s/pre-commit", s->used);
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	if (mkdir(s->hooks, 0777) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make '%s'", s->hooks);
	if (write_script(script, hook, e) < 0)
		return -1;
	if (access(pre_commit, F_OK) == 0) {
		if (input_read(&text, pre_commit, SIZE_MAX_READ, e) < 0)
			return -1;
		if (!strstr(sbuf_str(&text), "wgmesh-pre-commit"))
			note("the hook '%s' is not wgmesh's and is left as it "
			     "is: add the line %s", pre_commit, call_line);
		return 0;
	}
	if (strcmp(s->used, s->hooks) == 0)
		return write_script(pre_commit, caller, e);
	note("git takes hooks from '%s' (core.hooksPath), which has no "
	     "pre-commit: a commit of private keys in plain text is not "
	     "refused; it is by a pre-commit there with the line %s", s->used,
	     call_line);
	return 0;
}

/* ---- the whole ---- */

static int find_setup(struct setup *s, const struct cmd_env *env,
		      struct err *e)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	AUTO(auto_free) char *given = env_state(env);
	AUTO(auto_free) char *path = NULL;
	AUTO(auto_free) char *git = NULL;
	AUTO(sbuf_done) struct sbuf word = SBUF_INIT;
	char own[4096];
	struct err ignored;
	ssize_t n;

	/* git has the file, not a link to it; there may be none yet */
	if (file_resolve(&path, given, &ignored) < 0)
		path = mem_strdup(given);
	s->name = mem_strdup(path_name(path));
	s->folder = path_folder(path);
	/* by its file, so that git finds this program whatever its PATH is */
	n = readlink("/proc/self/exe", own, sizeof own - 1);
	if (n < 0)
		return err_sys(e, "cannot find this program's file");
	own[n] = '\0';
	text_quote(&word, own);
	s->program = sbuf_detach(&word);
	if (!*s->name || s->name[strspn(s->name, plain)])
		return err_set(e, ERR_INPUT, "'%s': expected the state's file "
			       "name to be of letters, digits, '.', '_' and "
			       "'-', so that it can stand in .gitattributes",
			       s->name);
	git = ask_git(s->folder, e, "rev-parse", "--path-format=absolute",
		      "--git-common-dir", NULL);
	if (!git)
		return err_wrap(e, "the state's folder '%s'", s->folder);
	s->hooks = mem_printf("%s/hooks", git);
	s->used = ask_git(s->folder, e, "rev-parse", "--path-format=absolute",
			  "--git-path", "hooks", NULL);
	return s->used ? 0 : -1;
}

int cmd_git_setup(struct cmd_env *env)
{
	AUTO(setup_done) struct setup s = { 0 };
	struct err e;

	if (find_setup(&s, env, &e) < 0 || configure_git(&s, &e) < 0 ||
	    add_attributes(&s, &e) < 0 || add_hook(&s, &e) < 0)
		return fail(&e);
	put("git shows and merges '%s' by meaning in this clone\n", s.name);
	return EXIT_DONE;
}
