# shellcheck shell=bash
# The root image of the lab's hosts: built once by mmdebstrap, kept in $LAB_CACHE, shared read-only by all labs.
# An image is two layers for overlayfs: base/ (a Debian without wireguard-tools, and a package repository of its own under
# /srv/apt from which apt installs them offline) and wg/ (what that installation adds).

LAB_CACHE=${LAB_CACHE:-/var/cache/wgmesh-lab}

# The packages of every host; wireguard-tools is deliberately not among them.
lab_image_packages() {
	echo systemd systemd-sysv dbus openssh-server wireguard-go iproute2 nftables procps sudo iputils-ping | tr ' ' ,
}

# Prints the apt source lines of Debian as this machine has them, or nothing.
lab_image_sources() {
	# shellcheck disable=SC2016
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' \
		2>/dev/null | grep ' bookworm' | sort -u
}

# Prints the options that hand this machine's apt proxy, if it has one, to mmdebstrap.
lab_image_proxy() {
	local p=
	eval "$(apt-config shell p Acquire::http::Proxy)"
	[ -z "$p" ] || printf -- '--aptopt=Acquire::http::Proxy "%s";\n' "$p"
}

# Prints the image's directory; its name is a hash of this file, which is the whole recipe.
lab_image_dir() {
	printf '%s/%s\n' "$LAB_CACHE" "$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-16)"
}

# Makes sure that the image exists and prints its directory; several labs may ask at once, one builds.
lab_image() {
	local dir tmp
	dir=$(lab_image_dir) || return
	mkdir -p "$LAB_CACHE" || return
	(
		flock 9 || exit
		[ -e "$dir/done" ] && exit 0
		tmp=$dir.tmp
		rm -rf --one-file-system "$tmp" "$dir"
		mkdir -p "$tmp/wg" "$tmp/work" || exit
		if ! lab_image_build "$tmp" >"$LAB_CACHE/build.log" 2>&1 9>&-; then
			tail -n 20 "$LAB_CACHE/build.log" >&2
			echo "lab: the image could not be built, the whole log is $LAB_CACHE/build.log" >&2
			rm -rf --one-file-system "$tmp"
			exit 1
		fi
		touch "$tmp/done" && mv "$tmp" "$dir"
	) 9>"$LAB_CACHE/lock" || return
	printf '%s\n' "$dir"
}

# Builds both layers in the directory $1.
lab_image_build() {
	lab_image_base "$1/base" && lab_image_settle "$1/base" && lab_image_wg "$1"
}

# Runs mmdebstrap for the base layer $1 and fetches into it the packages of the later installation.
lab_image_base() {
	local sources proxy
	sources=$(lab_image_sources)
	proxy=$(lab_image_proxy)
	# shellcheck disable=SC2016
	printf '%s\n' "$sources" | mmdebstrap --mode=root --variant=minbase --include="$(lab_image_packages)" ${proxy:+"$proxy"} \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook='mkdir -p "$1/srv/apt"' \
		--customize-hook='chroot "$1" apt-get -y -d --no-install-recommends install wireguard-tools' \
		--customize-hook='cp "$1"/var/cache/apt/archives/wireguard-tools*.deb "$1/srv/apt/"' \
		--customize-hook='chroot "$1" sh -c "cd /srv/apt && apt-get download wireguard"' \
		bookworm "$1" ${sources:+-}
}

# Writes the host's settings into the base layer $1: sshd, network, users, package source, what not to start.
lab_image_settle() {
	local r=$1 u
	lab_image_repo "$r" || return
	# A network card's address comes from a file that lab_boot writes; nothing else may configure the network.
	ln -sf /lib/systemd/system/systemd-networkd.service "$r/etc/systemd/system/multi-user.target.wants/" || return
	for u in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer getty.target \
		console-getty.service systemd-networkd-wait-online.service systemd-resolved.service systemd-timesyncd.service \
		systemd-firstboot.service; do
		ln -sf /dev/null "$r/etc/systemd/system/$u"
	done
	mkdir -p "$r/etc/systemd/system/ssh.service.d" "$r/var/log/journal" "$r/etc/systemd/journald.conf.d" "$r/root/.ssh"
	# Until this unit has run, pam_nologin turns everyone but root away.
	printf '[Unit]\nAfter=systemd-user-sessions.service\n' >"$r/etc/systemd/system/ssh.service.d/lab.conf"
	printf '[Journal]\nStorage=persistent\nSystemMaxUse=16M\nSyncIntervalSec=1s\nRateLimitBurst=0\n' \
		>"$r/etc/systemd/journald.conf.d/lab.conf"
	printf '%s\n' 'UseDNS no' 'PermitRootLogin prohibit-password' 'PasswordAuthentication no' 'MaxStartups 200' \
		'HostKey /etc/ssh/ssh_host_ed25519_key' >"$r/etc/ssh/sshd_config.d/lab.conf"
	rm -f "$r"/etc/ssh/ssh_host_* "$r/etc/machine-id" "$r/etc/resolv.conf"
	: >"$r/etc/machine-id"
	chroot "$r" useradd -m -s /bin/bash ops && chroot "$r" useradd -m -s /bin/bash nosudo || return
	printf 'ops ALL=(ALL) NOPASSWD: ALL\n' >"$r/etc/sudoers.d/ops"
	chmod 0440 "$r/etc/sudoers.d/ops"
}

# Makes /srv/apt of the root $1 a package repository and the only package source, and its lists read.
# A package lab-kernel stands for what a machine's kernel package provides, so that the package wireguard is installable.
lab_image_repo() {
	local r=$1 deb
	mkdir -p "$r/srv/lab-kernel/DEBIAN"
	printf '%s\n' 'Package: lab-kernel' 'Version: 1' 'Architecture: all' 'Maintainer: wgmesh <root@localhost>' \
		'Provides: wireguard-modules (= 1.0.0)' 'Description: stands for a kernel with WireGuard' \
		>"$r/srv/lab-kernel/DEBIAN/control"
	dpkg-deb --build "$r/srv/lab-kernel" "$r/srv/lab-kernel.deb" && chroot "$r" dpkg -i /srv/lab-kernel.deb || return
	rm -rf "$r/srv/lab-kernel" "$r/srv/lab-kernel.deb"
	for deb in "$r"/srv/apt/*.deb; do
		dpkg-deb -f "$deb"
		printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
	done >"$r/srv/apt/Packages"
	rm -rf "$r"/etc/apt/sources.list.d/* "$r"/etc/apt/apt.conf.d/99mmdebstrap "$r"/var/lib/apt/lists/*
	printf 'deb [trusted=yes] file:/srv/apt ./\n' >"$r/etc/apt/sources.list"
	chroot "$r" apt-get update
}

# Installs the WireGuard tools into the second layer of the image $1, from the image's own repository.
lab_image_wg() {
	# shellcheck disable=SC2016
	unshare --mount --propagation unchanged bash -ec '
		mount --make-rprivate / 2>/dev/null || : # fails in a chroot, where lab_missing has found nothing shared
		mkdir "$1/merged"
		mount -t overlay -o "lowerdir=$1/base,upperdir=$1/wg,workdir=$1/work" lab "$1/merged"
		DEBIAN_FRONTEND=noninteractive chroot "$1/merged" apt-get -y --no-install-recommends install wireguard-tools
	' - "$1" && rm -rf --one-file-system "$1/work" "$1/merged"
}
