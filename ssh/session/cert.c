/*
 * Certificates of users: one that a CA made for a key is shown in that key's
 * place. libssh does it; what a certificate allows is read here, for a host
 * that refuses one does not say why. Its form: PROTOCOL.certkeys of OpenSSH.
 */
#include "base/base64.h"
#include "ssh/session/internal.h"

#include <libssh/libssh.h>
#include <time.h>

#define CERT_MAX ((size_t)64 << 10) /* bytes of the file */

/* Take @n bytes off the front of @v, or nothing. */
static struct view take(struct view *v, size_t n)
{
	struct view part = VIEW(NULL, 0);

	if (n > v->len) {
		*v = part; /* cut off: nothing behind it counts either */
		return part;
	}
	part = VIEW(v->at, n);
	*v = VIEW(v->at + n, v->len - n);
	return part;
}

static uint64_t take_number(struct view *v, size_t bytes)
{
	struct view part = take(v, bytes);
	uint64_t n = 0;

	for (size_t i = 0; i < part.len; i++)
		n = n << 8 | part.at[i];
	return n;
}

static struct view take_string(struct view *v)
{
	return take(v, (size_t)take_number(v, 4));
}

/* How many strings a public key of that type has behind the nonce. */
static int parts_of(struct view type)
{
	return view_begins(type, "ssh-ed25519-")	 ? 1 :
	       view_begins(type, "ssh-dss-")		 ? 4 :
	       view_begins(type, "sk-ecdsa-sha2-") ? 3 : 2;
}

static bool has_name(struct view names, const char *user)
{
	bool any = names.len == 0; /* none: for whoever it is */

	while (names.len)
		any |= view_is(take_string(&names), user);
	return any;
}

/* Is the certificate @blob for the key @key, both as they go over the wire? */
static bool is_for(struct view blob, struct view key)
{
	int parts = parts_of(take_string(&blob));
	struct view from;

	take_string(&blob);
	take_string(&key);
	from = blob;
	while (parts--)
		take_string(&blob);
	return key.len && blob.len && from.len - blob.len == key.len &&
	       memcmp(from.at, key.at, key.len) == 0;
}

/* Why the certificate @blob can't serve @user now, into @out; or nothing. */
static void find_fault(struct sbuf *out, struct view blob, const char *user)
{
	struct view type = take_string(&blob), names;
	uint64_t after, before, now = (uint64_t)time(NULL);
	char day[32] = "";
	struct tm tm;
	time_t t;

	for (int i = 0; i <= parts_of(type); i++)
		take_string(&blob);
	take_number(&blob, 8);
	if (take_number(&blob, 4) != 1) {
		sbuf_puts(out, "a certificate of a host, not of a user");
		return;
	}
	take_string(&blob);
	names = take_string(&blob);
	after = take_number(&blob, 8);
	before = take_number(&blob, 8);
	t = (time_t)(now < after ? after : before);
	if (gmtime_r(&t, &tm))
		strftime(day, sizeof day, "%Y-%m-%d %H:%M UTC", &tm);
	if (now < after)
		sbuf_printf(out, "not valid before %s", day);
	else if (now >= before)
		sbuf_printf(out, "expired %s", day);
	else if (!has_name(names, user))
		sbuf_printf(out, "not for the user '%s'", user);
}

static bool decode(struct sbuf *out, const char *b64)
{
	return b64 && base64_decode(out, VIEW(b64, strlen(b64)),
				    BASE64_PADDED);
}

ssh_key remote_cert_join(const struct remote_key *k, const char *path,
			 const char *user, struct sbuf *fault)
{
	AUTO(sbuf_done) struct sbuf text = { .max = CERT_MAX };
	AUTO(sbuf_done) struct sbuf blob = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf key = SBUF_INIT;
	ssh_key cert = NULL, joined = NULL;
	char *rest = NULL;

	if (remote_slurp(&text, path, SLURP_ANY) < 0 || !text.len ||
	    ssh_pki_import_cert_file(path, &cert) != SSH_OK)
		return NULL;
	strtok_r(text.s, " \t\r\n", &rest);
	if (decode(&blob, strtok_r(NULL, " \t\r\n", &rest)) &&
	    decode(&key, k->b64) &&
	    is_for(VIEW(blob.s, blob.len), VIEW(key.s, key.len))) {
		find_fault(fault, VIEW(blob.s, blob.len), user);
		joined = ssh_key_dup(k->priv);
	}
	/* the key itself is shared with other logins: theirs stays as it is */
	if (joined && ssh_pki_copy_cert_to_privkey(cert, joined) != SSH_OK) {
		ssh_key_free(joined);
		joined = NULL;
	}
	ssh_key_free(cert);
	return joined;
}
