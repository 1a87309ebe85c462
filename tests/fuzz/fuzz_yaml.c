/*
 * Any bytes as a mesh.yaml: refused in one printable line with its place, or
 * read; what was read is written, and reads and writes the same again.
 */
#include "base/auto.h"
#include "base/text.h"
#include "state/yaml/yaml.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct sbuf *text)
{
	AUTO(sbuf_done) struct sbuf second = SBUF_INIT;
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e;

	if (yaml_parse(&m, NULL, sbuf_str(text), text->len, "w", &e) < 0)
		abort();
	yaml_write(&second, &m);
	if (strcmp(sbuf_str(&second), sbuf_str(text)) != 0)
		abort();
}

/* Every node is found where it stands. */
static void look(const struct mesh *m, const struct yaml_marks *marks)
{
	for (size_t i = 0; i < m->nodes.len; i++) {
		struct finding_place p = { PART_NODE, m->nodes.items[i].name,
					   "routes", "10.0.0.0/8" };

		if (yaml_find(marks, &p).line == 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(mesh_done) struct mesh m = { 0 };
	struct yaml_marks *marks = NULL;
	struct err e = { 0 };

	if (yaml_parse(&m, &marks, (const char *)data, size, "f", &e) < 0) {
		if (e.code != ERR_INPUT || !text_is_printable(e.msg) ||
		    strncmp(e.msg, "f:", 2) != 0 || marks)
			abort();
		return 0;
	}
	look(&m, marks);
	yaml_marks_free(marks);
	yaml_write(&text, &m);
	again(&text);
	return 0;
}
