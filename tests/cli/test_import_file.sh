#!/bin/sh
# import -from FILE: a wg-quick file, a wg-meshconf CSV, Ansible inventories as
# INI and as YAML, into the state and into a mesh.yaml.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

data=$PWD/tests/cli/data

# said WORDS: the last run's stderr has them.
said() {
	if grep -qF -e "$1" "$T/err"; then
		pass "says: $1"
	else
		flunk "says: $1" "$(cat "$T/err")"
	fi
}

# has NAME TEXT: the state file has the text.
has() {
	if grep -qF -e "$2" s.json; then
		pass "$1"
	else
		flunk "$1" "no '$2' in the state"
	fi
}

# sample FILE: a copy of it is here, for our eyes only.
sample() {
	cp "$data/$1" . && chmod 600 "$1"
}

# new_state NETWORK [OPTION...]
new_state() {
	rm -f s.json
	"$WGMESH" init -state s.json -network "$@" >/dev/null || exit 1
}

# Each sample as YAML, byte for byte; what is made of it is that mesh again.
to_yaml() {
	empty_folder
	for file in hosts.ini hosts.yml meshconf.csv office.csv wg0.conf; do
		sample "$file"
		run import -from "$file" -to-yaml
		check_equal "$file as YAML" "$(cat "$data/$file.yaml")" "$(cat "$T/out")"
		check_equal "$file as YAML: status" 0 "$got"
		cp "$T/out" mesh.yaml
		rm -f s.json
		check "$file: its YAML applies" "$WGMESH" apply -state s.json -f mesh.yaml -yes
		run apply -state s.json -f mesh.yaml -yes
		check_equal "$file: applied once more" 'nothing changes' "$(cat "$T/out")"
		! grep -q 'yJndNh80\|c2VjcmV0\|secret' mesh.yaml || flunk "$file: no secret in the YAML"
	done
	[ ! -e s.json.lock ] || flunk 'no lock is left'
}

# The state from a file, and the state from the YAML from that file.
same_mesh() {
	empty_folder
	while read -r file networks; do
		sample "$file"
		# shellcheck disable=SC2086
		new_state $networks
		check "$file into the state" "$WGMESH" import -state s.json -from "$file"
		"$WGMESH" export -state s.json >direct.yaml
		"$WGMESH" import -from "$file" -to-yaml >mesh.yaml 2>/dev/null
		# shellcheck disable=SC2086
		new_state $networks
		"$WGMESH" apply -state s.json -f mesh.yaml -yes >/dev/null 2>&1
		"$WGMESH" export -state s.json >indirect.yaml
		check "$file: both ways are one mesh" cmp direct.yaml indirect.yaml
		check_equal "$file: nodes" "$(grep -c '^    ssh: ' "$data/$file.yaml")" "$(grep -c '^    ssh: ' direct.yaml)"
	done <<END
hosts.ini 10.99.0.0/16
hosts.yml 10.99.0.0/16
meshconf.csv 10.0.0.0/13
office.csv 10.8.0.0/24 -network6 fd08::/64
END
}

# Keys: the public ones are what 'wg pubkey' makes of the private ones.
keys() {
	empty_folder
	sample meshconf.csv
	new_state 10.0.0.0/13
	run import -state s.json -from meshconf.csv
	for key in i7meQzK4IBhHlpmrK8vJoZNXX+XBmVDt486xd8MwiRo= m6eYoandPFmLJTziliz1RXq0BsU2vUibM+ygy2WbvRg= \
		00kLZtr/LbHD8soiERedA9ln4ujfAwxPc+be7pmZ4mw= AYHnBU/iot9POsBorCMypN4vf+NXi4VcrQHQ+oIKSAc=; do
		has "CSV: public key $key" "\"public_key\": \"$key\""
	done
	has 'CSV: private key' '"private_key": "yJndNh80ToNWGOfDlbtho1wHAEZGa7ZhNpsHf7AJVUM="'
	check_equal 'no key is printed' '' "$(grep -o '[A-Za-z0-9+/]\{43\}=' "$T/out" "$T/err")"
	empty_folder
	sample hosts.ini
	new_state 10.99.0.0/16
	run import -state s.json -from hosts.ini
	check_equal 'hosts without keys get a new one each' 13 "$(grep -o '"private_key": "[^"]\{44\}"' s.json | sort -u | wc -l)"
	said "there are groups and no policy: no node has a peer until one says so: 'wgmesh policy add NAME -from GROUP -to GROUP'"
	! grep -q 'not for us' s.json || flunk 'a password of the inventory is in the state'
}

conf() {
	empty_folder
	sample wg0.conf
	new_state 10.99.0.0/16 -network6 fd99::/64
	run import -state s.json -from wg0.conf office=admin@192.0.2.7:2222 -dry-run
	check_equal 'dry run: nothing is saved' '"nodes": {},' "$(grep -o '"nodes": {},' s.json)"
	run import -state s.json -from wg0.conf office=admin@192.0.2.7:2222
	check_equal 'wg-quick file: status' 0 "$got"
	for text in '"office": {' '"mesh_ip": "10.99.0.7"' '"mesh_ip6": "fd99::7"' '"ssh_host": "192.0.2.7"' \
		'"ssh_port": 2222' '"ssh_user": "admin"' '"listen_port": 51999' '"mtu": 1380' \
		'"private_key": "yJndNh80ToNWGOfDlbtho1wHAEZGa7ZhNpsHf7AJVUM="' \
		'"public_key": "i7meQzK4IBhHlpmrK8vJoZNXX+XBmVDt486xd8MwiRo="' \
		'"name": "alice"' '"preshared_key": "2D34jpbTsU+KeBqfItTEbL5m7nYcBomWWJGTYCT6eko="' \
		'"endpoint": "alice.example.org:51820"' '"keepalive": 25' '"name": "Bob-s-phone"' \
		'"name": "hub"' '"name": "peer-AYHnBU-i"' '"endpoint": "[2001:db8::1]:51820"'; do
		has "wg-quick file: $text" "$text"
	done
	check_equal 'routes to external peers, as wg-quick makes them' '"routes": [ "192.168.77.0/24" ]' \
		"$(tr -d '\n' <s.json | grep -o '"routes": \[[^]]*\]' | tr -s ' ')"
	said 'wg0.conf: not carried over: PostUp, PostDown, DNS'
	said "wg0.conf: address 10.5.5.5/32 of 'wg0' is not carried over"
	check_equal 'secrets of the file are not shown' '' "$(grep -o 'postupsecret\|[A-Za-z0-9+/]\{43\}=' "$T/out" "$T/err")"
	said "'wgmesh import -hooks'"
	run import -state s.json -from wg0.conf office=elsewhere
	check_equal 'a node that is there stays' 'nothing changes' "$(cat "$T/out")"
	said 'there already, left as it is: office'
}

# Endpoints that can't be: left out with a word, but for a wrapper on the host.
endpoints() {
	empty_folder
	{
		printf '[Interface]\nPrivateKey = yJndNh80ToNWGOfDlbtho1wHAEZGa7ZhNpsHf7AJVUM=\nAddress = 10.99.0.7/16\n'
		i=1
		for at in 10.99.0.2 0.0.0.0 224.0.0.1 255.255.255.255 '[fe80::1]' 127.0.0.1; do
			printf '# p%d\n[Peer]\nPublicKey = %dYHnBUfJTVKDBnSyfKbNMnMYWt1nM3yHTLCjVNbqPwg=\nAllowedIPs = 10.99.1.%d/32\nEndpoint = %s:51820\n' $i $i $i "$at"
			i=$((i + 1))
		done
	} >wg0.conf
	chmod 600 wg0.conf
	new_state 10.99.0.0/16
	run import -state s.json -from wg0.conf wg0=192.0.2.7
	check_equal 'endpoints: status' 0 "$got"
	check_equal 'endpoints: all but the wrapper are named' 5 "$(grep -c 'is left out: ' "$T/err")"
	check_equal 'endpoints: the wrapper stays' '"endpoint": "127.0.0.1:51820"' "$(grep -o '"endpoint": "[^"]*"' s.json)"
}

# PostUp and PreDown are kept where that is asked for, and never shown in errors.
hooks() {
	empty_folder
	sample wg0.conf
	new_state 10.99.0.0/16 -network6 fd99::/64
	run import -state s.json -from wg0.conf -hooks office=admin@192.0.2.8
	said 'not carried over: PostDown, DNS'
	has "import -hooks: PostUp is the node's" '"iptables -A FORWARD -i %i -j ACCEPT; echo postupsecret"'
	"$WGMESH" export -state s.json >mesh.yaml
	check 'import -hooks: to YAML, too' grep -qF '    post_up: ["iptables -A FORWARD -i %i -j ACCEPT; echo postupsecret"]' mesh.yaml
	run apply -state s.json -f mesh.yaml -yes
	check_equal 'export and apply: nothing changes' 'nothing changes' "$(cat "$T/out")"
	sed -i 's/^    post_up: .*/    post_up: [b, "a, c"]\n    pre_down: [x]/' mesh.yaml
	run apply -state s.json -f mesh.yaml -yes
	sed -i 's/^    post_up: .*/    post_up: ["a, c", b]/' mesh.yaml
	run apply -state s.json -f mesh.yaml -yes
	check_equal 'the order counts' '~ node office: post_up b, a, c -> a, c, b' "$(grep post_up "$T/out")"
	for bad in '"a\tb"' '"a # b"' '"  "' "x$(printf '%01000d' 7)"; do
		sed "s/^    post_up: .*/    post_up: [$bad]/" mesh.yaml >bad.yaml
		run apply -state s.json -f bad.yaml -yes
		said 'expected a command of one line'
	done
	sed "s/^    post_up: .*/    post_up: [$(yes a | head -n 33 | paste -sd,)]/" mesh.yaml >bad.yaml
	run apply -state s.json -f bad.yaml -yes
	said '33 commands found, expected at most 32'
	printf '{"interface_name":"wg0","network":"10.99.0.0/16","listen_port":51820,"nodes":{"a":{"pre_down":["x\\ny"]}}}' >bad.json
	chmod 600 bad.json
	run list -state bad.json
	said "node 'a': pre_down: expected a command of one line"
	run import -from /dev/null -hooks -to-yaml
	said '-hooks is for a wg-quick file or hosts'
}

# Where keys live on their hosts, the state takes the public one alone.
key_on_host() {
	empty_folder
	sample meshconf.csv
	new_state 10.0.0.0/13
	sed -i 's/"interface_name"/"key": "host",\n  &/' s.json
	run import -state s.json -from meshconf.csv
	has 'keys on hosts: the public one' '"public_key": "i7meQzK4IBhHlpmrK8vJoZNXX+XBmVDt486xd8MwiRo="'
	check_equal 'keys on hosts: no private one' 0 "$(grep -c '"private_key": "[^"]' s.json)"
}

# Peers that are nodes are no external peers, whoever came first.
links() {
	empty_folder
	sample wg0.conf
	cat >alice.conf <<END
[Interface]
PrivateKey = 2D34jpbTsU+KeBqfItTEbL5m7nYcBomWWJGTYCT6eko=
Address = 10.99.0.2/24
[Peer]
# office
PublicKey = i7meQzK4IBhHlpmrK8vJoZNXX+XBmVDt486xd8MwiRo=
AllowedIPs = 10.99.0.7/32
END
	chmod 600 alice.conf
	new_state 10.99.0.0/16 -network6 fd99::/64
	run import -state s.json -from wg0.conf office=192.0.2.7
	run import -state s.json -from alice.conf alice=192.0.2.8
	check_equal 'both are nodes' '2' "$(grep -c '"mesh_ip": ' s.json)"
	check_equal 'external peers that are left' '"name": "Bob-s-phone" "name": "hub" "name": "peer-AYHnBU-i"' \
		"$(grep -o '"name": "[^"]*"' s.json | sort | tr '\n' ' ' | sed 's/ $//')"
}

stdin() {
	empty_folder
	"$WGMESH" import -from - -to-yaml <"$data/hosts.ini" >out.yaml 2>"$T/err"
	check 'an inventory from standard input' cmp out.yaml "$data/hosts.ini.yaml"
	"$WGMESH" import -from - -to-yaml <"$data/wg0.conf" 2>"$T/err" >out.yaml
	check_equal 'a wg-quick file from standard input: interface' 'interface: wg0' "$(grep interface: out.yaml)"
}

# Existing nodes stay, new ones come beside them, defaults of the mesh hold.
beside() {
	empty_folder
	"$WGMESH" init -state s.json -network 10.8.0.0/24 -listen-port 4242 >/dev/null
	"$WGMESH" add -state s.json -offline gw:10.8.0.9:198.51.100.1 >/dev/null
	printf 'Name,Address,Endpoint\ngw,10.8.0.1,a.example.org\nweb,10.8.0.2,b.example.org\n' >two.csv
	run import -state s.json -from two.csv
	said 'there already, left as it is: gw'
	has 'the node that was there' '"ssh_host": "198.51.100.1"'
	has 'the new one, with the port that wg-meshconf takes' '"public_endpoint": "b.example.org:51820"'
	check_equal 'ports' '4242 4242 51820' "$(grep -o '"listen_port": [0-9]*' s.json | grep -o '[0-9]*$' | sort | tr '\n' ' ' | sed 's/ $//')"
}

notes() {
	empty_folder
	sample office.csv
	new_state 10.8.0.0/24 -network6 fd08::/64
	run import -state s.json -from office.csv
	said "office.csv: not carried over: PostUp, DNS, PresharedKeys, Note"
	said "office.csv: 'laptop' has no Endpoint: its name is taken as its SSH host"
	said "office.csv: 'v6only' offers a default route: it becomes an exit"
	has 'an exit' '"exit": true'
	check_equal 'values of other columns are not shown' '' "$(grep -o 'echo there\|1\.1\.1\.1\|c2VjcmV0\|x, y' "$T/out" "$T/err")"
}

modes() {
	empty_folder
	cp "$data/meshconf.csv" . && chmod 644 meshconf.csv
	run import -from meshconf.csv -to-yaml
	said "meshconf.csv has private keys in it and may be read by others (mode 0644): 'chmod 600' it"
	chmod 600 meshconf.csv
	run import -from meshconf.csv -to-yaml
	! grep -q 'may be read' "$T/err" || flunk 'a file of mode 600 needs no note'
	cp "$data/hosts.ini" . && chmod 644 hosts.ini
	run import -from hosts.ini -to-yaml
	check_equal 'an inventory has nothing to hide, but what is not carried over' \
		'wgmesh: hosts.ini: line 16: ansible_password is not carried over: a key does that' "$(cat "$T/err")"
}

# 10,000 hosts of one line.
many() {
	empty_folder
	new_state 10.99.0.0/16
	echo '[web]
web[00001:10000].example.org ansible_user=deploy' >many.ini
	run import -state s.json -from many.ini
	check_equal '10,000 hosts: status' 0 "$got"
	check_equal '10,000 hosts: each has a key of its own' 10000 "$(grep -o '"public_key": "[^"]\{44\}"' s.json | sort -u | wc -l)"
}

# bad NAME WORDS TEXT: a file that is refused, its text as printf reads it; the
# state stays as it was.
bad() {
	good_state
	printf "$3" >"$1" && chmod 600 "$1"
	refused "$1: $2" 2 "$1:$2" import -state s.json -from "$1" ${4:+"$4"}
}

refusals() {
	bad wg0.conf '1: [Interface] without PrivateKey' '[Interface]\nAddress=10.99.0.9\n' n=h
	bad wg0.conf '2: PrivateKey: expected a WireGuard key' '[Interface]\nPrivateKey = tooshortsecret\n' n=h
	check_equal 'a bad key is not shown' '' "$(grep tooshortsecret "$T/err")"
	bad m.csv "2: 'a': PrivateKey: expected a WireGuard key" 'Name,Address,PrivateKey\na,10.99.0.9,tooshortsecret\n'
	check_equal 'a bad key of a CSV is not shown' '' "$(grep tooshortsecret "$T/err")"
	bad h.ini "1: word 2: expected KEY=VALUE" 'web1 hiddenpassword\n'
	check_equal 'a stray word is not shown' '' "$(grep hiddenpassword "$T/err")"
	bad h.yml "3: '\\x1bc' is no node name" 'all:\n  hosts:\n    "\\x1bc":\n'
	good_state
	cp "$data/wg0.conf" . && chmod 600 wg0.conf
	refused 'a wg-quick file without a name' 2 'expected: wgmesh import -from FILE NAME=[USER@]HOST[:PORT]' import -state s.json -from wg0.conf
	refused 'a name without a host' 2 "'office': expected NAME=[USER@]HOST[:PORT]" import -state s.json -from wg0.conf office
	refused 'a name that is none' 2 "'a b=h': 'a b' is no node name" import -state s.json -from wg0.conf 'a b=h'
	refused 'a host that is none' 2 "'a=-x': '-x' is no host" import -state s.json -from wg0.conf a=-x
	refused 'two files' 2 '-from: expected one file at a time' import -state s.json -from wg0.conf -from b
	refused 'no file' 2 "cannot open 'nowhere.ini'" import -state s.json -from nowhere.ini
	refused 'a folder' 2 'is a folder' import -state s.json -from .
	printf 'Name,Address,Endpoint\na2,10.77.0.1/24,x\n' >o.csv
	refused 'an address outside of the mesh' 2 "o.csv: 'a2' has 10.77.0.1, which is outside of the mesh network 10.99.0.0/24: 'wgmesh init -network 10.77.0.0/24' makes a mesh for it" import -state s.json -from o.csv
	printf 'Name,Address,Endpoint\na2,10.99.0.1,x\n' >o.csv
	refused 'an address that a node has' 2 "nodes 'a' and 'a2' have the same mesh address 10.99.0.1" import -state s.json -from o.csv
	printf 'web1\n' >h.ini
	refused 'an inventory names its hosts' 2 'h.ini names its nodes itself' import -state s.json -from h.ini n=h
	: >empty.ini
	refused 'an empty file' 2 'empty.ini: no hosts found' import -state s.json -from empty.ini
	truncate -s 17M big.ini
	refused 'a large file' 2 'is too large' import -state s.json -from big.ini
}

to_yaml
same_mesh
keys
endpoints
key_on_host
conf
hooks
links
stdin
beside
notes
modes
many
refusals
# ---- names that meet ----

empty_folder
cat >wg0.conf <<'END'
[Interface]
PrivateKey = AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
Address = 10.99.0.1/16
[Peer]
# wg0
PublicKey = L+V9o0fNYkMVKNqsX7spBzD/9oSvxM/C7ZCZX1jLO3Q=
AllowedIPs = 10.99.0.2/32
[Peer]
# wg0-peer1
PublicKey = o4d0rOOkKfKs0W1iMkm1XqtZ+tCrkEKrGcrMLBxQEUw=
AllowedIPs = 10.99.0.3/32
END
run import -from wg0.conf -to-yaml
cp "$T/out" mesh.yaml
check_equal 'a peer that has the file'"'"'s name gets one of its own' 'wg0
wg0-peer1
wg0-peer2' "$(sed -n 's/^  \(wg0[^:]*\):$/\1/p' mesh.yaml | sort)"
run apply -state s.json -f mesh.yaml -yes
check_equal 'and the whole can be applied' 0 "$got"

finish
