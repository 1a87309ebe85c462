/*
 * Any bytes as an inventory, under names that make it each kind: refused, or a
 * mesh whose YAML is read again and whose nodes may stand in a state.
 */
#include "base/auto.h"
#include "state/inventory/inventory.h"
#include "state/model/model.h"
#include "state/yaml/yaml.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_node(const struct node *n, enum inventory_kind kind)
{
	struct err e;

	if (check_node_name(n->name, &e) < 0 || check_externals(n, &e) < 0)
		abort();
	if (kind != INVENTORY_CONF && check_host(n->ssh_host, &e) < 0)
		abort();
	if ((n->private_key.len != 0) != (*n->public_key != '\0'))
		abort();
}

static void check_mesh_of(struct mesh *m, enum inventory_kind kind)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(mesh_done) struct mesh again = { 0 };
	struct strings notes = { 0 };
	struct err e;

	for (size_t i = 0; i < m->nodes.len; i++)
		check_node(&m->nodes.items[i], kind);
	if (kind == INVENTORY_CONF) {
		mem_replace(&m->nodes.items[0].ssh_host, "h");
		inventory_peers_to_nodes(m, "f", &notes);
	}
	yaml_write(&text, m);
	if (yaml_parse(&again, NULL, sbuf_str(&text), text.len, "f", &e) < 0 ||
	    again.nodes.len != m->nodes.len)
		abort();
	for (size_t i = 0; i < m->nodes.len; i++)
		if (m->nodes.items[i].private_key.len &&
		    strstr(sbuf_str(&text),
			   secret_text(&m->nodes.items[i].private_key)))
			abort();
	strings_done(&notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "f", "f.csv", "f.yml", "f.conf" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct inventory_file f = { .name = names[i],
					    .text = (const char *)data,
					    .len = size, .hooks = i % 2 };
		AUTO(mesh_done) struct mesh m = { 0 };
		struct strings notes = { 0 };
		struct err e = { 0 };

		if (inventory_read(&m, &f, &notes, &e) == 0)
			check_mesh_of(&m, inventory_kind(&f));
		else if (e.code != ERR_INPUT || m.nodes.items)
			abort();
		strings_done(&notes);
	}
	return 0;
}
