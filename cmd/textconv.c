/*
 * wgmesh textconv: what git shows of a state in a diff. git may keep the
 * output in a cache and shows it to anybody who runs `git log`: no secret is
 * in it.
 */
#include "cmd/cmd.h"

#include "cmd/input.h"
#include "cmd/side.h"
#include "state/merge/merge.h"
#include "vault/crypto/digest.h"

/** Hex digits of a digest that tell one sealed file from another. */
#define DIGEST_SHOWN 12

int cmd_textconv(struct cmd_env *env)
{
	struct source source = env_source(env);
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(side_done) struct side s;
	char digest[DIGEST_HEX + 1];
	struct err e;

	source.ask = NULL; /* once for each revision would be no help */
	side_init(&s);
	if (input_read(&s.raw, env->args.items[0], FILE_SIZE_MAX, &e) < 0 ||
	    side_open(&s, &source, &e) < 0) {
		if (s.raw.len == 0)
			return fail(&e);
		/* must not end `git log`: one line says why, and differs
		   where the file does */
		digest_sha256(sbuf_str(&s.raw), s.raw.len, digest);
		put("a state that cannot be shown (sha256 %.*s): %s\n",
		    DIGEST_SHOWN, digest, err_words(&e).s);
		return EXIT_DONE;
	}
	mesh_describe(&text, &s.mesh);
	fwrite(sbuf_str(&text), 1, text.len, stdout);
	return EXIT_DONE;
}
