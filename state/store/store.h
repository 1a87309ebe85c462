/*
 * The state file on disk: found, locked, read, replaced whole or not at all.
 */
#ifndef WGMESH_STATE_STORE_STORE_H
#define WGMESH_STATE_STORE_STORE_H

#include "base/err.h"
#include "base/sbuf.h"
#include "state/model/model.h"
#include "state/store/file.h"
#include "state/store/lock.h"
#include "state/store/sealing.h"

#include <stdbool.h>

struct store;

/**
 * Where the state is: @option if given, else $WGMESH_STATE (@env), else
 * ./mesh-state.json if it exists, else /var/lib/wgmesh/mesh-state.json.
 * The caller frees.
 */
char *store_path(const char *option, const char *env);

/**
 * Open the state at @path. @write takes the lock file "<path>.lock" (see
 * state/store/lock.h), waiting up to @wait_ms for another one; a lock whose
 * process is gone is cleared and noted in store_note(). Reading alone takes no
 * lock.
 *
 * A sealed file is opened with what @source gives (NULL: nothing) and stays
 * sealed the same way when it is saved.
 *
 * A symlink is followed to a file in the same folder, which is then the state.
 * Errors: CONFLICT (who holds it, since when), INPUT (a broken state; a
 * symlink that leaves its folder; a file that others may write), SYSTEM.
 * ENOENT is in e->sys_errno when there is no state.
 */
int store_open(struct store **out, const char *path, bool write, int wait_ms,
	       const struct source *source, struct err *e);

/**
 * As store_open() for a state that must not exist yet; makes its folders
 * (0700). The mesh has the defaults, an id and this machine's name. Nothing is
 * written before store_save(). INPUT when there is a state already.
 */
int store_create(struct store **out, const char *path, struct err *e);

/** The mesh; owned by the store, changed in place. */
struct mesh *store_mesh(struct store *s);

/** The mesh as the file has it, into @out, which mesh_done() ends. */
int store_original(struct mesh *out, const struct store *s, struct err *e);

/** The file that the state is in, symlink followed; owned by the store. */
const char *store_file(const struct store *s);

/** Is it sealed with a passphrase, or will be? */
bool store_has_passphrase(const struct store *s);

/** How the file is sealed, or will be at the next save. */
enum sealed_form store_form(const struct store *s);

/**
 * Seal the file at the next save, even if the mesh is as it was: SEALED_NOT
 * (plain), SEALED_GO with @passphrase, SEALED_AGE with @passphrase or, when
 * that is NULL, to the mesh's recipients. @passphrase is copied.
 */
void store_seal(struct store *s, enum sealed_form form,
		const struct secret *passphrase);

/** Something the user should know (cleared lock, file mode), or NULL. */
const char *store_note(const struct store *s);

/**
 * Write the mesh if its text differs from the file's, see base/atomic.h; the
 * file is 0600 afterwards in any case. @count counts the serial up for a change
 * (not for new facts alone). Checks the mesh first. CONFLICT, and nothing is
 * written, when the file is not the one that was read. SYSTEM also when the
 * file was replaced, and committed, but its folder cannot be synced to disk.
 */
int store_save(struct store *s, bool count, struct err *e);

/**
 * What goes along with each save: a commit. @before gets the bytes that the
 * file is about to have and may refuse; then @after is called, or @failed when
 * the file was not replaced. @done is called once, by store_close().
 */
struct store_hook {
	int (*before)(void *arg, const void *bytes, size_t len, struct err *e);
	int (*after)(void *arg, struct err *e);
	void (*failed)(void *arg);
	void (*done)(void *arg);
};

/** Let @hook, a static, follow the saves of @s; takes over @arg. */
void store_follow(struct store *s, const struct store_hook *hook, void *arg);

/** The @arg of store_follow(), or NULL. */
void *store_follower(struct store *s);

/** Is there no file yet? */
bool store_is_new(const struct store *s);

/** Does the mesh hold private keys, preshared keys, or the secret of a mesh? */
bool store_has_keys(const struct store *s);

/** Release the lock and free; NULL is fine. Unsaved changes are lost. */
void store_close(struct store *s);

#endif
