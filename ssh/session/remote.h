/*
 * One login on one host: connection, host key check, authentication and one
 * channel that runs one command, whose input and output stay open until
 * remote_free(). It knows nothing of WireGuard. A local target runs the same
 * command through /bin/sh here, without SSH.
 */
#ifndef WGMESH_SSH_SESSION_REMOTE_H
#define WGMESH_SSH_SESSION_REMOTE_H

#include "base/addr.h"
#include "base/err.h"
#include "base/sbuf.h"
#include "base/secret.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stddef.h>

struct remote;
struct remote_keys;

/** Where to log in. Strings are borrowed for the time of the call. */
struct remote_target {
	const char *host; /* name or address as the user wrote it */
	const char *user; /* NULL: ssh_config's User, else root */
	int port;         /* 0: ssh_config's Port, else 22 */
	const struct strings *pinned; /* "ssh-ed25519 AAAA..." lines; may be
					 empty, then known_hosts decides */
	bool local; /* this very machine: a shell, no SSH */
};

/** What all logins of a run share. */
struct remote_conf {
	int timeout_ms; /* the longest silence that is borne; a login has six
			   times that in all, and so has the start of a command */
	size_t input_max; /* what may come in while we send; 0: 16 MiB */
	bool accept_new; /* take an unknown host key (never a changed one) */
	struct remote_keys *keys; /* borrowed; may be NULL: agent alone. They
				     carry the ssh_config that was read with
				     them, so config_file is then not read */
	const struct strings *jump_pins; /* of jump hosts: "PLACE type base64",
					   as in known_hosts; may be NULL */
	/* Is the key that a jump host shows the right one? 1 yes; else the login
	   fails. NULL: as accept_new says. Called from any thread. */
	int (*take_jump)(void *arg, const char *place, const char *fingerprint);
	void *take_arg;
	const char *config_file; /* NULL: ~/.ssh/config and the system's; "~"
				    is $HOME, else the password file's */
};

/** How far the host's key is known. */
enum remote_hostkey {
	REMOTE_KEY_PINNED, /* equals a pinned one */
	REMOTE_KEY_KNOWN,  /* in known_hosts */
	REMOTE_KEY_NEW,    /* nowhere */
	REMOTE_KEY_VOUCHED, /* judged by OpenSSH: nothing to pin */
};

/** A jump host on the way whose key is not pinned. Owned strings. */
struct remote_jump {
	char *place; /* as known_hosts has it: HOST or [HOST]:PORT */
	enum remote_hostkey hostkey; /* KNOWN, or NEW and accepted */
	char *hostkey_line, *fingerprint;
};
typedef VEC(struct remote_jump) remote_jumps;

/** Facts of a login. Owned by the remote, valid as long as it lives. */
struct remote_facts {
	enum remote_hostkey hostkey;
	const char *vouched; /* then: by what, for people; else NULL */
	const char *hostkey_line; /* "ssh-ed25519 AAAA...", "" if local,
				     and if OpenSSH logs in */
	const char *fingerprint;  /* "SHA256:...", "" if local */
	const char *dialled; /* numeric address we connected to; "" through a
				jump host or proxy, or local */
	const char *source;  /* our own numeric address on that connection; ""
				as above */
	const char *user;    /* the login that was used */
	const remote_jumps *jumps; /* to be pinned */
	bool is_root;        /* user is root: no sudo needed */
};

/**
 * Connect, check the host key and stop there: for `add`. Does not
 * authenticate, and reports an unknown key in the facts instead of refusing.
 * Errors as remote_open(). The caller frees with remote_free().
 */
int remote_peek(struct remote **out, const struct remote_target *target,
		const struct remote_conf *conf, struct err *e);

/**
 * Connect, check the host key, log in. A host that only a certificate authority
 * of known_hosts, or a KnownHostsCommand, can vouch for is left to the program
 * 'ssh': then a refusal comes with remote_read_to() or remote_send().
 * Authentication in order: agent, the keys that ssh_config names, then
 * id_ed25519, id_ecdsa, id_rsa of ~/.ssh (those that remote_keys_load() read).
 * Errors: UNREACHABLE, HOSTKEY (unknown and not conf->accept_new, or changed:
 * both fingerprints are in the text), AUTH, SYSTEM.
 * One thread at a time per remote; different remotes are independent.
 */
int remote_open(struct remote **out, const struct remote_target *target,
		const struct remote_conf *conf, struct err *e);

/** What the login found; as long as @r lives. */
const struct remote_facts *remote_facts(const struct remote *r);

/** Close channel and connection; the facts stay. */
void remote_hang_up(struct remote *r);

/** Is the connection still ours, not hung up? */
bool remote_is_open(const struct remote *r);

/**
 * Open the channel and start @command (a shell text without secrets), once per
 * remote. Errors: UNREACHABLE, REMOTE (the host does not run commands).
 */
int remote_start(struct remote *r, const char *command, struct err *e);

/**
 * From now on, all sending and reading together may take @total_ms, however
 * often something comes; 0: no bound, as at first.
 */
void remote_allow(struct remote *r, int total_ms);

/**
 * Once the command prints @prompt on its stderr while remote_read_to() reads,
 * and no sooner, @answer and a line end go to its input; asked again, that read
 * ends with AUTH. The first character of @prompt is in it once. @answer is
 * borrowed.
 */
void remote_answer(struct remote *r, const char *prompt,
		   const struct secret *answer);

/**
 * Send @len bytes to the command's input; what it prints meanwhile is kept for
 * remote_read_to(). After an error any part of it may be there.
 * Errors: UNREACHABLE (conf's timeout without progress, remote_allow()'s
 * over, broken link), REMOTE (the command ended, or printed more than conf allows).
 */
int remote_send(struct remote *r, const void *bytes, size_t len,
		struct err *e);

/**
 * Append the command's output to @out up to and without the first line that
 * equals @end. @timeout_ms is the longest silence that is borne, 0 means
 * conf's. @line, if given, is called with each whole line as it comes (for
 * progress), unescaped and up to its first NUL byte. After an error @out has the
 * lines that came.
 * Errors: UNREACHABLE (silence, remote_allow()'s over, broken link), REMOTE (the command
 * ended before: exit status and what it printed are in the text, shortened, its
 * output only if that has no line that begins as @end does up to a blank; or
 * out->max was passed), AUTH (see remote_answer()).
 */
int remote_read_to(struct remote *r, const char *end, struct sbuf *out,
		   int timeout_ms, void (*line)(const char *line, void *arg),
		   void *arg, struct err *e);

/** Close channel and connection and free; NULL is fine. */
void remote_free(struct remote *r);

/**
 * Up to @max addresses of @host, as this machine's resolver says within
 * @left_ms, from which what it took is taken; how many. None is no answer, too.
 */
size_t remote_addresses(struct ip *out, size_t max, const char *host,
			int *left_ms);

/**
 * Read the private keys that logins may use: those that ssh_config names for
 * any of the @n targets, and the default ones. A key with a passphrase that no
 * agent holds is asked for through @ask (NULL: skipped, and named in the error
 * of a login that fails later). Call once, before threads start.
 * @ask gets the file name and fills a passphrase, returning 0 or -1 to skip.
 */
int remote_keys_load(struct remote_keys **out,
		     const struct remote_target *targets, size_t n,
		     const struct remote_conf *conf,
		     int (*ask)(const char *file, struct sbuf *passphrase),
		     struct err *e);

/**
 * The private key @text, which has a passphrase, becomes the same key without
 * one; asked for through @ask, which is shown @where it is. AUTH when that does
 * not open it.
 */
int remote_key_unlock(const char *where, struct secret *text,
		      int (*ask)(const char *file, struct sbuf *passphrase),
		      struct err *e);

/** Free the keys, once no login uses them any more; NULL is fine. */
void remote_keys_free(struct remote_keys *keys);

/**
 * Fingerprint "SHA256:..." of a "type base64" host key line into @out.
 * ERR_INPUT when the line is no key.
 */
int remote_fingerprint(const char *line, struct sbuf *out, struct err *e);

#endif
