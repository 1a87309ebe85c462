# Interfaces that take router advertisements although the host forwards have
# accept_ra 2, and a line "net/ipv6/conf/NAME/accept_ra = 2" in the file of sysctl.

# Puts back the interfaces in the lines that are read.
restore_accept_ra() {
	sed -n 's/ = 2$//p' | while read -r name; do
		[ ! -f "/proc/sys/$name" ] || echo 1 >"/proc/sys/$name"
	done
}
