/*
 * wgmesh init: a new state, sealed and in git if wanted.
 */
#include "cmd/cmd.h"

#include "base/num.h"
#include "base/path.h"
#include "base/random.h"
#include "cmd/commit.h"
#include "cmd/known.h"
#include "cmd/seal.h"
#include "state/git/git.h"
#include "state/model/model.h"

#include <string.h>

static int parse_network(struct cidr *out, const char *text, int family,
			 struct err *e)
{
	struct cidr c;

	if (!strchr(text, '/') || !cidr_parse(&c, text))
		return err_set(e, ERR_INPUT, "-network%s %s: expected a "
			       "network such as %s", family == 6 ? "6" : "",
			       text, family == 6 ? "fd99::/64"
						 : MESH_DEFAULT_NETWORK);
	cidr_mask(&c);
	if (check_network(&c, family, e) < 0)
		return err_wrap(e, "-network%s %s", family == 6 ? "6" : "",
				text);
	*out = c;
	return 0;
}

static int apply_options(struct mesh *m, const struct options *o,
			 struct err *e)
{
	struct cidr *six = &m->network6;
	long port;

	if (o->network && parse_network(&m->network, o->network, 4, e) < 0)
		return -1;
	if (o->network6 && strcmp(o->network6, "auto") == 0) {
		/* a unique local network: fd, 40 random bits, subnet 0
		   (RFC 4193) */
		*six = (struct cidr){ .ip = { .family = 6 }, .plen = 64 };
		six->ip.b[0] = 0xfd;
		if (random_bytes(six->ip.b + 1, 5, e) < 0)
			return -1;
	} else if (o->network6 &&
		   parse_network(six, o->network6, 6, e) < 0) {
		return -1;
	}
	if (o->interface) {
		if (check_interface(o->interface, e) < 0)
			return err_wrap(e, "-interface");
		mem_replace(&m->interface_name, o->interface);
	}
	if (o->listen_port) {
		if (!num_parse(&port, o->listen_port, 1, 65535))
			return err_set(e, ERR_INPUT, "-listen-port %s: "
				       "expected 1 to 65535", o->listen_port);
		m->listen_port = (int)port;
	}
	return 0;
}

int cmd_init(struct cmd_env *env)
{
	AUTO(auto_free) char *path = env_state(env);
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(mesh_done) struct mesh trial = { 0 };
	AUTO(auto_free) char *folder = NULL;
	struct err e;

	/* wrong options must not leave an empty folder behind */
	mesh_init(&trial);
	if (apply_options(&trial, &env->options, &e) < 0 ||
	    store_create(&s, path, &e) < 0 ||
	    apply_options(store_mesh(s), &env->options, &e) < 0 ||
	    seal_if_asked(s, env, &e) < 0)
		return fail(&e);
	folder = path_folder(store_file(s));
	if ((env->options.git && repo_init(folder, &e) < 0) ||
	    commit_follow(s, env, &e) < 0 || env_save(s, &e) < 0)
		return fail(&e);
	known_note(store_mesh(s));
	put("Mesh initialized successfully\n");
	return EXIT_DONE;
}
