/*
 * The recorded command lines that wgmesh answers otherwise on purpose, with
 * its exit status and the reason. docs/compatibility.md lists the same ones.
 */
#ifndef WGMESH_TESTS_CLI_DIFFERENCES_H
#define WGMESH_TESTS_CLI_DIFFERENCES_H

#include <stddef.h>
#include <string.h>

/* One recorded case. */
struct cli_difference {
	const char *name;
	int status;
	const char *why;
};

#define STATUS_2 "refused in both; 2 says that the input is wrong"
#define REFUSED "accepted by the Go tool, and nothing that could work"
#define ONE_ACTION "two actions at once are refused, none wins silently"
#define EMPTY "an action without its value is refused, not passed over"
#define HELP "help that was asked for goes to standard output"
#define IPV6 "IPv6 can be written in a node spec, in brackets"
#define LATER_CHECKED "groups and policies must name what is there"

static const struct cli_difference cli_differences[] = {
	/* the same refusal, another exit status */
	{ "no arguments, no state", 2, STATUS_2 },
	{ "positional argument stops flag parsing", 2, STATUS_2 },
	{ "-list=false is no action", 2, STATUS_2 },
	{ "init: -network '10.0.0.0'", 2, STATUS_2 },
	{ "init: -network 'fd00::/64'", 2, STATUS_2 },
	{ "init: -network '10.0.0.0/33'", 2, STATUS_2 },
	{ "init: -network ' 10.0.0.0/8'", 2, STATUS_2 },
	{ "init: -network '10.0.0.0/8 '", 2, STATUS_2 },
	{ "init: -network '10.0.0/8'", 2, STATUS_2 },
	{ "init: -network '10.0.0.0/255.0.0.0'", 2, STATUS_2 },
	{ "init: -network 'x'", 2, STATUS_2 },
	{ "add: 'n1:10.99.0.1'", 2, STATUS_2 },
	{ "add: 'n1::192.0.2.1'", 2, STATUS_2 },
	{ "add: 'n1:10.99.0.300:h'", 2, STATUS_2 },
	{ "add: 'n1:10.99.0.1/16:h'", 2, STATUS_2 },
	{ "add: 'n1: 10.99.0.1:h'", 2, STATUS_2 },
	{ "add: 'n1:10.99.0.1:h:'", 2, STATUS_2 },
	{ "add: 'n1:10.99.0.1:h:99999999999999999999'", 2, STATUS_2 },
	{ "add: 'n1:10.99.0.1:fd00::1'", 2, STATUS_2 },
	{ "add: 'n1:fd99::1:h'", 2, STATUS_2 },
	{ "remove: unknown", 2, STATUS_2 },
	{ "mesh: no action", 2, STATUS_2 },
	{ "mesh: unknown action", 2, STATUS_2 },
	{ "mesh: unknown action, no state", 2, STATUS_2 },
	{ "encrypt: state is encrypted, flag missing", 2, STATUS_2 },
	{ "encrypt: init, confirmation differs", 2, STATUS_2 },
	{ "encrypt: init, confirmation empty", 2, STATUS_2 },
	{ "encrypt: wrong password", 2, STATUS_2 },
	{ "encrypt: state is plain", 2, STATUS_2 },
	{ "encrypt: stdin is not a terminal", 2, STATUS_2 },
	{ "deploy: bad group", 2, STATUS_2 },
	{ "deploy: bad policy", 2, STATUS_2 },
	{ "add: empty value is no action", 2, EMPTY },
	{ "remove: empty value is no action", 2, EMPTY },

	/* refused here only */
	{ "encrypt: init, empty password", 2,
	  "the Go tool writes the state as plain text without a word" },
	{ "encrypt: state is plain, empty password", 2,
	  "-encrypt on a plain state is refused; seal seals it" },
	{ "init: again over an existing state", 2,
	  "the Go tool silently replaces the state: all keys are lost" },
	{ "init: -network '10.0.0.1/32'", 2, REFUSED },
	{ "add: 'n1:10.99.0.1:h:22:extra:more'", 2, REFUSED },
	{ "add: ':10.99.0.1:192.0.2.1'", 2, REFUSED },
	{ "add: 'n1:192.168.1.1:h'", 2, REFUSED },
	{ "add: 'n1:10.99.0.0:h'", 2, REFUSED },
	{ "add: 'n1:0.0.0.0:h'", 2, REFUSED },
	{ "add: 'n1:127.0.0.1:h'", 2, REFUSED },
	{ "add: 'n1:224.0.0.1:h'", 2, REFUSED },
	{ "add: 'n1:10.99.0.1:h:22abc'", 2, REFUSED },
	{ "add: 'n1:10.99.0.1:h:-1'", 2, REFUSED },
	{ "add: 'n1:10.99.0.1:h:0'", 2, REFUSED },
	{ "add: 'n1:10.99.0.1:h: 22'", 2, REFUSED },
	{ "add: 'n1:10.99.0.1:h:+22'", 2, REFUSED },
	{ "add: 'n1:10.99.0.1:h:0x16'", 2, REFUSED },
	{ "add: 'ä/..;x:10.99.0.1:h'", 2, REFUSED },
	{ "add: 'n1:10.99.0.1:h\\n:22'", 2, REFUSED },
	{ "add: mesh IP taken", 2, REFUSED },
	{ "remove wins over list", 2, ONE_ACTION },
	{ "list wins over list-simple and deploy", 2, ONE_ACTION },
	{ "init wins over add", 2, ONE_ACTION },
	{ "deploy: groups without policies, no nodes", 2, LATER_CHECKED },

	/* done, and otherwise */
	{ "-h", 0, HELP },
	{ "--help", 0, HELP },
	{ "mesh list -h", 0, HELP },
	{ "add: 'n1:10.99.0.1:root@h'", 0,
	  "the user is split off and used for the login" },
	{ "add: 'n1:10.99.0.1:[fd00::1]'", 0, IPV6 },
	{ "add: 'n1:[fd99::1]:h'", 2,
	  "can be written, but this mesh has no IPv6 network" },
	{ "remove: node stays in groups", 0,
	  "a node that is removed leaves its groups" },
	{ "mesh: flag before action is taken as the action", 0,
	  "options may stand anywhere" },
	{ NULL, 0, NULL },
};

/* The line for the case of that name, or NULL. */
static inline const struct cli_difference *cli_difference_find(const char *name)
{
	for (const struct cli_difference *d = cli_differences; d->name; d++)
		if (strcmp(d->name, name) == 0)
			return d;
	return NULL;
}

#endif
