/*
 * The engine of plan, deploy and import (ssh/fleet/) as the commands use it:
 * their options, their voice, and what they print of it.
 */
#ifndef WGMESH_CMD_ENGINE_H
#define WGMESH_CMD_ENGINE_H

#include "cmd/cmd.h"
#include "ssh/fleet/fleet.h"

DEFINE_AUTO(struct remote *, remote_free)

/** What the command line asks the engine for; borrows from @env. */
struct fleet_options engine_options(const struct cmd_env *env);

/**
 * Ask for what the options say that hosts may want: the password of sudo, once,
 * before any login. INPUT without a terminal.
 */
int engine_ask(struct cmd_env *env, struct err *e);

/**
 * How the engine speaks: notes and progress on stderr, questions on the
 * terminal; with -json it asks and shows nothing. Its arg is a struct audit,
 * or NULL.
 */
const struct fleet_voice *engine_voice(const struct cmd_env *env);

/**
 * Is the key that @host shows the right one? 1 yes: it is pinned, in
 * known_hosts, agreed to on the terminal or by -accept-new-host-keys; 0 no; -1
 * nobody could be asked.
 */
int ask_host_key(const struct cmd_env *env, const char *host,
		 const struct remote_facts *facts);

/** Is there no key to pin on @host, by these facts? Then a note says why. */
bool note_vouched(const char *host, const struct remote_facts *facts);

/** Who is asked about the keys of jump hosts, and whether nobody could be. */
struct jump_asker {
	const struct cmd_env *env;
	bool nobody;
};

/** For remote_conf's take_jump; @arg is a struct jump_asker. One thread. */
int ask_jump_key(void *arg, const char *place, const char *fingerprint);

/** Print the plan of each host that has one, and a summary line. */
void print_plan(const struct fleet *f);

/** Print one result line per host, and a summary line. */
void print_results(const struct fleet *f);

/** Print the plan as Markdown for a comment: bounded, nothing in it acts. */
void print_markdown(const struct fleet *f);

/** Print what the probes were and the scripts would be, secrets hidden. */
void print_scripts(struct fleet *f);

/** Print everything as JSON; shape in docs/json.md. */
void print_json(const struct fleet *f);

#endif
