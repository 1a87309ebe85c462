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

static int take_found_private(struct found *f, char *line, struct err *e)
{
	if (strcmp(line, "(none)") == 0)
		return 0;
	if (check_key(line, e) < 0)
		return -1;
	secret_set(&f->private_key, line, strlen(line));
	return 0;
}

/* public key, tab, preshared key or "(none)" */
static int take_found_preshared(struct found *f, char *line, struct err *e)
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

/*
 * A line of found.awk: the comment of a peer, a setting that the boot file has,
 * its MTU, or a command to keep. A setting that a deploy writes as well is not lost; a file with
 * more than 64 others is none of wg-quick's.
 */
static int take_boot_line(struct found *f, char *line, struct err *e)
{
	static const char *const kept[] = { "PrivateKey", "Address",
					    "ListenPort" };
	struct found_peer *p;
	char *name;
	long mtu;

	if (strncmp(line, "peer ", 5) == 0 && (name = strchr(line + 5, ' '))) {
		*name++ = '\0';
		p = (struct found_peer *)(uintptr_t)found_peer(f, line + 5);
		if (p && *name)
			mem_replace(&p->name, name);
	} else if (strncmp(line, "set ", 4) == 0 && f->dropped.len < 64) {
		for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
			if (strcasecmp(kept[i], line + 4) == 0)
				return 0;
		for (size_t i = 0; i < f->dropped.len; i++)
			if (strcasecmp(f->dropped.items[i], line + 4) == 0)
				return 0;
		strings_add(&f->dropped, line + 4);
	} else if (strncmp(line, "PostUp ", 7) == 0) {
		return take_hook(&f->post_up, line + 7, e);
	} else if (strncmp(line, "PreDown ", 8) == 0) {
		return take_hook(&f->pre_down, line + 8, e);
	} else if (strncmp(line, "mtu ", 4) == 0) {
		if (num_parse(&mtu, line + 4, 576, 65535))
			f->mtu = (int)mtu;
	} else if (strncmp(line, "peer ", 5) != 0) {
		return report_bad(e, "line", line);
	}
	return 0;
}

int found_parse(struct found *out, const char *text, size_t len,
		const char *nonce, struct err *e)
{
	AUTO(auto_free) char *frame = mem_printf("=%s= ", nonce);
	AUTO(sbuf_done) struct sbuf copy = SBUF_SECRET;
	AUTO(found_done) struct found f = { 0 };
	int (*take)(struct found *, char *, struct err *) = NULL;
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
			vec_sort(&f.peers, found_compare);
		} else if (take && take(&f, line, e) < 0) {
			return err_wrap(e, "what was read besides the probe");
		}
	}
	vec_sort(&f.peers, found_compare);
	*out = f;
	memset(&f, 0, sizeof f);
	return 0;
}
