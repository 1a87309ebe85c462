# shellcheck shell=bash
# The half of sim.sh that runs inside the lab's namespaces, on top of lab-inside.sh (which has host_root, host_on and so on).

# Prints the numbers of the simulated hosts that are up.
sim_list() {
	local f
	for f in "$LAB_DIR"/hosts/sim*/sim; do [ ! -e "$f" ] || cat "$f"; done | sort -n
}

# Prints the address of the simulated host $1 (as sim_ip of sim.sh).
sim_addr() {
	printf '10.77.%d.%d\n' $((($1 - 1) / 200 + 1)) $((($1 - 1) % 200 + 1))
}

# Brings up the hosts 1 to $1 that are not up, in two workers, and waits for all of them.
sim_up_all() {
	local i w pids=() rc=0
	for w in 0 1; do
		for ((i = 1 + w; i <= $1; i += 2)); do
			[ -e "$LAB_DIR/hosts/sim$i/init" ] || sim_start "$i" || exit
		done &
		pids+=($!)
	done
	for w in "${pids[@]}"; do wait "$w" || rc=1; done
	for ((i = 1; i <= $1 && rc == 0; i++)); do sim_wait "$i" || rc=1; done
	return "$rc"
}

# Starts the host $1: its namespaces with everything in them, then its network card.
sim_start() {
	local h=$LAB_DIR/hosts/sim$1 pid
	mkdir -p "$h" && rm -f "$h/ready" && sim_addr "$1" >"$h/ip" && : >"$h/ip6" && echo "$1" >"$h/sim" || return
	echo "$(<"$h/ip") 22" >"$h/via"
	(
		lab_close_files
		exec setsid unshare --mount --net --uts --pid --fork --propagation private bash -c '. "$LAB_LIB/lab-inside.sh" &&
			. "$SIM_LIB" && sim_init "$1"' - "$1"
	) </dev/null >>"$h/console" 2>&1 &
	pid=$!
	until [ -e "$h/ready" ]; do
		if ! kill -0 "$pid" 2>/dev/null; then
			echo "lab: sim$1 does not start: $(tail -n 3 "$h/console")" >&2
			return 1
		fi
		sleep 0.01
	done
	sim_card "$1" "$(<"$h/ready")"
}

# Gives the host $1, whose init has the pid $2, its network card on the wan bridge.
sim_card() {
	local mac
	# The same card address in every life, as a real machine has.
	printf -v mac '02:77:00:00:%02x:%02x' $(($1 / 256)) $(($1 % 256))
	ip link add "vs-$1" type veth peer name eth0 address "$mac" netns "$2" && ip link set "vs-$1" master br0 up || return
	nsenter -t "$2" -n ip -batch - <<-END || return
		link set lo up
		link set eth0 up
		addr add $(sim_addr "$1")/16 dev eth0
		route add default via 10.77.0.254
	END
	echo "$2" >"$LAB_DIR/hosts/sim$1/init"
}

# The init of the host $1: root (LAB_LAYERS: the image's layers for it, wg:base), sshd; then it reaps orphans.
# Its pid as the lab sees it goes to the file ready.
sim_init() {
	local h=$LAB_DIR/hosts/sim$1 pid
	# The /proc that is still mounted here is the lab's: in it this process has its number in the lab's pid namespace.
	read -r pid _ </proc/self/stat
	LAB_DISK_MB=32 host_root "sim$1" "${LAB_LAYERS:-wg:base}" || return
	hostname "sim$1"
	cd "$h/root" && sim_devices && mount -t sysfs sysfs sys && mount -t proc proc proc &&
		mount -t tmpfs -o mode=755 tmpfs run && mkdir -p run/sshd run/lock || return
	rm -f etc/ssh/sshd_config.d/*
	printf '%s\n' 'HostKey /etc/ssh/ssh_host_ed25519_key' 'PermitRootLogin prohibit-password' 'PasswordAuthentication no' \
		'UsePAM no' 'UseDNS no' 'MaxStartups 1000' 'LogLevel ERROR' 'Subsystem sftp internal-sftp' >etc/ssh/sshd_config
	echo "$pid" >"$h/ready.new" && mv "$h/ready.new" "$h/ready" || return
	exec chroot . /bin/sh -c '/usr/sbin/sshd -D & while :; do sleep 3600; done'
}

# Fills dev of the current directory with devices of its own, so that nothing in a host can spoil those of the machine.
sim_devices() {
	mount -t tmpfs -o mode=755,nosuid tmpfs dev && mkdir -p dev/net dev/pts dev/shm &&
		cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty dev/ && cp -a /dev/net/tun dev/net/ &&
		mount -t devpts -o newinstance,mode=620,ptmxmode=666,gid=5 devpts dev/pts && ln -s pts/ptmx dev/ptmx &&
		ln -s /proc/self/fd dev/fd && ln -s fd/0 dev/stdin && ln -s fd/1 dev/stdout && ln -s fd/2 dev/stderr &&
		chmod 1777 dev/shm
}

# Waits until sshd of the host $1 greets, for at most 60 seconds.
sim_wait() {
	local i
	for ((i = 0; i < 600; i++)); do
		ssh_greets "$(sim_addr "$1")" 22 && return
		sleep 0.1
	done
	echo "lab: sim$1 does not answer: $(tail -n 3 "$LAB_DIR/hosts/sim$1/console")" >&2
	return 1
}

# Sends the signal $2 to every process of the host $1.
sim_signal() {
	local ns p
	ns=$(readlink "/proc/$(<"$LAB_DIR/hosts/sim$1/init")/ns/pid") || return
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/ns/pid" 2>/dev/null)" != "$ns" ] || kill -s "$2" "${p#/proc/}"
	done
}

# Ends the host $1 and waits until it is gone; its root goes with its mount namespace.
sim_end() {
	local h=$LAB_DIR/hosts/sim$1 pid
	pid=$(cat "$h/init" 2>/dev/null) || return 0
	kill -KILL "$pid" 2>/dev/null
	while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
	ip link del "vs-$1" 2>/dev/null
	rm -f "$h/init"
}

# Ends all simulated hosts.
sim_down_all() {
	local i
	for i in $(sim_list); do
		sim_end "$i"
		rm -rf --one-file-system "$LAB_DIR/hosts/sim$i"
	done
}

# Prints a known_hosts line for every simulated host.
sim_known_hosts() {
	local i
	for i in $(sim_list); do
		printf '%s %s\n' "$(sim_addr "$i")" "$(cut -d' ' -f1,2 "$LAB_DIR/hosts/sim$i/key/id.pub")"
	done
}
