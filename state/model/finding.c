/*
 * What is wrong, with its place, collected before it is told: people mend a
 * mesh in one go, and a change is refused only for errors that were not there
 * before.
 */
#include "state/model/finding.h"

#include "base/text.h"

#include <string.h>

void finding_add(struct findings *out, bool error, const char *code,
		 struct finding_place place, const char *fmt, ...)
{
	struct finding *f = vec_add(out);
	struct sbuf text = SBUF_INIT;
	va_list ap;

	f->error = error;
	f->code = code;
	f->part = place.part;
	f->name = place.name ? mem_strdup(place.name) : NULL;
	f->key = place.key;
	f->value = place.value ? mem_strdup(place.value) : NULL;
	va_start(ap, fmt);
	sbuf_vprintf(&text, fmt, ap);
	va_end(ap);
	/* once, here: names in it come from files and from hosts */
	f->text = text_escaped(sbuf_str(&text));
	sbuf_done(&text);
}

size_t findings_errors(const struct findings *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->len; i++)
		n += f->items[i].error;
	return n;
}

/* Order of texts that may be NULL. */
static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_findings(const void *a, const void *b)
{
	const struct finding *x = a;
	const struct finding *y = b;
	int order = strcmp(x->code, y->code);

	if (!order)
		order = (int)x->part - (int)y->part;
	if (!order)
		order = compare_texts(x->name, y->name);
	if (!order)
		order = compare_texts(x->key, y->key);
	if (!order)
		order = compare_texts(x->value, y->value);
	/* one code may find several things of the whole mesh */
	return order || x->name ? order : strcmp(x->text, y->text);
}

void findings_sort(struct findings *f)
{
	vec_sort(f, compare_findings);
}

bool findings_have(const struct findings *sorted, const struct finding *f)
{
	return sorted->len && bsearch(f, sorted->items, sorted->len, sizeof *f,
				      compare_findings);
}

int findings_refuse(const struct findings *f, struct err *e)
{
	for (size_t i = 0; i < f->len; i++)
		if (f->items[i].error) {
			err_set(e, ERR_INPUT, "%s", f->items[i].text);
			return err_advise(e, f->items[i].advice, NULL);
		}
	return 0;
}

void findings_done(struct findings *f)
{
	for (size_t i = 0; i < f->len; i++) {
		free(f->items[i].name);
		free(f->items[i].value);
		free(f->items[i].text);
	}
	vec_done(f);
}
