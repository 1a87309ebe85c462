/*
 * wgmesh textconv: what git shows of a state in a diff.
 */
#include "cmd/cmd.h"

#include "cmd/side.h"
#include "state/merge/merge.h"
#include "vault/crypto/digest.h"

/** Hex digits of a digest that tell one sealed file from another. */
#define DIGEST_SHOWN 12

/* What cannot be shown must not end `git log`: one line says why. */
static void put_closed(const struct side *s, const struct err *e)
{
	char digest[DIGEST_HEX + 1];

	digest_sha256(sbuf_str(&s->raw), s->raw.len, digest);
	put("a state that cannot be shown (sha256 %.*s): ", DIGEST_SHOWN,
	    digest);
	put("%s\n", err_words(e).s);
}

int cmd_textconv(struct cmd_env *env)
{
	struct source source = env_source(env);
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(side_done) struct side s;
	struct err e;

	source.ask = NULL; /* once for each revision would be no help */
	if (side_read(&s, env->args.items[0], &source, &e) < 0) {
		if (s.raw.len == 0)
			return fail(&e);
		put_closed(&s, &e);
		return EXIT_DONE;
	}
	mesh_describe(&text, &s.mesh);
	fwrite(sbuf_str(&text), 1, text.len, stdout);
	return EXIT_DONE;
}
