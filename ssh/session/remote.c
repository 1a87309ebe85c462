/*
 * A remote: how it begins and ends, and the talk with its one command, which
 * is the same over SSH and through local pipes.
 */
#include "ssh/session/remote.h"

#include "base/text.h"
#include "ssh/session/internal.h"

#include <pwd.h>

#define CHUNK 16384      /* bytes */
#define ERRORS_KEPT 2048 /* bytes, the first of stderr */
/* What may come in while we send; read_to has the caller's limit besides. */
#define INPUT_MAX ((size_t)16 << 20)
/* How long an exit status may come after the end of the output. */
#define STATUS_WAIT_MS 2000
#define STATUS_POLL_MS 20
/* Of a host's own words: lines besides the last one, bytes of each. */
#define WORDS_LINES 2
#define WORDS_MAX 160
#define FRAME "@*#=-_+"
/* With which the program ssh ends when it is itself at fault, ssh(1). */
#define SSH_FAILED 255

struct remote {
	const struct remote_via *via;
	void *link;
	struct remote_login login;
	struct remote_facts facts;
	char *name; /* for messages */
	int timeout_ms;
	int64_t end; /* of what goes on now, 0: unbounded; see remote_allow() */
	int total_ms;
	bool started;
	bool answers; /* an end was read: what runs is the command */
	bool eof, errors_eof, broken; /* of output, stderr, connection */
	struct sbuf in; /* came in and not yet taken */
	size_t taken;   /* of in: handed out */
	size_t scanned; /* of in: looked through for a newline */
	struct sbuf errors; /* the first bytes of stderr */
	char *prompt; /* see remote_answer(); or NULL */
	const struct secret *answer;
	size_t matched; /* of the prompt: what stderr has just come with */
	unsigned asked; /* so often */
	size_t answered; /* bytes of the answer and its line end */
};

DEFINE_AUTO(struct remote *, remote_free)

static int open_remote(struct remote **out, const struct remote_target *target,
		       const struct remote_conf *conf, bool peek, struct err *e)
{
	AUTO(auto_remote_free) struct remote *r = mem_calloc(1, sizeof *r);
	struct remote_login *login = &r->login;
	struct remote_link *link = NULL;
	struct passwd pw, *found = NULL;
	char buf[4096];

	r->timeout_ms = remote_timeout(conf->timeout_ms);
	r->in.max = conf->input_max ? conf->input_max : INPUT_MAX;
	r->errors.max = ERRORS_KEPT;
	r->name = mem_strdup(target->host ? target->host : "localhost");
	if (target->local) {
		r->via = &remote_via_local;
		r->link = remote_local_new(NULL, NULL);
		getpwuid_r(geteuid(), &pw, buf, sizeof buf, &found);
		*login = (struct remote_login){
			.hostkey = REMOTE_KEY_KNOWN,
			.hostkey_line = mem_strdup(""),
			.fingerprint = mem_strdup(""),
			.dialled = mem_strdup(""),
			.source = mem_strdup(""),
			.user = found ? mem_strdup(found->pw_name)
				      : mem_printf("%u", (unsigned)geteuid()),
		};
	} else {
		void *program = NULL;

		if (remote_login(&link, &program, login, target, conf, peek,
				 e) < 0)
			return -1;
		r->link = program ? program : link;
		r->via = program ? &remote_via_local : &remote_via_ssh;
	}
	r->facts = (struct remote_facts){
		.hostkey = login->hostkey,
		.vouched = login->vouched,
		.hostkey_line = login->hostkey_line,
		.fingerprint = login->fingerprint,
		.dialled = login->dialled,
		.source = login->source,
		.user = login->user,
		.jumps = &login->jumps,
		/* over there root is a name, here it is a number */
		.is_root = target->local ? geteuid() == 0
					 : strcmp(login->user, "root") == 0,
	};
	*out = STEAL(r);
	return 0;
}

int remote_peek(struct remote **out, const struct remote_target *target,
		const struct remote_conf *conf, struct err *e)
{
	return open_remote(out, target, conf, true, e);
}

int remote_open(struct remote **out, const struct remote_target *target,
		const struct remote_conf *conf, struct err *e)
{
	return open_remote(out, target, conf, false, e);
}

void remote_allow(struct remote *r, int total_ms)
{
	r->end = total_ms ? remote_now_ms() + total_ms : 0;
	r->total_ms = total_ms;
}

const struct remote_facts *remote_facts(const struct remote *r)
{
	return &r->facts;
}

void remote_hang_up(struct remote *r)
{
	if (r->via)
		r->via->free(r->link);
	r->via = NULL;
	r->link = NULL;
}

bool remote_is_open(const struct remote *r)
{
	return r->via;
}

void remote_free(struct remote *r)
{
	if (!r)
		return;
	remote_hang_up(r);
	remote_login_done(&r->login);
	sbuf_done(&r->in);
	sbuf_done(&r->errors);
	free(r->prompt);
	free(r->name);
	free(r);
}

int remote_start(struct remote *r, const char *command, struct err *e)
{
	if (r->started)
		return err_set(e, ERR_BUG, "'%s' runs a command already",
			       r->name);
	if (r->via->start(r->link, command, r->timeout_ms, e) < 0)
		return err_wrap(e, "'%s'", r->name);
	r->started = true;
	return 0;
}

void remote_answer(struct remote *r, const char *prompt,
		   const struct secret *answer)
{
	free(r->prompt);
	r->prompt = mem_strdup(prompt);
	r->answer = answer;
}

/* What comes before a prompt (sudo's lecture) explains nothing that is after. */
static void look_for_prompt(struct remote *r, const char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (buf[i] != r->prompt[r->matched])
			r->matched = 0;
		if (buf[i] == r->prompt[r->matched])
			r->matched++;
		if (r->errors.len < ERRORS_KEPT)
			sbuf_putc(&r->errors, buf[i]);
		if (r->prompt[r->matched])
			continue;
		r->matched = 0;
		r->asked++;
		r->errors.len = 0;
	}
}

/* Take in what stderr has: the first bytes are kept. Bytes that came. */
static size_t pump_errors(struct remote *r)
{
	size_t room = ERRORS_KEPT - r->errors.len; /* the rest is dropped */
	char buf[CHUNK];
	long n;

	if (r->errors_eof)
		return 0;
	n = r->via->read(r->link, true, buf, sizeof buf);
	if (n < 0)
		r->errors_eof = true;
	if (n <= 0)
		return 0;
	if (r->prompt)
		look_for_prompt(r, buf, (size_t)n);
	else
		sbuf_add(&r->errors, buf, (size_t)n < room ? (size_t)n : room);
	return (size_t)n;
}

/* One that was not taken is never sent again: three would lock an account. */
static int answer_prompt(struct remote *r, struct err *e)
{
	size_t len = r->asked ? r->answer->len : 0;

	if (r->asked > 1)
		return err_set(e, ERR_AUTH, "'%s': the password was not taken",
			       r->name);
	while (r->asked && r->answered <= len) {
		const void *rest = secret_text(r->answer) + r->answered;
		bool end = r->answered == len;
		long n = r->via->write(r->link, end ? "\n" : rest,
				       end ? 1 : len - r->answered);

		if (n == 0)
			break;
		/* who has gone is told by the next read */
		r->answered += n < 0 ? len + 1 : (size_t)n;
	}
	return 0;
}

/* Take in what has come, without waiting. Bytes that came on either. */
static size_t pump(struct remote *r)
{
	size_t came = pump_errors(r);
	char buf[CHUNK];
	long n = 0;

	if (!r->eof && !r->broken)
		n = r->via->read(r->link, false, buf, sizeof buf);
	if (n > 0) {
		sbuf_add(&r->in, buf, (size_t)n);
		came += (size_t)n;
	}
	r->eof |= n == REMOTE_EOF;
	r->broken |= n == REMOTE_BROKEN;
	return came;
}

/* Patience for @silence_ms each, and for what remote_allow() left of it all. */
static void begin_patience(const struct remote *r, struct remote_patience *p,
			   int silence_ms)
{
	remote_patience_begin(p, silence_ms, 0);
	if (r->end) {
		p->end = r->end;
		p->total_ms = r->total_ms;
	}
}

static int over(const struct remote *r, const struct remote_patience *p,
		struct err *e)
{
	AUTO(auto_free) char *text = remote_patience_text(p);

	return err_set(e, ERR_UNREACHABLE, "'%s': %s", r->name, text);
}

static int lost(const struct remote *r, struct err *e)
{
	return err_set(e, ERR_UNREACHABLE, "'%s': the connection broke",
		       r->name);
}

/* A host is not to fill our memory. */
static int too_much(const struct remote *r, size_t max, struct err *e)
{
	return err_set(e, ERR_REMOTE, "'%s' prints more than %zu bytes",
		       r->name, max);
}

/* A read up to a line. */
struct reading {
	const char *end;
	size_t end_len;
	struct sbuf *out;
	void (*line)(const char *line, void *arg);
	void *arg;
};

/* Appends lines of @s that have something, escaped: two, and the last one. */
static void add_words(struct sbuf *out, const char *s, size_t len)
{
	struct { const char *at; size_t len; } last = { NULL, 0 };
	const char *end = s + len;
	size_t n = 0;

	/* a line of FRAME alone is what others are set off with */
	while (s < end) {
		/* a NUL byte is one of the blanks */
		size_t line = strcspn(s, "\r\n");

		line = line < (size_t)(end - s) ? line : (size_t)(end - s);
		while (line && strchr(" \t", *s))
			s++, line--;
		if (line > strspn(s, FRAME) && n++ < WORDS_LINES) {
			sbuf_puts(out, out->len ? " / " : "");
			text_escape(out, s, line < WORDS_MAX ? line : WORDS_MAX,
				    false);
		} else if (line > strspn(s, FRAME)) {
			last.at = s;
			last.len = line < WORDS_MAX ? line : WORDS_MAX;
		}
		s += line + 1;
	}
	if (last.at) {
		sbuf_puts(out, n > WORDS_LINES + 1 ? " / ... / " : " / ");
		text_escape(out, last.at, last.len, false);
	}
}

/*
 * What the host said itself: on stderr, and on its output, unless our own
 * command had begun to answer there. @g may be NULL.
 */
static void host_words(struct sbuf *out, const struct remote *r,
		       const struct reading *g)
{
	AUTO(auto_free) char *frame = g ? mem_strndup(g->end,
						strcspn(g->end, " ")) : NULL;

	add_words(out, sbuf_str(&r->errors), r->errors.len);
	if (!g || r->answers || strstr(sbuf_str(g->out), frame))
		return;
	add_words(out, sbuf_str(g->out), g->out->len);
	add_words(out, sbuf_str(&r->in), r->in.len);
}

/* The program ssh ended by itself, before the host ran anything. */
static int ssh_refused(const struct remote *r, const char *words,
		       struct err *e)
{
	if (strstr(words, "Permission denied"))
		return err_set(e, ERR_AUTH, "'%s': ssh says: %s; a key with a "
			       "passphrase has to be in the agent, since ssh "
			       "logs in where %s vouches for the host",
			       r->name, words, r->facts.vouched);
	return err_set(e, strstr(words, "ost key verification failed") ?
		       ERR_HOSTKEY : ERR_UNREACHABLE, "'%s': %s has to vouch "
		       "for the host key, and ssh says: %s", r->name,
		       r->facts.vouched, words);
}

/* The output ended too soon: learn how, and what the host has to say. */
static int ended_early(struct remote *r, const struct reading *g,
		       struct err *e)
{
	AUTO(sbuf_done) struct sbuf words = SBUF_INIT;
	int64_t deadline = remote_now_ms() + STATUS_WAIT_MS;
	struct remote_exit x = { .status = -1 };

	for (;;) {
		size_t came = pump_errors(r);

		r->via->ended(r->link, &x);
		if ((x.known && !came) || remote_left_ms(deadline) == 0)
			break;
		if (!came)
			r->via->wait(r->link, false, STATUS_POLL_MS);
	}
	if (!x.known)
		return lost(r, e);
	if (r->asked > 1)
		return answer_prompt(r, e);
	host_words(&words, r, g);
	if (r->facts.vouched && x.status == SSH_FAILED && !r->answers)
		return ssh_refused(r, sbuf_str(&words), e);
	if (x.signal[0])
		return err_set(e, ERR_REMOTE, "'%s': the command was ended by "
			       "signal %s%s%s", r->name, x.signal,
			       words.len ? ": " : "", sbuf_str(&words));
	if (x.status == 0 && words.len && g && !r->answers)
		return err_set(e, ERR_REMOTE, "'%s': the host ran something "
			       "else: '%s'", r->name, sbuf_str(&words));
	return err_set(e, ERR_REMOTE, "'%s': the command ended with status "
		       "%d%s%s", r->name, x.status, words.len ? ": " : "",
		       sbuf_str(&words));
}

int remote_send(struct remote *r, const void *bytes, size_t len, struct err *e)
{
	struct remote_patience patience;
	const char *p = bytes;

	begin_patience(r, &patience, r->timeout_ms);
	if (!r->started)
		return err_set(e, ERR_BUG, "'%s' runs no command", r->name);
	for (;;) {
		int flushed = len ? 0 : r->via->flushed(r->link);
		long n = len ? r->via->write(r->link, p, len) : 0;

		if (flushed)
			return flushed < 0 ? lost(r, e) : 0;

		if (n < 0) {
			while (pump(r) > 0 && !r->in.failed)
				;
			return r->broken ? lost(r, e) :
					   ended_early(r, NULL, e);
		}
		p += n;
		len -= (size_t)n;
		/* a host that waits for us to read would not read either */
		if (pump(r) > 0 || n > 0)
			remote_patience_renew(&patience);
		else if (remote_patience_left(&patience) > 0)
			r->via->wait(r->link, true,
				     remote_patience_left(&patience));
		else
			return over(r, &patience, e);
		if (remote_left_ms(patience.end) == 0)
			return over(r, &patience, e);
		if (r->in.failed)
			return too_much(r, r->in.max, e);
		if (r->broken)
			return lost(r, e);
	}
}

/* Hand out whole lines; true when the end was among them. */
static bool hand_out_lines(struct remote *r, const struct reading *g)
{
	char *nl;

	while (r->scanned < r->in.len && !g->out->failed) {
		char *line = r->in.s + r->taken;
		size_t len;

		nl = memchr(r->in.s + r->scanned, '\n',
			    r->in.len - r->scanned);
		if (!nl) {
			r->scanned = r->in.len;
			break;
		}
		len = (size_t)(nl - line);
		r->taken = r->scanned = (size_t)(nl + 1 - r->in.s);
		if (len == g->end_len && memcmp(line, g->end, len) == 0)
			return true;
		sbuf_add(g->out, line, len + 1);
		*nl = '\0';
		if (g->line && !g->out->failed)
			g->line(line, g->arg);
	}
	return false;
}

int remote_read_to(struct remote *r, const char *end, struct sbuf *out,
		   int timeout_ms, void (*line)(const char *line, void *arg),
		   void *arg, struct err *e)
{
	const struct reading g = { end, strlen(end), out, line, arg };
	size_t max = out->max ? out->max : SBUF_MAX_DEFAULT;
	struct remote_patience patience;

	begin_patience(r, &patience, timeout_ms > 0 ? timeout_ms : r->timeout_ms);
	if (!r->started)
		return err_set(e, ERR_BUG, "'%s' runs no command", r->name);
	for (;;) {
		if (hand_out_lines(r, &g)) {
			r->answers = true;
			return 0;
		}
		if (answer_prompt(r, e) < 0)
			return -1;
		/* drop what was handed out */
		if (r->taken) {
			r->in.len -= r->taken;
			memmove(r->in.s, r->in.s + r->taken, r->in.len);
			r->in.s[r->in.len] = '\0';
			r->scanned -= r->taken;
			r->taken = 0;
		}
		/* an unfinished line counts as soon as it can't be the end */
		if (out->failed || r->in.failed ||
		    (r->in.len > g.end_len && r->in.len > max - out->len))
			return too_much(r, out->max, e);
		if (r->broken)
			return lost(r, e);
		if (r->eof)
			return ended_early(r, &g, e);
		if (remote_left_ms(patience.end) == 0)
			return over(r, &patience, e);
		if (pump(r) > 0) {
			remote_patience_renew(&patience);
			continue;
		}
		if (r->eof || r->broken)
			continue;
		if (remote_patience_left(&patience) == 0)
			return over(r, &patience, e);
		r->via->wait(r->link, false, remote_patience_left(&patience));
	}
}
