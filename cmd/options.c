/*
 * The options: one table, how they are parsed, and the help that it gives.
 */
#include "cmd/cmd.h"

#include "base/num.h"
#include "base/text.h"

#include <stddef.h>
#include <string.h>

enum kind { FLAG, TEXT, LIST, NUMBER, ACTION, ACTION_TEXT };

/** One option. ACTION kinds are the Go tool's way to name a command. */
struct option {
	const char *name;
	const char *value; /* its name in the usage text, or NULL */
	enum kind kind;
	size_t offset;     /* into struct options */
	long min, max;     /* NUMBER */
	const char *help;
};

#define AT(field) offsetof(struct options, field)

static const struct option table[] = {
	/* of every command */
	{ "state", "FILE", TEXT, AT(state), 0, 0,
	  "the state file (else $WGMESH_STATE, ./mesh-state.json, "
	  "/var/lib/wgmesh/mesh-state.json)" },
	{ "help", NULL, FLAG, AT(help), 0, 0, "explain and exit" },
	{ "identity", "FILE", TEXT, AT(identity), 0, 0,
	  "age identity that opens a sealed state (else $WGMESH_IDENTITY, or "
	  "its content in $WGMESH_IDENTITY_DATA)" },
	{ "password-file", "FILE", TEXT, AT(password_file), 0, 0,
	  "its passphrase from a file (else $WGMESH_PASSWORD_FILE)" },
	{ "password-command", "CMD", TEXT, AT(password_command), 0, 0,
	  "from a command's output (else $WGMESH_PASSWORD_COMMAND, then "
	  "$WGMESH_PASSWORD, then the terminal)" },
	{ "encrypt", NULL, FLAG, AT(encrypt), 0, 0,
	  "init: seal the new state; a sealed state needs no flag" },
	/* of some */
	{ "network", "CIDR", TEXT, AT(network), 0, 0,
	  "the mesh's IPv4 network (default " MESH_DEFAULT_NETWORK ")" },
	{ "network6", "CIDR", TEXT, AT(network6), 0, 0,
	  "its IPv6 network; 'auto' draws a unique local /64" },
	{ "interface", "NAME", TEXT, AT(interface), 0, 0,
	  "the interface on the hosts (default " MESH_DEFAULT_INTERFACE ")" },
	{ "listen-port", "PORT", TEXT, AT(listen_port), 0, 0,
	  "the UDP port on the hosts (default 51820)" },
	{ "recipient", "R", LIST, AT(recipients), 0, 0,
	  "seal to this recipient (age1..., ssh-ed25519 ...); repeat for more" },
	{ "format", "age|go", TEXT, AT(format), 0, 0,
	  "how to seal: age, or the Go tool's envelope (default age)" },
	{ "new-password-file", "FILE", TEXT, AT(new_password_file), 0, 0,
	  "the new passphrase from a file" },
	{ "new-password-command", "CMD", TEXT, AT(new_password_command), 0, 0,
	  "the new passphrase from a command's output" },
	{ "accept-new-host-keys", NULL, FLAG, AT(accept_new), 0, 0,
	  "take and pin SSH host keys that are not known yet" },
	{ "accept-changed-keys", NULL, FLAG, AT(accept_changed), 0, 0,
	  "take the WireGuard key of a host that shows another one than the "
	  "state has (a rebuilt host)" },
	{ "offline", NULL, FLAG, AT(offline), 0, 0,
	  "do not contact the host" },
	{ "forget", NULL, FLAG, AT(forget), 0, 0,
	  "leave the host as it is, for one that is gone for good" },
	{ "simple", NULL, FLAG, AT(simple), 0, 0,
	  "a line 'name address' for each node" },
	{ "json", NULL, FLAG, AT(json), 0, 0,
	  "machine-readable output (docs/json.md)" },
	{ "secrets", NULL, FLAG, AT(secrets), 0, 0,
	  "with the private key in it" },
	{ "all", NULL, FLAG, AT(all), 0, 0, "every node, into -output" },
	{ "output", "DIR", TEXT, AT(output), 0, 0,
	  "the folder that -all writes NODE.conf files to (-o)" },
	{ "parallel", "N", NUMBER, AT(parallel), 1, 1024,
	  "hosts at a time (default 64)" },
	{ "timeout", "SECONDS", NUMBER, AT(timeout_s), 1, 3600,
	  "longest wait for a login, and for each answer (default 10)" },
	{ "no-install", NULL, FLAG, AT(no_install), 0, 0,
	  "report a missing WireGuard instead of installing it" },
	{ "yes", NULL, FLAG, AT(yes), 0, 0,
	  "apply, rollback: save without a question; pull: agree to who can "
	  "read the state, who is trusted and what runs where; deploy: agree to "
	  "tear down the interfaces of removed nodes; import: agree to what one "
	  "host says of others, and to default routes; rekey: open a file that "
	  "takes GiB of memory" },
	{ "exit-code", NULL, FLAG, AT(exit_code), 0, 0,
	  "exit with 4 when there are differences" },
	{ "dry-run", NULL, FLAG, AT(dry_run), 0, 0,
	  "show what would change and save nothing" },
	{ "file", "FILE", TEXT, AT(file), 0, 0,
	  "the mesh.yaml to read (-f); '-' is standard input" },
	{ "prune", NULL, FLAG, AT(prune), 0, 0,
	  "remove nodes that the file lacks" },
	{ "from", "GROUP|FILE", LIST, AT(from), 0, 0,
	  "policy: a group that may start; repeat for more. import: a file to "
	  "read instead of a host" },
	{ "to", "GROUP", LIST, AT(to), 0, 0,
	  "policy: a group that may be reached; repeat for more" },
	{ "networks", NULL, FLAG, AT(networks), 0, 0,
	  "policy: the networks behind the nodes, too" },
	{ "description", "TEXT", TEXT, AT(description), 0, 0,
	  "a sentence about it, for people" },
	{ "to-yaml", NULL, FLAG, AT(to_yaml), 0, 0,
	  "print a mesh.yaml to edit instead of changing the state" },
	{ "adopt", NULL, FLAG, AT(adopt), 0, 0,
	  "replace an interface or boot file that is not wgmesh's" },
	{ "force-serial", NULL, FLAG, AT(force_serial), 0, 0,
	  "go on though a host was deployed from a newer state" },
	{ "accept-new-secret", NULL, FLAG, AT(accept_secret), 0, 0,
	  "agree that the secret of the mesh is another one than before" },
	{ "out", "FILE", TEXT, AT(out), 0, 0,
	  "save the plan; 'wgmesh deploy FILE' runs exactly that or nothing" },
	{ "markdown", NULL, FLAG, AT(markdown), 0, 0,
	  "the plan as Markdown, for a comment" },
	{ "script", NULL, FLAG, AT(script), 0, 0,
	  "what would be sent to each host, keys hidden" },
	{ "log", "FILE", TEXT, AT(log), 0, 0,
	  "append a JSON line for each step (docs/json.md)" },
	{ "no-commit", NULL, FLAG, AT(no_commit), 0, 0,
	  "leave the commit to you when the state is in a git work tree" },
	{ "pull", NULL, FLAG, AT(pull), 0, 0,
	  "first bring the state to what the git remote has" },
	{ "push", NULL, FLAG, AT(push), 0, 0,
	  "push the state before any host is touched, and the record at the end" },
	{ "resolve", NULL, FLAG, AT(resolve), 0, 0,
	  "show the conflicts, or resolve those that are named" },
	{ "git", NULL, FLAG, AT(git), 0, 0,
	  "make a git repository of the state's folder" },
	/* the Go tool's actions; the name is a command's */
	{ "init", NULL, ACTION, 0, 0, 0, NULL },
	{ "add", "SPEC", ACTION_TEXT, 0, 0, 0, NULL },
	{ "remove", "NAME", ACTION_TEXT, 0, 0, 0, NULL },
	{ "list", NULL, ACTION, 0, 0, 0, NULL },
	{ "list-simple", NULL, ACTION, AT(simple), 0, 0, NULL },
	{ "deploy", NULL, ACTION, 0, 0, 0, NULL },
};

static const struct option *find(const char *name, size_t len)
{
	if (len == 1 && *name == 'o')
		return find("output", 6);
	if (len == 1 && *name == 'f')
		return find("file", 4);
	if (len == 1 && *name == 'h')
		return find("help", 4);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strlen(table[i].name) == len &&
		    memcmp(table[i].name, name, len) == 0)
			return &table[i];
	return NULL;
}

static int set_flag(bool *slot, const struct option *o, const char *value,
		    struct err *e)
{
	if (!value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*slot = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*slot = false;
	else
		return err_set(e, ERR_INPUT, "-%s=%s: expected true or false",
			       o->name, value);
	return 0;
}

static int choose(struct cmd_env *env, const char *name, struct err *e)
{
	const struct command *c = command_find(name);

	if (env->command && env->command != c)
		return err_set(e, ERR_INPUT, "one action at a time: '%s' or "
			       "'%s'?", env->command->name, name);
	env->command = c;
	return 0;
}

static int set_action(struct cmd_env *env, const struct option *o,
		      const char *value, struct err *e)
{
	bool on = false;

	if (o->kind == ACTION_TEXT) {
		if (!value || !*value)
			return err_set(e, ERR_INPUT, "-%s needs a %s", o->name,
				       o->value);
		env->action_argument = value;
		return choose(env, o->name, e);
	}
	if (set_flag(&on, o, value, e) < 0 || !on)
		return on ? 0 : e->code == ERR_NONE ? 0 : -1;
	if (o->offset)
		env->options.simple = true;
	return choose(env, o->offset ? "list" : o->name, e);
}

static int set_option(struct cmd_env *env, const struct option *o,
		      const char *value, struct err *e)
{
	char *slot = (char *)&env->options + o->offset;

	switch (o->kind) {
	case FLAG:
		return set_flag((bool *)slot, o, value, e);
	case TEXT:
		*(const char **)slot = value;
		return 0;
	case LIST:
		strings_add((struct strings *)slot, value);
		return 0;
	case NUMBER:
		if (!num_parse((long *)slot, value, o->min, o->max))
			return err_set(e, ERR_INPUT, "-%s %s: expected a "
				       "number from %ld to %ld", o->name,
				       value, o->min, o->max);
		return 0;
	case ACTION:
	case ACTION_TEXT:
		return set_action(env, o, value, e);
	}
	return 0;
}

static bool takes_value(const struct option *o)
{
	return o->kind == TEXT || o->kind == LIST || o->kind == NUMBER || o->kind == ACTION_TEXT;
}

static bool is_action(const struct option *o)
{
	return o->kind == ACTION || o->kind == ACTION_TEXT;
}

/* Lists grow and a flag can be said twice; of all else only one would count. */
static int note_given(struct strings *given, const struct option *o,
		      struct err *e)
{
	for (size_t i = 0; i < given->len; i++)
		if (o->kind != LIST && o->kind != FLAG &&
		    strcmp(given->items[i], o->name) == 0)
			return err_set(e, ERR_INPUT, "-%s is given twice",
				       o->name);
	strings_add(given, o->name);
	return 0;
}

/* One option at argv[*i]; *i is moved past a value that stands behind it. */
static int parse_option(struct cmd_env *env, int argc, char **argv, int *i,
			struct strings *given, struct err *e)
{
	const char *name = argv[*i] + 1 + (argv[*i][1] == '-');
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct option *o = find(name, len);

	if (strcmp(argv[*i], "-v") == 0 || strcmp(argv[*i], "--version") == 0) {
		env->options.version = true;
		return 0;
	}
	if (!o)
		return err_set(e, ERR_INPUT, "there is no option '%s'; "
			       "'wgmesh help' lists them", argv[*i]);
	if (takes_value(o) && !value) {
		if (*i + 1 >= argc)
			return err_set(e, ERR_INPUT, "-%s needs a %s", o->name,
				       o->value);
		value = argv[++*i];
	}
	if (note_given(given, o, e) < 0)
		return -1;
	return set_option(env, o, value, e);
}

/* The first word names the command, unless an action did; "mesh list" too. */
static int take_word(struct cmd_env *env, const char *word, bool *mesh,
		     struct err *e)
{
	if (!env->command && !*mesh && strcmp(word, "mesh") == 0) {
		*mesh = true;
		return 0;
	}
	if (*mesh && !env->command) {
		if (strcmp(word, "list") != 0)
			return err_set(e, ERR_INPUT, "'mesh %s': expected "
				       "'mesh list'", word);
		env->options.simple = true;
		return choose(env, "list", e);
	}
	if (!env->command) {
		env->command = command_find(word);
		if (!env->command)
			return err_set(e, ERR_INPUT, "there is no command "
				       "'%s'; 'wgmesh help' lists them", word);
		return 0;
	}
	strings_add(&env->args, word);
	return 0;
}

/* Is @name in the blank-separated list? */
static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; p && *p; p += strspn(p, " ")) {
		size_t word = strcspn(p, " ");

		if (word == len && memcmp(p, name, len) == 0)
			return true;
		p += word;
	}
	return false;
}

static bool is_common(const char *name)
{
	return listed("state help identity password-file password-command "
		      "encrypt no-commit", name);
}

static int check_use(struct cmd_env *env, const struct strings *given,
		     struct err *e)
{
	const struct command *c = env->command;

	if (!c || env->options.help || env->options.version)
		return 0;
	if (env->action_argument)
		strings_add(&env->args, env->action_argument);
	for (size_t i = 0; i < given->len; i++)
		if (!is_common(given->items[i]) &&
		    !is_action(find(given->items[i],
				    strlen(given->items[i]))) &&
		    !listed(c->options, given->items[i]))
			return err_set(e, ERR_INPUT, "'%s' has no option -%s; "
				       "see 'wgmesh help %s'", c->name,
				       given->items[i], c->name);
	if (env->args.len < c->min_args || env->args.len > c->max_args)
		return err_set(e, ERR_INPUT, "expected: wgmesh %s%s%s",
			       c->name, c->arguments ? " " : "",
			       c->arguments ? c->arguments : "");
	return 0;
}

int options_parse(struct cmd_env *env, int argc, char **argv, struct err *e)
{
	struct strings given = { 0 };
	bool only_words = false, mesh = false;
	int ret = 0;

	e->code = ERR_NONE;
	env->options.parallel = 64;
	env->options.timeout_s = 10;
	for (int i = 1; i < argc && ret == 0; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0)
			only_words = true;
		else if (!only_words && argv[i][0] == '-' && argv[i][1])
			ret = parse_option(env, argc, argv, &i, &given, e);
		else
			ret = take_word(env, argv[i], &mesh, e);
	}
	if (ret == 0 && mesh && !env->command && !env->options.help)
		ret = err_set(e, ERR_INPUT, "'mesh': expected 'mesh list'");
	if (ret == 0)
		ret = check_use(env, &given, e);
	strings_done(&given);
	return ret;
}

static void print_option(FILE *f, const struct option *o)
{
	char left[48];

	snprintf(left, sizeof left, "-%s%s%s", o->name, o->value ? " " : "",
		 o->value ? o->value : "");
	fprintf(f, "  %-24s %s\n", left, o->help);
}

static void print_command(FILE *f, const struct command *c)
{
	fprintf(f, "usage: wgmesh %s%s%s%s\n\n%s\n\noptions:\n", c->name,
		" [OPTION]...", c->arguments ? " " : "",
		c->arguments ? c->arguments : "", c->summary);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].help && (is_common(table[i].name) ||
				      listed(c->options, table[i].name)))
			print_option(f, &table[i]);
}

void usage_print(FILE *f, const struct command *c)
{
	if (c) {
		print_command(f, c);
		return;
	}
	fputs("wgmesh - WireGuard mesh network builder\n\n"
	      "usage: wgmesh COMMAND [OPTION]... [ARGUMENT]...\n\ncommands:\n",
	      f);
	for (size_t i = 0; i < commands_len; i++)
		fprintf(f, "  %-10s %s\n", commands[i].name,
			commands[i].summary);
	fputs("\n'wgmesh help COMMAND' lists a command's options; wgmesh(1) "
	      "explains them.\nOptions may have one dash or two. -init, -add "
	      "SPEC, -remove NAME, -list,\n-list-simple, -deploy and 'mesh "
	      "list' work as well.\n", f);
}
