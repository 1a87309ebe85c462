#!/bin/sh
# apply and export: a mesh.yaml brings the state to what it says, says before
# what it will do, and what export writes changes nothing.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh
unset SSH_AUTH_SOCK
ROOT=$PWD
VECTORS=$ROOT/tests/vectors

# shellcheck disable=SC2154 # got is set in common.sh

# prints NAME STATUS TEXT ARGS...: the program ends so and prints exactly TEXT on both streams.
prints() {
	what=$1 expected="$2: $3"
	shift 3
	run "$@"
	check_equal "$what" "$expected" "$got: $(cat "$T/out" "$T/err")"
}

# state NAME EXPECTED FILTER: what jq finds in the state.
state() {
	check_equal "$1" "$2" "$(jq -rc "$3" s.json)"
}

# Gives the state a name to be known by later.
remember() { cp s.json "$T/before.json"; }

# unchanged NAME: the state is byte for byte what it was.
unchanged() { check "$1" cmp "$T/before.json" s.json; }

# ---- export, then apply ----

# round NAME STATE: export of a state, applied to it, changes nothing.
round() {
	empty_folder
	cp "$2" s.json && chmod 600 s.json
	remember
	run export -state s.json
	if [ "$got" != 0 ]; then
		flunk "$1: export" "$(cat "$T/err")"
		return
	fi
	cp "$T/out" mesh.yaml
	run apply -state s.json -f mesh.yaml -yes
	check_equal "$1: export, then apply" '0: nothing changes' "$got: $(cat "$T/out")"
	unchanged "$1: the state is as it was"
	run export -state s.json
	check "$1: export again is the same" cmp mesh.yaml "$T/out"
}

# Every state of a folder of ours.
for file in tests/golden/*.state.json; do
	case $file in */ghost.*) continue ;; esac
	round "${file##*/}" "$ROOT/$file"
done
cd "$ROOT" || exit 1
round 'ghost.state.json (a member that is no node)' "$ROOT/tests/golden/ghost.state.json"
cd "$ROOT" || exit 1

# loads FILE: is it a state that the program reads?
loads() {
	empty_folder
	cp "$1" s.json && chmod 600 s.json
	run export -state s.json
	[ "$got" = 0 ]
}

# round_vectors: every mesh among the recorded data that is one.
round_vectors() {
	mkdir "$T/states"
	for file in "$VECTORS"/state/*.json; do
		cp "$file" "$T/states/$(basename "$file")"
	done
	for file in "$VECTORS"/topologies/*.json; do
		jq .state "$file" >"$T/states/topology-$(basename "$file")"
	done
	for file in validate allowed-peers access-control-enabled; do
		# shellcheck disable=SC2016
		for i in $(jq '.cases | keys[]' "$VECTORS/validation/$file.json" 2>/dev/null); do
			jq --argjson i "$i" '.cases[$i].state // empty' "$VECTORS/validation/$file.json" >"$T/states/$file-$i.json"
		done
	done
	count=0
	for file in "$T"/states/*.json; do
		if [ -s "$file" ] && loads "$file"; then
			round "vectors: ${file##*/}" "$file"
			count=$((count + 1))
		fi
	done
	echo "vectors: $count meshes"
	check 'vectors: there were some' [ "$count" -gt 20 ]
}

if command -v jq >/dev/null; then
	round_vectors
else
	skip 'the recorded meshes' 'there is no jq'
fi

# ---- the samples ----

cd "$ROOT" || exit 1
for sample in samples/*.yaml; do
	empty_folder
	run apply -state s.json -f "$ROOT/$sample" -yes
	check_equal "$sample: applied where there is no state" 0 "$got"
	check "$sample: every node is named" \
		[ "$(grep -c '^+ node ' "$T/out")" = "$(sed -n '/^nodes:/,/^[gp]/s/^  [a-z].*/x/p' "$ROOT/$sample" | grep -c .)" ]
	run export -state s.json
	check "$sample: export gives the same text" diff "$ROOT/$sample" "$T/out"
	check "$sample: every node has a pair of keys" \
		jq -e '[.nodes[] | .public_key, .private_key | length == 44] | all' s.json
	check_equal "$sample: the state is for its owner alone" 600 "$(stat -c %a s.json)"
	remember
	prints "$sample: applied again" 0 'nothing changes' apply -state s.json -f "$ROOT/$sample" -yes
	unchanged "$sample: and the state is as it was"
	run validate -state s.json
	check_equal "$sample: valid" 0 "$got"
	cd "$ROOT" || exit 1
done

# ---- what changes ----

# Two nodes, one group of both and one policy; b is told by the file alone.
write_yaml() {
	cat >m.yaml
}

# start: a state made of a file, and its bytes remembered.
start() {
	empty_folder
	write_yaml <<'Y'
network: 10.99.0.0/24
network6: fd99::/64
nodes:
  a:
    ssh: 192.0.2.1
    address: 10.99.0.1
    groups: [all]
  b:
    ssh: "ops@b.example.org:2222"
    groups: [all]
policies:
  - name: p
    from: [all]
    to: [all]
Y
	run apply -state s.json -f m.yaml -yes
	remember
}

start
check_equal 'a new mesh: what is said of it' "+ node a: ssh 192.0.2.1, address 10.99.0.1, fd99::1
+ node b: ssh ops@b.example.org:2222, address 10.99.0.2, fd99::2
+ group all: members a, b
+ policy p: from all, to all" "$(grep -v '^~ mesh' "$T/out")"
check_equal 'a new mesh: its networks' "~ mesh: network 10.99.0.0/16 -> 10.99.0.0/24
~ mesh: network6 unset -> fd99::/64" "$(grep '^~ mesh' "$T/out")"
state 'auto: the lowest free addresses' '["10.99.0.2","fd99::2","b.example.org",2222,"ops"]' \
	'.nodes.b | [.mesh_ip, .mesh_ip6, .ssh_host, .ssh_port, .ssh_user]'

start
sed -i 's/address: 10.99.0.1/address: 10.99.0.7/; s/groups: \[all\]/&\n    port: 51821/' m.yaml
prints 'fields: shown before they are saved' 2 "~ node a: address +10.99.0.7 -10.99.0.1
~ node a: port 51820 -> 51821
~ node b: port 51820 -> 51821
wgmesh: say -yes to agree; nothing is saved" apply -state s.json -f m.yaml
unchanged 'fields: nothing is saved without a yes'
prints 'fields: dry run' 0 "~ node a: address +10.99.0.7 -10.99.0.1
~ node a: port 51820 -> 51821
~ node b: port 51820 -> 51821
dry run: nothing is saved" apply -state s.json -f m.yaml -dry-run -yes
unchanged 'fields: dry run saves nothing'
keys=$(jq -c '[.nodes[] | .public_key, .private_key]' s.json)
run apply -state s.json -f m.yaml -yes
state 'fields: saved' '[["10.99.0.7",51821],["10.99.0.2",51821]]' '[.nodes.a, .nodes.b | [.mesh_ip, .listen_port]]'
state 'fields: keys stay' "$keys" '[.nodes[] | .public_key, .private_key]'
state 'fields: one change counts once' "$(($(jq .serial "$T/before.json") + 1))" .serial

start
sed -i '/^  b:/,/groups/d' m.yaml
prints 'a node that the file lacks: listed and kept, with its group' 0 "nothing changes
wgmesh: kept, though the file lacks it: b (-prune removes it)" apply -state s.json -f m.yaml -yes
unchanged 'a node that the file lacks: nothing is saved'
prints 'prune: it goes' 0 "- node b: ssh ops@b.example.org:2222, address 10.99.0.2, fd99::2
~ group all: members -b
wgmesh: warning: m.yaml:9:5: policy 'p' relates no two nodes: both sides are 'a' alone" apply -state s.json -f m.yaml -prune -yes
state 'prune: it is gone from the group, too' '[["a"],["a"],null]' '[(.nodes | keys), .groups.all.members, .removed_nodes]'

start
jq '.nodes.b.facts.deployed = true' s.json >x && chmod 600 x && mv x s.json
sed -i '/^  b:/,/groups/d' m.yaml
run apply -state s.json -f m.yaml -prune -yes
state 'prune: a node that is set up leaves a tombstone' '["b"]' '.removed_nodes | keys'
sed -i 's/^nodes:/&\n  b:\n    ssh: elsewhere.example.org/' m.yaml
prints 'a removed node on another host: refused' 2 \
	"wgmesh: m.yaml:4:3: node 'b': the removed node 'b' is still set up on b.example.org: deploy first, or 'remove -forget' it" \
	apply -state s.json -f m.yaml -yes
sed -i 's/elsewhere.example.org/"ops@b.example.org:2222"/' m.yaml
run apply -state s.json -f m.yaml -yes
state 'a removed node on its own host: back' '[["a","b"],null]' '[(.nodes | keys), .removed_nodes]'

start
sed -i 's/^network:.*/network: 10.98.0.0\/24/; s/address: 10.99.0.1/address: 10.98.0.9/' m.yaml
run apply -state s.json -f m.yaml -yes
state 'another network: auto moves along, the rest stays' \
	'["10.98.0.0/24","10.98.0.9","fd99::1","10.98.0.1","fd99::2"]' \
	'[.network, .nodes.a.mesh_ip, .nodes.a.mesh_ip6, .nodes.b.mesh_ip, .nodes.b.mesh_ip6]'

start
sed -i '/^policies/,$d' m.yaml
printf 'groups:\n  all:\n    description: everybody\n    members: [a, b]\n  none: {}\npolicies:\n  - name: q\n    from: [all]\n    to: [all]\n    networks: true\n' >>m.yaml
prints 'groups and policies' 0 "~ group all: description unset -> everybody
+ group none
- policy p: from all, to all
+ policy q: from all, to all, networks true" apply -state s.json -f m.yaml -yes
state 'groups and policies: saved' '[["a","b"],"everybody",["q"],true]' \
	'[.groups.all.members, .groups.all.description, [.access_policies[].name], .access_policies[0].allow_routable_networks]'

start
jq '.nodes.a.unknown = {x: 1} | .other = 2 | .nodes.a.ssh_host_keys = ["ssh-ed25519 AAAA"] | .nodes.a.facts = {address: "192.0.2.1"}' \
	s.json >x && chmod 600 x && mv x s.json
sed -i 's/address: 10.99.0.1/&\n    mtu: 1400/' m.yaml
run apply -state s.json -f m.yaml -yes
state 'what the file cannot say stays' '[{"x":1},2,["ssh-ed25519 AAAA"],"192.0.2.1",1400]' \
	'[.nodes.a.unknown, .other, .nodes.a.ssh_host_keys, .nodes.a.facts.address, .nodes.a.mtu]'

start
sed -i 's/address: 10.99.0.1/&\n    key: host/' m.yaml
run apply -state s.json -f m.yaml -yes
run keys -state s.json host b
jq '.nodes.a.private_key = ""' s.json >x && chmod 600 x && mv x s.json
sed -i '/key: host/d' m.yaml
run apply -state s.json -f m.yaml -yes
check_equal 'a key comes back from its host: applied' 0 "$got"
state 'a key comes back from its host: a new pair' '[44,44,true]' \
	"[(.nodes.a.private_key | length), (.nodes.a.public_key | length), .nodes.a.public_key != $(jq .nodes.a.public_key "$T/before.json")]"

start
jq '.removed_nodes = {old: (.nodes.a | .ssh_host = "192.0.2.9" | .mesh_ip = "10.99.0.77" | .mesh_ip6 = "fd99::77")}' s.json >x &&
	chmod 600 x && mv x s.json
sed -i 's/192.0.2.1$/192.0.2.9/' m.yaml
run apply -state s.json -f m.yaml -yes
state 'a node moves to the host of a removed one: nothing is to be taken off it' '["192.0.2.9",null]' \
	'[.nodes.a.ssh_host, .removed_nodes]'

# ---- what is refused ----

start
sed -i 's/^    groups/    address: 10.99.0.1\n    groups/; s/^    address: 10.99.0.1\n    address: 10.99.0.1/&/' m.yaml
sed -i '/^  a:/,/^  b:/{0,/address: 10.99.0.1/!{/address/d}}' m.yaml
refused 'two nodes with one address: where and which' 2 "nodes 'a' and 'b' have the same mesh address 10.99.0.1" \
	apply -state s.json -f m.yaml -yes
check 'two nodes with one address: the place in the file' grep -qE 'm\.yaml:[0-9]+:[0-9]+: ' "$T/err"
start
refused 'no file named' 2 'which file? expected: wgmesh apply -f mesh.yaml' apply -state s.json
refused 'a file that is not there' 2 "cannot open 'none.yaml'" apply -state s.json -f none.yaml
refused 'a folder' 2 "'.' is a folder, expected a file" apply -state s.json -f .
run apply -state s.json -f - -yes
check_equal 'standard input: an empty text is no mesh' 2 "$got"
unchanged 'standard input: nothing is saved'

# ---- a sealed state ----

start
"$WGMESH" identity new id >recipient 2>/dev/null
run seal -state s.json -recipient "$(cat recipient)"
sed -i 's/address: 10.99.0.1/address: 10.99.0.7/' m.yaml
run apply -state s.json -identity id -f m.yaml -yes
check_equal 'sealed: applied' "0: ~ node a: address +10.99.0.7 -10.99.0.1" "$got: $(cat "$T/out")"
check 'sealed: it stays sealed' grep -q '^-----BEGIN AGE' s.json
run export -state s.json -identity id
check 'sealed: export' grep -q 'address: \[10.99.0.7, "fd99::1"\]' "$T/out"
check 'sealed: no key in the export' sh -c '! grep -q "[A-Za-z0-9+/]\{43\}=" "$1"' - "$T/out"

finish
