# Takes the interface away, now and at boot.
tear_down() {
	if [ -d /run/systemd/system ]; then
		systemctl disable --now "wg-quick@$INTERFACE" || :
		systemctl reset-failed "wg-quick@$INTERFACE" 2>/dev/null || :
	fi
	[ ! -d "/sys/class/net/$INTERFACE" ] || wg-quick down "$INTERFACE" ||
		ip link del dev "$INTERFACE" || :
	[ ! -d "/sys/class/net/$INTERFACE" ]
}
