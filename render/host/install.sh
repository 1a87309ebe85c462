# Installs WireGuard where there is apt. Whether it worked the next steps show.

get_packages() {
	apt-get install -y -qq --no-install-recommends wireguard-tools iproute2
}

install_wireguard() {
	umask 022
	export DEBIAN_FRONTEND=noninteractive
	get_packages || {
		apt-get update -qq && get_packages
	}
	modprobe wireguard 2>/dev/null || :
}
