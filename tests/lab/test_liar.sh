#!/bin/bash
# shellcheck disable=SC2016
# A host that lies, beside three that do not: whatever it says to the probe, to the script of a deploy and to an import, the others
# come to what the state says and nothing of theirs is changed by it; the deploy ends in bounded time and memory, with one line on
# the liar. Its host runs a forced command behind a real sshd (tests/lib/liar.sh), and each lie is a shell text.
# Arguments: the kinds of lies, if not all, as "names keys".

# shellcheck source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"
# shellcheck source=tests/lab/sim.sh
. "$(dirname "${BASH_SOURCE[0]}")/sim.sh"
# shellcheck source=tests/lib/liar.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/liar.sh"

# Nobody is judged by how fast it is: these bounds tell what ends from what does not (seconds; KiB of the program).
LIMIT_S=120
LIMIT_KIB=$((256 * 1024))

# ---- the scene ----

# Four simulated hosts, n1 to n4, of which the last lies; its private key lives there. The references of two states that differ in
# the MTU, each deployed to honest hosts, are in $LAB_DIR/want: what the hosts n1 to n3 have then, and what the state says.
scene() {
	local k
	e2e_start
	gcc -std=gnu11 -O1 -D_GNU_SOURCE -o "$LAB_DIR/measure" "$E2E_ROOT/tests/bench/measure.c" ||
		e2e_fail_all 'tests/bench/measure.c does not compile'
	mkdir "$LAB_DIR/want"
	sim_up 4 || e2e_fail_all 'the simulated hosts do not come up'
	sim_keys >"$LAB_DIR/home/.ssh/known_hosts"
	e2e_quiet w -init -network6 fd99::/64
	for k in 1 2 3 4; do e2e_quiet w -add "n$k:10.99.0.$k:$(sim_ip "$k")"; done
	e2e_quiet w set n4 key=host
	e2e_quiet w set n1 routes=10.50.1.0/24
	e2e_quiet w deploy
	liar_start 4 2201 2202 2203 || e2e_fail_all 'the liar does not start'
	for k in 1380 1390; do reference "$k"; done
	VALUES=$(
		for k in 1 2 3 4; do printf "K%d='%s'\n" "$k" "$(jq -r ".nodes.n$k.public_key" "$S")"; done
		printf "ID='%s'\nCTL='%s'\nZERO='AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='\n" "$(jq -r .mesh_id "$S")" "$(hostname)"
		printf "OTHER='%s'\n" "$(lab_ctl wg genkey | lab_ctl wg pubkey)"
	)
	SERIAL=$(jq .serial "$S") MTU=1390 AT=1390
}

# The reference for the MTU $1.
reference() {
	e2e_edit --argjson mtu "$1" '.nodes[].mtu = $mtu | .serial += 1'
	e2e_quiet w deploy
	e2e_quiet w deploy
	cp "$S" "$LAB_DIR/want/state.$1"
	honest_hosts >"$LAB_DIR/want/hosts.$1"
}

# Prints what the honest hosts have: boot file without its first line and without keys, WireGuard, addresses, routes, forwarding.
honest_hosts() {
	lab_in eval 'for i in 1 2 3; do echo "== n$i"; host_on "sim$i" "
		sed -e 1d -e \"/^PrivateKey/d; /^PresharedKey/d\" /etc/wireguard/wg0.conf
		wg show wg0 dump | cut -f 2-4,8 | sed \"1s/^[^\t]*/-/\"
		wg show wg0 allowed-ips; wg show wg0 endpoints
		ip -o addr show dev wg0 | cut -d\\\\ -f1 | grep -v fe80; ip route show; ip -6 route show dev wg0
		cat /proc/sys/net/ipv4/ip_forward; ls /etc/wireguard"; done' 2>&1 | sort_peers
}

# Sorts what wg prints in an order of its own: all lines that hold a peer's key.
sort_peers() { awk -F '\t' 'NF > 1 { print | "sort"; next } { close("sort"); print }'; }

# Prints the state's part that is not the liar's own: all but the serial, and of n4 what the user said.
others_of() {
	jq -S 'del(.serial, .local_hostname) | .nodes.n4 |= (. // {} | {mesh_ip, mesh_ip6, public_key, key, ssh_host, ssh_port, ssh_user,
		ssh_host_keys, is_local, routable_networks, listen_port, public_endpoint})' "$1"
}

# Prints what the honest hosts have without where n4 is for them, its endpoint and the keepalive that one behind NAT needs.
no_place() {
	awk '/^# n4$/ { own = 1 } /^$/ { own = 0 } own && /^(Endpoint|PersistentKeepalive) = / { next }
		/\t10\.99\.0\.4\/32,/ { next } index($0, key) && /:[0-9]+$/ { next } { print }' \
		key="$(sed -n "s/^K4='\(.*\)'/\1/p" <<<"$VALUES")"
}

# ---- one lie ----

# Runs the program with the arguments in the bounds; fills OUT, RC, and PEAK, its memory in KiB.
bounded() {
	RC=0
	rm -f "$LAB_DIR/figures"
	OUT=$(lab_ctl_exec timeout -k 5 "$LIMIT_S" "$LAB_DIR/measure" "$LAB_DIR/figures" setsid -w "$WGMESH" -state "$S" "$@" \
		2>&1 </dev/null | head -c 1000000 | tr '\0' '?'; exit "${PIPESTATUS[0]}") || RC=$?
	PEAK=$(cut -d' ' -f3 "$LAB_DIR/figures" 2>/dev/null) || PEAK=0
}

# Adds a complaint about the lie that is being told.
bad() { BAD=$BAD${BAD:+$'\n'}$1; }

# Complains about what the program printed if it is too much, steers a terminal, or took too much memory.
judge_run() {
	[ "$RC" != 124 ] || bad "does not end within $LIMIT_S s"
	[ "${PEAK:-0}" -le "$LIMIT_KIB" ] || bad "takes $PEAK KiB"
	[ "${#OUT}" -le 16384 ] || bad "prints ${#OUT} characters"
	! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]\|\xc2[\x80-\x9f]\|\xe2\x80[\xaa-\xae]\|\xe2\x81[\xa6-\xa9]' <<<"$OUT" ||
		bad 'prints what steers a terminal'
}

# Complains unless the results of a deploy name n4 once, as it should be by the exit status $1, with the words $2 (a pattern) if it failed.
judge_results() {
	local results line
	results=$(sed '1,/^Plan: /d' <<<"$OUT")
	line=$(grep '^n4: ' <<<"$results")
	[ "$(grep -c . <<<"$line")" = 1 ] || bad "not one line on n4: $line"
	[[ $line != *'no answer within'* || $line == *'the steps ran'* || $2 == answer ]] || bad 'the lie was not told'
	[ "${#line}" -le 1200 ] || bad "a line of ${#line} characters on n4"
	if [ "$RC" = 0 ]; then
		grep -qE '^n4: (changed|unchanged)' <<<"$line" || bad "n4 is $line"
	else
		grep -qE "^n4: (failed|unreachable): .*($2)" <<<"$line" || bad "no '$2' in: $line"
	fi
	[ "$(grep -c '^n[123]: changed' <<<"$results")" = 3 ] || bad 'not all of n1 to n3 are changed'
	[[ $RC =~ ^($1)$ ]] || bad "exit status $RC, not $1"
}

# Complains about what the lie did to others: hosts and state have to be as in the reference; $1: where n4 is does not matter.
judge_others() {
	local filter=cat d
	[ -z "$1" ] || filter=no_place
	if d=$(diff <("$filter" <"$LAB_DIR/want/hosts.$MTU") <(honest_hosts | "$filter")); then
		AT=$MTU
	else
		bad "the honest hosts differ:"$'\n'"$d"
		AT=$(sim_on 1 'cat /sys/class/net/wg0/mtu')
	fi
	[ -z "$1" ] || judge_place
	d=$(diff <(others_of "$LAB_DIR/want/state.$MTU") <(others_of "$S")) || bad "the state differs:"$'\n'"$d"
}

# Complains when others seek n4 at an address that is another's, or only in the mesh, or theirs.
judge_place() {
	local d
	d=$(honest_hosts | awk '/^# n4$/ { own = 1 } /^$/ { own = 0 }
		own && /^Endpoint = (10\.99\.|127\.|10\.77\.0\.|10\.77\.1\.[123]:)/')
	[ -z "$d" ] || bad "n4 is sought where another is: $d"
}

# After a lie that was believed all hosts forget who shook hands with whom, or they would tell of it in the next deploys.
start_over() {
	liar_says <<<'honest; go_on'
	lab_in eval 'for i in 1 2 3 4; do
		host_on "sim$i" "for p in \$(wg show wg0 peers); do wg set wg0 peer \$p remove; done"; done'
	next_state
	w deploy >/dev/null 2>&1
	AT=$MTU
}

# Reports the lie $1.
verdict() {
	if [ -z "$BAD" ]; then
		pass "$1"
	else
		flunk "$1" "$(head -c 3000 <<<"$BAD")
--- printed:
$(head -c 1500 <<<"$OUT" | cat -v)"
	fi
}

# The state of the next deploy, in which the honest hosts have another MTU than now, $AT, and n4 one that it never had.
next_state() {
	MTU=$((2770 - AT)) SERIAL=$((SERIAL + 1))
	jq --argjson s "$SERIAL" '.serial = $s | .nodes.n4.mtu = 1280 + $s % 1000' "$LAB_DIR/want/state.$MTU" >"$S"
	chmod 600 "$S"
}

# Has the liar say what stands on standard input (with $K1 to $K4, the nodes' public keys, $OTHER, one of nobody, $ZERO, $ID, the
# mesh's, and $CTL, the control node's host name), on the port $1.
tell() { { echo "$VALUES" && cat; } | liar_says "$@"; }

# A case: a deploy while the host n4 tells the lie on standard input. $1 name, $2 exit status (a pattern: "0|3"), $3 the words (a
# pattern) that tell why n4 failed, $4 "place" when the lie is on where n4 is.
lie() {
	BAD=
	tell
	next_state
	bounded deploy
	judge_run
	judge_results "$2" "${3-.}"
	judge_others "${4-}"
	verdict "$1"
	[ -z "$BAD" ] || start_over
}

# ---- lies to the probe ----

lies_names() {
	lie 'its name is the control node'\''s' 0 <<<'honest | host_word hostname "$CTL"; go_on'
	lie 'its name is the control node'\''s, in full' 0 <<<'honest | host_word fqdn "$CTL"; go_on'
	lie 'its name is another node'\''s' 0 <<<'honest | host_word hostname n1 | host_word fqdn sim1; go_on'
	lie 'its name is "localhost"' 0 <<<'honest | host_word hostname localhost; go_on'
	lie 'its name is empty' '0|3' <<<'honest | host_word hostname ""; go_on'
	lie 'its name has 300 bytes' 3 'name' <<<'honest | host_word hostname $(printf "%0300d" 0); go_on'
	lie 'its name has escape codes' 3 'name' <<<'honest | host_word hostname "$(printf "a\033]0;b\007")"; go_on'
	lie 'its name has C1 codes' 3 'name' <<<'honest | host_word hostname "$(printf "a\302\233b")"; go_on'
	lie 'its name runs backwards' 3 'name' <<<'honest | host_word hostname "$(printf "a\342\200\256b")"; go_on'
	lie 'its name is no UTF-8' 3 'name' <<<'honest | host_word hostname "$(printf "a\377b")"; go_on'
	lie 'its name has a blank and a quote' '0|3' <<<"honest | host_word hostname \"a '\\\$(id) b\"; go_on"
	check_equal 'after all these names the liar is reached by SSH, not taken for this machine' false "$(jq '.nodes.n4.is_local // false' "$S")"
}

lies_keys() {
	lie 'its key, which lives there, is another one' 3 'key' <<<'honest | host_word hostkey "$OTHER"; go_on'
	lie 'its key is the key of n1' 3 'key' <<<'honest | host_word hostkey "$K1"; go_on'
	lie 'its key is zero' 3 'key' <<<'honest | host_word hostkey "$ZERO"; go_on'
	lie 'its key is no key' 3 'key' <<<'honest | host_word hostkey "abc"; go_on'
	lie 'its key is gone' '0|3' <<<'honest | host_word hostkey ""; go_on'
	lie 'its interface has the key of n1' '0|3' <<<'honest | in_section dump "n == 1 { \$1 = \"$K1\" }"; go_on'
	lie 'its interface has a zero key' '0|3' <<<'honest | in_section dump "n == 1 { \$1 = \"$ZERO\" }"; go_on'
	lie 'its boot file and its interface have the key of n2' '0|3' \
		<<<'honest | in_section dump "n == 1 { \$1 = \"$K2\" }" | add_to boot "public $K2"; go_on'
	lie 'it is its own peer' '0|3' <<<'honest | in_section dump "\$1 == \"$K1\" { \$1 = \"$K4\" }"; go_on'
	lie 'it has no peers' '0|3' <<<'honest | in_section dump "n > 1 && \$1 != \"\" { next }"; go_on'
	lie 'it has one peer twice' '0|3' <<<'honest | in_section dump "\$1 == \"$K1\" { print }"; go_on'
	lie 'the peers have each other'\''s addresses' '0|3' \
		<<<'honest | in_section dump "\$1 == \"$K1\" { \$4 = \"10.99.0.2/32,10.99.0.3/32\" }"; go_on'
}

lies_places() {
	lie 'it has a global address' '0|3' . place <<<'honest | add_to address "9: eth9    inet 203.0.113.9/24 scope global eth9"; go_on'
	lie 'it has a global address of version 6' '0|3' . place \
		<<<'honest | add_to address "9: eth9    inet6 2a00:1450::9/64 scope global"; go_on'
	lie 'it was reached at the address of n1' '0|3' . place <<<'honest | host_word ssh "10.77.0.1 1234 10.77.1.1 22"; go_on'
	lie 'it was reached at a global address' '0|3' . place <<<'honest | host_word ssh "10.77.0.1 1234 203.0.113.9 22"; go_on'
	lie 'it was reached at its mesh address' '0|3' . place <<<'honest | host_word ssh "10.77.0.1 1234 10.99.0.4 22"; go_on'
	lie 'it was reached at the mesh address of n1' '0|3' . place <<<'honest | host_word ssh "10.99.0.1 1234 10.99.0.1 22"; go_on'
	lie 'it was reached from the address of n1' '0|3' . place <<<'honest | host_word ssh "10.77.1.1 1234 10.77.1.4 22"; go_on'
	lie 'it was reached locally' '0|3' . place <<<'honest | host_word ssh ""; go_on'
	lie 'it was reached at loopback' '0|3' . place <<<'honest | host_word ssh "127.0.0.1 1234 127.0.0.1 22"; go_on'
	lie 'it was reached nowhere' 3 'SSH_CONNECTION' <<<'honest | host_word ssh "a b c d"; go_on'
	lie 'it has the addresses of the others' '0|3' . place \
		<<<'honest | add_to address "9: eth9    inet 10.77.1.1/16 scope global eth9\n9: eth9    inet 10.77.1.2/16 scope global eth9"; go_on'
	lie 'it has the address of the control node' '0|3' . place \
		<<<'honest | add_to address "9: eth9    inet 10.77.0.1/16 scope global eth9"; go_on'
	lie 'it has the mesh addresses of the others' '0|3' \
		<<<'honest | add_to address "3: wg0    inet 10.99.0.1/32 scope global wg0\n9: eth9    inet 10.99.0.2/16 scope global eth9"; go_on'
	lie 'it is in every network' '0|3' <<<'honest | add_to address "9: eth9    inet 10.50.1.9/0 scope global eth9"; go_on'
	lie 'it has the network of n1 on a card' '0|3' <<<'honest | add_to address "9: eth9    inet 10.50.1.9/24 scope global eth9"; go_on'
}

# It tells of the others: who shook hands with it, and from where.
lies_sightings() {
	lie 'it has seen n1 at a strange address' 0 \
		<<<'honest | in_section dump "\$1 == \"$K1\" { \$3 = \"203.0.113.66:7\"; \$5 = $(date +%s) }"; go_on'
	lie 'it has seen all at strange addresses' 0 \
		<<<'honest | in_section dump "n > 1 && NF > 4 { \$3 = \"203.0.113.\" n \":7\"; \$5 = $(date +%s) }"; go_on'
	lie 'it has seen n1 where n2 is' 0 \
		<<<'honest | in_section dump "\$1 == \"$K1\" { \$3 = \"10.77.1.2:51820\"; \$5 = $(date +%s) }"; go_on'
	lie 'it has seen n1 where n1 is in the mesh' 0 \
		<<<'honest | in_section dump "\$1 == \"$K1\" { \$3 = \"10.99.0.1:51820\"; \$5 = $(date +%s) }"; go_on'
	lie 'it has seen n1 at its own address' 0 \
		<<<'honest | in_section dump "\$1 == \"$K1\" { \$3 = \"10.77.1.4:51820\"; \$5 = $(date +%s) }"; go_on'
	lie 'it has seen n1 in the future' '0|3' \
		<<<'honest | in_section dump "\$1 == \"$K1\" { \$3 = \"203.0.113.66:7\"; \$5 = \"4611686018427387904\" }"; go_on'
	lie 'it has seen n1 in 2^63 seconds' '0|3' \
		<<<'honest | in_section dump "\$1 == \"$K1\" { \$3 = \"203.0.113.66:7\"; \$5 = \"9223372036854775808\" }"; go_on'
	lie 'it has seen n1 before all time' '0|3' \
		<<<'honest | in_section dump "\$1 == \"$K1\" { \$3 = \"203.0.113.66:7\"; \$5 = \"-1\" }"; go_on'
	lie 'its clock stands at 0' '0|3' \
		<<<'honest | sed "s/^now=.*/now=0/" | in_section dump "\$1 == \"$K1\" { \$3 = \"203.0.113.66:7\"; \$5 = 1 }"; go_on'
	lie 'its clock stands at 2^63' '0|3' \
		<<<'honest | sed "s/^now=.*/now=9223372036854775808/" | in_section dump "\$1 == \"$K1\" { \$3 = \"203.0.113.66:7\"; \$5 = 1 }"; go_on'
	lie 'its clock is no number' '0|3' <<<'honest | sed "s/^now=.*/now=1e99/"; go_on'
}

lies_interface() {
	lie 'its MTU is 0' '0|3' <<<'honest | sed "s/ mtu [0-9]* / mtu 0 /"; go_on'
	lie 'its MTU is 2^31' '0|3' <<<'honest | sed "s/ mtu [0-9]* / mtu 2147483648 /"; go_on'
	lie 'its port is 0' '0|3' <<<'honest | in_section dump "n == 1 { \$2 = 0 }"; go_on'
	lie 'its port is 65536' 3 'port' <<<'honest | in_section dump "n == 1 { \$2 = 65536 }"; go_on'
	lie 'it has a firewall mark' '0|3' <<<'honest | in_section dump "n == 1 { \$3 = \"0xffffffff\" }"; go_on'
	lie 'it routes everything into the mesh' '0|3' <<<'honest | add_to route4 "default scope link" | add_to route6 "default metric 1"; go_on'
	lie 'it routes the halves of everything into the mesh' '0|3' \
		<<<'honest | add_to route4 "0.0.0.0/1 scope link\n128.0.0.0/1 scope link" | add_to route6 "::/1 metric 1"; go_on'
	lie 'it routes the others into the mesh' '0|3' <<<'honest | add_to route4 "10.77.1.1 scope link\n10.77.0.1 proto 119 scope link"; go_on'
	lie 'its interface is no WireGuard' '0|3' <<<'honest | without dump; go_on'
	lie 'its interface is gone' '0|3' <<<'honest | without dump | without link | without route4 | without route6 | without boot; go_on'
	lie 'it is not root' 3 'root' <<<'honest | sed "s/^uid=0/uid=1000/"; go_on'
	lie 'it has no WireGuard and no way to get it' 3 'wg|WireGuard|wireguard' <<<'honest | sed "/^wg=1/d; /^apt=1/d"; go_on'
}

lies_markers() {
	lie 'its state is the newest that can be' 3 'serial|newer' <<<'honest | sed "s/, serial [0-9]*$/, serial 18446744073709551615/"; go_on'
	lie 'its state is newer than all numbers' '0|3' <<<'honest | sed "s/, serial [0-9]*$/, serial 18446744073709551616/"; go_on'
	lie 'it is of another mesh' '0|3' <<<'honest | sed "s/, mesh [0-9a-f]*,/, mesh ffffffffffffffffffffffffffffffff,/"; go_on'
	lie 'its boot file is not ours' '0|3' <<<'honest | sed "/^# managed by/d"; go_on'
	lie 'it proves nothing of our mesh' '0|3' \
		<<<'honest | sed "s/^# managed by.*/# managed by wgmesh, mesh $ID, serial 1/"; go_on'
	lie 'another deploy is always at work there' '0|3' <<<'honest | host_word busy "mallory@$CTL, pid 1"; go_on'
	lie 'its lock is garbage' 3 'token' <<<'honest | host_word lock "\$(id)"; go_on'
	lie 'its lock is somebody else'\''s' '0|3' 'deploy' <<<'honest | host_word lock 0123456789abcdef; go_on'
}

# The frames of the answer.
lies_frames() {
	lie 'it answers nothing and goes' 3 <<<':'
	lie 'it goes in the midst of a section' 3 <<<'honest | head -c 400'
	lie 'it goes before the end' 3 <<<'honest | sed "/= end$/d"'
	lie 'its nonce is another one' 3 <<<'honest | sed "s/^=$N=/=0123456789abcdef0123456789abcdef=/"'
	lie 'it tells of no host' 3 <<<'honest | without host; go_on'
	lie 'its address is a section that nobody knows' 3 'section' <<<'honest | sed "s/^=$N= address/=$N= adress/"; go_on'
	lie 'it tells all twice' '0|3' <<<'{ honest | sed "/= end$/d"; honest; }; go_on'
	lie 'it tells of WireGuard twice' '0|3' <<<'honest | add_to dump "$K4\t51820\toff"; go_on'
	lie 'it frames a frame' '0|3' <<<'honest | add_to address "=$N= =$N= dump"; go_on'
	lie 'its end comes first' 3 <<<'frame end; honest; go_on'
	lie 'its end comes twice' '0|3' <<<'honest; frame end; go_on'
	lie 'it ends and goes on for ever' '0|3' <<<'honest; yes 2>/dev/null | head -c 50000000; go_on'
	lie 'its lines have NUL bytes' '0|3' . place <<<'honest | sed "s/^2: /&\x00/"; go_on'
	lie 'its lines end as those of Windows' '0|3' . place <<<'honest | sed "/= end\$/!s/\$/\r/"; go_on'
	lie 'its addresses are no UTF-8' 3 'address' <<<'honest | add_to address "9: eth9    inet \377\376/24 scope global"; go_on'
	lie 'it says that it failed' '0|3' <<<'honest; exit 7'
	lie 'its shell greets with much' '0|3' <<<'yes "Welcome to =$N" | head -n 1000; honest; go_on'
	lie 'it is loud on stderr' '0|3' <<<'head -c 20000000 /dev/zero | tr "\0" x >&2; honest; go_on'
	lie 'a command that the login refuses' 3 <<<'printf "Permission denied\n\033[2J" >&2; exit 126'
}

# More than there can be.
lies_large() {
	lie 'it has a million peers' 3 <<<'honest | in_section dump "n == 1 { print; for (i = 0; i < 1000000; i++)
		printf \"%042dA=\t(none)\t(none)\t(none)\t0\t0\t0\toff\n\", i; next }"; go_on'
	lie 'a peer has a million networks' 3 <<<'honest | in_section dump "\$1 == \"$K1\" { printf \"%s\t(none)\t(none)\t10.9.9.9/32\", \$1
		for (i = 0; i < 1000000; i++) printf \",10.%d.%d.%d/32\", i / 65536, i / 256 % 256, i % 256
		print \"\t0\t0\t0\toff\"; next }"; go_on'
	lie 'it has a million routes' 3 <<<'honest | in_section route4 "n == 1 { for (i = 0; i < 1000000; i++)
		print \"10.\" int(i / 65536) \".\" int(i / 256) % 256 \".\" i % 256 \" scope link\" }"; go_on'
	lie 'it has a million addresses' 3 <<<'honest | in_section address "n == 1 { for (i = 0; i < 1000000; i++)
		print \"9: e    inet 11.\" int(i / 65536) \".\" int(i / 256) % 256 \".\" i % 256 \"/32 scope global\" }"; go_on'
	lie 'its boot file has a million lines' 3 <<<'honest | in_section boot "n == 2 { for (i = 0; i < 1000000; i++) print \"|# \" i }"; go_on'
	lie 'it greets with a million lines' 3 <<<'yes | head -n 1000000; yes hello | head -c 30000000; honest; go_on'
	lie 'a line of 100 MiB' 3 <<<'head -c 104857600 /dev/zero | tr "\0" x'
	lie 'it never ends' 3 <<<'yes'
	lie 'a frame that never ends' 3 <<<'frame dump; head -c 104857600 /dev/zero | tr "\0" 1'
}

# ---- lies to a deploy's script ----

lies_steps() {
	lie 'all is done, it says, and did nothing' 0 <<<'honest; say_done'
	lie 'it says so before it was asked' '0|3' <<<'honest; for s in 0 1 2 3 4; do frame "ok $s"; done; frame end; go_on'
	lie 'each step is done twice' '0|3' <<<'honest; for s in $(steps); do frame "ok $s"; frame "ok $s"; done; frame end'
	lie 'steps are done that nobody asked for' 3 <<<'honest; wait_script; for s in 7 999 18446744073709551616; do frame "ok $s"; done; frame end'
	lie 'a step less than none is done' 3 <<<'honest; wait_script; frame "ok -1"; frame end'
	lie 'no step is done' 3 <<<'honest; wait_script; frame end'
	lie 'steps are done in another order' '0|3' <<<'honest; for s in $(steps | sort -r); do frame "ok $s"; done; frame end'
	lie 'a step failed, and was done' 3 <<<'honest; wait_script; frame "fail 0"; echo oops; frame "ok 0"; frame end'
	lie 'its failure is painted' 3 'oops' <<<'honest; wait_script; frame "fail 0"; printf "oops \033[2J\302\233\342\200\256\377\n"; frame end'
	lie 'its failure has no words' 3 <<<'honest; wait_script; frame "fail 0"; frame end'
	lie 'its failure has 64 MiB' 3 <<<'honest; wait_script; frame "fail 0"; head -c 67108864 /dev/zero | tr "\0" x; frame end'
	lie 'its failure looks like the result of n1' 3 <<<'honest; wait_script; frame "fail 0"; printf "x\nn1: failed: oops\n\nDeploy: 0 changed\n"; frame end'
	lie 'another deploy has it, it says, painted' 3 <<<'honest; wait_script; frame "held 0"; printf "\033[31mgo away\n"; frame end'
	lie 'it goes while the steps run' 3 <<<'honest; wait_script'
	lie 'it goes after the first step' 3 <<<'honest; s=$(steps | head -n 1); frame "ok $s"'
	lie 'the steps end with another nonce' 3 <<<'honest; steps >/dev/null; N=0123456789abcdef0123456789abcdef; say_done </dev/null'
	lie 'it goes on after the end' '0|3' <<<'honest; say_done; yes | head -c 20000000'
	lie 'it is loud while the steps run' '0|3' <<<'honest; yes "$N" | head -c 20000000 >&2; go_on'
	lie 'it fails in the end' '0|3' <<<'honest; say_done; exit 9'
}

# ---- a new node whose key is made there ----

# A case: as `lie`, with n5, on another port of the same host, as a new node whose key lives there. It has to fail ($2: the words) and no
# other host gets it as a peer.
lie_of_new() {
	local results
	BAD=
	liar_says <<<'honest; go_on'
	tell 2201
	next_state
	jq --arg at "$(sim_ip 4)" --argjson keys "$(jq .nodes.n4.ssh_host_keys "$S")" '.nodes.n5 = {mesh_ip: "10.99.0.5", mesh_ip6: "fd99::5",
		key: "host", ssh_host: $at, ssh_port: 2201, ssh_host_keys: $keys}' "$S" >"$S.new" && chmod 600 "$S.new" && mv "$S.new" "$S"
	bounded deploy
	judge_run
	results=$(sed '1,/^Plan: /d' <<<"$OUT")
	[ "$RC" = 3 ] || bad "exit status $RC, not 3"
	grep -qE "^n5: (failed|unreachable): .*($2)" <<<"$results" || bad "no '$2' in: $(grep '^n5: ' <<<"$results")"
	[ "$(grep -c '^n[1234]: changed' <<<"$results")" = 4 ] || bad 'not all of n1 to n4 are changed'
	e2e_edit 'del(.nodes.n5)'
	judge_others place
	verdict "$1"
}

# A case: a new node on the liar's host shows the key of an external peer of n1, which would be none any more.
lie_of_external() {
	BAD=
	tell 2201 <<<'honest | host_word hostkey "$OTHER"; go_on'
	jq --arg at "$(sim_ip 4)" --arg key "$(sed -n "s/^OTHER='\(.*\)'/\1/p" <<<"$VALUES")" '.nodes.n1.external_peers = [{name: "bob",
		public_key: $key, allowed_ips: ["10.50.9.0/24"]}] | .serial = 1000 | .nodes.n5 = {mesh_ip: "10.99.0.5", mesh_ip6: "fd99::5", key: "host",
		ssh_host: $at, ssh_port: 2201, ssh_host_keys: .nodes.n4.ssh_host_keys}' "$LAB_DIR/want/state.$MTU" >"$S"
	chmod 600 "$S"
	bounded deploy n5
	judge_run
	[ "$RC" = 3 ] || bad "exit status $RC, not 3"
	[ "$(sed '1,/^Plan: /d' <<<"$OUT" | grep -c "^n5: failed: .*'bob' has it")" = 1 ] || bad 'not one line with the peer'
	jq -e '(.nodes.n5.public_key // "") == ""' "$S" >/dev/null || bad 'it has a key'
	verdict 'a new node has the key of an external peer'
}

lies_new_keys() {
	lie_of_new 'a new node has the key of n1' 'key' <<<'honest | host_word hostkey "$K1"; go_on'
	lie_of_new 'a new node has the key of n4' 'key' <<<'honest | host_word hostkey "$K4"; go_on'
	lie_of_new 'a new node has a zero key' 'key' <<<'honest | host_word hostkey "$ZERO"; go_on'
	lie_of_new 'a new node makes a zero key' 'key' <<<'honest | sed "/^hostkey=/d; /^keyfile=/d"; steps >/dev/null; frame "ok 0"; frame "key $ZERO"; frame end'
	lie_of_new 'a new node makes the key of n2' 'key' <<<'honest | sed "/^hostkey=/d; /^keyfile=/d"; steps >/dev/null; frame "ok 0"; frame "key $K2"; frame end'
	lie_of_new 'a new node makes no key' 'key' <<<'honest | sed "/^hostkey=/d; /^keyfile=/d"; steps >/dev/null; frame "ok 0"; frame "key $(printf "\033[2J")"; frame end'
	lie_of_external
}

# ---- lies to an import ----

# A case: an import of the liar, which is n4 no more, while it tells the lie on standard input. $1 name; $2 is "refused": the state stays
# as it was, byte by byte, and the status is not 0; or "harmless": or else there is a new node, not local, with no key or address of another's.
lie_of_import() {
	local d
	BAD=
	tell 2202
	jq 'del(.nodes.n4)' "$LAB_DIR/want/state.$MTU" >"$S"
	chmod 600 "$S"
	cp "$S" "$S.before"
	bounded import "root@$(sim_ip 4):2202" -accept-new-host-keys
	judge_run
	if [ "$RC" != 0 ]; then
		cmp -s "$S" "$S.before" || bad 'it failed and changed the state'
		grep -q . <<<"$OUT" || bad 'it failed without a word'
	elif [ "$2" = refused ]; then
		bad 'it was taken in'
	fi
	d=$(diff <(others_of "$S.before") <(others_of "$S" | jq -S 'del(.nodes[] | select(.ssh_port == 2202))')) || bad "the others differ:"$'\n'"$d"
	jq -e '[.nodes[] | select(.ssh_port == 2202)] | all(.is_local != true) and length <= 1' "$S" >/dev/null || bad 'it is local, or more than one'
	jq -e '[.nodes[].public_key] | length == (unique | length)' "$S" >/dev/null || bad 'two nodes have one key'
	jq -e '[.nodes[].mesh_ip] | length == (unique | length)' "$S" >/dev/null || bad 'two nodes have one address'
	verdict "import: $1"
}

lies_silence() { lie 'it is silent' 3 'ran nothing' <<<'sleep 1000'; }

lies_import() {
	lie_of_import 'it is the control node' harmless <<<'honest | host_word hostname "$CTL" | host_word fqdn "$CTL"; go_on'
	lie_of_import 'it is n1 by name' harmless <<<'honest | host_word hostname n1; go_on'
	lie_of_import 'it is n1 by the key of its interface' refused <<<'honest | in_section dump "n == 1 { \$1 = \"$K1\" }"; go_on'
	lie_of_import 'it is n1 by all its keys' refused \
		<<<'honest | in_section dump "n == 1 { \$1 = \"$K1\" }" | host_word hostkey "$K1" | sed "s/^public .*/public $K1/"; go_on'
	lie_of_import 'it is n1 by name and key' refused <<<'honest | in_section dump "n == 1 { \$1 = \"$K1\" }" | host_word hostname n1; go_on'
	lie_of_import 'its key is zero' refused <<<'honest | in_section dump "n == 1 { \$1 = \"$ZERO\" }" | host_word hostkey "$ZERO"; go_on'
	lie_of_import 'it has the mesh address of n1' harmless <<<'honest | sed "s/ 10.99.0.4\/16 / 10.99.0.1\/16 /; s/ fd99::4\// fd99::1\//"; go_on'
	lie_of_import 'a peer of it takes everything' refused \
		<<<'honest | in_section dump "n == 1 { print; print \"$OTHER\t(none)\t203.0.113.9:1\t0.0.0.0/0,::/0\t0\t0\t0\toff\"; next }"; go_on'
	lie_of_import 'a peer of it takes the halves of everything' refused \
		<<<'honest | in_section dump "n == 1 { print; print \"$OTHER\t(none)\t203.0.113.9:1\t0.0.0.0/1,128.0.0.0/1\t0\t0\t0\toff\"; next }"; go_on'
	lie_of_import 'a peer of it takes the control node' harmless \
		<<<'honest | in_section dump "n == 1 { print; print \"$OTHER\t(none)\t203.0.113.9:1\t10.77.0.1/32,10.50.1.0/24\t0\t0\t0\toff\"; next }"; go_on'
	lie_of_import 'the peers have each other'\''s addresses' harmless \
		<<<'honest | in_section dump "\$1 == \"$K1\" { \$4 = \"10.99.0.2/32,10.50.9.0/24\" }"; go_on'
	lie_of_import 'it has a million peers' refused <<<'honest | in_section dump "n == 1 { print; for (i = 0; i < 1000000; i++)
		printf \"%042dA=\t(none)\t(none)\t(none)\t0\t0\t0\toff\n\", i; next }"; go_on'
	lie_of_import 'its name has escape codes' refused <<<'honest | host_word hostname "$(printf "a\033]0;b\007")"; go_on'
	lie_of_import 'it says nothing of its secrets and goes' refused <<<'honest; wait_script'
	lie_of_import 'its secrets are garbage' refused <<<'honest; wait_script; frame private; printf "\033[2J\n"; frame preshared; frame boot; frame end'
	lie_of_import 'its secrets never end' refused <<<'honest; wait_script; frame boot; head -c 104857600 /dev/zero | tr "\0" x; frame end'
}

# ---- slow lies ----

# Starts a deploy of n4 alone, on the port $1 of the liar, while it tells the lie on standard input; the further arguments go to the program.
slow_start() {
	local port=$1
	shift
	tell "$port"
	jq --argjson p "$port" '.nodes.n4.ssh_port = $p | .nodes.n4.mtu = 1271 | .serial = 1000' "$LAB_DIR/want/state.$MTU" >"$LAB_DIR/slow.$port.json"
	chmod 600 "$LAB_DIR/slow.$port.json"
	(
		S=$LAB_DIR/slow.$port.json LIMIT_S=150
		RC=0
		OUT=$(lab_ctl_exec timeout -k 5 "$LIMIT_S" setsid -w "$WGMESH" -state "$S" deploy n4 "$@" 2>&1 </dev/null) || RC=$?
		printf '%s\n' "$RC" "$OUT" >"$LAB_DIR/slow.$port"
	) &
	SLOW="$SLOW $!"
}

# A case: the deploy that slow_start began on the port $2 ended by itself, and says why.
slow_end() {
	BAD=
	RC=$(head -n 1 "$LAB_DIR/slow.$2")
	OUT=$(sed 1d "$LAB_DIR/slow.$2") PEAK=0
	judge_run
	[ "$RC" = 3 ] || bad "exit status $RC, not 3"
	[ "$(sed '1,/^Plan: /d' <<<"$OUT" | grep -cE "^n4: (failed|unreachable): .*($3)")" = 1 ] || bad "not one line with '$3'"
	verdict "$1"
}

scene
SLOW=
slow_start 2203 -timeout 1 <<<'honest | while IFS= read -r x; do printf "%s" "$x" | sed "s/./&\n/g" | while IFS= read -r c; do printf "%s" "$c"; sleep 0.5; done; echo; done'
slow_start 2201 <<<'honest; steps >/dev/null; sleep 1000'
for group in ${*:-names keys places sightings interface markers frames large steps silence import}; do "lies_$group"; done
for pid in $SLOW; do wait "$pid"; done
slow_end 'its answer comes byte by byte' 2203 .
slow_end 'it is silent while the steps run' 2201 .
lies_new_keys
liar_says <<<'honest; go_on'
next_state
check_status 'in the end, when it lies no more, it is as the others' 0 w deploy
BAD='' OUT='' && judge_others '' && verdict 'and nothing is left of its lies'
finish
