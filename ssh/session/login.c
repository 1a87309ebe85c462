/*
 * From a target to a session whose host key is accepted: the connection (or a
 * proxy), libssh's options, the key exchange, the key. auth.c goes on.
 */
#include "ssh/session/internal.h"

#include "base/text.h"

#include <fcntl.h>
#include <libssh/libssh.h>
#include <pthread.h>

/* For all threads: its log would go to the terminal. */
static void init_libssh(void)
{
	ssh_init();
	ssh_set_log_level(SSH_LOG_NOLOG);
}

void remote_login_done(struct remote_login *l)
{
	free(l->hostkey_line);
	free(l->fingerprint);
	free(l->dialled);
	free(l->source);
	free(l->user);
	free(l->vouched);
	for (size_t i = 0; i < l->jumps.len; i++) {
		free(l->jumps.items[i].place);
		free(l->jumps.items[i].hostkey_line);
		free(l->jumps.items[i].fingerprint);
	}
	vec_done(&l->jumps);
	memset(l, 0, sizeof *l);
}

/* Everything libssh would find out by itself is told: no file is read. */
static int set_options(ssh_session session, const struct remote_settings *s,
		       const struct remote_known *known, int fd)
{
	AUTO(auto_free) char *algorithms = remote_known_algorithms(known, s->hostkeys);
	AUTO(auto_free) char *home = remote_untilde("~/.ssh");
	int no = 0, yes = 1;
	const struct option {
		enum ssh_options_e option;
		const void *value;
	} orders[] = {
		{ SSH_OPTIONS_PROCESS_CONFIG, &no },
		{ SSH_OPTIONS_SSH_DIR, home },
		{ SSH_OPTIONS_HOST, s->host },
		{ SSH_OPTIONS_PORT, &s->port },
		{ SSH_OPTIONS_USER, s->user },
		{ SSH_OPTIONS_KNOWNHOSTS, "/dev/null" },
		{ SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null" },
		{ SSH_OPTIONS_HOSTKEYS, algorithms },
		{ SSH_OPTIONS_NODELAY, &yes },
		{ SSH_OPTIONS_FD, &fd },
	}, wishes[] = {
		{ SSH_OPTIONS_CIPHERS_C_S, s->ciphers },
		{ SSH_OPTIONS_CIPHERS_S_C, s->ciphers },
		{ SSH_OPTIONS_KEY_EXCHANGE, s->kex },
		{ SSH_OPTIONS_HMAC_C_S, s->macs },
		{ SSH_OPTIONS_HMAC_S_C, s->macs },
		{ SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, s->pubkeys },
	};

	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
		if (ssh_options_set(session, orders[i].option,
				    orders[i].value) < 0)
			return -1;
	/* Algorithms that libssh does not know are passed over, as are wishes
	 * that leave none: then libssh's own list stays. */
	for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
		if (wishes[i].value)
			ssh_options_set(session, wishes[i].option,
					wishes[i].value);
	return 0;
}

/* The descriptor to talk on: a connection, or a proxy's socket. */
static int open_carrier(struct remote_link *l, struct remote_login *facts,
			const struct remote_settings *s, struct err *e)
{
	int fd;

	if (!s->proxy)
		return remote_dial(&fd, facts, s, l->patience.deadline,
				   e) < 0 ? -1 : fd;
	facts->dialled = mem_strdup("");
	facts->source = mem_strdup("");
	if (remote_child_start(&l->proxy, s->proxy, true, e) < 0)
		return -1;
	fd = l->proxy.in;
	l->proxy.in = -1; /* libssh closes it */
	return fd;
}

static int connect_failed(const struct remote_link *l, int rc,
			  const struct remote_settings *s, struct err *e)
{
	AUTO(auto_free) char *why = remote_link_error(l);
	AUTO(auto_free) char *over = remote_patience_text(&l->patience);
	AUTO(sbuf_done) struct sbuf proxy = SBUF_INIT;
	char said[2048] = "";
	char *line = said; /* the first one that says something */
	bool way_key;
	ssize_t n = 0;

	if (l->proxy.pid > 0)
		n = read(l->proxy.errors, said, sizeof said - 1);
	said[n > 0 ? n : 0] = '\0';
	way_key = s->jump && (strstr(said, "Host key verification") ||
			      strstr(said, "HOST IDENTIFICATION"));
	/* OpenSSH frames a warning in '@' */
	line += strspn(line, "@\r\n \t");
	line[strcspn(line, "\r\n@")] = '\0';
	if (*line && s->jump)
		sbuf_printf(&proxy, "; on the way by the jump host '%s', ssh "
			    "says: ", s->jump);
	else if (*line)
		sbuf_puts(&proxy, "; the proxy says: ");
	text_escape(&proxy, line, strlen(line), false);
	if (way_key)
		return err_set(e, ERR_HOSTKEY, "'%s' port %d: no SSH "
			       "connection%s", s->host, s->port,
			       sbuf_str(&proxy));
	if (rc == SSH_AGAIN)
		return err_set(e, ERR_UNREACHABLE, "'%s' port %d: connected, "
			       "but SSH: %s%s", s->host, s->port, over,
			       sbuf_str(&proxy));
	/* libssh's words for a connection that was closed before it spoke */
	if (!*why || strstr(why, "disconnected") || strstr(why, "Success"))
		return err_set(e, ERR_UNREACHABLE, "'%s' port %d: %s closed "
			       "the connection before the login%s", s->host,
			       s->port, s->proxy ? "the proxy" : "the host",
			       sbuf_str(&proxy));
	return err_set(e, ERR_UNREACHABLE, "'%s' port %d: no SSH connection: "
		       "%s%s", s->host, s->port, why, sbuf_str(&proxy));
}

/*
 * Key exchange on @fd, which libssh owns from ssh_connect() on: it closes it
 * after an error and, where ssh_disconnect() is not called, in ssh_free().
 */
static int exchange_keys(struct remote_link *l, int fd,
			 const struct remote_settings *s,
			 const struct remote_known *known, struct err *e)
{
	int rc, flags;

	l->session = ssh_new();
	if (!l->session || set_options(l->session, s, known, fd) < 0) {
		close(fd);
		return err_set(e, ERR_BUG, "libssh refuses its options: %s",
			       ssh_get_error(l->session));
	}
	ssh_set_blocking(l->session, 0);
	l->traffic = mem_calloc(1, sizeof *l->traffic);
	ssh_set_counters(l->session, l->traffic, NULL);
	remote_patience_renew(&l->patience);
	do
		rc = ssh_connect(l->session);
	while (rc == SSH_AGAIN && remote_link_again(l));
	if (rc != SSH_OK)
		return connect_failed(l, rc, s, e);
	/* libssh made the descriptor blocking; a full one would then hold us */
	fd = ssh_get_fd(l->session);
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return 0;
}

static int refuse_new(const struct remote_login *facts,
		      const struct remote_settings *s, struct err *e)
{
	return err_set(e, ERR_HOSTKEY, "the SSH host key of '%s' is not known: "
		       "%s (%.*s); compare it with 'ssh-keygen -l' on the "
		       "host, then accept it or put it into known_hosts",
		       s->name, facts->fingerprint,
		       (int)strcspn(facts->hostkey_line, " "),
		       facts->hostkey_line);
}

/* Is it the host that was meant? HOSTKEY, and nobody logs in, if it is not. */
static int judge_hostkey(struct remote_login *facts,
			 const struct remote_link *l,
			 const struct remote_settings *s,
			 const struct remote_known *known, bool accept_new,
			 struct err *e)
{
	AUTO(sbuf_done) struct sbuf print = SBUF_INIT;

	facts->hostkey_line = remote_hostkey_line(l->session);
	if (!facts->hostkey_line ||
	    remote_fingerprint(facts->hostkey_line, &print, e) < 0)
		return err_set(e, ERR_HOSTKEY, "'%s' shows no usable SSH host "
			       "key", s->name);
	facts->fingerprint = sbuf_detach(&print);
	if (remote_known_check(&facts->hostkey, known, facts->hostkey_line, s,
			       e) < 0)
		return -1;
	if (facts->hostkey == REMOTE_KEY_NEW && !accept_new)
		return refuse_new(facts, s, e);
	return 0;
}

struct remote_link *remote_meet(struct remote_login *facts,
				const struct remote_settings *s,
				const struct remote_known *known,
				int timeout_ms, bool accept_new, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	AUTO(auto_remote_link_free) struct remote_link *l =
		mem_calloc(1, sizeof *l);
	int fd;

	pthread_once(&once, init_libssh);
	l->proxy = (struct remote_child)REMOTE_CHILD_NONE;
	remote_patience_begin(&l->patience, timeout_ms,
			      (int64_t)timeout_ms * REMOTE_SILENCES);
	fd = open_carrier(l, facts, s, e);
	if (fd < 0 || exchange_keys(l, fd, s, known, e) < 0 ||
	    judge_hostkey(facts, l, s, known, accept_new, e) < 0)
		return NULL;
	return STEAL(l);
}

/*
 * OpenSSH refused the key of a host on the way, and does not say whose: look at
 * each. If all of them are right now, its own words stay.
 */
static void name_jump(struct remote_way *w, struct remote_settings *s,
		      struct err *e)
{
	struct err found;

	w->judge_all = true;
	if (remote_way_make(w, s, &found) < 0)
		*e = found;
}

/* Is there nothing but what OpenSSH alone can judge by? */
static bool is_for_openssh(const struct remote_settings *s,
			   const struct remote_known *known)
{
	return !known->pinned && !known->keys.len && !known->plain.len &&
	       !known->unread.len &&
	       (known->authority_keys.len || s->known_command);
}

int remote_login(struct remote_link **out, void **program,
		 struct remote_login *facts,
		 const struct remote_target *target,
		 const struct remote_conf *conf, bool peek, struct err *e)
{
	AUTO(auto_remote_link_free) struct remote_link *l = NULL;
	AUTO(remote_settings_done) struct remote_settings s = { 0 };
	AUTO(remote_known_done) struct remote_known known = { 0 };
	AUTO(auto_remote_config_free) struct remote_config *own = NULL;
	AUTO(remote_way_done) struct remote_way way = {
		.conf = conf, .jumps = &facts->jumps,
	};

	if (!conf->keys && remote_config_load(&own, conf->config_file, e) < 0)
		return -1;
	way.config = own ? own : conf->keys->config;
	if (remote_config_ask(&s, way.config, target, e) < 0 ||
	    remote_known_load(&known, &s, target->pinned, e) < 0 ||
	    (s.jump && remote_way_make(&way, &s, e) < 0))
		return -1;
	/* who takes any new key takes the plain one */
	if (!conf->accept_new && is_for_openssh(&s, &known)) {
		facts->user = mem_strdup(s.user);
		return remote_openssh(program, &way, facts, &s, &known, e);
	}
	l = remote_meet(facts, &s, &known, remote_timeout(conf->timeout_ms),
			peek || conf->accept_new, e);
	if (!l) {
		if (s.jump && e->code == ERR_HOSTKEY && !facts->hostkey_line)
			name_jump(&way, &s, e);
		return -1;
	}
	facts->user = mem_strdup(s.user);
	if (!peek && remote_authenticate(l, &s, conf, e) < 0)
		return -1;
	*out = STEAL(l);
	return 0;
}
