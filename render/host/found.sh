# What an import reads besides the probe. It changes nothing.
#
# Set before it, by render/host/found.c: INTERFACE; NONCE; PRIVATE_KEY, set where
# that is asked for; HOOKS, the same of commands; AWK, the text of found.awk. It is read behind section.sh, and
# within a function that is called in the script's last line.

boot_file=/etc/wireguard/$INTERFACE.conf
[ -z "$PRIVATE_KEY" ] || {
	section private
	wg show "$INTERFACE" private-key
}
section preshared
wg show "$INTERFACE" preshared-keys
section boot
[ ! -f "$boot_file" ] || awk -v hooks="$HOOKS" "$AWK" "$boot_file"
section end
