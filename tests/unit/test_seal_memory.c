/*
 * The sealing formats leave no secret in memory. A child seals and opens; each
 * call runs on a stack of its own, and after each all memory that can be
 * written to is looked through: the secrets may lie where they are kept and
 * nowhere else, and in the end nowhere.
 */
#include "tests/unit/sealing.h"

#include "vault/sealed.h"

#include <pthread.h>
#include <sys/mman.h>

/* The end of a secret: free() itself writes over the start. */
#define NEEDLE 16

/** A secret that we look for, stored so that it is not found here. */
struct needle {
	const char *name;
	unsigned char masked[NEEDLE];
};

/** What the pieces of work share. */
struct desk {
	struct person p;
	struct secret word, plain;
	struct sealed_to to;
	struct sbuf made, sealed;
	bool ok;
	struct needle needles[4];
	size_t n;
	size_t found;
};

static void hide(struct desk *d, const char *name, const struct secret *s,
		 size_t from_end)
{
	const volatile unsigned char *at = s->bytes + s->len - from_end;
	struct needle *n = &d->needles[d->n++];

	n->name = name;
	for (size_t i = 0; i < NEEDLE; i++)
		n->masked[i] = at[i] ^ 0x5a;
}

/* ---- looking through memory ---- */

static bool within(const unsigned char *at, const void *start, size_t len)
{
	return start && at >= (const unsigned char *)start &&
	       at < (const unsigned char *)start + len;
}

/* Where it is kept? */
static bool allowed(const struct desk *d, const unsigned char *at)
{
	bool ok = within(at, d->p.file.bytes, d->p.file.len) ||
		  within(at, d->word.bytes, d->word.len) ||
		  within(at, d->plain.bytes, d->plain.len) ||
		  within(at, d->made.s, d->made.len);

	for (size_t i = 0; i < d->p.ids.len; i++)
		ok = ok || within(at, d->p.ids.items[i].scalar.bytes, 32);
	return ok;
}

static bool is_here(const unsigned char *at, const struct needle *n)
{
	for (size_t i = 0; i < NEEDLE; i++)
		if ((at[i] ^ 0x5a) != n->masked[i])
			return false;
	return true;
}

static void search(struct desk *d, const unsigned char *from,
		   const unsigned char *to)
{
	for (; from + NEEDLE <= to; from++) {
		for (size_t i = 0; i < d->n; i++) {
			if ((*from ^ 0x5a) != d->needles[i].masked[0] ||
			    !is_here(from, &d->needles[i]) || allowed(d, from))
				continue;
			fprintf(stderr, "# left in memory: the %s at %p\n",
				d->needles[i].name, (const void *)from);
			d->found++;
		}
	}
}

/* What can be written to, as the kernel lists it. */
static void search_all(struct desk *d)
{
	AUTO(auto_fclose) FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	while (maps && fgets(line, sizeof line, maps)) {
		unsigned long from, to;
		char mode[5];

		if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3 &&
		    mode[0] == 'r' && mode[1] == 'w')
			search(d, (const unsigned char *)from,
			       (const unsigned char *)to);
	}
}

/* ---- pieces of work ---- */

/* Run it in a thread whose stack nobody used or will use, and search. */
static bool piece(void *(*fn)(void *), struct desk *d)
{
	size_t size = (size_t)1 << 20;
	void *stack = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t how;
	pthread_t thread;

	d->ok = false;
	if (stack == MAP_FAILED || pthread_attr_init(&how) ||
	    pthread_attr_setstack(&how, stack, size) ||
	    pthread_create(&thread, &how, fn, d) || pthread_join(thread, NULL))
		return false;
	search_all(d);
	return d->ok;
}

static void *make(void *arg)
{
	struct desk *d = arg;
	struct age_recipient r;
	struct err e = { 0 };

	d->ok = age_identity_new(&d->made, &r, 0, &e) == 0;
	return NULL;
}

static void *parse(void *arg)
{
	struct desk *d = arg;

	person_read(&d->p);
	d->ok = true;
	return NULL;
}

static void *seal(void *arg)
{
	struct desk *d = arg;
	struct err e = { 0 };

	d->ok = sealed_seal(&d->sealed, d->plain.bytes, d->plain.len, &d->to,
			    &e) == 0;
	return NULL;
}

static void *open_again(void *arg)
{
	struct desk *d = arg;
	struct age_keys keys = { &d->word, &d->p.ids };
	AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
	struct err e = { 0 };

	d->ok = sealed_open(&got, d->sealed.s, d->sealed.len, &keys, &e) == 0 &&
		got.len == d->plain.len;
	return NULL;
}

/* A new identity's text into @out, where it is looked for from now on. */
static bool new_text(struct desk *d, const char *name, struct secret *out)
{
	bool ok;

	d->made = (struct sbuf)SBUF_SECRET;
	ok = piece(make, d);
	secret_set(out, d->made.s, d->made.len);
	hide(d, name, out, 30);
	search_all(d);
	sbuf_done(&d->made);
	return ok;
}

/* Texts of two more identities serve as passphrase and plain text. */
static bool work(struct desk *d)
{
	bool ok = new_text(d, "identity's text", &d->p.file) &&
		  new_text(d, "passphrase", &d->word) &&
		  new_text(d, "plain text", &d->plain) && piece(parse, d);

	hide(d, "identity's key", &d->p.ids.items[0].scalar, NEEDLE);
	d->to.form = SEALED_AGE;
	d->to.how.recipients = &d->p.to;
	ok = ok && piece(seal, d) && piece(open_again, d);
	d->to.how = (struct age_to){ .passphrase = &d->word, .log_n = 10 };
	ok = ok && piece(seal, d) && piece(open_again, d);
	d->to.form = SEALED_GO;
	return ok && piece(seal, d) && piece(open_again, d);
}

static int hunt(bool leak)
{
	AUTO(secret_done) struct secret kept = { 0 };
	struct desk d = { 0 };

	if (!work(&d))
		return 2;
	if (leak)
		secret_copy(&kept, &d.word);
	person_done(&d.p);
	secret_done(&d.word);
	secret_done(&d.plain);
	sbuf_done(&d.sealed);
	search_all(&d);
	return d.found ? 1 : 0;
}

static int in_child(bool leak)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(hunt(leak));
	return wait_for(pid);
}

static void skip_sanitized(void)
{
	if (!SANITIZED)
		return;
	print_message("skipped: a sanitizer keeps gigabytes of its own to "
		      "look through\n");
	skip();
}

static void test_nothing_left(void **state)
{
	(void)state;
	skip_sanitized();
	assert_int_equal(in_child(false), 0);
}

/* The search would find something. */
static void test_search_works(void **state)
{
	(void)state;
	skip_sanitized();
	assert_int_equal(in_child(true), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_search_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
