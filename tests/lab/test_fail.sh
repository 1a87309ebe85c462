#!/bin/bash
# End to end, cases h to j: hosts that are dead, hosts that somebody changed by hand, hosts that show another SSH key.

# shellcheck source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"

# Runs the program with the arguments behind $1, for at most $1 seconds; its exit status is 124 if it takes longer.
w_within() { lab_ctl timeout -k 5 "$1" setsid -w "$WGMESH" -state "$S" "${@:2}" </dev/null; }

# Prints the node $1's line in the summary of a deploy.
result_line() { printf '%s\n' "$OUT" | grep "^$1: " | tail -n 1; }

# Succeeds if the summary says why the node $1, at the address $2, is unreachable.
has_reason() { result_line "$1" | grep -E "^$1: unreachable: .*$2.* .*"; }

# Prints what OUT, from `plan --json` or `deploy --json`, has at the jq path $1.
from_json() { printf '%s\n' "$OUT" | jq -rc "$1"; }

# Prints the steps that OUT, from `plan --json`, has for the node $1: their words, joined by blanks.
json_steps() { from_json "[.hosts[] | select(.node == \"$1\") | .steps[].step] | join(\" \")"; }

# Prints the lines of OUT, from `plan`, that name steps.
text_steps() { printf '%s\n' "$OUT" | grep '^  [-+~!] ' | sed 's/^  //'; }

# Prints what the host $1 has for its peer the node $2: "allowed ips, keepalive".
peer_of() { lab_on "$1" "wg show wg0 dump" | awk -F'\t' -v key="$(key_of "$2")" 'NF == 8 && $1 == key { print $4, $8 }'; }

# Succeeds if the boot file of the host $1 has the node $2 as a peer.
boot_has() { lab_on "$1" 'cat /etc/wireguard/wg0.conf' | grep -qF "PublicKey = $(key_of "$2")"; }

# ---- h: dead hosts ----

# Checks that a host of the living, $1, has what the state says of the dead, n3 and n4.
living_has() {
	check_equal "h. $1 keeps the host that is off as its peer" '10.99.0.3/32,fd99::3/128,10.50.3.0/24 off' "$(peer_of "$1" n3)"
	check_equal "h. $1 keeps the host that is frozen as its peer" '10.99.0.4/32,fd99::4/128 off' "$(peer_of "$1" n4)"
	check "h. $1 has the first dead host in its boot file" boot_has "$1" n3
	check "h. $1 has the other dead host in its boot file" boot_has "$1" n4
	check_equal "h. $1 got the change: a route" "10.50.3.0/24 via 10.99.0.3 dev wg0 proto 119" \
		"$(lab_on "$1" 'ip route show 10.50.3.0/24' | sed 's/ *$//')"
}

# A host that is off and one whose sshd is frozen hold nobody up.
test_dead() {
	lab_poweroff h3
	lab_freeze_sshd h4
	e2e_edit '.nodes.n3.routable_networks = ["10.50.3.0/24"]'
	check_status 'h. a deploy with two dead hosts ends by itself, exit 3' 3 w_within 60 deploy
	check_equal 'h. the first living host is done' 'n1: changed (3 steps)' "$(result_line n1)"
	check_equal 'h. the second as well' 'n2: changed (3 steps)' "$(result_line n2)"
	check 'h. the host that is off is named, with a reason' has_reason n3 198.51.100.13
	check 'h. the frozen one too' has_reason n4 198.51.100.14
	check_has 'h. the summary counts them' "$(printf '%s\n' "$OUT" | tail -n 1)" 'Deploy: 2 changed, 0 unchanged, 2 unreachable'
	living_has h1
	living_has h2
	test_dead_json
	test_healed
}

# The same for machines, while they are still dead and nothing is left to do.
test_dead_json() {
	try w_within 60 deploy --json -timeout 3
	check_equal 'h. again, as JSON: exit 3' 3 "$RC"
	check_equal 'h. result of every host' 'unchanged unchanged unreachable unreachable' "$(from_json '[.hosts[].result] | join(" ")')"
	check_equal 'h. every dead host has a reason' 'unreachable unreachable' \
		"$(from_json '[.hosts[].error // empty | select(.message != "") | .code] | join(" ")')"
	check_status 'h. limited to the living: exit 0' 0 w_within 60 deploy n1 n2
	check_status 'h. plan says so too' 3 w_within 60 plan -timeout 3
}

# They come back, and the next deploy does what was left.
test_healed() {
	lab_thaw_sshd h4
	lab_up h3
	check_status 'h. the next deploy heals: exit 0' 0 w deploy
	check_has 'h. the host that was off is done' "$(result_line n3)" 'n3: changed'
	check_has 'h. the host that was frozen is done' "$(result_line n4)" 'n4: changed'
	check 'h. everybody reaches everybody' all_ping 4
	check_equal 'h. the host that was off forwards now' 1 "$(lab_on h3 'cat /proc/sys/net/ipv4/ip_forward')"
	check_status 'h. nothing is left' 0 w plan --exit-code
}

# ---- i: drift ----

# Checks that what the shell text $3 changes on the host h$2 (title $1) is named and mended, and nothing else.
# $4: the words of the steps in --json; the rest: the lines of the plan.
drift() {
	local title="i. $1" host=h$2 node=n$2 text=$3 words=$4 before others was
	shift 4
	others=$(hosts 4 | grep -vx "$host")
	was=$(settings "$host")
	# shellcheck disable=SC2086
	before=$(snapshots $others)
	e2e_quiet lab_on "$host" "K2='$K2' K3='$K3' K4='$K4'; $text" || return
	try w plan --exit-code
	check_equal "$title: the plan names it" "$(printf '%s\n' "$@")" "$(text_steps)"
	check_equal "$title: plan --exit-code tells" 4 "$RC"
	try w plan --json
	check_equal "$title: the plan for machines too" "$words" "$(json_steps "$node")"
	check_equal "$title: on that host alone" "$node" "$(from_json '[.hosts[] | select(.result == "to_change") | .node] | join(" ")')"
	check_status "$title: deploy" 0 w deploy
	check_same "$title: mended" "$was" "$(settings "$host")"
	# shellcheck disable=SC2086
	check_same "$title: the others are not touched" "$before" "$(snapshots $others)"
	check_status "$title: nothing is left" 0 w plan --exit-code
}

# What others may do to peers. (Text is for the hosts' shells.)
# shellcheck disable=SC2016
test_drift_peers() {
	local stranger
	stranger=$(lab_on h1 'wg genkey | wg pubkey')
	drift 'a peer removed' 1 'wg set wg0 peer "$K2" remove' add_peer \
		'+ peer n2: 10.99.0.2/32, fd99::2/128, 10.50.2.0/24, fd50:2::/64 at 198.51.100.12:51820'
	drift 'a stranger added' 1 "wg set wg0 peer $stranger allowed-ips 10.99.0.77/32" remove_peer \
		"- peer $stranger: 10.99.0.77/32"
	drift 'a keepalive changed' 1 'wg set wg0 peer "$K4" persistent-keepalive 7' set_peer '~ peer n4: keepalive 7 s -> off'
	drift 'allowed IPs added' 1 'wg set wg0 peer "$K4" allowed-ips 10.99.0.4/32,fd99::4/128,10.60.0.0/16' set_peer \
		'~ peer n4: allowed IPs 10.60.0.0/16, 10.99.0.4/32, fd99::4/128 -> 10.99.0.4/32, fd99::4/128'
	drift 'an allowed IP given to another' 1 'wg set wg0 peer "$K4" allowed-ips 10.99.0.3/32,10.99.0.4/32,fd99::4/128' \
		'set_peer set_peer' '~ peer n3: allowed IPs 10.50.3.0/24, fd99::3/128 -> 10.99.0.3/32, fd99::3/128, 10.50.3.0/24' \
		'~ peer n4: allowed IPs 10.99.0.3/32, 10.99.0.4/32, fd99::4/128 -> 10.99.0.4/32, fd99::4/128'
	drift 'a preshared key set' 1 'wg genpsk | wg set wg0 peer "$K3" preshared-key /dev/stdin' set_peer \
		'~ peer n3: preshared key set -> none'
	check_equal 'i. a preshared key set: none is left' '(none)' \
		"$(lab_on h1 'wg show wg0 preshared-keys' | cut -f2 | sort -u)"
}

# What others may do to the interface.
# shellcheck disable=SC2016
test_drift_interface() {
	local key
	key=$(lab_on h1 'umask 077; wg genkey | tee /root/other | wg pubkey')
	# The kernel drops the routes through it, too.
	drift 'an address deleted' 1 'ip addr del 10.99.0.1/16 dev wg0' 'add_address add_route add_route' '+ address 10.99.0.1/16' \
		'+ route 10.50.2.0/24 via 10.99.0.2' '+ route 10.50.3.0/24 via 10.99.0.3'
	drift 'a version 6 address deleted' 1 'ip addr del fd99::1/64 dev wg0' add_address '+ address fd99::1/64'
	drift 'an address added' 1 'ip addr add 10.77.7.7/24 dev wg0' remove_address '- address 10.77.7.7/24'
	drift 'the listen port changed' 1 'wg set wg0 listen-port 51999' set_listen_port '~ listen port 51999 -> 51820'
	drift 'a firewall mark set' 1 'wg set wg0 fwmark 0x99' clear_fwmark '~ fwmark 0x99 -> off'
	drift 'another private key' 1 'wg set wg0 private-key /root/other' set_private_key \
		"~ private key (public key $key -> $(key_of n1))"
	drift 'the link set down' 1 'ip link set wg0 down' 'add_address link_up add_route add_route add_route' '+ address fd99::1/64' \
		'~ interface wg0 down -> up' '+ route 10.50.2.0/24 via 10.99.0.2' '+ route 10.50.3.0/24 via 10.99.0.3' \
		'+ route fd50:2::/64 via fd99::2'
	drift 'the interface deleted' 1 'ip link del wg0' bring_up '+ interface wg0 up, with 3 peers'
}

# What others may do to routes, files and the unit.
test_drift_rest() {
	drift 'a route deleted' 1 'ip route del 10.50.2.0/24' add_route '+ route 10.50.2.0/24 via 10.99.0.2'
	drift 'a version 6 route deleted' 1 'ip -6 route del fd50:2::/64' add_route '+ route fd50:2::/64 via fd99::2'
	drift 'a route moved' 1 'ip route replace 10.50.2.0/24 via 10.99.0.4 dev wg0 proto 119' replace_route \
		'~ route 10.50.2.0/24 via 10.99.0.2 (was via 10.99.0.4)'
	drift 'a route with our tag added' 1 'ip route add 10.51.0.0/24 via 10.99.0.4 dev wg0 proto 119' remove_route \
		'- route 10.51.0.0/24 via 10.99.0.4'
	drift 'the boot file edited' 1 'sed -i "s/^ListenPort.*/ListenPort = 1/" /etc/wireguard/wg0.conf' write_boot_file \
		'~ boot file /etc/wireguard/wg0.conf'
	drift 'the boot file deleted' 1 'rm /etc/wireguard/wg0.conf' write_boot_file '+ boot file /etc/wireguard/wg0.conf'
	drift 'the unit disabled' 1 'systemctl -q disable wg-quick@wg0' enable_unit '+ unit wg-quick@wg0 enabled'
	drift 'forwarding switched off' 2 'echo 0 >/proc/sys/net/ipv4/ip_forward' forwarding_on '~ forwarding on'
	test_drift_forwarding
}

# The file that keeps forwarding on is deleted; what held before it is forgotten with it, so the new one may differ.
test_drift_forwarding() {
	local file=/etc/sysctl.d/90-wgmesh-wg0.conf
	e2e_quiet lab_on h2 "rm $file"
	try w plan
	check_equal 'i. the forwarding file deleted: the plan names it' '~ forwarding on' "$(text_steps)"
	check_status 'i. the forwarding file deleted: deploy' 0 w deploy
	check 'i. the forwarding file deleted: it is back' lab_on h2 \
		"grep -qx 'net.ipv4.ip_forward = 1' $file && grep -qx 'net.ipv6.conf.all.forwarding = 1' $file"
	check_status 'i. the forwarding file deleted: nothing is left' 0 w plan --exit-code
}

# Puts things on the host $1 that are not ours.
foreign_make() {
	# shellcheck disable=SC2016
	lab_on "$1" 'set -e
		ip route add 203.0.113.0/25 dev wg0
		ip route add 203.0.113.128/25 via 198.51.100.254 proto 119
		ip -6 route add 2001:db8:99::/64 dev wg0
		nft add table inet foreign
		nft add chain inet foreign c "{ type filter hook input priority 5; }"
		nft add rule inet foreign c tcp dport 9 counter
		echo "net.ipv4.ip_default_ttl = 65" >/etc/sysctl.d/91-admin.conf
		WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1 wireguard-go wg9
		umask 077; wg genkey >/etc/wireguard/wg9.key
		wg set wg9 private-key /etc/wireguard/wg9.key listen-port 51899 peer "$(wg genkey | wg pubkey)" allowed-ips 10.9.9.0/24
		ip addr add 10.9.0.1/24 dev wg9; ip link set wg9 up
		ip route add 10.9.9.0/24 dev wg9; ip route add 10.9.10.0/24 dev wg9 proto 119
		echo "# by hand" >/etc/wireguard/wg9.conf' >/dev/null 2>&1
}

# Prints those things.
foreign_show() {
	# shellcheck disable=SC2016
	lab_on "$1" 'ip route show 203.0.113.0/24; ip route show root 203.0.113.0/24; ip -6 route show 2001:db8:99::/64
		ip route show dev wg9; ip -o addr show dev wg9; wg show wg9 dump; nft list table inet foreign
		stat -c "%n %i %z" /etc/sysctl.d/91-admin.conf /etc/wireguard/wg9.*; cat /etc/sysctl.d/91-admin.conf /etc/wireguard/wg9.conf'
}

# Several drifts at once are mended around what is not ours.
test_foreign() {
	local before
	check 'i. things that are not ours are set up' foreign_make h1
	check_status 'i. what is not ours is no difference' 0 w plan --exit-code
	before=$(foreign_show h1)
	e2e_quiet lab_on h1 "ip route del 10.50.2.0/24; wg set wg0 peer $K3 remove; echo >>/etc/wireguard/wg0.conf
		systemctl -q disable wg-quick@wg0"
	check_status 'i. a deploy beside it' 0 w deploy
	check_has 'i. it mends all four' "$OUT" 'n1: changed (4 steps)'
	check_same 'i. what is not ours is left alone' "$before" "$(foreign_show h1)"
	check_has 'i. ... and was really there' "$before" '10.9.10.0/24'
	check_status 'i. and nothing is left to do' 0 w plan --exit-code
}

# What somebody did by hand: on a mesh with networks of both versions behind n2 and one behind n3.
test_drift() {
	e2e_edit '.nodes.n2.routable_networks = ["10.50.2.0/24", "fd50:2::/64"]'
	check_status 'i. before: a mesh with routes' 0 w deploy
	K2=$(key_of n2) K3=$(key_of n3) K4=$(key_of n4)
	all_ping 4 >/dev/null
	test_drift_peers
	test_drift_interface
	test_drift_rest
	test_foreign
}

# ---- j: host keys ----

# Prints the fingerprint of the SSH host key that the host $1 was made with.
old_fingerprint() { ssh-keygen -lf "$LAB_DIR/hosts/$1/key/id.pub" | cut -d' ' -f2; }

# Prints the fingerprint of the one that it has now.
new_fingerprint() { lab_on "$1" 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub' | cut -d' ' -f2; }

# Checks that h2 is refused (title $1) by the command behind it, that its key's fingerprints are shown, and that it gets nothing.
refused() {
	local title="j. $1" before logins
	shift
	before=$(snapshot h2) logins=$(logins h2)
	check_status "$title: exit 3" 3 "$@"
	check_has "$title: it shows the new fingerprint" "$(result_line n2)" "$(new_fingerprint h2)"
	check_has "$title: and the old one" "$(result_line n2)" "$(old_fingerprint h2)"
	check_equal "$title: nobody logged in" "$logins" "$(logins h2)"
	check_same "$title: nothing was changed there" "$before" "$(snapshot h2)"
}

# Puts the key that h2 has now where the old one was pinned.
pin_anew() {
	local line
	line=$(lab_on h2 'cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub')
	e2e_edit ".nodes.n2.ssh_host_keys = [\"$line\"]"
}

# A host that shows another key than the pinned one, or than known_hosts has.
test_changed_key() {
	lab_rekey_ssh h2
	e2e_quiet lab_on h2 "wg set wg0 peer $K3 remove"
	e2e_quiet lab_on h3 "wg set wg0 peer $K2 remove"
	refused 'a changed key at plan' w plan
	check 'j. plan changes nothing on the others' lab_on h3 "! wg show wg0 peers | grep -qxF '$K2'"
	refused 'a changed key at deploy' w deploy
	check_has 'j. the other hosts are deployed' "$(result_line n3)" 'n3: changed (1 step)'
	check 'j. really' lab_on h3 "wg show wg0 peers | grep -qxF '$K2'"
	refused 'a changed key, new ones accepted' w deploy -accept-new-host-keys
	e2e_edit 'del(.nodes.n2.ssh_host_keys)'
	lab_keys >"$LAB_DIR/home/.ssh/known_hosts"
	refused 'a key that is not the one of known_hosts' w deploy -accept-new-host-keys
	: >"$LAB_DIR/home/.ssh/known_hosts"
	pin_anew
	check_status 'j. after the new key is pinned the host is mended' 0 w deploy
	check 'j. really, on the host' lab_on h2 "wg show wg0 peers | grep -qxF '$K3'"
}

# A host whose key nothing vouches for.
test_unknown_key() {
	local before logins
	e2e_edit 'del(.nodes.n1.ssh_host_keys)'
	before=$(snapshot h1) logins=$(logins h1)
	check_status 'j. a key that nothing vouches for is refused at plan' 3 w plan
	check_status 'j. and at deploy' 3 w deploy
	check_has 'j. with its fingerprint' "$(result_line n1)" "$(new_fingerprint h1)"
	check_equal 'j. nobody logged in there' "$logins" "$(logins h1)"
	check_same 'j. nothing was changed there' "$before" "$(snapshot h1)"
	check_equal 'j. nor pinned' null "$(jq -c .nodes.n1.ssh_host_keys "$S")"
	check_status 'j. -accept-new-host-keys takes it' 0 w deploy -accept-new-host-keys
	check_equal 'j. and pins it' "$(cut -d' ' -f1,2 "$LAB_DIR/hosts/h1/key/id.pub")" "$(jq -r '.nodes.n1.ssh_host_keys[]' "$S")"
	check_status 'j. so that the next time is fine' 0 w deploy
}

# The keys of known_hosts alone, and the pinned ones alone in another home: a CI runner's.
test_known_key() {
	e2e_edit 'del(.nodes[].ssh_host_keys)'
	# shellcheck disable=SC2016
	{ lab_keys | grep -v '^198.51.100.12,'; lab_on h2 'echo "198.51.100.12 $(cat /etc/ssh/ssh_host_ed25519_key.pub)"'; } \
		>"$LAB_DIR/home/.ssh/known_hosts"
	check_status 'j. known_hosts alone will do for plan' 0 w plan
	check_equal 'j. which pins nothing' 0 "$(jq '[.nodes[].ssh_host_keys // empty] | length' "$S")"
	check_status 'j. and for deploy' 0 w deploy
	check_equal 'j. which pins what it knows' 4 "$(jq '[.nodes[].ssh_host_keys[]] | length' "$S")"
	: >"$LAB_DIR/home/.ssh/known_hosts"
	cp "$S" "$LAB_DIR/home/checkout.json"
	check_status 'j. a fresh checkout with an empty known_hosts is fine' 0 env S="$LAB_DIR/home/checkout.json" \
		bash -c "$(declare -f lab_ctl_exec lab_ctl w_exec w); WGMESH='$WGMESH'; w plan --exit-code"
}

e2e_start
lab_boot h1 h2 h3 h4
e2e_mesh 4
check_status 'h. before: four hosts are deployed' 0 w deploy
check 'h. before: everybody reaches everybody' all_ping 4
test_dead
test_drift
test_changed_key
test_unknown_key
test_known_key
finish
