/*
 * Recipients and identities: their texts, and identity files. What is wrong with
 * a line is said without the line: it may be a secret key.
 */
#include "vault/age/internal.h"

#include "base/auto.h"
#include "base/vec.h"
#include "base/base64.h"
#include "vault/age/bech32.h"

/* Upper case for what is secret, so that nobody takes one for the other. */
#define PUBLIC_PREFIX "age"
#define SECRET_PREFIX "AGE-SECRET-KEY-"
#define SSH_TYPE "ssh-ed25519 "

/* ---- recipients ---- */

/* Why a text is no recipient, if we know what it is instead. */
static const char *other_recipient(const char *text)
{
	static const struct {
		const char *prefix, *why;
	} others[] = {
		{ "AGE-", "that is a secret key: give its public key, "
			  "'age1...'" },
		{ "ssh-", "of OpenSSH's keys only 'ssh-ed25519 AAAA...' is "
			  "supported" },
		{ "age1pq1", "post-quantum keys are not supported, expected "
			     "'age1...' as age-keygen prints it" },
	};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strncasecmp(text, others[i].prefix,
				strlen(others[i].prefix)) == 0)
			return others[i].why;
	return "expected 'age1...' (62 characters) or 'ssh-ed25519 AAAA...'; "
	       "plugins are not supported";
}

/* "ssh-ed25519 BASE64 [comment]" */
static int parse_ssh_recipient(struct age_recipient *out, const char *text,
			       struct err *e)
{
	AUTO(sbuf_done) struct sbuf wire = SBUF_INIT;
	const char *at = text + strlen(SSH_TYPE);
	struct age_recipient r = { .kind = AGE_SSH_ED25519 };
	unsigned char point[POINT_BYTES];

	if (!base64_decode(&wire, VIEW(at, strcspn(at, " \t")), BASE64_PADDED) ||
	    !age_ssh_unwire(r.key, VIEW(sbuf_str(&wire), wire.len)))
		return err_set(e, ERR_INPUT, "the recipient is damaged: "
			       "expected 'ssh-ed25519 AAAA...' as in a .pub "
			       "file of OpenSSH");
	/* a key that would protect nothing is found now, not when it seals */
	if (age_ssh_point(point, r.key, e) < 0)
		return err_wrap(e, "the recipient");
	*out = r;
	return 0;
}

int age_recipient_parse(struct age_recipient *out, const char *text,
			struct err *e)
{
	struct age_recipient r = { .kind = AGE_X25519 };

	if (strncmp(text, SSH_TYPE, strlen(SSH_TYPE)) == 0)
		return parse_ssh_recipient(out, text, e);
	if (!bech32_decode(r.key, PUBLIC_PREFIX, text, strlen(text)))
		return err_set(e, ERR_INPUT, "no recipient: %s",
			       other_recipient(text));
	*out = r;
	return 0;
}

const char *age_recipient_text(const struct age_recipient *r,
			       char buf[AGE_RECIPIENT_TEXT])
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	char short_text[BECH32_TEXT];
	unsigned char wire[SSH_WIRE];

	switch (r->kind) {
	case AGE_X25519:
		bech32_encode(short_text, PUBLIC_PREFIX, r->key);
		sbuf_puts(&text, short_text);
		break;
	case AGE_SSH_ED25519:
		age_ssh_wire(wire, r->key);
		sbuf_puts(&text, SSH_TYPE);
		base64_add(&text, VIEW(wire, SSH_WIRE), BASE64_PADDED);
		break;
	}
	snprintf(buf, AGE_RECIPIENT_TEXT, "%s", sbuf_str(&text));
	return buf;
}

/* ---- identities ---- */

/* The public key of the scalar, as an X25519 recipient. */
static int find_public(struct age_identity *identity, struct err *e)
{
	AUTO(key_done) struct key scalar = { { 0 } };

	memcpy(scalar.b, identity->scalar.bytes, sizeof scalar.b);
	identity->recipient.kind = AGE_X25519;
	return crypto_x25519_public(identity->recipient.key, &scalar, e);
}

static void identity_done(struct age_identity *id)
{
	secret_done(&id->scalar);
}

int age_identity_new(struct sbuf *text, struct age_recipient *recipient,
		     time_t now, struct err *e)
{
	AUTO(identity_done) struct age_identity id = { 0 };
	AUTO(key_done) struct key scalar = { { 0 } };
	char secret_line[BECH32_TEXT];
	char public_text[AGE_RECIPIENT_TEXT];
	char date[32] = "";
	struct tm tm;

	if (crypto_random(scalar.b, sizeof scalar.b, e) < 0)
		return -1;
	secret_set(&id.scalar, scalar.b, sizeof scalar.b);
	if (find_public(&id, e) < 0)
		return -1;
	if (gmtime_r(&now, &tm))
		strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &tm);
	bech32_encode(secret_line, SECRET_PREFIX, id.scalar.bytes);
	sbuf_printf(text, "# created: %s\n# public key: %s\n", date,
		    age_recipient_text(&id.recipient, public_text));
	/* Not by a format: printf may leave a copy behind. */
	sbuf_puts(text, secret_line);
	sbuf_putc(text, '\n');
	explicit_bzero(secret_line, sizeof secret_line);
	*recipient = id.recipient;
	return 0;
}

/* Why a line is no identity, if we know what it is instead. */
static const char *other_identity(struct view line)
{
	if (view_begins(line, "AGE-PLUGIN-"))
		return "plugins are not supported";
	if (view_begins(line, SECRET_PREFIX "PQ-"))
		return "post-quantum keys are not supported";
	if (view_begins(line, "age1") || view_begins(line, "ssh-"))
		return "that is a public key: the secret one begins with "
		       "'" SECRET_PREFIX "1'";
	if (view_begins(line, SECRET_PREFIX))
		return "the key is damaged: its checksum does not fit";
	return "expected a secret key that begins with '" SECRET_PREFIX "1'";
}

static int add_identity(struct age_identities *v, struct view line,
			size_t number, struct err *e)
{
	AUTO(key_done) struct key scalar = { { 0 } };
	struct age_identity *id;

	if (!bech32_decode(scalar.b, SECRET_PREFIX, (const char *)line.at,
			   line.len))
		return err_set(e, ERR_INPUT, "line %zu: %s", number,
			       other_identity(line));
	if (v->len >= AGE_IDENTITIES_MAX)
		return err_set(e, ERR_INPUT, "line %zu: more than %d "
			       "identities", number, AGE_IDENTITIES_MAX);
	id = vec_add(v);
	secret_set(&id->scalar, scalar.b, sizeof scalar.b);
	return find_public(id, e);
}

/* An identity file of either kind into the empty list @v. */
static int parse_identities(struct age_identities *v, struct view text,
			    struct err *e)
{
	struct view line;

	if (age_ssh_looks(text))
		return age_ssh_parse(vec_add(v), text, e);
	if (age_armored(text.at, text.len) ||
	    view_begins(text, "age-encryption.org/"))
		return err_set(e, ERR_INPUT, "is itself sealed: open it with "
			       "'age -d' first");
	for (size_t number = 1; view_line(&text, &line); number++)
		if (line.len && *line.at != '#' &&
		    add_identity(v, line, number, e) < 0)
			return -1;
	if (!v->len)
		return err_set(e, ERR_INPUT, "holds no identity: expected a "
			       "line that begins with '" SECRET_PREFIX "1'");
	return 0;
}

bool age_identities_locked(const struct secret *text)
{
	const struct view v = VIEW(secret_text(text), text->len);

	return age_ssh_looks(v) && age_ssh_locked(v);
}

int age_identities_parse(struct age_identities *out, const struct secret *text,
			 struct err *e)
{
	AUTO(age_identities_done) struct age_identities v = { 0 };

	if (parse_identities(&v, VIEW(secret_text(text), text->len), e) < 0)
		return -1;
	if (out->len + v.len > AGE_IDENTITIES_MAX)
		return err_set(e, ERR_INPUT, "more than %d identities",
			       AGE_IDENTITIES_MAX);
	for (size_t i = 0; i < v.len; i++)
		vec_push(out, v.items[i]);
	v.len = 0; /* handed over */
	return 0;
}

void age_identities_done(struct age_identities *v)
{
	for (size_t i = 0; i < v->len; i++)
		identity_done(&v->items[i]);
	vec_done(v);
}
