# Files that are written whole or not at all.

# Replaces the file $1, with the mode $2, by what is read.
replace_file() {
	new=$(mktemp "${1%/*}/.wgmesh.XXXXXX") || return 1
	if cat >"$new" && { sync "$new" 2>/dev/null || sync; } &&
		chmod "$2" "$new" && mv -f "$new" "$1"; then
		sync "${1%/*}" 2>/dev/null || sync
	else
		rm -f "$new"
		return 1
	fi
}

# The same for one that holds a secret, in WireGuard's folder.
write_secret() {
	# of the folders /etc alone is there for sure, and is to stay as it is
	# shellcheck disable=SC2174
	mkdir -p -m 700 /etc/wireguard
	replace_file "$1" 600
}
