# How every script begins that changes a host: it waits for the host's lock
# and takes it, or refuses to run.
#
# Set before it, by render/host/script.c: INTERFACE; NONCE, which is the token of
# this deploy, too; SEEN_TOKEN, the token that the probe saw; WHO we are. It is
# read behind section.sh and lock.sh, and within a function that is called in the
# script's last line.

trap "" HUP PIPE
umask 077
boot_file=/etc/wireguard/$INTERFACE.conf
key_file=/etc/wireguard/$INTERFACE.key
sysctl_file=/etc/sysctl.d/90-wgmesh-$INTERFACE.conf
# set once a part has failed
failed=
# set with the lock
locked=

# Nothing runs, since $1.
refuse() {
	failed=1
	section "held 0
$1"
}

wait_for_lock() {
	seconds=0
	until try_lock; do
		[ $seconds -lt 30 ] || return 1
		seconds=$((seconds + 1))
		sleep 1
	done
}

# held is the file that is the lock.
if command -v flock >/dev/null; then
	held=$lock
	try_lock() {
		flock -n 0 <&9
	}
else
	mkdir "$lock.d" 2>/dev/null
	name_claim $$
	own_claim=$claim
	held=$lock.d/$claim
	# A claim is made before the others are looked at: of two at once one at
	# least sees the other.
	try_lock() {
		true >"$held" && ! others_claim && return
		rm -f "$held"
		return 1
	}
fi

# One deploy at a time, and none that was planned before another one. The file's
# first line is written in one go, never cut; what is behind it says nothing.
take_lock() {
	if ! true 2>/dev/null >>"$held"; then
		refuse "no lock can be made there: $held"
		return
	fi
	exec 9<>"$lock"
	if ! wait_for_lock; then
		read_lock
		refuse "another deploy is at work there (${holder:-it does not say who}); try again when it is done"
		return
	fi
	read_lock
	if [ "$token" != "$SEEN_TOKEN" ] && [ "$token" != "$NONCE" ]; then
		refuse "another deploy changed this host meanwhile; run it again"
		return
	fi
	locked=1
	printf "%s %s, since %s\n" "$NONCE" "$WHO" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" 1<>"$lock"
}
take_lock

# Runs part, which is the steps from the one with the number $1 on, if none has
# failed. Programs that stay must not keep the lock, which is 9.
run() {
	[ -n "$failed" ] && return
	if words=$(part 2>&1 >/dev/null </dev/null 9>&-); then
		section "ok $1"
	else
		failed=1
		section "fail $1
$words"
	fi
}
