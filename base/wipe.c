/*
 * Memory is wiped when it is freed, by whomever: json-c, libyaml, OpenSSL,
 * libssh, libgit2 and the C library itself hold our secrets for a while, and
 * mallopt(M_PERTURB) leaves out what the allocator keeps in its caches for
 * threads, which is where a key goes. free() and realloc() of the program take
 * the place of the C library's, which does the rest.
 *
 * Not with a sanitizer, which has its own, nor with another C library.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OWN_MALLOC
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define HAS_OWN_MALLOC
#endif
#endif

#if defined(__GLIBC__) && !defined(HAS_OWN_MALLOC)

/* The C library's own, by the names that it has for those who replace it. */
void __libc_free(void *p);

void free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	__libc_free(p);
}

/* It never moves by itself, or a copy would stay where it was. */
void *realloc(void *p, size_t size)
{
	size_t before = p ? malloc_usable_size(p) : 0;
	void *moved;

	if (!p)
		return malloc(size);
	if (size == 0) {
		free(p);
		return NULL;
	}
	/* shrunk a little: what is behind the end is wiped when it is freed */
	if (size <= before && size >= before / 2)
		return p;
	moved = malloc(size);
	if (!moved)
		return NULL;
	memcpy(moved, p, size < before ? size : before);
	free(p);
	return moved;
}

#endif
