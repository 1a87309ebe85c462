/*
 * Files of variables beside an Ansible inventory, in group_vars/ and host_vars/:
 * which of them are about which group or host, by the rules of Ansible's plugin
 * ansible.builtin.host_group_vars.
 */
#include "state/inventory/ansible.h"

#include "base/auto.h"

#include <string.h>

static int compare_names(const void *item, const void *name)
{
	return strcmp(((const struct inventory_beside *)item)->name, name);
}

static int read_one(struct ansible *a, const struct inventory_beside *b,
		    struct ansible_vars *to, struct err *e)
{
	static const char sealed[] = "$ANSIBLE_VAULT;";
	const struct inventory_file f = { .name = b->path,
					  .text = sbuf_str(&b->text),
					  .len = b->text.len };

	if (strncmp(f.text, sealed, sizeof sealed - 1) == 0) {
		strings_printf(a->in->notes, "%s: sealed by ansible-vault, not "
			       "read", b->path);
		return 0;
	}
	if (strlen(f.text) != f.len)
		return err_set(e, ERR_INPUT, "%s: a zero byte, expected text",
			       b->path);
	return ansible_vars_file(a, &f, to, e);
}

/* The file "FOLDER/NAME", with the first ending there is, or all of a folder. */
static int read_named(struct ansible *a, const char *folder, const char *name,
		      struct ansible_vars *to, struct err *e)
{
	static const char *const endings[] = { "", ".yml", ".yaml", ".json" };
	const struct inventory_besides *all = a->in->file->beside;

	for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
		AUTO(auto_free) char *path = mem_printf("%s/%s%s", folder, name,
							endings[k]);
		AUTO(auto_free) char *within = mem_printf("%s/", path);
		size_t i = vec_place(all, path, compare_names);
		size_t n = strlen(within), from;

		if (i < all->len && strcmp(all->items[i].name, path) == 0)
			return read_one(a, &all->items[i], to, e);
		from = i = vec_place(all, within, compare_names);
		for (; i < all->len &&
		       strncmp(all->items[i].name, within, n) == 0; i++)
			if (read_one(a, &all->items[i], to, e) < 0)
				return -1;
		if (i > from)
			return 0;
	}
	return 0;
}

int ansible_beside(struct ansible *a, struct err *e)
{
	if (!a->in->file->beside)
		return 0;
	for (size_t i = 0; i < a->groups.len; i++)
		if (read_named(a, "group_vars", a->groups.items[i].name,
			       &a->groups.items[i].beside, e) < 0)
			return -1;
	for (size_t i = 0; i < a->hosts.len; i++)
		if (read_named(a, "host_vars", a->hosts.items[i].name,
			       &a->hosts.items[i].beside, e) < 0)
			return -1;
	return 0;
}
