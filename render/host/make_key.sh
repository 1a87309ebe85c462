# Makes sure of a private key in its file: the interface's, if it is there and has
# one, else a new one. It never leaves the host.
make_key() {
	[ ! -s "$key_file" ] || return 0
	key=$(wg show "$INTERFACE" private-key 2>/dev/null)
	case $key in
	"" | "(none)") key=$(wg genkey) || return 1 ;;
	esac
	write_secret "$key_file" <<E
$key
E
}
