# shellcheck shell=bash
# The parts of the benchmark that hold wgmesh against Ansible: the same state file, hosts and configuration files. Ansible is as quick as its own settings make it: 50 forks, pipelining, no fact gathering, fixed
# interpreter, connections kept by ControlPersist within a run (a run begins with none open, as after a pause).

# Makes sure of Ansible; prints why not and returns 1.
ansible_missing() {
	command -v ansible-playbook >/dev/null || packages_need ansible-core
}

# Makes sure that the lab's image has a layer with Python, which Ansible wants on the hosts: $LAB_IMAGE/python.
ansible_layer() (
	flock 9 || exit
	[ ! -e "$LAB_IMAGE/python" ] || exit 0
	say 'adding Python to the hosts image'
	tmp=$LAB_IMAGE/python.tmp
	rm -rf --one-file-system "$tmp"
	mkdir -p "$tmp/debs/partial" "$tmp/python" "$tmp/work" "$tmp/merged" || exit
	ansible_layer_build "$tmp" >"$BENCH/layer.log" 2>&1 9>&- || {
		tail -n 20 "$BENCH/layer.log" >&2
		exit 1
	}
	mv "$tmp/python" "$LAB_IMAGE/python" && rm -rf --one-file-system "$tmp"
) 9>"$LAB_CACHE/lock"

# Fetches the packages with this machine's apt, for what the image has installed, and installs them on top of it in $1.
ansible_layer_build() {
	ansible_layer_fetch "$1" || { apt-get update -qq && ansible_layer_fetch "$1"; } || return
	# shellcheck disable=SC2016
	unshare --mount --propagation unchanged bash -ec '
		mount --make-rprivate / 2>/dev/null || :
		mount -t overlay -o "lowerdir=$LAB_IMAGE/wg:$LAB_IMAGE/base,upperdir=$1/python,workdir=$1/work" lab "$1/merged"
		mkdir "$1/merged/debs"
		cp "$1"/debs/*.deb "$1/merged/debs/"
		DEBIAN_FRONTEND=noninteractive chroot "$1/merged" sh -c "apt-get -y -q --no-install-recommends install /debs/*.deb"
		rm -r "$1/merged/debs"
	' - "$1"
}

# Fetches Python and what it needs into $1/debs.
ansible_layer_fetch() {
	apt-get -y -q --download-only --no-install-recommends -o Debug::NoLocking=1 -o Dir::Cache::archives="$1/debs" \
		-o Dir::State::status="$LAB_IMAGE/wg/var/lib/dpkg/status" install python3
}

# Writes the inventory and the settings.
ansible_settings() {
	awk '{ print "n" NR " ansible_host=" $1 }' "$BENCH/hosts" >"$BENCH/inventory"
	cat >"$BENCH/ansible.cfg" <<-END
		[defaults]
		inventory = $BENCH/inventory
		forks = 50
		gathering = explicit
		interpreter_python = /usr/bin/python3
		remote_user = root
		[ssh_connection]
		pipelining = True
	END
}

# Measures one play as $1; every host has to answer and none to be changed.
measure_ansible() {
	measure "$1" env ANSIBLE_CONFIG="$BENCH/ansible.cfg" ansible-playbook -e "@$STATE" tests/bench/ansible/play.yml
	[ "$(grep -c 'ok=3 .*changed=0 .*unreachable=0 .*failed=0 ' "$BENCH/out")" = "$(wc -l <"$BENCH/hosts")" ] ||
		stop "Ansible finds something to change: $(tail -n 3 "$BENCH/out")"
}

# Hosts nearby, nothing to change, against Ansible.
part_ansible() {
	local i why
	if ! why=$(ansible_missing); then
		say "skipped, the part ansible: $why"
		return
	fi
	ansible_layer || stop 'no Python for the hosts'
	mesh 50 python:wg:base
	ansible_settings
	say 'Ansible, once without being measured'
	measure_ansible ansible-first
	for ((i = 1; i <= ROUNDS; i++)); do
		say "against Ansible, round $i"
		measure_deploy near-ansible '0 changed, 50 unchanged'
		measure_ansible ansible
	done
	row 'nothing to change, against Ansible: wall' 50 wall 1/25 near-ansible ansible
	row 'nothing to change, against Ansible: CPU' 50 cpu 1/80 near-ansible ansible
}

# Measures the play on bare hosts as $1, with the state that the deploy left: Ansible finds no addresses and no MTU by itself.
measure_ansible_first() {
	measure "$1" env ANSIBLE_CONFIG="$BENCH/ansible.cfg" ansible-playbook -e "@$BENCH/deployed.json" tests/bench/ansible/play.yml
	[ "$(grep -c 'ok=4 .*changed=2 .*unreachable=0 .*failed=0 ' "$BENCH/out")" = "$(wc -l <"$BENCH/hosts")" ] ||
		stop "Ansible does not set the hosts up: $(tail -n 3 "$BENCH/out")"
}

# The first deploy of $1 hosts that have nothing, then the same by Ansible on hosts as new, unless $2 is empty.
first_of() {
	bare_hosts "$1" ${2:+python:wg:base}
	say "first deploy of $1 hosts"
	measure_deploy "first-$1" "$1 changed, 0 unchanged"
	cp "$STATE" "$BENCH/deployed.json"
	[ -n "$2" ] || return 0
	bare_hosts "$1" python:wg:base
	ansible_settings
	say "the same by Ansible"
	measure_ansible_first "ansible-first-$1"
}

# The first deploy of hosts that have nothing, against Ansible. FIRST: how many hosts, by default 20, 50 and 100 in turn.
part_first() {
	local n i why other=yes
	if ! why=$(ansible_missing); then
		say "the part first is without Ansible: $why"
		other=
	else
		ansible_layer || stop 'no Python for the hosts'
	fi
	for n in ${FIRST:-20 50 100}; do
		for ((i = 1; i <= ROUNDS; i++)); do
			say "first deploys of $n, round $i"
			first_of "$n" "$other"
		done
		MESH=
		row 'first deploy, against Ansible: wall' "$n" wall '' "first-$n" ${other:+"ansible-first-$n"}
		row 'first deploy, against Ansible: CPU' "$n" cpu '' "first-$n" ${other:+"ansible-first-$n"}
	done
}
