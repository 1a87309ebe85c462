#!/bin/bash
# End to end, cases k and l: the ways to a host (sudo, jump host, agent, ssh_config, IPv6, this very machine), and hosts behind NAT.

# shellcheck source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"

# Prints the last login that sshd of the host $1 let in: "USER from ADDRESS FINGERPRINT".
last_login() {
	lab_log "$1" | sed -n 's/.*Accepted publickey for \([^ ]*\) from \([^ ]*\) port .* \(SHA256:.*\)/\1 from \2 \3/p' | tail -n 1
}

# Prints the fingerprint of the key file $1.
fingerprint() { ssh-keygen -lf "$1" | cut -d' ' -f2; }

# Lets the account $2 (its home is $3) of the host $1 in with the key of the file $4 alone.
authorize() {
	lab_on "$1" "cat >$3/.ssh/authorized_keys && chown $2: $3/.ssh/authorized_keys" <"$4.pub"
}

# Makes sshd of the host $1 listen on port 2022 alone.
sshd_2022() { lab_on "$1" 'echo "Port 2022" >/etc/ssh/sshd_config.d/port.conf && systemctl restart ssh'; }

# Lets the host $1 drop all packets that match $2 (nft's language) and are for sshd.
drop() {
	lab_on "$1" "nft add table inet lab && nft add chain inet lab in '{ type filter hook input priority 0; }' &&
		nft add rule inet lab in $2 tcp dport '{ 22, 2022 }' drop"
}

# Prints the error that OUT, from a deploy, has for the node $1.
error_of() { printf '%s\n' "$OUT" | grep "^$1: " | tail -n 1; }

# ---- k: ways to a host ----

# The keys of the control side, beside the lab's own: one with a passphrase in an agent, one that only ssh_config names.
make_keys() {
	AGENT_KEY=$LAB_DIR/home/agent_key SPECIAL_KEY=$LAB_DIR/home/.ssh/special
	ssh-keygen -q -t ed25519 -N 'a pass phrase' -C agent -f "$AGENT_KEY"
	ssh-keygen -q -t ecdsa -N '' -C special -f "$SPECIAL_KEY"
	SOCKET=$LAB_DIR/agent
	lab_ctl_exec ssh-agent -D -a "$SOCKET" >/dev/null 2>&1 &
	disown
	printf '#!/bin/sh\necho "a pass phrase"\n' >"$LAB_DIR/askpass"
	chmod 755 "$LAB_DIR/askpass"
	until_true "$E2E_PATIENCE" test -S "$SOCKET"
	LAB_AGENT=$SOCKET lab_ctl env SSH_ASKPASS="$LAB_DIR/askpass" SSH_ASKPASS_REQUIRE=force setsid -w ssh-add -q "$AGENT_KEY" </dev/null
}

# Gives every host its peculiarity, and the control side the ssh_config that goes with it.
make_ways() {
	drop h3 'ip saddr 198.51.100.1' && drop h3 'ip6 saddr 2001:db8:77::1'
	authorize h4 root /root "$AGENT_KEY"
	sshd_2022 h5 && drop h5 'ip saddr 0.0.0.0/0'
	sshd_2022 h6 && authorize h6 ops /home/ops "$SPECIAL_KEY"
	cat >"$LAB_DIR/home/.ssh/config" <<-END
		Host $(lab_ip h3)
			ProxyJump root@$(lab_ip h1)
		Host web
			HostName $(lab_ip h6)
			User ops
			Port 2022
			IdentityFile ~/.ssh/special
			IdentitiesOnly yes
			UserKnownHostsFile ~/.ssh/known_web
	END
	chmod 600 "$LAB_DIR/home/.ssh/config"
	printf '[%s]:2022 %s\n' "$(lab_ip h6)" "$(cut -d' ' -f1,2 "$LAB_DIR/hosts/h6/key/id.pub")" >"$LAB_DIR/home/.ssh/known_web"
	lab_keys | grep "^$(lab_ip h1)," >"$LAB_DIR/home/.ssh/known_hosts"
}

# Adds the nodes.
make_nodes() {
	e2e_mesh 1
	e2e_quiet w -add "n2:10.99.0.2:ops@$(lab_ip h2)" -accept-new-host-keys
	e2e_quiet w -add "n3:10.99.0.3:$(lab_ip h3)" -accept-new-host-keys
	e2e_quiet w -add "n4:10.99.0.4:$(lab_ip h4)" -accept-new-host-keys
	e2e_quiet w -add "n5:10.99.0.5:[$(lab_ip6 h5)]:2022" -accept-new-host-keys
	check_status 'k. a host that a named known_hosts file has is added without a question' 0 w -add n6:10.99.0.6:web
	check_equal 'k. and pinned' "$(cut -d' ' -f1,2 "$LAB_DIR/hosts/h6/key/id.pub")" \
		"$(jq -r '.nodes.n6.ssh_host_keys[]' "$S")"
	check_equal 'k. a host behind a jump host is pinned' "$(cut -d' ' -f1,2 "$LAB_DIR/hosts/h3/key/id.pub")" \
		"$(jq -r '.nodes.n3.ssh_host_keys[]' "$S")"
	e2e_quiet w -add "n7:10.99.0.7:nosudo@$(lab_ip h7)" -accept-new-host-keys
}

# Everything at once; only the account without sudo is turned away.
test_ways() {
	local before
	before=$(snapshot h7)
	check 'k. (the host behind the jump host cannot be reached straight)' \
		lab_ctl sh -c '! timeout 3 ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no root@'"$(lab_ip h3)"' true'
	LAB_AGENT=$SOCKET
	check_status 'k. a deploy in which one account has no sudo: exit 3' 3 w deploy
	check_has 'k. that account is named' "$(error_of n7)" 'n7: failed: '
	check_has 'k. with the reason' "$(error_of n7)" 'sudo'
	check_same 'k. nothing was changed there' "$before" "$(snapshot h7)"
	check_has 'k. the other six are done' "$OUT" 'Deploy: 6 changed, 0 unchanged, 1 failed'
	check 'k. and reach each other' all_ping 6
	test_logins
	check_equal 'k. what sudo wrote is of root and for root' 'root 600' "$(lab_on h2 'stat -c "%U %a" /etc/wireguard/wg0.conf')"
	lab_on h7 "echo 'nosudo ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/nosudo"
	check_status 'k. with sudo, the last one is done' 0 w deploy
	check 'k. and reaches the others' can_ping h7 10.99.0.1
	check_status 'k. nothing is left' 0 w plan --exit-code
}

# Who came in, from where, with which key.
test_logins() {
	local lab
	lab=$(fingerprint "$LAB_DIR/home/.ssh/id_ed25519.pub")
	check_equal 'k. plainly: as root' "root from 198.51.100.1 $lab" "$(last_login h1)"
	check_equal 'k. as another user through sudo' "ops from 198.51.100.1 $lab" "$(last_login h2)"
	check_equal 'k. through the jump host' "root from $(lab_ip h1) $lab" "$(last_login h3)"
	check_equal 'k. with the key in the agent' "root from 198.51.100.1 $(fingerprint "$AGENT_KEY.pub")" "$(last_login h4)"
	check_equal 'k. over IPv6, at another port' "root from 2001:db8:77::1 $lab" "$(last_login h5)"
	check_equal 'k. as ssh_config says' "ops from 198.51.100.1 $(fingerprint "$SPECIAL_KEY.pub")" "$(last_login h6)"
}

# What must fail: the same without the agent, with a jump host that is off, with an unknown UserKnownHostsFile.
test_ways_closed() {
	unset LAB_AGENT
	check_status 'k. without the agent: exit 3' 3 w plan
	check_has 'k. the login is refused, and what was tried is told' "$(error_of n4)" 'login refused; tried '
	test_passphrase
	LAB_AGENT=$SOCKET
	e2e_edit 'del(.nodes.n6.ssh_host_keys)'
	check_status 'k. the named known_hosts file alone will do' 0 w plan n6
	: >"$LAB_DIR/home/.ssh/known_web"
	check_status 'k. without it the key is unknown' 3 w plan n6
	lab_keys | grep "^$(lab_ip h2)," >"$LAB_DIR/home/.ssh/known_hosts"
	check_status 'k. a pinned jump host needs no known_hosts' 0 w plan n3
	e2e_edit 'del(.jump_host_keys)'
	check_status 'k. a jump host whose key is unknown: exit 3' 3 w plan n3
	check_has 'k. it is named' "$(error_of n3)" 'the jump host'
}

# The key with the passphrase from its file: asked for on a terminal, skipped without one.
test_passphrase() {
	printf 'Host %s\n\tIdentityFile %s\n' "$(lab_ip h4)" "$AGENT_KEY" >>"$LAB_DIR/home/.ssh/config"
	check_status 'k. a key with a passphrase, without a terminal: exit 3' 3 w plan n4
	check_has 'k. it is named as skipped' "$(error_of n4)" "skipped $AGENT_KEY: "
	on_terminal 'Passphrase for ' 'a pass phrase' plan --exit-code n4
	check_equal 'k. on a terminal the passphrase is asked for' 0 "$RC"
	check_has 'k. and it opens the key' "$OUT" 'Plan: 0 steps on 0 hosts, 1 unchanged'
	check 'k. what was typed is not shown' test "${OUT/a pass phrase/}" = "$OUT"
	on_terminal 'Passphrase for ' 'another one' plan n4
	check_equal 'k. a wrong passphrase: exit 3' 3 "$RC"
}

# ---- k: this very machine ----

# Puts the program and its libraries on the host $1, as /opt/wgmesh/wgmesh, with the lab's login key for its root.
install_program() {
	local libs
	mapfile -t libs < <(ldd "$WGMESH" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }')
	lab_on "$1" 'mkdir -p /opt/wgmesh/lib && tar -xhC /opt/wgmesh/lib' \
		< <(tar -chf - --transform='s|.*/||' "$WGMESH" "${libs[@]}" 2>/dev/null) &&
		lab_on "$1" 'cat >/root/.ssh/id_ed25519; chmod 600 /root/.ssh/id_ed25519' <"$LAB_DIR/home/.ssh/id_ed25519" &&
		lab_on "$1" 'cat >/opt/wgmesh/wgmesh; chmod 755 /opt/wgmesh/wgmesh' <<-'END'
			#!/bin/sh
			set -- --library-path /opt/wgmesh/lib /opt/wgmesh/lib/wgmesh -state /root/mesh.json "$@"
			exec /opt/wgmesh/lib/ld-linux*.so.* "$@"
		END
}

# Runs the program on h8.
w8() { lab_on h8 "/opt/wgmesh/wgmesh $* </dev/null"; }

# A mesh (interface wg8) whose control machine h8 is one of its nodes.
test_local() {
	local logins
	check 'k. the program runs on a host of the lab' install_program h8
	e2e_quiet w8 init -interface wg8 -listen-port 51828 -network 10.98.0.0/16
	check_status 'k. it is said to be one of the nodes' 0 w8 add h8:10.98.0.8:local
	e2e_quiet w8 add "n1:10.98.0.1:$(lab_ip h1)" -accept-new-host-keys
	logins=$(logins h8)
	check_status 'k. the control machine is one of the nodes: deploy' 0 w8 deploy
	check_equal 'k. nobody logs in to it' "$logins" "$(logins h8)"
	check 'k. it reaches the other' can_ping h8 10.98.0.1
	check 'k. the other reaches it' can_ping h1 10.98.0.8
	check_equal 'k. the other has its address as endpoint' "$(lab_ip h8):51828" \
		"$(lab_on h1 'sed -n "s/^Endpoint = //p" /etc/wireguard/wg8.conf')"
	check_equal 'k. its boot file is of root and for root' 'root 600' "$(lab_on h8 'stat -c "%U %a" /etc/wireguard/wg8.conf')"
	check_equal 'k. its unit is enabled' enabled "$(lab_on h8 'systemctl is-enabled wg-quick@wg8')"
	check_status 'k. a second deploy' 0 w8 deploy
	check_has 'k. has nothing to do' "$OUT" 'Deploy: 0 changed, 2 unchanged'
	check_status 'k. the mesh with wg0 is not touched by this one' 0 w plan --exit-code n1
	test_local_elsewhere
	test_local_asked
}

# ---- k: an account whose sudo wants a password ----

# Lets the account nosudo of h7 use sudo with its password, and the lines $1 of sudoers.
with_password() {
	lab_on h7 "echo nosudo:right | chpasswd && printf '%s\n' '$1' 'nosudo ALL=(ALL) ALL' >/etc/sudoers.d/nosudo; rm -rf /run/sudo"
}

test_sudo_password() {
	local settings failures
	printf 'right\n' >"$LAB_DIR/right" && printf 'wrong\n' >"$LAB_DIR/wrong"
	chmod 600 "$LAB_DIR/right" "$LAB_DIR/wrong"
	for settings in '' 'Defaults lecture=always' 'Defaults passwd_tries=1' 'Defaults passprompt="x: "' 'Defaults timestamp_timeout=0'; do
		with_password "$settings"
		check_status "k. sudo wants a password ($settings): exit 3" 3 w plan n7
		check_has 'k. the option is named' "$(error_of n7)" '-ask-sudo-password'
		check_status "k. a wrong one ($settings): exit 3" 3 w plan -sudo-password-file "$LAB_DIR/wrong" n7
		check_has 'k. and said' "$(error_of n7)" 'password'
		check_status "k. with the password ($settings)" 0 w plan -sudo-password-file "$LAB_DIR/right" n7
	done
	failures=$(lab_on h7 'journalctl -q _COMM=sudo | grep -c "authentication failure"')
	check "k. a wrong password is tried once each time ($failures)" test "$failures" -le 5
	with_password 'Defaults requiretty'
	check_status 'k. sudo that wants a terminal: exit 3' 3 w plan -sudo-password-file "$LAB_DIR/right" n7
	check_has 'k. and said' "$(error_of n7)" 'requiretty'
	with_password ''
	on_terminal 'Password for sudo' right plan -ask-sudo-password n7
	check_equal 'k. asked for on a terminal' 0 "$RC"
	check 'k. what was typed is not shown' test "${OUT/right/}" = "$OUT"
	check_status 'k. without a terminal: exit 2' 2 w plan -ask-sudo-password n7
	lab_on h7 "echo 'nosudo ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/nosudo"
	check_status 'k. one that nobody asks for goes nowhere' 0 w plan -sudo-password-file "$LAB_DIR/right" --exit-code n7
}

# The same state in the hands of another machine: there, the node is not local, nor where only the Go tool says that it is.
test_local_elsewhere() {
	lab_on h8 'cat /root/mesh.json' >"$LAB_DIR/elsewhere.json"
	chmod 600 "$LAB_DIR/elsewhere.json"
	lab_on h1 'systemctl -q restart wg-quick@wg8'
	lab_on h8 'systemctl -q restart wg-quick@wg8'
	lab_keys >"$LAB_DIR/home/.ssh/known_hosts"
	S_HERE=$S S=$LAB_DIR/elsewhere.json
	check_status 'k. on another machine that node is not this one' 3 w deploy
	check_has 'k. it is told why' "$OUT" 'local to another machine'
	e2e_edit "del(.nodes.h8.local_machine) | .nodes.h8.ssh_host = \"$(lab_ip h8)\""
	check_status 'k. what the Go tool says of it runs nothing here' 0 w deploy
	check_has 'k. and is told' "$OUT" 'ssh=local'
	check_equal 'k. and seen to be in the open' 'false' "$(jq .nodes.h8.behind_nat "$S")"
	check_has 'k. so that nothing changes' "$OUT" 'Deploy: 0 changed, 2 unchanged'
	S=$S_HERE
}

# What a state of the Go tool says of this machine is asked about on a terminal, once.
test_local_asked() {
	local logins
	lab_on h8 'sed -i /local_machine/d /root/mesh.json'
	logins=$(logins h8)
	OUT=$(echo y | lab_on h8 'script -qec "/opt/wgmesh/wgmesh deploy" /dev/null' 2>&1)
	check_has 'k. is_local of the Go tool is asked about' "$OUT" "'h8' is this very machine"
	check_has 'k. with a yes it is local' "$OUT" 'h8: unchanged'
	check_equal 'k. and nobody logs in to it' "$logins" "$(logins h8)"
	OUT=$(echo n | lab_on h8 'script -qec "/opt/wgmesh/wgmesh deploy" /dev/null' 2>&1)
	check_not 'k. that is asked once' grep -q 'very machine' <<<"$OUT"
}

# ---- l: behind NAT ----

# Lets the host $1 count what it sends to anybody but its networks ($2, and those of the mesh and the lab).
watch_outside() {
	lab_on "$1" "nft -f -" <<-END
		table inet watch {
			chain out { type filter hook output priority 0;
				ip daddr != { 127.0.0.0/8, 224.0.0.0/4, 198.51.100.0/24, 10.99.0.0/16, $2 } counter
				ip6 daddr != { ::1, fe80::/10, ff00::/8, 2001:db8:77::/64, fd99::/64 } counter
			}
		}
	END
}

# Succeeds if the host $1 sent nothing there.
sent_nothing_outside() { [ "$(lab_on "$1" 'nft list table inet watch' | grep -c 'counter packets 0 ')" = 2 ]; }

# Prints the endpoint that the boot file of the host $1 has for the node $2.
boot_endpoint() {
	lab_on "$1" 'cat /etc/wireguard/wg0.conf' | awk -v n="# $2" '/^\[/ { on = 0 } $0 == n { on = 1 } on && $1 == "Endpoint" { print $3 }'
}

# Prints the keepalives of the host $1 by node name, sorted: "name=value name=value".
keepalives() {
	local key value
	lab_on "$1" 'wg show wg0 persistent-keepalive' | while IFS=$'\t' read -r key value; do
		printf '%s=%s\n' "$(jq -r --arg k "$key" '.nodes | to_entries[] | select(.value.public_key == $k) | .key' "$S")" "$value"
	done | sort | paste -sd' '
}

# Makes the mesh: two hosts in the open, two behind routers, the second of which draws random ports.
make_nat_mesh() {
	lab_boot east west
	lab_nat nat1 50 192.168.50.0/24
	LAB_NAT_RANDOM=1 lab_nat nat2 51 192.168.51.0/24
	rm -f "$S"
	e2e_quiet w -init -network6 fd99::/64
	e2e_quiet w -add "east:10.99.0.1:$(lab_ip east)" -accept-new-host-keys
	e2e_quiet w -add "west:10.99.0.2:$(lab_ip west)" -accept-new-host-keys
	e2e_quiet w -add "nat1:10.99.0.3:$(lab_nat_ip nat1):2222" -accept-new-host-keys
	e2e_quiet w -add "nat2:10.99.0.4:$(lab_nat_ip nat2):2222" -accept-new-host-keys
	watch_outside east 198.51.100.0/24
	watch_outside west 198.51.100.0/24
	watch_outside nat1 192.168.50.0/24
	watch_outside nat2 192.168.51.0/24
}

# Found by SSH alone, and treated so.
test_nat() {
	local h
	make_nat_mesh
	check_status 'l. deploy' 0 w deploy
	check_has 'l. it warns of the pair that has no way' "$OUT" "'nat1' is behind NAT and so are 1 of its peers"
	check_equal 'l. found to be behind NAT: just those that are' 'false true true false' \
		"$(jq -r '[.nodes | .east, .nat1, .nat2, .west | .behind_nat] | join(" ")' "$S")"
	check_equal 'l. east has no endpoint for nat1' '' "$(boot_endpoint east nat1)"
	check_equal 'l. west has no endpoint for nat2' '' "$(boot_endpoint west nat2)"
	check_equal 'l. nat1 has one for east' "$(lab_ip east):51820" "$(boot_endpoint nat1 east)"
	check_equal 'l. keepalives of east' 'nat1=25 nat2=25 west=off' "$(keepalives east)"
	check_equal 'l. keepalives of west' 'east=off nat1=25 nat2=25' "$(keepalives west)"
	check_equal 'l. keepalives of nat1' 'east=25 nat2=25 west=25' "$(keepalives nat1)"
	for h in nat1 nat2; do
		check "l. $h reaches the open ones" can_ping "$h" 10.99.0.1
		check "l. $h reaches the open ones over IPv6" can_ping "$h" fd99::2
	done
	check 'l. the open ones reach nat1' can_ping east 10.99.0.3
	check 'l. the open ones reach nat2' can_ping west fd99::4
	check_has 'l. nat1 is seen at its router' "$(lab_on east 'wg show wg0 endpoints')" "$(lab_nat_ip nat1):"
	test_nat_again
}

# Now that the peers have seen them, nothing changes either; and nobody was asked.
test_nat_again() {
	local h
	check_status 'l. a second deploy' 0 w deploy
	check_has 'l. has nothing to do' "$OUT" 'Deploy: 0 changed, 4 unchanged'
	check_equal 'l. they are still known to be behind NAT' 'true true' "$(jq -r '[.nodes | .nat1, .nat2 | .behind_nat] | join(" ")' "$S")"
	for h in east west nat1 nat2; do
		check "l. $h sent nothing to anybody outside" sent_nothing_outside "$h"
		check "l. $h has no program to ask a web site with" lab_on "$h" '! command -v curl && ! command -v wget'
	done
}

# The router of nat2 forwards the port, and the user says so.
test_public_endpoint() {
	lab_in nsenter --net=/run/netns/rt-nat2 nft add rule ip nat pre iifname pub udp dport 51820 dnat to "$(lab_ip nat2):51820"
	e2e_edit ".nodes.nat2.public_endpoint = \"$(lab_nat_ip nat2):51820\""
	check_status 'l. with a forwarded port that the user names: deploy' 0 w deploy
	check_equal 'l. nat1 has that endpoint' "$(lab_nat_ip nat2):51820" "$(boot_endpoint nat1 nat2)"
	check_equal 'l. keepalives stay' 'nat1=25 nat2=25 west=off' "$(keepalives east)"
	check 'l. and the two behind NAT reach each other' can_ping nat1 10.99.0.4
	check 'l. in both directions' can_ping nat2 10.99.0.3
	check_status 'l. nothing is left' 0 w plan --exit-code
}

e2e_start
lab_boot h1 h2 h3 h4 h5 h6 h7 h8
make_keys
make_ways
make_nodes
test_ways
test_ways_closed
test_sudo_password
test_local
test_nat
test_public_endpoint
finish
