#!/bin/sh
# Sealed states and a program that is killed at every system call that writes,
# and what stays in its memory: not for one with sanitizers.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh
. tests/cli/sealed.sh
MEMSCAN=$(dirname "$WGMESH")/memscan

# shellcheck disable=SC2154 # got is set in common.sh

# ---- killed at every system call that writes ----

# Kills `add` at the $2nd call of the system calls $1; false once it gets through.
killed_at() {
	cp good.sealed s.json
	rm -f s.json.lock s.json.new
	! strace -qq -f -o /dev/null -e trace="$1" -e inject="$1:signal=KILL:when=$2" \
		"$WGMESH" -state s.json -identity id add k:auto:h -offline >/dev/null 2>&1
}

# What is wrong after a kill, in a word; nothing when all is well.
after_kill() {
	run -state s.json -identity id list -simple
	case "$got $(cut -d' ' -f1 "$T/out" | tr '\n' ' ')" in
	'0 a ' | '0 a k ') ;;
	*) echo "unreadable" ;;
	esac
	! grep -qs '"private_key"' ./* || echo "plain-text"
}

kills() {
	if ! command -v strace >/dev/null; then
		skip 'killed at every write, fsync and rename' 'there is no strace'
		return
	fi
	sealed_state
	cp s.json good.sealed
	tried=0 bad=''
	for call in write fsync rename,renameat,renameat2,linkat,unlink,unlinkat openat; do
		n=1
		while [ $n -le 60 ] && killed_at "$call" $n; do
			tried=$((tried + 1))
			why=$(after_kill)
			[ -z "$why" ] || bad="$bad $call:$n:$why"
			n=$((n + 1))
		done
	done
	check_equal 'killed anywhere: the old or the new state, no plain text' '' "$bad"
	if [ $tried -ge 8 ]; then pass "killed in $tried places"; else flunk "killed in $tried places" 'expected at least 8'; fi
}

# ---- memory ----

# leaves_nothing NAME ARGS...: no needle is in the process when it exits.
leaves_nothing() {
	what=$1
	shift
	"$MEMSCAN" "$T/needles" "$WGMESH" "$@" >"$T/out" 2>"$T/err" </dev/null
	got=$?
	if [ $got -eq 0 ]; then pass "$what"; else flunk "$what" "status $got: $(grep memory "$T/out")"; fi
}

memory() {
	if [ ! -x "$MEMSCAN" ]; then
		skip 'no secret stays in memory' 'there is no memscan beside the program'
		return
	fi
	sealed_by_passphrase
	run -state s.json -password-file pw cat -secrets
	sed -n 's/.*"private_key": "\(.*\)",/\1/p' "$T/out" >"$T/needles"
	echo "$PASS" >>"$T/needles"
	: >"$T/out"
	export WGMESH_PASSWORD_FILE=pw
	leaves_nothing 'no secret stays in memory: list' -state s.json list
	leaves_nothing 'no secret stays in memory: add' -state s.json add m:auto:h -offline
	leaves_nothing 'no secret stays in memory: render -secrets' -state s.json render a -secrets
	leaves_nothing 'no secret stays in memory: cat' -state s.json cat
	leaves_nothing 'no secret stays in memory: rekey' -state s.json rekey -new-password-file pw
	unset WGMESH_PASSWORD_FILE
	WGMESH_PASSWORD=$PASS leaves_nothing 'no secret stays in memory: from the environment' -state s.json list
}

kills
memory
finish
