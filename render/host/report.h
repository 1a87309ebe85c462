/*
 * Shared by the parsers of the probe's report: lines cut into fields.
 */
#ifndef WGMESH_RENDER_HOST_REPORT_H
#define WGMESH_RENDER_HOST_REPORT_H

#include "render/host/probe.h"

#define REPORT_FIELDS_MAX 64

/** A line of the report, cut into fields in place. */
struct fields {
	char *f[REPORT_FIELDS_MAX];
	size_t n;
};

/** Cut @line at any of @delimiters; fields past the maximum are dropped. */
void fields_split(struct fields *out, char *line, const char *delimiters);

/** The field behind the word @name, or NULL. */
const char *fields_after(const struct fields *f, const char *name);

bool fields_have(const struct fields *f, const char *name);

/** -1 with ERR_INPUT "unexpected <what> '<value, escaped and cut>'". */
int report_bad(struct err *e, const char *what, const char *value);

/** -1 with ERR_INPUT when @n, the number of @what, is over @times @o->max. */
int report_count(const struct observed *o, const char *what, size_t n,
		 size_t times, struct err *e);

/** One line of a section into @o; the line is cut up. */
typedef int report_line(struct observed *o, char *line, struct err *e);

report_line report_dump, report_route4, report_route6, report_address,
	report_link, report_host, report_boot, report_dropin,
	report_main4, report_main6, report_links, report_names,
	report_firewall;

/** Feed each line of @text to @parse; empty lines are passed over. */
int report_each(struct observed *o, char *text, report_line *parse,
		struct err *e);

#endif
