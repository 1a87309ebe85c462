/*
 * The header of an age file: version, stanzas, checksum. It is read before
 * anything is verified, so it may be anybody's: each part has a bound, and what
 * has more than one spelling is refused.
 */
#include "vault/age/internal.h"

#include "base/auto.h"
#include "base/vec.h"
#include "base/base64.h"

#define COLUMNS 64   /* of a body's lines; the last one has fewer */
#define ARGS_KEPT 4  /* one more than any type that we know has */
#define BODY_KEPT 48 /* bytes, those of the first line */

/** A stanza as it stands in the file, before we know what it means. */
struct raw_stanza {
	struct view args[ARGS_KEPT]; /* the type is the first of them */
	size_t n;                    /* of all arguments */
	unsigned char body[BODY_KEPT];
	size_t body_len; /* of all of it, in bytes */
};

/** What is left to read of a header that may be just so long. */
struct reader {
	struct view rest;
	bool bounded; /* the file goes on after it */
};

static int damaged(struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, "is damaged: its header %s", what);
}

void age_header_done(struct age_header *h)
{
	vec_done(h);
}

/* Take a line off, without its LF. */
static int take_line(struct reader *r, struct view *line, struct err *e)
{
	const unsigned char *end = memchr(r->rest.at, '\n', r->rest.len);

	if (!end)
		return damaged(e, r->bounded ? "is longer than 1 MiB"
					     : "is cut off");
	*line = VIEW(r->rest.at, (size_t)(end - r->rest.at));
	r->rest = VIEW(end + 1, r->rest.len - line->len - 1);
	return 0;
}

/* Split at single blanks; each argument has at least one visible character. */
static bool split_args(struct raw_stanza *s, struct view line)
{
	size_t start = 0;

	for (size_t i = 0; i <= line.len; i++) {
		if (i < line.len && line.at[i] > ' ' && line.at[i] < 127)
			continue;
		if (i == start || (i < line.len && line.at[i] != ' '))
			return false;
		if (s->n < ARGS_KEPT)
			s->args[s->n] = VIEW(line.at + start, i - start);
		s->n++;
		start = i + 1;
	}
	return true;
}

/* The lines of a body; the last one is the first that is not full. */
static int take_body(struct raw_stanza *s, struct reader *r, struct err *e)
{
	struct view line = { NULL, 0 };

	do {
		AUTO(sbuf_done) struct sbuf raw = SBUF_INIT;

		if (take_line(r, &line, e) < 0)
			return -1;
		if (line.len > COLUMNS ||
		    !base64_decode(&raw, line, BASE64_RAW))
			return damaged(e, "has a stanza whose body is not "
				       "base64 in lines of 64 columns");
		if (s->body_len == 0)
			memcpy(s->body, sbuf_str(&raw), raw.len);
		s->body_len += raw.len;
	} while (line.len == COLUMNS);
	return 0;
}

static int read_scrypt(struct stanza *s, const struct raw_stanza *raw,
		       struct err *e)
{
	struct view v = raw->args[2]; /* "1" to "22", without leading zeros */
	bool number = v.len > 0 && v.at[0] != '0';

	s->type = STANZA_SCRYPT;
	if (raw->n != 3 || !base64_exact(s->salt, AGE_SALT, raw->args[1]))
		return damaged(e, "has a malformed scrypt stanza");
	for (size_t i = 0; number && i < v.len; i++) {
		number = v.at[i] >= '0' && v.at[i] <= '9';
		if (s->log_n <= AGE_LOG_N_MAX) /* no overflow, however long */
			s->log_n = s->log_n * 10 + (v.at[i] - '0');
	}
	if (!number)
		return damaged(e, "has a work factor that is no number");
	if (s->log_n > AGE_LOG_N_MAX)
		return err_set(e, ERR_INPUT, "asks for a scrypt work factor "
			       "above 2^%d, which would take more than %d GiB "
			       "of memory: refused", AGE_LOG_N_MAX,
			       1 << (AGE_LOG_N_MAX - 20));
	return 0;
}

static int read_x25519(struct stanza *s, const struct raw_stanza *raw,
		       struct err *e)
{
	s->type = STANZA_X25519;
	if (raw->n != 2 || !base64_exact(s->share, POINT_BYTES, raw->args[1]))
		return damaged(e, "has a malformed X25519 stanza");
	return 0;
}

static int read_ssh(struct stanza *s, const struct raw_stanza *raw,
		    struct err *e)
{
	s->type = STANZA_SSH_ED25519;
	if (raw->n != 3 || !base64_exact(s->tag, AGE_TAG, raw->args[1]) ||
	    !base64_exact(s->share, POINT_BYTES, raw->args[2]))
		return damaged(e, "has a malformed ssh-ed25519 stanza");
	return 0;
}

static const struct known_type {
	const char *name;
	int (*read)(struct stanza *s, const struct raw_stanza *raw,
		    struct err *e);
} known_types[] = {
	{ "X25519", read_x25519 },
	{ "scrypt", read_scrypt },
	{ "ssh-ed25519", read_ssh },
};

/* Keep the stanza if we know its type, else count it. */
static int keep_stanza(struct age_header *h, const struct raw_stanza *raw,
		       struct err *e)
{
	const struct known_type *type = NULL;
	struct stanza s = { 0 };

	for (size_t i = 0; i < sizeof known_types / sizeof *known_types; i++)
		if (view_is(raw->args[0], known_types[i].name))
			type = &known_types[i];
	if (h->len + h->unknown >= AGE_STANZAS_MAX)
		return err_set(e, ERR_INPUT, "has more than %d recipients: "
			       "refused", AGE_STANZAS_MAX);
	if (!type) {
		h->unknown++;
		return 0;
	}
	if (type->read(&s, raw, e) < 0)
		return -1;
	if (raw->body_len != AGE_WRAPPED)
		return damaged(e, "wraps a key that is not of 16 bytes");
	memcpy(s.body, raw->body, AGE_WRAPPED);
	vec_push(h, s);
	return 0;
}

/* The checksum's line ends the header. */
static int take_mac(struct age_header *h, struct view file, struct view line,
		    struct err *e)
{
	size_t before = (size_t)(line.at - file.at);

	if (!view_begins(line, "--- ") ||
	    !base64_exact(h->mac, sizeof h->mac,
			  VIEW(line.at + 4, line.len - 4)))
		return damaged(e, "has a malformed checksum");
	h->covered = VIEW(file.at, before + 3);
	h->payload = VIEW(line.at + line.len + 1,
			  file.len - before - line.len - 1);
	return 0;
}

static int parse_header(struct age_header *h, struct view file, struct err *e)
{
	bool bounded = file.len > AGE_HEADER_MAX;
	struct reader r = {
		VIEW(file.at, bounded ? AGE_HEADER_MAX : file.len), bounded
	};
	struct view line = { NULL, 0 };

	if (take_line(&r, &line, e) < 0)
		return -1;
	if (!view_is(line, AGE_VERSION_LINE))
		return err_set(e, ERR_INPUT, "is no age file of version 1 (it "
			       "does not begin with '%s')", AGE_VERSION_LINE);
	for (;;) {
		struct raw_stanza raw = { 0 };

		if (take_line(&r, &line, e) < 0)
			return -1;
		if (view_begins(line, "---"))
			break;
		if (!view_begins(line, "-> ") ||
		    !split_args(&raw, VIEW(line.at + 3, line.len - 3)))
			return damaged(e, "has a line that is neither a stanza "
				       "nor the checksum");
		if (take_body(&raw, &r, e) < 0 || keep_stanza(h, &raw, e) < 0)
			return -1;
	}
	if (take_mac(h, file, line, e) < 0)
		return -1;
	if (h->len + h->unknown == 0)
		return damaged(e, "names no recipient");
	/* a passphrase opens a file alone, or its reader is deceived */
	for (size_t i = 0; i < h->len; i++)
		if (h->items[i].type == STANZA_SCRYPT &&
		    h->len + h->unknown > 1)
			return err_set(e, ERR_INPUT, "is sealed with a "
				       "passphrase and in another way as well, "
				       "which age forbids: refused");
	return 0;
}

int age_header_parse(struct age_header *h, struct view file, struct err *e)
{
	AUTO(age_header_done) struct age_header tmp = { 0 };

	if (parse_header(&tmp, file, e) < 0)
		return -1;
	*h = tmp;
	tmp = (struct age_header){ 0 };
	return 0;
}

void age_stanza_write(struct sbuf *out, const struct stanza *s)
{
	switch (s->type) {
	case STANZA_X25519:
		sbuf_puts(out, "-> X25519 ");
		base64_add(out, VIEW(s->share, POINT_BYTES), BASE64_RAW);
		break;
	case STANZA_SSH_ED25519:
		sbuf_puts(out, "-> ssh-ed25519 ");
		base64_add(out, VIEW(s->tag, AGE_TAG), BASE64_RAW);
		sbuf_putc(out, ' ');
		base64_add(out, VIEW(s->share, POINT_BYTES), BASE64_RAW);
		break;
	case STANZA_SCRYPT:
		sbuf_puts(out, "-> scrypt ");
		base64_add(out, VIEW(s->salt, AGE_SALT), BASE64_RAW);
		sbuf_printf(out, " %d", s->log_n);
		break;
	}
	sbuf_putc(out, '\n');
	/* 43 characters: one line that is not full, so no empty one follows */
	base64_add(out, VIEW(s->body, AGE_WRAPPED), BASE64_RAW);
	sbuf_putc(out, '\n');
}

int age_header_mac(unsigned char mac[32], const struct file_key *key,
		   struct view covered, struct err *e)
{
	AUTO(key_done) struct key hmac_key = { 0 };

	if (crypto_hkdf(&hmac_key, VIEW(key->b, sizeof key->b), VIEW(NULL, 0),
			"header", e) < 0)
		return -1;
	return crypto_hmac(mac, &hmac_key, covered, e);
}

void age_mac_write(struct sbuf *out, const unsigned char mac[32])
{
	sbuf_putc(out, ' ');
	base64_add(out, VIEW(mac, 32), BASE64_RAW);
	sbuf_putc(out, '\n');
}
