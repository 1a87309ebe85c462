#!/bin/bash
# End to end on real hosts: networks behind nodes move and go (e), a node's port, addresses and key change (f), all hosts
# reboot (g); and a deploy that is killed halfway.

# Functions run as the command of a case, and texts in single quotes on a host:
# shellcheck disable=SC2016,SC2317 source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"

# ---- what the hosts report ----

# Starts to record all changes of routes on the hosts $@.
routes_watch() {
	local h
	for h; do
		lab_on "$h" 'setsid ip monitor route >/root/routes 2>&1 </dev/null & echo $! >/root/routes.pid'
		until_true "$E2E_PATIENCE" routes_mark "$h" 203.0.113.1 || return
	done
}

# Makes and deletes a route on the host $1 that must turn up in its record.
routes_mark() {
	lab_on "$1" "ip route add $2 dev lo && ip route del $2 dev lo; grep -q '^Deleted $2 ' /root/routes"
}

# Ends the record of the host $1 and prints it, sorted, without tag and interface: each line a route that was set or deleted.
routes_changed() {
	until_true "$E2E_PATIENCE" routes_mark "$1" 203.0.113.2
	# shellcheck disable=SC2016
	lab_on "$1" 'kill $(cat /root/routes.pid); grep -v -e 203.0.113 -e fe80: /root/routes' |
		sed -E 's/ proto (119|wgmesh)//; s/ metric 1024 pref medium//; s/ *$//' | sort
}

# Prints the route to $2 that the host $1 uses for the mesh, if any.
mesh_route() { lab_on "$1" "ip $(family "$2") route show $2 dev wg0" | sed 's/ metric.*//; s/ *$//'; }

# Prints the route to $2 that the host $1 has by its own LAN card.
lan_route() { lab_on "$1" "ip $(family "$2") route show $2 dev lan0" | sed 's/ metric.*//; s/ *$//'; }

# Prints the option of `ip` for the family of the network $1.
family() { case $1 in *:*) echo -6 ;; *) echo -4 ;; esac; }

# Prints whether the host $1 forwards, version 4 and 6, and whether it has our file for that.
forwarding() {
	lab_on "$1" 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
		[ -e /etc/sysctl.d/90-wgmesh-wg0.conf ] && echo file || echo none' | tr '\n' ' '
}

# Prints how every interface of the host $1 treats router advertisements.
accept_ra() { lab_on "$1" 'grep . /proc/sys/net/ipv6/conf/*/accept_ra'; }

# Prints the life of the interface on the host $1: its number, and the unit's since when it is active.
life() { lab_on "$1" 'cat /sys/class/net/wg0/ifindex; systemctl show wg-quick@wg0 -p ActiveEnterTimestampMonotonic -p InvocationID -p NRestarts'; }

# Deploys what is new in the state, and nothing is left to do then.
check_deploy() {
	check_status "$1: deploy" 0 w deploy
	check_status "$1: nothing is left to do" 0 w plan --exit-code
}

# ---- e: networks behind nodes ----

# LANs behind three hosts; the third forwards IPv4 already, and takes router advertisements.
e_lans() {
	lab_lan h1 192.168.10.0/24 && lab_lan h2 192.168.20.0/24 && lab_lan h3 fd00:30::/64 &&
		lab_on h3 'echo net.ipv4.ip_forward=1 >/etc/sysctl.d/10-admin.conf; sysctl -q -p /etc/sysctl.d/10-admin.conf
			echo 1 >/proc/sys/net/ipv6/conf/host0/accept_ra'
}

# Tells the mesh of them: n1 (with two more), n2 and n3.
e_networks() {
	e2e_edit '.nodes.n1.routable_networks = ["192.168.10.0/24", "172.20.1.0/24", "fd00:172::/64"]
		| .nodes.n2.routable_networks = ["192.168.20.0/24"] | .nodes.n3.routable_networks = ["fd00:30::/64"]'
}

# Hosts and stations reach the stations behind the others.
check_stations() {
	check "$1: h2 reaches the station behind h1" can_ping h2 192.168.10.2
	check "$1: h4 reaches the station behind h1" can_ping h4 192.168.10.2
	check "$1: h4 reaches the station behind h2" can_ping h4 192.168.20.2
	check "$1: h1 reaches the station behind h3" can_ping h1 fd00:30::2
	check "$1: station reaches station" until_true "$E2E_PATIENCE" lab_lan_on h2 ping -n -c 1 -W 1 192.168.10.2
}

# Networks appear.
test_e_first() {
	local h3_ra
	check 'e: networks behind three hosts' e_lans
	check_deploy 'e: the mesh without them'
	E_RA=$(accept_ra h3)
	h3_ra=$(grep -c ':1$' <<<"$E_RA")
	check 'e: h3 takes router advertisements' test "$h3_ra" -gt 0
	e_networks
	check_deploy 'e: networks'
	check_stations 'e: networks'
	check_equal 'e: h1 forwards both' '1 1 file ' "$(forwarding h1)"
	check_equal 'e: h2 forwards version 4' '1 0 file ' "$(forwarding h2)"
	check_equal 'e: h3 forwards version 6, and 4 as before' '1 1 file ' "$(forwarding h3)"
	check_equal 'e: h4 does not forward' '0 0 none ' "$(forwarding h4)"
	check_equal 'e: no interface of h3 loses its router advertisements' "$h3_ra" "$(accept_ra h3 | grep -c ':2$')"
	check_equal 'e: h1 keeps its own network' '192.168.10.0/24 proto kernel scope link src 192.168.10.1' "$(lan_route h1 192.168.10.0/24)"
	check_equal 'e: and does not route it into the mesh' '' "$(mesh_route h1 192.168.10.0/24)"
	check_equal 'e: h2 routes with the tag' '192.168.10.0/24 via 10.99.0.1 proto 119' "$(mesh_route h2 192.168.10.0/24)"
	check_equal 'e: h2 routes version 6 with the tag' 'fd00:30::/64 via fd99::3 proto 119' "$(mesh_route h2 fd00:30::/64)"
}

# The network 192.168.10.0/24 moves from behind n1 to behind n4.
test_e_move() {
	local before h
	check 'e: the LAN moves from h1 to h4' eval 'lab_on h1 "ip link del lan0" && rm "$LAB_DIR/hosts/h1/lan" && lab_lan h4 192.168.10.0/24'
	e2e_edit '.nodes.n1.routable_networks -= ["192.168.10.0/24"] | .nodes.n4.routable_networks = ["192.168.10.0/24"]'
	before=$(life h2)
	check 'e: all routes are watched' routes_watch h1 h2 h3 h4
	check_deploy 'e: move'
	check_equal 'e: move: h1 gets this one route' '192.168.10.0/24 via 10.99.0.4 dev wg0' "$(routes_changed h1)"
	for h in h2 h3; do
		check_equal "e: move: $h changes this one route" '192.168.10.0/24 via 10.99.0.4 dev wg0' "$(routes_changed "$h")"
	done
	check_equal 'e: move: h4 loses this one route' 'Deleted 192.168.10.0/24 via 10.99.0.1 dev wg0' "$(routes_changed h4)"
	check_equal 'e: move: h4 keeps its LAN' '192.168.10.0/24 proto kernel scope link src 192.168.10.1' "$(lan_route h4 192.168.10.0/24)"
	check_equal 'e: move: h4 forwards now' '1 0 file ' "$(forwarding h4)"
	check_equal 'e: move: h1 still forwards for the rest' '1 1 file ' "$(forwarding h1)"
	check_equal 'e: move: no restart' "$before" "$(life h2)"
	for h in h1 h2 h3; do check "e: move: $h reaches the station behind h4" can_ping "$h" 192.168.10.2; done
	check 'e: move: station reaches station' until_true "$E2E_PATIENCE" lab_lan_on h2 ping -n -c 1 -W 1 192.168.10.2
	check 'e: move: the others are reached as before' can_ping h4 192.168.20.2
}

# The networks behind n2 and then n3 are withdrawn.
test_e_withdraw() {
	local h
	e2e_edit 'del(.nodes.n2.routable_networks)'
	check 'e: all routes are watched again' routes_watch h1 h2 h3 h4
	check_deploy 'e: withdraw'
	for h in h1 h3 h4; do
		check_equal "e: withdraw: $h loses this one route" 'Deleted 192.168.20.0/24 via 10.99.0.2 dev wg0' "$(routes_changed "$h")"
		check "e: withdraw: $h no longer reaches it" cannot_ping "$h" 192.168.20.2
	done
	check_equal 'e: withdraw: h2 changes no route' '' "$(routes_changed h2)"
	check_equal 'e: withdraw: h2 keeps its LAN' '192.168.20.0/24 proto kernel scope link src 192.168.20.1' "$(lan_route h2 192.168.20.0/24)"
	check 'e: withdraw: h2 reaches its station' can_ping h2 192.168.20.2
	check_equal 'e: withdraw: h2 forwards no more' '0 0 none ' "$(forwarding h2)"
	check 'e: withdraw: the others are reached as before' can_ping h2 192.168.10.2
	e2e_edit 'del(.nodes.n3.routable_networks)'
	check_deploy 'e: withdraw version 6'
	check_equal 'e: h3 forwards what it forwarded before' '1 0 none ' "$(forwarding h3)"
	check_equal 'e: h3 treats router advertisements as before' "$E_RA" "$(accept_ra h3)"
	check_equal 'e: h1 has no route to it' '' "$(mesh_route h1 fd00:30::/64)"
}

# ---- f: a node's port, addresses and key ----

# Tries one change of n4, named $1: the jq program $2; afterwards n4 has the port $3, the addresses $4 and $5.
f_change() {
	local name=$1 h lives=() counters=() h4
	all_ping 3 >/dev/null
	for h in 1 2 3 4; do lives[h]=$(life "h$h") counters[h]=$(wg_counters "h$h" | grep -vF "$(key_of n4)"); done
	e2e_edit "$2"
	check "f: $name: a stream of pings from h1 to h2" stream_start h1 10.99.0.2
	check_deploy "f: $name"
	check_equal "f: $name: the stream has lost nothing" complete "$(stream_stop h1)"
	for h in 1 2 3 4; do check_equal "f: $name: h$h: no restart" "${lives[h]}" "$(life "h$h")"; done
	for h in 1 2 3; do
		check_equal "f: $name: h$h: the other peers were left alone" '' "$(restarted "${counters[h]}" "$(wg_counters "h$h")")"
		check_f_other "$name" "h$h" "$3" "$4" "$5"
	done
	check_equal "f: $name: h4: port and key" "$3 $(key_of n4)" "$(lab_on h4 'echo $(wg show wg0 listen-port) $(wg show wg0 public-key)')"
	h4=$(lab_on h4 'ip -o addr show dev wg0' | awk '!/fe80:/ { print $4 }' | tr '\n' ' ')
	check_equal "f: $name: h4: its addresses" "$4/16 $5/64 " "$h4"
	check_equal "f: $name: h4: its routes" "172.20.1.0/24 via 10.99.0.1 proto 119, fd00:172::/64 via fd99::1 proto 119" \
		"$(mesh_route h4 172.20.1.0/24), $(mesh_route h4 fd00:172::/64)"
	check "f: $name: h4 reaches h1" can_ping h4 10.99.0.1
	check "f: $name: h4 reaches h2 over IPv6" can_ping h4 fd99::2
}

# What the host $2 has of n4 after the change $1: its port $3, its addresses $4 and $5.
check_f_other() {
	check_equal "f: $1: $2: the peer" "$(lab_ip h4):$3 $(printf '%s\n' "$4/32" "$5/128" 192.168.10.0/24 | sort | tr '\n' ' ')" \
		"$(peer_on "$2" "$(key_of n4)")"
	check_equal "f: $1: $2: 3 peers" 3 "$(peers_of "$2" | wc -l)"
	check_equal "f: $1: $2: the route by n4" "192.168.10.0/24 via $4 proto 119" "$(mesh_route "$2" 192.168.10.0/24)"
	check "f: $1: $2 reaches n4" can_ping "$2" "$4"
	check "f: $1: $2 reaches n4 over IPv6" can_ping "$2" "$5"
	check "f: $1: $2 reaches the station behind n4" can_ping "$2" 192.168.10.2
}

# Prints a jq program that gives the node $1 a new key pair.
new_key() {
	local key
	key=$(lab_on h1 'wg genkey')
	printf '.nodes.%s.private_key = "%s" | .nodes.%s.public_key = "%s"' "$1" "$key" "$1" "$(lab_on h1 'wg pubkey' <<<"$key")"
}

# One after the other, then all at once, and back.
test_f() {
	f_change port '.nodes.n4.listen_port = 51900' 51900 10.99.0.4 fd99::4
	f_change addresses '.nodes.n4.mesh_ip = "10.99.0.44" | .nodes.n4.mesh_ip6 = "fd99::44"' 51900 10.99.0.44 fd99::44
	check 'f: addresses: the old one is gone' cannot_ping h1 10.99.0.4
	check 'f: addresses: the old one of version 6 is gone' cannot_ping h1 fd99::4
	f_change key "$(new_key n4)" 51900 10.99.0.44 fd99::44
	f_change all ".nodes.n4.listen_port = 51820 | .nodes.n4.mesh_ip = \"10.99.0.4\" | .nodes.n4.mesh_ip6 = \"fd99::4\" | $(new_key n4)" \
		51820 10.99.0.4 fd99::4
}

# ---- g: all hosts reboot ----

# Networks and forwarding are still in place from e.
test_g() {
	local h before=()
	for h in 1 2 3 4; do before[h]=$(settings "h$h"); done
	check 'g: h1 to h4 reboot' lab_reboot h1 h2 h3 h4
	for h in 1 2 3 4; do
		check "g: h$h: the interface comes up by itself" until_true "$E2E_PATIENCE" lab_on "h$h" 'systemctl is-active wg-quick@wg0'
	done
	check_status 'g: plan is empty' 0 w plan --exit-code
	check_has 'g: it says so' "$OUT" 'Plan: 0 steps on 0 hosts, 4 unchanged'
	for h in 1 2 3 4; do check_same "g: h$h: all is as before" "${before[h]}" "$(settings "h$h")"; done
	check 'g: every pair pings' all_ping 4
	for h in h1 h2 h3; do check "g: $h reaches the station behind h4" can_ping "$h" 192.168.10.2; done
}

# ---- what plan -script prints is what runs ----

# Notes on the host $1 what its sh is told: the text of the probe, and what comes for the shell behind it.
sh_watch() {
	lab_on "$1" 'rm -f /root/probe /root/script; cat >/usr/local/bin/sh && chmod 755 /usr/local/bin/sh' <<-'END'
		#!/bin/dash
		[ $# = 0 ] && { tee /root/script | /bin/sh; exit; }
		[ "$1 $3" != "-c sh" ] || (shift 3 && printf %b "$@" >/root/probe)
		exec /bin/sh "$@"
	END
}

# Prints the probe that $OUT has.
printed_probe() { sed -e '0,/^# n4: the probe/d' -e '/^# n4: the script/,$d' <<<"$OUT"; }

# Prints standard input with the nonce and the process of one run replaced.
of_any_run() { sed -E "s/$(grep -o -m 1 'NONCE=[0-9a-f]*' <<<"$1" | cut -d= -f2)/NONCE/g; s/, pid [0-9]+/, pid PID/"; }

# Tells whether all of a script has come to the host $1.
script_noted() { lab_on "$1" 'tail -n 1 /root/script | grep -qx main'; }

# Another key and port for n4: printed first, then deployed, and noted there.
test_script() {
	local key sent printed state
	e2e_edit "$(new_key n4) | .nodes.n4.listen_port = 51999"
	key=$(jq -r .nodes.n4.private_key "$S")
	state=$(sha256sum "$S")
	check_status 'script: it is printed' 0 w plan -script n4
	check_equal 'script: the state is as it was' "$state" "$(sha256sum "$S")"
	check 'script: no key is in it' test -z "$(grep -F -e "$key" <<<"$OUT")"
	check_equal 'script: it stands twice for the key' 2 "$(grep -c '(hidden)$' <<<"$OUT")"
	printed=$OUT
	check 'script: the shell of h4 is watched' sh_watch h4
	check_status 'script: deploy' 0 w deploy n4
	check 'script: all of it was noted' until_true "$E2E_PATIENCE" script_noted h4
	sent=$(lab_on h4 'cat /root/probe')
	OUT=$printed
	check_same 'script: the probe that ran is the one that was printed' \
		"$(of_any_run "$sent" <<<"$sent")" "$(printed_probe | of_any_run "$printed")"
	sent=$(lab_on h4 'cat /root/script; rm /usr/local/bin/sh')
	check_same 'script: with the key it is what ran' "$(of_any_run "$sent" <<<"$sent" | sed '1{/^:$/d}')" \
		"$(sed -e '0,/^# n4: the script/d' -e "s|(hidden)\$|$key|" <<<"$printed" | sed '1{/^:$/d}' | of_any_run "$printed")"
	check_equal 'script: h4 has the port' 51999 "$(lab_on h4 'wg show wg0 listen-port')"
	e2e_edit '.nodes.n4.listen_port = 51820'
	check_deploy 'script: all of them'
}

# ---- all nodes are removed: the hosts are fresh again ----

# Removes the whole mesh.
test_end() {
	local h
	for h in 1 2 3 4; do e2e_quiet w -remove "n$h"; done
	check_status "$1: all nodes are removed" 0 w deploy -yes
	for h in $(hosts 4); do
		check_equal "$1: $h: nothing is left" '' "$(lab_on "$h" 'wg show interfaces; ls -A /etc/wireguard; ls /etc/sysctl.d | grep wgmesh')"
	done
}

# ---- a deploy that is killed ----

# Makes the first change on the host $1 stand still until `stall_end`, so that no deploy ends before: "wg set" of our script, and
# the start of the unit (wg-quick would not take this "wg").
stall() {
	lab_on "$1" 'rm -rf /run/stalled /run/go; cat >/usr/local/sbin/wg && chmod 755 /usr/local/sbin/wg
		mkdir -p /run/systemd/system/wg-quick@.service.d
		printf "[Service]\nExecStartPre=/usr/local/sbin/wg set\n" >/run/systemd/system/wg-quick@.service.d/stall.conf
		systemctl daemon-reload' <<-'END'
		#!/bin/sh
		if [ "$1" = set ] && [ ! -e /run/go ] && mkdir /run/stalled; then
			ps -o sid= -p $$ >/run/stalled/sid
			until [ -e /run/go ]; do sleep 0.05; done
		fi
		[ "$*" = set ] || exec /usr/bin/wg "$@"
	END
}

# Lets the host $1 go on.
stall_end() { lab_on "$1" 'touch /run/go; rm -r /run/systemd/system/wg-quick@.service.d; systemctl daemon-reload; rm /usr/local/sbin/wg'; }

# Deploys, and kills the program once the command after the name succeeds; then the next deploy, at once, must put it right.
kill_when() {
	local name=$1 pid rc=0
	shift
	stall h4
	w_exec deploy >"$LAB_DIR/killed.out" 2>&1 &
	pid=$!
	until_true "$E2E_PATIENCE" killed_or "$pid" "$@"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null || rc=$?
	stall_end h4
	check_equal "kill: $name: in the middle" 137 "$rc"
	check "kill: $name: the state is good" jq -e '.nodes | length == 4' "$S"
	check_status "kill: $name: and list reads it" 0 w list
	check_status "kill: $name: the next deploy" 0 w deploy
	check_status "kill: $name: nothing is left to do" 0 w plan --exit-code
	check "kill: $name: every pair pings" all_ping 4
	check_equal "kill: $name: nothing is left behind" '' "$(for h in $(hosts 4); do lab_on "$h" 'ls -A /etc/wireguard | grep -v -x wg0.conf'; done)"
}

# Tells whether the process $1 is gone, or the command after it succeeds.
killed_or() {
	! kill -0 "$1" || "${@:2}"
}

# Tells whether the host $1 has let in more than $2 logins.
more_logins() { [ "$(logins "$1")" -gt "$2" ]; }

# Tells whether the state file is a new one since the inode $1.
state_saved() { [ "$(stat -c %i "$S")" != "$1" ]; }

# Tells whether a file like $2 on the host $1 is another than $3.
other_file() { [ "$(lab_on "$1" "sha256sum $2")" != "$3" ]; }

# Tells whether the host $1 runs with another key than $2.
other_key() { [ "$(lab_on "$1" 'wg show wg0 public-key')" != "$2" ]; }

# Makes every host have much to do: another port everywhere, and other keys.
much_to_do() {
	local k
	e2e_edit ".listen_port = $1 | .nodes[].listen_port = $1"
	for k in 1 2 3 4; do e2e_edit "$(new_key "n$k")"; done
}

# Several moments of a first deploy; each time the hosts are fresh before.
test_kill_first() {
	e2e_mesh 4
	kill_when 'first, while probing' more_logins h1 "$(logins h1)"
	test_end 'kill: first, while probing'
	e2e_mesh 4
	kill_when 'first, when there is a boot file' lab_on h2 'test -s /etc/wireguard/wg0.conf'
	test_end 'kill: first, when there is a boot file'
	e2e_mesh 4
	kill_when 'first, when there is an interface' lab_on h3 'test -e /sys/class/net/wg0'
}

# Several moments of a deploy that changes what runs.
test_kill_later() {
	local boot='/etc/wireguard/wg0.conf'
	much_to_do 51001
	kill_when 'while probing' more_logins h4 "$(logins h4)"
	much_to_do 51002
	kill_when 'when the state is saved' state_saved "$(stat -c %i "$S")"
	much_to_do 51003
	kill_when 'when a key is changed' other_key h2 "$(lab_on h2 'wg show wg0 public-key')"
	much_to_do 51004
	kill_when 'when a boot file is written' other_file h3 "$boot" "$(lab_on h3 "sha256sum $boot")"
}

# Tells whether the script that stood still on the host $1 has come to its end.
script_over() {
	# shellcheck disable=SC2016
	lab_on "$1" 'test -z "$(ps -o pid= -s "$(tr -d " " </run/stalled/sid)")"'
}

# The script of a killed deploy stands still on h4, and goes on after a newer deploy: what that has reported as done must stay.
test_kill_stalled() {
	local pid
	much_to_do 51005
	stall h4
	w_exec deploy >"$LAB_DIR/killed.out" 2>&1 &
	pid=$!
	check 'kill: a script stands still on h4' until_true "$E2E_PATIENCE" lab_on h4 'test -s /run/stalled/sid'
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	much_to_do 51006
	try w deploy
	stall_end h4
	check 'kill: the script on h4 comes to its end' until_true "$E2E_PATIENCE" script_over h4
	if [ "$RC" = 0 ]; then
		check_status 'kill: a newer deploy is not undone by it' 0 w plan --exit-code
	else
		check_equal 'kill: a newer deploy says that h4 is not done' '3 n4: failed' "$RC $(grep -o '^n4: failed' <<<"$OUT" | tail -n 1)"
	fi
	check_deploy 'kill: after all'
	check_equal 'kill: h4 has the last port' 51006 "$(lab_on h4 'wg show wg0 listen-port')"
}

e2e_start
check 'four hosts boot' lab_boot h1 h2 h3 h4
e2e_mesh 4
test_e_first
test_e_move
test_e_withdraw
test_f
test_g
test_script
test_end end
test_kill_first
test_kill_later
test_kill_stalled
finish
