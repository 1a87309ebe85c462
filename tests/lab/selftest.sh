#!/bin/bash
# Checks every function of the lab by using it: real hosts are booted, reached, frozen, rebooted and cut off.
# Arguments: the parts to run, else all. Prints a line for each check and at the end `N passed, N failed, N skipped`.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/sim.sh
. "$here/sim.sh"

passed=0 failed=0 skipped=0

# Runs the command after the title $1 and counts whether it succeeds.
check() {
	local title=$1 out start=$EPOCHREALTIME
	shift
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		start=$((${EPOCHREALTIME/./} - ${start/./}))
		printf 'ok %3d.%01d s  %s\n' $((start / 1000000)) $((start / 100000 % 10)) "$title"
	else
		failed=$((failed + 1))
		printf 'FAILED    %s\n%s\n' "$title" "$out"
	fi
}

# Succeeds if the command after it fails.
fails() { ! "$@"; }

# Succeeds if the command after $1 prints exactly $1.
prints() {
	local want=$1 got
	shift
	got=$("$@") && [ "$got" = "$want" ] || { echo "want: $want"; echo "got: $got"; return 1; }
}

# Logs in from the control side at $1 and runs the rest there; ssh options may come first.
login() { lab_ctl ssh -n -o BatchMode=yes -o ConnectTimeout=2 "$@"; }

# Counts a part as skipped, and says why.
skip() {
	skipped=$((skipped + 1))
	echo "skipped   $1"
}

# Prints the counts and ends the run.
finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit
}

# Prints what the lab must leave alone on the machine itself: cards, addresses, routes, mounts, network settings.
machine() {
	ip -o addr
	ip -o link
	ip route
	ip netns list
	cut -d' ' -f4- /proc/self/mountinfo | sort
	sysctl -a 2>&1 | grep '^net\.' | grep -v _count
}

# The control side: network, home, status, stdin.
test_control() {
	check 'lab_ctl keeps the exit status' prints 7 eval 'lab_ctl sh -c "exit 7"; echo $?'
	check 'lab_ctl passes stdin through' prints 3000000 eval 'yes | head -c 3000000 | lab_ctl cat | wc -c'
	check 'lab_ctl keeps the directory' prints "$PWD" lab_ctl pwd
	check 'lab_ctl has the lab as its home' prints "$LAB_DIR/home" lab_ctl sh -c 'getent passwd 0 | cut -d: -f6'
	check 'lab_ctl sees no agent' prints none eval 'SSH_AUTH_SOCK=/x lab_ctl sh -c "echo \${SSH_AUTH_SOCK-none}"'
	check 'but the one it is told' prints /y eval 'LAB_AGENT=/y SSH_AUTH_SOCK=/x lab_ctl sh -c "echo \${SSH_AUTH_SOCK-none}"'
	lab_ctl_exec sleep 1000 &
	check 'lab_ctl_exec is the command itself' prints sleep eval "lab_until $! grep -qx sleep /proc/$!/comm && cat /proc/$!/comm"
	kill $!
	check 'arguments keep their shape' prints "a b|c'd|" lab_ctl printf '%s|' 'a b' "c'd"
}

# Booted hosts: addresses, accounts, inside.
test_hosts() {
	check 'three hosts boot' lab_boot h1 h2 h3
	lab_keys >"$LAB_DIR/home/.ssh/known_hosts"
	check 'lab_ip' prints 198.51.100.12 lab_ip h2
	check 'lab_ip6' prints 2001:db8:77::13 lab_ip6 h3
	check 'IPv4 from ctl' lab_ctl ping -c 1 -W 2 "$(lab_ip h1)"
	check 'IPv6 from ctl' lab_ctl ping -c 1 -W 2 "$(lab_ip6 h1)"
	check 'ssh over IPv4' prints h1 login "root@$(lab_ip h1)" hostname
	check 'ssh over IPv6' prints h3 login "root@$(lab_ip6 h3)" hostname
	if [ ! -e /etc/hosts ]; then skip 'ssh by name: this machine has no /etc/hosts'; else
		check 'ssh by name' prints h2 login -o HostKeyAlias="$(lab_ip h2)" root@h2 hostname
	fi
	check 'ops may use sudo' prints 0 login "ops@$(lab_ip h1)" sudo -n id -u
	check 'nosudo may not' fails login "nosudo@$(lab_ip h1)" sudo -n id -u
	check 'lab_on: status' prints 'h2 5' eval 'echo "$(lab_on h2 "hostname; exit 5") $?"'
	check 'the system is up' prints running lab_on h1 'systemctl is-system-running'
	check 'the host reaches its like' lab_on h1 'ping -c 1 -W 2 198.51.100.12'
	check 'the host reaches nothing else' fails lab_on h1 'ping -c 1 -W 2 192.0.2.1'
	check 'forwarding can be set in the host' lab_on h1 'sysctl -w net.ipv4.ip_forward=1'
	check 'nftables works in the host' lab_on h1 'nft add table inet t && nft add chain inet t c "{ type filter hook input priority 0; }" && nft delete table inet t'
	check 'lab_log counts logins' eval '[ "$(lab_log h3 | grep -c "Accepted publickey")" = 1 ]'
}

# Makes a WireGuard key pair on h$1.
wireguard() {
	lab_on "h$1" 'umask 077; wg genkey | tee /root/wg.key | wg pubkey >/root/wg.pub'
}

# Writes a WireGuard configuration with the peer h$2 on h$1 and starts it, now and at boot.
pair() {
	lab_on "h$1" "umask 077; printf '%s\n' '[Interface]' \"PrivateKey = \$(cat /root/wg.key)\" 'Address = 10.9.0.$1/24' 'ListenPort = 51820' '[Peer]' \
		'PublicKey = $(lab_on "h$2" 'cat /root/wg.pub')' 'AllowedIPs = 10.9.0.$2/32' 'Endpoint = 198.51.100.1$2:51820' >/etc/wireguard/wg0.conf
		systemctl enable -q --now wg-quick@wg0"
}

# A real WireGuard tunnel, and what reboots, power cuts and changed keys do to a host.
test_lives() {
	wireguard 1 && wireguard 2
	check 'WireGuard between hosts' eval 'pair 1 2 && pair 2 1 && lab_on h1 "ping -c 3 -W 2 10.9.0.2"'
	lab_on h1 'echo kept >/root/kept; sync'
	check 'lab_reboot, in parallel' lab_reboot h1 h2
	check 'the disk is the same' prints kept lab_on h1 'cat /root/kept'
	check 'the tunnel is back after the boot' lab_on h1 'ping -c 3 -W 2 10.9.0.2'
	check 'lab_kill' eval 'lab_kill h1 && fails lab_ctl ping -c 1 -W 1 198.51.100.11'
	check 'lab_on of a dead host fails' fails lab_on h1 true
	check 'lab_up' lab_up h1
	check 'the disk survived the power cut' prints kept lab_on h1 'cat /root/kept'
	check 'lab_poweroff' eval 'lab_poweroff h1 && fails login root@198.51.100.11 true'
	check 'lab_up after a power-off' eval 'lab_up h1 && login root@198.51.100.11 true'
	check 'a frozen sshd accepts and is silent' eval 'lab_freeze_sshd h1 && fails login root@198.51.100.11 true && nc_silent'
	check 'a thawed sshd answers' eval 'lab_thaw_sshd h1 && lab_wait_ssh h1 && login root@198.51.100.11 true'
	check 'lab_rekey_ssh changes the key' eval 'lab_rekey_ssh h1 && login root@198.51.100.11 true 2>&1 | grep -q "IDENTIFICATION HAS CHANGED"'
	check 'a disk can be full' fails lab_on h3 'head -c 1G /dev/zero >/root/big'
	check 'the other hosts have room' lab_on h2 'head -c 10M /dev/zero >/root/big'
}

# Succeeds if port 22 of h1 opens and says nothing.
nc_silent() {
	# shellcheck disable=SC2016
	lab_ctl bash -c 'exec 3<>/dev/tcp/198.51.100.11/22 && ! read -r -t 1 -u 3 line'
}

# Hosts behind a router, and networks behind a host.
test_networks() {
	check 'lab_nat' lab_nat n1 40 192.168.77.0/24
	check 'lab_ip behind a router' prints 192.168.77.2 lab_ip n1
	check 'lab_nat_ip' prints 198.51.100.40 lab_nat_ip n1
	lab_keys >"$LAB_DIR/home/.ssh/known_hosts"
	check 'ssh through the router' prints '192.168.77.2 22' login -p 2222 "root@$(lab_nat_ip n1)" 'echo ${SSH_CONNECTION#* * }'
	check 'outward through the router' lab_on n1 'ping -c 1 -W 2 198.51.100.12'
	check 'no way in but by the router' fails lab_ctl ping -c 1 -W 1 192.168.77.2
	check 'lab_lan' lab_lan h2 192.168.10.0/24
	check 'lab_lan_ip' prints 192.168.10.2 lab_lan_ip h2
	check 'the host reaches its LAN' lab_on h2 'ping -c 1 -W 2 192.168.10.2'
	lab_on h2 'sysctl -qw net.ipv4.ip_forward=1'
	lab_on h3 'ip route add 192.168.10.0/24 via 198.51.100.12'
	check 'packets pass through the host to its LAN' lab_on h3 'ping -c 1 -W 2 192.168.10.2'
	check 'and back' lab_lan_on h2 ping -c 1 -W 2 198.51.100.13
	check 'lab_unplug' eval 'lab_unplug h3 && fails lab_ctl ping -c 1 -W 1 198.51.100.13'
	check 'lab_plug' eval 'lab_plug h3 && lab_ctl ping -c 1 -W 5 198.51.100.13'
	check 'a LAN with IPv6' eval 'lab_lan h3 fd00:10::/64 && lab_on h3 "ping -c 1 -W 2 $(lab_lan_ip h3)"'
	check 'the LAN outlives a reboot' eval 'lab_reboot h2 && lab_on h2 "ping -c 1 -W 2 192.168.10.2"'
}

# A host without the WireGuard tools, with apt and no network.
test_without_wireguard() {
	check 'a host without WireGuard' eval 'LAB_NO_WG=1 lab_boot bare9 && fails lab_on bare9 "command -v wg"'
	check 'apt-get update works offline' lab_on bare9 'apt-get update'
	check 'apt installs wireguard-tools offline' lab_on bare9 'apt-get install -y --no-install-recommends wireguard-tools && wg --version'
	check 'apt installs wireguard offline' lab_on bare9 'DEBIAN_FRONTEND=noninteractive apt-get install -y wireguard && dpkg -s wireguard'
}

# Simulated hosts.
test_sim() {
	check 'five simulated hosts' sim_up 5
	sim_keys >>"$LAB_DIR/home/.ssh/known_hosts"
	check 'ssh to a simulated host' prints sim5 login "root@$(sim_ip 5)" hostname
	check 'sim_on' prints 'sim2 3' eval 'echo "$(sim_on 2 "hostname; exit 3") $?"'
	check 'WireGuard in a simulated host' sim_on 2 'wireguard-go wg0 && wg show wg0 && test -S /var/run/wireguard/wg0.sock'
	check 'and only there' sim_on 3 'test ! -e /var/run/wireguard/wg0.sock'
	check 'sim_freeze, sim_thaw' eval 'sim_freeze 4 && fails login root@10.77.1.4 true && sim_thaw 4 && login root@10.77.1.4 true'
	check 'sim_kill' eval 'sim_kill 5 && fails login root@10.77.1.5 true'
	check 'sim_up again' eval 'sim_up 5 && lab_ctl ping -c 1 -W 2 10.77.1.5'
	check 'sim_down' eval 'sim_down && fails lab_ctl ping -c 1 -W 1 10.77.1.1'
}

# Ends the lab and looks for what it may have left.
test_stop() {
	local left dir=$LAB_DIR holder=$LAB_HOLDER name=$LAB_NAME
	lab_ctl_exec sleep 1000 &
	left=$!
	disown "$left"
	lab_stop
	check 'lab_stop twice' lab_stop
	check 'no file is left' fails test -e "$dir"
	check 'no process is left' fails kill -0 "$holder" "$left"
	check 'no cgroup is left' prints '' find /sys/fs/cgroup -name "$name"
	check 'the machine is as before' eval 'diff <(echo "$before") <(machine)'
}

if ! why=$(lab_missing); then
	skip "$why"
	finish
fi
# shellcheck disable=SC2034
before=$(machine)
if ! lab_start; then
	failed=1
	finish
fi
[ $# -gt 0 ] || set -- control hosts lives networks without_wireguard sim stop
for part; do "test_$part"; done
finish
