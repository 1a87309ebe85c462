/*
 * The state file's text to a mesh, checked; and the line that an error is
 * about, for json-c keeps no places: it is looked for by the names in the
 * error.
 */
#include "state/json/json.h"

#include "base/auto.h"
#include "state/json/tree.h"
#include "state/json/value.h"

#include <string.h>

int state_parse(struct mesh *out, const char *text, size_t len, struct err *e)
{
	AUTO(auto_tree_free) struct json_object *tree = NULL;
	AUTO(mesh_done) struct mesh m = { 0 };

	if (len > STATE_SIZE_MAX)
		return err_set(e, ERR_INPUT, "too large, expected at most "
			       "%d MiB", STATE_SIZE_MAX >> 20);
	object_init(&object_mesh, &m);
	if (tree_parse(&tree, text, len, e) < 0 ||
	    json_read_object(&object_mesh, &m, tree, e) < 0 ||
	    check_mesh(&m, e) < 0)
		return -1;
	places_forget(&m);
	*out = m; /* only a mesh that holds is handed over */
	memset(&m, 0, sizeof m);
	return 0;
}

/* ---- where an error is ---- */

/* The key "<name>" in the text from @from on, or NULL. */
static const char *find_key(const char *from, const char *name, size_t len)
{
	AUTO(auto_free) char *quoted = mem_printf("\"%.*s\"", (int)len, name);

	for (const char *p = from; (p = strstr(p, quoted)); p++) {
		const char *behind = p + strlen(quoted);

		behind += strspn(behind, " \t\r\n");
		if (*behind == ':')
			return p;
	}
	return NULL;
}

size_t state_locate(const char *text, const char *message)
{
	const char *open = strchr(message, '\'');
	const char *colon = strchr(message, ':');
	const char *close = open ? strchr(open + 1, '\'') : NULL;
	const char *at = text, *field;
	size_t line = 1;

	if (strncmp(message, "line ", 5) == 0)
		return 0;
	/*
	 * what it begins with, node 'a' or group 'b'; the field is behind that
	 */
	if (close && !(colon && colon < open)) {
		at = find_key(text, open + 1, (size_t)(close - open - 1));
		message = close + 1;
		message += strspn(message, ": ");
	}
	if (!at)
		return 0;
	field = find_key(at, message, strcspn(message, ": "));
	if (!field && at == text)
		return 0;
	for (const char *p = text; p < (field ? field : at); p++)
		line += *p == '\n';
	return line;
}
