#!/bin/sh
# `wgmesh validate`: each error and warning as it is shown, its exit status and
# its JSON; and plan, deploy and render, which refuse what has errors.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh
here=$PWD

# shellcheck disable=SC2154 # got is set in common.sh

# The good nodes a and b: all that is needed is said, keys are on the hosts.
a='"a":{"mesh_ip":"10.99.0.1","ssh_host":"192.0.2.1"'
b='"b":{"mesh_ip":"10.99.0.2","ssh_host":"192.0.2.2"'
ab="\"nodes\":{$a},$b}}"
xy='"groups":{"x":{"members":["a"]},"y":{"members":["b"]}}'
seen='"facts":{"deployed":true,"addresses":["198.51.100.1/32"]}'

# state MEMBERS: a state file with these and what every mesh has.
state() {
	empty_folder
	printf '{"interface_name":"wg0","network":"10.99.0.0/16","key":"host",%s}' "$1" >s.json
	chmod 600 s.json
}

# finds STATUS LINES MEMBERS: what validate prints, to the byte, and its status;
# nothing on stderr, and the file stays as it was.
finds() {
	state "$3"
	before=$(snapshot)
	run validate -state s.json
	check_equal "$3" "$1: $2" "$got: $(cat "$T/out" "$T/err")"
	[ ! -s "$T/err" ] || flunk "$3: stderr" "$(cat "$T/err")"
	[ "$before" = "$(snapshot)" ] || flunk "$3: files changed"
}

valid() {
	finds 0 valid "$1"
}

# warns LINE MEMBERS: one warning.
warns() {
	finds 0 "warning: $1
valid, 1 warning" "$2"
}

# fails LINE MEMBERS: one error.
fails() {
	finds 2 "error: $1
not valid: 1 error" "$2"
}

# broken LINE MEMBERS: a state that does not even load.
broken() {
	state "$2"
	refused "$2" 2 "$1" validate -state s.json
	check_equal "$2: the whole line" "wgmesh: state 's.json': $1" "$(cat "$T/err")"
}

# route NET REST: node a with a route, and what else is said of it.
route() {
	printf '%s,"routable_networks":["%s"]%s}' "$a" "$1" "${2:-}"
}

# policy FROM TO IPS NETWORKS: the policy p.
policy() {
	printf '"access_policies":[{"name":"p","from_groups":["%s"],"to_groups":["%s"],"allow_mesh_ips":%s,"allow_routable_networks":%s}]' "$@"
}

addresses() {
	valid "$ab"
	fails "node 'b' has an address of a kind that the mesh has no network for" \
		"\"nodes\":{$a},\"b\":{\"mesh_ip\":\"10.99.0.2\",\"mesh_ip6\":\"fd99::1\",\"ssh_host\":\"h\"}}"
	fails "node 'b': has no mesh address, expected mesh_ip or mesh_ip6" \
		"\"nodes\":{$a},\"b\":{\"ssh_host\":\"h\"}}"
	broken "nodes 'a' and 'b' have the same mesh address 10.99.0.1" \
		"\"nodes\":{$a},\"b\":{\"mesh_ip\":\"10.99.0.1\"}}"
	broken "node 'b': mesh_ip: 10.98.0.1 is outside of the mesh network 10.99.0.0/16" \
		"\"nodes\":{$a},\"b\":{\"mesh_ip\":\"10.98.0.1\"}}"
	broken "node 'b': mesh_ip: 10.99.0.0 is the first address of the mesh network 10.99.0.0/16, no host can have it" \
		"\"nodes\":{$a},\"b\":{\"mesh_ip\":\"10.99.0.0\"}}"
	broken "node 'b': mesh_ip: 10.99.255.255 is the last address of the mesh network 10.99.0.0/16, no host can have it" \
		"\"nodes\":{$a},\"b\":{\"mesh_ip\":\"10.99.255.255\"}}"
	broken "interface_name: 'abcdefghijklmnop' is no interface name, expected 1 to 15 letters, digits or _=+.-, starting with a letter" \
		"\"interface_name\":\"abcdefghijklmnop\",$ab"
	broken "interface_name: 'wg/0' is no interface name, expected 1 to 15 letters, digits or _=+.-, starting with a letter" \
		"\"interface_name\":\"wg/0\",$ab"
	fails 'the mesh has no interface name' "\"interface_name\":\"\",$ab"
	fails 'the mesh has no network' "\"network\":null,$ab"
}

hosts() {
	fails "node 'b': ssh_host: 'a b' is no host, expected a DNS name or an IP address without brackets" \
		"\"nodes\":{$a},\"b\":{\"mesh_ip\":\"10.99.0.2\",\"ssh_host\":\"a b\"}}"
	fails "node 'a': has no public key" "\"key\":\"state\",\"nodes\":{$a}}"
	fails "node 'a': endpoint: 10.99.0.7 is an address of the mesh itself: the tunnel would go into the tunnel" \
		"\"nodes\":{$a,\"public_endpoint\":\"10.99.0.7:51820\"},$b}}"
	warns "node 'a': external peer 'x': endpoint: 10.99.0.9 is an address of the mesh itself: the tunnel would go into the tunnel" \
		"\"nodes\":{$a,\"external_peers\":[{\"name\":\"x\",\"public_key\":\"AYHnBUfJTVKDBnSyfKbNMnMYWt1nM3yHTLCjVNbqPwg=\",\"endpoint\":\"10.99.0.9:1\",\"allowed_ips\":[]}]},$b}}"
	fails "nodes 'a' and 'b' have the same endpoint h.example.org:51820" \
		"\"nodes\":{$a,\"public_endpoint\":\"h.example.org:51820\"},$b,\"public_endpoint\":\"H.Example.Org:51820\"}}"
	fails "nodes 'a' and 'b' have the same endpoint [2001:db8::1]:1" \
		"\"nodes\":{$a,\"public_endpoint\":\"[2001:DB8::1]:1\"},$b,\"public_endpoint\":\"[2001:db8:0::1]:1\"}}"
	valid "\"nodes\":{$a,\"public_endpoint\":\"192.0.2.9:1\"},$b,\"public_endpoint\":\"192.0.2.9:2\"}}"
	warns "nodes 'a' and 'b' both log in to root@192.0.2.1:22" \
		"\"nodes\":{$a},\"b\":{\"mesh_ip\":\"10.99.0.2\",\"ssh_host\":\"192.0.2.1\"}}"
	valid "\"nodes\":{$a},\"b\":{\"mesh_ip\":\"10.99.0.2\",\"ssh_host\":\"192.0.2.1\",\"ssh_port\":2222}}"
}

routes() {
	broken "node 'a': routable_networks: 0.0.0.0/0 is a default route, expected 'exit' to be set for this node" \
		"\"nodes\":{$(route 0.0.0.0/0)}"
	broken "node 'a': routable_networks: ::/0 is a default route, expected 'exit' to be set for this node" \
		"\"nodes\":{$(route ::/0 ',"exit":false')}"
	valid "\"nodes\":{$(route '0.0.0.0/0","::/0' ',"exit":true'),$b}}"
	broken "nodes 'a' and 'b' both have the routable network 0.0.0.0/0, expected one owner" \
		"\"nodes\":{$(route 0.0.0.0/0 ',"exit":true'),$b,\"exit\":true,\"routable_networks\":[\"0.0.0.0/0\"]}}"
	broken "node 'a': routable_networks: 10.0.0.0/8 overlaps the mesh network 10.99.0.0/16" \
		"\"nodes\":{$(route 10.0.0.0/8)}"
	broken "nodes 'a' and 'b' both have the routable network 10.1.0.0/16, expected one owner" \
		"\"nodes\":{$(route 10.1.0.0/16),$b,\"routable_networks\":[\"10.1.0.0/16\"]}}"
	warns "node 'b': route 10.1.2.0/24 lies inside of route 10.1.0.0/16 of node 'a'; the narrower one wins" \
		"\"nodes\":{$(route 10.1.0.0/16),$b,\"routable_networks\":[\"10.1.2.0/24\"]}}"
	valid "\"nodes\":{$(route 10.1.0.0/16),$b,\"routable_networks\":[\"10.2.0.0/24\"]}}"
	warns "node 'a': route 192.0.2.0/24 covers addresses at which nodes are reached outside of the mesh: 'b' (SSH 192.0.2.2)" \
		"\"nodes\":{$(route 192.0.2.0/24),$b}}"
	warns "node 'a': route 10.1.0.0/16 covers addresses at which nodes are reached outside of the mesh: 'b' (endpoint 10.1.0.9)" \
		"\"nodes\":{$(route 10.1.0.0/16),$b,\"public_endpoint\":\"10.1.0.9:51820\"}}"
	warns "node 'a': route 10.1.0.0/16 lies over a network that other nodes have a card in: 'b' (10.1.7.9/24)" \
		"\"nodes\":{$(route 10.1.0.0/16),$b,\"facts\":{\"addresses\":[\"10.1.7.9/24\"]}}}"
	valid "\"nodes\":{$(route 10.1.0.0/16),$b,\"facts\":{\"addresses\":[\"10.2.7.9/24\"]}}}"
}

groups() {
	fails "group 'x' has member 'ghost', which is no node of this mesh" \
		"$ab,\"groups\":{\"x\":{\"members\":[\"a\",\"b\",\"ghost\"]}},$(policy x x true false)"
	fails "group 'x' has member 'a' twice" \
		"$ab,\"groups\":{\"x\":{\"members\":[\"a\",\"b\",\"a\"]}},$(policy x x true false)"
	fails "policy 'p': to_groups names 'no', which is no group" "$ab,$xy,$(policy x no true true)"
	fails "policy 'p' matches no nodes: the groups of one side are all empty" \
		"$ab,\"groups\":{\"o\":{\"members\":[]},\"x\":{\"members\":[\"a\",\"b\"]}},$(policy x o true true)"
	warns 'groups are defined but no access policies: no node has any peer' "$ab,$xy"
	warns 'in no group, so without any peer: c' \
		"\"nodes\":{$a},$b},\"c\":{\"mesh_ip\":\"10.99.0.3\",\"ssh_host\":\"h\"}},$xy,$(policy x y true true)"
	warns "policy 'p' allows neither mesh addresses nor networks" "$ab,$xy,$(policy x y false false)"
	warns "policy 'p' allows only networks, and no node of its to_groups has any" \
		"$ab,$xy,$(policy x y false true)"
	valid "\"nodes\":{$(route 10.1.0.0/16),$b}},$xy,$(policy y x false true)"
	finds 0 "warning: in no group, so without any peer: b
warning: policy 'p' relates no two nodes: both sides are 'a' alone
valid, 2 warnings" "$ab,\"groups\":{\"x\":{\"members\":[\"a\"]}},$(policy x x true true)"
}

keepalives() {
	warns 'keepalive 25 is set for the mesh, but no node is behind NAT' \
		"\"keepalive\":25,\"nodes\":{$a,$seen},$b,$seen}}"
	warns "node 'a' has keepalive 15, but neither it nor any of its peers is behind NAT" \
		"\"nodes\":{$a,\"keepalive\":15,$seen},$b,$seen}}"
	valid "\"nodes\":{$a,\"keepalive\":15,$seen},$b,\"behind_nat\":true,$seen}}"
	valid "\"keepalive\":25,\"nodes\":{$a,$seen},$b}}"
}

# Everything at once: errors first, and the two counts.
several() {
	finds 2 "error: node 'a': ssh_host: '' is no host, expected a DNS name or an IP address without brackets
error: group 'x' has member '\x1b[2J', which is no node of this mesh
error: policy name 'p' is there twice
warning: in no group, so without any peer: a, b
warning: policy 'p' allows neither mesh addresses nor networks
not valid: 3 errors, 2 warnings" \
		"\"nodes\":{\"a\":{\"mesh_ip\":\"10.99.0.1\"},$b},\"c\":{\"mesh_ip\":\"10.99.0.3\",\"ssh_host\":\"c\"},\"d\":{\"mesh_ip\":\"10.99.0.4\",\"ssh_host\":\"d\"}},\"groups\":{\"x\":{\"members\":[\"\\u001b[2J\",\"c\"]},\"y\":{\"members\":[\"d\"]}},\"access_policies\":[{\"name\":\"p\",\"from_groups\":[\"x\"],\"to_groups\":[\"y\"],\"allow_mesh_ips\":true,\"allow_routable_networks\":true},{\"name\":\"p\",\"from_groups\":[\"x\"],\"to_groups\":[\"y\"],\"allow_mesh_ips\":false,\"allow_routable_networks\":false}]"
}

# json NAME STATUS FILTER: what validate -json prints, for jq.
json() {
	run validate -state s.json -json
	check_equal "-json: $1: status, nothing on stderr" "$2: " "$got: $(cat "$T/err")"
	if ! command -v jq >/dev/null; then
		skip "-json: $1" 'no jq here to read JSON with'
		return
	fi
	check "-json: $1" jq -e -s "length == 1 and (.[0] | $3)" "$T/out"
}

shapes() {
	state "$ab"
	json 'a good mesh' 0 '. == {valid: true, findings: []}'
	state "\"keepalive\":25,\"nodes\":{$(route 192.0.2.0/30 ",$seen"),$b,$seen}}"
	json 'warnings' 0 '. == {valid: true, findings: [
		{level: "warning", code: "route_over_host", part: "node", name: "a", key: "routes", value: "192.0.2.0/30",
		 text: "node '"'a'"': route 192.0.2.0/30 covers addresses at which nodes are reached outside of the mesh: '"'b'"' (SSH 192.0.2.2)"},
		{level: "warning", code: "keepalive_without_nat", part: "mesh", name: null, key: "keepalive", value: null,
		 text: "keepalive 25 is set for the mesh, but no node is behind NAT"}]}'
	state "$ab,$xy,$(policy x no true true)"
	json 'an error' 2 '.valid == false and (.findings | map([.level, .code, .part, .name, .key, .value])) ==
		[["error", "unknown_group", "policy", "p", "to", "no"]]'
	state '"network":"x"'
	json 'a state that does not load' 2 '.valid == false and (.findings | map([.level, .code, .part])) ==
		[["error", "unreadable", "mesh"]] and (.findings[0].text | contains("network: "))'
	rm s.json
	json 'no state' 2 '.findings[0].code == "unreadable"'
	refused 'no state: the line' 2 "there is no state 's.json' in '$PWD': 'wgmesh init'" validate -state s.json
}

# What stops the commands that compute from the mesh, and what does not.
commands_refuse() {
	state "\"nodes\":{$a,\"public_endpoint\":\"h:1\"},$b,\"public_endpoint\":\"h:1\"},\"c\":{\"mesh_ip\":\"10.99.0.3\"}}"
	before=$(snapshot)
	for command in plan deploy 'render a'; do
		# shellcheck disable=SC2086 # words
		run $command -state s.json
		check_equal "$command: all errors, the first one last" "2: wgmesh: error: nodes 'a' and 'b' have the same endpoint h:1
wgmesh: node 'c': ssh_host: '' is no host, expected a DNS name or an IP address without brackets" \
			"$got: $(cat "$T/out" "$T/err")"
	done
	check_equal 'they change nothing' "$before" "$(snapshot)"
	state "\"nodes\":{$(route 192.0.2.0/30),$b}}"
	run render a -state s.json
	check_equal 'render: warnings stop nothing and are not shown' '0: ' "$got: $(cat "$T/err")"
	sed 's/"ssh_host":"192[^"]*"/"ssh_host":"127.0.0.1","ssh_port":1/g' s.json >t.json && mv t.json s.json
	run plan -state s.json
	check_equal 'plan: warnings stop nothing' 3 "$got"
	check 'plan: warnings are shown' grep -qxF \
		"wgmesh: warning: nodes 'a' and 'b' both log in to root@127.0.0.1:1" "$T/err"
}

# What a merge left unresolved.
merged() {
	fails "node a: mtu: unset before, 1400 ours, 1300 theirs (a merge that is not resolved): 'wgmesh merge -resolve' shows and resolves them" \
		"\"nodes\":{$a}},\"conflicts\":[{\"part\":\"node\",\"name\":\"a\",\"field\":\"mtu\",\"ours\":1400,\"theirs\":1300}]"
	refused 'a merge that is not resolved: no change' 1 'merge' set a port=5 -state s.json
	refused 'a merge that is not resolved: no deploy' 1 'merge' deploy -state s.json
}

# The codes of the documentation are those of the program.
documented() {
	cd "$here" || exit 1
	# shellcheck disable=SC2016 # backquotes of Markdown
	sed -n 's/^| `\([a-z_]*\)`.*/\1/p' docs/validation.md | sort >"$T/documented"
	{
		sed 's/[EW] [a-z_]* \(mesh\|node\|group\|policy\) /\n&\n/g' tests/unit/test_validate*.c tests/unit/findings.h |
			sed -n 's/^[EW] \([a-z_]*\) .*/\1/p'
		echo unreadable
		echo conflict
		sed -n 's/^#define .*"[EW] \([a-z_]*\) .*/\1/p' tests/unit/test_validate*.c tests/unit/findings.h
	} | sort -u >"$T/tested"
	check 'docs/validation.md: each code once, and all of them' diff "$T/documented" "$T/tested"
	while read -r code; do
		check "$code is in the program" grep -qF "\"$code\"" state/model/check_mesh.c state/model/check_deploy.c state/model/check_external.c state/model/place.c \
			acl/check.c acl/advise.c render/validate.c render/overlap.c cmd/validate.c state/merge/text.c
	done <"$T/documented"
}

addresses
hosts
merged
routes
groups
keepalives
several
shapes
commands_refuse
documented
finish
