# Ends the forwarding that forward_on.sh began: what it turned on, and was off
# before, is off again.

forward_off() {
	if grep -q '^# before:.*ip_forward=0' "$sysctl_file" && grep -q '^net.ipv4.ip_forward' "$sysctl_file"; then
		echo 0 >/proc/sys/net/ipv4/ip_forward
	fi
	if grep -q '^# before:.*all.forwarding=0' "$sysctl_file" && grep -q '^net.ipv6.conf.all' "$sysctl_file"; then
		echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
	fi
	restore_accept_ra <"$sysctl_file"
	rm -f "$sysctl_file"
}
