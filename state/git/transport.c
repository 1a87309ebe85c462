/*
 * How a connection to a remote is made: ssh, or git itself for a path here. The
 * program speaks git's protocol on its pipes, libgit2 speaks it with us. A URL
 * may come from whoever wrote .git/config: what would be an option of ssh, or a
 * program to run, is no remote (CVE-2017-1000117 was git's).
 */
#include "state/git/net.h"

#include "base/num.h"
#include "base/text.h"
#include "state/model/model.h"
#include "vault/words.h"

#include <ctype.h>
#include <git2/sys/transport.h>
#include <string.h>

struct stream {
	git_smart_subtransport_stream parent;
	struct net *net;
};

struct subtransport {
	git_smart_subtransport parent;
	struct net *net;
	struct stream stream;
};

/* Where a URL leads; host is NULL for a path on this machine. */
struct place {
	char *user; /* NULL: none is named */
	char *host; /* without brackets */
	char *port;
	char *path;
};

static void place_done(struct place *p)
{
	free(p->user);
	free(p->host);
	free(p->port);
	free(p->path);
}

/* "[user@]host[:port]/path"; false when it is none. */
static bool parse_ssh(struct place *p, const char *s)
{
	const char *slash = strchr(s, '/');
	const char *at, *bracket, *colon;

	if (!slash)
		return false;
	/* git takes "/~user/x" for a folder of that user */
	p->path = mem_strdup(slash[1] == '~' ? slash + 1 : slash);
	p->host = mem_strndup(s, (size_t)(slash - s));
	at = strrchr(p->host, '@');
	bracket = strrchr(p->host, ']');
	colon = strrchr(p->host, ':');
	if (colon && colon > bracket && colon > at) {
		p->port = mem_strdup(colon + 1);
		p->host[colon - p->host] = '\0';
	}
	return true;
}

/* "[user@]host:path"; false when it is a path here. */
static bool parse_scp(struct place *p, const char *s)
{
	const char *bracket = *s == '[' || strstr(s, "@[") ? strchr(s, ']')
							   : NULL;
	const char *colon = strchr(bracket ? bracket : s, ':');
	const char *slash = strchr(s, '/');

	if (!colon || (slash && slash < colon))
		return false;
	p->host = mem_strndup(s, (size_t)(colon - s));
	p->path = mem_strdup(colon + 1);
	return true;
}

/* As git does before anything else: "%2d" is '-'. A NUL cannot be. */
static char *percent_decoded(const char *s)
{
	static const char digits[] = "0123456789abcdef";
	struct sbuf out = SBUF_INIT;

	for (; *s; s++) {
		const char *high = s[0] == '%' && s[1]
			? strchr(digits, tolower((unsigned char)s[1])) : NULL;
		const char *low = high && s[2]
			? strchr(digits, tolower((unsigned char)s[2])) : NULL;
		int c = low ? (int)((high - digits) * 16 + (low - digits)) : 0;

		sbuf_putc(&out, c ? (char)c : *s);
		s += c ? 2 : 0;
	}
	return sbuf_detach(&out);
}

/*
 * Judged as ssh or git get it: what begins with '-' would be an option. "x::y"
 * is no host to git, but a helper to run.
 */
static bool is_usable(const struct place *p)
{
	struct err ignored;
	long port;

	if (!p->path || !*p->path || *p->path == '-')
		return false;
	return !p->host || (check_host(p->host, &ignored) == 0 &&
			    (!p->user || text_is_ssh_name(p->user)) &&
			    (!p->port || num_parse(&port, p->port, 1, 65535)) &&
			    *p->path != ':');
}

static int parse_url(struct place *p, const char *given, struct err *e)
{
	static const char *const schemes[] = { "ssh://", "git+ssh://",
					       "ssh+git://" };
	AUTO(auto_free) char *url = strstr(given, "://")
					    ? percent_decoded(given)
					    : mem_strdup(given);
	char *at, *host;
	size_t len;
	bool ok = false;

	for (size_t i = 0; i < 3; i++)
		if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
			ok = parse_ssh(p, url + strlen(schemes[i]));
	if (!ok && strncmp(url, "file:///", 8) == 0)
		p->path = mem_strdup(url + 7);
	else if (!ok && !strstr(url, "://") && !parse_scp(p, url))
		p->path = mem_strdup(url);
	/* "user@[host]" in its parts: ssh wants no brackets */
	at = p->host ? strrchr(p->host, '@') : NULL;
	host = at ? at + 1 : p->host;
	len = host ? strlen(host) : 0;
	if (at)
		p->user = mem_strndup(p->host, (size_t)(at - p->host));
	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		host++;
	}
	if (host && host != p->host)
		memmove(p->host, host, strlen(host) + 1);
	if (!is_usable(p))
		return err_set(e, ERR_INPUT, "is no remote that wgmesh can "
			       "use, expected ssh://HOST/PATH, HOST:PATH, or a "
			       "path on this machine");
	return 0;
}

/* Start what speaks git's protocol as @service ("upload-pack") at @url. */
static int start_service(struct net *n, const char *url, const char *service,
			 struct err *e)
{
	const char *command = getenv("GIT_SSH_COMMAND");
	const char *program = getenv("GIT_SSH");
	AUTO(auto_free) char *set = NULL;
	AUTO(place_done) struct place p = { 0 };
	AUTO(strings_done) struct strings argv = { 0 };
	AUTO(sbuf_done) struct sbuf remote = SBUF_INIT;
	AUTO(auto_free) char *host = NULL;

	if (parse_url(&p, url, e) < 0)
		return -1;
	if (!p.host) {
		strings_add(&argv, "git");
		strings_add(&argv, service);
		strings_add(&argv, p.path);
		return child_start(&n->child, &argv, repo_folder(n->r), e);
	}
	/* ssh by git's rules but for the shell: see core.sshCommand */
	set = repo_config(n->r, "core.sshCommand");
	if (!command || !*command)
		command = set;
	if (!*command)
		strings_add(&argv, program && *program ? program : "ssh");
	else if (words_split(&argv, command, e) < 0)
		return err_wrap(e, "the ssh command of git");
	if (p.port) {
		strings_add(&argv, "-p");
		strings_add(&argv, p.port);
	}
	host = mem_printf("%s%s%s", p.user ? p.user : "", p.user ? "@" : "",
			  p.host);
	strings_add(&argv, host);
	/* "git-upload-pack 'PATH'" for the shell there, quoted as git does */
	sbuf_printf(&remote, "git-%s '", service);
	for (const char *c = p.path; *c; c++)
		if (*c == '\'' || *c == '!')
			sbuf_printf(&remote, "'\\%c'", *c);
		else
			sbuf_putc(&remote, *c);
	sbuf_putc(&remote, '\'');
	strings_add(&argv, sbuf_str(&remote));
	return child_start(&n->child, &argv, repo_folder(n->r), e);
}

static int broken(void)
{
	git_error_set_str(GIT_ERROR_NET, "the connection broke");
	return -1;
}

static int stream_read(git_smart_subtransport_stream *stream, char *buffer,
		       size_t size, size_t *got)
{
	struct net *n = ((struct stream *)stream)->net;
	size_t wrote;

	if (child_move(&n->child, NULL, 0, &wrote, buffer, size, got) < 0)
		return broken();
	n->received += *got;
	return n->received > NET_RECEIVE_MAX ? broken() : 0;
}

static int stream_write(git_smart_subtransport_stream *stream,
			const char *buffer, size_t len)
{
	struct net *n = ((struct stream *)stream)->net;
	size_t wrote, got;

	while (len) {
		if (child_move(&n->child, buffer, len, &wrote, NULL, 0,
			       &got) < 0)
			return broken();
		buffer += wrote;
		len -= wrote;
	}
	return 0;
}

/* It lives in its subtransport. */
static void stream_free(git_smart_subtransport_stream *stream)
{
	(void)stream;
}

static int open_stream(git_smart_subtransport_stream **out,
		       git_smart_subtransport *transport, const char *url,
		       git_smart_service_t service)
{
	struct subtransport *t = (struct subtransport *)transport;
	struct net *n = t->net;
	bool push = service == GIT_SERVICE_RECEIVEPACK_LS ||
		    service == GIT_SERVICE_RECEIVEPACK;

	*out = &t->stream.parent;
	if (service == GIT_SERVICE_UPLOADPACK ||
	    service == GIT_SERVICE_RECEIVEPACK)
		return 0; /* goes on where the list of refs ended */
	child_end(&n->child);
	sbuf_done(&n->child.words);
	if (start_service(n, url, push ? "receive-pack" : "upload-pack",
			  &n->e) == 0)
		return 0;
	n->failed = true;
	git_error_set_str(GIT_ERROR_NET, "no connection");
	return -1;
}

static int transport_close(git_smart_subtransport *transport)
{
	child_end(&((struct subtransport *)transport)->net->child);
	return 0;
}

static void transport_free(git_smart_subtransport *transport)
{
	free(transport);
}

static int subtransport_new(git_smart_subtransport **out, git_transport *owner,
			    void *net)
{
	struct subtransport *t = mem_calloc(1, sizeof *t);

	(void)owner;
	t->net = net;
	t->parent.action = open_stream;
	t->parent.close = transport_close;
	t->parent.free = transport_free;
	t->stream.net = net;
	t->stream.parent.subtransport = &t->parent;
	t->stream.parent.read = stream_read;
	t->stream.parent.write = stream_write;
	t->stream.parent.free = stream_free;
	*out = &t->parent;
	return 0;
}

int net_transport(git_transport **out, git_remote *owner, void *net)
{
	git_smart_subtransport_definition how = { subtransport_new, 0, net };

	return git_transport_smart(out, owner, &how);
}
