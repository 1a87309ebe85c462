# shellcheck shell=sh
# Debian packages that a script needs: named, then installed when we are root.

# Prints those of the packages $@ that are not installed.
packages_missing() {
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q '^install ok installed$' || echo "$package"
	done
}

# A daemon that comes with a package is not to start on this machine: runs $@
# with a policy that says so, unless the machine has one of its own.
packages_quietly() {
	if [ -e /usr/sbin/policy-rc.d ]; then
		"$@"
		return
	fi
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	"$@"
	packages_status=$?
	rm -f /usr/sbin/policy-rc.d
	return $packages_status
}

# Makes sure of the packages $@; says in one sentence what is missing when it
# cannot, and returns 1.
packages_need() {
	missing=$(packages_missing "$@" | tr '\n' ' ')
	missing=${missing% }
	[ -n "$missing" ] || return 0
	if ! command -v apt-get >/dev/null; then
		echo "needs the programs of these Debian packages: $missing"
		return 1
	fi
	if [ "$(id -u)" -ne 0 ]; then
		echo "needs these packages, which only root can install: apt-get install $missing"
		return 1
	fi
	echo "installing: $missing"
	export DEBIAN_FRONTEND=noninteractive
	packages_log=$(mktemp)
	# shellcheck disable=SC2086
	if packages_quietly sh -c 'apt-get update -qq && exec apt-get install -y -qq --no-install-recommends "$@"' \
		sh $missing >"$packages_log" 2>&1; then
		rm -f "$packages_log"
		return 0
	fi
	tail -n 5 "$packages_log"
	rm -f "$packages_log"
	echo "could not install: $missing"
	return 1
}
