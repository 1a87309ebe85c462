# Starts the interface from its boot file. What systemd says to one that fails is
# in its journal.
bring_up() {
	if [ -d /run/systemd/system ]; then
		systemctl reset-failed "wg-quick@$INTERFACE" 2>/dev/null
		systemctl restart "wg-quick@$INTERFACE" || {
			journalctl -q -n 6 -o cat -u "wg-quick@$INTERFACE" >&2
			false
		}
	else
		wg-quick up "$INTERFACE"
	fi
}
