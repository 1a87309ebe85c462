/*
 * A section of the probe's answer, cut into lines and fields, and what is wrong
 * with it. Shared by the parsers of all sections, so that each bound is in one
 * place: a host may send anything.
 */
#include "render/host/report.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <string.h>

void fields_split(struct fields *out, char *line, const char *delimiters)
{
	char *save = NULL;

	out->n = 0;
	for (char *p = strtok_r(line, delimiters, &save);
	     p && out->n < REPORT_FIELDS_MAX;
	     p = strtok_r(NULL, delimiters, &save))
		out->f[out->n++] = p;
}

const char *fields_after(const struct fields *f, const char *name)
{
	for (size_t i = 0; i + 1 < f->n; i++)
		if (strcmp(f->f[i], name) == 0)
			return f->f[i + 1];
	return NULL;
}

bool fields_have(const struct fields *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->f[i], name) == 0)
			return true;
	return false;
}

int report_bad(struct err *e, const char *what, const char *value)
{
	AUTO(auto_free) char *shown = check_shown(value);

	return err_set(e, ERR_INPUT, "unexpected %s '%s'", what, shown);
}

int report_count(const struct observed *o, const char *what, size_t n,
		 size_t times, struct err *e)
{
	size_t max = (o->max ? o->max : OBSERVED_MAX) * times;

	if (n <= max)
		return 0;
	return err_set(e, ERR_INPUT, "more than %zu %s", max, what);
}

int report_each(struct observed *o, char *text, report_line *parse,
		struct err *e)
{
	char *save = NULL;
	size_t number = 0;

	/* the bounds hold after each line, so none is passed by much */
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		number++;
		o->n_lines++;
		if (parse(o, line, e) < 0 ||
		    report_count(o, "lines", o->n_lines, 10, e) < 0 ||
		    report_count(o, "peers", o->peers.len, 1, e) < 0 ||
		    report_count(o, "peers", o->boot_peers.len, 1, e) < 0 ||
		    report_count(o, "routes", o->routes.len, 1, e) < 0 ||
		    report_count(o, "addresses", o->addresses.len, 1, e) < 0)
			return err_wrap(e, "line %zu", number);
	}
	return 0;
}
