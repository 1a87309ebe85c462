/*
 * What the files of ssh/session/ share and nobody else includes: settings
 * from ssh_config, descriptors and children, host keys, and the two ways to
 * run a command (a channel of libssh, a local shell).
 */
#ifndef WGMESH_SSH_SESSION_INTERNAL_H
#define WGMESH_SSH_SESSION_INTERNAL_H

#include "base/atomic.h"
#include "base/auto.h"
#include "base/err.h"
#include "base/sbuf.h"
#include "base/vec.h"
#include "ssh/session/remote.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ssh_channel_struct;
struct ssh_counter_struct;
struct ssh_key_struct;
struct ssh_session_struct;

/* ---- time ---- */

/** Now on the monotonic clock, in milliseconds. */
int64_t remote_now_ms(void);

/** Milliseconds left until @deadline, at least 0, fit for poll(). */
int remote_left_ms(int64_t deadline);

/** The limit to use: @ms if positive, else the built-in one of 10 s. */
int remote_timeout(int ms);

/** How long to wait: for a sign of life, which begins it anew, and in all. */
struct remote_patience {
	int silence_ms;   /* each one may be so long */
	int64_t deadline; /* of the silence */
	int64_t end;      /* of all; INT64_MAX: never */
	int total_ms;     /* for messages */
};

/** A login, and the start of a command, have so many silences in all. */
#define REMOTE_SILENCES 6

/** Begin; @total_ms 0: no bound for all. */
void remote_patience_begin(struct remote_patience *p, int silence_ms,
			   int64_t total_ms);

/** Something came. */
void remote_patience_renew(struct remote_patience *p);

/** Milliseconds left, at least 0. */
int remote_patience_left(const struct remote_patience *p);

/** What is over, for messages: "no answer within 10 s"; the caller frees. */
char *remote_patience_text(const struct remote_patience *p);

/* ---- ssh_config ---- */

/** What ssh_config says for one target, expanded. Owned strings. */
struct remote_settings {
	char *name;  /* as the user wrote it */
	char *host;  /* to dial */
	char *alias; /* HostKeyAlias, or NULL */
	char *user;  /* who logs in there */
	int port;    /* 1 to 65535 */
	struct strings identities;  /* IdentityFile, in order */
	struct strings certificates; /* CertificateFile, in order */
	bool default_keys;          /* no IdentityFile is said */
	bool identities_only;       /* of the agent's keys these alone */
	char *agent;                /* socket path, "" without one */
	struct strings known_hosts; /* all files, the user's first */
	struct strings revoked;     /* RevokedHostKeys */
	bool takes_new; /* StrictHostKeyChecking, which jump hosts alone heed */
	char *known_command;        /* KnownHostsCommand, not "none"; or NULL */
	char *proxy;                /* command, or NULL */
	char *jump;                 /* ProxyJump that it stands for, or NULL */
	/* lists of algorithms, or NULL */
	char *ciphers, *kex, *macs, *hostkeys, *pubkeys;
};

struct remote_config;

/**
 * Begin with ssh_config: @file alone, or what OpenSSH reads when NULL. It is
 * read by its program, 'ssh -G'. Fails when a named file is missing, or when
 * there is a file and no such program.
 */
int remote_config_load(struct remote_config **out, const char *file,
		       struct err *e);

/** Free; NULL is fine. */
void remote_config_free(struct remote_config *c);
DEFINE_AUTO(struct remote_config *, remote_config_free)

/**
 * Settings for @target; the caller ends them with remote_settings_done(). Any
 * thread; it may start a program. INPUT with its words.
 */
int remote_config_ask(struct remote_settings *out, struct remote_config *c,
		      const struct remote_target *target, struct err *e);

/** Free what is in it; @s is empty and usable again. For AUTO(). */
void remote_settings_done(struct remote_settings *s);

/** Could ssh be called with the hosts of ProxyJump? INPUT. */
int remote_jump_check(const char *jump, struct err *e);

typedef VEC(struct temporary) remote_temporaries;

/** The way through jump hosts, while a login goes it. Zeroed is empty. */
struct remote_way {
	struct remote_config *config;
	const struct remote_conf *conf;
	remote_jumps *jumps;  /* gets those that are not pinned */
	remote_temporaries files; /* private known_hosts, for OpenSSH */
	int depth;
	bool judge_all; /* look also at the keys of hosts with pins */
};

/**
 * Put the command that makes the way of @s->jump into @s->proxy. A jump host
 * without a pin is looked at and its key judged here; OpenSSH then takes no
 * other one. HOSTKEY, UNREACHABLE, with the name of the jump host.
 */
int remote_way_make(struct remote_way *w, struct remote_settings *s,
		    struct err *e);

/** Remove the files and free. */
void remote_temporaries_done(remote_temporaries *files);

/** Begin a command of OpenSSH that asks nothing, with the user's settings. */
void remote_ssh_begin(struct sbuf *b, const struct remote_way *w);

/** For one whose known_hosts we make: nothing else lets a host in. */
#define REMOTE_SSH_STRICT                                                      \
	" -o StrictHostKeyChecking=yes -o CheckHostIP=no"                      \
	" -o UpdateHostKeys=no -o VerifyHostKeyDNS=no"

/**
 * Have a command of OpenSSH know @keys alone, each behind @who in a line of
 * known_hosts ("HOST", "@cert-authority *"), and none of @revoked. SYSTEM.
 */
int remote_ssh_known(struct sbuf *b, struct remote_way *w, const char *who,
		     const struct strings *keys, const struct strings *revoked,
		     struct err *e);

/** Add " -o 'NAME=value'" to a command of ssh. */
void remote_add_option(struct sbuf *b, const char *name, const char *value);

/** The same for a ProxyCommand, whose "%" is meant. */
void remote_add_proxy(struct sbuf *b, const char *command);

/** Remove the files and free; for AUTO(). */
void remote_way_done(struct remote_way *w);

/** Who may write the file that remote_slurp() reads. */
enum remote_slurp_rule {
	SLURP_ANY,     /* whoever may */
	SLURP_PRIVATE, /* a key of ours: nobody else may read it, either */
};

/** Home folder: $HOME, else the password file's; the caller frees. */
char *remote_home(void);

/** "~/x" with the home folder put in; the caller frees. */
char *remote_untilde(const char *path);

/**
 * Whole file into @out, at most out->max bytes; -1 with errno set: EPERM when
 * the file breaks @rule, EFBIG when it is too large.
 */
int remote_slurp(struct sbuf *out, const char *path,
		 enum remote_slurp_rule rule);

/**
 * A file without a name that holds @text, and can be read as often as it is
 * opened (/dev/stdin): its descriptor, or -1 with errno set.
 */
int remote_open_text(const char *text);

/* ---- connections and children ---- */

/** A child with one socket or two pipes; pid 0 is none. */
struct remote_child {
	pid_t pid;  /* and of its process group */
	int in;     /* write end of its stdin, or the socket for both */
	int out;    /* read end of its stdout; -1 with a socket */
	int errors; /* read end of its stderr, non-blocking */
};
/** None: remote_child_end() has nothing to do. */
#define REMOTE_CHILD_NONE { 0, -1, -1, -1 }

/**
 * Start /bin/sh -c @command in its own process group. @c is set on success only;
 * remote_child_end() ends it. SYSTEM.
 */
int remote_child_start(struct remote_child *c, const char *command,
		       bool with_socket, struct err *e);

/** Close what is open, wait up to @grace_ms, then kill its group; reap. */
void remote_child_end(struct remote_child *c, int grace_ms);

struct remote_login;

/**
 * Connect to @s's host and port, every address in turn, by @deadline. *@fd is
 * non-blocking, without Nagle's delay; @facts gets the numeric addresses of
 * both ends.
 */
int remote_dial(int *fd, struct remote_login *facts,
		const struct remote_settings *s, int64_t deadline,
		struct err *e);

/* ---- agent ---- */

/** One identity of an agent. */
struct remote_identity {
	unsigned char *blob; /* the public key as it goes over the wire */
	size_t len;          /* of it, in bytes */
	char *b64;           /* the same in base64, to compare */
};
/** A list of them; zeroed is empty. */
typedef VEC(struct remote_identity) remote_identities;

/** Ask the agent at @path for its keys; an empty list if there is none. */
void remote_agent_list(remote_identities *out, const char *path,
		       int timeout_ms);

/** Free; @v is empty and usable again. For AUTO(). */
void remote_identities_done(remote_identities *v);

/** Index of the key with that base64, or -1, also for NULL. */
long remote_identities_find(const remote_identities *v, const char *b64);

struct remote_front;

/**
 * A socket that speaks as an agent which has only @offer, in that order, and
 * passes signatures on to the agent at @path. *@fd is for the client, who
 * closes it; end the front with remote_front_stop().
 */
struct remote_front *remote_front_start(int *fd, const char *path,
					const remote_identities *offer,
					int timeout_ms);

/** Hang up on both sides and wait for its thread; NULL is fine. */
void remote_front_stop(struct remote_front *f);

/* ---- keys ---- */

/** A private key file. */
struct remote_key {
	char *path;                  /* as ssh_config names it, expanded */
	char *b64;                   /* public part, NULL if unknown */
	struct ssh_key_struct *priv; /* NULL: not usable here */
	const char *why;             /* then: the reason in words, static */
	bool is_default;             /* of the built-in names */
};

/** Read once, before the logins; threads only look at it. */
struct remote_keys {
	struct remote_config *config; /* that was read with them */
	VEC(struct remote_key) list;  /* each path once */
};

/** The key read from @path, or NULL. */
const struct remote_key *remote_keys_find(const struct remote_keys *keys,
					  const char *path);

/** Base64 of the public part of the key at @path, or NULL; caller frees. */
char *remote_key_public(const char *path);

/**
 * A copy of the private key @k with the certificate in the file @path, or NULL
 * if that is none for it; ssh_key_free() it. @fault gets why the certificate
 * can't serve to log in as @user, if one can see that.
 */
struct ssh_key_struct *remote_cert_join(const struct remote_key *k,
					const char *path, const char *user,
					struct sbuf *fault);

/* ---- host keys ---- */

/** The keys that a host may show. */
struct remote_known {
	bool pinned;            /* known_hosts then only revokes */
	struct strings keys;    /* "type base64", canonical */
	struct strings places;  /* for each: where it stands */
	struct strings revoked; /* never good, pinned or not */
	struct strings krls;    /* files that revoke more: KRL of OpenSSH */
	struct strings authority_keys; /* of CAs trusted for the host */
	struct strings authorities; /* places that trust a CA for the host */
	struct strings plain;   /* known without the port: good, never bad */
	struct strings unread;  /* places with keys of no type that we know */
};

/**
 * From @pinned, or if that is empty from the known_hosts files, which revoke
 * keys in either case. ERR_INPUT or ERR_SYSTEM when one of them cannot be read
 * to its end.
 */
int remote_known_load(struct remote_known *k, const struct remote_settings *s,
		      const struct strings *pinned, struct err *e);

/** The name under which known_hosts has the host; the caller frees. */
char *remote_known_name(const struct remote_settings *s);

/** Free. For AUTO(). */
void remote_known_done(struct remote_known *k);

/**
 * Host key algorithms, those of the expected keys first, then the others of
 * @allowed (HostKeyAlgorithms; NULL: all that we know); caller frees.
 */
char *remote_known_algorithms(const struct remote_known *k,
			      const char *allowed);

/** OpenSSH's patterns: '*' and '?', in either case. One, without "!". */
bool remote_pattern_fits(const char *pattern, const char *name);

/**
 * Judge the key @line that the host showed. 0 with *@out, which may be
 * REMOTE_KEY_NEW; ERR_HOSTKEY when it is another one than expected.
 */
int remote_known_check(enum remote_hostkey *out, const struct remote_known *k,
		       const char *line, const struct remote_settings *s,
		       struct err *e);

/** "type base64" of the key that the session's host showed; caller frees. */
char *remote_hostkey_line(struct ssh_session_struct *session);

/* ---- ways to run a command ---- */

#define REMOTE_EOF (-1)    /* it came to its end */
#define REMOTE_BROKEN (-2) /* the connection is gone */

/** How a command ended. */
struct remote_exit {
	bool known;      /* else the rest says nothing */
	int status; /* -1: by a signal or unknown */
	char signal[24]; /* without "SIG"; "" if none */
};

/** A way to run one command; @link is the way's own object. */
struct remote_via {
	int (*start)(void *link, const char *command, int timeout_ms,
		     struct err *e);
	/* bytes read, 0 none at the moment, REMOTE_EOF, REMOTE_BROKEN */
	long (*read)(void *link, bool errors, char *buf, size_t len);
	/* bytes taken, 0 no room at the moment, REMOTE_BROKEN */
	long (*write)(void *link, const char *buf, size_t len);
	/* 1: nothing written is left on our side, 0: not yet, REMOTE_BROKEN */
	int (*flushed)(void *link);
	/* wait for something to read, or to write too if @writing */
	void (*wait)(void *link, bool writing, int timeout_ms);
	/* after the end of the output: how it ended, if that is known yet */
	void (*ended)(void *link, struct remote_exit *out);
	/* end the command and the connection */
	void (*free)(void *link);
};

/** The object of remote_via_ssh: a session, and what carries and serves it. */
struct remote_link {
	struct ssh_session_struct *session; /* never blocks */
	struct ssh_channel_struct *channel; /* the session's own */
	struct remote_child proxy;  /* pid 0: a connection of ours */
	struct remote_front *front; /* while logging in by an agent */
	struct remote_exit exit;    /* as the callbacks were told */
	void *callbacks; /* of the channel */
	struct ssh_counter_struct *traffic; /* counted by libssh */
	uint64_t seen; /* bytes of the traffic when we last waited */
	struct remote_patience patience; /* of the login, or the start */
	uint64_t heard; /* bytes of the traffic when it was last renewed */
};

/** Wait until libssh has something to do, at most @timeout_ms. */
void remote_link_wait(const struct remote_link *l, int timeout_ms);

/**
 * Wait as above, on a connected session, as long as the link's patience, which
 * whatever came from the host renews; false without waiting when it is over or
 * the connection gone.
 */
bool remote_link_again(struct remote_link *l);

/** libssh's last error, escaped; the caller frees. */
char *remote_link_error(const struct remote_link *l);

/** Hang up, end the proxy, free; NULL is fine. */
void remote_link_free(struct remote_link *l);
DEFINE_AUTO(struct remote_link *, remote_link_free)

/** Through a channel, and through a shell on this machine. */
extern const struct remote_via remote_via_ssh;
extern const struct remote_via remote_via_local;

/**
 * The link of remote_via_local, not started yet; its free() ends it. A @program
 * (shell text) gets the command as its last word; the @files are taken over.
 */
void *remote_local_new(const char *program, remote_temporaries *files);

/** What a login yields. Owned strings. */
struct remote_login {
	enum remote_hostkey hostkey; /* the rest: see struct remote_facts */
	char *hostkey_line, *fingerprint, *dialled, *source, *user, *vouched;
	remote_jumps jumps;
};

/** Free. */
void remote_login_done(struct remote_login *l);

/**
 * Log in on a connected session whose host key was accepted. AUTH says which keys
 * were tried and which passed over, and why; UNREACHABLE when the link breaks.
 */
int remote_authenticate(struct remote_link *l, const struct remote_settings *s,
			const struct remote_conf *conf, struct err *e);

/**
 * Connect by @s, exchange keys and judge the host's by @known: the link, or
 * NULL. @facts as below.
 */
struct remote_link *remote_meet(struct remote_login *facts,
				const struct remote_settings *s,
				const struct remote_known *known,
				int timeout_ms, bool accept_new,
				struct err *e);

/**
 * Connect, check the host key and, unless @peek, log in; or, where OpenSSH is to,
 * *@program gets a link of remote_via_local instead. Errors as remote_open();
 * @facts may then be filled in part and is the caller's to end in any case.
 */
int remote_login(struct remote_link **out, void **program,
		 struct remote_login *facts,
		 const struct remote_target *target,
		 const struct remote_conf *conf, bool peek, struct err *e);

/**
 * OpenSSH as the way to a host: the link of remote_via_local in *@out. @w has
 * made the way. UNREACHABLE.
 */
int remote_openssh(void **out, struct remote_way *w,
		   struct remote_login *facts, const struct remote_settings *s,
		   const struct remote_known *known, struct err *e);

#endif
