#!/bin/sh
# Inventories of Ansible's: host, user, place, port and groups of each in tests/cli/data/ansible.txt are those that Ansible itself
# tells, as it was recorded from 'ansible-inventory --list' with
#
#   sh tests/cli/test_ansible.sh -write
cd "$(dirname "$0")/../.." || exit 1
data=$PWD/tests/cli/data/ansible.txt
write=${1:-}
. tests/cli/common.sh

# unpack NAME: its files in $T/w; "expected" is what Ansible tells.
unpack() {
	empty_folder
	awk -v name="#### $1" '
		/^#### / { here = $0 == name; file = ""; next }
		here && /^## / {
			file = substr($0, 4)
			folder = file
			if (sub("/[^/]*$", "", folder)) system("mkdir -p " folder)
			printf "" >file
			next
		}
		here && file != "" { print >file }' "$data"
}

# What wgmesh makes of $1: "HOST USER PLACE PORT GROUPS", sorted.
ours() {
	"$WGMESH" init -state s.json >/dev/null && "$WGMESH" import -state s.json -from "$1" >"$T/out" 2>"$T/err" || {
		cat "$T/err"
		return
	}
	jq -r '. as $s | .nodes[] | .hostname as $n | [$n, (.ssh_user // "-"), .ssh_host, (.ssh_port // 22),
		([$s.groups // {} | to_entries[] | select(.value.members | index($n)) | .key] | sort | join(","))] | join(" ")' s.json | sort
}

# What Ansible makes of $1. Hosts that it does not reach by SSH are none.
theirs() {
	ansible-inventory -i "$1" --list 2>/dev/null | jq -r '. as $i |
		def below($g): ($i[$g].hosts // []) + [($i[$g].children // [])[] | below(.)[]];
		(._meta.hostvars) as $v | [below("all")[], (keys[] | select(. != "_meta") | below(.)[])] | unique[] | . as $n | ($v[$n] // {}) as $h |
		select($h.ansible_connection // "ssh" | IN("ssh", "smart", "paramiko_ssh")) |
		[$n, ($h.ansible_ssh_user // $h.ansible_user // "-"), ($h.ansible_ssh_host // $h.ansible_host // $n),
		($h.ansible_ssh_port // $h.ansible_port // 22), ([$i | keys[] | select(IN("_meta", "all", "ungrouped") | not) | . as $g |
		select(below($g) | index($n))] | sort | join(","))] | join(" ")' | sort
}

inventory() { find . -maxdepth 1 \( -name 'hosts.*' -o -name dynamic.json \) | sed 's|^\./||'; }

# The file with what Ansible tells. A script prints what is its own form of JSON.
record() {
	for name in $(sed -n 's/^#### //p' "$data"); do
		unpack "$name"
		file=$(inventory)
		[ "$file" != dynamic.json ] || {
			printf '#!/bin/sh\ncat "%s"\n' "$PWD/dynamic.json" >"$T/script"
			chmod 755 "$T/script"
			file=$T/script
		}
		echo "#### $name"
		awk -v name="#### $name" '/^#### / { here = $0 == name; next } here && $0 == "## expected" { exit } here' "$data"
		echo "## expected"
		theirs "$file"
	done
}

if [ "$write" = -write ]; then
	record >"$T/recorded" && cp "$T/recorded" "$data"
	exit
fi
for name in $(sed -n 's/^#### //p' "$data"); do
	unpack "$name"
	check_equal "as Ansible has it: $name" "$(cat expected)" "$(ours "$(inventory)")"
done
finish
