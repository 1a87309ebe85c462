# shellcheck shell=bash disable=SC2016,SC2317
# What the end-to-end tests share: a lab, a mesh on its hosts, and questions to the hosts. Source it from a bash script:
#
#   . "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"
#   e2e_start; lab_boot h1 h2 h3; e2e_mesh 3; w deploy; check '...' can_ping h1 10.99.0.2; finish
#
# Node nK lives on host hK and has the mesh addresses 10.99.0.K and fd99::K (up to 9 hosts). The program under test is $WGMESH.
#
#   $S            the state file             $OUT, $RC     what the last `try` printed, and its exit status
#   w ARG...      the program, on the control side, without a terminal and without input
#   w_exec ARG... the same by exec: `w_exec deploy &` makes $! the program's own pid

E2E_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WGMESH=$(realpath -m "${WGMESH:-$E2E_ROOT/build/wgmesh}")
# shellcheck source=tests/lib/harness.sh
. "$E2E_ROOT/tests/lib/harness.sh"
# shellcheck source=tests/lab/lab.sh
. "$E2E_ROOT/tests/lab/lab.sh"

# How long a host may take for what it does by itself (seconds); no test is judged by it.
E2E_PATIENCE=${E2E_PATIENCE:-30}

# Starts the lab, or ends the script with one skipped case and the reason.
e2e_start() {
	local why tool
	why=$(lab_missing) || e2e_skip_all "$why"
	for tool in jq strace setsid; do
		command -v "$tool" >/dev/null || e2e_skip_all "the end-to-end tests need the command $tool"
	done
	[ -x "$WGMESH" ] || e2e_fail_all "there is no program $WGMESH: run make"
	lab_start || e2e_fail_all 'the lab does not start'
	S=$LAB_DIR/mesh-state.json
}

# Ends the script with one skipped case, for the reason $1.
e2e_skip_all() {
	skip "$(basename "$0")" "$1"
	finish
}

# Ends the script with one failed case, for the reason $1.
e2e_fail_all() {
	flunk "$(basename "$0")" "$1"
	finish
}

# Runs the program on the control side with the test's state.
w() { (w_exec "$@"); }

# Becomes the program; without a controlling terminal, or it could ask the person who runs the tests.
w_exec() { lab_ctl_exec setsid -w "$WGMESH" -state "$S" "$@" </dev/null; }

# Runs the command and keeps what it prints in OUT and its exit status in RC; always succeeds.
try() {
	RC=0
	OUT=$("$@" 2>&1) || RC=$?
}

# Cases: the command after the name ends with this exit status ($2); what it printed is shown if not, and stays in OUT.
check_status() {
	local name=$1 want=$2
	shift 2
	try "$@"
	if [ "$RC" = "$want" ]; then pass "$name"; else flunk "$name" "exit $RC, expected $want: $OUT"; fi
}

# A case: the command after the name fails.
check_not() {
	local name=$1
	shift
	try "$@"
	if [ "$RC" != 0 ]; then pass "$name"; else flunk "$name" "succeeds: $* : $OUT"; fi
}

# A case: the second argument contains the third.
check_has() {
	case $2 in
	*"$3"*) pass "$1" ;;
	*) flunk "$1" "no '$3' in: $2" ;;
	esac
}

# A case: two outputs are equal; what differs is shown if not.
check_same() {
	if [ "$2" = "$3" ]; then pass "$1"; else flunk "$1" "$(diff <(printf '%s\n' "$2") <(printf '%s\n' "$3"))"; fi
}

# Makes the state: a mesh with the nodes n1..n$1 on the booted hosts h1..h$1; further arguments go to init. Not deployed.
e2e_mesh() {
	local k n=$1
	shift
	rm -f "$S"
	e2e_quiet w -init -network6 fd99::/64 "$@" || return
	for ((k = 1; k <= n; k++)); do e2e_add "$k" || return; done
}

# Adds node n$1 on host h$1 and pins its host key.
e2e_add() { e2e_quiet w -add "n$1:10.99.0.$1:$(lab_ip "h$1")" -accept-new-host-keys; }

# Runs a step of the preparation: silent, or a failed case.
e2e_quiet() {
	try "$@"
	[ "$RC" = 0 ] || { flunk "preparation: $*" "exit $RC: $OUT"; return 1; }
}

# Changes the state file by the jq program $1 (options of jq may stand before it).
e2e_edit() {
	jq "$@" "$S" >"$S.new" && chmod 600 "$S.new" && mv "$S.new" "$S"
}

# Prints h1..h$1.
hosts() { seq -f 'h%.0f' "$1"; }

# Succeeds once a ping from the host $1 to the address $2 is answered.
can_ping() { until_true "$E2E_PATIENCE" lab_on "$1" "ping -n -c 1 -W 1 $2" || lab_on "$1" "ping -n -c 1 -W 1 $2"; }

# Succeeds if none of several pings from the host $1 to the address $2 is answered.
cannot_ping() {
	local rc=0
	lab_on "$1" "ping -n -c 5 -i 0.2 -W 1 $2" || rc=$?
	[ "$rc" = 1 ] || [ "$rc" = 2 ]
}

# Succeeds if every ordered pair of the first $1 hosts pings over both mesh addresses; names the pairs that do not.
all_ping() {
	local from to rc=0
	for ((from = 1; from <= $1; from++)); do
		for ((to = 1; to <= $1; to++)); do
			[ "$from" != "$to" ] || continue
			can_ping "h$from" "10.99.0.$to" >/dev/null 2>&1 || { echo "h$from does not reach 10.99.0.$to"; rc=1; }
			can_ping "h$from" "fd99::$to" >/dev/null 2>&1 || { echo "h$from does not reach fd99::$to"; rc=1; }
		done
	done
	return "$rc"
}

# Prints the public key that the state has for the node $1.
key_of() { w list --json | jq -r --arg n "$1" '.nodes[] | select(.name == $n) | .public_key'; }

# Prints what is set on the host $1: WireGuard without secrets and counters, addresses, routes, forwarding, our files.
settings() {
	lab_on "$1" 'for i in $(wg show interfaces); do
			wg show "$i" dump | awk -F"\t" -v i="$i" "NR == 1 { print i, \$2, \$3, \$4; next } { print i, \$1, \$3, \$4, \$8 }" | sort
		done
		ip -o addr show | sed "/ fe80:/d; s/^[0-9]*: //; s/valid_lft.*//; s/ *\\\\$//" | sort
		echo routes; ip -4 route show; ip -6 route show | sed "/^fe80:/d"
		head -n 1 /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
		for f in /etc/wireguard/* /etc/sysctl.d/*wgmesh*; do [ ! -e "$f" ] || { stat -c "%n %a %U:%G" "$f"; sha256sum <"$f"; }; done
		systemctl is-enabled wg-quick@wg0; :' 2>&1
}

# Prints what the host $1 has of the peer with the key $2: endpoint and allowed IPs, sorted.
peer_on() {
	lab_on "$1" 'wg show wg0 dump' | awk -v k="$2" '$1 == k { print $3; gsub(",", "\n", $4); print $4 | "sort" }' | tr '\n' ' '
}

# Prints what tells a file, an interface or a unit from a new one of the same content: inodes, times, indexes.
identity() {
	lab_on "$1" 'stat -c "%n %i %y %z" /etc/wireguard /etc/wireguard/* /etc/sysctl.d /etc/sysctl.d/*wgmesh* \
			/etc/systemd/system/multi-user.target.wants /etc/systemd/system/multi-user.target.wants/wg-quick@wg0.service 2>/dev/null
		ip -o link show | cut -d: -f1,2
		systemctl show wg-quick@wg0 -p ActiveEnterTimestampMonotonic -p InvocationID -p NRestarts'
}

# Prints both: equal before and after means that nothing was changed on the host, not even by the same thing again.
snapshot() { settings "$1" && identity "$1"; }

# Prints the snapshots of the hosts $@.
snapshots() {
	local h
	for h; do
		echo "== $h"
		snapshot "$h"
	done
}

# Prints the peers of the host $1 as "public key, time of the last handshake", sorted.
handshakes() { lab_on "$1" 'wg show wg0 latest-handshakes' | sort; }

# Prints the public keys of the peers of the host $1, sorted.
peers_of() { lab_on "$1" 'wg show wg0 peers' | sort; }

# Prints the number of the interface wg0 on the host $1.
ifindex() { lab_on "$1" 'cat /sys/class/net/wg0/ifindex'; }

# Prints how many logins sshd of the host $1 has let in so far.
logins() { lab_log "$1" | grep -c 'Accepted '; }

# Starts an endless stream of pings, 10 ms apart, from the host $1 to the address $2.
stream_start() {
	lab_on "$1" "setsid ping -n -i 0.01 $2 >/root/stream 2>&1 </dev/null & "'echo $! >/root/stream.pid'
	until_true "$E2E_PATIENCE" stream_has "$1" 20
}

# Tells whether the stream of the host $1 has got more than $2 answers.
stream_has() { [ "$(stream_answers "$1")" -gt "$2" ]; }

# Prints how many answers the stream of the host $1 has got.
stream_answers() { lab_on "$1" 'grep -c "bytes from" /root/stream'; }

# Ends the stream of the host $1 after it has got 50 more answers; prints what is lost or no answer, and "complete" if nothing is.
stream_stop() {
	until_true "$E2E_PATIENCE" stream_has "$1" $(($(stream_answers "$1") + 50)) || echo 'the stream stands still'
	lab_on "$1" 'kill -INT $(cat /root/stream.pid)'
	lab_on "$1" 'grep -v -e "^PING" -e "bytes from" -e "^---" -e "packets transmitted" -e "^rtt" -e "^$" /root/stream'
	lab_on "$1" 'grep -o "icmp_seq=[0-9]*" /root/stream' | cut -d= -f2 | sort -nu |
		awk '$1 != NR && !gap { gap = 1; print "lost: number " NR " of the stream" } END { if (!gap) print "complete" }'
}

# Prints for each peer of the host $1: key, last handshake, bytes received and sent.
wg_counters() { lab_on "$1" 'wg show wg0 dump' | awk 'NR > 1 { print $1, $5, $6, $7 }' | sort; }

# Of two outputs of wg_counters prints the peers of the first that the second shows as started anew: less bytes, or another
# handshake (but for the one that WireGuard makes by itself every two minutes).
restarted() {
	awk 'NR == FNR { at[$1] = $2; rx[$1] = $3; tx[$1] = $4; next }
		$1 in at { seen[$1] = 1; if (($2 != at[$1] && $2 < at[$1] + 110) || $3 < rx[$1] || $4 < tx[$1]) print "restarted: " $0 }
		END { for (k in at) if (!seen[k]) print "gone: " k }' <(echo "$1") <(echo "$2")
}

# Starts to record every program that sshd of the host $1 and its children run (with the environment), and the files they write.
audit_start() {
	local pid
	pid=$(e2e_sshd_pid "$1") || return
	lab_in sh -c 'echo $$ >"$0.pid"; exec strace -f -qq -v -s 131072 -e signal=none -e trace=execve,openat -o "$0" -p "$1"' \
		"$LAB_DIR/audit.$1" "$pid" </dev/null >"$LAB_DIR/audit.$1.err" 2>&1 &
	until_true "$E2E_PATIENCE" lab_in grep -q 'TracerPid:.*[1-9]' "/proc/$pid/status"
}

# Prints the pid, as the lab sees it, of sshd of the host $1.
e2e_sshd_pid() {
	local init
	init=$(<"$LAB_DIR/hosts/$1/init")
	lab_in ps -eo pid=,ppid=,comm= | awk -v init="$init" '$2 == init && $3 == "sshd" { print $1; found = 1 } END { exit !found }'
}

# Ends the record of the host $1, which stays in $LAB_DIR/audit.$1.
audit_stop() {
	lab_in kill "$(<"$LAB_DIR/audit.$1.pid")" && until_true "$E2E_PATIENCE" audit_ended "$1"
}

# Tells whether the recorder of the host $1 is gone.
audit_ended() { ! lab_in kill -0 "$(<"$LAB_DIR/audit.$1.pid")"; }

# Prints the recorded programs of the host $1, one line each: the arguments as a list.
audit_programs() { sed -n 's/^[0-9]* *execve("[^"]*", \(\[.*\]\), \[.*/\1/p' "$LAB_DIR/audit.$1"; }

# Prints those of them that change something, and the files written except by a login itself; nothing if there is none.
audit_changes() {
	audit_programs "$1" | grep -E -e '^\["([^"]*/)?ip", .*"(add|del|delete|replace|change|append|set|flush|-batch|-b)"' \
		-e '^\["([^"]*/)?wg", "(set|setconf|syncconf|addconf)"' -e '^\["([^"]*/)?sed", "-i' \
		-e '^\["([^"]*/)?(wg-quick|systemctl|sysctl|mv|cp|rm|mkdir|rmdir|mktemp|chmod|chown|ln|tee|touch|install|sync|dd|truncate|nft|modprobe|apt-get|dpkg)"' |
		grep -v -E '^\["([^"]*/)?ip", "-o", "-batch", "-"\]' # the probe's, which only shows
	grep -E 'openat\([^"]*"[^"]*", [A-Z_|]*(O_WRONLY|O_RDWR|O_CREAT)' "$LAB_DIR/audit.$1" |
		grep -v -E '"(/dev/null|/dev/tty|/proc/self/oom_score_adj|/proc/self/loginuid|/run/motd.dynamic.new|/run/utmp|/var/log/[bw]tmp|/var/log/lastlog)"'
	:
}

# A case: two long texts are the same; shows only the lines that differ.
check_same() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		flunk "$1" "$(diff <(printf '%s\n' "$2") <(printf '%s\n' "$3"))"
	fi
}

# Runs the program with the arguments behind $2 on a terminal of its own; each time $1 stands there, answers with the line $2.
# Fills OUT (what the terminal showed) and RC (124 if it does not end); always succeeds.
on_terminal() {
	local prompt=$1 answer=$2 log=$LAB_DIR/terminal.log in=$LAB_DIR/terminal.in pid fd answered=0
	shift 2
	rm -f "$log" "$in"
	mkfifo "$in"
	: >"$log"
	lab_ctl_exec timeout -k 5 120 script -qefc "$(printf '%q ' "$WGMESH" -state "$S" "$@")" /dev/null <"$in" >"$log" 2>&1 &
	pid=$!
	exec {fd}<>"$in"
	while kill -0 "$pid" 2>/dev/null; do
		if [ "$(grep -oF -e "$prompt" "$log" | wc -l)" -gt "$answered" ]; then
			printf '%s\n' "$answer" >&"$fd"
			answered=$((answered + 1))
		fi
		sleep 0.05
	done
	exec {fd}>&-
	RC=0
	wait "$pid" || RC=$?
	OUT=$(tr -d '\r' <"$log")
}
