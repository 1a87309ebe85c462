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

/** Every option; those that were not given are NULL, false or the default. */
struct options {
	const char *state;
	const char *network;
	const char *network6;
	const char *interface;
	const char *listen_port;
	const char *output;
	long parallel;
	long timeout_s;
	bool json;
	bool simple;
	bool all;
	bool secrets;
	bool offline;
	bool accept_new;
	bool accept_changed;
	bool no_install;
	bool yes;
	bool exit_code;
	bool forget;
	bool dry_run;
	bool no_commit;
	bool pull;
	bool push;
	bool resolve;
	bool git;
	bool prune;
	bool networks;
	bool to_yaml;
	bool adopt;
	bool force_serial;
	bool accept_secret;
	bool markdown;
	bool script;
	const char *out;
	const char *log;
	const char *file;
	const char *description;
	struct strings from, to;
	bool help;
	bool version;
	/* who can open a sealed state */
	const char *identity;
	const char *password_file;
	const char *password_command;
	const char *new_password_file;
	const char *new_password_command;
	const char *format;
	struct strings recipients;
	bool encrypt;
};

struct command;

/** One run of the program. */
struct cmd_env {
	struct options options;
	const struct command *command;
	const char *action_argument; /* of -add, -remove; else NULL */
	struct strings args; /* what stands behind the command */
	struct secret password;      /* of $WGMESH_PASSWORD */
	struct secret identity_data; /* of $WGMESH_IDENTITY_DATA */
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

/** One command. */
struct command {
	const char *name;
	const char *arguments; /* "SPEC", for the usage line; NULL: none */
	size_t min_args, max_args;
	const char *summary;   /* one line */
	const char *options;   /* names of its own options, blank-separated;
				  NULL: none */
	int (*run)(struct cmd_env *env); /* returns an exit status */
	bool takes_conflicts;  /* it changes a state that has unresolved ones */
	bool shows_what_comes; /* of a pull, on standard output: that is its
				  own, and -yes agrees to it */
};

extern const struct command commands[];
extern const size_t commands_len;

/** The command of that name, or NULL. */
const struct command *command_find(const char *name);

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

/** A line of @text on the terminal that stderr is, in place of the one before. */
void progress(const char *text);

/** Print to stdout, escaping what a terminal would obey; newlines stay. */
void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Ask @question on the terminal; 1 yes, 0 no, -1 there is none. */
int ask_yes(const char *question);

/** Open the state that the options name, with its notes printed. */
int env_open(struct store **out, const struct cmd_env *env, bool write,
	     struct err *e);

/** Save, counting the serial; used by commands that change the mesh. */
int env_save(struct store *s, struct err *e);

/**
 * The private key of @n is to live elsewhere from now on: note what follows; one
 * that was on the host alone never comes here, a new pair replaces it.
 */
int key_moved(const struct mesh *m, struct node *n, struct err *e);

/**
 * Errors of a mesh stop what is computed from it: -1 with ERR_INPUT and the
 * first; the others are notes.
 */
int refuse_invalid(const struct mesh *m, struct err *e);

/** The warnings of a mesh, as notes. */
void warn_of(const struct mesh *m);

DEFINE_AUTO(struct store *, store_close)

int cmd_init(struct cmd_env *env);
int cmd_add(struct cmd_env *env);
int cmd_remove(struct cmd_env *env);
int cmd_apply(struct cmd_env *env);
int cmd_export(struct cmd_env *env);
int cmd_schema(struct cmd_env *env);
int cmd_group(struct cmd_env *env);
int cmd_policy(struct cmd_env *env);
int cmd_route(struct cmd_env *env);
int cmd_set(struct cmd_env *env);
int cmd_unset(struct cmd_env *env);
int cmd_rename(struct cmd_env *env);
int cmd_show(struct cmd_env *env);
int cmd_list(struct cmd_env *env);
int cmd_validate(struct cmd_env *env);
int cmd_render(struct cmd_env *env);
int cmd_plan(struct cmd_env *env);
int cmd_deploy(struct cmd_env *env);
int cmd_seal(struct cmd_env *env);
int cmd_unseal(struct cmd_env *env);
int cmd_rekey(struct cmd_env *env);
int cmd_recipients(struct cmd_env *env);
int cmd_identity(struct cmd_env *env);
int cmd_keys(struct cmd_env *env);
int cmd_cat(struct cmd_env *env);
int cmd_edit(struct cmd_env *env);
int cmd_import(struct cmd_env *env);
int cmd_merge(struct cmd_env *env);
int cmd_history(struct cmd_env *env);
int cmd_diff(struct cmd_env *env);
int cmd_blame(struct cmd_env *env);
int cmd_rollback(struct cmd_env *env);
int cmd_git_setup(struct cmd_env *env);
int cmd_textconv(struct cmd_env *env);
int cmd_merge_driver(struct cmd_env *env);
int cmd_pull(struct cmd_env *env);
int cmd_push(struct cmd_env *env);
int cmd_lock(struct cmd_env *env);
int cmd_unlock(struct cmd_env *env);
int cmd_version(struct cmd_env *env);
int cmd_help(struct cmd_env *env);

#endif
