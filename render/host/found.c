/*
 * What an import asks a host for besides the probe, and the answer.
 */
#include "render/host/found.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "render/host/report.h"
#include "render/host/texts.h"
#include "state/model/model.h"

#include <string.h>
#include <strings.h>

void found_script(struct sbuf *out, const char *interface, bool private_key,
		  const char *nonce)
{
	/* the first line is taken by the probe's shell, which waits for it */
	sbuf_puts(out, ":\nmain() {\nINTERFACE=");
	text_quote(out, interface);
	sbuf_printf(out, " NONCE=%s PRIVATE_KEY=%s AWK=", nonce,
		    private_key ? "1" : "");
	text_quote(out, found_awk);
	sbuf_printf(out, "\n%s%s}\nmain </dev/null\n", section_sh, found_sh);
}

/* ---- lines of the sections; they are cut up ---- */

typedef int line_fn(struct found *f, char *line, struct err *e);

static int take_private(struct found *f, char *line, struct err *e)
{
	if (strcmp(line, "(none)") == 0)
		return 0;
	if (check_key(line, e) < 0)
		return -1;
	secret_set(&f->private_key, line, strlen(line));
	return 0;
}

/* public key, tab, preshared key or "(none)" */
static int take_preshared(struct found *f, char *line, struct err *e)
{
	char *key = strchr(line, '\t');
	struct found_peer *p;

	if (!key)
		return err_set(e, ERR_INPUT, "a peer without its fields");
	*key++ = '\0';
	if (check_key(line, e) < 0 ||
	    (strcmp(key, "(none)") != 0 && check_key(key, e) < 0))
		return -1;
	p = vec_add(&f->peers);
	p->public_key = mem_strdup(line);
	if (*key != '(')
		secret_set(&p->preshared_key, key, strlen(key));
	return 0;
}

static void take_name(struct found *f, char *text)
{
	char *name = strchr(text, ' ');
	struct found_peer *p;

	if (!name)
		return;
	*name++ = '\0';
	p = (struct found_peer *)(uintptr_t)found_peer(f, text);
	if (p && *name)
		mem_replace(&p->name, name);
}

/* What a deploy writes as well is not lost. */
static void take_setting(struct found *f, const char *name)
{
	static const char *const kept[] = { "PrivateKey", "Address",
					    "ListenPort" };

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (strcasecmp(kept[i], name) == 0)
			return;
	for (size_t i = 0; i < f->dropped.len; i++)
		if (strcasecmp(f->dropped.items[i], name) == 0)
			return;
	strings_add(&f->dropped, name);
}

static int take_boot(struct found *f, char *line, struct err *e)
{
	long mtu;

	if (strncmp(line, "peer ", 5) == 0)
		take_name(f, line + 5);
	else if (strncmp(line, "set ", 4) == 0 && f->dropped.len < 64)
		take_setting(f, line + 4);
	else if (strncmp(line, "mtu ", 4) != 0)
		return report_bad(e, "line", line);
	else if (num_parse(&mtu, line + 4, 576, 65535))
		f->mtu = (int)mtu;
	return 0;
}

static line_fn *section_of(const char *name)
{
	if (strcmp(name, "private") == 0)
		return take_private;
	if (strcmp(name, "preshared") == 0)
		return take_preshared;
	return strcmp(name, "boot") == 0 ? take_boot : NULL;
}

static int parse_lines(struct found *f, char *text, const char *frame,
		       struct err *e)
{
	line_fn *take = NULL;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, frame, strlen(frame)) == 0) {
			take = section_of(line + strlen(frame));
			vec_sort(&f->peers, found_compare);
		} else if (take && take(f, line, e) < 0) {
			return err_wrap(e, "what was read besides the probe");
		}
	}
	vec_sort(&f->peers, found_compare);
	return 0;
}

int found_parse(struct found *out, const char *text, size_t len,
		const char *nonce, struct err *e)
{
	AUTO(auto_free) char *frame = mem_printf("=%s= ", nonce);
	AUTO(sbuf_done) struct sbuf copy = SBUF_SECRET;
	AUTO(found_done) struct found f = { 0 };

	copy.max = len + 1;
	sbuf_add(&copy, text, len);
	if (len && parse_lines(&f, copy.s, frame, e) < 0)
		return -1;
	*out = f;
	memset(&f, 0, sizeof f);
	return 0;
}
