#include "state/finding.h"

#include "base/sbuf.h"

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
	f->text = sbuf_detach(&text);
}

size_t findings_errors(const struct findings *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->len; i++)
		n += f->items[i].error;
	return n;
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
