#!/bin/bash
# End to end: a sealed state in git, two admins with a clone each, real hosts. A state that is behind is refused before any
# host is written; a rollback brings the hosts back to what they were.

# shellcheck source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"

command -v git >/dev/null || e2e_skip_all 'there is no git'

# in_clone NAME CMD...: a command on the control side, in that clone, with what opens the state.
in_clone() {
	local folder=$LAB_DIR/$1
	shift
	lab_ctl env -C "$folder" PATH="$LAB_DIR/bin:$PATH" WGMESH_STATE=mesh-state.json WGMESH_IDENTITY="$LAB_DIR/admins.key" "$@" </dev/null
}
a() { in_clone a "$@"; }
b() { in_clone b "$@"; }

# A bare repository, the state of n1 and n2 in the clone a, pushed; a clone b.
test_setup() {
	local count
	mkdir -p "$LAB_DIR/bin"
	ln -sf "$WGMESH" "$LAB_DIR/bin/wgmesh"
	e2e_quiet lab_ctl git config --global user.name Admin
	e2e_quiet lab_ctl git config --global user.email admin@example.org
	e2e_quiet lab_ctl git config --global init.defaultBranch main
	e2e_quiet lab_ctl git init -q --bare "$LAB_DIR/remote.git"
	e2e_quiet lab_ctl git clone -q "$LAB_DIR/remote.git" "$LAB_DIR/a"
	"$WGMESH" identity new "$LAB_DIR/admins.key" >"$LAB_DIR/admins.pub" 2>/dev/null
	e2e_quiet a wgmesh init -recipient "$(<"$LAB_DIR/admins.pub")"
	e2e_quiet a wgmesh git-setup
	e2e_quiet a wgmesh add "n1:10.99.0.1:$(lab_ip h1)" -accept-new-host-keys
	e2e_quiet a wgmesh add "n2:10.99.0.2:$(lab_ip h2)" -accept-new-host-keys
	e2e_quiet a git add .gitattributes
	e2e_quiet a git commit -q -m attributes
	check_status 'git: the first deploy' 0 a wgmesh deploy
	count=$(a git rev-list --count HEAD)
	check_status 'git: a second deploy' 0 a wgmesh deploy
	check_status 'git: and one of a single node' 0 a wgmesh deploy n1
	check_equal 'git: nothing was done, nothing is recorded' "$count" "$(a git rev-list --count HEAD)"
	e2e_quiet a git push -q -u origin main
	e2e_quiet lab_ctl git clone -q "$LAB_DIR/remote.git" "$LAB_DIR/b"
	e2e_quiet b wgmesh git-setup
}

# b. A deploys a change; B, whose clone is older, is refused before any host is written; B pulls, then it is fine.
test_behind() {
	local before
	check_status 'b. A changes something' 0 a wgmesh set n1 port=51830
	check_status 'b. A deploys it' 0 a wgmesh deploy
	check_equal 'b. it is there' 51830 "$(lab_on h1 'wg show wg0 listen-port')"
	check_status 'b. A pushes' 0 a git push -q
	before=$(snapshots h1 h2)
	check_status 'b. B with an older clone is refused' 1 b wgmesh deploy
	check_has 'b. it says what to do' "$OUT" 'pull'
	check_same 'b. no host was written' "$before" "$(snapshots h1 h2)"
	check_equal 'b. the clone of B is clean' '' "$(b git status --porcelain)"
	check_status 'b. B pulls' 0 b wgmesh pull
	check_status 'b. B changes something of its own' 0 b wgmesh set n2 mtu=1380
	check_status 'b. B deploys' 0 b wgmesh deploy
	check_has 'b. it is there' "$(lab_on h2 'ip link show wg0')" 'mtu 1380'
	check_equal 'b. and what A did is, too' 51830 "$(lab_on h1 'wg show wg0 listen-port')"
	check_status 'b. B pushes' 0 b git push -q
	check_status 'b. A pulls with git' 0 a git pull -q
	check_status 'b. A is up to date with the hosts' 0 a wgmesh plan -exit-code
}

# The newer one goes on by force alone.
test_forced() {
	check_status 'b. A changes something, deploys, and does not push' 0 a wgmesh set n1 keepalive=17
	check_status 'b. A: deploy' 0 a wgmesh deploy
	check_status 'b. B is behind again' 1 b wgmesh deploy
	check_status 'b. B knows better' 0 b wgmesh deploy -force-serial
	check_equal 'b. the hosts have what B has' 'off' "$(lab_on h1 'wg show wg0 persistent-keepalive' | cut -f2)"
	check_status 'b. A puts it right' 0 a wgmesh deploy -force-serial
	e2e_quiet a git push -q
}

# Succeeds once somebody has the deploy lock at the remote.
locked() { b wgmesh lock | grep -q 'has the deploy lock'; }

# c. Two deploys at once, from two clones: one runs, the other is told who does, and no host is half of each.
test_at_once() {
	local pid rc=0
	e2e_quiet a wgmesh pull
	e2e_quiet a wgmesh push
	e2e_quiet b wgmesh pull
	e2e_quiet a wgmesh set n1 port=51840
	e2e_quiet a wgmesh set n2 port=51840
	# h1 keeps whoever comes waiting, so that both are at work at the same time
	lab_on h1 'setsid flock /run/wgmesh-wg0.lock sleep 1000 >/dev/null 2>&1 </dev/null & echo $! >/root/hold'
	a wgmesh deploy -pull -push >"$LAB_DIR/deploy.a" 2>&1 &
	pid=$!
	check 'c. A has the lock at the remote' until_true "$E2E_PATIENCE" locked
	check_status 'c. B is refused' 1 b wgmesh deploy -pull -push
	check_has 'c. and told who deploys' "$OUT" 'lock'
	lab_on h1 'kill -- -$(cat /root/hold) 2>/dev/null || kill $(cat /root/hold)'
	wait "$pid" || rc=$?
	check_equal "c. A is done ($(tail -n 1 "$LAB_DIR/deploy.a"))" 0 "$rc"
	check_equal 'c. both hosts are what A wants' '51840 51840' \
		"$(lab_on h1 'wg show wg0 listen-port') $(lab_on h2 'wg show wg0 listen-port')"
	check_status 'c. now B may' 0 b wgmesh deploy -pull -push
	check_equal 'c. and nothing is undone' '51840 51840' \
		"$(lab_on h1 'wg show wg0 listen-port') $(lab_on h2 'wg show wg0 listen-port')"
	check_status 'c. nobody has the lock' 0 b wgmesh lock
	check_equal 'c. it says so' 'no deploy has the lock' "$OUT"
	e2e_quiet a wgmesh pull
}

# What the hosts have, without what says when it was deployed: the marker's serial and the boot file's digest with it.
have() {
	local h
	for h; do
		lab_on "$h" 'wg show wg0 dump | awk -F"\t" "NR == 1 { print \$2, \$3; next } { print \$1, \$3, \$4, \$8 }" | sort
			ip -o addr show dev wg0 scope global | awk "{ print \$4 }" | sort; cat /sys/class/net/wg0/mtu
			ip route show proto 119; tail -n +2 /etc/wireguard/wg0.conf; cat /proc/sys/net/ipv4/ip_forward
			ls /etc/sysctl.d/ | grep wgmesh; systemctl is-enabled wg-quick@wg0'
	done
}

# g. Back to an earlier revision, deployed: the hosts are what they were then.
test_rollback() {
	local before then
	before=$(have h1 h2)
	then=$(a git rev-parse HEAD)
	check_status 'g. a change: a route' 0 a wgmesh route add n1 10.50.0.0/16
	check_status 'g. a change: ports and MTU' 0 a wgmesh set n2 port=51899 mtu=1300
	check_status 'g. a change: a node' 0 a wgmesh add "n3:10.99.0.3:$(lab_ip h3)" -accept-new-host-keys
	check_status 'g. deployed' 0 a wgmesh deploy
	check 'g. it works' can_ping h3 10.99.0.1
	[ "$before" != "$(have h1 h2)" ] && pass 'g. the hosts are different' || flunk 'g. the hosts are different'
	check_status 'g. back' 0 a wgmesh rollback "$then" -yes
	check_status 'g. it is a commit' 0 a git log -1 --format=%s
	check_has 'g. it says so' "$OUT" 'rollback'
	check_status 'g. plan, then deploy' 0 a wgmesh deploy -yes
	check_same 'g. the hosts are what they were' "$before" "$(have h1 h2)"
	check 'g. the node that came since is taken off its host' lab_on h3 '! ip link show wg0 2>/dev/null && [ ! -e /etc/wireguard/wg0.conf ]'
	check 'g. and its record names it' bash -c 'grep -qx -- "- node n3: off its host" <<<"$1"' - "$(a git log --format=%B)"
	check 'g. and the old ones reach each other' can_ping h1 10.99.0.2
	check_status 'g. nothing is left' 0 a wgmesh plan -exit-code
	check_status 'g. history tells it all' 0 a wgmesh history
	check_has 'g. with the deploys' "$OUT" 'deploy'
	check 'g. the repository is whole' a git fsck --strict
}

# e. What git shows of all that: meaning, and no secret of any revision.
test_log() {
	local rev
	for rev in $(a git rev-list HEAD); do
		a git show "$rev:mesh-state.json" >"$LAB_DIR/old.json" 2>/dev/null || continue
		lab_ctl env WGMESH_IDENTITY="$LAB_DIR/admins.key" "$WGMESH" -state "$LAB_DIR/old.json" cat -secrets 2>/dev/null |
			sed -n 's/.*"private_key": "\(.*\)".*/\1/p'
	done | sort -u >"$LAB_DIR/keys"
	check_equal 'e. there were keys' 3 "$(grep -c . "$LAB_DIR/keys")"
	a git log -p >"$LAB_DIR/log" 2>&1
	check 'e. git log -p shows what changed' grep -q 'node n2: port 51899' "$LAB_DIR/log"
	check 'e. and no key of any revision' lab_ctl sh -c '! grep -qFf "$1" "$2"' - "$LAB_DIR/keys" "$LAB_DIR/log"
}

# Somebody who can push, and has no key, puts a mesh of their own in the place of the state; git itself takes it.
test_stranger() {
	local c=(in_clone c env XDG_STATE_HOME="$LAB_DIR/elsewhere")
	lab_on h3 'systemctl -q disable --now wg-quick@wg0; rm -rf /etc/wireguard/*' 2>/dev/null
	e2e_quiet lab_ctl git clone -q "$LAB_DIR/remote.git" "$LAB_DIR/c"
	rm "$LAB_DIR/c/mesh-state.json"
	e2e_quiet "${c[@]}" wgmesh init -no-commit -recipient "$(<"$LAB_DIR/admins.pub")"
	e2e_quiet "${c[@]}" wgmesh add -no-commit "n3:10.99.0.3:$(lab_ip h3)" -accept-new-host-keys
	e2e_quiet in_clone c git commit -q -a -m 'set n3 mtu=1400'
	e2e_quiet in_clone c git push -q
	e2e_quiet b git fetch -q
	e2e_quiet b git reset -q --hard origin/main
	check_status 'stranger: a mesh that nobody knows is not deployed' 2 b wgmesh deploy -yes
	check_has 'stranger: it is told why' "$OUT" 'never seen here'
	check_not 'stranger: its host is as it was' lab_on h3 '[ -e /etc/wireguard/wg0.conf ]'
	check_status 'stranger: nor is it known from then on' 2 b wgmesh deploy
	check_status 'stranger: one can agree to that' 0 b wgmesh deploy -accept-new-secret
	check 'stranger: then it is deployed' lab_on h3 '[ -e /etc/wireguard/wg0.conf ]'
}

e2e_start
lab_boot h1 h2 h3
test_setup
test_behind
test_forced
test_at_once
test_rollback
test_log
test_stranger
finish
