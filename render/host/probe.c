/*
 * The command of the probe: probe.sh and probe.awk with what they are told.
 */
#include "render/host/probe.h"

#include "base/mem.h"
#include "base/text.h"
#include "render/host/texts.h"

/* The whole report as one shell text, with its variables set. */
static void report_text(struct sbuf *out, const struct probe_request *request)
{
	sbuf_puts(out, "INTERFACE=");
	text_quote(out, request->interface);
	sbuf_puts(out, " NONCE=");
	text_quote(out, request->nonce);
	sbuf_puts(out, " KNOWN_NAME=");
	text_quote(out, request->known_hostname ? request->known_hostname
						: "");
	sbuf_puts(out, " AWK=");
	text_quote(out, probe_awk);
	sbuf_printf(out, "\n%s%s%s", section_sh, lock_sh, probe_sh);
}

void probe_command(struct sbuf *out, const struct probe_request *request)
{
	struct sbuf text = SBUF_INIT;

	report_text(&text, request);
	sbuf_puts(out, "exec ");
	if (request->sudo)
		sbuf_puts(out, "sudo -n ");
	sbuf_puts(out, "sh -c ");
	text_quote(out, sbuf_str(&text));
	sbuf_puts(out, request->local ? " sh ''" : " sh \"$SSH_CONNECTION\"");
	sbuf_done(&text);
}

char *probe_end(const char *nonce)
{
	return mem_printf("=%s= end", nonce);
}
