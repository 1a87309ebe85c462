#!/bin/sh
# What the commands do when all is well: their output and its shapes, where the
# state is, several writers at once, and what never shows.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh
unset SSH_AUTH_SOCK

# shellcheck disable=SC2154 # got and steering are set in common.sh

# says NAME TEXT ARGS...: the program succeeds and prints exactly TEXT.
says() {
	what=$1 expected=$2
	shift 2
	run "$@"
	check_equal "$what" "0: $expected" "$got: $(cat "$T/out" "$T/err")"
}

# holds NAME FILE WORDS: the file holds the words.
holds() {
	check "$1" grep -qF -e "$3" "$2"
}

# lacks NAME FILE WORDS: it does not.
lacks() {
	check "$1" sh -c '! grep -qF -e "$1" "$2"' - "$3" "$2"
}

# shape NAME FILTER ARGS...: what the program prints is one JSON value for which
# the jq filter is true.
shape() {
	what=$1 filter=$2
	shift 2
	run "$@"
	if ! command -v jq >/dev/null; then
		skip "$what" 'no jq here to read JSON with'
		return
	fi
	check "$what" jq -e -s "length == 1 and (.[0] | $filter)" "$T/out"
}

# ---- help and version ----

commands() {
	"$WGMESH" help | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

help_of() {
	summary=$("$WGMESH" help | sed -n "s/^  $1  *//p")
	run help "$1"
	cp "$T/out" "$T/help"
	check_equal "help $1: usage line" "usage: wgmesh $1 [OPTION]..." \
		"$(sed -n '1s/\(\.\.\.\).*/\1/p' "$T/help")"
	check_equal "help $1: the summary of the table" "$summary" "$(sed -n 3p "$T/help")"
	for flag in -h -help --help; do
		run "$1" "$flag"
		check_equal "$1 $flag: the same text" "0: $(cat "$T/help")" "$got: $(cat "$T/out" "$T/err")"
	done
	# Every option that the text names is one.
	for option in $(sed -n 's/^  -\([a-z0-9-]*\) .*/\1/p' "$T/help"); do
		run "$1" "-$option=" -help
		if grep -q 'has no option\|there is no option' "$T/err"; then
			flunk "$1 -$option" "$(cat "$T/err")"
		else
			pass "$1 -$option is an option"
		fi
	done
}

help_and_version() {
	good_state
	run help
	check_equal 'help: exit status' 0 "$got"
	check_equal 'the commands' 'init add remove rename set unset route group policy apply export schema list show validate render plan deploy import seal unseal rekey recipients identity keys cat edit merge history diff blame rollback git-setup textconv merge-driver pull push lock unlock version help' \
		"$(commands | tr '\n' ' ' | sed 's/ $//')"
	cp "$T/out" "$T/help"
	run --help
	check_equal '--help: the same text' "0: $(cat "$T/help")" "$got: $(cat "$T/out" "$T/err")"
	run
	check_equal 'no command: the same text on stderr, 2' "2: : $(cat "$T/help")" "$got: $(cat "$T/out"): $(cat "$T/err")"
	for c in $(commands); do
		help_of "$c"
	done
	run version
	version=$(cat "$T/out")
	check 'version: one line' sh -c 'case $1 in "wgmesh version "[0-9]*) ;; *) exit 1 ;; esac' - "$version"
	says '-v' "$version" -v
	says '--version behind another option' "$version" -list --version
}

# ---- a mesh, from init on ----

life() {
	empty_folder
	says 'init' 'Mesh initialized successfully' init -state s.json -network6 fd99::/64
	check_equal 'the new state is 0600' 600 "$(stat -c %a s.json)"
	says 'add' "Added node: a (10.99.0.1)
Node added successfully" add -state s.json -offline a:10.99.0.1:ops@192.0.2.1:2222
	says 'add: auto takes the lowest free address' "Added node: c (10.99.0.2)
Node added successfully" add -state s.json -offline c:auto:h
	says 'add: IPv6 in brackets' "Added node: b (10.99.0.3)
Node added successfully" add -state s.json -offline 'b:auto,[fd99::b]:[2001:db8::1]:22'
	says 'list -simple' 'a 10.99.0.1
b 10.99.0.3
c 10.99.0.2' list -state s.json -simple
	says 'mesh list is the same' 'a 10.99.0.1
b 10.99.0.3
c 10.99.0.2' mesh list -state s.json
	run list -state s.json
	cp "$T/out" "$T/list"
	holds 'list: IPv4 network' "$T/list" 'Mesh Network: 10.99.0.0/16'
	holds 'list: IPv6 network' "$T/list" 'Mesh IPv6 Network: fd99::/64'
	holds 'list: IPv6 address' "$T/list" '    Mesh IPv6: fd99::b'
	holds 'list: login' "$T/list" '    SSH: ops@192.0.2.1:2222'
	holds 'list: IPv6 host' "$T/list" '    SSH: [2001:db8::1]:22'
	lacks 'list: nothing is (null)' "$T/list" '(null)'
	run remove -state s.json c
	says 'remove: gone' 'a 10.99.0.1
b 10.99.0.3' list -state s.json -simple
	says 'add: the address is free again' "Added node: d (10.99.0.2)
Node added successfully" add -state s.json -offline d:auto:h
	sed 's/^{/{\n  "from_elsewhere": {"x": [1, 2]},/' s.json >t.json && mv t.json s.json
	run add -state s.json -offline e:auto:h
	holds 'unknown keys survive' s.json '"from_elsewhere"'
}

# The least that a file may say.
sparse() {
	empty_folder
	echo '{"nodes":{"a":{}},"removed_nodes":{"r":{}},"groups":{"g":{}},"access_policies":[{}]}' >s.json
	for format in '' -simple -json; do
		# shellcheck disable=SC2086
		run list -state s.json $format
		check_equal "list $format of an almost empty state" 0 "$got"
		lacks "list $format: nothing is (null)" "$T/out" '(null)'
	done
}

tombstones() {
	good_state
	sed 's/"hostname": "a",/&\n      "facts": {"deployed": true},/' "$T/good.json" >s.json
	run remove -state s.json a
	check_equal 'remove: exit status' 0 "$got"
	holds 'remove: says that the host is still set up' "$T/err" "'a' is still set up on its host"
	run list -state s.json
	holds 'list: shows the tombstone' "$T/out" '  a (192.0.2.1)'
	shape 'list -json: shows the tombstone' '.removed[0].name == "a" and (.nodes | length) == 1' list -state s.json -json
	refused 'remove: twice' 2 "'a' is removed already" remove -state s.json a
	refused 'add: its name on another host' 2 "the removed node 'a' is still set up on 192.0.2.1" \
		add -state s.json -offline a:auto:192.0.2.9
	cp s.json t.json
	run add -state t.json -offline z:auto:192.0.2.1
	shape 'add: the same host drops the tombstone' '.removed == []' list -state t.json -json
	says 'remove -forget' "Removed node: a
Node removed successfully" remove -state s.json -forget a
	shape 'remove -forget: the tombstone is gone' '.removed == []' list -state s.json -json
	run remove -state s.json b
	lacks 'remove: a node never deployed leaves nothing' s.json '"b"'
}

# ---- where the state is ----

places() {
	good_state
	mkdir x
	cp s.json mesh-state.json
	"$WGMESH" init -state x/env.json -network 10.1.0.0/16 >/dev/null
	"$WGMESH" init -state x/opt.json -network 10.2.0.0/16 >/dev/null
	run list
	holds 'the default is ./mesh-state.json' "$T/out" 'Mesh Network: 10.99.0.0/24'
	export WGMESH_STATE=x/env.json
	run list
	holds 'WGMESH_STATE comes before it' "$T/out" 'Mesh Network: 10.1.0.0/16'
	run list -state x/opt.json
	holds '-state comes before that' "$T/out" 'Mesh Network: 10.2.0.0/16'
	export WGMESH_STATE=
	run list
	holds 'an empty WGMESH_STATE is none' "$T/out" 'Mesh Network: 10.99.0.0/24'
	unset WGMESH_STATE
	run -state "new/deep/s.json" -init
	check_equal 'init makes folders' "0 700 700" "$got $(stat -c %a new) $(stat -c %a new/deep)"
	ln -s s.json link.json
	run add -state link.json -offline z:auto:h
	check 'a symlink in its folder stays one' test -L link.json
	holds 'and leads to what was saved' s.json '"z"'
}

modes() {
	empty_folder
	printf '{"network": "10.99.0.0/24"}' >s.json
	chmod 644 s.json
	run list -state s.json
	check_equal 'a state without keys may be readable' 0 "$got"
	run add -state s.json -offline z:auto:h
	check_equal 'saving makes it 0600' 600 "$(stat -c %a s.json)"
}

# ---- writers ----

writers() {
	good_state
	for i in $(seq 20); do
		"$WGMESH" add -state s.json -offline "w$i:auto:h$i" >"$T/w$i" 2>&1 &
		eval "pid$i=$!"
	done
	bad=
	for i in $(seq 20); do
		eval "wait \$pid$i" || bad="$bad $(cat "$T/w$i")"
	done
	check_equal '20 adds at once: all succeed' '' "$bad"
	run list -state s.json -simple
	check_equal '20 adds at once: all are there' 22 "$(wc -l <"$T/out")"
	check_equal '20 adds at once: no address twice' '' "$(sed 's/.* //' "$T/out" | sort | uniq -d)"
	check_equal 'nothing is left over' 's.json' "$(ls -A)"

	flock s.json.lock sh -c 'touch held; until [ -e go ]; do sleep 0.1; done' &
	holder=$!
	until_true 60 test -e held
	"$WGMESH" add -state s.json -offline late:auto:h >"$T/late" 2>&1 &
	late=$!
	run list -state s.json -simple
	check_equal 'a reader does not wait' 22 "$(wc -l <"$T/out")"
	touch go
	wait "$holder"
	wait "$late"
	check_equal 'a writer waits for its turn' 0 $?
	rm -f held go
	check_equal 'and leaves nothing' 's.json' "$(ls -A)"

	echo "$(id -un) $(uname -n) 999999999 $(cat /proc/sys/kernel/random/boot_id) 1700000000" >s.json.lock
	run add -state s.json -offline after:auto:h
	check_equal 'the lock of a dead process: cleared' 0 "$got"
	holds 'and named' "$T/err" 'cleared the lock of a process that has ended'
	echo half >s.json.new
	run add -state s.json -offline again:auto:h
	check_equal 'a file that a killed writer left: replaced' '0 s.json' "$got $(ls -A)"
}

# ---- render, plan ----

shapes() {
	good_state
	shape 'list -json' '(keys - ["mesh_id","serial","interface","network","network6","listen_port","nodes","removed","groups","access_policies","jump_host_keys"]) == []
		and .interface == "wg0" and .network == "10.99.0.0/24" and (.nodes | map(.name)) == ["a","b"]
		and .nodes[1].ssh_port == 2222 and .nodes[0].host_key_pinned == false and .removed == []' list -state s.json -json
	shape 'render -json' '.node == "a" and .interface == {"name":"wg0","addresses":["10.99.0.1/24","fd99::1/64"],"listen_port":51820}
		and (.peers | map(.name)) == ["b"] and (.peers[0] | keys) == ["allowed_ips","endpoint","name","persistent_keepalive","public_key"]
		and .peers[0].allowed_ips == ["10.99.0.2/32","fd99::2/128"] and .routes == []' render -state s.json a -json
	"$WGMESH" init -state empty.json >/dev/null
	shape 'plan -json of no hosts' '.hosts == [] and .summary == {"unchanged":0,"to_change":0,"changed":0,"unreachable":0,"failed":0}' \
		plan -state empty.json -json
	says 'plan of no hosts' 'Plan: 0 steps on 0 hosts, 0 unchanged' plan -state empty.json -exit-code
	run -state empty.json -deploy
	check_equal 'deploy of no hosts' 0 "$got"
	# Nobody listens on port 1 of this machine.
	sed 's/"ssh_host": "[^"]*"/"ssh_host": "127.0.0.1"/; s/"ssh_port": [0-9]*/"ssh_port": 1/' s.json >dead.json
	chmod 600 dead.json
	shape 'plan -json of hosts that do not answer' '.summary.unreachable == 2 and .hosts[0].node == "a"
		and .hosts[0].result == "unreachable" and .hosts[0].error.code == "unreachable"' plan -state dead.json -json -timeout 5
	check_equal 'with exit status 3' 3 "$got"
	run deploy -state dead.json -timeout 5 -yes
	check_equal 'deploy of hosts that do not answer' 3 "$got"
	holds 'names them' "$T/out" 'b: unreachable'
	run add -state dead.json z:auto:127.0.0.1:1
	check_equal 'add of a host that does not answer' 0 "$got"
	holds 'says that no key is pinned' "$T/err" 'without a pinned host key'
}

rendering() {
	good_state
	key=$(sed -n '/^    "a"/,/^    }/s/.*"private_key": "\(.*\)".*/\1/p' s.json)
	run render -state s.json a
	holds 'render: the key is masked' "$T/out" 'PrivateKey = (hidden)'
	lacks 'render: no key' "$T/out" "$key"
	run render -state s.json a -secrets
	holds 'render -secrets: the key' "$T/out" "PrivateKey = $key"
	check_equal 'render changes nothing' '' "$(diff s.json "$T/good.json" 2>&1; find . ! -name . ! -name s.json)"
	says 'render -all' 'wrote 2 files to out' render -state s.json -all -output out
	check_equal 'render -all: the files' 'a.conf b.conf' "$(ls -A out | tr '\n' ' ' | sed 's/ $//')"
	check_equal 'render -all: their modes' '600 600 700' "$(stat -c %a out/a.conf out/b.conf out | tr '\n' ' ' | sed 's/ $//')"
	run render -state s.json a -secrets
	check_equal 'render -all: the same text' "$(cat "$T/out")" "$(cat out/a.conf)"
	chmod 644 out/a.conf
	says 'render -all -o, again' 'wrote 2 files to out' render -state s.json -all -o out
	check_equal 'it is 0600 again' 600 "$(stat -c %a out/a.conf)"
}

# ---- output ----

outputs() {
	good_state
	"$WGMESH" list -state s.json >/dev/full 2>"$T/err"
	check_equal 'a full disk behind stdout' '1 wgmesh: cannot write to standard output' "$? $(cat "$T/err")"
	"$WGMESH" help >/dev/full 2>"$T/err"
	check_equal 'help to a full disk' 1 $?
	"$WGMESH" list -state s.json 2>"$T/err" | :
	check_equal 'a reader that is gone: no word' '' "$(cat "$T/err")"
	sed 's/"hostname": "a",/&\n      "actual_hostname": "x\\u001b[2J\\u202e",/' "$T/good.json" >s.json
	run list -state s.json -simple
	check 'list: what a host called itself is escaped' sh -c '! LC_ALL=C grep -q "$1" "$2"' - "$steering" "$T/out"
}

# No private key in anything that is printed but render -secrets.
no_secrets() {
	good_state
	sed 's/"ssh_host": "[^"]*"/"ssh_host": "127.0.0.1"/; s/"ssh_port": [0-9]*/"ssh_port": 1/' "$T/good.json" >s.json
	keys=$(sed -n 's/.*"private_key": "\(.*\)".*/\1/p' s.json)
	check_equal 'there are keys to look for' 2 "$(echo "$keys" | wc -l)"
	: >"$T/all"
	for c in list 'list -json' 'list -simple' 'render a' 'render a -json' 'plan -timeout 5' 'plan -json -timeout 5' \
		'deploy -timeout 5' 'add -offline n:auto:h' 'add -offline n:auto:h' 'remove b' 'render ghost'; do
		# shellcheck disable=SC2086
		run $c -state s.json
		cat "$T/out" "$T/err" >>"$T/all"
	done
	for key in $keys; do
		at=$(grep -bo "$key" "$T/good.json" | cut -d: -f1)
		for cut in 0 10 43 44 45; do
			head -c $((at + cut)) "$T/good.json" >s.json
			run list -state s.json
			cat "$T/out" "$T/err" >>"$T/all"
			printf x >>s.json
			run list -state s.json
			cat "$T/out" "$T/err" >>"$T/all"
		done
		sed "s|$key|x$key|" "$T/good.json" >s.json
		run render -state s.json a
		cat "$T/out" "$T/err" >>"$T/all"
		sed "s|\"private_key\": \"$key\"|\"private_key\": [\"$key\"]|" "$T/good.json" >s.json
		run list -state s.json
		cat "$T/out" "$T/err" >>"$T/all"
		sed "s|\"private_key\": \"$key\"|\"private_key\": \"$key\\\\n\"|" "$T/good.json" >s.json
		run list -state s.json
		cat "$T/out" "$T/err" >>"$T/all"
	done
	check 'something was printed' test -s "$T/all"
	for key in $keys; do
		lacks 'no private key in any output' "$T/all" "$(echo "$key" | cut -c1-20)"
	done
}

help_and_version
life
sparse
tombstones
places
modes
writers
shapes
rendering
outputs
no_secrets
finish
