#!/bin/sh
# Bad state files: broken JSON, wrong types, values that cannot be, files that
# are none. Each gives one clear line and its exit status, to a command that
# writes (and for files that are none to one that reads, too), and the file
# stays as it was.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

esc=$(printf '\033')

# both NAME STATUS WORDS: list and remove refuse the state that is there.
both() {
	refused "list: $1" "$2" "$3" list -state s.json
	refused "remove: $1" "$2" "$3" -state s.json -remove a
}

# text NAME WORDS TEXT: a state file that holds TEXT (as printf reads it).
text() {
	empty_folder
	printf "$3" >s.json
	both "$1" 2 "$2"
}

# mesh WORDS JSON: members of a mesh that is fine otherwise.
mesh() {
	empty_folder
	printf '{"interface_name":"wg0","network":"10.99.0.0/24","listen_port":51820,%s}' "$2" >s.json
	refused "$2" 2 "$1" -state s.json -remove a
}

# node WORDS JSON: members of a node that is fine otherwise.
node() {
	mesh "node 'a': $1" "\"nodes\":{\"a\":{\"hostname\":\"a\",\"ssh_host\":\"h\",$2}}"
}

# routable WORDS NETWORK: a network behind node a.
routable() {
	mesh "node 'a': routable_networks: " "\"nodes\":{\"a\":{\"routable_networks\":[\"$2\"]}}"
	mesh "$1" "\"nodes\":{\"a\":{\"routable_networks\":[\"$2\"]}}"
}

# two WORDS JSON JSON: the members of two nodes, a and b.
two() {
	mesh "$1" "\"nodes\":{\"a\":{\"ssh_host\":\"h\",$2},\"b\":{\"ssh_host\":\"i\",$3}}"
}

broken_json() {
	text 'empty' 'empty, expected a JSON object' ''
	text 'blanks only' 'empty, expected a JSON object' ' \n\t\n'
	text 'null' 'expected a JSON object' null
	text 'a list' 'expected a JSON object' '[]'
	text 'a string' 'expected a JSON object' '"x"'
	text 'a number' 'expected a JSON object' 1
	text 'byte order mark' 'line 1, column 1' '\357\273\277{}'
	text 'UTF-16' 'line 1, column 1' '\377\376{\000}\000'
	text 'NUL between' 'line 1, column 2' '{\000}'
	text 'NUL at the end' 'expected the end' '{}\000'
	text 'NUL in a name' 'line 1' '{"interface_name":"wg0\000"}'
	text 'escaped NUL' 'line 1' '{"interface_name":"wg0\\u0000"}'
	text 'text behind' 'line 1, column 4' '{} x'
	text 'two objects' 'expected the end' '{}{}'
	text 'comma at the end' 'line 1' '{"listen_port":1,}'
	text 'no colon' 'line 1' '{"listen_port" 1}'
	text 'name without quotes' 'line 1' '{listen_port:1}'
	text 'single quotes' 'line 1' "{'listen_port':1}"
	text 'a comment' 'line 1' '{/* x */}'
	text 'not closed' 'line 1' '{"nodes":{}'
	text 'string not closed' 'line 1' '{"nodes'
	text 'place in the third line' 'line 3, column 1' '{\n"nodes":{}\nx}'
	text 'newline in a string' 'line 1' '{"interface_name":"wg\n0"}'
	text 'wrong escape' 'line 1' '{"interface_name":"\\x41"}'
	text 'half a surrogate escape' 'line 1' '{"interface_name":"\\ud8"}'
	text 'invalid UTF-8' 'UTF-8' '{"interface_name":"\377"}'
	text 'overlong UTF-8' 'UTF-8' '{"interface_name":"\300\257"}'
	text 'surrogate in UTF-8' 'UTF-8' '{"interface_name":"\355\240\200"}'
	text 'number with a zero' 'line 1' '{"listen_port":01}'
	text 'number with a sign' 'line 1' '{"listen_port":+1}'
	text 'NaN' 'line 1' '{"listen_port":NaN}'
	text 'huge number' '' '{"listen_port":99999999999999999999}'
	text 'huge exponent' 'listen_port' '{"listen_port":1e999999999}'
	text 'number of 100000 digits' '' "{\"x\":$(printf '%0100000d' 1)}"
	text 'deep lists' 'line 1' "{\"x\":$(printf '%0100000d' 0 | tr 0 '[')"
	text 'deep objects' 'line 1' "$(printf '%0500d' 0 | sed 's/0/{"x":/g')"
	text 'escape sequence as text' 'line 1' "{${esc}[2J}"
}

wrong_types() {
	text 'interface_name is a number' 'interface_name: a number found, expected a string' '{"interface_name":1}'
	text 'network is a number' 'network' '{"network":10}'
	text 'network is a list' 'network' '{"network":["10.0.0.0/8"]}'
	mesh 'listen_port: a string found, expected an integer' '"listen_port":"51820"'
	mesh 'listen_port: a fraction found' '"listen_port":51820.5'
	mesh 'nodes: a list found, expected an object' '"nodes":[]'
	mesh 'nodes: a string found' '"nodes":"a"'
	mesh "node 'a': null found, expected an object" '"nodes":{"a":null}'
	mesh "node 'a': a list found" '"nodes":{"a":[]}'
	mesh 'removed_nodes: a list found' '"removed_nodes":[]'
	mesh 'groups: a list found' '"groups":[]'
	mesh "group 'g': null found" '"groups":{"g":null}'
	mesh "group 'g': members: a string found" '"groups":{"g":{"members":"a"}}'
	mesh "group 'g': members: item 2: a number found" '"groups":{"g":{"members":["a",1]}}'
	mesh 'access_policies: an object found, expected a list' '"access_policies":{}'
	mesh 'access_policies: item 1: a number found' '"access_policies":[7]'
	mesh 'access_policies: item 1: from_groups: a string found' '"access_policies":[{"name":"p","from_groups":"g"}]'
	mesh 'access_policies: item 1: allow_mesh_ips: a string found' '"access_policies":[{"name":"p","allow_mesh_ips":"true"}]'
	mesh 'serial: a string found' '"serial":"1"'
	mesh 'serial: -1 found, expected 0 or more' '"serial":-1'
	mesh 'mesh_id: expected 32 hexadecimal digits' '"mesh_id":"xyz"'
	mesh 'keepalive: a string found' '"keepalive":"25"'
	node 'mesh_ip: a number found, expected a string' '"mesh_ip":10'
	node 'ssh_port: a string found, expected an integer' '"ssh_port":"22"'
	node 'ssh_port: a boolean found' '"ssh_port":true'
	node 'behind_nat: a string found, expected true or false' '"behind_nat":"yes"'
	node 'is_local: a number found' '"is_local":1'
	node 'routable_networks: a string found, expected a list' '"routable_networks":"10.0.0.0/8"'
	node 'routable_networks: item 1: a number found' '"routable_networks":[1]'
	node 'routable_networks: item 1: null found' '"routable_networks":[null]'
	node 'private_key: a number found' '"private_key":1'
	node 'ssh_host_keys: a string found' '"ssh_host_keys":"k"'
	node 'facts: a list found' '"facts":[]'
	node 'facts: addresses: ' '"facts":{"addresses":["x"]}'
}

wrong_values() {
	mesh 'listen_port: 65536 is no port' '"listen_port":65536'
	mesh 'listen_port: -1 is no port' '"listen_port":-1'
	mesh 'mtu: 100 is no MTU' '"mtu":100'
	mesh 'keepalive: 70000 is no keepalive' '"keepalive":70000'
	text 'network that is none' "network: '10.99.0.0' found" '{"network":"10.99.0.0"}'
	text 'network too small' 'cannot be a mesh network' '{"network":"10.99.0.0/31"}'
	text 'IPv6 as network' 'is no IPv4 network' '{"network":"fd99::/64"}'
	text 'IPv4 as network6' 'is no IPv6 network' '{"network6":"10.0.0.0/8"}'
	for bad in wg/0 'wg 0' 'wg;0' .. 0wg '$(id)' abcdefghijklmnop 'wg\u001b[0m' 'wg\u202e' 'wg\n0'; do
		mesh 'is no interface name' "\"interface_name\":\"$bad\""
	done
	for bad in '' 'a;b' '$(id)' 'a b' ../a -a 'a\u001b[31m' 'a\nb' 'a\u202eb' 'ä'; do
		mesh 'is no node name' "\"nodes\":{\"$bad\":{}}"
	done
	mesh 'is no group name' '"groups":{"":{"members":[]}}'
	mesh 'is no group name' '"groups":{"a\nb":{"members":[]}}'
	mesh 'is no group name' '"groups":{"a\u001b[2Jb":{"members":[]}}'
	mesh 'is no group name' '"groups":{"a\u202eb":{"members":[]}}'
	node "mesh_ip: '10.99.0.300' found" '"mesh_ip":"10.99.0.300"'
	node "mesh_ip: 'fd99::1' found" '"mesh_ip":"fd99::1"'
	node 'mesh_ip: 10.98.0.1 is outside of the mesh network' '"mesh_ip":"10.98.0.1"'
	node 'mesh_ip: 10.99.0.0 is the first address' '"mesh_ip":"10.99.0.0"'
	node 'mesh_ip: 10.99.0.255 is the last address' '"mesh_ip":"10.99.0.255"'
	node 'ssh_port: 70000 is no port' '"ssh_port":70000'
	node 'ssh_user: ' '"ssh_user":"a;b"'
	node 'ssh_user: ' '"ssh_user":"-l"'
	node 'ssh_host: ' '"ssh_host":"h\u001b[2J"'
	for bad in x 1.2.3.4 '[::1' h:0 h:99999 'h;x:1' '$(id):1' ':1' '-o:1' 'h\n:1' 'h\u001b:1' '::1:1'; do
		node 'public_endpoint: ' "\"public_endpoint\":\"$bad\""
	done
	node "routable_networks: 'x' found" '"routable_networks":["x"]'
	routable "is a default route, expected 'exit' to be set" 0.0.0.0/0
	routable "is a default route, expected 'exit' to be set" ::/0
	routable 'cannot be routed' 127.0.0.0/8
	routable 'overlaps the mesh network' 10.99.0.128/25
	node "routable_networks: '1.2.3.4; touch x' found" '"routable_networks":["1.2.3.4; touch x"]'
	mesh '192.168.1.0/24 is there twice' '"nodes":{"a":{"routable_networks":["192.168.1.0/24","192.168.1.5/24"]}}'
	two "nodes 'a' and 'b' both have the routable network 192.168.1.0/24" \
		'"routable_networks":["192.168.1.0/24"]' '"routable_networks":["192.168.1.7/24"]'
	two "nodes 'a' and 'b' have the same mesh address 10.99.0.1" '"mesh_ip":"10.99.0.1"' '"mesh_ip":"10.99.0.1"'
	two "nodes 'a' and 'b' have the same mesh address fd99::1" '"mesh_ip6":"fd99::1"' '"mesh_ip6":"fd99:0::1"'
}

# Files of a wrong kind or with wrong rights.
wrong_files() {
	empty_folder
	mkdir s.json
	both 'a folder' 2 'is no regular file'
	empty_folder
	mkfifo s.json
	both 'a named pipe' 2 'is no regular file'
	refused 'list: a device' 2 'is no regular file' list -state /dev/zero
	good_state
	mkdir "$T/away" && mv s.json "$T/away/" && ln -s "$T/away/s.json" s.json
	both 'a symlink out of its folder' 2 'symlink out of its folder'
	cmp -s "$T/away/s.json" "$T/good.json" || flunk 'the file behind a symlink is as it was'
	rm -rf "$T/away"
	good_state
	mv s.json t.json && ln -s t.json u.json && ln -s u.json s.json
	both 'a symlink to a symlink' 2 'symlink to a symlink'
	empty_folder
	ln -s nowhere.json s.json
	both 'a symlink to nothing' 1 'leads nowhere'
	for mode in 620 602 666; do
		good_state
		chmod "$mode" s.json
		both "mode $mode" 2 'may be written by others'
	done
	empty_folder
	truncate -s 65M s.json
	both '65 MiB' 2 'more than 64 MiB'
	empty_folder
	both 'no file' 1 "there is no state 's.json'"
	good_state
	refused 'list: a folder that is a file' 1 's.json/t.json' list -state s.json/t.json
	refused 'list: no folder' 1 "there is no state 'nowhere/s.json'" list -state nowhere/s.json
}

# Private keys that others can read.
readable() {
	for mode in 640 604 644; do
		good_state
		chmod $mode s.json
		both "a state with keys of mode $mode" 2 'chmod 600'
	done
}

# A folder that others can write, where they could put another file in its place.
folder() {
	good_state
	mkdir -m 700 in
	mv s.json in/
	chmod 777 in
	refused 'list: a folder of everybody' 2 'chmod go-w' list -state in/s.json
	refused 'init: a folder of everybody' 2 'chmod go-w' init -state in/new.json
	chmod 1777 in
	run list -state in/s.json
	check_equal 'list: a sticky folder' 0 "$got"
	check 'list: a sticky folder, read' grep -q '10\.' "$T/out"
	rm -r in
}

# JSON is looked at on terminals: C1 and bidirectional controls mean the same as \uNNNN and steer nothing.
json_steers() {
	good_state
	jq '.nodes.a.actual_hostname = "x\u009b31m\u202ey" | .odd = .nodes.a.actual_hostname' s.json >x && chmod 600 x && mv x s.json
	for command in 'list -json' 'show a -json' cat; do
		"$WGMESH" $command -state s.json >"$T/out" 2>/dev/null
		check_equal "$command: nothing steers the terminal" 0 \
			"$(LC_ALL=C grep -c "$(printf '\302\233\|\342\200\256')" "$T/out")"
		check_equal "$command: it means the same" true \
			"$(jq '[.. | strings | select(. == "x\u009b31m\u202ey")] | length > 0' "$T/out")"
	done
}

# As somebody else than root.
unreadable() {
	good_state
	chmod 000 s.json
	if [ "$(id -u)" -ne 0 ]; then
		both 'a file that may not be read' 2 's.json'
		chmod 600 s.json
		return
	fi
	if ! command -v setpriv >/dev/null; then
		skip 'a file that may not be read' 'root can read it, and there is no setpriv'
		return
	fi
	others_program
	chmod 777 .
	as_root=$WGMESH WGMESH=$T/bin/as-nobody
	both 'a file that may not be read' 2 's.json'
	WGMESH=$as_root
	chmod 755 . && chmod 700 "$T"
	chmod 600 s.json
}

# render and plan NAME WORDS JQ-LIKE: what loads but cannot be deployed.
undeployable() {
	empty_folder
	printf '{"interface_name":"wg0","network":"10.99.0.0/24","listen_port":51820,%s}' "$3" >s.json
	chmod 600 s.json
	refused "render: $1" 2 "$2" render -state s.json a
	refused "plan: $1" 2 "$2" plan -state s.json
	refused "deploy: $1" 2 "$2" -state s.json -deploy
}

# key_of NODE KIND: a member with the key that the good state has.
key_of() {
	sed -n "/^    \"$1\": {/,/^    }/s/^ *\(\"$2_key\": \"[^\"]*\"\).*/\1/p" "$T/good.json"
}

good_state
public_a=$(key_of a public)
private_a=$(key_of a private)
keys_a="$public_a,$private_a"
keys_b="$(key_of b public),$(key_of b private)"
a="\"a\":{\"mesh_ip\":\"10.99.0.1\",\"ssh_host\":\"h\",$keys_a}"
b="\"b\":{\"mesh_ip\":\"10.99.0.2\",\"ssh_host\":\"i\",$keys_b}"

# policy NAME WORDS GROUPS POLICIES: with the two good nodes.
policy() {
	undeployable "$1" "$2" "\"nodes\":{$a,$b},\"groups\":{$3},\"access_policies\":[$4]"
}

not_deployable() {
	g='"g":{"members":["a","b"]}'
	policy 'member that is no node' "group 'g' has member 'ghost', which is no node" '"g":{"members":["a","ghost"]}'
	policy 'member twice' "group 'g' has member 'a' twice" '"g":{"members":["a","b","a"]}'
	policy 'policy that starts nowhere' "policy 'p' has no from_groups" "$g" '{"name":"p","from_groups":[],"to_groups":["g"]}'
	policy 'policy that leads nowhere' "policy 'p' has no to_groups" "$g" '{"name":"p","from_groups":["g"]}'
	policy 'policy of a group that is none' "policy 'p': to_groups names 'x', which is no group" "$g" '{"name":"p","from_groups":["g"],"to_groups":["x"]}'
	policy 'policy name twice' "policy name 'p' is there twice" "$g" '{"name":"p","from_groups":["g"],"to_groups":["g"]},{"name":"p","from_groups":["g"],"to_groups":["g"]}'
	policy 'policy of empty groups' "policy 'p' matches no nodes" '"e":{"members":[]},"g":{"members":["a","b"]}' '{"name":"p","from_groups":["e"],"to_groups":["g"]}'
	policy 'two policies without a name' 'policy' "$g" '{"from_groups":["g"],"to_groups":["g"]},{"from_groups":["g"],"to_groups":["g"]}'
	policy 'member with an escape sequence' 'which is no node' '"g":{"members":["\u001b[2J"]}'
	undeployable 'no public key' "node 'a': has no public key" '"nodes":{"a":{"mesh_ip":"10.99.0.1","ssh_host":"h"}}'
	undeployable 'public key that is none' "node 'a': public_key: not a WireGuard key" '"nodes":{"a":{"mesh_ip":"10.99.0.1","ssh_host":"h","public_key":"$(id)"}}'
	undeployable 'no private key' "node 'a': private_key" "\"nodes\":{\"a\":{\"mesh_ip\":\"10.99.0.1\",\"ssh_host\":\"h\",$public_a}}"
	undeployable 'private key that is none' "node 'a': private_key" "\"nodes\":{\"a\":{\"mesh_ip\":\"10.99.0.1\",\"ssh_host\":\"h\",$public_a,\"private_key\":\"x\"}}"
	undeployable 'private key of another' 'public_key does not belong to private_key' "\"nodes\":{\"a\":{\"mesh_ip\":\"10.99.0.1\",\"ssh_host\":\"h\",$public_a,$(key_of b private)}}"
	undeployable 'one key for two nodes' "nodes 'a' and 'b' have the same key" "\"nodes\":{$a,\"b\":{\"mesh_ip\":\"10.99.0.2\",\"ssh_host\":\"i\",$keys_a}}"
	undeployable 'no SSH host' "node 'a': ssh_host" "\"nodes\":{\"a\":{\"mesh_ip\":\"10.99.0.1\",$keys_a}}"
	undeployable 'SSH host that is an option' "node 'a': ssh_host: '-oProxyCommand=x' is no host" "\"nodes\":{\"a\":{\"mesh_ip\":\"10.99.0.1\",\"ssh_host\":\"-oProxyCommand=x\",$keys_a}}"
	undeployable 'no mesh address' "node 'a': has no mesh address" "\"nodes\":{\"a\":{\"ssh_host\":\"h\",$keys_a}}"
	undeployable 'IPv6 address, no IPv6 network' "node 'a' has an address of a kind" "\"nodes\":{\"a\":{\"mesh_ip6\":\"fd99::1\",\"ssh_host\":\"h\",$keys_a}}"
	undeployable 'no interface name' 'has no interface name' "\"interface_name\":\"\",\"nodes\":{$a}"
	undeployable 'no network' 'has no network' "\"network\":\"\",\"nodes\":{$a}"
}

# A state cut off at any byte is refused, and stays as it was.
truncated() {
	good_state
	size=$(wc -c <s.json)
	at=0
	bad=
	while [ "$at" -lt "$size" ]; do
		head -c "$at" "$T/good.json" >s.json
		run list -state s.json
		[ "$got" -eq 2 ] && [ ! -s "$T/out" ] && [ "$(wc -l <"$T/err")" -eq 1 ] &&
			[ "$(wc -c <s.json)" -eq "$at" ] || bad="$bad $at"
		at=$((at + 1))
	done
	check_equal "a state of $size bytes, cut off at each of them" '' "$bad"
	good_state
	check 'the whole of it is good' "$WGMESH" list -state s.json
	head -c $((size / 2)) "$T/good.json" >s.json
	both 'half a state' 2 'line'
}

broken_json
wrong_types
wrong_values
wrong_files
readable
folder
json_steers
unreadable
not_deployable
truncated
finish
