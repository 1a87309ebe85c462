/*
 * The parts of the probe's report that tell what a tunnel's packets go through:
 * the host's interfaces and its main routing table.
 */
#include "render/host/report.h"

#include "base/num.h"

#include <string.h>

int report_links(struct observed *o, char *line, struct err *e)
{
	struct observed_link l = { 0 };
	const char *mtu;
	struct fields f;
	long n;

	fields_split(&f, line, " \t\\");
	mtu = f.n < 5 ? NULL : fields_after(&f, "mtu");
	if (!mtu || !num_parse(&n, mtu, 0, 1 << 30))
		return report_bad(e, "mtu", mtu ? mtu : "");
	f.f[1][strcspn(f.f[1], "@:")] = '\0'; /* "eth0@if5:" */
	if (strlen(f.f[1]) >= sizeof l.ifname)
		return report_bad(e, "interface", f.f[1]);
	snprintf(l.ifname, sizeof l.ifname, "%s", f.f[1]);
	l.mtu = (int)n;
	if (o->links.len < OBSERVED_LINKS_MAX)
		vec_push(&o->links, l);
	return 0;
}

/* The number behind @name; @out stays as it is where there is none. */
static int number_after(long *out, const struct fields *f, const char *name,
			long max, struct err *e)
{
	const char *value = fields_after(f, name);

	if (value && strcmp(value, "lock") == 0) /* mtu lock N */
		value = fields_after(f, "lock");
	if (value && !num_parse(out, value, 0, max))
		return report_bad(e, name, value);
	return 0;
}

/* Each way of a route by its "dev"; one without any leads nowhere. */
static int main_line(struct observed *o, char *line, int family, struct err *e)
{
	struct observed_underlay way = { 0 };
	struct fields f;
	long mtu = 0;

	fields_split(&f, line, " \t\\");
	if (f.n == 0 || report_is_route_type(f.f[0]) || fields_have(&f, "dead"))
		return 0;
	if (report_network(&way.network, f.f[0], family, e) < 0 ||
	    number_after(&way.metric, &f, "metric", UINT32_MAX, e) < 0 ||
	    number_after(&mtu, &f, "mtu", 1 << 30, e) < 0)
		return -1;
	way.mtu = (int)mtu;
	for (size_t i = 1; i + 1 < f.n; i++) {
		if (strcmp(f.f[i], "dev") != 0)
			continue;
		if (strlen(f.f[++i]) >= sizeof way.ifname)
			return report_bad(e, "interface", f.f[i]);
		snprintf(way.ifname, sizeof way.ifname, "%s", f.f[i]);
		if (o->underlay.len < OBSERVED_UNDERLAY_MAX)
			vec_push(&o->underlay, way);
	}
	return 0;
}

int report_main4(struct observed *o, char *line, struct err *e)
{
	return main_line(o, line, 4, e);
}

int report_main6(struct observed *o, char *line, struct err *e)
{
	return main_line(o, line, 6, e);
}
