/*
 * The options: one table, how they are parsed, and the help that it gives. The
 * table is one for all commands, so that an option has one name, one kind and
 * one place in struct options wherever it is taken; who takes it,
 * cmd/commands.c says.
 */
#include "cmd/cmd.h"

#include "base/num.h"

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
	const char *help;  /* own_help[] may say another one; NULL: not shown */
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
	  "refuse a plain state; a sealed one needs no flag" },
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
	{ "ask-sudo-password", NULL, FLAG, AT(ask_sudo), 0, 0,
	  "ask once for the password that sudo wants on the hosts" },
	{ "sudo-password-file", "FILE", TEXT, AT(sudo_password_file), 0, 0,
	  "that password from a file, or a pipe such as /dev/fd/3" },
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
	  "save without a question" },
	{ "exit-code", NULL, FLAG, AT(exit_code), 0, 0,
	  "exit with 4 when there are differences" },
	{ "dry-run", NULL, FLAG, AT(dry_run), 0, 0,
	  "show what would change and save nothing" },
	{ "file", "FILE", TEXT, AT(file), 0, 0,
	  "the mesh.yaml to read (-f); '-' is standard input" },
	{ "prune", NULL, FLAG, AT(prune), 0, 0,
	  "remove nodes that the file lacks" },
	{ "from", "GROUP|FILE", LIST, AT(from), 0, 0,
	  "a group that may start; repeat for more" },
	{ "to", "GROUP", LIST, AT(to), 0, 0,
	  "a group that may be reached; repeat for more" },
	{ "networks", NULL, FLAG, AT(networks), 0, 0,
	  "the networks behind the nodes, too" },
	{ "description", "TEXT", TEXT, AT(description), 0, 0,
	  "a sentence about it, for people" },
	{ "to-yaml", NULL, FLAG, AT(to_yaml), 0, 0,
	  "print a mesh.yaml to edit instead of changing the state" },
	{ "hooks", NULL, FLAG, AT(hooks), 0, 0,
	  "keep PostUp and PreDown of the boot file, as the node's own" },
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

/* Where an option means to one command what it does not mean to the others. */
static const struct {
	const char *command, *option;
	const char *value; /* NULL: as in the table */
	const char *help;
} own_help[] = {
	{ "init", "encrypt", NULL,
	  "seal the new state, to the -recipient or with a passphrase" },
	{ "apply", "recipient", NULL,
	  "seal a new state to this recipient (age1..., ssh-ed25519 ...); "
	  "repeat for more" },
	{ "apply", "format", NULL,
	  "how to seal a new state: age, or the Go tool's envelope (default "
	  "age)" },
	{ "rekey", "recipient", NULL,
	  "seal to this recipient, too (age1..., ssh-ed25519 ...); repeat for "
	  "more" },
	{ "cat", "secrets", NULL,
	  "with the private keys in it, else (hidden)" },
	{ "plan", "no-install", NULL,
	  "report a missing WireGuard instead of planning to install it" },
	{ "plan", "adopt", NULL,
	  "plan to replace an interface or boot file that is not wgmesh's" },
	{ "deploy", "pull", NULL,
	  "first bring the state to what the git remote has; takes the deploy "
	  "lock there" },
	{ "deploy", "yes", NULL,
	  "agree to tear down the interfaces of removed nodes" },
	{ "import", "yes", NULL,
	  "agree to what one host says of others, and to default routes" },
	{ "import", "from", "FILE", "a file to read instead of a host" },
	{ "policy", "from", "GROUP",
	  "a group that may start; repeat for more" },
	{ "pull", "yes", NULL,
	  "agree to who can read the state, who is trusted and what runs "
	  "where" },
	{ "rekey", "yes", NULL, "open a file that takes GiB of memory" },
	{ "unlock", "yes", NULL, "remove it without a question" },
};

static const struct option *find_option(const char *name, size_t len)
{
	if (len == 1 && *name == 'o')
		return find_option("output", 6);
	if (len == 1 && *name == 'f')
		return find_option("file", 4);
	if (len == 1 && *name == 'h')
		return find_option("help", 4);
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

static int set_option(struct cmd_env *env, const struct option *o,
		      const char *value, struct err *e)
{
	char *slot = (char *)&env->options + o->offset;
	const char *name = o->name; /* of the command that an action is */
	const struct command *c;
	bool on = false;

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
		if (set_flag(&on, o, value, e) < 0)
			return -1;
		if (!on)
			return 0;
		if (o->offset) { /* -list-simple */
			*(bool *)slot = true;
			name = "list";
		}
		break;
	case ACTION_TEXT:
		if (!*value)
			return err_set(e, ERR_INPUT, "-%s needs a %s", o->name,
				       o->value);
		env->action_argument = value;
		break;
	}
	c = command_find(name, e);
	if (env->command && env->command != c)
		return err_set(e, ERR_INPUT, "one action at a time: '%s' or "
			       "'%s'?", env->command->name, name);
	env->command = c;
	return 0;
}

/* The options of one command line, in its order; borrowed from the table. */
struct given {
	const struct option **items;
	size_t len;
	size_t cap;
};

/* There is no option of the name that @given begins with, after its dashes. */
static int fail_no_option(const char *given, const char *name, size_t len,
			  struct err *e)
{
	AUTO(auto_free) char *word = mem_strndup(name, len);
	const char *near = nearest_name(table, sizeof table / sizeof *table,
					sizeof *table, word);

	if (near)
		return err_set(e, ERR_INPUT, "there is no option '%s'; did you "
			       "mean -%s?", given, near);
	return err_set(e, ERR_INPUT, "there is no option '%s'; 'wgmesh help' "
		       "and the command's name list those of a command", given);
}

/* One option at argv[*i]; *i is moved past a value that stands behind it. */
static int parse_option(struct cmd_env *env, int argc, char **argv, int *i,
			struct given *given, struct err *e)
{
	const char *name = argv[*i] + 1 + (argv[*i][1] == '-');
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct option *o = find_option(name, len);

	if (strcmp(argv[*i], "-v") == 0 || strcmp(argv[*i], "--version") == 0) {
		env->options.version = true;
		return 0;
	}
	if (!o)
		return fail_no_option(argv[*i], name, len, e);
	if (!value && o->kind != FLAG && o->kind != ACTION) {
		if (*i + 1 >= argc)
			return err_set(e, ERR_INPUT, "-%s needs a %s", o->name,
				       o->value);
		value = argv[++*i];
	}
	/* lists grow, a flag can be said twice; else one would be lost */
	for (size_t k = 0; k < given->len; k++)
		if (given->items[k] == o && o->kind != LIST && o->kind != FLAG)
			return err_set(e, ERR_INPUT, "-%s is given twice",
				       o->name);
	vec_push(given, o);
	return set_option(env, o, value, e);
}

/* The first word names the command, unless an action did; "mesh list" too. */
static int parse_word(struct cmd_env *env, const char *word, bool *mesh,
		      struct err *e)
{
	if (env->command) {
		strings_add(&env->args, word);
		return 0;
	}
	if (!*mesh && strcmp(word, "mesh") == 0) {
		*mesh = true;
		return 0;
	}
	if (*mesh && strcmp(word, "list") != 0)
		return err_set(e, ERR_INPUT, "'mesh %s': expected 'mesh list'",
			       word);
	if (*mesh)
		env->options.simple = true;
	env->command = command_find(word, e);
	return env->command ? 0 : -1;
}

/* Is @name in the blank-separated list? */
static bool is_listed(const char *list, const char *name)
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

/* Does @c take it? Some are of every command, so that scripts can set them. */
static bool is_taken(const struct command *c, const char *name)
{
	return is_listed("state help identity password-file password-command "
			 "encrypt no-commit", name) ||
	       is_listed(c->options, name);
}

static int check_use(struct cmd_env *env, const struct given *given,
		     struct err *e)
{
	const struct command *c = env->command;

	if (!c || env->options.help || env->options.version)
		return 0;
	if (env->action_argument)
		strings_add(&env->args, env->action_argument);
	for (size_t i = 0; i < given->len; i++) {
		const struct option *o = given->items[i];

		if (o->kind != ACTION && o->kind != ACTION_TEXT &&
		    !is_taken(c, o->name))
			return err_set(e, ERR_INPUT, "'%s' has no option -%s; "
				       "see 'wgmesh help %s'", c->name, o->name,
				       c->name);
	}
	if (env->args.len < c->min_args || env->args.len > c->max_args)
		return err_set(e, ERR_INPUT, "expected: wgmesh %s%s%s",
			       c->name, c->arguments ? " " : "",
			       c->arguments ? c->arguments : "");
	return 0;
}

int options_parse(struct cmd_env *env, int argc, char **argv, struct err *e)
{
	struct given given = { 0 };
	bool only_words = false, mesh = false;
	int ret = 0;

	env->options.parallel = 64;
	env->options.timeout_s = 10;
	for (int i = 1; i < argc && ret == 0; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0)
			only_words = true;
		else if (!only_words && argv[i][0] == '-' && argv[i][1])
			ret = parse_option(env, argc, argv, &i, &given, e);
		else
			ret = parse_word(env, argv[i], &mesh, e);
	}
	if (ret == 0 && mesh && !env->command && !env->options.help)
		ret = err_set(e, ERR_INPUT, "'mesh': expected 'mesh list'");
	if (ret == 0)
		ret = check_use(env, &given, e);
	vec_done(&given);
	return ret;
}

static void print_option(FILE *f, const struct command *c,
			 const struct option *o)
{
	const char *value = o->value, *help = o->help;
	char left[48];

	for (size_t i = 0; i < sizeof own_help / sizeof *own_help; i++)
		if (strcmp(own_help[i].command, c->name) == 0 &&
		    strcmp(own_help[i].option, o->name) == 0) {
			value = own_help[i].value ? own_help[i].value : value;
			help = own_help[i].help;
		}
	snprintf(left, sizeof left, "-%s%s%s", o->name, value ? " " : "",
		 value ? value : "");
	fprintf(f, "  %-24s %s\n", left, help);
}

void usage_print(FILE *f, const struct command *c)
{
	if (c) {
		fprintf(f, "usage: wgmesh %s [OPTION]...%s%s\n\n%s\n\n"
			"options:\n", c->name, c->arguments ? " " : "",
			c->arguments ? c->arguments : "", c->summary);
		for (size_t i = 0; i < sizeof table / sizeof *table; i++)
			if (table[i].help && is_taken(c, table[i].name))
				print_option(f, c, &table[i]);
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
