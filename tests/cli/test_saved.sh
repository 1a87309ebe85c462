#!/bin/sh
# Saved plans, the log, Markdown and older copies of a state: what needs no host. Nobody listens on port 1 of this machine.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

# The good state, whose hosts do not answer.
dead_state() {
	good_state
	sed -i 's/"ssh_host": "[^"]*"/"ssh_host": "127.0.0.1"/; s/"ssh_port": [0-9]*/"ssh_port": 1/' s.json
}

# One case: the program ends with status $2, and the words $3 are in what it prints.
says() {
	name=$1 status=$2 words=$3
	shift 3
	run "$@"
	if [ "$got" -eq "$status" ] && cat "$T/out" "$T/err" | grep -qF -e "$words"; then
		pass "$name"
	else
		flunk "$name" "exit $got, expected $status with '$words': $(cat "$T/out" "$T/err")"
	fi
}

# One case: the jq filter $3 holds for the file $2.
holds() { check "$1" jq -es "$3" "$2"; }

saved() {
	dead_state
	says 'a plan is saved' 3 '2 unreachable' plan -state s.json -out p -timeout 5
	check_equal 'for its owner alone' 600 "$(stat -c %a p)"
	holds 'with these members' p 'length == 1 and (.[0] | keys) == ["adopt","force_serial","hosts","install","mesh_id","serial","sha256","state","version"]
		and .[0].version == 1 and .[0].install and (.[0].hosts | map(.node + " " + .result)) == ["a unreachable", "b unreachable"]'
	for key in $(jq -r '.nodes[].private_key' s.json); do
		check_equal 'no private key is in it' '' "$(grep -oF "$key" p)"
	done
	says 'who was not there stays out' 0 "'a' was unreachable when the plan was made and stays out" deploy -state s.json p
	cp p again
	says 'saving replaces' 3 '2 unreachable' plan -state s.json -out again -timeout 5
	check 'and the same plan is the same file' cmp p again
	run plan -state s.json -out no/where -timeout 5
	check_equal 'a folder that is not there' 1 "$got"
	says 'with other options it is another plan' 3 '2 unreachable' plan -state s.json -out q -adopt -no-install -timeout 5
	holds 'which says so' q '.[0].adopt and (.[0].install | not)'
	saved_names
}

# What is a plan and what is a node.
saved_names() {
	cp p a
	run deploy -state s.json -timeout 5 a
	check_equal 'a node goes before a file of its name' 3 "$got"
	rm a
	refused 'a folder is no plan' 2 "'.' is neither a node nor a group" deploy -state s.json .
	refused 'two plans' 2 "'p' is neither a node nor a group" deploy -state s.json p p
	refused 'no plan at all' 2 "plan 's.json': " deploy -state s.json s.json
	refused '-adopt with a plan' 2 "belong to 'plan'" deploy -state s.json -adopt p
}

# Changes the plan by the sed program $1 and wants it refused.
edited() {
	sed "$1" p >edited
	refused "an edited plan: $1" 2 "plan 'edited': $2" deploy -state s.json edited
}

saved_edited() {
	edited 's/unreachable/to_change/' 'was edited since'
	edited 's/"adopt":false/"adopt":true/' 'was edited since'
	edited 's/"serial":\([0-9]*\)/"serial":1\1/' 'was edited since'
	edited 's/,/, /' 'was edited since'
	edited '$a # more' 'line 2'
	edited 's/"version":1/"version":2/' 'no plan of this version'
	edited 's/"node":"a"/"node":"\\u001b[2J"/' "'\\x1b[2J' is no node name"
	head -c 300 p >half
	refused 'half a plan' 2 "plan 'half': " deploy -state s.json half
	: >empty
	refused 'an empty plan' 2 "plan 'empty': " deploy -state s.json empty
}

saved_state() {
	cp s.json was.json
	sed -i 's/"ssh_port": 1/"ssh_port": 2/' s.json
	refused 'a state changed by hand' 1 'the state has changed since the plan was made (its serial has not' deploy -state s.json p
	cp was.json s.json
	"$WGMESH" set -state s.json a port=51821 >/dev/null
	refused 'a changed state' 1 'the state has changed since the plan was made (serial' deploy -state s.json p
	"$WGMESH" init -state other.json >/dev/null
	refused "another mesh's plan" 1 'the plan is for another mesh' deploy -state other.json p
	cp was.json s.json
	# What deploys find out is no change.
	jq '.nodes.a.actual_hostname = "x" | .nodes.a.facts = {"address": "192.0.2.1", "deployed": true}' was.json >s.json
	chmod 600 s.json
	says 'a state with new facts is the same' 0 'Deploy: 0 changed' deploy -state s.json p
}

log() {
	dead_state
	run plan -state s.json -log l -timeout 5
	check_equal 'the log of a plan: its exit status stays' 3 "$got"
	check_equal 'the log is for its owner alone' 600 "$(stat -c %a l)"
	run deploy -state s.json -log l -timeout 5 -yes
	holds 'a line for each host that cannot be reached' l 'map([.command, .node, .result, .error.code])
		== [["plan","a","unreachable","unreachable"],["plan","b","unreachable","unreachable"],
			["deploy","a","unreachable","unreachable"],["deploy","b","unreachable","unreachable"]]'
	holds 'with these members' l 'all(keys == ["command","error","host","mesh_id","node","result","serial","step","text","time","user"])'
	holds 'and a time in UTC' l 'all(.time | test("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"))'
	echo x >bad
	run deploy -state s.json -log l bad
	holds 'a refused deploy is a line, too' l 'length == 5 and .[4].result == "refused" and .[4].node == null and .[4].error.code == "input"'
	run deploy -state none.json -log l
	holds 'even without a state' l 'length == 6 and .[5].mesh_id == null'
	rm bad
	refused 'a log that cannot be opened' 1 "cannot open the log 'no/where'" deploy -state s.json -log no/where
	echo mine >precious
	ln -s precious link
	refused 'a log that is a symlink' 1 "the log 'link'" plan -state s.json -log link
	ln precious twin
	refused 'a log that is a hard link' 2 "the log 'twin'" plan -state s.json -log twin
	mkfifo pipe
	refused 'a log that is a pipe' 1 "the log 'pipe'" plan -state s.json -log pipe
	check_equal 'nothing was written through them' mine "$(cat precious)"
	rm link twin pipe precious
	says 'a log that cannot be written to' 3 'cannot write to the log' plan -state s.json -log /dev/full -timeout 5
}

markdown() {
	dead_state
	run plan -state s.json -markdown -timeout 5
	check_equal 'Markdown: exit status' 3 "$got"
	check 'Markdown: a row' grep -qxF '| `a` | unreachable | 0 |' "$T/out"
	check_equal 'Markdown: two blocks, opened and closed' '```diff ``` ```diff ```' "$(grep '^```' "$T/out" | paste -sd' ')"
	refused '-json -markdown' 2 '-json or -markdown' plan -state s.json -json -markdown
	refused '-script -json' 2 '-script is text' plan -state s.json -script -json
	# A large mesh: the comment stays small, and every block is closed.
	jq -n '{interface_name: "wg0", network: "10.99.0.0/16", listen_port: 51820, key: "host", mesh_id: "00112233445566778899aabbccddeeff",
		nodes: [range(1; 3001) | {key: "node-with-a-long-name-\(.)", value: {mesh_ip: "10.99.\(. / 250 | floor).\(. % 250 + 1)",
			ssh_host: "127.0.0.1", ssh_port: 1}}] | from_entries}' >big.json
	chmod 600 big.json
	run plan -state big.json -markdown -timeout 60
	check_equal 'Markdown: a large mesh' 3 "$got"
	check 'Markdown: at most 60,000 characters' test "$(wc -c <"$T/out")" -le 60000
	check 'Markdown: but it is used' test "$(wc -c <"$T/out")" -ge 50000
	check 'Markdown: what is cut is said' grep -q '^Cut here: [1-9][0-9]* rows of the table and [1-9][0-9]* lines more' "$T/out"
	check_equal 'Markdown: as many blocks closed as opened' "$(grep -c '^```diff$' "$T/out")" "$(grep -c '^```$' "$T/out")"
}

saved
saved_edited
saved_state
log
markdown
finish
