#!/bin/sh
# The wording: about twenty whole sentences, one of each kind, against
# tests/golden/sentences.txt. All other tests look at status, place and key
# word, so that a change of wording is a change of that file:
#
#   sh tests/cli/test_sentences.sh -write
cd "$(dirname "$0")/../.." || exit 1
golden=$PWD/tests/golden/sentences.txt
write=${1:-}
. tests/cli/common.sh

# said ARGS...: the command line and all that the program says to it.
said() {
	run "$@"
	{
		printf '$ wgmesh %s\n' "$*"
		cat "$T/out" "$T/err"
		echo "[$got]"
	} | sed "s|$PWD|FOLDER|g"
}

# said_of TEXT: what apply says to this mesh.yaml (in printf's escapes).
said_of() {
	printf %b "$1" >m.yaml
	cat m.yaml
	said apply -yes -f m.yaml -state s.json
}

sentences() {
	good_state
	said add -offline -state s.json x:10.98.0.1:h
	said add -offline -state s.json c:auto:192.0.2.3
	said remove -state s.json aa
	said set -state s.json a port=70000
	said set -state s.json a colour=red
	said set -state s.json a port=51821
	said unset -state s.json a port
	said group add -state s.json web a nobody
	said policy add -state s.json p -from web -to web
	said remove -state s.json a
	said validate -state s.json
	said list -state none.json
	said list -state "$PWD/none.json"
	said lst
	said frob
	said list -sate s.json
	said_of 'nodes:\n  a: {mtu: 1}\n'
	said_of 'nodes:\n  a: {prot: 1}\n'
	said_of 'nodes:\n\ta: {}\n'
	said_of 'nodes: {a: {exit: yes}}\n'
	printf '{"nodes":{"a":{"ssh_port":70000}}}' >s.json
	said list -state s.json
	printf '{"nodes":}' >s.json
	said list -state s.json
}

sentences >"$T/sentences"
[ "$write" != -write ] || { cp "$T/sentences" "$golden"; exit; }
check 'the sentences are those of tests/golden/sentences.txt' \
	diff -u "$golden" "$T/sentences"
finish
