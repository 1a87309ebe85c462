/*
 * What a host is asked, and its answer, read strictly: what does not parse is
 * an error that names the section, never a guess.
 */
#ifndef WGMESH_RENDER_HOST_PROBE_H
#define WGMESH_RENDER_HOST_PROBE_H

#include "base/err.h"
#include "base/sbuf.h"
#include "render/observed.h"

/** What the probe is told. Strings are borrowed. */
struct probe_request {
	const char *interface;
	int port; /* UDP, that the interface is to have */
	const char *nonce; /* hex digits; frames the answer */
	const char *known_hostname; /* NULL: not known; equal: fqdn is not
				       asked for again */
	bool sudo; /* run as root through sudo or doas */
	bool password; /* sudo may ask for one: see probe_prompt() */
	bool local; /* this machine: no SSH connection to report */
	bool forwards; /* networks are behind it: what of its firewall? */
	size_t size; /* nodes and networks of the mesh: a host may well have so
			many of everything besides OBSERVED_MAX */
};

/** Peers, routes and addresses that a host may have, each; four times as many
 * allowed IPs, ten times as many lines of its report. */
#define OBSERVED_MAX 5000

/**
 * Append the command, one line for whichever login shell, that reports a host
 * and then runs a shell that reads on from its input. No secrets are in it, none are reported: private
 * key and preshared keys are cut off on the host. It changes nothing.
 */
void probe_command(struct sbuf *out, const struct probe_request *request);

/** The same as people read it: the text that the command has a shell run. */
void probe_text(struct sbuf *out, const struct probe_request *request);

/** With what sudo asks, on stderr, for the one line on the command's input that is
 * the password. The caller frees. */
char *probe_prompt(const char *nonce);

/** The line that ends an answer: "=<nonce>= end". The caller frees. */
char *probe_end(const char *nonce);

/**
 * Parse the answer to probe_command(). @out is filled on success only; free
 * it with observed_done(). Errors: REMOTE (sudo refused, no root), INPUT
 * ("probe: section 'dump' line 3: ..."; more of something than there may be). A
 * handshake that is yet to come by the host's own clock is none.
 */
int observed_parse(struct observed *out, const char *text, size_t len,
		   const struct probe_request *request, struct err *e);

#endif
