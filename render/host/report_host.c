/*
 * The parts of the probe's report that tell of the host itself, its boot file
 * and its drop-in.
 */
#include "render/host/report.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "render/wgquick.h"
#include "state/model/model.h"

#include <string.h>
#include <strings.h>

/* The last second of the year 9999. */
#define CLOCK_MAX UINT64_C(253402300799)

/* An address without the zone that link-local ones carry. */
static bool parse_zoned(struct ip *out, char *s)
{
	s[strcspn(s, "%")] = '\0';
	return ip_parse(out, s);
}

/* SSH_CONNECTION: client address, client port, server address, server port */
static int set_connection(struct observed *o, char *value, struct err *e)
{
	struct fields f;
	struct ip a, b;
	char text[ADDR_TEXT_MAX];

	fields_split(&f, value, " ");
	if (f.n == 0)
		return 0;
	if (f.n != 4 || !parse_zoned(&a, f.f[0]) || !parse_zoned(&b, f.f[2]))
		return report_bad(e, "SSH_CONNECTION", f.f[0]);
	mem_replace(&o->ssh_client, ip_text(&a, text));
	mem_replace(&o->ssh_server, ip_text(&b, text));
	return 0;
}

/* At most as long as a name in DNS (RFC 1035); some go into messages. */
static int set_words(char **slot, const char *what, const char *value,
		     struct err *e)
{
	if (strlen(value) > 253 || !text_is_printable(value))
		return report_bad(e, what, value);
	mem_replace(slot, *value ? value : NULL);
	return 0;
}

static int set_key(char **slot, const char *value, struct err *e)
{
	struct err ignored;

	if (*value && check_key(value, &ignored) < 0)
		return report_bad(e, "public key", value);
	mem_replace(slot, *value ? value : NULL);
	return 0;
}

int report_host(struct observed *o, char *line, struct err *e)
{
	char *value = strchr(line, '=');
	uint64_t n = 0;
	bool is_number;

	if (!value)
		return report_bad(e, "line", line);
	*value++ = '\0';
	is_number = num_parse_u64(&n, value);
	if (strcmp(line, "uid") == 0)
		o->is_root = strcmp(value, "0") == 0;
	else if (strcmp(line, "now") == 0) {
		/* a wrong clock is the host's affair; one that no clock shows
		   is not */
		if (!is_number || n > CLOCK_MAX)
			return report_bad(e, "clock", value);
		o->now = (int64_t)n;
	} else if (strcmp(line, "ssh") == 0)
		return set_connection(o, value, e);
	else if (strcmp(line, "hostname") == 0)
		return set_words(&o->hostname, "host name", value, e);
	else if (strcmp(line, "fqdn") == 0)
		return set_words(&o->fqdn, "host name", value, e);
	else if (strcmp(line, "forward4") == 0)
		o->forward4 = n == 1;
	else if (strcmp(line, "forward6") == 0)
		o->forward6 = n == 1;
	else if (strcmp(line, "no_ipv6") == 0)
		o->no_ipv6 = n == 1;
	else if (strcmp(line, "port_holder") == 0)
		return set_words(&o->port_holder, "holder of the port",
				 *value ? value : "another program", e);
	else if (strcmp(line, "busy") == 0)
		return set_words(&o->busy, "holder of the lock",
				 *value ? value : "it does not say who", e);
	else if (strcmp(line, "lock") == 0) {
		if (strlen(value) > 64 ||
		    value[strspn(value, "0123456789abcdef")] != '\0')
			return report_bad(e, "token", value);
		mem_replace(&o->lock_token, value);
	} else if (strcmp(line, "wg") == 0)
		o->has_wg = true;
	else if (strcmp(line, "ip") == 0)
		o->has_ip = true;
	else if (strcmp(line, "apt") == 0)
		o->has_apt = true;
	else if (strcmp(line, "systemd") == 0)
		o->has_systemd = true;
	else if (strcmp(line, "keyfile") == 0)
		o->has_key_file = true;
	else if (strcmp(line, "hostkey") == 0)
		return set_key(&o->host_key, value, e);
	else if (strcmp(line, "enabled") == 0)
		o->unit_enabled = true;
	else
		return report_bad(e, "line", line);
	return 0;
}

/*
 * "# managed by wgmesh, mesh <id>, serial <n>, proof <hex>" as
 * render/wgquick.c writes it; what stands there as a proof is one, good or not.
 */
static void parse_marker(struct observed *o, char *line)
{
	struct fields f;
	const char *id, *serial;

	fields_split(&f, line, " ,");
	id = fields_after(&f, "mesh");
	serial = fields_after(&f, "serial");
	if (!id || !serial || !num_parse_u64(&o->boot_serial, serial))
		return;
	mem_replace(&o->boot_mesh_id, id);
	mem_replace(&o->boot_proof, fields_after(&f, "proof"));
	o->boot = BOOT_MARKED;
}

/* "Name = value" of a boot file, as wg-quick reads it; value or NULL. */
static char *boot_setting(char *line, const char *name)
{
	size_t len = strlen(name);

	line += strspn(line, " \t");
	if (strncasecmp(line, name, len) != 0) /* as wg-quick compares */
		return NULL;
	line += len + strspn(line + len, " \t");
	if (*line != '=')
		return NULL;
	line += 1 + strspn(line + 1, " \t");
	line[strcspn(line, " \t#")] = '\0';
	return line;
}

/* "PostUp 5": a setting of a file that is not ours, and its line. */
static int take_lost(struct observed *o, char *line, struct err *e)
{
	size_t len = strcspn(line, " ");
	long number;

	if (len > 10 || strspn(line, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != len ||
	    line[len] != ' ' || !num_parse(&number, line + len + 1, 1, 1000000))
		return report_bad(e, "setting", line);
	line[len] = '\0';
	if (o->boot_lost.len < BOOT_LOST_MAX)
		strings_printf(&o->boot_lost, "%s (line %ld)", line, number);
	return 0;
}

int report_boot(struct observed *o, char *line, struct err *e)
{
	size_t n = o->boot_peers.len;
	const char *value;
	long mtu;

	if (o->boot == BOOT_NONE)
		o->boot = BOOT_FOREIGN;
	if (*line == '#') {
		parse_marker(o, line);
		return 0;
	}
	if (strncmp(line, "lost ", 5) == 0)
		return take_lost(o, line + 5, e);
	if (strncmp(line, "public ", 7) == 0)
		return set_key(&o->boot_public_key, line + 7, e);
	if (*line != '|')
		return report_bad(e, "line", line);
	line++;
	o->boot_hash = text_hash(o->boot_hash, line, strlen(line));
	o->boot_hash = text_hash(o->boot_hash, "\n", 1);
	if (!*line || strcmp(line, WGQUICK_HOOKS) == 0)
		o->in_hooks = *line != '\0';
	else if (o->in_hooks && o->boot_hooks.len < 2 * HOOKS_MAX)
		strings_add(&o->boot_hooks, line);
	/* the MTU as wgquick_file() writes it, peers as anybody may */
	if (strncmp(line, "MTU = ", 6) == 0 &&
	    num_parse(&mtu, line + 6, 1, 65535))
		o->boot_mtu = (int)mtu;
	if ((value = boot_setting(line, "PublicKey")))
		vec_add(&o->boot_peers)->public_key = mem_strdup(value);
	else if (n && (value = boot_setting(line, "Endpoint")))
		mem_replace(&o->boot_peers.items[n - 1].endpoint, value);
	return 0;
}

int report_dropin(struct observed *o, char *line, struct err *e)
{
	(void)e;
	o->dropin = true;
	if (strcmp(line, "net.ipv4.ip_forward = 1") == 0)
		o->dropin4 = true;
	else if (strcmp(line, "net.ipv6.conf.all.forwarding = 1") == 0)
		o->dropin6 = true;
	return 0;
}
