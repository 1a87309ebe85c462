#!/bin/sh
# CONTRIBUTING.md says what a new field, command, option and step touch: add one
# of each as it says, in a scratch copy, build that, and use it. The fields are a
# number, and a text that a yes is asked for, in two files.
#
#   sh tests/recipes.sh
cd "$(dirname "$0")/.." || exit 1
. tests/lib/harness.sh

T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
tar cf - Makefile acl base cmd render ssh state vault docs | tar xf - -C "$T" || exit 1
cd "$T" || exit 1

sed -i 's|^\tbool exit; /\* a default|\tint weight; char *site;\n&|' state/model/mesh.h
sed -i '/{ .key = "groups", .type = FIELD_LIST, .form = "group name",$/i\
	{ .key = "weight", .type = FIELD_NUMBER, .form = "1-9", .min = 1, .max = 9,\
	  .value = VALUE_NUMBER, .check_number = check_port, .meaning = "how much it weighs",\
	  .example = "3", AT(node, weight), FILE_KEY("weight", 30) },\
	{ .key = "site", .type = FIELD_TEXT, .form = "text", .meaning = "where it stands",\
	  .example = "attic", .value = VALUE_OPTIONAL, AT(node, site), .check = check_line,\
	  FILE_KEY("site", 31), .trust = TRUST },' state/model/field.c
check 'two files know of it' [ "$(grep -rl weight state cmd render acl | sort | tr '\n' ' ')" = 'state/model/field.c state/model/mesh.h ' ]
cat >cmd/hello.c <<'END'
/*
 * wgmesh hello.
 */
#include "cmd/cmd.h"

int cmd_hello(struct cmd_env *env)
{
	put("hello %s%s\n", env->args.items[0], env->options.loud ? "!" : "");
	return EXIT_DONE;
}
END
sed -i 's|^command_fn cmd_init,|command_fn cmd_hello, cmd_init,|; s|^\tbool json;|\tbool loud;\n&|' cmd/cmd.h
sed -i 's|^const struct command commands.*|&\n\t{ .name = "hello", .run = cmd_hello, .arguments = "NAME",\n\t  .min_args = 1, .max_args = 1, .summary = "greet", .options = "loud" },|' cmd/commands.c
sed -i 's|^\t{ "markdown", NULL, FLAG.*|\t{ "loud", NULL, FLAG, AT(loud), 0, 0, "and mean it" },\n&|' cmd/options.c

sed -i 's|^\tSTEP_MTU,|&\n\tSTEP_QUEUE,|' render/plan.h
sed -i 's|^\t\[STEP_MTU\] = .*|&\n\t[STEP_QUEUE] = { "set_queue", .words = { "~ queue" } },|' render/step.c
sed -i 's|^\tcase STEP_MTU:$|\tcase STEP_QUEUE:\n\t\tsbuf_puts(out, "ip link set dev \\"$INTERFACE\\" txqueuelen 500\\n");\n\t\tbreak;\n&|' render/host/script.c
sed -i 's|^.*add_step(p, STEP_MTU);|\tadd_step(p, STEP_QUEUE);\n&|' render/plan.c
check 'it builds' make -s -j2 WERROR=1 build/wgmesh

w=$T/build/wgmesh
check_equal 'the command, with its option' 'hello ann!' "$("$w" hello ann -loud)"
check 'its help' sh -c "'$w' help hello | grep -q '  -loud  *and mean it'"
check 'and no other has it' sh -c "! '$w' list -loud 2>/dev/null"
mkdir "$T/mesh" && cd "$T/mesh" || exit 1
export HOME="$T/mesh" WGMESH_STATE=s.json
for words in init 'add -offline a:10.99.0.1:192.0.2.1' 'set a weight=3 site=attic'; do
	# shellcheck disable=SC2086
	check "wgmesh $words" "$w" $words
done
check 'the state file' jq -e '.nodes.a | .weight == 3 and .site == "attic"' s.json
check 'show' sh -c "'$w' show a | grep -qx '  weight: 3'"
check 'show -json' sh -c "'$w' show a -json | jq -e '.said.weight == 3'"
check 'schema' sh -c "'$w' schema | jq -e '[.. | objects | select(.weight?)] | .[0].weight.maximum == 9'"
check 'mesh.yaml' sh -c "'$w' export >m.yaml && grep -qx '    site: attic' m.yaml"
cp s.json base.json
check 'unset' "$w" unset a weight
check 'apply brings it back' sh -c "'$w' apply -f m.yaml -yes | grep -qx '~ node a: weight unset -> 3'"
cp base.json ours.json
cp base.json theirs.json
check 'ours' "$w" set a weight=5 -state ours.json
check 'theirs' "$w" set a weight=7 site=cellar -state theirs.json
check_equal 'a merge: the number is a conflict, the text asks' 1 "$("$w" merge-driver base.json ours.json theirs.json >/dev/null 2>&1; echo $?)"
check 'both are asked for' sh -c "'$w' merge -json -state ours.json | jq -e '[.conflicts[].field] | sort == [\"site\", \"weight\"]'"
finish
