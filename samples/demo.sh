#!/bin/sh
# The main job, in front of you: builds wgmesh, boots three real Debian machines
# (systemd, sshd, WireGuard) in a lab of its own, makes a mesh of them, pings
# across it, deploys again, and takes the lab down. As root; on a fresh Debian 12
# it installs what it needs and says so.
[ -n "${BASH_VERSION:-}" ] && [ -z "${POSIXLY_CORRECT:-}" ] || exec bash "$0" "$@"
cd "$(dirname "$0")/.." || exit 1
. tests/lib/packages.sh
. tests/lab/lab.sh

# Says what comes next.
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# Ends with a sentence.
stop() { echo "demo: $*" >&2; exit 1; }

# Shows a command as the user would type it, and runs it on the control side.
run() {
	printf '\n\033[1;32m$ %s\033[0m\n' "$*"
	lab_ctl "$@" </dev/null
}

[ "$(id -u)" -eq 0 ] || stop "needs root: it makes network namespaces and boots machines in them"
started=$(date +%s)

say "1. Build"
mapfile -t needed < <(cat tests/packages-build.txt tests/lab/packages.txt)
packages_need "${needed[@]}" || stop "cannot go on without those"
make -s -j "$(nproc)" || stop "the build failed"
why=$(lab_missing) || stop "$why"

say "2. Boot three machines (the first time this builds their disk, about 30 s)"
lab_start || stop "the lab did not start"
lab_boot h1 h2 h3 || stop "the machines did not boot"
for host in h1 h2 h3; do
	echo "  $host: $(lab_ip "$host")  $(lab_on "$host" '. /etc/os-release; echo "$PRETTY_NAME"')"
done
mkdir -p "$LAB_DIR/bin"
ln -s "$PWD/build/wgmesh" "$LAB_DIR/bin/wgmesh"
export PATH="$LAB_DIR/bin:$PATH" WGMESH_STATE="$LAB_DIR/mesh-state.json"

say "3. A mesh of them"
run wgmesh -init -network 10.99.0.0/16 -network6 fd99::/64
run wgmesh -add "web1:10.99.0.1:$(lab_ip h1)" -accept-new-host-keys
run wgmesh -add "web2:auto:$(lab_ip h2)" -accept-new-host-keys
run wgmesh -add "db1:auto:$(lab_ip h3)" -accept-new-host-keys
run wgmesh -list-simple
run wgmesh -deploy || stop "the deploy failed"

say "4. Across the mesh"
for host in h1 h2 h3; do
	for address in 10.99.0.1 10.99.0.2 10.99.0.3 fd99::1 fd99::2 fd99::3; do
		lab_on "$host" "ping -c 1 -W 5 -q $address >/dev/null" || stop "$host does not reach $address"
		echo "  $host reaches $address"
	done
done

say "5. What a machine says"
lab_on h1 'wg show wg0; echo; systemctl is-enabled wg-quick@wg0'

say "6. Deploy again: nothing is left to do"
run wgmesh -deploy || stop "the second deploy failed"
run wgmesh plan --exit-code || stop "the plan is not empty"

say "7. Down with the lab"
lab_stop
echo "done in $(($(date +%s) - started)) s"
