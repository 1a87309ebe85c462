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

/* The authorities of the host, for any name: the name was judged. */
static int add_authorities(struct sbuf *b, struct remote_way *w,
			   const struct remote_settings *s,
			   const struct remote_known *known, struct err *e)
{
	AUTO(sbuf_done) struct sbuf lines = SBUF_INIT;

	for (size_t i = 0; i < known->authority_keys.len; i++)
		sbuf_printf(&lines, "@cert-authority * %s\n",
			    known->authority_keys.items[i]);
	for (size_t i = 0; i < known->revoked.len; i++)
		sbuf_printf(&lines, "@revoked * %s\n",
			    known->revoked.items[i]);
	if (remote_files_write(&w->files, &lines, e) < 0)
		return -1;
	remote_add_option(b, "UserKnownHostsFile",
			  w->files.items[w->files.len - 1]);
	remote_add_option(b, "GlobalKnownHostsFile", "/dev/null");
	/* the name that the certificate has to be for */
	remote_add_option(b, "HostKeyAlias", s->alias ? s->alias : s->host);
	return 0;
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
	sbuf_puts(&b, "ssh -T -o BatchMode=yes -o StrictHostKeyChecking=yes"
		  " -o ControlPath=none -o ClearAllForwardings=yes"
		  " -o RemoteCommand=none -o PermitLocalCommand=no"
		  " -o UpdateHostKeys=no -o VerifyHostKeyDNS=no"
		  " -o CheckHostIP=no -o StdinNull=no -o SessionType=default"
		  " -o ForkAfterAuthentication=no -o LogLevel=ERROR");
	if (w->config->file) {
		sbuf_puts(&b, " -F ");
		text_quote(&b, w->config->file);
	}
	if (known->authority_keys.len &&
	    add_authorities(&b, w, s, known, e) < 0)
		return -1;
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
