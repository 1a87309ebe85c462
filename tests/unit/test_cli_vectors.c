/*
 * The Go tool's recorded command lines, run through the real program (named by
 * WGMESH) in an empty folder each: exit status, standard output, the state
 * file afterwards. The words of errors are ours; what else differs on purpose
 * stands in the table of cli_differences.h and in docs/compatibility.md.
 */
#include "base/sbuf.h"
#include "tests/unit/cli_differences.h"
#include "tests/unit/vectors.h"
#include "vault/wgkey.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SYSTEM_STATE "/var/lib/wgmesh/mesh-state.json"

/* What one run of the program gave. */
struct outcome {
	int status; /* exit status, or 256 + signal */
	struct sbuf out, err;
};

static void outcome_done(struct outcome *o)
{
	sbuf_done(&o->out);
	sbuf_done(&o->err);
}

/* The program's absolute path. */
static const char *program(void)
{
	static char path[PATH_MAX];
	const char *named = getenv("WGMESH");

	if (!*path && !realpath(named ? named : "build/wgmesh", path))
		fail_msg("there is no program '%s'", named);
	return path;
}

static bool has_argument(json *argv, const char *word)
{
	for (size_t i = 0; i < vectors_len(argv); i++)
		if (strcmp(json_object_get_string(vectors_item(argv, i)),
			   word) == 0)
			return true;
	return false;
}

/* In the child: run the program as the case says; nothing is contacted. */
static void run_child(json *argv, const char *folder, const char *terminal,
		      int out, int err)
{
	size_t n = vectors_len(argv), len = 0;
	char **args = mem_calloc(n + 3, sizeof *args);
	char *env[3] = { mem_printf("PATH=%s", getenv("PATH")),
			 mem_printf("HOME=%s", folder), NULL };
	int in;

	args[len++] = mem_strdup("wgmesh");
	for (size_t i = 0; i < n; i++)
		args[len++] = mem_strdup(
			json_object_get_string(vectors_item(argv, i)));
	if (has_argument(argv, "-add"))
		args[len++] = mem_strdup("-offline");
	setsid(); /* or it could ask the person who runs the tests */
	in = open(terminal ? terminal : "/dev/null", O_RDWR);
	if (chdir(folder) == 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 &&
	    dup2(err, 2) == 2)
		execve(program(), args, env);
	_exit(127);
}

/* What a case types, and where. */
struct typist {
	json *lines;
	size_t typed;
	int terminal; /* the master's end, -1 without one */
};

/* A line for each prompt that has been shown. */
static void type_on(struct typist *t, const char *shown)
{
	size_t prompts = 0;

	for (const char *p = shown; (p = strstr(p, "password: ")); p++)
		prompts++;
	while (t->terminal >= 0 && t->typed < prompts &&
	       t->typed < vectors_len(t->lines)) {
		json *line = vectors_item(t->lines, t->typed++);

		dprintf(t->terminal, "%s\n", json_object_get_string(line));
	}
}

/* Read both pipes until both are closed. */
static void drain(struct outcome *o, struct typist *t, int out, int err)
{
	struct pollfd p[2] = { { .fd = out, .events = POLLIN },
			       { .fd = err, .events = POLLIN } };
	struct sbuf *to[2] = { &o->out, &o->err };
	char chunk[4096];

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		poll(p, 2, -1);
		for (int i = 0; i < 2; i++) {
			ssize_t n = p[i].revents
					    ? read(p[i].fd, chunk, sizeof chunk)
					    : -1;

			if (n > 0)
				sbuf_add(to[i], chunk, (size_t)n);
			else if (p[i].revents)
				p[i].fd = -1;
		}
		type_on(t, sbuf_str(&o->err));
	}
}

/* A terminal for a case that types; its slave's name, or NULL. */
static const char *open_terminal(struct typist *t)
{
	t->terminal = -1;
	if (!vectors_len(t->lines))
		return NULL;
	t->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(t->terminal >= 0);
	assert_int_equal(grantpt(t->terminal), 0);
	assert_int_equal(unlockpt(t->terminal), 0);
	return ptsname(t->terminal);
}

static void run_program(struct outcome *o, json *c, const char *folder)
{
	struct typist typist = { .lines = vectors_get(c,
						      "typed_on_terminal") };
	const char *terminal = open_terminal(&typist);
	int out[2], err[2], status;
	pid_t child;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	program();
	child = fork();
	if (child == 0)
		run_child(vectors_get(c, "argv"), folder, terminal, out[1],
			  err[1]);
	close(out[1]);
	close(err[1]);
	drain(o, &typist, out[0], err[0]);
	close(out[0]);
	close(err[0]);
	if (typist.terminal >= 0)
		close(typist.terminal);
	assert_int_equal(waitpid(child, &status, 0), child);
	o->status = WIFEXITED(status) ? WEXITSTATUS(status)
				      : 256 + WTERMSIG(status);
}

/* ---- the state file ---- */

static void read_file(struct sbuf *out, const char *path)
{
	AUTO(auto_fclose) FILE *f = fopen(path, "re");
	char chunk[4096];
	size_t n;

	while (f && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
		sbuf_add(out, chunk, n);
}

static void write_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* The text that the case starts from; empty when there is no state. */
static void initial_state(struct sbuf *out, json *c)
{
	char *path;

	sbuf_puts(out, vectors_text(c, "state_text"));
	if (!vectors_get(c, "state_from"))
		return;
	path = vectors_path(vectors_text(c, "state_from"));
	read_file(out, path);
	assert_true(out->len > 0);
	free(path);
}

/* Where the case's state is: the file put in place, or what -state names. */
static const char *state_name(json *c)
{
	json *argv = vectors_get(c, "argv");

	if (vectors_get(c, "state_file"))
		return vectors_text(c, "state_file");
	for (size_t i = 0; i < vectors_len(argv); i++) {
		const char *word = json_object_get_string(vectors_item(argv, i));

		if (strncmp(word, "--state=", 8) == 0)
			return word + 8;
		if (strcmp(word, "-state") == 0)
			return json_object_get_string(
				vectors_item(argv, i + 1));
	}
	return "mesh-state.json";
}

static bool holds(json *ours, json *recorded, const char *key);

/* Every recorded member is in ours; ours may have more, save in a map. */
static bool holds_object(json *ours, json *recorded, const char *key)
{
	bool map = strcmp(key, "nodes") == 0 || strcmp(key, "groups") == 0;

	if (map && json_object_object_length(ours) !=
			   json_object_object_length(recorded))
		return false;
	json_object_object_foreach(recorded, name, value) {
		if (!holds(vectors_get(ours, name), value, name))
			return false;
	}
	return true;
}

/* A fresh key of ours stands where the record has a placeholder. */
static bool is_placeholder(json *recorded)
{
	const char *text = json_object_get_string(recorded);

	return json_object_is_type(recorded, json_type_string) &&
	       *text == '<';
}

static bool holds(json *ours, json *recorded, const char *key)
{
	if (!ours && recorded)
		return false;
	if (json_object_is_type(recorded, json_type_object))
		return holds_object(ours, recorded, key);
	if (is_placeholder(recorded))
		return wgkey_valid(json_object_get_string(ours));
	if (strcmp(key, "local_hostname") == 0)
		return *json_object_get_string(ours);
	/* on purpose: a name makes no node this machine, the user does */
	if (strcmp(key, "is_local") == 0 && !json_object_get_boolean(ours))
		return true;
	return json_object_equal(ours, recorded);
}

/* Every private key that the state holds gives the public key beside it. */
static bool keys_belong(json *state)
{
	json *nodes = vectors_get(state, "nodes");

	json_object_object_foreach(nodes, name, node) {
		struct secret private_key = { 0 };
		char public_key[WGKEY_TEXT + 1] = "";
		const char *text = vectors_text(node, "private_key");
		struct err e;
		int ret;

		(void)name;
		secret_set(&private_key, text, strlen(text));
		ret = *text ? wgkey_public(&private_key, public_key, &e) : 0;
		secret_done(&private_key);
		if (ret < 0 || (*text && strcmp(public_key,
						vectors_text(node, "public_key"))))
			return false;
	}
	return true;
}

/* ---- one case ---- */

struct run {
	json *c;
	const char *name;
	char folder[64];
	char *path; /* of the state file */
	struct sbuf before, after;
	struct outcome o;
};

static void run_done(struct run *r)
{
	char *command = mem_printf("%s/f", r->folder);

	unlink(command);
	free(command);
	unlink(r->path);
	command = mem_printf("%s/a/b", r->folder);
	rmdir(command);
	*strrchr(command, '/') = '\0';
	rmdir(command);
	if (rmdir(r->folder) != 0)
		fail_msg("'%s': files are left over in %s", r->name,
			 r->folder);
	free(command);
	free(r->path);
	sbuf_done(&r->before);
	sbuf_done(&r->after);
	outcome_done(&r->o);
}

static void run_case(struct run *r, json *c)
{
	memset(r, 0, sizeof *r);
	r->c = c;
	r->name = vectors_text(c, "name");
	snprintf(r->folder, sizeof r->folder, "/tmp/wgmesh-cli-XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	r->path = mem_printf("%s/%s", r->folder, state_name(c));
	initial_state(&r->before, c);
	if (r->before.len) {
		write_file(r->path, r->before.s, r->before.len);
		chmod(r->path, 0600);
	}
	if (strcmp(r->name, "init: parent is a file") == 0) {
		char *file = mem_printf("%s/f", r->folder);

		write_file(file, "", 0);
		free(file);
	}
	run_program(&r->o, c, r->folder);
	read_file(&r->after, r->path);
}

static bool unchanged(const struct run *r)
{
	return r->before.len == r->after.len &&
	       (!r->after.len ||
		memcmp(r->before.s, r->after.s, r->after.len) == 0);
}

/* Standard output as recorded; the version's number is our own. */
static bool same_output(const struct run *r)
{
	const char *out = sbuf_str(&r->o.out);
	const char *recorded = vectors_text(r->c, "stdout");

	if (strcmp(recorded, "wgmesh version dev\n") == 0)
		return strncmp(out, recorded, 15) == 0 &&
		       strchr(out, '\n') == out + strlen(out) - 1;
	if (vectors_get(r->c, "stdout"))
		return strcmp(out, recorded) == 0;
	recorded = vectors_text(r->c, "stdout_first_line");
	return strncmp(out, recorded, strlen(recorded)) == 0 &&
	       (*recorded || !*out);
}

static bool same_state(const struct run *r)
{
	json *recorded = vectors_get(r->c, "state_after");
	json *ours;
	bool same;

	if (!json_object_is_type(recorded, json_type_object))
		return vectors_get(r->c, "state_after") != NULL || unchanged(r);
	ours = json_tokener_parse(sbuf_str(&r->after));
	same = ours && holds(ours, recorded, "") && keys_belong(ours);
	json_object_put(ours);
	return same;
}

/* What differs from the record, or NULL. */
static const char *difference_of(const struct run *r)
{
	if (r->o.status != json_object_get_int(vectors_get(r->c, "exit")))
		return "another exit status";
	if (!same_output(r))
		return "another standard output";
	if (!same_state(r))
		return "another state file";
	return NULL;
}

/* What holds for every run, recorded so or not; NULL when it does. */
static const char *broken_rule(const struct run *r)
{
	struct stat st;
	const char *err = sbuf_str(&r->o.err);

	for (const char *p = err; *p; p++)
		if ((unsigned char)*p < 0x20 && *p != '\n')
			return "control characters in an error";
	if (r->o.status != 0 && !*err)
		return "failed without a word";
	if (r->o.status != 0 && !unchanged(r))
		return "failed and changed the state";
	if (r->after.len && stat(r->path, &st) == 0 &&
	    (st.st_mode & 07777) != 0600)
		return "the state file is not 0600";
	return NULL;
}

static void check_case(struct tally *t, json *c)
{
	const struct cli_difference *d =
		cli_difference_find(vectors_text(c, "name"));
	const char *found, *broken;
	struct run r;

	run_case(&r, c);
	found = difference_of(&r);
	broken = broken_rule(&r);
	t->checked++;
	if (broken)
		tally_failed(t, r.name, broken);
	else if (d && !found)
		tally_failed(t, r.name, "listed, but it does not differ");
	else if (d && r.o.status != d->status)
		tally_failed(t, r.name, "differs, but not as listed");
	else if (!d && found)
		tally_failed(t, r.name, found);
	else if (d)
		t->differ++;
	if (t->failed && (broken || found) && !d)
		print_message("    exit %d\n    %s    %s", r.o.status,
			      sbuf_str(&r.o.out), sbuf_str(&r.o.err));
	run_done(&r);
}

/* Does the case look at the state of this machine itself? */
static bool needs_system_state(json *c)
{
	return !vectors_get(c, "state_file") &&
	       !has_argument(vectors_get(c, "argv"), "-state") &&
	       access(SYSTEM_STATE, F_OK) == 0;
}

static void test_cases(void **state)
{
	json *cases = vectors_load("cli/cases.json");
	struct tally t = { .kind = "cli" };

	(void)state;
	for (size_t i = 0; i < vectors_len(cases); i++) {
		json *c = vectors_item(cases, i);

		if (needs_system_state(c))
			print_message("vectors/cli: '%s' left out: there is a "
				      SYSTEM_STATE "\n",
				      vectors_text(c, "name"));
		else
			check_case(&t, c);
	}
	json_object_put(cases);
	tally_end(&t);
}

/* Each line of the table is a recorded case and stands in the document. */
static void test_table(void **state)
{
	json *cases = vectors_load("cli/cases.json");
	char *document = vectors_document();
	size_t missing = 0;

	(void)state;
	for (const struct cli_difference *d = cli_differences; d->name; d++) {
		bool found = false;

		for (size_t i = 0; i < vectors_len(cases) && !found; i++)
			found = strcmp(vectors_text(vectors_item(cases, i),
						    "name"), d->name) == 0;
		if (!found)
			print_message("no such case: '%s'\n", d->name);
		missing += !found;
		missing += !vectors_listed(document, d->name);
	}
	free(document);
	json_object_put(cases);
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("cli vectors", tests, NULL, NULL);
}
