# shellcheck shell=bash
# The test lab: real Debian machines (systemd, sshd, WireGuard) in namespaces of its own, for the end-to-end tests.
# Use:  . tests/lab/lab.sh; lab_missing >&2 && lab_start && lab_boot h1 h2 && lab_ctl ssh "root@$(lab_ip h1)" wg show
#
# Networks (documentation ranges; nothing is ever added to the machine's own network namespace):
#   wan   bridge with the hosts, 198.51.100.0/24 and 2001:db8:77::/64; also 10.77.0.0/16 for the simulated hosts (sim.sh)
#   ctl   the control side, 198.51.100.1 and 2001:db8:77::1: what lab_ctl runs
# The lab dies with the shell that started it, even if that is killed: hosts live in a pid namespace whose init goes with it.
# Settings: LAB_DIR (state; must not exist or be empty), LAB_CACHE (root images), LAB_DISK_MB (size of a host's disk, 256),
# LAB_NO_WG=1 (hosts booted from now on have no wireguard-tools; apt installs them offline from file:/srv/apt),
# LAB_AGENT (SSH agent socket for lab_ctl), LAB_NAT_RANDOM=1 (routers give translated connections random ports),
# LAB_WAIT (seconds that a boot may take, 120).

LAB_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")/../lib" && pwd)
# shellcheck source=tests/lib/lab-image.sh
. "$LAB_LIB/lab-image.sh"
# shellcheck source=tests/lib/lab-inside.sh
. "$LAB_LIB/lab-inside.sh"

# Prints one sentence that names what the lab misses on this machine and returns 1, or returns 0.
lab_missing() {
	local pair
	if [ "$(id -u)" != 0 ]; then
		echo 'the lab needs root'
		return 1
	fi
	for pair in mmdebstrap:mmdebstrap systemd-nspawn:systemd-container ip:iproute2 nft:nftables ssh-keygen:openssh-client \
		ps:procps nsenter:util-linux unshare:util-linux setpriv:util-linux flock:util-linux mount:mount ping:iputils-ping; do
		if ! command -v "${pair%:*}" >/dev/null; then
			echo "the lab needs the command ${pair%:*} (package ${pair#*:})"
			return 1
		fi
	done
	if [ ! -c /dev/net/tun ]; then
		echo 'the lab needs /dev/net/tun'
		return 1
	fi
	if [ ! -e /etc/machine-id ]; then
		echo 'the lab needs the file /etc/machine-id (package systemd)'
		return 1
	fi
	if ! unshare --mount --net --pid --fork --propagation unchanged true 2>/dev/null; then
		echo 'the lab needs the right to make namespaces'
		return 1
	fi
	if ! { modprobe overlay 2>/dev/null || grep -qw overlay /proc/filesystems; }; then
		echo 'the lab needs overlayfs in the kernel'
		return 1
	fi
	if ! mountpoint -q / && grep -q ' shared:' /proc/self/mountinfo; then
		echo 'the lab needs / to be a mount point or unshared mounts: bind this chroot onto itself'
		return 1
	fi
}

# Starts the lab: namespaces, networks, the login key. Sets an EXIT trap that ends it; a script that sets one of its own afterwards
# calls lab_stop in it. Scripts started from here may source this file too and use the same lab.
lab_start() {
	LAB_IMAGE=$(lab_image) || return
	LAB_DIR=${LAB_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/wgl.XXXXXX")} || return
	if [ -e "$LAB_DIR" ] && [ -n "$(ls -A "$LAB_DIR")" ]; then
		echo "lab: $LAB_DIR is not empty" >&2
		return 1
	fi
	mkdir -p "$LAB_DIR/home/.ssh" && LAB_DIR=$(cd "$LAB_DIR" && pwd -P) || return
	chmod 755 "$LAB_DIR" "$LAB_DIR/home" && chmod 700 "$LAB_DIR/home/.ssh"
	LAB_NAME=wgl-$$-${LAB_DIR##*.}
	LAB_OWNER=$BASHPID LAB_COUNT=0 LAB_PID='' LAB_CTL=''
	LAB_DISK_MB=${LAB_DISK_MB:-256}
	export LAB_DIR LAB_NAME LAB_IMAGE LAB_DISK_MB LAB_LIB
	trap lab_stop EXIT
	lab_lock && lab_sweep
	ssh-keygen -q -t ed25519 -N '' -C lab -f "$LAB_DIR/home/.ssh/id_ed25519" && : >"$LAB_DIR/home/.ssh/known_hosts" || return
	if ! { lab_start_wan && lab_start_ctl; }; then
		cat "$LAB_DIR/log" >&2
		return 1
	fi
}

# Marks $LAB_DIR as in use: by this shell until the lab's holder lives, from then on by that alone.
lab_lock() {
	exec {LAB_LOCK}>"$LAB_DIR/lock.new" && flock "$LAB_LOCK" && mv "$LAB_DIR/lock.new" "$LAB_DIR/lock"
}

# Removes the files of labs whose shell was killed before it could do so.
lab_sweep() {
	local d cg
	cg=$(lab_cgroup2)
	for d in "${TMPDIR:-/tmp}"/wgl.*; do
		if [ ! -e "$d/lock" ] || ! flock -n "$d/lock" true; then continue; fi
		rm -rf --one-file-system "$d"
		if [ -n "$cg" ]; then lab_cgroup_remove "$cg"/wgl-*-"${d##*.}"; fi
	done
}

# Runs its arguments as a background process that leaves this shell's terminal, files and life alone, but dies with it.
lab_background() {
	local monitor=$-
	set +m
	(
		lab_close_files
		exec setsid setpriv --pdeathsig KILL "$@"
	) </dev/null >>"$LAB_DIR/log" 2>&1 &
	[[ $monitor != *m* ]] || set -m
}

# Starts the process that holds the lab's mount, pid and wan network namespaces.
lab_start_wan() {
	# shellcheck disable=SC2016
	lab_background unshare --mount --net --pid --fork --kill-child --propagation unchanged \
		bash -c '. "$0" && inside_init' "$LAB_LIB/lab-inside.sh"
	LAB_HOLDER=$!
	disown "$LAB_HOLDER"
	lab_until "$LAB_HOLDER" test -e "$LAB_DIR/ready" || return
	LAB_PID=$(<"$LAB_DIR/ready")
	export LAB_PID
	exec {LAB_LOCK}>&-
	unset LAB_LOCK
}

# Starts the process that holds the control side's namespaces: its network, and the lab's home directory for uid 0.
lab_start_ctl() {
	awk -F: -v OFS=: -v home="$LAB_DIR/home" '$3 == 0 { $6 = home } 1' /etc/passwd >"$LAB_DIR/passwd"
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$LAB_DIR/names"
	chmod 644 "$LAB_DIR/passwd" "$LAB_DIR/names"
	# shellcheck disable=SC2016
	lab_background unshare --mount --net --propagation unchanged bash -c '. "$0" && inside_ctl' "$LAB_LIB/lab-inside.sh"
	export LAB_CTL=$!
	disown "$LAB_CTL"
	lab_until "$LAB_CTL" test -e "$LAB_DIR/ready-ctl" || return
	nsenter -t "$LAB_PID" --net ip -batch - <<-END || return
		link add ctl type veth peer name eth0 netns $LAB_CTL
		link set ctl master br0 up
	END
	nsenter -t "$LAB_CTL" --net ip -batch - <<-END
		link set lo up
		link set eth0 up
		addr add 198.51.100.1/24 dev eth0
		addr add 10.77.0.1/16 dev eth0
		addr add 2001:db8:77::1/64 dev eth0 nodad
		route add default via 198.51.100.254
		route add ::/0 via 2001:db8:77::fe
	END
}

# Waits (20 s at most) until the command after $1 succeeds; fails at once if the process $1 is gone.
lab_until() {
	local pid=$1 i
	shift
	for ((i = 0; i < 1000; i++)); do
		"$@" && return
		kill -0 "$pid" 2>/dev/null || return
		sleep 0.02
	done
	return 1
}

# Runs a function of lab-inside.sh, with its arguments, inside the lab's namespaces.
lab_in() {
	# shellcheck disable=SC2016
	nsenter -t "$LAB_PID" --mount --net --pid --root --wd=/ -- bash -c '. "$0" && "$@"' "$LAB_LIB/lab-inside.sh" "$@"
}

# Runs the command on the control side: its network, its ~/.ssh, HOME; in the current directory, with stdin and exit status passed through.
lab_ctl() {
	(lab_ctl_exec "$@")
}

# Becomes the command, as lab_ctl runs it: `lab_ctl_exec wgmesh deploy &` makes $! the pid of wgmesh itself.
lab_ctl_exec() {
	# shellcheck disable=SC2016
	exec nsenter -t "$LAB_CTL" --net --mount --root --wd=/ -- env -u SSH_AUTH_SOCK ${LAB_AGENT:+"SSH_AUTH_SOCK=$LAB_AGENT"} \
		HOME="$LAB_DIR/home" sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
}

# Registers the host $1: address $2, IPv6 address $3 or empty, gateway $4, bridge $5, address and port of its sshd $6 $7.
lab_register() {
	local h=$LAB_DIR/hosts/$1
	if [[ ! $1 =~ ^[a-z][a-z0-9-]{0,8}$ || $1 == sim* || -e $h ]] || grep -qw -F "$6" "$LAB_DIR/names"; then
		echo "lab: $1 is no good name (at most 9 letters and digits), or it or its address $6 is taken" >&2
		return 1
	fi
	mkdir -p "$h" && echo "$2" >"$h/ip" && echo "$3" >"$h/ip6" && echo "$4" >"$h/gw" && echo "$5" >"$h/bridge" &&
		echo "$6" "$7" >"$h/via" && printf '%s %s\n' "$6" "$1" >>"$LAB_DIR/names"
}

# Prints the layers of the image that hosts get from now on.
lab_layers() {
	if [ -n "${LAB_NO_WG-}" ]; then echo base; else echo wg:base; fi
}

# Boots the hosts $@ in parallel and waits for their sshd. Name with a trailing number k: address 10+k, else 10 + running count.
lab_boot() {
	local name n
	for name; do
		LAB_COUNT=$((LAB_COUNT + 1)) n=$LAB_COUNT
		[[ ! $name =~ ([0-9]+)$ ]] || n=$((10#${BASH_REMATCH[1]}))
		n=$((n + 10))
		lab_register "$name" "198.51.100.$n" "2001:db8:77::$n" 198.51.100.254 br0 "198.51.100.$n" 22 || return
		lab_in host_make "$name" "$(lab_layers)" || return
	done
	lab_up "$@"
}

# Boots $1 on a private IPv4 network $3 behind a router with the public address 198.51.100.$2 that masquerades.
# The control side reaches it by: ssh -p 2222 root@198.51.100.$2 (lab_nat_ip); lab_ip prints the private address, .2 of the network.
lab_nat() {
	local ip gw
	ip=$(net_addr "$3" 2) gw=$(net_addr "$3" 1)
	lab_register "$1" "${ip%/*}" '' "${gw%/*}" "bn-$1" "198.51.100.$2" 2222 || return
	lab_in nat_router "$@" && lab_in host_make "$1" "$(lab_layers)" && lab_up "$1"
}

# Gives the host $1 the card lan0 with the address .1 of the network $2, and a station behind it with .2; both outlive reboots.
lab_lan() {
	echo "$2" >"$LAB_DIR/hosts/$1/lan" && lab_in host_lan "$1"
}

# Runs the function $1 for each further argument in parallel; fails if any fails.
lab_each() {
	local f=$1 name pid pids=() rc=0
	shift
	for name; do
		"$f" "$name" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || rc=1; done
	return "$rc"
}

# Boots the hosts $@ that are off, with the disks they have, and waits until their boot is complete.
lab_up() {
	lab_each lab_up_one "$@"
}

# Boots one host.
lab_up_one() {
	lab_in host_start "$1" && lab_wait_ssh "$1"
}

# Turns the hosts $@ off cleanly and waits until they are gone.
lab_poweroff() {
	lab_each lab_poweroff_one "$@"
}

# Turns one host off.
lab_poweroff_one() {
	lab_in host_end "$1" RTMIN+4 60
}

# Ends the host $1 as a power cut would.
lab_kill() {
	lab_in host_end "$1" KILL 10
}

# Reboots the hosts $@ in parallel.
lab_reboot() {
	lab_poweroff "$@" && lab_up "$@"
}

# Waits until sshd of the host $1 greets and the boot is complete.
lab_wait_ssh() {
	lab_in host_wait "$1" "${LAB_WAIT:-120}"
}

# Runs the shell text $2 as root inside the host $1, not through SSH.
lab_on() {
	lab_in host_on "$1" "$2"
}

# Runs the command after $1 in the station behind the LAN card of the host $1 (see lab_lan).
lab_lan_on() {
	local name=$1
	shift
	lab_in nsenter --net="/run/netns/lan-$name" -- "$@"
}

# Pulls the network cable of the host $1.
lab_unplug() { nsenter -t "$LAB_PID" --net ip link set "vb-$1" down; }

# Puts the network cable of the host $1 back.
lab_plug() { nsenter -t "$LAB_PID" --net ip link set "vb-$1" up; }

# Stops sshd of the host $1 without closing its port: connections open, and nobody answers.
lab_freeze_sshd() {
	# shellcheck disable=SC2016
	lab_on "$1" 'kill -STOP "$(systemctl show -P MainPID ssh)"'
}

# Lets the frozen sshd of the host $1 go on.
lab_thaw_sshd() {
	# shellcheck disable=SC2016
	lab_on "$1" 'kill -CONT "$(systemctl show -P MainPID ssh)"'
}

# Gives the host $1 a new SSH host key.
lab_rekey_ssh() {
	lab_on "$1" 'cd /etc/ssh && rm ssh_host_* && ssh-keygen -q -t ed25519 -N "" -f ssh_host_ed25519_key && systemctl restart ssh' &&
		lab_wait_ssh "$1"
}

# Prints what sshd of the host $1 logged, over all its boots.
lab_log() {
	lab_on "$1" 'journalctl --sync; journalctl -q -u ssh -o short-unix --no-pager'
}

# Prints the lines of a known_hosts file for all booted hosts, with the keys they were made with.
lab_keys() {
	local h at port v6
	for h in "$LAB_DIR"/hosts/*; do
		[[ -e $h/key && ! -e $h/sim ]] || continue
		read -r at port <"$h/via"
		v6=$(<"$h/ip6")
		[ "$port" = 22 ] || at=[$at]:$port
		printf '%s%s %s\n' "$at" "${v6:+,$v6}" "$(cut -d' ' -f1,2 "$h/key/id.pub")"
	done
}

# Prints the address of the host $1 (behind a router: the private one).
lab_ip() { cat "$LAB_DIR/hosts/$1/ip"; }

# Prints the IPv6 address of the host $1.
lab_ip6() { cat "$LAB_DIR/hosts/$1/ip6"; }

# Prints the public address of the router of the host $1.
lab_nat_ip() { cut -d' ' -f1 "$LAB_DIR/hosts/$1/via"; }

# Prints the address of the station behind the LAN card of the host $1.
lab_lan_ip() { net_addr "$(<"$LAB_DIR/hosts/$1/lan")" 2 | cut -d/ -f1; }

# Ends everything that the lab started and removes its files; may be called at any time, any number of times.
lab_stop() {
	[ -n "${LAB_DIR-}" ] && [ "${LAB_OWNER-}" = "$BASHPID" ] || return 0
	lab_stop_ctl
	lab_end_process "${LAB_HOLDER-}" "$LAB_PID"
	lab_stop_cgroups
	# Only files are left: every mount went with the namespaces.
	rm -rf --one-file-system "$LAB_DIR"
	unset LAB_DIR LAB_OWNER LAB_PID LAB_CTL LAB_HOLDER
}

# Ends the processes that lab_ctl left running: those in the control side's network namespace, and its holder.
lab_stop_ctl() {
	local ns p
	[ -n "$LAB_CTL" ] && ns=$(readlink "/proc/$LAB_CTL/ns/net") && [ "$ns" != "$(readlink /proc/self/ns/net)" ] || return 0
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/ns/net" 2>/dev/null)" != "$ns" ] || kill -KILL "${p#/proc/}" 2>/dev/null || :
	done
	lab_end_process "$LAB_CTL"
}

# Kills the processes $@ and waits until they are gone (zombies count as gone).
lab_end_process() {
	local p i
	for p; do
		[ -z "$p" ] || kill -KILL "$p" 2>/dev/null || :
	done
	for p; do
		for ((i = 0; i < 500; i++)); do
			[[ -n $p && -e /proc/$p/stat && $(cat "/proc/$p/stat" 2>/dev/null) != *') Z '* ]] || break
			sleep 0.02
		done
	done
}

# Removes the lab's cgroup folders, which are empty now.
lab_stop_cgroups() {
	local cg
	cg=$(lab_cgroup2)
	if [ -n "$cg" ]; then
		lab_cgroup_remove "$cg/$LAB_NAME"
	else
		# shellcheck disable=SC2016
		unshare --mount --propagation unchanged bash -c '. "$0" && mkdir -p "$LAB_DIR/cg" && mount -t cgroup2 \
			-o nsdelegate,memory_recursiveprot none "$LAB_DIR/cg" && lab_cgroup_remove "$LAB_DIR/cg/$LAB_NAME"' "$LAB_LIB/lab-inside.sh"
	fi
}
