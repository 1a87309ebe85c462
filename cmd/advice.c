/*
 * What a user types against an error: the one table from the rooms' advice to
 * commands and options. Apart, so that nothing below cmd/ has to know them.
 */
#include "cmd/cmd.h"

#include "state/merge/merge.h"

#include <string.h>

/* What is put behind the message; "%" stands for what the error is about. */
static const char *const acts[] = {
	[ADVICE_NONE] = "",
	[ADVICE_NO_STATE] = ": 'wgmesh init' makes one, -state FILE or "
		"WGMESH_STATE names another",

	[ADVICE_SEE_NODES] = "; 'wgmesh list' shows them",
	[ADVICE_SEE_GROUPS] = "; 'wgmesh group list' shows them",
	[ADVICE_SEE_POLICIES] = "; 'wgmesh policy list' shows them",
	[ADVICE_SEE_NODE] = "; 'wgmesh show %' lists them",
	[ADVICE_TAKE_VALUE_AWAY] = "; 'wgmesh unset' takes it away",
	[ADVICE_NETWORK_FULL] = ": 'wgmesh export' it, and 'wgmesh apply' it "
		"with a wider one, in which all keep their addresses",
	[ADVICE_POLICY_IN_THE_WAY] = ": 'wgmesh policy remove' it first",
	[ADVICE_REMOVED_IS_GONE] = ", or 'remove -forget' it",

	[ADVICE_GIVE_IDENTITY] = ": give -identity FILE, or set "
		"WGMESH_IDENTITY or WGMESH_IDENTITY_DATA",
	[ADVICE_GIVE_PASSPHRASE] = "; give -identity FILE, -password-file "
		"FILE or -password-command CMD, or set WGMESH_IDENTITY, "
		"WGMESH_IDENTITY_DATA, WGMESH_PASSWORD_FILE, "
		"WGMESH_PASSWORD_COMMAND or WGMESH_PASSWORD",
	[ADVICE_COSTLY_SEAL] = ", or 'wgmesh rekey -yes', which seals it "
		"with %",
	[ADVICE_NAME_RECIPIENTS] = "; 'wgmesh recipients add' them, or "
		"'wgmesh rekey' with a passphrase",
	[ADVICE_FOREIGN_SECRET] = "; 'wgmesh pull -accept-new-secret' takes "
		"it all the same",

	[ADVICE_NO_COMMIT] = "; or give -no-commit",
	[ADVICE_DEAD_LOCK] = " ('wgmesh unlock' removes the lock of one that "
		"is dead)",
	[ADVICE_SEE_INCOMING] = ": 'wgmesh pull' shows it and asks",
	[ADVICE_SEE_CONFLICTS] = "; 'wgmesh merge -resolve' lists them",
	[ADVICE_RESOLVE] = ": 'wgmesh merge -resolve' shows and resolves them",
	[ADVICE_AGREE_TO_SECRET] = ": 'wgmesh merge -resolve mesh - "
		CONFLICT_SECRET " theirs' agrees to it; else abort the merge",

	[ADVICE_MERGE_AGAIN] = ": 'wgmesh git-setup && git %' merges it by "
		"meaning",

	[ADVICE_NO_INTERFACE] = ": bring it up, or 'wgmesh add' the host as "
		"a new one",
	[ADVICE_OTHER_NETWORK] = ": 'wgmesh init -network %' makes a mesh "
		"for it",
	[ADVICE_OTHER_NETWORK6] = ": 'wgmesh init -network6 %' makes a mesh "
		"for it",
	[ADVICE_HOST_MOVED] = ": 'wgmesh set %'",
	[ADVICE_SAY_WHERE] = ": 'wgmesh set % ssh=HOST'",
	[ADVICE_OTHER_ACCOUNT] = "; the account has to run commands, or "
		"'wgmesh set % ssh=USER@HOST' takes another one",
	[ADVICE_SUDO_PASSWORD] = ": -ask-sudo-password asks you for it",
	[ADVICE_SUDO_TTY] = ": 'Defaults !requiretty' in the host's sudoers "
		"lets sudo run without one",
	[ADVICE_DOAS] = "; 'permit nopass USER' in the host's doas.conf lets "
		"it in: doas asks for passwords on terminals alone",
	[ADVICE_PIN_ANEW] = ", then 'wgmesh unset NODE host-keys' and pin the "
		"new one with -accept-new-host-keys",
	[ADVICE_PIN_JUMP_ANEW] = ", then \"wgmesh unset '%' host-keys\" and "
		"pin the new one with -accept-new-host-keys",
	[ADVICE_NOT_OURS] = ": 'wgmesh import' takes it over as it is, "
		"'deploy -adopt' replaces it",
	[ADVICE_NOT_OURS_AND_DOWN] = ": 'wgmesh import' takes it over as it "
		"is once it is up, 'deploy -adopt' replaces it",
	[ADVICE_OTHER_AUTHOR] = " ('deploy -adopt' takes it over)",
	[ADVICE_NEWER_STATE] = "; -force-serial goes back to this one",
	[ADVICE_NO_WIREGUARD] = "; leave out -no-install, or install "
		"wireguard-tools",
	[ADVICE_KEY_CHANGED] = " 'wgmesh deploy' asks whether to take it, "
		"-accept-changed-keys takes it",
	[ADVICE_KEY_NOT_MADE] = "; 'wgmesh deploy %' does it",
	[ADVICE_ANSIBLE_RESOLVES] = ": 'ansible-inventory -i FILE --list | "
		"wgmesh import -from -' reads what Ansible makes of it",
	[ADVICE_ANSIBLE_EXPRESSION] = "; docs/import.md has a command with "
		"which it does",
	[ADVICE_SEALED_INVENTORY] = ": 'ansible-vault view FILE | wgmesh "
		"import -from -' reads it",
	[ADVICE_IMPORT_HOST] = ": 'wgmesh import NAME=HOST' reads the host "
		"itself, while its interface is up",
	[ADVICE_KEY_FROM_HOST] = ": import it from the host: "
		"'wgmesh import %'",
	[ADVICE_UNPACK] = ": unpack it, and import the wg-quick file",
	[ADVICE_DECRYPT_AGE] = ": 'age -d -i IDENTITY % | wgmesh import -from "
		"-' reads what is in it",
	[ADVICE_IS_STATE] = ": 'wgmesh -state % list' uses it as it is",
	[ADVICE_IS_MESH_YAML] = ": 'wgmesh apply -f %' takes it",
	[ADVICE_OLD_MESHCONF] = ": wg-meshconf 2 turns it into its "
		"database.csv, which is read; or 'wgmesh import NAME=HOST' "
		"reads a host itself",
	[ADVICE_KEEP_HOOKS] = ": 'wgmesh import -hooks' takes them over as "
		"the node's post_up and pre_down",
};
_Static_assert(sizeof acts / sizeof *acts == ADVICE_KINDS,
	       "the last kind of advice has no words; tests/layers.sh looks "
	       "for the others");

struct advice_words advice_words(enum advice advice, const char *about)
{
	const char *act = acts[advice];
	size_t before = strcspn(act, "%");
	struct advice_words w;

	snprintf(w.s, sizeof w.s, "%.*s%s%s", (int)before, act,
		 act[before] ? about : "", act[before] ? act + before + 1 : "");
	return w;
}

struct err_words err_words(const struct err *e)
{
	struct advice_words act = advice_words(e->advice, e->about);
	struct err_words w;

	snprintf(w.s, sizeof w.s, "%s%s", e->msg, act.s);
	return w;
}
