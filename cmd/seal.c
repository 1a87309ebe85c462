/*
 * wgmesh seal, unseal, rekey: in what form the state is saved. A mesh that is
 * known to this user by its secret stays so: sealing makes a secret, rekey a
 * new one.
 */
#include "cmd/cmd.h"

#include "cmd/known.h"
#include "cmd/seal.h"
#include "state/model/model.h"

#include <string.h>

/*
 * Seal @s at its next save: to the -recipients and those that the mesh has,
 * or, when there are none, with a new passphrase from @source.
 */
static int choose_sealing(struct store *s, const struct cmd_env *env,
			  const struct source *source, struct err *e)
{
	AUTO(secret_done) struct secret passphrase = { 0 };
	struct strings *recipients = &store_mesh(s)->recipients;
	enum sealed_form form;

	if (env_form(&form, env, e) < 0)
		return -1;
	if (form == SEALED_GO && env->options.recipients.len)
		return err_set(e, ERR_INPUT, "-format go takes a passphrase, "
			       "no recipients");
	for (size_t i = 0; i < env->options.recipients.len; i++)
		if (recipients_add(recipients, env->options.recipients.items[i],
				   e) < 0)
			return -1;
	if (form == SEALED_AGE && recipients->len) {
		store_seal(s, form, NULL);
		return 0;
	}
	if (source_new_passphrase(&passphrase, source, e) < 0)
		return -1;
	store_seal(s, form, &passphrase);
	return 0;
}

int seal_if_asked(struct store *s, const struct cmd_env *env, struct err *e)
{
	struct source source = env_source(env);

	if (!env->options.encrypt && !env->options.recipients.len &&
	    !env->options.format)
		return 0;
	return choose_sealing(s, env, &source, e);
}

int cmd_unseal(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	struct err e;

	if (env_open(&s, env, true, &e) < 0)
		return fail(&e);
	if (store_form(s) == SEALED_NOT) {
		put("The state is plain text already\n");
		return EXIT_DONE;
	}
	store_seal(s, SEALED_NOT, NULL);
	if (env_save(s, &e) < 0)
		return fail(&e);
	put("Unsealed: %s is plain text now, with every private key\n",
	    store_file(s));
	return EXIT_DONE;
}

/*
 * Seal what is plain, or what is sealed @anew; @source is for a new
 * passphrase.
 */
static int seal(const struct cmd_env *env, bool anew,
		const struct source *source)
{
	AUTO(auto_store_close) struct store *s = NULL;
	struct err e;
	bool ours;

	if (env_open(&s, env, true, &e) < 0)
		return fail(&e);
	ours = known_is_ours(store_mesh(s));
	if (anew != (store_form(s) != SEALED_NOT)) {
		err_set(&e, ERR_INPUT, anew ? "the state is plain text; "
			"'wgmesh seal' seals it" : "the state is sealed "
			"already; 'wgmesh rekey' seals it anew");
		return fail(&e);
	}
	if (anew && (source->password_file || source->password_command))
		strings_done(&store_mesh(s)->recipients); /* instead of them */
	if (choose_sealing(s, env, source, &e) < 0 ||
	    (anew && mesh_secret_change(store_mesh(s), &e) < 0) ||
	    env_save(s, &e) < 0)
		return fail(&e);
	if (ours)
		known_note(store_mesh(s));
	put("Sealed%s: %s\n", anew ? " anew" : "", store_file(s));
	return EXIT_DONE;
}

int cmd_seal(struct cmd_env *env)
{
	const struct source source = env_source(env);
	int status = seal(env, false, &source);

	if (status == EXIT_DONE)
		note("older copies of the state (backups, git history) are "
		     "still plain text");
	return status;
}

/*
 * The new passphrase does not come from where the old one came from: an
 * environment that opens the state would seal it with the same one again.
 */
int cmd_rekey(struct cmd_env *env)
{
	const struct source source = env_source(env);
	const struct source fresh = {
		.password_file = env->options.new_password_file,
		.password_command = env->options.new_password_command,
		.ask = source.ask,
		.warn = source.warn,
	};
	int status = seal(env, true, &fresh);

	if (status == EXIT_DONE)
		note("who could open older copies still can, and knows the "
		     "private keys in them");
	return status;
}
