#!/bin/bash
# End to end: several people and pipelines deploy one mesh - older copies of the state, two deploys at once, saved plans, the log.

# shellcheck source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"

# Runs the program with the arguments behind $1 on the copy $1 of the state.
as() { (S=$LAB_DIR/$1.json && shift && w_exec "$@"); }

# Makes $1 a copy of the state $2.
pull() { cp "$LAB_DIR/$2.json" "$LAB_DIR/$1.json"; }

serial() { jq .serial "$LAB_DIR/$1.json"; }

# Prints the serial in the boot file of the host $1.
marker() { lab_on "$1" 'sed -n "1s/.*, serial //p" /etc/wireguard/wg0.conf'; }

# Prints the results in OUT, from --json, in the order of the nodes.
results() { printf '%s\n' "$OUT" | jq -r '[.hosts[].result] | join(" ")'; }

# ---- b: older copies ----

test_stale() {
	local before
	pull old ann
	pull bob ann
	e2e_quiet as ann route add n1 10.50.1.0/24
	check_status 'b. A deploys a change' 0 as ann deploy
	check_equal 'b. the hosts know its serial' "$(serial ann)" "$(marker h2)"
	before=$(snapshots h1 h2 h3)
	check_status 'b. B, with an older copy, is refused by the hosts' 3 as bob deploy
	check_has 'b. each says both serials' "$OUT" "n1: failed: its marker claims serial $(serial ann) without proof, and this state has $(serial bob)"
	check_has 'b. and what to do' "$OUT" "-force-serial"
	check_status 'b. also when only one host is named' 3 as bob deploy n3
	check_same 'b. no host was written' "$before" "$(snapshots h1 h2 h3)"
	check_status 'b. plan says so, too' 3 as bob plan
	pull bob ann
	check_status 'b. after a pull it is fine' 0 as bob deploy
	check_has 'b. with nothing to do' "$OUT" '3 unchanged'
}

# Back to the older state, for the one who knows; and forth.
test_force() {
	check_status 'b. -force-serial goes on' 0 as old deploy -force-serial
	check_equal 'b. the hosts have the older serial now' "$(serial old) $(serial old) $(serial old)" \
		"$(marker h1) $(marker h2) $(marker h3)"
	check_not 'b. and the older configuration' lab_on h2 'ip route show | grep 10.50.1.0/24'
	check_status 'b. nothing is left to do' 0 as old plan --exit-code
	check_status 'b. the newer one may go on from there' 0 as ann deploy
	check 'b. and does' lab_on h2 'ip route show | grep 10.50.1.0/24'
	test_force_marker
}

# A newer serial alone, with the same configuration.
test_force_marker() {
	e2e_quiet lab_on h1 "sed -i '1s/serial .*/serial 4711/' /etc/wireguard/wg0.conf"
	check_status 'b. a marker that claims more fails its host alone' 3 as ann deploy
	check_has 'b. it is named' "$OUT" 'n1: failed: its marker claims serial 4711 without proof'
	check_has 'b. the others are fine' "$OUT" '2 unchanged'
	check_status 'b. -force-serial again' 0 as ann deploy -force-serial
	check_equal 'b. writes the marker' "$(serial ann)" "$(marker h1)"
	check_status 'b. so that the next deploy is fine' 0 as ann deploy
	e2e_quiet lab_on h1 "sed -i '1s/mesh [0-9a-f]*, serial .*/mesh 00000000000000000000000000000000, serial 4711/' \
		/etc/wireguard/wg0.conf"
	check_status "b. another mesh's serial says nothing" 0 as ann deploy
}

# The content of an earlier revision under a new serial is no older state.
test_rollback() {
	local n
	n=$(($(serial ann) + 1))
	jq ".serial = $n" "$LAB_DIR/old.json" >"$LAB_DIR/ann.json"
	check_status 'g. a rollback is deployed' 0 as ann deploy
	check_equal 'g. under its own serial' "$n" "$(marker h2)"
	check_not 'g. the route is gone' lab_on h2 'ip route show | grep 10.50.1.0/24'
}

# Forwarding is not in the boot file; a host that got it alone knows the serial all the same.
test_marker_of_forwarding() {
	pull bob ann
	e2e_quiet as ann route add n3 10.50.3.0/24
	check_status 'b. a deploy to the host that forwards' 0 as ann deploy n3
	check_equal 'b. it knows the serial' "$(serial ann)" "$(marker h3)"
	check_status 'b. the older copy is refused there' 3 as bob deploy n3
	check_status 'b. and nowhere else' 0 as bob deploy n1
	check_status 'b. the newer one ends it' 0 as ann deploy
}

# ---- c: two at once ----

# Holds the lock of the host $1 until let_go; the lock file says nothing yet.
hold() {
	lab_on "$1" 'touch /root/hold; setsid flock /run/wgmesh-wg0.lock sh -c "
		: >/run/wgmesh-wg0.lock; touch /root/held; while [ -e /root/hold ]; do sleep 0.1; done; rm /root/held" >/dev/null 2>&1 </dev/null &'
	until_true "$E2E_PATIENCE" lab_on "$1" '[ -e /root/held ]'
}

let_go() {
	lab_on "$1" 'rm /root/hold' && until_true "$E2E_PATIENCE" lab_on "$1" '[ ! -e /root/held ]'
}

# Succeeds if a script on the host $1 waits for the lock.
waits() { lab_on "$1" 'pgrep -fx "sleep 1"'; }

# A deploy that is at work already when the host is probed.
test_busy() {
	e2e_quiet as ann set n1 port=51831
	hold h2
	lab_on h2 'printf "ff zoe@laptop, pid 7, since 2024-05-06T07:08:09Z\n" >/run/wgmesh-wg0.lock'
	check_status 'c. a host that is being deployed to is left out' 3 as ann deploy
	check_has 'c. with who it is, and since when' "$OUT" 'n2: failed: probe: another deploy is at work there (zoe@laptop, pid 7, since 2024-05-06T07:08:09Z)'
	check_has 'c. the others are done' "$OUT" 'n3: changed'
	lab_on h2 'printf "ff \033[31mevil\n" >/run/wgmesh-wg0.lock'
	try as ann plan
	check_not 'c. what the file says never steers the terminal' grep -q "$(printf '\033')" <<<"$OUT"
	let_go h2
	lab_on h2 'printf "ff zoe@laptop\n" >/run/wgmesh-wg0.lock'
	check_status 'c. a file that nobody holds says nothing' 0 as ann deploy
	check_has 'c. the host is done' "$OUT" 'n2: changed'
}

# One that begins between probe and script: the second waits, and says who it was.
test_wait() {
	local pid
	e2e_quiet as ann set n1 port=51832
	hold h2
	(S=$LAB_DIR/ann.json && w_exec deploy -log "$LAB_DIR/wait.log") >"$LAB_DIR/wait.out" 2>&1 &
	pid=$!
	check 'c. the second one waits' until_true "$E2E_PATIENCE" waits h2
	lab_on h2 'printf "ff zoe@laptop, pid 7, since 2024-05-06T07:08:09Z\n" >/run/wgmesh-wg0.lock'
	RC=0
	wait "$pid" || RC=$?
	OUT=$(<"$LAB_DIR/wait.out")
	check_equal 'c. not for ever' 3 "$RC"
	check_has 'c. and says who has it' "$OUT" 'n2: failed: another deploy is at work there (zoe@laptop, pid 7, since 2024-05-06T07:08:09Z)'
	check_equal 'c. the log says that nothing ran' 'not_run conflict' \
		"$(jq -r 'select(.node == "n2") | .result + " " + .error.code' "$LAB_DIR/wait.log" | sort -u)"
	let_go h2
}

# The same, but the first one ends in time: the second one's plan is out of date.
test_overtaken() {
	local pid before
	e2e_quiet as ann set n1 port=51833
	hold h2
	before=$(settings h2)
	(S=$LAB_DIR/ann.json && w_exec deploy) >"$LAB_DIR/wait.out" 2>&1 &
	pid=$!
	check 'c. a plan made before another deploy' until_true "$E2E_PATIENCE" waits h2
	lab_on h2 'printf "ff\n" >/run/wgmesh-wg0.lock'
	let_go h2
	RC=0
	wait "$pid" || RC=$?
	check_equal 'c. is not run after it' 3 "$RC"
	check_has 'c. and says so' "$(<"$LAB_DIR/wait.out")" 'n2: failed: another deploy changed this host meanwhile; run it again'
	check_same 'c. nothing was changed there' "$before" "$(settings h2)"
	check_status 'c. run again it is fine' 0 as ann deploy
	check_equal 'c. and the lock file has its token' 'yes' \
		"$(lab_on h2 'read -r t w </run/wgmesh-wg0.lock; case $t$w in *[!0-9a-f]*) ;; *) [ ${#t} = 32 ] && echo yes;; esac')"
}

# The same where the host has no flock: a process that lives has the lock, one that was killed has not.
test_no_flock() {
	e2e_quiet as ann set n1 port=51834
	# shellcheck disable=SC2016
	e2e_quiet lab_on h2 'mv /usr/bin/flock /root/ && mkdir -m 700 /run/wgmesh-wg0.lock.d && { setsid sleep 1000 >/dev/null 2>&1 </dev/null & } &&
		echo $! >/root/hold && read -r boot </proc/sys/kernel/random/boot_id &&
		: >"/run/wgmesh-wg0.lock.d/$(cut -d" " -f1,22 "/proc/$!/stat" | tr " " -)-$boot"
		read -r token who </run/wgmesh-wg0.lock; echo "$token zoe@laptop" >/run/wgmesh-wg0.lock'
	check_status 'c. without flock: a host that is being deployed to is left out' 3 as ann deploy
	check_has 'c. with who it is' "$OUT" 'n2: failed: probe: another deploy is at work there (zoe@laptop)'
	# shellcheck disable=SC2016
	e2e_quiet lab_on h2 'kill -9 "$(cat /root/hold)"; rm /root/hold'
	check_status 'c. whose script was killed is deployed to' 0 as ann deploy
	check_has 'c. it is done' "$OUT" 'n2: changed'
	check_equal 'c. and no claim is left' '' "$(lab_on h2 'ls -A /run/wgmesh-wg0.lock.d')"
	e2e_quiet lab_on h2 'mv /root/flock /usr/bin/'
}

# Prints of each host whether it is all as $1 or all as $2 says.
whole() {
	local one two
	try as "$1" plan --json
	one=$(results)
	try as "$2" plan --json
	two=$(results)
	paste -d' ' <(tr ' ' '\n' <<<"$one") <(tr ' ' '\n' <<<"$two") | while read -r a b; do
		if [ "$a" = unchanged ] || [ "$b" = unchanged ]; then echo whole; else echo "half: $a, $b"; fi
	done
}

# Two deploys at once, of two copies that say different things.
test_race() {
	local round a b ra rb
	for round in 1 2 3; do
		pull bob ann
		e2e_quiet as ann set n1 "port=5190$round"
		e2e_quiet as ann route add n2 "10.60.$round.0/24"
		e2e_quiet as bob set n1 "port=5191$round"
		e2e_quiet as bob route add n2 "10.61.$round.0/24"
		(S=$LAB_DIR/ann.json && w_exec deploy) >"$LAB_DIR/ann.out" 2>&1 &
		a=$!
		(S=$LAB_DIR/bob.json && w_exec deploy) >"$LAB_DIR/bob.out" 2>&1 &
		b=$!
		ra=0 rb=0
		wait "$a" || ra=$?
		wait "$b" || rb=$?
		check "c. round $round: each runs or is refused for hosts" test "$((ra == 0 || ra == 3)) $((rb == 0 || rb == 3))" = '1 1'
		check_equal "c. round $round: no host is half of each" 'whole whole whole' "$(whole ann bob | paste -sd' ')"
		check_status "c. round $round: run again, one of them wins" 0 as ann deploy
		check_status "c. round $round: everywhere" 0 as ann plan --exit-code
	done
}

# ---- f: saved plans ----

# Saves a plan for a change that has not been deployed.
planned() {
	e2e_quiet as ann set n1 "port=$1"
	check_status "f. a plan is saved ($1)" 0 as ann plan -out "$LAB_DIR/plan"
	WAS=$(snapshots h1 h2 h3)
}

# Checks that the saved plan is refused (title $1) with status $2 and the words $3, and that nothing was changed.
plan_refused() {
	check_status "f. $1: refused" "$2" as ann deploy "$LAB_DIR/plan"
	check_has "f. $1: it says why" "$OUT" "$3"
	check_same "f. $1: no host was written" "$WAS" "$(snapshots h1 h2 h3)"
}

test_saved() {
	local key
	planned 51841
	check_equal 'f. it is private' 600 "$(stat -c %a "$LAB_DIR/plan")"
	for key in $(jq -r '.nodes[].private_key' "$LAB_DIR/ann.json"); do
		check_not 'f. no private key is in it' grep -qF "$key" "$LAB_DIR/plan"
	done
	check_status 'f. it runs when nothing has changed' 0 as ann deploy "$LAB_DIR/plan"
	check_equal 'f. and does what it says' 51841 "$(lab_on h1 'wg show wg0 listen-port')"
	check_status 'f. nothing is left' 0 as ann plan --exit-code
	WAS=$(snapshots h1 h2 h3)
	plan_refused 'the same plan again' 1 "host 'n1' is not as it was when the plan was made"
}

test_saved_refused() {
	planned 51842
	e2e_quiet lab_on h3 'ip addr add 10.77.7.7/24 dev wg0'
	WAS=$(snapshots h1 h2 h3)
	plan_refused 'a hand change on a host' 1 "host 'n3' is not as it was when the plan was made"
	check_not 'f. a hand change: the others are not named' grep -q "host 'n1'" <<<"$OUT"
	e2e_quiet lab_on h3 'ip addr del 10.77.7.7/24 dev wg0'
	WAS=$(snapshots h1 h2 h3)
	cp "$LAB_DIR/plan" "$LAB_DIR/good"
	sed -i 's/51842/51843/' "$LAB_DIR/plan"
	plan_refused 'an edited file' 2 'was edited since'
	jq . "$LAB_DIR/good" >"$LAB_DIR/plan"
	plan_refused 'a file that was only laid out anew' 2 'was edited since'
	head -c 700 "$LAB_DIR/good" >"$LAB_DIR/plan"
	plan_refused 'half of a file' 2 'line '
	test_saved_forged
	cp "$LAB_DIR/good" "$LAB_DIR/plan"
	lab_unplug h2
	check_status 'f. a host that is gone meanwhile: refused' 1 as ann deploy -timeout 3 "$LAB_DIR/plan"
	lab_plug h2
	check_has 'f. it is named' "$OUT" "host 'n2' is unreachable now"
	e2e_quiet as ann set n2 keepalive=7
	plan_refused 'a changed state' 1 'the state has changed since the plan was made (serial'
	check_status 'f. a deploy without a plan' 0 as ann deploy
}

# An edited file with a digest that fits does not make other steps run.
test_saved_forged() {
	python3 - "$LAB_DIR/good" "$LAB_DIR/plan" <<-'END'
		import hashlib, sys
		text = open(sys.argv[1]).read().replace('51842', '51843')
		at = text.rindex(',"sha256"')
		body = text[:at] + '}'
		sha = hashlib.sha256(body.encode()).hexdigest()
		open(sys.argv[2], 'w').write(text[:at] + ',"sha256":"' + sha + '"}\n')
	END
	plan_refused 'an edited file whose digest fits' 1 "host 'n1' step 1 would be '~ listen port 51841 -> 51842' now"
}

# Hosts that could not be reached when the plan was made stay out of it.
test_saved_absent() {
	lab_unplug h3
	e2e_quiet as ann set n1 port=51844
	check_status 'f. a plan without a host' 3 as ann plan -timeout 3 -out "$LAB_DIR/plan"
	lab_plug h3
	can_ping h1 "$(lab_ip h3)" >/dev/null
	check_status 'f. runs without it' 0 as ann deploy "$LAB_DIR/plan"
	check_has 'f. and says so' "$OUT" "'n3' was unreachable when the plan was made and stays out"
	check_equal 'f. really' 4 "$(as ann plan --exit-code --json >/dev/null 2>&1; echo $?)"
	check_status 'f. -adopt is decided at plan' 2 as ann deploy -adopt "$LAB_DIR/plan"
	check_status 'f. the rest' 0 as ann deploy
}

# ---- what pipelines read ----

test_log() {
	local log=$LAB_DIR/audit.log
	e2e_quiet as ann set n1 port=51851
	check_status 'log: a plan' 0 as ann plan -log "$log"
	check_status 'log: a deploy' 0 as ann deploy -log "$log"
	check_equal 'log: it is private' 600 "$(stat -c %a "$log")"
	check_equal 'log: the plan says what is planned' 'set_listen_port write_boot_file' \
		"$(jq -r 'select(.command == "plan" and .node == "n1" and .result == "planned") | .step' "$log" | paste -sd' ')"
	check_equal 'log: the deploy what was done' 'set_listen_port write_boot_file' \
		"$(jq -r 'select(.command == "deploy" and .node == "n1" and .result == "done") | .step' "$log" | paste -sd' ')"
	check_equal 'log: by whom, for which state' "$(id -un) $(hostname) $(jq -r .mesh_id "$LAB_DIR/ann.json") $(serial ann)" \
		"$(jq -r '[.user, .host, .mesh_id, .serial] | join(" ")' "$log" | sort -u)"
	check 'log: in UTC' jq -es 'all(.time | test("^20[0-9-]{8}T[0-9:]{8}Z$"))' "$log"
	e2e_quiet as ann set n1 port=51852
	e2e_quiet lab_on h1 'mv /usr/bin/mktemp /usr/bin/mktemp.away'
	check_status 'log: a deploy that fails' 3 as ann deploy -log "$log"
	e2e_quiet lab_on h1 'mv /usr/bin/mktemp.away /usr/bin/mktemp'
	check_equal 'log: says how far it came' 'set_listen_port:done write_boot_file:failed' \
		"$(jq -r 'select(.node == "n1") | .step + ":" + .result' "$log" | tail -n 2 | paste -sd' ')"
	check_equal 'log: and why' remote "$(jq -r 'select(.result == "failed") | .error.code' "$log")"
	test_log_lines "$log"
}

test_log_lines() {
	local key
	check 'log: every line is JSON of the same members' jq -es \
		'all(keys == ["command","error","host","mesh_id","node","result","serial","step","text","time","user"])' "$1"
	for key in $(jq -r '.nodes[].private_key' "$LAB_DIR/ann.json"); do
		check_not 'log: no private key is in it' grep -qF "$key" "$1"
	done
	check_status 'log: one that cannot be opened stops a deploy' 1 as ann deploy -log "$LAB_DIR/no/where"
	check_status 'log: one that cannot be written to' 1 as ann deploy -log /dev/full
	check_has 'log: is told of' "$OUT" 'cannot write to the log'
}

test_markdown() {
	e2e_quiet as ann set n1 port=51861
	try as ann plan --markdown
	check_equal 'markdown: exit 0' 0 "$RC"
	check_has 'markdown: the counts' "$OUT" 'Hosts: 3 to change, 0 unchanged'
	check_has 'markdown: a row' "$OUT" '| `n1` | to change | 2 |'
	check_has 'markdown: the steps' "$OUT" '```diff
~ listen port'
	check_status 'markdown: deploy' 0 as ann deploy
	try as ann plan --markdown
	check_has 'markdown: nothing to do' "$OUT" 'Hosts: 0 to change, 3 unchanged'
	check_not 'markdown: no table then' grep -q '| node' <<<"$OUT"
}

e2e_start
lab_boot h1 h2 h3
S=$LAB_DIR/ann.json
e2e_mesh 3
check_status 'before: three hosts are deployed' 0 as ann deploy
test_stale
test_force
test_rollback
test_marker_of_forwarding
test_busy
test_wait
test_overtaken
test_no_flock
test_race
test_saved
test_saved_refused
test_saved_absent
test_log
test_markdown
finish
