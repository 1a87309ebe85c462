/*
 * wgmesh recipients and identity: who can open a sealed state. A recipient is
 * public and stands in the state; the identity that opens what is sealed to it
 * is a file of its owner's alone, which wgmesh only makes.
 */
#include "cmd/seal.h"

#include "base/atomic.h"
#include "cmd/jout.h"
#include "cmd/known.h"
#include "state/model/model.h"
#include "vault/age/age.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* The one text of a recipient, so that one key is not there twice. */
static int canonical_recipient(char out[AGE_RECIPIENT_TEXT], const char *text,
			       struct err *e)
{
	struct age_recipient r;

	if (age_recipient_parse(&r, text, e) < 0)
		return err_wrap(e, "recipient");
	age_recipient_text(&r, out);
	return 0;
}

int recipients_add(struct strings *recipients, const char *text,
		   struct err *e)
{
	char canonical[AGE_RECIPIENT_TEXT];

	if (canonical_recipient(canonical, text, e) < 0)
		return -1;
	if (strings_find(recipients, canonical) < 0)
		strings_add(recipients, canonical);
	return 0;
}

static int recipients_remove(struct strings *recipients, const char *text,
			     struct err *e)
{
	char canonical[AGE_RECIPIENT_TEXT];
	long at;

	if (canonical_recipient(canonical, text, e) < 0)
		return -1;
	at = strings_find(recipients, canonical);
	if (at < 0)
		return err_set(e, ERR_INPUT, "'%s' is no recipient of this "
			       "state", canonical);
	free(recipients->items[at]);
	vec_remove(recipients, (size_t)at);
	return 0;
}

/*
 * Add or remove the recipients that are named. A sealed state goes to the new
 * set at once, with a new file key; who was removed keeps what older copies
 * hold.
 */
static int change_recipients(const struct cmd_env *env, struct store *s,
			     bool add, struct err *e)
{
	struct strings *recipients = &store_mesh(s)->recipients;

	if (env->args.len < 2)
		return err_set(e, ERR_INPUT, "expected: wgmesh recipients "
			       "add|remove RECIPIENT...");
	for (size_t i = 1; i < env->args.len; i++) {
		const char *text = env->args.items[i];

		if ((add ? recipients_add(recipients, text, e)
			 : recipients_remove(recipients, text, e)) < 0)
			return -1;
	}
	if (store_form(s) != SEALED_NOT) {
		if (store_has_passphrase(s))
			return err_set(e, ERR_INPUT, "the state is sealed with "
				       "a passphrase, which does not go "
				       "together with recipients; 'wgmesh "
				       "rekey -recipient R' moves it over");
		if (recipients->len == 0)
			return err_set(e, ERR_INPUT, "nobody could open the "
				       "state any more; 'wgmesh rekey "
				       "-new-password-file FILE' seals it with "
				       "a passphrase");
		store_seal(s, SEALED_AGE, NULL);
	}
	/* who left knows the secret of the mesh, too */
	if (!add && mesh_secret_change(store_mesh(s), e) < 0)
		return -1;
	return env_save(s, e);
}

int cmd_recipients(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	const char *verb = env->args.items[0];
	bool add = strcmp(verb, "add") == 0;
	bool show = strcmp(verb, "list") == 0;
	const struct strings *recipients;
	struct jout *j;
	struct err e;
	bool ours;

	if (!add && !show && strcmp(verb, "remove") != 0) {
		err_set(&e, ERR_INPUT, "'recipients %s': expected list, add "
			"or remove", verb);
		return fail(&e);
	}
	if (env_open(&s, env, !show, &e) < 0)
		return fail(&e);
	recipients = &store_mesh(s)->recipients;
	if (show && env->options.json) {
		j = jout_new();
		jout_strings(j, "recipients", recipients);
		jout_print(j);
		return EXIT_DONE;
	}
	for (size_t i = 0; show && i < recipients->len; i++)
		put("%s\n", recipients->items[i]);
	if (show)
		return EXIT_DONE;
	ours = known_is_ours(store_mesh(s));
	if (change_recipients(env, s, add, &e) < 0)
		return fail(&e);
	if (ours)
		known_note(store_mesh(s));
	put("The state has %zu recipient%s now\n", recipients->len,
	    recipients->len == 1 ? "" : "s");
	if (!add)
		note("who has left could read older copies and knows the "
		     "private keys in them");
	return EXIT_DONE;
}

int cmd_identity(struct cmd_env *env)
{
	const struct atomic_how how = { .fresh = true };
	AUTO(sbuf_done) struct sbuf identity = SBUF_SECRET;
	const char *path = env->args.items[1];
	char text[AGE_RECIPIENT_TEXT];
	struct age_recipient r;
	struct stat st;
	struct err e;

	if (strcmp(env->args.items[0], "new") != 0) {
		err_set(&e, ERR_INPUT, "expected: wgmesh identity new FILE");
		return fail(&e);
	}
	if (lstat(path, &st) == 0) { /* a link that leads nowhere, too */
		err_set(&e, ERR_INPUT, "'%s' exists already: an identity is "
			"never overwritten", path);
		return fail(&e);
	}
	if (age_identity_new(&identity, &r, time(NULL), &e) < 0 ||
	    atomic_write(path, identity.s, identity.len, &how, &e) < 0)
		return fail(&e);
	put("%s\n", age_recipient_text(&r, text));
	note("'%s' is the private part (0600); the line above is the "
	     "recipient to give away", path);
	return EXIT_DONE;
}
