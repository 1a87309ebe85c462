#!/bin/sh
# CONTRIBUTING.md says what a new field touches: add one of a node as it says, in
# a scratch copy, build that, and use it. A number and a text that a yes is asked
# for, in two files.
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
check 'it builds' make -s -j2 WERROR=1 build/wgmesh

w=$T/build/wgmesh
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
