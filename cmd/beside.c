/*
 * The folders group_vars/ and host_vars/ beside an Ansible inventory, read whole
 * and bounded; state/inventory/ knows which of the files count.
 */
#include "cmd/input.h"

#include "base/auto.h"
#include "base/path.h"
#include "base/vec.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 8               /* of folders in folders */
#define FILES_MAX 20000
#define BYTES_MAX ((size_t)64 << 20) /* of all of them */

struct walk {
	struct inventory_besides *out;
	const char *root;
	size_t bytes;
};

static void close_folder(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* As Ansible: in folders, files without an ending and those of YAML and JSON. */
static bool is_read(const char *name, int depth)
{
	const char *ending = strrchr(name, '.');

	if (*name == '.' || name[strlen(name) - 1] == '~')
		return false;
	return depth == 0 || !ending || strcmp(ending, ".yml") == 0 ||
	       strcmp(ending, ".yaml") == 0 || strcmp(ending, ".json") == 0;
}

static int read_file(struct walk *w, const char *name, const char *path,
		     struct err *e)
{
	struct inventory_beside *b;

	if (w->out->len == FILES_MAX)
		return err_set(e, ERR_INPUT, "'%s': more than %d files of "
			       "variables", w->root, FILES_MAX);
	b = vec_add(w->out);
	b->name = mem_strdup(name);
	b->path = mem_strdup(path);
	/* some hold passwords */
	b->text = (struct sbuf)SBUF_SECRET;
	if (input_read(&b->text, path, INVENTORY_SIZE_MAX, e) < 0)
		return -1;
	w->bytes += b->text.len;
	if (w->bytes > BYTES_MAX)
		return err_set(e, ERR_INPUT, "'%s': the files of variables have "
			       "more than %zu MiB", w->root, BYTES_MAX >> 20);
	return 0;
}

static int read_folder(struct walk *w, const char *name, int depth,
		       struct err *e)
{
	AUTO(auto_free) char *path = mem_printf("%s/%s", w->root, name);
	AUTO(close_folder) DIR *d = opendir(path);
	struct dirent *entry;

	if (!d && depth == 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!d) {
		err_sys(e, "cannot open '%s'", path);
		e->code = ERR_INPUT;
		return -1;
	}
	while ((entry = readdir(d))) {
		AUTO(auto_free) char *within = mem_printf("%s/%s", name,
							  entry->d_name);
		AUTO(auto_free) char *file = mem_printf("%s/%s", path,
							entry->d_name);
		struct stat st;

		if (*entry->d_name == '.' || stat(file, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX &&
		    read_folder(w, within, depth + 1, e) < 0)
			return -1;
		if (S_ISREG(st.st_mode) && is_read(entry->d_name, depth) &&
		    read_file(w, within, file, e) < 0)
			return -1;
	}
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct inventory_beside *)a)->name,
		      ((const struct inventory_beside *)b)->name);
}

int beside_read(struct inventory_besides *out, const char *inventory,
		struct err *e)
{
	AUTO(auto_free) char *folder = path_folder(inventory);
	struct walk w = { out, folder, 0 };

	if (read_folder(&w, "group_vars", 0, e) < 0 ||
	    read_folder(&w, "host_vars", 0, e) < 0)
		return -1;
	vec_sort(out, compare_names);
	return 0;
}

void beside_done(struct inventory_besides *b)
{
	for (size_t i = 0; i < b->len; i++) {
		free(b->items[i].name);
		free(b->items[i].path);
		sbuf_done(&b->items[i].text);
	}
	vec_done(b);
}
