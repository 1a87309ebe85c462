# What a host is asked before anything is planned. It changes nothing, and
# reports no secret.
#
# Set before it, by render/host/probe.c: INTERFACE; PORT, the UDP port that it is
# to have; NONCE; KNOWN_NAME, the host name known so far; AWK, the text of
# probe.awk; FORWARD, that of forward.awk where networks are behind the host. $1
# is SSH_CONNECTION. It is read
# behind section.sh and lock.sh.
#
# Processes are nearly all of its cost, over 1 ms of CPU each, so there are
# three: ip, wg, awk. What the shell can do itself it does.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH LC_ALL=C
boot_file=/etc/wireguard/$INTERFACE.conf
key_file=/etc/wireguard/$INTERFACE.key
sysctl_file=/etc/sysctl.d/90-wgmesh-$INTERFACE.conf

# Reports as $1 what the file $2 says. The status of read means nothing: numbers
# in /proc/sys end without the newline that it asks for.
report_file() {
	value=
	[ -r "$2" ] && {
		read -r value <"$2"
		[ -n "$value" ]
	} && printf "%s=%s\n" "$1" "$value"
}

# Reports that the interface can have no IPv6 address: there is no IPv6, or it is
# switched off where the interface is, or will be.
report_no_ipv6() {
	[ -e /proc/net/if_inet6 ] || {
		echo no_ipv6=1
		return
	}
	of=$INTERFACE
	[ -d "/proc/sys/net/ipv6/conf/$of" ] || of=default
	report_file no_ipv6 "/proc/sys/net/ipv6/conf/$of/disable_ipv6"
}

# Reports as $1 that there is the program $2.
report_program() {
	command -v "$2" >/dev/null 2>&1 && echo "$1=1"
}

# Is another deploy at work, with the lock file open as 9?
is_held() {
	if command -v flock >/dev/null; then
		! flock -s -n 0 <&9
	else
		others_claim
	fi
}

# Waits a little for the end of another deploy, not to report the midst of it. An
# empty line each second is for the patience of who waits for us.
wait_for_holder() {
	exec 9<"$lock"
	seconds=0
	while is_held; do
		[ $seconds -lt 5 ] || {
			printf "busy=%s\n" "$holder"
			break
		}
		seconds=$((seconds + 1))
		echo
		sleep 1
	done
	read_lock
	exec 9<&-
}

# The lock file is read before all else, for what its token says is older.
report_lock() {
	read_lock
	[ -z "$holder" ] || wait_for_holder
	printf "lock=%s\n" "$token"
}

report_host() {
	# Nobody but root owns /. A shell whose test has no -O asks id.
	# shellcheck disable=SC3067
	if [ -O / ]; then uid=0; else uid=$(id -u); fi
	printf "uid=%s\nssh=%s\n" "$uid" "$1"
	report_file hostname /proc/sys/kernel/hostname
	[ "$value" = "$KNOWN_NAME" ] ||
		printf "fqdn=%s\n" "$(timeout 2 hostname -f 2>/dev/null)"
	report_file forward4 /proc/sys/net/ipv4/ip_forward
	report_file forward6 /proc/sys/net/ipv6/conf/all/forwarding
	report_no_ipv6
	report_program wg wg
	report_program ip ip
	report_program apt apt-get
	[ -d /run/systemd/system ] && echo systemd=1
	[ -L "/etc/systemd/system/multi-user.target.wants/wg-quick@$INTERFACE.service" ] &&
		echo enabled=1
	[ -f "$key_file" ] && {
		echo keyfile=1
		printf "hostkey=%s\n" "$(wg pubkey <"$key_file")"
	}
}

# BusyBox's ip knows no -batch, and has printed nothing then.
ask_ip_singly() {
	ip -o addr show
	[ -z "$own" ] || {
		ip -4 route show dev "$INTERFACE"
		ip -o link show dev "$INTERFACE"
		ip -6 route show dev "$INTERFACE"
	}
	ip -o link show dev lo
	ip -4 route show
	ip -o link show
	ip -6 route show
}

# Asks for all addresses; for the interface's own routes and itself, if it is
# there; and for all other routes and interfaces. probe.awk knows the answers by
# their order.
ask_ip() {
	ip -o -batch - <<E || ask_ip_singly
addr show
$own
link show dev lo
route show
link show
route show root ::/0 table all
E
}

report_network() {
	own=
	[ -d "/sys/class/net/$INTERFACE" ] && own="route show dev $INTERFACE
link show dev $INTERFACE
route show root ::/0 table all dev $INTERFACE"
	[ -f "$boot_file" ] || boot_file=/dev/null
	{
		ask_ip
		[ -z "$own" ] || {
			echo
			exec wg show "$INTERFACE" dump
		}
	} | awk -F "\t" -v OFS="\t" -v nonce="$NONCE" -v interface="$INTERFACE" \
		-v port="$PORT" -v own="${own:+1}" "$AWK" - part=boot "$boot_file"
}

# Only where something is to be forwarded: a ruleset takes a process of its own.
report_firewall() {
	section firewall
	{
		if command -v nft >/dev/null; then
			timeout 5 nft list ruleset
			[ -s /proc/net/ip_tables_names ] && timeout 5 iptables-legacy -S
		else
			timeout 5 iptables -S
		fi
	} | awk -v interface="$INTERFACE" "$FORWARD"
}

report() {
	section host
	report_lock
	report_host "$1"
	report_network
	if [ -f "$sysctl_file" ]; then
		section dropin
		cat "$sysctl_file"
	fi
	[ -z "$FORWARD" ] || report_firewall
	section end
}

report "$1" </dev/null 2>/dev/null
# A script's first line ends the wait, whatever it says; the shell that takes the
# rest is started only where a script comes.
# shellcheck disable=SC2034
read -r line && exec sh
