#include "render/host/probe.h"

#include "base/mem.h"
#include "base/text.h"
#include "render/host/host_lock.h"

#include <string.h>

/*
 * The report. Runs under any POSIX sh, BusyBox's too, as root. Variables:
 * I interface, N nonce, K the host name known so far, A report_awk, $1
 * SSH_CONNECTION. Sections are framed by lines that carry the nonce, so that
 * nothing else on the host (a chatty shell start file, say) is taken for an
 * answer.
 *
 * Processes are nearly all of its cost, over 1 ms of CPU each, so there are
 * three: ip, wg, awk. What the shell can do itself it does.
 */
static const char report[] =
	"f() { printf '\\n=%s= %s\\n' \"$N\" \"$1\"; }\n"
	/* numbers in /proc/sys end without the newline that read asks for */
	"v() { x=; [ -r \"$2\" ] && { read -r x <\"$2\"; [ -n \"$x\" ]; } && printf '%s=%s\\n' \"$1\" \"$x\"; }\n"
	"c() { command -v \"$2\" >/dev/null 2>&1 && printf '%s=1\\n' \"$1\"; }\n"
	"S=/sys/class/net/$I\n"
	"B=/etc/wireguard/$I.conf\n"
	"Y=/etc/wireguard/$I.key\n"
	"D=/etc/sysctl.d/90-wgmesh-$I.conf\n"
	/* not in the midst of another deploy; the lock file is read before all
	 * else, for what its token says is older than that */
	HOST_LOCK_TEXT
	"held() { if command -v flock >/dev/null; then ! flock -s -n 0 <&9; else others; fi; }\n"
	"f host\n"
	/* an empty line each second, for the patience of who waits for us */
	"l; if [ -n \"$w\" ]; then exec 9<\"$L\"; i=0; while held; do [ $i -lt 5 ] || { printf 'busy=%s\\n' \"$w\"; break; }; i=$((i + 1)); echo; sleep 1; done; l; exec 9<&-; fi\n"
	"printf 'lock=%s\\n' \"$t\"\n"
	"if [ -O / ]; then x=0; else x=$(id -u); fi\n"
	"printf 'uid=%s\\nssh=%s\\n' \"$x\" \"$1\"\n"
	"v hostname /proc/sys/kernel/hostname\n"
	"[ \"$x\" = \"$K\" ] || printf 'fqdn=%s\\n' \"$(timeout 2 hostname -f 2>/dev/null)\"\n"
	"v forward4 /proc/sys/net/ipv4/ip_forward\n"
	"v forward6 /proc/sys/net/ipv6/conf/all/forwarding\n"
	"c wg wg; c ip ip; c apt apt-get\n"
	"[ -d /run/systemd/system ] && echo systemd=1\n"
	"[ -L \"/etc/systemd/system/multi-user.target.wants/wg-quick@$I.service\" ] && echo enabled=1\n"
	"[ -f \"$Y\" ] && { echo keyfile=1; printf 'hostkey=%s\\n' \"$(wg pubkey <\"$Y\")\"; }\n"
	"o=; [ -d \"$S\" ] && o=\"route show dev $I\n"
	"link show dev $I\n"
	"route show root ::/0 table all dev $I\"\n"
	/* BusyBox's ip knows no -batch and prints nothing then */
	"n() { ip -o -batch - <<E || { ip -o addr show; [ -z \"$o\" ] || { ip -4 route show dev \"$I\"; ip -o link show dev \"$I\"; ip -6 route show dev \"$I\"; }; ip -o link show dev lo; ip -4 route show; ip -o link show; ip -6 route show; }\n"
	"addr show\n"
	"$o\n"
	"link show dev lo\n"
	"route show\n"
	"link show\n"
	"route show root ::/0 table all\n"
	"E\n"
	"}\n"
	"if [ -f \"$B\" ]; then b=$B; else b=/dev/null; fi\n"
	"{ n; [ -z \"$o\" ] || { echo; exec wg show \"$I\" dump; }; } |\n"
	"awk -F '\t' -v OFS='\t' -v n=\"$N\" -v i=\"$I\" -v own=\"${o:+1}\" \"$A\" - part=3 \"$b\"\n"
	"if [ -f \"$D\" ]; then\n"
	"f dropin\n"
	"cat \"$D\"\n"
	"fi\n"
	"f end\n";

/*
 * What awk does, by part:
 * 0  The clock: the second srand() returns what the first one took from it.
 *    Then what ip says: all addresses; of our interface, if there is one, its
 *    version 4 routes, itself, its version 6 routes; lo, which only parts what
 *    is before from the main table's version 4 routes; all interfaces, which
 *    part those from the version 6 ones. Only addresses and interfaces begin
 *    with a number and a colon; only other tables than main are named. Of long
 *    lists the first 500 are enough, with all default routes.
 * 2  `wg show dump` without its secrets.
 * 3  The boot file: of ours every line behind a bar, without secrets; of a
 *    foreign one just the peers. And its public key if it is not the
 *    interface's.
 */
static const char report_awk[] =
	"function frame(s) { printf \"\\n=%s= %s\\n\", n, s }\n"
	"BEGIN { srand(); t = sprintf(\"%.0f\", srand())\n"
	"if (length(t) < 10) \"date +%s\" | getline t\n"
	"frame(\"host\"); print \"now=\" t; frame(\"address\"); s = !own }\n"
	"!part && /^$/ { part = 1; frame(\"dump\"); next }\n"
	"!part && /^[0-9]+: [^<]*$/ { print; next }\n"
	"!part && /^[0-9]+: / { s++\n"
	"if (s == 1) { frame(\"link\"); print; frame(\"route6\") }\n"
	"else if (s == 2) frame(\"main4\")\n"
	"else { if (s == 3) frame(\"links\"); if (s < 503 && match($0, / mtu [0-9]+/)) print substr($0, 1, RSTART + RLENGTH - 1) }\n"
	"next }\n"
	"!part && s > 1 { if (s > 2 && !six++) { frame(\"main6\"); r = 0 }\n"
	"if (!/ table / && !index($0 \" \", \" dev \" i \" \") && (/^default/ || r++ < 500)) print\n"
	"next }\n"
	"!part { if (!s && !four++) frame(\"route4\"); if (!/ table /) print; next }\n"
	"part == 1 { key = $1; part = 2; print substr($0, length($1) + 2); next }\n"
	"part == 2 { if ($2 !~ /^[(]/) $2 = \"(set)\"; print; next }\n"
	"FNR == 1 { frame(\"boot\"); ours = /^# managed by wgmesh/; print ours ? $0 : \"|\"; next }\n"
	"/[Kk][Ee][Yy]/ && tolower($0) ~ /^[ \t]*privatekey[ \t]*=/ { k = $0\n"
	"sub(/^[^=]*=[ \t]*/, \"\", k); sub(/[ \t\r#].*/, \"\", k)\n"
	"if (ours) print /^PrivateKey = / ? \"|PrivateKey = (hidden)\" : \"|(secret)\"\n"
	"if (k != key) { printf \"public \"; fflush(); print k | \"wg pubkey\"; close(\"wg pubkey\"); print \"\" }\n"
	"next }\n"
	"/[Kk][Ee][Yy]/ && tolower($0) ~ /privatekey|presharedkey/ { if (ours) print /^PresharedKey = / ? \"|PresharedKey = (hidden)\" : \"|(secret)\"; next }\n"
	"ours || tolower($0) ~ /^ *(publickey|endpoint) *=/ { print \"|\" $0 }\n";

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
	sbuf_puts(out, " A=");
	text_quote(out, report_awk);
	sbuf_puts(out, "\n{\n");
	sbuf_puts(out, report);
	/* no second shell where no script comes: see script_text() */
	sbuf_puts(out, "} </dev/null 2>/dev/null\nread -r x && exec sh\n");
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
