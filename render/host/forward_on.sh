# Forwarding for networks behind this host, of the families that FORWARD4 and
# FORWARD6 say, by a file of sysctl and at once.
#
# What held before is kept in the file, so that it can be put back. Forwarding of
# version 6 makes the kernel ignore router advertisements where accept_ra is 1:
# those interfaces get 2, or the host would lose its default route.

# Prints what the file $1 says; fails if that is nothing.
value_of() {
	value=
	read -r value <"$1"
	printf "%s" "$value"
	[ -n "$value" ]
}

# Sets before to what held before, and advertised to the lines of accept_ra.
read_sysctl_file() {
	before=$(sed -n '/^# before:/p' "$sysctl_file" 2>/dev/null)
	[ -n "$before" ] || before="# before: net.ipv4.ip_forward=$(value_of /proc/sys/net/ipv4/ip_forward) net.ipv6.conf.all.forwarding=$(value_of /proc/sys/net/ipv6/conf/all/forwarding 2>/dev/null || echo 0)"
	advertised=$(sed -n '/accept_ra = 2$/p' "$sysctl_file" 2>/dev/null)
}

# One family may go while the other stays.
forward_less() {
	if [ -z "$FORWARD6" ] && grep -q '^net.ipv6.conf.all' "$sysctl_file" 2>/dev/null; then
		case $before in
		*all.forwarding=0*) echo 0 >/proc/sys/net/ipv6/conf/all/forwarding ;;
		esac
		printf "%s\n" "$advertised" | restore_accept_ra
		advertised=
	fi
	if [ -z "$FORWARD4" ] && grep -q '^net.ipv4.ip_forward' "$sysctl_file" 2>/dev/null; then
		case $before in
		*ip_forward=0*) echo 0 >/proc/sys/net/ipv4/ip_forward ;;
		esac
	fi
}

keep_accept_ra() {
	for name in /proc/sys/net/ipv6/conf/*/accept_ra; do
		if [ "$(value_of "$name")" = 1 ]; then
			echo 2 >"$name"
			name=${name#/proc/sys/}
			advertised="${advertised:+$advertised
}$name = 2"
		fi
	done
}

print_sysctl_file() {
	echo "# managed by wgmesh: this host forwards for networks behind it"
	printf "%s\n" "$before"
	[ -z "$FORWARD4" ] || echo "net.ipv4.ip_forward = 1"
	[ -z "$FORWARD6" ] || echo "net.ipv6.conf.all.forwarding = 1"
	[ -z "$advertised" ] || printf "%s\n" "$advertised"
}

forward_on() {
	read_sysctl_file
	forward_less
	[ -z "$FORWARD6" ] || keep_accept_ra
	print_sysctl_file | replace_file "$sysctl_file" 644 || return 1
	[ -z "$FORWARD4" ] || echo 1 >/proc/sys/net/ipv4/ip_forward || return 1
	[ -z "$FORWARD6" ] || echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
}
