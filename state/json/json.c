/*
 * The state file's text to a mesh, checked.
 */
#include "state/json/json.h"

#include "base/auto.h"
#include "state/json/syntax.h"
#include "state/json/tree.h"
#include "state/json/value.h"
#include "state/model/model.h"

#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <limits.h>
#include <string.h>

DEFINE_AUTO(struct json_tokener *, json_tokener_free)

/*
 * The text has passed json_check_syntax(), so json-c has nothing to object to.
 * Its buffer is made large at once: growing leaves copies of keys behind.
 */
static int parse_tree(struct json_object **out, const char *text, size_t len,
		      struct err *e)
{
	AUTO(auto_json_tokener_free) struct json_tokener *tok = NULL;
	enum json_tokener_error why;

	tok = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
	if (!tok || printbuf_memset(tok->pb, -1, 0, 4096) < 0)
		return err_set(e, ERR_SYSTEM, "out of memory");
	printbuf_reset(tok->pb);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
				    JSON_TOKENER_VALIDATE_UTF8);
	*out = json_tokener_parse_ex(tok, text, (int)len);
	why = json_tokener_get_error(tok);
	explicit_bzero(tok->pb->buf, (size_t)tok->pb->size);
	if (why != json_tokener_success || !*out)
		return err_set(e, ERR_INPUT, "json-c: %s",
			       json_tokener_error_desc(why));
	return 0;
}

int state_parse(struct mesh *out, const char *text, size_t len, struct err *e)
{
	AUTO(auto_tree_free) struct json_object *tree = NULL;
	AUTO(mesh_done) struct mesh m = { 0 };

	if (len > STATE_SIZE_MAX)
		return err_set(e, ERR_INPUT, "too large, expected at most "
			       "%d MiB", STATE_SIZE_MAX >> 20);
	object_init(&object_mesh, &m);
	if (json_check_syntax(text, len, e) < 0 ||
	    parse_tree(&tree, text, len, e) < 0 ||
	    json_read_object(&object_mesh, &m, tree, e) < 0 ||
	    check_mesh(&m, e) < 0)
		return -1;
	*out = m;
	memset(&m, 0, sizeof m);
	return 0;
}
