/*
 * The probe: its command, which is probe.sh and probe.awk with what they are
 * told, and its answer, section by section, into a struct observed. What a host
 * prints besides the frames is passed over, an unknown section is an error:
 * nobody but our own probe knows the nonce.
 */
#include "render/host/probe.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "render/host/report.h"
#include "render/host/texts.h"
#include "state/model/model.h"

#include <string.h>

/** Bytes of a word: the C shell of BSD takes 1023. */
#define WORD_MAX 1000

/*
 * Append @text in words that every login shell reads the same way (POSIX's, csh
 * and tcsh, fish, zsh): one line of single quotes, without what one of them
 * looks at in those. printf's %b makes the text of the words again.
 */
static void put_words(struct sbuf *out, const char *text)
{
	size_t len = 0;

	sbuf_puts(out, " '");
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		bool plain = c >= ' ' && c < 0x7f && !strchr("'\\!", c);
		char code[8];

		snprintf(code, sizeof code, c == '\n' ? "\\n" :
			 plain ? "%c" : "\\0%03o", c);
		if (len + strlen(code) > WORD_MAX) {
			sbuf_puts(out, "' '");
			len = 0;
		}
		sbuf_puts(out, code);
		len += strlen(code);
	}
	sbuf_putc(out, '\'');
}

/* The login's own text: how it becomes root. */
static void put_rise(struct sbuf *out, const struct probe_request *request)
{
	AUTO(auto_free) char *prompt = probe_prompt(request->nonce);

	sbuf_puts(out, "PROMPT=");
	text_quote(out, request->password ? prompt : "");
	sbuf_printf(out, "\n%s", rise_sh);
}

static void put_probe(struct sbuf *out, const struct probe_request *request)
{
	sbuf_puts(out, "INTERFACE=");
	text_quote(out, request->interface);
	sbuf_printf(out, " PORT=%d NONCE=", request->port);
	text_quote(out, request->nonce);
	sbuf_puts(out, " KNOWN_NAME=");
	text_quote(out, request->known_hostname ? request->known_hostname
						  : "");
	sbuf_puts(out, " AWK=");
	text_quote(out, probe_awk);
	sbuf_puts(out, " FORWARD=");
	text_quote(out, request->forwards ? forward_awk : "");
	sbuf_printf(out, "\n%s%s%s", section_sh, lock_sh, probe_sh);
}

void probe_text(struct sbuf *out, const struct probe_request *request)
{
	if (request->sudo) {
		put_rise(out, request);
		sbuf_puts(out, "# and as root\n");
	}
	put_probe(out, request);
}

void probe_command(struct sbuf *out, const struct probe_request *request)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf rise = SBUF_INIT;

	/* an SSH connection of the user's own says nothing of this machine */
	if (request->local)
		sbuf_puts(out, "unset SSH_CONNECTION; ");
	if (request->sudo) {
		put_rise(&rise, request);
		sbuf_puts(out, "exec sh -c 'eval \"$(printf %b \"$1\")\"' sh");
		put_words(out, sbuf_str(&rise));
	} else {
		sbuf_puts(out, "exec sh -c 'probe=$(printf %b \"$@\"); "
			  "set -- \"$SSH_CONNECTION\"; eval \"$probe\"' sh");
	}
	put_probe(&text, request);
	put_words(out, sbuf_str(&text));
}

char *probe_prompt(const char *nonce)
{
	return mem_printf("wgmesh %s: ", nonce);
}

char *probe_end(const char *nonce)
{
	return mem_printf("=%s= end", nonce);
}

/* ---- the answer ---- */

/** How long after its clock a host may read its handshakes (seconds). */
#define REPORT_TAKES 120

static const struct {
	const char *name;
	report_line *parse;
} sections[] = {
	{ "host", report_host },     { "address", report_address },
	{ "link", report_link },     { "dump", report_dump },
	{ "route4", report_route4 }, { "route6", report_route6 },
	{ "boot", report_boot },     { "dropin", report_dropin },
	{ "main4", report_main4 },   { "main6", report_main6 },
	{ "links", report_links },   { "names", report_names },
	{ "firewall", report_firewall },
};

/* A section's text runs to the next frame line; returns where that starts. */
static char *section_end(char *text, const char *frame)
{
	for (char *p = text; p; p = strchr(p, '\n')) {
		if (*p == '\n')
			p++;
		if (strncmp(p, frame, strlen(frame)) == 0)
			return p;
		if (!*p)
			break;
	}
	return text + strlen(text);
}

static int parse_sections(struct observed *o, char *text, const char *nonce,
			  struct err *e)
{
	const size_t n = sizeof sections / sizeof *sections;
	AUTO(auto_free) char *frame = mem_printf("=%s= ", nonce);
	char *p = section_end(text, frame);

	/* what a chatty shell printed before the first frame is passed over */
	while (*p) {
		char *name = p + strlen(frame);
		char *body = name + strcspn(name, "\n");
		size_t i = 0;
		char saved;

		if (*body)
			*body++ = '\0';
		p = section_end(body, frame);
		while (i < n && strcmp(sections[i].name, name) != 0)
			i++;
		if (i == n)
			return report_bad(e, "section", name);
		saved = *p;
		*p = '\0';
		if (report_each(o, body, sections[i].parse, e) < 0)
			return err_wrap(e, "section '%s'", name);
		*p = saved;
	}
	return 0;
}

static int compare_observed_peers(const void *a, const void *b)
{
	const struct observed_peer *x = a;
	const struct observed_peer *y = b;

	return wgkey_compare(x->public_key, y->public_key);
}

/* A lock with our own nonce is that of a script of this very run. */
static int check_complete(const struct observed *o, const char *nonce,
			  struct err *e)
{
	if (!o->hostname || !o->now)
		return err_set(e, ERR_REMOTE, "the report came back without "
			       "the host's name and clock");
	if (!o->is_root)
		return err_set(e, ERR_REMOTE, "logged in without root's "
			       "rights");
	if (o->busy && !(o->lock_token && strcmp(o->lock_token, nonce) == 0))
		return err_set(e, ERR_CONFLICT, "another deploy is at work "
			       "there (%s); try again when it is done",
			       o->busy);
	if (!o->has_ip)
		return err_set(e, ERR_REMOTE, "there is no 'ip' command on "
			       "the host; install iproute2");
	return 0;
}

int observed_parse(struct observed *out, const char *text, size_t len,
		   const struct probe_request *request, struct err *e)
{
	AUTO(auto_free) char *copy = mem_strndup(text, len);
	struct observed o = { .boot_hash = TEXT_HASH_START,
			      .max = OBSERVED_MAX + 4 * request->size };

	if (parse_sections(&o, copy, request->nonce, e) < 0 ||
	    check_complete(&o, request->nonce, e) < 0) {
		observed_done(&o);
		return err_wrap(e, "probe");
	}
	if (!o.exists)
		o.listen_port = 0;
	if (!o.public_key)
		o.public_key = mem_strdup("");
	if (!o.lock_token)
		o.lock_token = mem_strdup("");
	if (!o.ssh_client)
		o.ssh_client = mem_strdup("");
	if (!o.ssh_server)
		o.ssh_server = mem_strdup("");
	vec_sort(&o.peers, compare_observed_peers);
	/* what is later than the report can have taken is no handshake */
	for (size_t i = 0; i < o.peers.len; i++)
		if (o.peers.items[i].handshake > o.now + REPORT_TAKES)
			o.peers.items[i].handshake = 0;
	*out = o;
	return 0;
}
