/*
 * What the tests of the sealing formats share: identities, plain texts, running
 * the stock age with and without a terminal, and a child with bounds.
 */
#ifndef WGMESH_TESTS_SEALING_H
#define WGMESH_TESTS_SEALING_H

#include "base/auto.h"
#include "base/mem.h"
#include "base/vec.h"
#include "vault/age/age.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define COUNT(a) (sizeof(a) / sizeof *(a))

/** An identity with what can be made of it. */
struct person {
	struct secret file; /* the identity file */
	struct age_recipient recipient;
	char text[AGE_RECIPIENT_TEXT];
	struct age_identities ids;
	struct age_recipients to; /* the person alone */
};

static inline bool same_recipient(const struct age_recipient *a,
				  const struct age_recipient *b)
{
	return a->kind == b->kind && memcmp(a->key, b->key, sizeof a->key) == 0;
}

/** Sizes across the borders of chunks. */
static const size_t sizes[] = {
	0, 1, 65535, 65536, 65537, 131072, 1000000, 20000000,
};

/** Passphrases: one byte, blanks, UTF-8, 1,000 bytes. */
static const char *const passphrases[] = {
	"x",
	"correct horse battery staple",
	"  lead and trail  ",
	"p\xc3\xa4ssw\xc3\xb6rd-\xe5\xaf\x86\xe7\xa0\x81-\xf0\x9f\x94\x91",
	NULL, /* 1,000 bytes, see passphrase() */
};

/** Number @i of them. */
static inline void passphrase(struct secret *out, size_t i)
{
	char longest[1000];

	memset(longest, 'q', sizeof longest);
	if (passphrases[i])
		secret_set(out, passphrases[i], strlen(passphrases[i]));
	else
		secret_set(out, longest, sizeof longest);
}

/** Read the file's identities into the person. */
static inline void person_read(struct person *p)
{
	struct err e = { 0 };

	assert_int_equal(age_identities_parse(&p->ids, &p->file, &e), 0);
	p->recipient = p->ids.items[0].recipient;
	age_recipient_text(&p->recipient, p->text);
	vec_push(&p->to, p->recipient);
}

static inline void person_new(struct person *p)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	struct err e = { 0 };

	*p = (struct person){ 0 };
	assert_int_equal(age_identity_new(&text, &p->recipient, 1700000000, &e),
			 0);
	secret_set(&p->file, text.s, text.len);
	person_read(p);
	assert_int_equal(p->ids.len, 1);
}

static inline void person_done(struct person *p)
{
	secret_done(&p->file);
	age_identities_done(&p->ids);
	vec_done(&p->to);
}

/** @len bytes that are the same each time; the caller frees. */
static inline unsigned char *some_bytes(size_t len)
{
	unsigned char *p = mem_calloc(len + 1, 1);
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (unsigned char)x;
	}
	return p;
}

static inline void put_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)bytes + done, len - done);

		assert_true(n > 0);
		done += (size_t)n;
	}
	close(fd);
}

/** The content of a file; the caller ends it. */
static inline struct sbuf get_file(const char *path)
{
	struct sbuf b = SBUF_INIT;
	char piece[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, piece, sizeof piece)) > 0)
		sbuf_add(&b, piece, (size_t)n);
	assert_false(b.failed);
	close(fd);
	return b;
}

static inline void assert_file(const char *path, const void *want, size_t len)
{
	AUTO(sbuf_done) struct sbuf b = get_file(path);

	assert_int_equal(b.len, len);
	if (len)
		assert_true(memcmp(b.s, want, len) == 0);
}

/** Is that program in the path? */
static inline bool have(const char *program)
{
	AUTO(auto_free) char *path = mem_strdup(getenv("PATH"));
	char *rest = path;
	char *folder;

	while (rest && (folder = strsep(&rest, ":"))) {
		AUTO(auto_free) char *full = mem_printf("%s/%s", folder, program);

		if (access(full, X_OK) == 0)
			return true;
	}
	return false;
}

/** Skip the test, saying so, where @program is not installed. */
static inline void need(const char *program)
{
	if (have(program))
		return;
	print_message("skipped: no '%s' on this machine\n", program);
	skip();
}

static inline int wait_for(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/** Run a program quietly; its exit status, -1 for a signal. */
static inline int run(const char *const argv[])
{
	pid_t pid = fork();
	int null;

	assert_true(pid >= 0);
	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return wait_for(pid);
}

#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

/* Answer each prompt (": " at the end) that the program shows. */
static inline void answer(int terminal, const char *line)
{
	char seen[4096];
	ssize_t n;

	while ((n = read(terminal, seen, sizeof seen)) > 0) {
		while (n > 0 && seen[n - 1] != ' ')
			n--;
		if (n < 2 || seen[n - 2] != ':')
			continue;
		if (write(terminal, line, strlen(line)) < 0 ||
		    write(terminal, "\n", 1) < 0)
			return;
	}
}

/** Run a program on a terminal of its own and type @line at its prompts. */
static inline int run_typing(const char *line, const char *const argv[])
{
	int terminal;
	pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

	assert_true(pid >= 0);
	if (pid == 0) {
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	answer(terminal, line);
	close(terminal);
	return wait_for(pid);
}

#define RUN_TYPING(line, ...) \
	run_typing((line), (const char *const[]){ __VA_ARGS__, NULL })

/** A folder of the test's own, as the working directory. */
static inline int enter_folder(void **state)
{
	char path[] = "/tmp/wgmesh-age-XXXXXX";

	if (!mkdtemp(path) || chdir(path) < 0)
		return -1;
	*state = strdup(path);
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/** Back out, and remove it. */
static inline int leave_folder(void **state)
{
	int ret = chdir("/");

	ret |= nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return ret;
}

/** Seal to a file. */
static inline void seal_to(const char *path, const void *plain, size_t len,
		    const struct age_to *to)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	struct err e = { 0 };

	assert_int_equal(age_seal(&out, plain, len, to, &e), 0);
	put_file(path, out.s, out.len);
}

/** Open a file and want that plain text. */
static inline void assert_opens(const char *path, const struct age_keys *keys,
			 const void *want, size_t len)
{
	AUTO(sbuf_done) struct sbuf sealed = get_file(path);
	AUTO(sbuf_done) struct sbuf plain = SBUF_INIT;
	struct err e = { 0 };

	if (age_open(&plain, sealed.s, sealed.len, keys, &e) < 0)
		fail_msg("%s: %s", path, e.msg);
	assert_true(plain.secret);
	assert_int_equal(plain.len, len);
	if (len)
		assert_true(memcmp(plain.s, want, len) == 0);
}

/** Open a file and want that error. */
static inline void assert_refused(const char *path, const struct age_keys *keys,
			   enum err_code code, const char *text)
{
	AUTO(sbuf_done) struct sbuf sealed = get_file(path);
	AUTO(sbuf_done) struct sbuf plain = SBUF_INIT;
	struct err e = { 0 };

	assert_int_equal(age_open(&plain, sealed.s, sealed.len, keys, &e), -1);
	assert_int_equal(e.code, code);
	assert_non_null(strstr(e.msg, text));
	assert_null(plain.s);
}

/**
 * Run @fn in a child that may take @cpu_s seconds and 512 MiB of memory, and
 * want it to come back with true.
 */
static inline void assert_bounded(bool (*fn)(void *arg), void *arg,
				  unsigned cpu_s)
{
	struct rlimit cpu = { cpu_s, cpu_s };
	struct rlimit memory = { 512u << 20, 512u << 20 };
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CPU, &cpu);
		/* The sanitizer's own memory is in the terabytes. */
		if (!SANITIZED)
			setrlimit(RLIMIT_AS, &memory);
		_exit(fn(arg) ? 0 : 1);
	}
	assert_int_equal(wait_for(pid), 0);
}

#endif
