/*
 * OpenSSH as the way to a host, where only a certificate authority or a
 * KnownHostsCommand can vouch for its key: libssh checks no host certificates.
 * Which lines of known_hosts hold is decided here, the certificate by ssh.
 */
#include "base/text.h"
#include "ssh/session/config.h"

/* Where the host is dialled: learnt with a connection that is closed again. */
static int learn_address(struct remote_login *facts,
			 const struct remote_settings *s, int timeout_ms,
			 struct err *e)
{
	AUTO(auto_close) int fd = -1;

	return remote_dial(&fd, facts, s, remote_now_ms() + timeout_ms, e);
}

int remote_openssh(void **out, struct remote_way *w,
		   struct remote_login *facts, const struct remote_settings *s,
		   const struct remote_known *known, struct err *e)
{
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;
	bool dial = known->authority_keys.len && !s->proxy;

	if (dial && learn_address(facts, s, remote_timeout(w->conf->timeout_ms),
				  e) < 0)
		return -1;
	remote_ssh_begin(&b, w);
	sbuf_puts(&b, REMOTE_SSH_STRICT " -T"
		  " -o ControlPath=none -o ClearAllForwardings=yes"
		  " -o RemoteCommand=none -o PermitLocalCommand=no"
		  " -o StdinNull=no -o SessionType=default"
		  " -o ForkAfterAuthentication=no -o LogLevel=ERROR");
	if (known->authority_keys.len) {
		/* they are those of the host, so for any name; the one that
		   the certificate has to be for */
		if (remote_ssh_known(&b, w, "@cert-authority *",
				     &known->authority_keys, &known->revoked,
				     e) < 0)
			return -1;
		remote_add_option(&b, "HostKeyAlias",
				  s->alias ? s->alias : s->host);
	}
	if (dial)
		remote_add_option(&b, "HostName", facts->dialled);
	if (s->jump)
		remote_add_proxy(&b, s->proxy);
	sbuf_puts(&b, " -l ");
	text_quote(&b, s->user);
	sbuf_printf(&b, " -p %d -- ", s->port);
	text_quote(&b, s->name);
	if (!dial) {
		mem_replace(&facts->dialled, "");
		mem_replace(&facts->source, "");
	}
	mem_replace(&facts->hostkey_line, "");
	mem_replace(&facts->fingerprint, "");
	facts->hostkey = REMOTE_KEY_VOUCHED;
	facts->vouched = known->authority_keys.len ?
		mem_printf("the certificate authority in %s",
			   known->authorities.items[0]) :
		mem_strdup("KnownHostsCommand");
	*out = remote_local_new(sbuf_str(&b), &w->files);
	return 0;
}
