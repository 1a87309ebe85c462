#!/bin/bash
# End to end: hosts with a WireGuard interface made by hand become a mesh, and nobody notices. h1 and h2 have each other and an
# external peer, h3, which runs plain wg, has preshared keys with both and is never touched. h4 is empty.

# shellcheck source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"

# ---- as it was ----

# Makes the keys of the hosts $@, and what each pair of them shares.
make_keys() {
	local h
	for h; do lab_on "$h" 'umask 077; wg genkey >/root/key; wg pubkey </root/key'>"$LAB_DIR/$h.pub" || return; done
	for h in h1 h2; do (umask 077; head -c 32 /dev/urandom | base64 >"$LAB_DIR/$h.psk"); done
}

# Prints the public key of the host $1.
pub() { cat "$LAB_DIR/$1.pub"; }

# Gives h$1, by hand and as people write them, a boot file with the peers h$2 and h3, and starts it; the network behind h2 is
# 10.60.2.0/24, the one behind h3 10.60.3.0/24. $3 is more of the interface.
by_hand() {
	local behind=''
	[ "$2" != 2 ] || behind=',10.60.2.0/24'
	lab_on "h$1" 'umask 077; cat >/etc/wireguard/wg0.conf' <<-END
		# made by hand
		[Interface]
		PrivateKey = $(lab_on "h$1" 'cat /root/key')
		Address = 10.77.0.$1/24
		ListenPort=51900
		$3

		# the other one
		[Peer]
		PublicKey = $(pub "h$2")
		AllowedIPs = 10.77.0.$2/32$behind
		Endpoint = $(lab_ip "h$2"):51900

		[Peer]
		# bobs-laptop
		PublicKey = $(pub h3)
		PresharedKey = $(cat "$LAB_DIR/h$1.psk")
		AllowedIPs = 10.77.0.3/32, 10.60.3.0/24
		PersistentKeepalive = 15
	END
	lab_on "h$1" 'chmod 644 /etc/wireguard/wg0.conf; cp -p /etc/wireguard/wg0.conf /root/as-it-was; systemctl -q enable --now wg-quick@wg0'
}

# The external peer: no boot file, no unit. h1 and h2 do not know where it is: it calls them.
external() {
	local h
	lab_on h3 'ip link add wg7 type wireguard 2>/dev/null || WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go wireguard-go wg7
		wg set wg7 private-key /root/key listen-port 51777
		ip addr add 10.77.0.3/24 dev wg7; ip addr add 10.60.3.1/24 dev lo; ip link set wg7 up' || return
	for h in h1 h2; do
		lab_on h3 "umask 077; cat >/root/psk; wg set wg7 peer $(pub "$h") preshared-key /root/psk allowed-ips 10.77.0.${h#h}/32 \
			endpoint $(lab_ip "$h"):51900 persistent-keepalive 5" <"$LAB_DIR/$h.psk" || return
	done
}

# Everything is up, and everybody reaches everybody.
made_by_hand() {
	make_keys h1 h2 h3 || return
	by_hand 1 2 'PostUp = echo 1 >/run/up-by-hand' || return
	by_hand 2 1 'MTU = 1400' || return
	lab_on h2 'ip addr add 10.60.2.1/24 dev lo; echo 1 >/proc/sys/net/ipv4/ip_forward' || return
	external && can_ping h1 10.77.0.2 && can_ping h3 10.77.0.1 && can_ping h3 10.77.0.2 && can_ping h1 10.60.3.1 &&
		can_ping h1 10.60.2.1
}

# Prints what wg, ip and the files on h3 say, without what changes by itself.
external_settings() {
	lab_on h3 'wg show wg7 dump | cut -f 1-4,8 | sort; ip -o addr show dev wg7 | cut -d" " -f 1-8; ip route; ls -A /etc/wireguard'
	identity h3
}

# ---- import ----

# Prints what import must leave as it is on h1 and h2.
untouched() { snapshots h1 h2; }

# Prints one field of a node of the state: FIELD of NODE by jq.
state() { jq -c --arg n "$1" ".nodes[\$n]$2" "$S"; }

test_refused() {
	check_status 'import: an SSH key that nothing vouches for: exit 3' 3 w import "$(lab_ip h1)"
	check_has 'import: it says what to do' "$OUT" '-accept-new-host-keys'
	check_status 'import: an address in no network of the mesh: exit 2' 2 w import -accept-new-host-keys "$(lab_ip h1)"
	check_has 'import: it tells of init' "$OUT" "10.77.0.1/24 is in no network of the mesh: 'wgmesh init -network 10.77.0.0/24'"
	check_status 'import: a host without an interface: exit 3' 3 w import -accept-new-host-keys "$(lab_ip h4)"
	check_has 'import: it says so' "$OUT" 'there is no interface wg0'
	check_equal 'import: nothing is in the state' '{}' "$(jq -c .nodes "$S")"
}

test_import() {
	local before
	before=$(untouched)
	rm -f "$S"
	e2e_quiet w -init -network 10.77.0.0/24
	check_status 'import: a dry run' 0 w import -dry-run -accept-new-host-keys "$(lab_ip h1)"
	check_equal 'import: a dry run saves nothing' '{}' "$(jq -c .nodes "$S")"
	check_status 'import: the first host alone' 0 w import -accept-new-host-keys "n1=root@$(lab_ip h1)"
	check_equal 'import: both its peers are external' \
		"bobs-laptop 10.60.3.0/24,10.77.0.3/32 the-other-one 10.77.0.2/32,10.60.2.0/24" \
		"$(state n1 '.external_peers | sort_by(.name)[] | .name, (.allowed_ips | join(","))' | tr -d '"' | paste -sd' ' |
			sed 's/10.60.2.0\/24,10.77.0.2\/32/10.77.0.2\/32,10.60.2.0\/24/')"
	check_has 'import: what is not kept is named' "$OUT" 'says PostUp, which deploys do not keep'
	check_status 'import: both hosts' 0 w import -accept-new-host-keys "n1=$(lab_ip h1)" "$(lab_ip h2)"
	check_has 'import: the external peer that is a node now is one' "$OUT" "is the node 'h2' from now on"
	check_same 'import: nothing was changed on the hosts' "$before" "$(untouched)"
	check_status 'import: once more: nothing new' 0 w import "n1=$(lab_ip h1)" "$(lab_ip h2)"
	check_has 'import: it says so' "$OUT" 'nothing changes'
	test_state
}

# What import reads is secret: no private or preshared key stays in its memory.
test_memory() {
	{ lab_on h1 'cat /root/key'; cat "$LAB_DIR/h1.psk"; } >"$LAB_DIR/needles"
	S=$LAB_DIR/memory.json e2e_quiet w -init -network 10.77.0.0/24
	if ldd "$WGMESH" | grep -q asan; then
		skip 'import: no secret stays in memory' 'a sanitizer keeps what is freed'
		return
	fi
	try lab_ctl setsid -w "$(dirname "$WGMESH")/memscan" "$LAB_DIR/needles" "$WGMESH" import -state "$LAB_DIR/memory.json" \
		-accept-new-host-keys "$(lab_ip h1)" </dev/null
	check_equal 'import: no secret stays in memory' 0 "$RC"
	check 'import: (and it was read)' grep -qF "$(cat "$LAB_DIR/h1.psk")" "$LAB_DIR/memory.json"
}

# What the state has now.
test_state() {
	local n h
	for n in n1 h2; do
		h=h${n#?}
		check_equal "import: $n has its key" "\"$(pub "$h")\"" "$(state "$n" .public_key)"
		check_equal "import: $n has its private key" "$(lab_on "$h" 'cat /root/key')" "$(state "$n" .private_key | tr -d '"')"
		check_equal "import: $n has its address and port" '["10.77.0.'"${h#h}"'",51900]' "$(state "$n" '|[.mesh_ip,.listen_port]')"
		check_equal "import: $n has one external peer, with its preshared key" \
			"[[\"bobs-laptop\",\"$(pub h3)\",\"$(cat "$LAB_DIR/$h.psk")\",15,null,[\"10.60.3.0/24\"]]]" \
			"$(state "$n" '.external_peers|map([.name,.public_key,.preshared_key,.keepalive,.endpoint,.routes])')"
	done
	check_equal 'import: the network behind a peer is that node'"'"'s' '["10.60.2.0/24"]' "$(state h2 .routable_networks)"
	check_equal 'import: an MTU that the boot file says' '[null,1400]' "$(jq -c '[.nodes.n1.mtu, .nodes.h2.mtu]' "$S")"
	check_equal 'import: host keys are pinned' '[1,1]' "$(jq -c '[.nodes[].ssh_host_keys | length]' "$S")"
	try w cat
	check_not 'import: cat shows no preshared key' grep -qF "$(cat "$LAB_DIR/h1.psk")" <<<"$OUT"
	try w list --json
	check_not 'import: nor does list' grep -qF "$(cat "$LAB_DIR/h1.psk")" <<<"$OUT"
}

# ---- the first deploy ----

# Prints what the plan for these hosts should be.
first_steps() {
	cat <<-END
		h2:
		  + peer n4: 10.77.0.4/32 at $(lab_ip h4):51820
		  ~ forwarding on
		  ~ boot file /etc/wireguard/wg0.conf
		  (1 external peer, left alone)
		n1:
		  + peer n4: 10.77.0.4/32 at $(lab_ip h4):51820
		  ~ route 10.60.2.0/24 via 10.77.0.2 (was direct)
		  ~ boot file /etc/wireguard/wg0.conf
		  (1 external peer, left alone)
		n4:
	END
}

# Prints what tells whether the tunnels of h1 and h2 went on.
unbroken() {
	local h
	for h in h1 h2; do
		echo "$h: $(ifindex "$h")"
		lab_on "$h" 'wg show wg0 public-key; wg show wg0 preshared-keys; wg show wg0 persistent-keepalive
			systemctl show wg-quick@wg0 -p ActiveEnterTimestampMonotonic' | grep -vF "$(key_of n4)" | sort
	done
}

test_deploy() {
	local before there
	check 'deploy: a third node' w -add "n4:10.77.0.4:$(lab_ip h4)" -accept-new-host-keys
	check 'deploy: a stream of pings from h1 to h2' stream_start h1 10.77.0.2
	check 'deploy: one from h3 to h1' stream_start h3 10.77.0.1
	before=$(unbroken) there=$(external_settings)
	check_status 'deploy: plan' 0 w plan
	check_equal 'deploy: the first plan is the difference and no more' "$(first_steps)" \
		"$(printf '%s\n' "$OUT" | grep -E '^([hn][124]:|  )' | grep -vF '(the boot file there' | sed '/^n4:/q')"
	check_has 'deploy: the plan names what the boot file loses' "$OUT" 'settings that the new one does not: PostUp (line 6)'
	check_status 'deploy: without a question' 0 w deploy
	check_equal 'deploy: no ping between the nodes is lost' complete "$(stream_stop h1)"
	check_equal 'deploy: none from the external peer' complete "$(stream_stop h3)"
	check_same 'deploy: no interface was restarted; keys and preshared keys are the same' "$before" "$(unbroken)"
	check_same 'deploy: the external host is as it was' "$there" "$(external_settings)"
	check 'deploy: the old boot file is kept' lab_on h1 'cmp /root/as-it-was /etc/wireguard/wg0.conf.before-wgmesh'
	check_equal 'deploy: for root alone' 'root 600' "$(lab_on h1 'stat -c "%U %a" /etc/wireguard/wg0.conf.before-wgmesh')"
	test_after
}

# That the three nodes and the external peer reach each other, by new handshakes, and that nothing is left to do.
test_after() {
	local from to
	for from in 1 2 4; do
		for to in 1 2 4; do
			[ "$from" = "$to" ] || check "deploy: h$from reaches 10.77.0.$to" can_ping "h$from" "10.77.0.$to"
		done
	done
	lab_on h3 "for p in \$(wg show wg7 peers); do wg set wg7 peer \$p persistent-keepalive 6; done"
	check 'deploy: the external peer reaches h1' can_ping h3 10.77.0.1
	check 'deploy: and h2 the network behind it' can_ping h2 10.60.3.1
	check 'deploy: and h4 the one behind h2' can_ping h4 10.60.2.1
	check_status 'deploy: nothing is left' 0 w plan --exit-code
}

# ---- afterwards ----

# After a reboot the boot file has made the same, and the external peer handshakes anew.
test_reboot() {
	lab_reboot h1 h2
	lab_on h2 'ip addr add 10.60.2.1/24 dev lo'
	check_status 'reboot: nothing to do' 0 w plan --exit-code
	check_equal 'reboot: the external peer is there' "$(pub h3) $(cat "$LAB_DIR/h1.psk")" \
		"$(lab_on h1 'wg show wg0 preshared-keys' | grep -F "$(pub h3)" | tr '\t' ' ')"
	check_equal 'reboot: its route too, untagged' '10.60.3.0/24 scope link' \
		"$(lab_on h1 'ip route show 10.60.3.0/24 dev wg0' | sed 's/ *$//')"
	check 'reboot: it reaches h1' can_ping h3 10.77.0.1
	check 'reboot: and h2' can_ping h3 10.77.0.2
	check 'reboot: and h1 reaches h2' can_ping h1 10.77.0.2
	check_status 'reboot: still nothing to do' 0 w plan --exit-code
}

# Deploys leave the external peer alone, whatever becomes of it; import reads it anew.
test_external_changes() {
	lab_on h1 "wg set wg0 peer $(pub h3) allowed-ips 10.77.0.3/32,10.60.4.0/24"
	check_status 'external: changed by hand: nothing to do' 0 w plan --exit-code
	check_status 'external: import again' 0 w import "$(lab_ip h1)"
	check_equal 'external: has the new allowed IPs' '["10.60.4.0/24","10.77.0.3/32"]' "$(state n1 '.external_peers[0].allowed_ips')"
	check_status 'external: now the boot file is to be written' 0 w plan
	check_equal 'external: and nothing else' '  ~ boot file /etc/wireguard/wg0.conf' "$(printf '%s\n' "$OUT" | grep '^  [-+~!]')"
	lab_on h1 "wg set wg0 peer $(pub h3) remove"
	check_status 'external: gone: a note' 0 w plan
	check_has 'external: a note that names it' "$OUT" "external peer 'bobs-laptop' is not on the interface any more"
	check_equal 'external: no step for it' '  ~ boot file /etc/wireguard/wg0.conf' "$(printf '%s\n' "$OUT" | grep '^  [-+~!]')"
	check_status 'external: import again' 0 w import "$(lab_ip h1)"
	check_equal 'external: it is gone from the state' null "$(state n1 .external_peers)"
}

# ---- keys on hosts ----

# With the keys on their hosts, the private key never leaves the host, and the host keeps it; so it does its commands with -hooks.
test_key_on_host() {
	local key
	key=$(lab_on h5 'umask 077; wg genkey >/root/key; wg pubkey </root/key')
	lab_on h5 "printf '[Interface]\nPrivateKey = %s\nAddress = 10.88.0.5/24\nListenPort = 51820\nPostUp = touch /run/up-%%i\nPreDown = touch /run/down-%%i\n' \"\$(cat /root/key)\" \
		>/etc/wireguard/wg0.conf; chmod 600 /etc/wireguard/wg0.conf; systemctl -q enable --now wg-quick@wg0"
	rm -f "$S"
	e2e_quiet w -init -network 10.88.0.0/24
	e2e_edit '.key = "host"'
	check_status 'key: import' 0 w import -hooks -accept-new-host-keys "$(lab_ip h5)"
	check_not 'hooks: none is named as lost' grep -qF 'do not keep' <<<"$OUT"
	check_equal 'hooks: they are in the state' '["touch /run/up-%i"] ["touch /run/down-%i"]' \
		"$(state h5 .post_up) $(state h5 .pre_down)"
	lab_on h5 'rm /run/up-wg0'
	check_not 'key: the state does not have the private key' grep -qF "$(lab_on h5 'cat /root/key')" "$S"
	check_status 'key: plan' 0 w plan
	check_has 'key: tells where it goes' "$OUT" "puts the interface's private key into its file"
	check_has 'hooks: the plan says them, and when they run' "$OUT" \
		"from the interface's next start on: PostUp = touch /run/up-%i; PreDown = touch /run/down-%i"
	check_not 'hooks: nor does the plan name them as lost' grep -qF 'has settings that the new one does not' <<<"$OUT"
	check_status 'key: deploy' 0 w deploy
	check_equal 'key: the host keeps its key' "$key" "$(lab_on h5 'wg show wg0 public-key')"
	check 'key: in its file' lab_on h5 'cmp /root/key /etc/wireguard/wg0.key'
	check_status 'key: nothing is left' 0 w plan --exit-code
	check_equal 'hooks: a deploy runs none' '' "$(lab_on h5 'ls /run/up-wg0 /run/down-wg0 2>/dev/null')"
	lab_on h5 'wg-quick down wg0 && wg-quick up wg0' >/dev/null 2>&1
	check 'hooks: wg-quick runs them' lab_on h5 'ls /run/up-wg0 /run/down-wg0'
	check_status 'hooks: nothing is left' 0 w plan --exit-code
	check_status 'hooks: another one' 0 w set h5 'post_up=touch /run/other-%i; : a, PrivateKey'
	check_status 'hooks: is deployed' 0 w deploy
	check_status 'hooks: and nothing is left' 0 w plan --exit-code
	lab_reboot h5
	check 'hooks: it has run at boot' lab_on h5 'ls /run/other-wg0'
	check_equal 'key: the same after a reboot' "$key" "$(lab_on h5 'wg show wg0 public-key')"
	check_status 'key: and nothing to do' 0 w plan --exit-code
}

e2e_start
lab_boot h1 h2 h3 h4 h5
e2e_quiet w -init
check 'preparation: tunnels by hand' made_by_hand
test_refused
test_memory
test_import
test_deploy
test_reboot
test_external_changes
test_key_on_host
finish
