#include "render/observed.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

/*
 * The report. Runs under any POSIX sh, BusyBox's too, as root. Variables:
 * I interface, N nonce, K the host name known so far, $1 SSH_CONNECTION.
 * Sections are framed by lines that carry the nonce, so that nothing else on
 * the host (a chatty shell start file, say) is taken for an answer.
 */
static const char report[] =
	"f() { printf '\\n=%s= %s\\n' \"$N\" \"$1\"; }\n"
	/* numbers in /proc/sys end without the newline that read asks for */
	"v() { x=; [ -r \"$2\" ] && { read -r x <\"$2\"; [ -n \"$x\" ]; } && printf '%s=%s\\n' \"$1\" \"$x\"; }\n"
	"c() { command -v \"$2\" >/dev/null 2>&1 && printf '%s=1\\n' \"$1\"; }\n"
	"T=$(printf '\\t')\n"
	"B=/etc/wireguard/$I.conf\n"
	"D=/etc/sysctl.d/90-wgmesh-$I.conf\n"
	/* not in the midst of another deploy; opened for reading: nothing changes */
	"L=/run/wgmesh-$I.lock\n"
	"f host\n"
	"if [ -r \"$L\" ] && command -v flock >/dev/null; then exec 9<\"$L\"; flock -s -w 5 9 || echo busy=1; exec 9<&-; fi\n"
	"printf 'uid=%s\\nnow=%s\\nssh=%s\\n' \"$(id -u)\" \"$(date +%s)\" \"$1\"\n"
	"v hostname /proc/sys/kernel/hostname\n"
	"[ \"$x\" = \"$K\" ] || printf 'fqdn=%s\\n' \"$(timeout 2 hostname -f 2>/dev/null)\"\n"
	"v forward4 /proc/sys/net/ipv4/ip_forward\n"
	"v forward6 /proc/sys/net/ipv6/conf/all/forwarding\n"
	"c wg wg; c ip ip; c apt apt-get\n"
	"[ -d /run/systemd/system ] && echo systemd=1\n"
	"[ -L \"/etc/systemd/system/multi-user.target.wants/wg-quick@$I.service\" ] && echo enabled=1\n"
	"f address\n"
	"ip -o addr show 2>/dev/null\n"
	"if [ -d \"/sys/class/net/$I\" ]; then\n"
	"f link\n"
	"ip -o link show dev \"$I\"\n"
	"f dump\n"
	"wg show \"$I\" dump | sed -e \"1s/^[^$T]*$T//\" -e \"2,\\$s/^\\([^$T]*\\)$T[^($T][^$T]*$T/\\1$T(set)$T/\"\n"
	"f route4\n"
	"ip -4 route show dev \"$I\"\n"
	"f route6\n"
	"ip -6 route show dev \"$I\" 2>/dev/null\n"
	"fi\n"
	"if [ -f \"$B\" ]; then\n"
	"f boot\n"
	"sed 1d \"$B\" | sha256sum\n"
	"sed -n -e '1{s/^# managed by wgmesh/&/p' -e '}' -e 's/^ *[Pp][Uu][Bb][Ll][Ii][Cc][Kk][Ee][Yy] *= */key /p' -e 's/^ *[Ee][Nn][Dd][Pp][Oo][Ii][Nn][Tt] *= */endpoint /p' \"$B\"\n"
	"fi\n"
	"if [ -f \"$D\" ]; then\n"
	"f dropin\n"
	"cat \"$D\"\n"
	"fi\n"
	"f end\n";

/* The whole report as one shell text, with its variables set. */
static void report_text(struct sbuf *out, const struct probe_request *request)
{
	sbuf_puts(out, "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\n"
		       "export PATH\nexport LC_ALL=C\nI=");
	text_quote(out, request->interface);
	sbuf_puts(out, " N=");
	text_quote(out, request->nonce);
	sbuf_puts(out, " K=");
	text_quote(out, request->known_hostname ? request->known_hostname
						: "");
	sbuf_puts(out, "\n{\n");
	sbuf_puts(out, report);
	sbuf_puts(out, "} </dev/null 2>/dev/null\nexec sh\n");
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
