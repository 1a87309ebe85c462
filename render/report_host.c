#include "render/report.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <string.h>

/* An address without the zone that link-local ones carry. */
static bool parse_zoned(struct ip *out, char *s)
{
	s[strcspn(s, "%")] = '\0';
	return ip_parse(out, s);
}

/* SSH_CONNECTION: client address, client port, server address, server port */
static int parse_connection(struct observed *o, char *value, struct err *e)
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

static int set_name(char **slot, const char *value, struct err *e)
{
	if (strlen(value) > 253 || !text_is_printable(value))
		return report_bad(e, "host name", value);
	mem_replace(slot, *value ? value : NULL);
	return 0;
}

int report_host(struct observed *o, char *line, struct err *e)
{
	char *value = strchr(line, '=');
	uint64_t n = 0;

	if (!value)
		return report_bad(e, "line", line);
	*value++ = '\0';
	num_parse_u64(&n, value);
	if (strcmp(line, "uid") == 0)
		o->is_root = strcmp(value, "0") == 0;
	else if (strcmp(line, "now") == 0)
		o->now = (int64_t)n;
	else if (strcmp(line, "ssh") == 0)
		return parse_connection(o, value, e);
	else if (strcmp(line, "hostname") == 0)
		return set_name(&o->hostname, value, e);
	else if (strcmp(line, "fqdn") == 0)
		return set_name(&o->fqdn, value, e);
	else if (strcmp(line, "forward4") == 0)
		o->forward4 = n == 1;
	else if (strcmp(line, "forward6") == 0)
		o->forward6 = n == 1;
	else if (strcmp(line, "busy") == 0)
		o->busy = true;
	else if (strcmp(line, "wg") == 0)
		o->has_wg = true;
	else if (strcmp(line, "ip") == 0)
		o->has_ip = true;
	else if (strcmp(line, "apt") == 0)
		o->has_apt = true;
	else if (strcmp(line, "systemd") == 0)
		o->has_systemd = true;
	else if (strcmp(line, "enabled") == 0)
		o->unit_enabled = true;
	else
		return report_bad(e, "line", line);
	return 0;
}

/* "# managed by wgmesh, mesh <id>, serial <n>" as render/wgquick.c writes it */
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
	o->boot = BOOT_MARKED;
}

int report_boot(struct observed *o, char *line, struct err *e)
{
	struct fields f;

	if (o->boot == BOOT_NONE)
		o->boot = BOOT_FOREIGN;
	if (line[0] == '#') {
		parse_marker(o, line);
		return 0;
	}
	fields_split(&f, line, " \t");
	if (f.n == 2 && strcmp(f.f[1], "-") == 0) {
		mem_replace(&o->boot_sha256, f.f[0]);
	} else if (f.n >= 2 && strcmp(f.f[0], "key") == 0) {
		struct observed_boot_peer *p = vec_add(&o->boot_peers);

		p->public_key = mem_strdup(f.f[1]);
	} else if (f.n >= 2 && strcmp(f.f[0], "endpoint") == 0) {
		if (o->boot_peers.len)
			mem_replace(&o->boot_peers.items[o->boot_peers.len - 1]
					      .endpoint, f.f[1]);
	} else if (f.n && strcmp(f.f[0], "key") != 0 &&
		   strcmp(f.f[0], "endpoint") != 0) {
		return report_bad(e, "line", f.f[0]);
	}
	return 0;
}

int report_dropin(struct observed *o, char *line, struct err *e)
{
	(void)e;
	o->dropin = true;
	if (strncmp(line, "# before:", 9) == 0) {
		o->before4 = strstr(line, "net.ipv4.ip_forward=1");
		o->before6 = strstr(line, "net.ipv6.conf.all.forwarding=1");
	} else if (strcmp(line, "net.ipv4.ip_forward = 1") == 0) {
		o->dropin4 = true;
	} else if (strcmp(line, "net.ipv6.conf.all.forwarding = 1") == 0) {
		o->dropin6 = true;
	}
	return 0;
}
