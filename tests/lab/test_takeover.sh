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

# Prints the snapshots of all hosts.
everything() { snapshots h1 h2 h3; }

# Without a yes, nothing happens to any host, not even to those that are to be set up from nothing.
test_refused() {
	local before
	before=$(everything)
	check_status 'takeover: plan' 0 w plan
	check_equal 'takeover: it is a step of its own on both hosts' 2 \
		"$(printf '%s\n' "$OUT" | grep -c '^  ! take over wg0, which is not ours')"
	check_status 'takeover: plan for machines' 0 w plan --json
	check_equal 'takeover: the word for it' 'take_over take_over' \
		"$(printf '%s\n' "$OUT" | jq -r '[.hosts[].steps[].step | select(. == "take_over")] | join(" ")')"
	check_status 'takeover: deploy without a terminal: exit 2' 2 w deploy
	check_has 'takeover: it says how to agree' "$OUT" '-yes'
	check_status 'takeover: the same as JSON: exit 2' 2 w deploy --json
	on_terminal '[y/N]' n deploy
	check_has 'takeover: on a terminal it asks' "$OUT" 'This would take over an interface that is not ours. Go on? [y/N]'
	check_equal 'takeover: no: exit 1' 1 "$RC"
	on_terminal '[y/N]' '' deploy
	check_equal 'takeover: an empty answer is no' 1 "$RC"
	check_same 'takeover: nothing was changed on any host' "$before" "$(everything)"
	check_status 'takeover: a deploy of the other host needs no yes' 0 w deploy n3
	check_equal 'takeover: and is done' "$(printf '%s\n' "$(key_of n1)" "$(key_of n2)" | sort)" "$(peers_of h3)"
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

# With a yes on the terminal for one host, with -yes for the other.
test_agreed() {
	local i1 i2
	i1=$(ifindex h1) i2=$(ifindex h2)
	on_terminal '[y/N]' y deploy n1
	check_equal 'takeover: yes on a terminal: exit 0' 0 "$RC"
	taken_over 1 "$i1"
	check_status 'takeover: with -yes: exit 0' 0 w deploy -yes
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
	check_status 'takeover: a boot file that is not ours, without its interface: exit 2' 2 w deploy
	check_same 'takeover: it is left alone' "$before" "$(snapshot h4)"
	check_status 'takeover: with -yes: exit 0' 0 w deploy -yes
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
	check 'go: a stream of pings from h1 to h2' stream_start h1 10.99.0.2
	before=$(unbroken)
	check_status 'go: plan' 0 w plan
	check_equal 'go: tags, keepalives, boot files, forwarding, and nothing else' "$(go_steps)" \
		"$(printf '%s\n' "$OUT" | grep -E '^(n|  )' | sed 's/^n[123]:$/&/')"
	check_status 'go: deploy without a question' 0 w deploy
	check_equal 'go: no ping is lost during it' complete "$(stream_stop h1)"
	check_same 'go: no interface was restarted, no handshake reset' "$before" "$(unbroken)"
	test_go_after
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
test_agreed
test_foreign_file
all_off
test_go
test_missing
finish
