# shellcheck shell=bash
# The half of the lab that runs inside the lab's namespaces (mount, pid, network "wan"): lab.sh enters them by lab_in.
# From the caller: LAB_DIR, LAB_NAME (also the cgroup's name), LAB_IMAGE, LAB_DISK_MB.
# A host's state is the directory $LAB_DIR/hosts/NAME: ip, ip6, via (address and port of its sshd as the wan sees it),
# bridge, gw, key/ (host key), disk/ (tmpfs with the writable layer), root/ (overlay), nspawn and init (pids), lan.

# Cuts the mounts of this new mount namespace off from the machine's; for the process that continues with the function $1.
# systemd-nspawn wants / to be a mount point, which it is not in a plain chroot: there, start over in a bind mount of it.
inside_private() {
	local to=$LAB_DIR/slash.$1
	if [ -n "${LAB_REROOTED-}" ] || mount --make-rprivate / 2>/dev/null; then return; fi
	mkdir -p "$to" && mount --rbind / "$to" && mount --make-rprivate "$to" || exit
	# shellcheck disable=SC2016
	LAB_REROOTED=1 exec chroot "$to" bash -c '. "$0" && "$1"' "$LAB_LIB/lab-inside.sh" "$1"
}

# The control side's holder: shows its users the lab's home directory for uid 0 and the lab's host names.
inside_ctl() {
	inside_private inside_ctl
	mount --bind "$LAB_DIR/passwd" /etc/passwd && { [ ! -e /etc/hosts ] || mount --bind "$LAB_DIR/names" /etc/hosts; } || exit
	touch "$LAB_DIR/ready-ctl"
	exec sleep infinity
}

# The lab's init: mounts what the hosts need, makes the wan bridge, reports ready, and reaps orphans until it is killed.
inside_init() {
	inside_private inside_init
	# The /proc of the starting shell is still mounted here and tells this process's pid as that shell sees it.
	local pid
	read -r pid _ </proc/self/stat
	inside_mounts && inside_bridge && echo "$pid" >"$LAB_DIR/ready.new" && mv "$LAB_DIR/ready.new" "$LAB_DIR/ready" || exit
	while :; do sleep 3600; done
}

# Mounts the lab's own /proc, /sys (with cgroup v2 alone at its usual place) and /run.
inside_mounts() {
	local cg
	cg=$(lab_cgroup2)
	mkdir -p "$LAB_DIR/cg" || return
	if [ -n "$cg" ]; then
		mount --bind "$cg" "$LAB_DIR/cg" || return
	else
		mount -t cgroup2 -o nsdelegate,memory_recursiveprot none "$LAB_DIR/cg" || return
	fi
	mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount --bind "$LAB_DIR/cg" /sys/fs/cgroup || return
	mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /run/netns /run/lock "/sys/fs/cgroup/$LAB_NAME" || return
	# systemd-nspawn makes the cards' addresses from the machine's id and the host's name: here the same in every lab.
	echo 77676d6573686c61626d616368696e65 >"$LAB_DIR/machine-id"
	mount --bind "$LAB_DIR/machine-id" /etc/machine-id && mkdir -p "$LAB_DIR/hosts"
}

# Makes the bridge of the public network. It routes between the lab's networks and answers "unreachable" for the rest.
inside_bridge() {
	ip -batch - <<-END || return
		link set lo up
		link add br0 type bridge
		link set br0 up
		addr add 198.51.100.254/24 dev br0
		addr add 10.77.0.254/16 dev br0
		addr add 2001:db8:77::fe/64 dev br0 nodad
		route add unreachable default metric 9999
		route add unreachable ::/0 metric 9999
	END
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
}

# Prints where the machine shows its cgroup v2 tree, if anywhere.
lab_cgroup2() {
	awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup2") { print $5; exit } }' /proc/self/mountinfo
}

# Closes every file but the standard ones (and the lab's lock): a machine must not keep a pipe of its test open.
lab_close_files() {
	local f
	for f in "/proc/$BASHPID/fd"/*; do
		f=${f##*/}
		((f < 3 || f == 255 || f == ${LAB_LOCK:-0})) || eval "exec $f>&-"
	done
}

# Removes the cgroup folder $1 with all below it (they hold no process any more).
lab_cgroup_remove() {
	[ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || :
}

# Prints the address number $2 of the network $1 (such as 192.168.10.0/24 or fd00:10::/64), with its prefix length.
net_addr() {
	case $1 in
	*:*) printf '%s%s/%s\n' "${1%/*}" "$2" "${1#*/}" ;;
	*) printf '%s.%s/%s\n' "${1%.*}" "$2" "${1#*/}" ;;
	esac
}

# Makes the writable root of the host $1 from the image's layers $2 (wg:base or base).
host_root() {
	local h=$LAB_DIR/hosts/$1 layer lower=
	mkdir -p "$h/disk" "$h/root" && mount -t tmpfs -o "size=${LAB_DISK_MB}m,mode=755" tmpfs "$h/disk" || return
	for layer in ${2//:/ }; do lower=$lower${lower:+:}$LAB_IMAGE/$layer; done
	mkdir "$h/disk/upper" "$h/disk/work" &&
		mount -t overlay -o "lowerdir=$lower,upperdir=$h/disk/upper,workdir=$h/disk/work" lab "$h/root" || return
	host_keys "$1" || return
	printf '%s\n' "$1" >"$h/root/etc/hostname"
	printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost ip6-localhost\n' "$1" >"$h/root/etc/hosts"
	tr -d - </proc/sys/kernel/random/uuid >"$h/root/etc/machine-id"
}

# Gives the host $1 its SSH host key and the accounts root, ops and nosudo the lab's login key.
host_keys() {
	local h=$LAB_DIR/hosts/$1 home
	mkdir -p "$h/key" "$h/root/etc/ssh"
	[ -e "$h/key/id" ] || ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$h/key/id" || return
	cp "$h/key/id" "$h/root/etc/ssh/ssh_host_ed25519_key" && cp "$h/key/id.pub" "$h/root/etc/ssh/ssh_host_ed25519_key.pub"
	chmod 600 "$h/root/etc/ssh/ssh_host_ed25519_key"
	for home in root home/ops home/nosudo; do
		mkdir -p "$h/root/$home/.ssh" && chmod 700 "$h/root/$home/.ssh"
		cp "$LAB_DIR/home/.ssh/id_ed25519.pub" "$h/root/$home/.ssh/authorized_keys" || return
		chown -R --reference="$h/root/$home" "$h/root/$home/.ssh"
	done
}

# Makes the host $1, not yet booted: layers $2, addresses in the files ip, ip6 and gw of its directory.
host_make() {
	local h=$LAB_DIR/hosts/$1 len=24 v6=
	host_root "$1" "$2" || return
	{
		printf '[Match]\nName=host0\n[Network]\nIPv6AcceptRA=no\nAddress=%s/%s\nGateway=%s\n' "$(<"$h/ip")" "$len" "$(<"$h/gw")"
		v6=$(<"$h/ip6")
		[ -z "$v6" ] || printf 'Gateway=2001:db8:77::fe\n[Address]\nAddress=%s/64\nDuplicateAddressDetection=none\n' "$v6"
	} >"$h/root/etc/systemd/network/10-lab.network"
}

# Starts the machine of the host $1 and remembers the pids of systemd-nspawn and of the host's init.
host_start() {
	local h=$LAB_DIR/hosts/$1 cg=/sys/fs/cgroup/$LAB_NAME/$1 pid init i
	host_alive "$1" && return
	rm -f "$h/init" "$h/nspawn"
	lab_cgroup_remove "$cg"
	mkdir -p "$cg" || return
	# The card of the previous life may still be on its way out.
	ip link del "vb-$1" 2>/dev/null
	(
		lab_close_files
		echo "$BASHPID" >"$cg/cgroup.procs" || exit
		exec env -i PATH="$PATH" SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 setsid systemd-nspawn --quiet --register=no --keep-unit \
			-D "$h/root" --machine="$1" --network-bridge="$(<"$h/bridge")" --bind=/dev/net/tun --capability=CAP_NET_ADMIN \
			--resolv-conf=off --timezone=off --link-journal=no -b
	) </dev/null >>"$h/console" 2>&1 &
	pid=$!
	echo "$pid" >"$h/nspawn"
	for ((i = 0; i < 500; i++)); do
		init=$(ps -o pid=,comm= --ppid "$pid" | awk '$2 == "systemd" { print $1 }')
		[ -z "$init" ] || break
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.02
	done
	if [ -z "$init" ]; then
		echo "lab: $1 does not start: $(tail -n 3 "$h/console")" >&2
		return 1
	fi
	echo "$init" >"$h/init"
	[ ! -e "$h/lan" ] || host_lan "$1"
}

# Tells whether the machine of the host $1 runs.
host_alive() {
	[ -e "$LAB_DIR/hosts/$1/nspawn" ] && kill -0 "$(<"$LAB_DIR/hosts/$1/nspawn")" 2>/dev/null
}

# Ends the host $1: sends the signal $2 to its init and waits up to $3 seconds until the machine is gone, else kills it.
host_end() {
	local h=$LAB_DIR/hosts/$1 end=$((SECONDS + $3)) rc=0
	[ -e "$h/init" ] || return 0
	kill -s "$2" "$(<"$h/init")" 2>/dev/null
	while host_alive "$1"; do
		if ((SECONDS > end)); then
			kill -KILL "$(<"$h/init")" 2>/dev/null
			rc=1 end=$((SECONDS + 10))
		fi
		sleep 0.05
	done
	rm -f "$h/init" "$h/nspawn"
	return "$rc"
}

# Tells whether an SSH server greets at address $1, port $2.
ssh_greets() {
	# shellcheck disable=SC2016
	timeout 2 bash -c 'exec 2>/dev/null 3<>"/dev/tcp/$0/$1" && read -r -t 2 -u 3 line && [[ $line == SSH-* ]]' "$1" "$2"
}

# Waits until sshd of the host $1 greets and its boot is complete, for at most $2 seconds.
host_wait() {
	local h=$LAB_DIR/hosts/$1 end=$((SECONDS + $2)) via state
	read -ra via <"$h/via"
	until ssh_greets "${via[@]}"; do
		if ! host_alive "$1" || ((SECONDS > end)); then
			echo "lab: $1 does not answer: $(tail -n 3 "$h/console")" >&2
			return 1
		fi
		sleep 0.1
	done
	[ -e "$h/init" ] || return 0
	while state=$(host_on "$1" 'systemctl is-system-running' 2>/dev/null); [[ $state != @(running|degraded) ]]; do
		if ((SECONDS > end)); then
			echo "lab: $1 has not finished booting: ${state:-no answer}" >&2
			return 1
		fi
		sleep 0.1
	done
}

# Runs the shell text $2 as root inside the host $1 (booted or simulated).
host_on() {
	local init
	if ! init=$(cat "$LAB_DIR/hosts/$1/init" 2>/dev/null) || ! kill -0 "$init" 2>/dev/null; then
		echo "lab: $1 is not running" >&2
		return 255
	fi
	nsenter -t "$init" -m -u -i -n -p -C -r -w -- /usr/bin/env -i HOME=/root USER=root LANG=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -c "$2"
}

# Gives the running host $1 the card lan0 in the network of its file lan, with a namespace lan-NAME behind it.
host_lan() {
	local net init nodad=
	net=$(<"$LAB_DIR/hosts/$1/lan")
	init=$(<"$LAB_DIR/hosts/$1/init")
	[[ $net != *:* ]] || nodad=nodad
	[ -e "/run/netns/lan-$1" ] || ip netns add "lan-$1" || return
	ip -n "lan-$1" link del eth0 2>/dev/null
	ip link add lan0 netns "$init" type veth peer name eth0 netns "lan-$1" &&
		nsenter -t "$init" -n ip addr add "$(net_addr "$net" 1)" dev lan0 $nodad &&
		nsenter -t "$init" -n ip link set lan0 up || return
	ip -n "lan-$1" -batch - <<-END || return
		link set lo up
		link set eth0 up
		addr add $(net_addr "$net" 2) dev eth0 $nodad
		route add default via $(net_addr "$net" 1 | cut -d/ -f1)
	END
}

# Makes the router rt-$1: public address 198.51.100.$2, private network $3 (IPv4) on a bridge of its own, port 2222 -> host $1.
nat_router() {
	local rt=rt-$1 br=bn-$1 pub=198.51.100.$2 in
	in=$(net_addr "$3" 1)
	ip netns add "$rt" || return
	ip -batch - <<-END || return
		link add $br type bridge
		link set $br up
		link add ro-$1 type veth peer name pub netns $rt
		link set ro-$1 master br0 up
		link add ri-$1 type veth peer name priv netns $rt
		link set ri-$1 master $br up
	END
	ip -n "$rt" -batch - <<-END || return
		link set lo up
		addr add $pub/24 dev pub
		addr add $in dev priv
		link set pub up
		link set priv up
		route add default via 198.51.100.254
	END
	nsenter --net="/run/netns/$rt" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' || return
	nsenter --net="/run/netns/$rt" nft -f - <<-END
		table ip nat {
			chain pre { type nat hook prerouting priority dstnat;
				iifname pub tcp dport 2222 dnat to $(<"$LAB_DIR/hosts/$1/ip"):22; }
			chain post { type nat hook postrouting priority srcnat; oifname pub masquerade${LAB_NAT_RANDOM:+ random}; }
		}
		table ip filter {
			chain pass { type filter hook forward priority 0; policy drop;
				ct state established,related accept; iifname priv accept; ct status dnat accept; }
		}
	END
}
