# Runs the commands that are read by one `ip $1 -batch`, or one by one where ip
# knows none (BusyBox).
ip_batch() {
	if ip -V 2>&1 | grep -q BusyBox; then
		while read -r line; do
			# each is words
			# shellcheck disable=SC2086
			ip "$1" $line || return 1
		done
	else
		ip "$1" -batch -
	fi
}
