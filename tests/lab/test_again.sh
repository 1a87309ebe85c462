#!/bin/bash
# Many hosts on a machine that is busy with other things, and answers that do not come to their end: what is said of a host is true.

# shellcheck source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"
# shellcheck source=tests/lab/sim.sh
. "$(dirname "${BASH_SOURCE[0]}")/sim.sh"

N=${N:-20}           # simulated hosts; the big run: N=100 ROUNDS=20
ROUNDS=${ROUNDS:-1}  # first deploys
BURNERS=${BURNERS:-$(nproc)}

# Makes the state: nodes n1 to n$N on the simulated hosts.
many_mesh() {
	local k
	rm -f "$S"
	e2e_quiet w -init || return
	for ((k = 1; k <= N; k++)); do
		e2e_quiet w -add "n$k:10.99.$((k / 250)).$((k % 250 + 1)):$(sim_ip "$k")" -offline || return
	done
}

# Starts loops that take all the time there is, half an hour at most; BURNING has their ids.
burn() {
	local k
	BURNING=()
	for ((k = 0; k < BURNERS; k++)); do
		timeout 1800 sh -c 'while :; do :; done' &
		BURNING+=($!)
	done
}

# Ends them.
burn_end() {
	kill "${BURNING[@]}" 2>/dev/null
	wait "${BURNING[@]}" 2>/dev/null
	BURNING=()
}

# Prints how many peers the simulated host $1 has.
count_peers() { sim_on "$1" 'wg show wg0 peers' | wc -l; }

# First deploys while the machine burns: nobody is unreachable, and what the summary says is there.
test_first() {
	local round k
	for ((round = 1; round <= ROUNDS; round++)); do
		sim_down && sim_up "$N" || { flunk "first $round: the hosts come up" ''; return; }
		sim_keys >"$LAB_DIR/home/.ssh/known_hosts"
		many_mesh
		burn
		check_status "first $round: a deploy of $N hosts on a busy machine" 0 w deploy
		burn_end
		check_has "first $round: all are done" "$(tail -n 1 <<<"$OUT")" "Deploy: $N changed, 0 unchanged"
		check_equal "first $round: all have all their peers" "$((N - 1))" \
			"$(for ((k = 1; k <= N; k++)); do count_peers "$k"; done | sort -u)"
	done
}

# With few descriptors fewer hosts are worked on at a time.
test_descriptors() {
	check_status 'descriptors: all hosts are read' 0 prlimit --nofile=64:64 \
		bash -c "$(declare -f lab_ctl_exec lab_ctl w_exec w); WGMESH='$WGMESH'; S='$S'; w plan --exit-code"
	e2e_edit '.listen_port = 51900 | .nodes[].listen_port = 51900'
	check_status 'descriptors: and changed' 0 prlimit --nofile=64:64 \
		bash -c "$(declare -f lab_ctl_exec lab_ctl w_exec w); WGMESH='$WGMESH'; S='$S'; w deploy"
	check_has 'descriptors: every one' "$(tail -n 1 <<<"$OUT")" "Deploy: $N changed, 0 unchanged"
}

# ---- answers that do not come to their end ----

# Makes "wg set" of our script stand still on the simulated host 1 until /run/go is there.
stall() {
	# shellcheck disable=SC2016
	sim_on 1 'rm -rf /run/stalled /run/go; cat >/usr/local/sbin/wg && chmod 755 /usr/local/sbin/wg' <<-'END'
		#!/bin/sh
		if [ "$1" = set ] && [ ! -e /run/go ] && mkdir /run/stalled; then
			echo $$ >/run/stalled/pid
			until [ -e /run/go ]; do sleep 0.05; done
		fi
		exec /usr/bin/wg "$@"
	END
}

# Starts a deploy of n1 that changes its port to $1, and waits until its script stands still; DEPLOY is its id.
deploy_stalled() {
	stall
	e2e_edit ".nodes.n1.listen_port = $1"
	w_exec deploy -timeout 2 --json n1 >"$LAB_DIR/out" 2>"$LAB_DIR/err" &
	DEPLOY=$!
	check "$1: the script stands still" until_true "$E2E_PATIENCE" sim_on 1 'test -s /run/stalled/pid'
}

# Ends on the simulated host 1 the process of sshd that carries the script's connection; with $1 = all the script, too.
cut_off() {
	# shellcheck disable=SC2016
	sim_on 1 "what=${1-}"'; p=$(cat /run/stalled/pid)
		up() { awk "/^PPid/ { print \$2 }" "/proc/$1/status"; }
		stalled=$p
		while [ "$(cat "/proc/$p/comm")" != sshd ]; do shells="$shells $p"; p=$(up "$p"); done
		kill -KILL "$p"
		[ "$what" != all ] || kill -KILL $shells'
}

# Waits for the deploy; RC is its exit status, OUT its JSON.
deploy_end() {
	RC=0
	wait "$DEPLOY" || RC=$?
	OUT=$(<"$LAB_DIR/out")
}

# Prints what OUT has for n1 at the jq path $1.
of_n1() { jq -rc ".hosts[0]$1" <<<"$OUT"; }

port_is() { [ "$(sim_on 1 '/usr/bin/wg show wg0 listen-port')" = "$1" ]; }

# The connection breaks while a step runs, which then goes on to its end.
test_goes_on() {
	deploy_stalled 51911
	cut_off
	check 'goes on: it says that the steps are still running' until_true 60 grep -q 'still running' "$LAB_DIR/err"
	sim_on 1 'touch /run/go'
	deploy_end
	check_equal 'goes on: waited for, and done' '0 changed' "$RC $(of_n1 .result)"
	check 'goes on: really' port_is 51911
	check_equal 'goes on: every step counts as done' true "$(of_n1 '.steps | all(.done)' 2>&1)"
}

# The connection breaks, and the script with it.
test_ends() {
	deploy_stalled 51912
	cut_off all
	deploy_end
	check_equal 'ends: done in part is a failure' '3 failed remote' "$RC $(of_n1 .result) $(of_n1 .error.code)"
	check_has 'ends: it names the step that is missing' "$(of_n1 .error.message)" 'listen port'
	check_equal 'ends: no step counts as done' '' "$(of_n1 '.steps | map(select(.done) | .step) | join(" ")' 2>&1)"
	check_not 'ends: the port is the old one' port_is 51912
	sim_on 1 'touch /run/go'
	check_status 'ends: the next deploy does the rest' 0 w deploy n1
	check 'ends: really' port_is 51912
}

# The connection breaks, and nobody lets us in again.
test_unknown() {
	deploy_stalled 51913
	# shellcheck disable=SC2016
	sim_on 1 'kill -STOP $(pgrep -o -x sshd)'
	cut_off
	deploy_end
	check_equal 'not known: unreachable' '3 unreachable' "$RC $(of_n1 .result)"
	check_has 'not known: it says so' "$(of_n1 .error.message)" 'not known'
	# shellcheck disable=SC2016
	sim_on 1 'touch /run/go; kill -CONT $(pgrep -o -x sshd)'
	check 'not known: the script went on' until_true "$E2E_PATIENCE" port_is 51913
}

e2e_start
test_first
test_descriptors
test_goes_on
test_ends
test_unknown
finish
