#!/bin/bash
# End to end: hosts that are not empty. An interface that is not ours, one that the Go tool left, WireGuard missing.

# shellcheck source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"

# ---- an interface that is not ours ----

# Makes, on the host $1, a wg0 by hand: key, address 10.200.0.$2, one peer, boot file, unit.
foreign_wg() {
	lab_on "$1" "set -e; umask 077; wg genkey >/root/key
		printf '%s\n' '[Interface]' \"PrivateKey = \$(cat /root/key)\" 'Address = 10.200.0.$2/24' 'ListenPort = 51820' \
			'PostUp = ip route add 10.201.0.0/16 dev %i proto 77' \
			'[Peer]' \"PublicKey = \$(wg genkey | wg pubkey)\" 'AllowedIPs = 10.200.0.99/32' >/etc/wireguard/wg0.conf
		cp /etc/wireguard/wg0.conf /root/as-it-was
		systemctl -q enable --now wg-quick@wg0"
}


# Without -adopt the two hosts are refused, and the third is deployed.
test_refused() {
	local before k why
	before=$(snapshots h1 h2)
	check_status 'takeover: plan: exit 3' 3 w plan
	for k in 1 2; do
		why="n$k: failed: wg0 there is not this mesh's (1 peer, key $(lab_on "h$k" 'wg show wg0 public-key' | cut -c 1-8)...)"
		check_has "takeover: n$k is refused in one line" "$OUT" \
			"$why: 'wgmesh import' takes it over as it is, 'deploy -adopt' replaces it"
	done
	check_status 'takeover: -yes is no word for it: exit 3' 3 w deploy -yes
	check_same 'takeover: nothing was changed on the two' "$before" "$(snapshots h1 h2)"
	check_equal 'takeover: the other host is done' "$(printf '%s\n' "$(key_of n1)" "$(key_of n2)" | sort)" "$(peers_of h3)"
	check_status 'takeover: as JSON: exit 3' 3 w deploy --json
	check_equal 'takeover: the same there' 'n1 failed remote n2 failed remote n3 unchanged' \
		"$(printf '%s\n' "$OUT" | jq -r '[.hosts[] | .node, .result, (.error.code // empty)] | join(" ")')"
	check_same 'takeover: still nothing was changed' "$before" "$(snapshots h1 h2)"
}

# Keys that live on hosts: none is made on a host that is refused.
test_refused_key() {
	local before
	before=$(snapshots h1 h2)
	cp "$S" "$S.kept"
	e2e_edit '.nodes.n1 |= (.key = "host" | .public_key = "" | del(.private_key))'
	check_status 'takeover: with the key on its host: exit 3' 3 w deploy
	check_same 'takeover: no key was made there' "$before" "$(snapshots h1 h2)"
	mv "$S.kept" "$S"
}

# Checks that h$1 is ours now, without having been down (its interface was number $2).
taken_over() {
	local h=h$1
	check_equal "takeover: $h has the key of its node" "$(key_of "n$1")" "$(lab_on "$h" 'wg show wg0 public-key')"
	check_equal "takeover: $h has just our peers" "$(keys_but "n$1")" "$(peers_of "$h")"
	check_equal "takeover: $h has just our addresses" "10.99.0.$1/16 fd99::$1/64" \
		"$(lab_on "$h" 'ip -o addr show dev wg0 scope global' | awk '{ print $4 }' | sort | paste -sd' ')"
	check "takeover: $h keeps its old boot file" lab_on "$h" 'cmp /root/as-it-was /etc/wireguard/wg0.conf.before-wgmesh'
	check_equal "takeover: $h keeps it for root alone" 'root 600' "$(lab_on "$h" 'stat -c "%U %a" /etc/wireguard/wg0.conf.before-wgmesh')"
	check_has "takeover: $h has ours" "$(lab_on "$h" 'head -n 1 /etc/wireguard/wg0.conf')" '# managed by wgmesh'
	check_equal "takeover: $h: the interface was not taken down" "$2" "$(ifindex "$h")"
}

# Prints the public keys of all nodes but $1, sorted.
keys_but() { jq -r --arg n "$1" '.nodes | to_entries[] | select(.key != $n) | .value.public_key' "$S" | sort; }

# With -adopt, which asks no more.
test_agreed() {
	local i1 i2
	i1=$(ifindex h1) i2=$(ifindex h2)
	check_status 'takeover: plan -adopt' 0 w plan -adopt --json
	check_equal 'takeover: it is a step of its own on both hosts' 'n1 n2' \
		"$(printf '%s\n' "$OUT" | jq -r '[.hosts[] | select(any(.steps[]; .step == "take_over")).node] | join(" ")')"
	check_status 'takeover: deploy -adopt: exit 0' 0 w deploy -adopt n1
	taken_over 1 "$i1"
	check_status 'takeover: and the other: exit 0' 0 w deploy -adopt
	taken_over 2 "$i2"
	check 'takeover: everybody reaches everybody' all_ping 3
	check_status 'takeover: nothing is left' 0 w plan --exit-code
	lab_reboot h1 h2
	check 'takeover: the same after a reboot' all_ping 3
	check_status 'takeover: and nothing to do' 0 w plan --exit-code
}

# A boot file by hand whose interface is not up is not ours, either.
test_foreign_file() {
	local before
	lab_on h4 'echo "# kept for later" >/etc/wireguard/wg0.conf; cp -p /etc/wireguard/wg0.conf /root/as-it-was'
	before=$(snapshot h4)
	e2e_quiet e2e_add 4
	check_status 'takeover: a boot file that is not ours, without its interface: exit 3' 3 w deploy
	check_has 'takeover: it says so' "$OUT" "n4: failed: /etc/wireguard/wg0.conf there is not this mesh's"
	check_same 'takeover: it is left alone' "$before" "$(snapshot h4)"
	check_status 'takeover: with -adopt: exit 0' 0 w deploy -adopt
	check 'takeover: it is kept' lab_on h4 'cmp /root/as-it-was /etc/wireguard/wg0.conf.before-wgmesh'
	check 'takeover: and everybody reaches everybody' all_ping 4
}

# ---- as the Go tool leaves a host ----

# Prints the boot file that the Go tool would give the node n$1 of the state, on which nodes with networks have one each.
go_boot_file() {
	# shellcheck disable=SC2016
	jq -r --arg n "n$1" '.nodes as $all | $all[$n] as $me |
		[$all[] | {network: (.routable_networks // [])[], via: (if .hostname == $n then "" else .mesh_ip end)}] as $routes |
		"[Interface]", "Address = \($me.mesh_ip)/16", "ListenPort = \($me.listen_port)", "PrivateKey = \($me.private_key)",
		($routes[] | "PostUp = ip route add \(.network) via \(.via) dev %i || true"),
		($routes[] | "PreDown = ip route del \(.network) via \(.via) dev %i || true"),
		"PostUp = sysctl -w net.ipv4.ip_forward=1", "",
		($all[] | select(.hostname != $n) | "[Peer]", "PublicKey = \(.public_key)", "Endpoint = \(.public_endpoint)",
			"AllowedIPs = \([.mesh_ip + "/32", (.routable_networks // [])[]] | join(", "))", "PersistentKeepalive = 5", "")' "$S"
}

# Makes the state a Go tool's (no key of ours in it) and its hosts what that tool would have left.
go_mesh() {
	local k
	e2e_mesh 3 || return
	for k in 1 2 3; do e2e_edit ".nodes.n$k.public_endpoint = \"$(lab_ip "h$k"):51820\""; done
	e2e_edit '.nodes.n2.routable_networks = ["10.50.2.0/24"] | del(.mesh_id, .serial, .network6) |
		.nodes |= map_values(del(.mesh_ip6, .ssh_host_keys, .facts))'
	lab_keys >"$LAB_DIR/home/.ssh/known_hosts"
	for k in 1 2 3; do
		go_boot_file "$k" | lab_on "h$k" 'umask 077; cat >/etc/wireguard/wg0.conf; systemctl -q enable --now wg-quick@wg0'
	done
	for k in 1 2 3; do can_ping "h$k" "10.99.0.$((k % 3 + 1))" || return; done
}

# Prints the interface and the time of its handshakes on every host: neither may change.
unbroken() {
	local k
	for k in 1 2 3; do
		echo "h$k: $(ifindex "h$k")"
		lab_on "h$k" 'wg show wg0 public-key; systemctl show wg-quick@wg0 -p ActiveEnterTimestampMonotonic'
		handshakes "h$k"
	done
}

# A plain deploy, without a question: tags, keepalives and the boot file, and no packet is lost.
test_go() {
	local before
	check 'go: a mesh of the Go tool is up' go_mesh
	check_equal 'go: (with its keepalive)' 5 "$(lab_on h1 'wg show wg0 persistent-keepalive' | cut -f2 | sort -u)"
	check_equal 'go: (and wg-quick its routes)' "10.50.2.0/24 scope link" "$(lab_on h3 'ip route show 10.50.2.0/24 dev wg0' | sed 's/ *$//')"
	check 'go: (and h1 an MTU of its own)' lab_on h1 'ip link set wg0 mtu 1390'
	check 'go: a stream of pings from h1 to h2' stream_start h1 10.99.0.2
	test_go_down
	before=$(unbroken)
	check_status 'go: plan' 0 w plan --json
	check_equal 'go: no other steps than tags, keepalives, forwarding and boot files' \
		'forwarding_on replace_route set_peer write_boot_file' \
		"$(printf '%s\n' "$OUT" | jq -r '[.hosts[].steps[].step] | unique | join(" ")')"
	check_equal 'go: no peer changes but in its keepalive' '' \
		"$(printf '%s\n' "$OUT" | jq -r '.hosts[].steps[] | select(.step == "set_peer").text' |
			grep -v '^~ peer n[123]: keepalive 5 s -> off$')"
	check_status 'go: plan' 0 w plan
	check_equal 'go: tags, keepalives, boot files, forwarding, and nothing else' "$(go_steps)" \
		"$(printf '%s\n' "$OUT" | grep -E '^(n|  )' | grep -v '^  (the boot file there has settings')"
	check_equal 'go: what its boot files had besides is named' 3 "$(grep -c '^  (the boot file there has settings.*PostUp' <<<"$OUT")"
	check_status 'go: deploy without a question' 0 w deploy
	check_equal 'go: no ping is lost during it' complete "$(stream_stop h1)"
	check_equal 'go: the MTU is as it was, in the boot file too' '1390 1390' \
		"$(lab_on h1 'cat /sys/class/net/wg0/mtu; sed -n "s/^MTU = //p" /etc/wireguard/wg0.conf' | paste -sd' ')"
	check_same 'go: no interface was restarted, no handshake reset' "$before" "$(unbroken)"
	test_go_after
}

# A host of that mesh whose interface is down is its host all the same.
test_go_down() {
	lab_on h3 'systemctl stop wg-quick@wg0'
	check_status 'go: a host that is down' 0 w plan n3 --json
	check_equal 'go: comes up from our boot file' 'write_boot_file bring_up' \
		"$(printf '%s\n' "$OUT" | jq -r '[.hosts[].steps[].step] | join(" ")')"
	lab_on h3 'systemctl start wg-quick@wg0'
	check 'go: (up again)' can_ping h3 10.99.0.1
}

# Prints what the plan for these hosts should be.
go_steps() {
	cat <<-'END'
		n1:
		  ~ peer n2: keepalive 5 s -> off
		  ~ peer n3: keepalive 5 s -> off
		  ~ route 10.50.2.0/24 via 10.99.0.2 (was direct)
		  ~ boot file /etc/wireguard/wg0.conf
		n2:
		  ~ peer n1: keepalive 5 s -> off
		  ~ peer n3: keepalive 5 s -> off
		  ~ forwarding on
		  ~ boot file /etc/wireguard/wg0.conf
		n3:
		  ~ peer n1: keepalive 5 s -> off
		  ~ peer n2: keepalive 5 s -> off
		  ~ route 10.50.2.0/24 via 10.99.0.2 (was direct)
		  ~ boot file /etc/wireguard/wg0.conf
	END
}

# What is there afterwards, and after a reboot.
test_go_after() {
	check_equal 'go: the keepalive is off' off "$(lab_on h1 'wg show wg0 persistent-keepalive' | cut -f2 | sort -u)"
	check_equal 'go: the route is ours' "10.50.2.0/24 via 10.99.0.2 proto 119" \
		"$(lab_on h3 'ip route show 10.50.2.0/24 dev wg0' | sed 's/ *$//')"
	check_has 'go: the boot file too' "$(lab_on h1 'head -n 1 /etc/wireguard/wg0.conf')" '# managed by wgmesh'
	check 'go: without routes of wg-quick' lab_on h1 'grep -qx "Table = off" /etc/wireguard/wg0.conf'
	check 'go: the state has an id now' jq -e '.mesh_id | length == 32' "$S"
	check_status 'go: nothing is left' 0 w plan --exit-code
	lab_reboot h1 h2 h3
	check_status 'go: nor after a reboot' 0 w plan --exit-code
	check_equal 'go: the MTU is still as it was' 1390 "$(lab_on h1 'cat /sys/class/net/wg0/mtu')"
	check 'go: and the hosts reach each other' can_ping h3 10.99.0.2
}

# ---- WireGuard missing ----

# Prints what is installed on the host $1, and whether anything is set there.
packages() { lab_on "$1" 'dpkg-query -W | sha256sum; ls -A /etc/wireguard 2>&1; ip -o link | wc -l'; }

# One of three hosts has no WireGuard tools.
test_missing() {
	local before
	before=$(packages h7)
	check 'install: (h7 has no wg)' lab_on h7 '! command -v wg'
	e2e_edit 'del(.nodes.n2.routable_networks)'
	e2e_quiet w -add "n7:10.99.0.7:$(lab_ip h7)" -accept-new-host-keys
	check_status 'install: -no-install: exit 3' 3 w deploy -no-install
	check_has 'install: the host is named, with the reason' "$OUT" 'n7: failed: WireGuard is not installed there'
	check_equal 'install: nothing was changed there' "$before" "$(packages h7)"
	check_has 'install: the others are done' "$(peers_of h1)" "$(key_of n7)"
	lab_on h7 'mv /usr/bin/apt-get /usr/bin/apt-get.away'
	check_status 'install: no apt either: exit 3' 3 w deploy
	check_has 'install: it says so' "$OUT" 'there is no apt-get'
	lab_on h7 'mv /usr/bin/apt-get.away /usr/bin/apt-get'
	check_status 'install: plan' 0 w plan
	check_has 'install: names the package' "$OUT" '+ package wireguard-tools'
	check_equal 'install: plan installs nothing' "$before" "$(packages h7)"
	check_status 'install: deploy' 0 w deploy
	check 'install: the package is there' lab_on h7 'dpkg -s wireguard-tools'
	check 'install: and the host reached' can_ping h1 10.99.0.7
	check_status 'install: nothing is left' 0 w plan --exit-code
}

# Takes the mesh off the hosts.
all_off() {
	local node
	for node in $(jq -r '.nodes | keys[]' "$S"); do e2e_quiet w -remove "$node"; done
	e2e_quiet w deploy -yes
}

e2e_start
lab_boot h1 h2 h3 h4
LAB_NO_WG=1 lab_boot h7
foreign_wg h1 1
foreign_wg h2 2
e2e_mesh 3
test_refused
test_refused_key
test_agreed
test_foreign_file
all_off
test_go
test_missing
finish
