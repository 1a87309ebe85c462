/*
 * Meshes and desired configurations from a few words of JSON, for the tests of
 * render/. Single quotes stand for double ones, so that it stays readable.
 */
#ifndef WGMESH_TESTS_FIXTURE_H
#define WGMESH_TESTS_FIXTURE_H

#include "acl/access.h"
#include "base/auto.h"
#include "base/text.h"
#include "render/desired.h"
#include "render/host/host.h"
#include "state/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Keys of 44 characters, as wg has them; nobody's. */
#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA="
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbA="
#define KEY_C "ccccccccccccccccccccccccccccccccccccccccccA="
#define MESH_ID "00112233445566778899aabbccddeeff"

/** The mesh that the members in @text say; @m is overwritten. */
static inline void mesh_of(struct mesh *m, const char *text)
{
	char *json = mem_printf("{'interface_name':'wg0','network':"
				"'10.99.0.0/16','listen_port':51820,%s}", text);
	struct err e = { 0 };

	memset(m, 0, sizeof *m);
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (state_parse(m, json, strlen(json), &e) < 0)
		fail_msg("%s: %s", json, e.msg);
	free(json);
}

/** What the node @name should have; ended with desired_done() before @m. */
static inline void desired_of(struct desired *d, const struct mesh *m,
			      const char *name)
{
	struct access *a = access_new(m);
	const struct node *n = nodes_find(&m->nodes, name);

	assert_non_null(n);
	desired_compute(d, m, a, n);
	access_free(a);
}

/** What the boot file should have been: as it is if @report says "|same". */
static inline uint64_t boot_of(const struct observed *o, const char *report)
{
	return o->boot_hash + !strstr(report, "|same\n");
}

/** Networks as "a,b", 64 at most. The text is good until the next call. */
static inline const char *cidrs_text(const struct cidrs *v)
{
	static char out[64 * ADDR_TEXT_MAX];
	size_t len = 0;
	char text[ADDR_TEXT_MAX];

	out[0] = '\0';
	for (size_t i = 0; i < v->len; i++)
		len += (size_t)snprintf(out + len, sizeof out - len, "%s%s",
					i ? "," : "",
					cidr_text(&v->items[i], text));
	return out;
}

#endif
