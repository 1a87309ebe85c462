#!/bin/bash
# End to end, case m: groups and policies. The meshes of samples/ on real hosts: who may reach whom does, and nobody else.

# shellcheck source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"

# The nodes of the sample at work: NODES in the order of the hosts h1, h2...; HOST and MESH_IP by node.
NODES=()
declare -A HOST MESH_IP

# Makes the state of the sample $1, whose nodes live on the lab's hosts here: $LAB_DIR/mesh.yaml is the sample with their addresses.
mesh_from() {
	local file=$E2E_ROOT/samples/$1.yaml node places=
	rm -f "$S"
	mapfile -t NODES < <(sed -n '/^nodes:/,/^[a-z]/s/^  \([a-z0-9-]*\):$/\1/p' "$file")
	for node in "${NODES[@]}"; do
		HOST[$node]=h$((${#HOST[@]} + 1))
		places+="/^  $node:/,/ssh:/s/ssh: .*/ssh: $(lab_ip "${HOST[$node]}")/;"
	done
	sed "$places" "$file" >"$LAB_DIR/mesh.yaml"
	check_status "a. $1: apply where there is no state" 0 w apply -f "$LAB_DIR/mesh.yaml" -yes
	for node in "${NODES[@]}"; do MESH_IP[$node]=$(jq -r --arg n "$node" '.nodes[$n].mesh_ip' "$S"); done
}

# Checks that the mesh of the sample $1, deployed, is still what the file says, byte for byte.
same_yaml() {
	check_status "a. $1: export after the deploy" 0 w export
	check_same "a. $1: the same text" "$(<"$LAB_DIR/mesh.yaml")" "$OUT"
	check_status "a. $1: apply again" 0 w apply -f "$LAB_DIR/mesh.yaml" -yes
	check_equal "a. $1: changes nothing" 'nothing changes' "$OUT"
}

# Takes the mesh off the hosts again.
mesh_off() {
	local node
	# A policy whose groups are empty is an error, as it is for the Go tool.
	e2e_edit 'del(.groups, .access_policies)'
	for node in "${NODES[@]}"; do e2e_quiet w -remove "$node"; done
	check_status "m. $1: taken off again" 0 w deploy -yes
	HOST=() MESH_IP=()
}

# Prints the peers that the hosts have, one line a node: "node: peer=allowed-ips peer=allowed-ips", sorted.
peer_table() {
	local node
	for node in "${NODES[@]}"; do
		printf '%s:%s\n' "$node" "$(lab_on "${HOST[$node]}" 'wg show wg0 allowed-ips' | name_peers | sort | tr -d '\n')"
	done
}

# Of the lines of `wg show wg0 allowed-ips` makes " peer=allowed-ips", with names for keys and the addresses sorted.
name_peers() {
	local key ips
	while IFS=$'\t' read -r key ips; do
		printf ' %s=%s\n' "$(jq -r --arg k "$key" '.nodes | to_entries[] | select(.value.public_key == $k) | .key' "$S")" \
			"$(tr ' ' '\n' <<<"$ips" | sort | paste -sd,)"
	done
}

# Prints the ordered pairs of nodes that are peers by the table $1, or (with "no" as $2) those that are not.
pairs() {
	local from to line
	for from in "${NODES[@]}"; do
		line=$(grep "^$from:" <<<"$1")
		for to in "${NODES[@]}"; do
			[ "$from" != "$to" ] || continue
			case $line in
			*" $to="*) [ "${2-}" = no ] || echo "$from $to" ;;
			*) [ "${2-}" != no ] || echo "$from $to" ;;
			esac
		done
	done
}

# Runs `$1 HOST ADDRESS` for every pair of stdin, all at once; names the pairs for which it fails.
for_pairs() {
	local from to rc=0 pids=() names=() i
	while read -r from to; do
		"$1" "${HOST[$from]}" "${MESH_IP[$to]}" >/dev/null 2>&1 </dev/null &
		pids+=($!) names+=("$from to $to")
	done
	for i in "${!pids[@]}"; do wait "${pids[i]}" || { echo "$1 fails: ${names[i]}"; rc=1; }; done
	[ "${#pids[@]}" -gt 0 ] && return "$rc"
	echo 'no pair to try' && return 1
}

# Checks (title $1) that the hosts have just the peers of the table $2, that those reach each other, and that no other pair does.
holds() {
	check_same "m. $1: every host has just its peers" "$2" "$(peer_table)"
	[ -z "$(pairs "$2")" ] || check "m. $1: all $(pairs "$2" | wc -l) pairs of peers reach each other" for_pairs can_ping < <(pairs "$2")
	[ -z "$(pairs "$2" no)" ] ||
		check "m. $1: none of the $(pairs "$2" no | wc -l) other pairs does" for_pairs cannot_ping < <(pairs "$2" no)
	check_status "m. $1: nothing is left" 0 w plan --exit-code
}

# Prints the networks that the node $1 has routes of ours for.
routes_of() { lab_on "${HOST[$1]}" 'ip route show proto 119' | cut -d' ' -f1 | paste -sd' '; }

# A small team: everybody reaches everybody, and the network of the office.
test_small_team() {
	mesh_from small-team
	check_status 'a. small-team: deploy' 0 w deploy -accept-new-host-keys
	holds small-team "backup: files=10.99.0.2/32 office=10.99.0.1/32,192.168.20.0/24
files: backup=10.99.0.3/32 office=10.99.0.1/32,192.168.20.0/24
office: backup=10.99.0.3/32 files=10.99.0.2/32"
	check_equal 'a. small-team: the port of one node' 51821 "$(lab_on "${HOST[files]}" 'wg show wg0 listen-port')"
	check_has 'a. small-team: its MTU' "$(lab_on "${HOST[files]}" 'ip link show wg0')" 'mtu 1400 '
	check_equal 'a. small-team: the route to the office' 192.168.20.0/24 "$(routes_of backup)"
	same_yaml small-team
	mesh_off small-team
}

# web -> app -> db; the network behind db1 is for app alone.
test_three_tier() {
	mesh_from three-tier
	check_status 'm. three-tier: deploy' 0 w deploy -accept-new-host-keys
	holds three-tier "app1: db1=10.99.3.1/32,172.20.4.0/24 web1=10.99.1.1/32 web2=10.99.1.2/32
db1: app1=10.99.2.1/32
web1: app1=10.99.2.1/32
web2: app1=10.99.2.1/32"
	check 'm. three-tier: the app server reaches the network behind the database' can_ping "${HOST[app1]}" 172.20.4.2
	check 'm. three-tier: a web server does not' cannot_ping "${HOST[web1]}" 172.20.4.2
	check_equal 'm. three-tier: it has no route either' '' "$(routes_of web1)"
	same_yaml three-tier
	test_group_changed
	test_policies_removed
	mesh_off three-tier
}

# A node leaves its group.
test_group_changed() {
	local before
	before=$(snapshots "${HOST[db1]}" "${HOST[web1]}")
	check_status 'm. a node leaves its group: the command' 0 w group remove web web2
	check_status 'm. a node leaves its group: deploy' 0 w deploy
	holds 'a node leaves its group' "app1: db1=10.99.3.1/32,172.20.4.0/24 web1=10.99.1.1/32
db1: app1=10.99.2.1/32
web1: app1=10.99.2.1/32
web2:"
	check_same 'm. a node leaves its group: who has nothing to do with it is not touched' "$before" \
		"$(snapshots "${HOST[db1]}" "${HOST[web1]}")"
}

# One policy goes, then the last one, then the groups.
test_policies_removed() {
	local group
	check_status 'm. a policy removed: the command' 0 w policy remove app-to-db
	check_status 'm. a policy removed: deploy' 0 w deploy
	holds 'a policy removed' "app1: web1=10.99.1.1/32
db1:
web1: app1=10.99.2.1/32
web2:"
	check_equal 'm. a policy removed: and its route' '' "$(routes_of app1)"
	check 'm. a policy removed: the network behind is out of reach' cannot_ping "${HOST[app1]}" 172.20.4.2
	check_status 'm. the last policy removed: the command' 0 w policy remove web-to-app
	check_status 'm. the last policy removed: deploy' 0 w deploy
	holds 'the last policy removed' "app1:
db1:
web1:
web2:"
	for group in app db web; do check_status "m. the group $group removed: the command" 0 w group remove "$group"; done
	check_status 'm. no groups and no policies: deploy' 0 w deploy
	holds 'no groups and no policies' "app1: db1=10.99.3.1/32,172.20.4.0/24 web1=10.99.1.1/32 web2=10.99.1.2/32
db1: app1=10.99.2.1/32 web1=10.99.1.1/32 web2=10.99.1.2/32
web1: app1=10.99.2.1/32 db1=10.99.3.1/32,172.20.4.0/24 web2=10.99.1.2/32
web2: app1=10.99.2.1/32 db1=10.99.3.1/32,172.20.4.0/24 web1=10.99.1.1/32"
}

# Offices reach the headquarters and its network; not each other, and nobody the network behind an office.
test_hub() {
	mesh_from hub-and-branches
	check_status 'm. hub-and-branches: deploy' 0 w deploy -accept-new-host-keys
	holds hub-and-branches "hq: office1=10.99.1.1/32 office2=10.99.1.2/32 office3=10.99.1.3/32
office1: hq=10.99.0.1/32,172.20.0.0/24
office2: hq=10.99.0.1/32,172.20.0.0/24
office3: hq=10.99.0.1/32,172.20.0.0/24"
	check 'm. hub-and-branches: an office reaches the network of the headquarters' can_ping "${HOST[office3]}" 172.20.0.2
	check_equal 'm. hub-and-branches: the headquarters have no route to the network of an office' '' "$(routes_of hq)"
	check 'm. hub-and-branches: nor do they reach it' cannot_ping "${HOST[hq]}" 172.21.1.2
	same_yaml hub-and-branches
	mesh_off hub-and-branches
}

# Production and staging know nothing of each other.
test_staging() {
	mesh_from isolated-staging
	check_status 'm. isolated-staging: deploy' 0 w deploy -accept-new-host-keys
	holds isolated-staging "app1: db1=10.99.1.3/32,172.20.4.0/24 web1=10.99.1.1/32
db1: app1=10.99.1.2/32 web1=10.99.1.1/32
staging-app1: staging-web1=10.99.2.1/32
staging-web1: staging-app1=10.99.2.2/32
web1: app1=10.99.1.2/32 db1=10.99.1.3/32,172.20.4.0/24"
	check 'm. isolated-staging: production reaches the network behind its database' can_ping "${HOST[web1]}" 172.20.4.2
	check 'm. isolated-staging: staging does not' cannot_ping "${HOST[staging-web1]}" 172.20.4.2
	check_status 'm. a host leaves production: the command' 0 w group remove production db1
	check_status 'm. a host leaves production: deploy' 0 w deploy
	holds 'a host leaves production' "app1: web1=10.99.1.1/32
db1:
staging-app1: staging-web1=10.99.2.1/32
staging-web1: staging-app1=10.99.2.2/32
web1: app1=10.99.1.2/32"
}

# Gives h2, whose node is another one in each sample, the network $1 and a station in it.
move_lan() { lab_on h2 'ip link del lan0' && lab_lan h2 "$1"; }

e2e_start
lab_boot h1 h2 h3 h4 h5
test_small_team
lab_lan h2 172.20.4.0/24
test_three_tier
lab_lan h1 172.20.0.0/24
e2e_quiet move_lan 172.21.1.0/24
test_hub
e2e_quiet move_lan 172.20.4.0/24
test_staging
finish
