/*
 * Feeds the files and folders named in its arguments to a fuzz target, one run
 * for each file, and prints how many there were.
 */
#include "base/auto.h"
#include "base/mem.h"
#include "base/sbuf.h"

#include <dirent.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_AUTO(DIR *, closedir)

/* The number of files that were replayed, -1 when one cannot be read. */
static long replay(const char *path);

static long replay_file(const char *path)
{
	AUTO(auto_fclose) FILE *f = fopen(path, "re");
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;
	AUTO(auto_free) uint8_t *exact = NULL;
	char chunk[4096];
	size_t n;

	if (!f) {
		perror(path);
		return -1;
	}
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		sbuf_add(&b, chunk, n);
	/* no byte more than there is, so that reading past it is seen */
	exact = mem_calloc(b.len ? b.len : 1, 1);
	if (b.len)
		memcpy(exact, b.s, b.len);
	LLVMFuzzerTestOneInput(exact, b.len);
	return 1;
}

static long replay_folder(const char *path)
{
	AUTO(auto_closedir) DIR *dir = opendir(path);
	struct dirent *entry;
	long sum = 0;

	while (dir && (entry = readdir(dir))) {
		AUTO(auto_free) char *inner = NULL;
		long n;

		if (entry->d_name[0] == '.')
			continue;
		inner = mem_printf("%s/%s", path, entry->d_name);
		n = replay(inner);
		if (n < 0)
			return -1;
		sum += n;
	}
	return dir ? sum : -1;
}

static long replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		perror(path);
		return -1;
	}
	return S_ISDIR(st.st_mode) ? replay_folder(path) : replay_file(path);
}

int main(int argc, char **argv)
{
	long sum = 0;

	for (int i = 1; i < argc; i++) {
		long n = replay(argv[i]);

		if (n < 0)
			return 1;
		sum += n;
	}
	printf("%ld inputs replayed\n", sum);
	return sum > 0 ? 0 : 1;
}
