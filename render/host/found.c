/*
 * What an import asks a host for besides the probe, and the answer. Private and
 * preshared keys are in it, so it is only ever copied into a secret buffer.
 */
#include "render/host/found.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "render/host/report.h"
#include "render/host/texts.h"
#include "state/inventory/inventory.h"
#include "state/model/model.h"

#include <string.h>
#include <strings.h>

void found_script(struct sbuf *out, const char *interface, bool private_key,
		  bool hooks, const char *nonce)
{
	/* the first line is taken by the probe's shell, which waits for it */
	sbuf_puts(out, ":\nmain() {\nINTERFACE=");
	text_quote(out, interface);
	sbuf_printf(out, " NONCE=%s PRIVATE_KEY=%s HOOKS=%s AWK=", nonce,
		    private_key ? "1" : "", hooks ? "1" : "");
	text_quote(out, found_awk);
	sbuf_printf(out, "\n%s%s}\nmain </dev/null\n", section_sh, found_sh);
}

/* ---- lines of the sections; they are cut up ---- */

struct reading {
	struct found f;
	struct naming naming;
	struct found_peer *peer; /* of the section that is read; or NULL */
};

static void reading_done(struct reading *r)
{
	found_done(&r->f);
	naming_done(&r->naming);
}

static int take_found_private(struct reading *r, char *line, struct err *e)
{
	if (strcmp(line, "(none)") == 0)
		return 0;
	if (check_key(line, e) < 0)
		return -1;
	secret_set(&r->f.private_key, line, strlen(line));
	return 0;
}

/* public key, tab, preshared key or "(none)" */
static int take_found_preshared(struct reading *r, char *line, struct err *e)
{
	char *key = strchr(line, '\t');
	struct found_peer *p;

	if (!key)
		return err_set(e, ERR_INPUT, "a peer without its fields");
	*key++ = '\0';
	if (check_key(line, e) < 0 ||
	    (strcmp(key, "(none)") != 0 && check_key(key, e) < 0))
		return -1;
	p = vec_add(&r->f.peers);
	p->public_key = mem_strdup(line);
	if (*key != '(')
		secret_set(&p->preshared_key, key, strlen(key));
	return 0;
}

static int take_hook(struct strings *list, const char *command, struct err *e)
{
	if (list->len == HOOKS_MAX)
		return err_set(e, ERR_INPUT, "more than %d commands of a kind",
			       HOOKS_MAX);
	if (check_hook(command, e) < 0)
		return err_wrap(e, "PostUp or PreDown of the boot file");
	strings_add(list, command);
	return 0;
}

/* The section ends: its peer has the name that comments gave to it. */
static void name_peer(struct reading *r)
{
	if (r->peer && r->naming.name)
		mem_replace(&r->peer->name, r->naming.name);
	mem_replace(&r->naming.name, NULL);
	r->peer = NULL;
}

/* A line of the file by its kind, as found.awk says it. */
static int take_line(struct reading *r, char *line, struct err *e)
{
	static const struct { char kind; enum naming_line is; } kinds[] = {
		{ 'c', NAMING_COMMENT }, { 'p', NAMING_PEER },
		{ 'i', NAMING_INTERFACE }, { 'k', NAMING_KEY },
		{ 's', NAMING_OTHER },
	};
	const char *comment = line[0] && line[1] == ' ' ? line + 2 : NULL;

	if (*line == 'p' || *line == 'i')
		name_peer(r);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (*line == kinds[i].kind && (comment || !line[1])) {
			naming_line(&r->naming, kinds[i].is, comment);
			return 0;
		}
	return report_bad(e, "line", line);
}

/* A deploy writes some as well; more than 64 others are no file of wg-quick. */
static void take_dropped(struct found *f, const char *name)
{
	static const char *const kept[] = { "PrivateKey", "Address",
					    "ListenPort" };

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (strcasecmp(kept[i], name) == 0)
			return;
	for (size_t i = 0; i < f->dropped.len; i++)
		if (strcasecmp(f->dropped.items[i], name) == 0)
			return;
	if (f->dropped.len < 64)
		strings_add(&f->dropped, name);
}

/*
 * A line of found.awk: a line of the boot file by its kind, the key of a peer,
 * a setting that it has, its MTU, or a command to keep.
 */
static int take_boot_line(struct reading *r, char *line, struct err *e)
{
	struct found *f = &r->f;
	long mtu;

	if (strncmp(line, "line ", 5) == 0)
		return take_line(r, line + 5, e);
	if (strncmp(line, "PostUp ", 7) == 0)
		return take_hook(&f->post_up, line + 7, e);
	if (strncmp(line, "PreDown ", 8) == 0)
		return take_hook(&f->pre_down, line + 8, e);
	if (strncmp(line, "peer ", 5) == 0)
		r->peer = (struct found_peer *)(uintptr_t)
			found_peer(f, line + 5);
	else if (strncmp(line, "set ", 4) == 0)
		take_dropped(f, line + 4);
	else if (strncmp(line, "mtu ", 4) == 0)
		f->mtu = num_parse(&mtu, line + 4, 576, 65535) ? (int)mtu
							       : f->mtu;
	else
		return report_bad(e, "line", line);
	return 0;
}

int found_parse(struct found *out, const char *text, size_t len,
		const char *nonce, struct err *e)
{
	AUTO(auto_free) char *frame = mem_printf("=%s= ", nonce);
	AUTO(sbuf_done) struct sbuf copy = SBUF_SECRET;
	AUTO(reading_done) struct reading r = { 0 };
	int (*take)(struct reading *, char *, struct err *) = NULL;
	char *save = NULL;

	copy.max = len + 1;
	sbuf_add(&copy, text, len);
	for (char *line = len ? strtok_r(copy.s, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, frame, strlen(frame)) == 0) {
			const char *name = line + strlen(frame);

			take = strcmp(name, "private") == 0 ? take_found_private
			       : strcmp(name, "preshared") == 0
				       ? take_found_preshared
			       : strcmp(name, "boot") == 0 ? take_boot_line
							   : NULL;
			name_peer(&r); /* the peers move */
			vec_sort(&r.f.peers, found_compare);
		} else if (take && take(&r, line, e) < 0) {
			return err_wrap(e, "what was read besides the probe");
		}
	}
	name_peer(&r);
	vec_sort(&r.f.peers, found_compare);
	*out = r.f;
	memset(&r.f, 0, sizeof r.f);
	return 0;
}
