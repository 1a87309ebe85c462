#!/bin/bash
# Speed, measured side by side on simulated hosts (a real sshd and WireGuard in namespaces each), as root:
#
#   bash tests/bench/run.sh [PART...]    parts: trips near ansible far first boot render state yaml vault; default: all
#
# In each part the two sides take turns; a figure is the median of ROUNDS (5) rounds with the lowest and the highest, a
# ratio the median of the ratios round by round. CPU is that of the client's processes alone. The bars say what is
# expected on a machine that is otherwise idle: nothing here is a test, the exit status is 0 when everything ran.
# WGMESH: the program to measure, build/wgmesh; libwgmesh.a is taken from the same folder.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/packages.sh
. tests/lab/sim.sh
. tests/bench/lib.sh
. tests/bench/ansible.sh

ROUNDS=${ROUNDS:-5}
WGMESH=$(realpath "${WGMESH:-build/wgmesh}")
PARTS='trips near ansible far first boot render state yaml vault'

# One connection: round trips as the slope of the wall time over the round trip time, which has no CPU time in it.
part_trips() {
	local i ms drift
	mesh 2
	drift="wg set wg0 peer \$(wg show wg0 peers) persistent-keepalive 17"
	head -n 1 "$BENCH/hosts" >"$BENCH/host" && mv "$BENCH/host" "$BENCH/hosts"
	cable_in 100
	for ((i = 1; i <= ROUNDS; i++)); do
		say "round trips, round $i"
		for ms in 100 200; do
			cable_rtt "$ms"
			measure_deploy "trip-same-$ms" '0 changed, 1 unchanged' n1
			sim_on 1 "$drift" || stop 'no drift'
			measure_deploy "trip-drift-$ms" '1 changed, 0 unchanged' n1
			measure_ssh "trip-ssh-$ms" 1
		done
	done
	cable_out
	MESH=
	trips trip-same && trips trip-drift && trips trip-ssh
	row 'round trips, nothing to change' 1 trips 9 trip-same trip-ssh
	row 'round trips, one step' 1 trips 10 trip-drift trip-ssh
}

# Makes the file $1 of the files $1-100 and $1-200.
trips() {
	paste "$BENCH/$1-100" "$BENCH/$1-200" | awk '{ print ($5 - $1) / 0.1 }' >"$BENCH/$1"
}

# Hosts nearby, nothing to change, against parallel ssh.
part_near() {
	local n i
	for n in 50 100; do
		mesh "$n"
		for ((i = 1; i <= ROUNDS; i++)); do
			say "$n hosts nearby, round $i"
			measure_deploy "near-$n" "0 changed, $n unchanged"
			measure_ssh "ssh-$n" 32
		done
		row 'nothing to change, against xargs -P 32 ssh: wall' "$n" wall 0.8 "near-$n" "ssh-$n"
		row 'nothing to change, against xargs -P 32 ssh: CPU' "$n" cpu 0.2 "near-$n" "ssh-$n"
		row 'peak memory (other: of one ssh)' "$n" peak '' "near-$n" "ssh-$n"
	done
}

# Hosts 50 ms away, against parallel ssh.
part_far() {
	local i
	mesh 100
	cable_in 50
	for ((i = 1; i <= ROUNDS; i++)); do
		say "100 hosts 50 ms away, round $i"
		measure_deploy far '0 changed, 100 unchanged' -parallel 128
		measure_ssh ssh-far 128
	done
	cable_out
	row 'the same, 50 ms away, 128 at a time: wall' 100 wall 0.6 far ssh-far
	row 'the same, 50 ms away, 128 at a time: CPU' 100 cpu '' far ssh-far
	row 'peak memory, 128 at a time (other: of one ssh)' 100 peak '' far ssh-far
}

# Makes $BENCH/boot.conf and $BENCH/boot-mtu.conf, the boot file of a host with $1 peers, each somewhere else in the hosts' network,
# without an MTU and with one.
boot_files() {
	big_state $(($1 + 1))
	"$WGMESH" -state "$BENCH/big-$(($1 + 1)).json" render n1 -secrets | awk '{ print } /^PublicKey/ {
		printf "Endpoint = 10.77.%d.%d:51820\n", 1 + int(i / 200), i++ % 200 + 1 }' >"$BENCH/boot.conf" || stop 'no boot file'
	sed 's/^ListenPort.*/&\nMTU = 1420/' "$BENCH/boot.conf" >"$BENCH/boot-mtu.conf"
}

# Measures in a host, as $1, how the interface of the boot file $2 comes up; it goes down again.
measure_boot() {
	sim_on 1 'umask 077; cat >/etc/wireguard/bench0.conf' <"$2" || stop 'no boot file on the host'
	sim_on 1 "bash -c 'TIMEFORMAT=\"%R %U %S\"; time wg-quick up bench0 >/root/up 2>&1 && wg-quick down bench0 >/root/down 2>&1'" 2>&1 |
		awk 'NF == 3 { print $1, $2 + $3, 0, 0; n++ } END { exit n != 1 }' >>"$BENCH/$1" || stop "the interface does not come up"
}

# A boot of one host: wg-quick with an MTU in the file, against none, where it asks for the way to each peer.
part_boot() {
	local n i
	bare_hosts 1
	for n in 10 100 1000; do
		boot_files "$n"
		for ((i = 1; i <= ROUNDS; i++)); do
			say "a boot with $n peers, round $i"
			measure_boot "boot-mtu-$n" "$BENCH/boot-mtu.conf"
			measure_boot "boot-$n" "$BENCH/boot.conf"
		done
		row 'wg-quick up by peers, an MTU in its file against none: wall' "$n" wall '' "boot-mtu-$n" "boot-$n"
	done
	MESH=
}

# Makes $BENCH/big-$1.json, a state of $1 nodes that do not exist.
big_state() {
	[ -e "$BENCH/big-$1.json" ] || seq "$1" |
		awk '{ printf "n%d:10.99.%d.%d:192.0.2.1\n", $1, int($1 / 250), $1 % 250 + 1 }' |
		"$BENCH/mkstate" "$BENCH/big-$1.json" || stop 'no state'
}

# The files of all nodes of a big mesh, from the state alone.
part_render() {
	local i
	big_state 500
	for ((i = 1; i <= ROUNDS; i++)); do
		rm -rf "$BENCH/files"
		measure render "$WGMESH" -state "$BENCH/big-500.json" render -all -o "$BENCH/files"
	done
	row 'render -all: wall' 500 wall '' render
	row 'render -all: CPU' 500 cpu '' render
	row 'render -all: peak memory' 500 peak '' render
}

# Big states: loaded (list), and loaded and saved (add).
part_state() {
	local n i
	for n in 1000 10000; do
		big_state "$n"
		for ((i = 1; i <= ROUNDS; i++)); do
			cp "$BENCH/big-$n.json" "$BENCH/one.json"
			measure "load-$n" "$WGMESH" -state "$BENCH/one.json" list -simple
			measure "save-$n" "$WGMESH" -state "$BENCH/one.json" add -offline new:auto:192.0.2.2
		done
		row 'state loaded (list): wall' "$n" wall '' "load-$n"
		row 'state loaded and saved (add): wall' "$n" wall '' "save-$n"
		row 'state loaded and saved (add): peak memory' "$n" peak '' "save-$n"
	done
}

# Makes $BENCH/big-$1.yaml, a mesh.yaml of $1 nodes with addresses to be found, networks, and groups.
big_yaml() {
	awk -v n="$1" 'BEGIN {
		print "network: 10.0.0.0/8\nnodes:"
		for (i = 1; i <= n; i++)
			printf "  n%d:\n    ssh: \"admin@n%d.example.org:2222\"\n    routes: [172.%d.%d.%d/32]\n    groups: [g%d, all]\n", \
				i, i, 16 + int(i / 65536), int(i / 256) % 256, i % 256, i % 50
		print "policies:\n  - name: p\n    from: [all]\n    to: [all]\n    networks: true"
	}' >"$BENCH/big-$1.yaml"
}

# A mesh.yaml where there is no state: parsed, validated, compared, keys made, saved; and applied again.
part_yaml() {
	local n i
	for n in 1000 10000; do
		big_yaml "$n"
		for ((i = 1; i <= ROUNDS; i++)); do
			rm -f "$BENCH/yaml.json"
			measure "yaml-$n" "$WGMESH" -state "$BENCH/yaml.json" apply -f "$BENCH/big-$n.yaml" -yes
			measure "yaml-same-$n" "$WGMESH" -state "$BENCH/yaml.json" apply -f "$BENCH/big-$n.yaml" -yes
			grep -q '^nothing changes' "$BENCH/out" || stop 'a second apply changes something'
		done
		awk -v n="$n" '{ print n / $1 }' "$BENCH/yaml-$n" >"$BENCH/yaml-rate-$n"
		row 'mesh.yaml applied: wall' "$n" wall '' "yaml-$n"
		row 'mesh.yaml applied: nodes per second' "$n" trips '' "yaml-rate-$n"
		row 'mesh.yaml applied: peak memory' "$n" peak '' "yaml-$n"
	done
	row 'mesh.yaml applied: wall, 10,000 nodes against 1,000' 10000 wall 15 yaml-10000 yaml-1000
	row 'mesh.yaml applied again: wall, 10,000 nodes against 1,000' 10000 wall '' yaml-same-10000 yaml-same-1000
	awk '{ print 3, 3, 3 }' "$BENCH/yaml-10000" >"$BENCH/three-seconds"
	awk '{ print 3, 3, 204800 }' "$BENCH/yaml-10000" >"$BENCH/two-hundred"
	row 'mesh.yaml applied: wall, against the 3 s allowed' 10000 wall 1 yaml-10000 three-seconds
	row 'mesh.yaml applied: peak memory, against the 200 MB allowed' 10000 peak 1 yaml-10000 two-hundred
}

# A sealed state against a plain one, opened and saved (add); to a recipient, so that no password KDF is in it. The bar is
# 1.2 and 5 ms on top, which are another 0.2 of the 25 ms that it takes.
part_vault() {
	local i
	big_state 1000
	cp "$BENCH/big-1000.json" "$BENCH/sealed.json"
	"$WGMESH" identity new "$BENCH/id" >"$BENCH/recipient" 2>/dev/null &&
		"$WGMESH" -state "$BENCH/sealed.json" seal -recipient "$(<"$BENCH/recipient")" >/dev/null 2>&1 || stop 'not sealed'
	for ((i = 1; i <= ROUNDS; i++)); do
		cp "$BENCH/sealed.json" "$BENCH/one-sealed.json"
		cp "$BENCH/big-1000.json" "$BENCH/one.json"
		measure sealed "$WGMESH" -state "$BENCH/one-sealed.json" -identity "$BENCH/id" add -offline new:auto:192.0.2.2
		measure plain "$WGMESH" -state "$BENCH/one.json" add -offline new:auto:192.0.2.2
	done
	row 'sealed state opened and saved, against plain: wall' 1000 wall 1.4 sealed plain
	row 'sealed state opened and saved, against plain: CPU' 1000 cpu '' sealed plain
}

# Checks the parts that were asked for, and what the benchmark needs.
prepare() {
	local part needed
	for part; do
		[[ " $PARTS " == *" $part "* ]] || stop "there is no part '$part'; parts: $PARTS"
	done
	[ "$(id -u)" = 0 ] || stop 'needs root: the hosts are namespaces'
	mapfile -t needed < <(cat tests/packages-build.txt tests/lab/packages.txt)
	packages_need "${needed[@]}" >&2 || stop 'cannot go on without those'
	[ -x "$WGMESH" ] || stop "there is no $WGMESH: run make"
}

prepare "$@"
bench_start
say "$(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg), $ROUNDS rounds, $(ssh -V 2>&1), $("$WGMESH" version)"
for part in $PARTS; do
	if [[ $# -eq 0 || " $* " == *" $part "* ]]; then "part_$part"; fi
done
table
