/*
 * What an import reads besides the probe: freed, and searched.
 */
#include "render/found.h"

#include "state/model/model.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int found_compare(const void *a, const void *b)
{
	return wgkey_compare(((const struct found_peer *)a)->public_key,
			     ((const struct found_peer *)b)->public_key);
}

const struct found_peer *found_peer(const struct found *f,
				    const char *public_key)
{
	struct found_peer wanted = {
		.public_key = (char *)(uintptr_t)public_key
	};

	if (f->peers.len == 0)
		return NULL;
	return bsearch(&wanted, f->peers.items, f->peers.len, sizeof wanted,
		       found_compare);
}

void found_done(struct found *f)
{
	for (size_t i = 0; i < f->peers.len; i++) {
		free(f->peers.items[i].public_key);
		free(f->peers.items[i].name);
		secret_done(&f->peers.items[i].preshared_key);
	}
	vec_done(&f->peers);
	secret_done(&f->private_key);
	strings_done(&f->post_up);
	strings_done(&f->pre_down);
	strings_done(&f->dropped);
}
