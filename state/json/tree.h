/*
 * A mesh as a JSON tree in which each member is one thing to merge: the members
 * of a unit (an SSH place, a key pair) lie in an object under the unit's first
 * key, lists of policies and external peers are objects. For state/merge/
 * alone.
 */
#ifndef WGMESH_STATE_JSON_TREE_H
#define WGMESH_STATE_JSON_TREE_H

#include "base/auto.h"
#include "state/model/model.h"

#include <json-c/json.h>

/** The tree of @m; the caller frees it with tree_free(). */
int tree_of_mesh(struct json_object **out, const struct mesh *m,
		 struct err *e);

/** The mesh that a tree says, checked. ERR_INPUT. */
int tree_to_mesh(struct mesh *out, struct json_object *tree, struct err *e);

/** Parse the text of an object, strictly; end with tree_free(). ERR_INPUT. */
int tree_parse(struct json_object **out, const char *text, size_t len,
	       struct err *e);

/** Overwrite all strings (other trees that share them lose them), and free. */
void tree_free(struct json_object *tree);

DEFINE_AUTO(struct json_object *, tree_free)

/** The member, or NULL when @object is NULL or has none. */
struct json_object *tree_get(struct json_object *object, const char *key);

/** The member as text; "" when it is none. */
const char *tree_text(struct json_object *object, const char *key);

/** Length of a list; 0 when it is none. */
size_t tree_len(struct json_object *list);

/** Item @i of a list as text; "" when it is none. */
const char *tree_item(struct json_object *list, size_t i);

/** A list of those items of @list, which may be none, that are not @but. */
struct json_object *tree_without(struct json_object *list, const char *but);

/** A copy of an object, empty for anything else, that shares its members. */
struct json_object *tree_copy(struct json_object *object);

/** Put a copy of the member, made if it is missing, in its place. */
struct json_object *tree_own(struct json_object *object, const char *key);

/** The strings of a list as the keys of an object; @list may be NULL. */
struct json_object *tree_set(struct json_object *list);

/** A node as the state has it, of one in this shape. */
struct json_object *tree_flat_node(struct json_object *n);

/** Is @key a member? Its value may be null. */
bool tree_has(struct json_object *object, const char *key);

#endif
