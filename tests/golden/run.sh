#!/bin/sh
# What `wgmesh render` makes of a mesh, against what it should make of it.
# NAME.state.json is a mesh; NAME.NODE.conf and NAME.NODE.json are the wg-quick
# file (without its key) and the --json output for each of its nodes; NAME.error
# is the one line with which a mesh is refused.
#
#   tests/golden/run.sh            compare
#   tests/golden/run.sh --update   write what there is now; look at the diff
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/harness.sh

WGMESH=${WGMESH:-build/wgmesh}
update=
[ "${1:-}" != --update ] || update=1
got=$(mktemp -d) || exit 1
trap 'rm -rf "$got"' EXIT
umask 077

nodes() {
	"$WGMESH" list -state "$1" -simple | sed 's/ .*//'
}

# render NAME: everything for one mesh, into the folder $got.
render() {
	state=$got/state.json
	cp "tests/golden/$1.state.json" "$state"
	for node in $(nodes "$state"); do
		if ! "$WGMESH" render -state "$state" "$node" >"$got/$1.$node.conf" 2>"$got/error"; then
			mv "$got/error" "$got/$1.error"
			rm "$got/$1.$node.conf"
			break
		fi
		"$WGMESH" render -state "$state" "$node" -json >"$got/$1.$node.json"
	done
	rm -f "$got/error" "$state"
}

# compare NAME: the files here and those in $got are the same ones.
compare() {
	for file in "$got/$1".*; do
		base=$(basename "$file")
		if [ ! -f "tests/golden/$base" ]; then
			flunk "$base" 'there is no such file to compare with'
		else
			check "$base" diff -u "tests/golden/$base" "$file"
		fi
	done
	for file in "tests/golden/$1".*; do
		base=$(basename "$file")
		[ "$base" = "$1.state.json" ] || [ -f "$got/$base" ] ||
			flunk "$base" 'was not made any more'
	done
}

for state in tests/golden/*.state.json; do
	name=$(basename "$state" .state.json)
	render "$name"
	if [ -n "$update" ]; then
		find tests/golden -name "$name.*" ! -name '*.state.json' -delete
		cp "$got/$name".* tests/golden/
		chmod 644 "tests/golden/$name".*
	else
		compare "$name"
	fi
done
[ -n "$update" ] || finish
