#!/bin/bash
# End to end on real hosts: the first deploy (a), the second (b), a host more (c), a host less (d).

# shellcheck source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"

# ---- a: the first deploy ----

# Prints the private keys of the mesh, one a line.
private_keys() { jq -r '.nodes[].private_key' "$S"; }

# Prints the files of the host $1 that were written since its mark and have one of the keys in the file $2 in them, but for the boot file.
leaks_in_files() {
	lab_on "$1" 'cat >/root/keys; find / /run /tmp /dev/shm -xdev -type f -newer /root/mark ! -name keys ! -path /etc/wireguard/wg0.conf \
		-exec grep -aFl -f /root/keys {} +; rm /root/keys' <"$2"
}

# Prints where else the host $1 shows one of the keys in the file $2: its journal, its processes.
leaks_elsewhere() {
	# shellcheck disable=SC2016
	lab_on "$1" 'keys=$(cat); journalctl --sync; journalctl -q --no-pager -o export | grep -aF "$keys"
		grep -aFl "$keys" /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null' <"$2" | grep -av "^/proc/self/"
}

# The private keys stand in the boot files and nowhere else.
check_no_leak() {
	local h
	private_keys >"$LAB_DIR/keys"
	check_equal 'a: there is a private key for each node' 4 "$(grep -c '^[A-Za-z0-9+/]\{43\}=$' "$LAB_DIR/keys")"
	check 'a: the record of programs is there' grep -q SSH_CONNECTION= "$LAB_DIR/audit.h1"
	check_not 'a: no key in an argument or environment' grep -F -f "$LAB_DIR/keys" "$LAB_DIR/audit.h1"
	for h in $(hosts 4); do
		check_equal "a: $h: no key in another file" '' "$(leaks_in_files "$h" "$LAB_DIR/keys")"
		check_equal "a: $h: no key in journal and processes" '' "$(leaks_elsewhere "$h" "$LAB_DIR/keys")"
	done
}

# What the host $1 has after the first deploy.
check_deployed() {
	check_equal "a: $1: the unit is enabled" enabled "$(lab_on "$1" 'systemctl is-enabled wg-quick@wg0')"
	check_equal "a: $1: the unit is active" active "$(lab_on "$1" 'systemctl is-active wg-quick@wg0')"
	check_equal "a: $1: the boot file is root's alone" '600 root:root' "$(lab_on "$1" 'stat -c "%a %U:%G" /etc/wireguard/wg0.conf')"
	check_has "a: $1: the boot file starts with the marker" "$(lab_on "$1" 'head -n 1 /etc/wireguard/wg0.conf')" \
		"# managed by wgmesh, mesh $(w list --json | jq -r .mesh_id), serial "
	check_equal "a: $1: no other file is left there" wg0.conf "$(lab_on "$1" 'ls -A /etc/wireguard')"
	check_equal "a: $1: has the 3 others as peers" "$(other_keys "n${1#h}")" "$(peers_of "$1")"
	check_equal "a: $1: runs with its key" "$(key_of "n${1#h}")" "$(lab_on "$1" 'wg show wg0 public-key')"
}

# Prints the public keys of all nodes but $1, sorted.
other_keys() { w list --json | jq -r --arg n "$1" '.nodes[] | select(.name != $n) | .public_key' | sort; }

# Keeps a record of what "ip" is asked on the host $1, in /root/ip; ip_watch_end ends it.
ip_watch() {
	# shellcheck disable=SC2016
	lab_on "$1" 'mv /usr/bin/ip /usr/bin/ip.real && printf "%s\n" "#!/bin/sh" "echo \"\$*\" >>/root/ip" "exec /usr/bin/ip.real \"\$@\"" >/usr/bin/ip &&
		chmod 755 /usr/bin/ip'
}

ip_watch_end() { lab_on "$1" 'mv /usr/bin/ip.real /usr/bin/ip'; }

# Prints the MTU that the interface of the host $1 has, and the one of its boot file.
mtus() { lab_on "$1" 'cat /sys/class/net/wg0/mtu; sed -n "s/^MTU = //p" /etc/wireguard/wg0.conf' | paste -sd' '; }

# The MTU: what the card leaves, in the boot file too, where wg-quick takes it from.
check_mtus() {
	check_equal 'a: h1: the MTU is what its card leaves' '1420 1420' "$(mtus h1)"
	check_equal 'a: h2: the MTU is what its smaller card leaves' '1320 1320' "$(mtus h2)"
	check_has 'a: h3: what wg-quick asked is on record' "$(lab_on h3 'cat /root/ip')" 'link set mtu 1420 up dev wg0'
	check_not 'a: h3: it did not look for the way to any peer' lab_on h3 'grep "route get" /root/ip'
	check 'a: h3 is watched no more' ip_watch_end h3
}

# The first deploy.
test_a() {
	local h
	e2e_mesh 4
	check 'a: h2 has a card with a smaller MTU' lab_on h2 'ip link set host0 mtu 1400'
	check 'a: h3 is watched' ip_watch h3
	for h in $(hosts 4); do lab_on "$h" 'touch /root/mark'; done
	check 'a: a host is watched' audit_start h1
	check_status 'a: the first deploy' 0 w deploy
	audit_stop h1
	check 'a: every pair pings over IPv4 and IPv6' all_ping 4
	for h in $(hosts 4); do check_deployed "$h"; done
	check_mtus
	check_no_leak
	check_equal 'a: the state file is its owner'\''s alone' 600 "$(stat -c %a "$S")"
}

# ---- b: the second deploy ----

# Prints for the hosts $@ how often sshd has let somebody in, and how often somebody left before that.
all_logins() {
	local h
	for h; do echo "$h $(logins "$h") $(lab_log "$h" | grep -c preauth)"; done
}

# Prints what all_logins prints after one more login everywhere.
one_more() { awk '{ print $1, $2 + 1, $3 }'; }

# The second deploy and a plan: nothing to do, nothing done.
test_b() {
	local all before count h
	all=$(hosts 4)
	# shellcheck disable=SC2086
	before=$(snapshots $all) count=$(all_logins $all)
	for h in $all; do check "b: $h is watched" audit_start "$h"; done
	check_status 'b: the second deploy' 0 w deploy
	check_has 'b: it has no steps' "$OUT" 'Plan: 0 steps on 0 hosts, 4 unchanged'
	check_has 'b: all hosts are unchanged' "$OUT" 'Deploy: 0 changed, 4 unchanged'
	for h in $all; do
		audit_stop "$h"
		check_has "b: $h: what it was asked is on record" "$(audit_programs "$h")" '["wg", "show", "wg0", "dump"]'
		check_equal "b: $h: ran no program that changes something" '' "$(audit_changes "$h")"
	done
	# shellcheck disable=SC2086
	check_equal 'b: one login for each host' "$(one_more <<<"$count")" "$(all_logins $all)"
	check_status 'b: plan --exit-code' 0 w plan --exit-code
	# shellcheck disable=SC2086
	check_equal 'b: one login for each host, for the plan' "$(one_more <<<"$count" | one_more)" "$(all_logins $all)"
	# shellcheck disable=SC2086
	check_same 'b: nothing has changed on any host' "$before" "$(snapshots $all)"
}

# An MTU that the user says wins, until it is said no more.
test_b_mtu() {
	e2e_quiet w set n2 mtu=1350
	check_status 'b: deploy with an MTU said' 0 w deploy
	check_equal 'b: h2 has it' '1350 1350' "$(mtus h2)"
	check_equal 'b: nobody else' '1420 1420' "$(mtus h1)"
	e2e_quiet w unset n2 mtu
	check_status 'b: deploy with none said' 0 w deploy
	check_equal 'b: h2 has what its card leaves' '1320 1320' "$(mtus h2)"
	check_status 'b: nothing is left to do' 0 w plan --exit-code
}

# ---- c: a host more ----

# Prints, of the plan in OUT, each node with its steps.
planned() { jq -r '.hosts[] | "\(.node): \([.steps[].step] | join(" "))"' <<<"$OUT"; }

# The fifth host: its plan, then the deploy, watched on the others.
test_c() {
	local h before=() counters=()
	check 'c: a fifth host boots' lab_boot h5
	e2e_add 5
	all_ping 4 >/dev/null
	for h in 1 2 3 4; do before[h]=$(snapshot "h$h") counters[h]=$(wg_counters "h$h"); done
	check_status 'c: plan --json' 0 w plan --json
	check_equal 'c: the plan is a peer and a boot file for each old host' "$(printf '%s\n' n{1..4}': add_peer write_boot_file' \
		'n5: write_boot_file enable_unit bring_up')" "$(planned)"
	check 'c: a stream of pings from h1 to h2' stream_start h1 10.99.0.2
	check 'c: a stream of pings from h3 to h4, over IPv6' stream_start h3 fd99::4
	check 'c: an old host is watched' audit_start h2
	check_status 'c: deploy' 0 w deploy
	audit_stop h2
	check_equal 'c: the stream over IPv4 has lost nothing' complete "$(stream_stop h1)"
	check_equal 'c: the stream over IPv6 has lost nothing' complete "$(stream_stop h3)"
	check_equal 'c: one "wg set" on h2, and nothing by "ip" or "systemctl"' 1 "$(audit_changes h2 | grep -E -c '^\["(wg|ip|systemctl|wg-quick)"')"
	for h in 1 2 3 4; do check_one_more_peer "$h" "${before[h]}" "${counters[h]}"; done
	check 'c: every pair pings, the new host included' all_ping 5
	check_status 'c: nothing is left to do' 0 w plan --exit-code
}

# The host h$1 has got n5 and a new boot file since the snapshot $2 and the counters $3, and nothing else.
check_one_more_peer() {
	local new now
	new="> wg0 $(key_of n5) $(lab_ip h5):51820 10.99.0.5/32,fd99::5/128 off"
	now=$(diff <(echo "$2") <(snapshot "h$1") | grep '^[<>]' | sed -E 's/(boot file|wg0.conf|wireguard) [0-9]+ .*/\1/; s/[0-9a-f]{64}/HASH/')
	check_equal "c: h$1: a peer and the boot file, nothing else" "$(printf '%s\n' "$new" '< HASH  -' '> HASH  -' \
		'< /etc/wireguard' '< /etc/wireguard/wg0.conf' '> /etc/wireguard' '> /etc/wireguard/wg0.conf')" "$now"
	check_equal "c: h$1: its other peers were left alone" '' "$(restarted "$3" "$(wg_counters "h$1")")"
}

# ---- d: a host less ----

# Prints the names of the nodes that are removed, but still on their hosts.
tombstones() { w list --json | jq -r '.removed[].name'; }

# Nothing of the mesh is on the host $1.
check_clean() {
	# shellcheck disable=SC2016
	check_equal "d: $1: interface, unit and files are gone" '' "$(lab_on "$1" 'wg show interfaces; ls -d /sys/class/net/wg0 2>/dev/null
		ls -A /etc/wireguard; ls /etc/sysctl.d | grep wgmesh; ls /etc/systemd/system/multi-user.target.wants | grep wg-quick
		pgrep -a wireguard; ip route | grep wg0')"
	check_not "d: $1: the unit is not enabled" lab_on "$1" 'systemctl is-enabled wg-quick@wg0'
	check_not "d: $1: the unit is not active or failed" lab_on "$1" 'systemctl is-active wg-quick@wg0 || systemctl is-failed wg-quick@wg0'
}

# The key $1 is no peer on the hosts after it.
check_nobodys_peer() {
	local key=$1 h
	shift
	for h; do
		case $(peers_of "$h") in
		*"$key"*) flunk "d: $h: the removed peer is gone" ;;
		*) pass "d: $h: the removed peer is gone" ;;
		esac
		check_not "d: $h: gone from the boot file" lab_on "$h" "grep -F '$key' /etc/wireguard/wg0.conf"
	done
}

# A host that forwards is removed; without a yes nothing happens there.
test_d_removed() {
	local key before
	check 'd: h5 has a network behind it' lab_lan h5 192.168.50.0/24
	e2e_edit '.nodes.n5.routable_networks = ["192.168.50.0/24"]'
	check_status 'd: deploy with the network' 0 w deploy
	check 'd: h5 forwards' lab_on h5 'ls /etc/sysctl.d/90-wgmesh-wg0.conf && grep -x 1 /proc/sys/net/ipv4/ip_forward'
	check 'd: h1 reaches the network behind h5' can_ping h1 192.168.50.2
	key=$(key_of n5)
	check_status 'd: remove' 0 w -remove n5
	check_equal 'd: list shows it as removed' n5 "$(tombstones)"
	before=$(snapshot h5)
	check_status 'd: deploy without a yes and without a terminal' 3 w deploy
	check_has 'd: it says what it wants' "$OUT" '-yes'
	check_same 'd: that host is as it was' "$before" "$(snapshot h5)"
	check_nobodys_peer "$key" h1 h2 h3 h4
	check_equal 'd: list still shows it' n5 "$(tombstones)"
	check_status 'd: deploy -yes' 0 w deploy -yes
	check_clean h5
	check_equal 'd: h5 no longer forwards' 0 "$(lab_on h5 'cat /proc/sys/net/ipv4/ip_forward')"
	check 'd: h5 still has its LAN' lab_on h5 'ip route | grep "^192.168.50.0/24 dev lan0"'
	check_nobodys_peer "$key" h1 h2 h3 h4
	check_equal 'd: its network is routed nowhere' '' "$(for h in $(hosts 4); do lab_on "$h" 'ip route | grep 192.168.50'; done)"
	check_equal 'd: list has forgotten it' '' "$(tombstones)"
	check_status 'd: nothing is left to do' 0 w plan --exit-code
	check 'd: the others still ping' all_ping 4
}

# The same with the host powered off.
test_d_off() {
	local key
	key=$(key_of n4)
	check 'd: h4 is powered off' lab_poweroff h4
	check_status 'd: remove n4' 0 w -remove n4
	check_status 'd: deploy while h4 is off' 3 w deploy -yes -timeout 3
	check_has 'd: it names the host' "$OUT" 'n4: unreachable'
	check_nobodys_peer "$key" h1 h2 h3
	check_equal 'd: list still shows n4' n4 "$(tombstones)"
	check 'd: h4 is back' lab_up h4
	check 'd: with its interface' until_true "$E2E_PATIENCE" lab_on h4 'wg show wg0'
	check_status 'd: the next deploy -yes' 0 w deploy -yes
	check_clean h4
	check_equal 'd: list has forgotten n4' '' "$(tombstones)"
	check_status 'd: nothing at all is left to do' 0 w plan --exit-code
	check 'd: the last three still ping' all_ping 3
}

e2e_start
check 'four hosts boot' lab_boot h1 h2 h3 h4
test_a
test_b
test_b_mtu
test_c
test_d_removed
test_d_off
finish
