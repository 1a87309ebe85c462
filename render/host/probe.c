/*
 * The command of the probe: probe.sh and probe.awk with what they are told.
 */
#include "render/host/probe.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "render/host/texts.h"

void probe_command(struct sbuf *out, const struct probe_request *request)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	sbuf_puts(&text, "INTERFACE=");
	text_quote(&text, request->interface);
	sbuf_puts(&text, " NONCE=");
	text_quote(&text, request->nonce);
	sbuf_puts(&text, " KNOWN_NAME=");
	text_quote(&text, request->known_hostname ? request->known_hostname
						  : "");
	sbuf_puts(&text, " AWK=");
	text_quote(&text, probe_awk);
	sbuf_printf(&text, "\n%s%s%s", section_sh, lock_sh, probe_sh);
	sbuf_puts(out, "exec ");
	if (request->sudo)
		sbuf_puts(out, "sudo -n ");
	/* one word for the login shell, whichever that is, and for sudo */
	sbuf_puts(out, "sh -c ");
	text_quote(out, sbuf_str(&text));
	sbuf_puts(out, request->local ? " sh ''" : " sh \"$SSH_CONNECTION\"");
}

char *probe_end(const char *nonce)
{
	return mem_printf("=%s= end", nonce);
}
