/*
 * What a command gets from outside: secrets of the environment (taken out of
 * it), who runs it and where, the state that the options name.
 */
#include "cmd/cmd.h"

#include "cmd/ask.h"
#include "cmd/commit.h"
#include "ssh/session/remote.h"
#include "state/merge/merge.h"

#include <fcntl.h>
#include <pwd.h>
#include <string.h>

/** How long a command waits for another one's lock (milliseconds). */
#define LOCK_WAIT_MS 60000

/*
 * Move $@name into @out and wipe it where it stood: /proc/PID/environ shows
 * that memory, and what we start would inherit it.
 */
static void take_secret(struct secret *out, const char *name)
{
	char *value = getenv(name);

	if (!value)
		return;
	secret_set(out, value, strlen(value));
	explicit_bzero(value, strlen(value));
	unsetenv(name);
}

void env_take_secrets(struct cmd_env *env)
{
	take_secret(&env->password, "WGMESH_PASSWORD");
	take_secret(&env->identity_data, "WGMESH_IDENTITY_DATA");
}

void env_done(struct cmd_env *env)
{
	strings_done(&env->args);
	strings_done(&env->options.recipients);
	strings_done(&env->options.from);
	strings_done(&env->options.to);
	secret_done(&env->password);
	secret_done(&env->identity_data);
	secret_done(&env->sudo_password);
}

const char *env_user(void)
{
	const struct passwd *pw = getpwuid(getuid());

	return pw ? pw->pw_name : "?";
}

const char *env_host(void)
{
	static char name[256];

	if (gethostname(name, sizeof name - 1) < 0 || !*name)
		return "?";
	return name;
}

static const char *option_or_env(const char *option, const char *name)
{
	return option ? option : getenv(name);
}

static void note_sentence(const char *sentence)
{
	note("%s", sentence);
}

static bool agree_to_cost(const char *question)
{
	return ask_yes(question) == 1;
}

static int unlock_identity(const char *where, struct secret *text,
			   struct err *e)
{
	return remote_key_unlock(where, text, ask_passphrase, e);
}

struct source env_source(const struct cmd_env *env)
{
	const struct options *o = &env->options;

	return (struct source){
		.identity_file = option_or_env(o->identity,
					       "WGMESH_IDENTITY"),
		.identity_data = &env->identity_data,
		.password_file = option_or_env(o->password_file,
					       "WGMESH_PASSWORD_FILE"),
		.password_command = option_or_env(o->password_command,
						  "WGMESH_PASSWORD_COMMAND"),
		.password = &env->password,
		.ask = ask_on_terminal() ? ask_secret : NULL,
		.unlock = ask_on_terminal() ? unlock_identity : NULL,
		.costly = o->yes,
		.agree = agree_to_cost,
		.warn = note_sentence,
	};
}

int env_form(enum sealed_form *out, const struct cmd_env *env, struct err *e)
{
	const char *format = env->options.format;

	if (!format || strcmp(format, "age") == 0)
		*out = SEALED_AGE;
	else if (strcmp(format, "go") == 0)
		*out = SEALED_GO;
	else
		return err_set(e, ERR_INPUT, "-format %s: expected age or go",
			       format);
	return 0;
}

char *env_state(const struct cmd_env *env)
{
	return store_path(env->options.state, getenv("WGMESH_STATE"));
}

int env_no_state(const struct cmd_env *env, struct err *e)
{
	AUTO(auto_free) char *path = env_state(env);
	const char *given = getenv("WGMESH_STATE");
	bool said = env->options.state || (given && *given);
	char here[4096];

	/* a link that leads nowhere is there */
	if (e->sys_errno != ENOENT ||
	    faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -1;
	if (!getcwd(here, sizeof here))
		snprintf(here, sizeof here, "this folder");
	if (!said)
		err_set_(e, e->code, "there is no mesh-state.json in '%s' and "
			 "no state '%s'", here, path);
	else if (*path != '/')
		err_set_(e, e->code, "there is no state '%s' in '%s'", path,
			 here);
	else
		err_set_(e, e->code, "there is no state '%s'", path);
	e->sys_errno = ENOENT;
	return err_advise(e, ADVICE_NO_STATE, NULL);
}

int env_open(struct store **out, const struct cmd_env *env, bool write,
	     struct err *e)
{
	AUTO(auto_free) char *path = env_state(env);
	AUTO(auto_store_close) struct store *s = NULL;
	struct source source = env_source(env);

	if (store_open(&s, path, write, LOCK_WAIT_MS, &source, e) < 0)
		return env_no_state(env, e);
	if (env->options.encrypt && store_form(s) == SEALED_NOT)
		return err_set(e, ERR_INPUT, "-encrypt: the state '%s' is "
			       "plain text; 'wgmesh seal' seals it", path);
	if (store_note(s))
		note("%s", store_note(s));
	/* a dry run makes no commit, so it needs no repository that is ready */
	if (write && !env->command->takes_conflicts &&
	    (conflicts_refuse(store_mesh(s), e) < 0 ||
	     (!env->options.dry_run && commit_follow(s, env, e) < 0)))
		return -1;
	*out = STEAL(s);
	return 0;
}
