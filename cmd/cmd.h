/*
 * What the commands share: parsed options, output, exit statuses. One file per
 * command; the table in commands.c is the only list of commands, the one in
 * options.c the only list of options.
 */
#ifndef WGMESH_CMD_CMD_H
#define WGMESH_CMD_CMD_H

#include "base/auto.h"
#include "base/err.h"
#include "base/vec.h"
#include "state/store/store.h"

#include <stdbool.h>

/** Exit statuses, as documented in wgmesh(1). */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,       /* wrong usage or invalid input */
	EXIT_HOSTS = 3,       /* some hosts failed or were unreachable */
	EXIT_DIFFERENCES = 4, /* plan --exit-code found some */
};

/**
 * Every option; those that were not given are NULL, false or the default. Texts
 * are the arguments' own, borrowed and not judged yet: the command does that.
 * What an option does stands in its row in options.c.
 */
struct options {
	/* which state, and what opens a sealed one */
	const char *state;
	const char *identity, *password_file, *password_command;

	/* what a new state or a new seal is to be */
	const char *network, *network6, *interface, *listen_port;
	bool git, encrypt;
	const char *format; /* "age" or "go", see env_form() */
	struct strings recipients;
	const char *new_password_file, *new_password_command;

	/* what is read or said of the mesh */
	const char *file, *description;
	struct strings from, to; /* groups of a policy; import: a file */
	bool networks, prune, forget, resolve;

	/* hosts, and the git remote */
	long parallel;  /* hosts at once */
	long timeout_s; /* for a login, and for each answer of a host */
	bool offline, no_install, adopt, pull, push;
	const char *log; /* file that lines are appended to */
	const char *out; /* file of a saved plan */

	/* a yes that is given in advance, each to one thing only */
	bool yes;
	bool accept_new;     /* SSH host keys */
	bool ask_sudo;
	const char *sudo_password_file;
	bool accept_changed; /* WireGuard keys of rebuilt hosts */
	bool accept_secret;  /* another secret of the mesh */
	bool force_serial;   /* hosts were deployed from a newer state */

	/* what is written, and how it is shown */
	bool dry_run, no_commit;
	bool json; /* for a program: plan and deploy ask nobody then */
	bool simple, all, exit_code, to_yaml, hooks, markdown, script;
	bool secrets; /* shown, not hidden */
	const char *output; /* folder of `render -all` */
	bool help, version;
};

struct command;

/** One run of the program; env_done() ends it. */
struct cmd_env {
	struct options options;
	const struct command *command;
	const char *action_argument; /* of -add, -remove; else NULL */
	struct strings args; /* what stands behind the command */
	struct secret password;      /* of $WGMESH_PASSWORD */
	struct secret identity_data; /* of $WGMESH_IDENTITY_DATA */
	struct secret sudo_password; /* see engine_options() */
};

/**
 * Take the secrets out of the environment, so that no child has them and
 * nothing of them stays there. End with env_done().
 */
void env_take_secrets(struct cmd_env *env);
void env_done(struct cmd_env *env);

/** Who runs this program, and the name of this machine: "?" when not known. */
const char *env_user(void);
const char *env_host(void);

/** Where secrets come from, by options and environment; borrows from @env. */
struct source env_source(const struct cmd_env *env);

/** The form that -format and -encrypt ask for (SEALED_AGE unless "go"). */
int env_form(enum sealed_form *out, const struct cmd_env *env, struct err *e);

/** What a command does; returns an exit status. */
typedef int command_fn(struct cmd_env *env);

/** One command. */
struct command {
	const char *name;
	const char *arguments; /* "SPEC", for the usage line; NULL: none */
	size_t min_args, max_args;
	const char *summary;   /* one line */
	const char *options;   /* names of its own options, blank-separated;
				  NULL: none */
	command_fn *run;
	bool takes_conflicts;  /* it changes a state that has unresolved ones */
	bool shows_what_comes; /* of a pull, on standard output: that is its
				  own, and -yes agrees to it */
};

extern const struct command commands[];
extern const size_t commands_len;

/** The command of that name; NULL with INPUT and the nearest name. */
const struct command *command_find(const char *name, struct err *e);

/**
 * Parse @argv: options with one dash or two, "=value" or the next argument;
 * the Go tool's -init, -add SPEC, -remove NAME, -list, -list-simple, -deploy
 * and "mesh list" name a command too. ERR_INPUT with what would be right.
 */
int options_parse(struct cmd_env *env, int argc, char **argv, struct err *e);

/** Print the usage of one command, or of the program when @c is NULL. */
void usage_print(FILE *f, const struct command *c);

/** The longest act of cmd/advice.c around a name. */
#define ADVICE_WORDS_MAX (256 + ERR_ABOUT_MAX)

struct advice_words {
	char s[ADVICE_WORDS_MAX];
};

struct err_words {
	char s[ERR_MSG_MAX + ADVICE_WORDS_MAX];
};

/** What to type, to be put behind a sentence; "" for ADVICE_NONE. */
struct advice_words advice_words(enum advice advice, const char *about);

/**
 * All that an error says: what is wrong, and what to type. Only this is shown,
 * never @e->msg alone. Not escaped.
 */
struct err_words err_words(const struct err *e);

/** Print "wgmesh: <message>" escaped, one line; returns the exit status. */
int fail(const struct err *e);

/** Print a sentence to stderr ("wgmesh: ..."), escaped. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** A line of @text on the terminal, stderr, in place of the one before. */
void progress(const char *text);

/** Print to stdout, escaping what a terminal would obey; newlines stay. */
void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Ask @question on the terminal; 1 yes, 0 no, -1 there is none. */
int ask_yes(const char *question);

/** The path of the state that the options name; the caller frees. */
char *env_state(const struct cmd_env *env);

/**
 * @e is why the state that the options name could not be opened: where there
 * is none, it says so, where it was looked for, and what makes one. Yields -1.
 */
int env_no_state(const struct cmd_env *env, struct err *e);

/** Open the state that the options name, with its notes printed. */
int env_open(struct store **out, const struct cmd_env *env, bool write,
	     struct err *e);

/** Save, counting the serial; used by commands that change the mesh. */
int env_save(struct store *s, struct err *e);

/**
 * Errors of a mesh stop what is computed from it: -1 with ERR_INPUT and the
 * first; the others are notes.
 */
int refuse_invalid(const struct mesh *m, struct err *e);

/** The warnings of a mesh, as notes. */
void warn_of(const struct mesh *m);

DEFINE_AUTO(struct store *, store_close)

/** The commands, each in the file of its name; commands.c has the table. */
command_fn cmd_init, cmd_add, cmd_remove, cmd_rename, cmd_set, cmd_unset;
command_fn cmd_route, cmd_group, cmd_policy, cmd_keys;
command_fn cmd_apply, cmd_export, cmd_schema, cmd_import;
command_fn cmd_list, cmd_show, cmd_validate, cmd_render;
command_fn cmd_plan, cmd_deploy;
command_fn cmd_seal, cmd_unseal, cmd_rekey, cmd_recipients, cmd_identity;
command_fn cmd_cat, cmd_edit;
command_fn cmd_history, cmd_diff, cmd_blame, cmd_rollback;
command_fn cmd_pull, cmd_push, cmd_lock, cmd_unlock;
command_fn cmd_merge, cmd_git_setup, cmd_textconv, cmd_merge_driver;
command_fn cmd_version, cmd_help;

#endif
