/*
 * What the engine is told by the command line, and how it is heard.
 */
#include "cmd/engine.h"

#include "cmd/ask.h"
#include "cmd/audit.h"
#include "cmd/team.h"

#include <string.h>

struct fleet_options engine_options(const struct cmd_env *env)
{
	const struct options *o = &env->options;

	return (struct fleet_options){
		.names = &env->args,
		.parallel = (unsigned)o->parallel,
		.timeout_ms = (int)o->timeout_s * 1000,
		.user = env_user(),
		.machine = env_host(),
		.sudo_password = o->ask_sudo || o->sudo_password_file
					 ? &env->sudo_password : NULL,
		.accept_new = o->accept_new,
		.accept_changed = o->accept_changed,
		.no_install = o->no_install,
		.adopt = o->adopt,
		.force_serial = o->force_serial,
	};
}

int engine_ask(struct cmd_env *env, struct err *e)
{
	const struct source source = {
		.password_file = env->options.sudo_password_file,
		.prompt = "Password for sudo on the hosts: ",
		.ask = ask_secret,
	};

	if (!env->options.ask_sudo && !source.password_file)
		return 0;
	if (!source.password_file && !ask_on_terminal())
		return err_set(e, ERR_INPUT, "-ask-sudo-password: there is no "
			       "terminal to ask on; -sudo-password-file FILE "
			       "reads it from a file or a pipe");
	if (source_passphrase(&env->sudo_password, &source, e) < 0)
		return -1;
	if (env->sudo_password.len == 0 ||
	    strpbrk(secret_text(&env->sudo_password), "\r\n"))
		return err_set(e, ERR_INPUT, "the password for sudo has to be "
			       "one line");
	return 0;
}

static void note_warning(const struct err *e)
{
	note("warning: %s", err_words(e).s);
}

int ask_host_key(const struct cmd_env *env, const char *host,
		 const struct remote_facts *facts)
{
	AUTO(auto_free) char *question = NULL;

	if (facts->hostkey != REMOTE_KEY_NEW || env->options.accept_new)
		return 1;
	question = mem_printf("The SSH host key of %s is %s.\nIs it the right "
			      "one?", host, facts->fingerprint);
	return ask_yes(question);
}

bool note_vouched(const char *host, const struct remote_facts *facts)
{
	if (facts->hostkey == REMOTE_KEY_VOUCHED)
		note("the host key of '%s' is judged at each login by %s: "
		     "nothing is pinned", host, facts->vouched);
	return facts->hostkey == REMOTE_KEY_VOUCHED;
}

int ask_jump_key(void *arg, const char *place, const char *fingerprint)
{
	struct jump_asker *a = arg;
	const struct remote_facts facts = { .hostkey = REMOTE_KEY_NEW,
					    .fingerprint = fingerprint };
	AUTO(auto_free) char *what = mem_printf("the jump host %s", place);
	int yes = ask_host_key(a->env, what, &facts);

	a->nobody = yes < 0;
	return yes;
}

static int ask_nobody(const char *question)
{
	(void)question;
	return -1;
}

static void wait_or_go_on(bool waits)
{
	if (waits)
		team_rest();
	else
		team_go_on();
}

static void log_host(const struct fleet *f, const struct host *h)
{
	audit_host(f->arg, f, h);
}

/* A NULL @p: no work is under way any more, and the line goes. */
static void show_progress(const struct fleet_progress *p)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

	if (p)
		sbuf_printf(&line, "%s: %zu of %zu hosts done, %zu working, "
			    "%zu failed", p->doing, p->done, p->hosts,
			    p->working, p->failed);
	if (p && p->again)
		sbuf_printf(&line, ", %zu looked at again, still working",
			    p->again);
	progress(sbuf_str(&line));
}

const struct fleet_voice *engine_voice(const struct cmd_env *env)
{
	static struct fleet_voice voice;

	voice = (struct fleet_voice){
		.note = note,
		.warn = note_warning,
		.ask = env->options.json ? ask_nobody : ask_yes,
		.passphrase = ask_on_terminal() ? ask_passphrase : NULL,
		.progress = !env->options.json && isatty(STDERR_FILENO)
				    ? show_progress : NULL,
		.waits = wait_or_go_on,
		.wrote = log_host,
	};
	return &voice;
}
