/*
 * Which machine this is, for nodes that were said to be it: by machine-id(5),
 * not by a host name. A state goes to colleagues and their machines, and what
 * is local runs without a login, as root.
 */
#include "state/model/local.h"

#include "base/auto.h"
#include "vault/crypto/digest.h"

#include <stdio.h>
#include <string.h>

#define MACHINE_ID "/etc/machine-id"
#define MACHINE_ID_HEX 32

/*
 * Hashed together with the mesh's id: the id of a machine is not to be shown to
 * others (machine-id(5)), nor may two meshes be seen to have one.
 */
static int this_machine(char out[DIGEST_HEX + 1], const struct mesh *m,
			struct err *e)
{
	AUTO(auto_fclose) FILE *f = fopen(MACHINE_ID, "re");
	AUTO(auto_free) char *text = NULL;
	char id[MACHINE_ID_HEX + 1] = "";

	if (!f || fread(id, 1, MACHINE_ID_HEX, f) != MACHINE_ID_HEX ||
	    strspn(id, "0123456789abcdef") != MACHINE_ID_HEX)
		return err_set(e, ERR_INPUT, "this machine has no id in "
			       MACHINE_ID " ('systemd-machine-id-setup' makes "
			       "one), so it can be no local node");
	text = mem_printf("wgmesh local %s %s", m->mesh_id, id);
	digest_sha256(text, strlen(text), out);
	return 0;
}

int local_fill(struct mesh *m, struct err *e)
{
	char here[DIGEST_HEX + 1];

	for (size_t i = 0; i < m->nodes.len; i++) {
		struct node *n = &m->nodes.items[i];

		if (!n->is_local || !n->local_machine || *n->local_machine)
			continue;
		if ((!m->mesh_id && mesh_make_id(m, e) < 0) ||
		    this_machine(here, m, e) < 0)
			return -1;
		mem_replace(&n->local_machine, here);
	}
	return 0;
}

bool local_is_here(const struct mesh *m, const struct node *n)
{
	char here[DIGEST_HEX + 1];
	struct err ignored;

	return n->is_local && n->local_machine && *n->local_machine &&
	       m->mesh_id && this_machine(here, m, &ignored) == 0 &&
	       strcmp(here, n->local_machine) == 0;
}
