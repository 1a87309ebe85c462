#!/bin/sh
# One change at a time: set, unset, rename, route, group, policy, show, and the
# dry runs of all. What they print, what the state holds afterwards, and that it
# holds what it held when they refuse.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh
unset SSH_AUTH_SOCK

# Three nodes, two groups and a policy, in s.json.
mesh() {
	if [ ! -f "$T/mesh.json" ]; then
		empty_folder
		for words in 'init -network 10.99.0.0/24 -network6 fd99::/64' \
			'add -offline web1:10.99.0.1:192.0.2.11' 'add -offline web2:10.99.0.2:192.0.2.12' \
			'add -offline db1:10.99.0.3:admin@192.0.2.21:2222' 'group add web web1 web2' 'group add db db1' \
			'policy add web-to-db -from web -to db'; do
			# shellcheck disable=SC2086
			"$WGMESH" $words -state s.json >/dev/null 2>&1 || { echo "cannot make the mesh: $words"; exit 1; }
		done
		cp s.json "$T/mesh.json"
	fi
	empty_folder
	cp "$T/mesh.json" s.json
	chmod 600 s.json
}

# holds NAME FILTER: the state s.json is what the jq filter says.
holds() {
	check "$1" jq -e "$2" s.json
}

# patch FILTER: change s.json by a jq filter, outside of wgmesh.
patch() {
	jq "$1" s.json >patched && mv patched s.json && chmod 600 s.json
}

serial() {
	jq .serial s.json
}

# says NAME STATUS TEXT ARGS...: exit status and everything printed.
# shellcheck disable=SC2154 # got is set in common.sh
says() {
	what=$1 expected="$2: $3"
	shift 3
	run "$@"
	check_equal "$what" "$expected" "$got: $(cat "$T/out" "$T/err")"
}

# edits NAME LINES FILTER ARGS...: dry, the change is shown and nothing written;
# then it is shown and made, counted once, and the state is what FILTER says.
edits() {
	name=$1 lines=$2 filter=$3
	shift 3
	before=$(snapshot)
	says "$name: dry run" 0 "$lines
dry run: nothing is saved" "$@" -state s.json -dry-run
	check_equal "$name: dry run writes nothing" "$before" "$(snapshot)"
	count=$(serial)
	says "$name" 0 "$lines" "$@" -state s.json
	check_equal "$name: counted" $((count + 1)) "$(serial)"
	holds "$name: the state" "$filter"
	check_equal "$name: nothing is left over" 's.json' "$(ls -A)"
}

# idle NAME ARGS...: the mesh says that already.
idle() {
	name=$1
	shift
	before=$(snapshot)
	says "$name: nothing changes" 0 'nothing changes' "$@" -state s.json
	check_equal "$name: and nothing is written" "$before" "$(snapshot)"
}

# refuses NAME WORDS ARGS...: 2, one line, every file as it was.
refuses() {
	name=$1 words=$2
	shift 2
	refused "$name" 2 "$words" "$@" -state s.json
}

# ---- set and unset ----

setting() {
	mesh
	edits 'set' '~ node db1: port 51820 -> 51821
~ node db1: mtu unset -> 1400
~ node db1: keepalive unset -> 0' '.nodes.db1 | .listen_port == 51821 and .mtu == 1400 and .keepalive == 0' \
		set db1 port=51821 mtu=1400 keepalive=0
	idle 'set: again' set db1 port=51821 mtu=1400
	idle 'set: what the mesh says anyway' set web1 port=51820 key=state exit=false
	edits 'unset' '~ node db1: port 51821 -> 51820
~ node db1: mtu 1400 -> unset' '.nodes.db1 | .mtu == null and (.listen_port == 0 or .listen_port == null) and .keepalive == 0' \
		unset db1 port mtu
	idle 'unset: again' unset db1 port mtu routes exit endpoint key
	edits 'set: the login' '~ node db1: ssh admin@192.0.2.21:2222 -> ops@[2001:db8::5]' \
		'.nodes.db1 | .ssh_host == "2001:db8::5" and .ssh_user == "ops" and .ssh_port == 22' set db1 'ssh=ops@[2001:db8::5]'
	edits 'set: an endpoint' '~ node web1: endpoint unset -> vpn.example.org:51820' \
		'.nodes.web1.public_endpoint == "vpn.example.org:51820"' set web1 endpoint=vpn.example.org:51820
	edits 'unset: the endpoint' '~ node web1: endpoint vpn.example.org:51820 -> unset' \
		'.nodes.web1.public_endpoint == null or .nodes.web1.public_endpoint == ""' unset web1 endpoint
	edits 'set: a list' '~ node db1: routes +192.168.1.0/24, 192.168.2.0/24' \
		'.nodes.db1.routable_networks == ["192.168.1.0/24", "192.168.2.0/24"]' set db1 'routes=192.168.1.0/24, 192.168.2.0/24'
	edits 'set: replaces the list' '~ node db1: routes +fd01::/64 -192.168.1.0/24, 192.168.2.0/24' \
		'.nodes.db1.routable_networks == ["fd01::/64"]' set db1 routes=fd01::/64
	edits 'set: an exit' '~ node db1: routes +0.0.0.0/0 -fd01::/64
~ node db1: exit false -> true' '.nodes.db1 | .exit and .routable_networks == ["0.0.0.0/0"]' set db1 exit=true routes=0.0.0.0/0
	refuses 'unset: an exit that still has its route' 'exit' unset db1 exit
	edits 'unset: both' '~ node db1: routes -0.0.0.0/0
~ node db1: exit true -> false' '.nodes.db1 | .exit == null and (.routable_networks == null or .routable_networks == [])' \
		unset db1 exit routes
}

hooks() {
	mesh
	edits 'set: a command, commas and all' '~ node db1: post_up unset -> echo a, b=c' \
		'.nodes.db1.post_up == ["echo a, b=c"]' set db1 'post_up=echo a, b=c'
	edits 'set: replaces the commands' '~ node db1: post_up echo a, b=c -> true
~ node db1: pre_down unset -> x' '.nodes.db1 | .post_up == ["true"] and .pre_down == ["x"]' set db1 post_up=true pre_down=x
	idle 'set: the same command' set db1 post_up=true
	refuses 'set: a command that wg-quick would cut off' 'post_up: expected a command of one line' set db1 'post_up=a # b'
	refuses 'set: two lines' 'pre_down: expected a command of one line' set db1 'pre_down=a
b'
	check 'show: the commands' grep -qx '  post_up: true' <<-END
	$("$WGMESH" show -state s.json db1)
	END
	edits 'unset: commands' '~ node db1: post_up true -> unset
~ node db1: pre_down x -> unset' '.nodes.db1 | .post_up == null and .pre_down == null' unset db1 post_up pre_down
}

addresses() {
	mesh
	idle 'set: address=auto keeps them' set db1 address=auto
	idle 'unset: so does no address' unset db1 address
	edits 'set: one address' '~ node db1: address +10.99.0.9 -10.99.0.3' \
		'.nodes.db1 | .mesh_ip == "10.99.0.9" and .mesh_ip6 == "fd99::3"' set db1 address=10.99.0.9
	edits 'set: both addresses' '~ node db1: address +10.99.0.10, fd99::10 -10.99.0.9, fd99::3' \
		'.nodes.db1 | .mesh_ip == "10.99.0.10" and .mesh_ip6 == "fd99::10"' set db1 address=fd99::10,10.99.0.10
	patch 'del(.nodes.db1.mesh_ip)'
	edits 'set: address=auto fills what is missing' '~ node db1: address +10.99.0.3' \
		'.nodes.db1 | .mesh_ip == "10.99.0.3" and .mesh_ip6 == "fd99::10"' set db1 address=auto
	refuses 'set: an address that is taken' "nodes 'db1' and 'web1' have the same mesh address 10.99.0.1" set db1 address=10.99.0.1
	refuses 'set: an address elsewhere' '10.98.0.1' set db1 address=10.98.0.1
	refuses 'set: the network address' '10.99.0.0' set db1 address=10.99.0.0
	refuses 'set: the broadcast address' '10.99.0.255' set db1 address=10.99.0.255
	refuses 'set: two of a kind' 'second IPv4' set db1 address=10.99.0.7,10.99.0.8
	refuses 'set: no address' "address: '10.99.0' found" set db1 address=10.99.0
}

memberships() {
	mesh
	edits 'set: groups' '+ group edge: members db1
~ group web: members +db1' '.groups | .db.members == ["db1"] and .edge.members == ["db1"] and .web.members == ["web1", "web2", "db1"]' \
		set db1 groups=web,db,edge
	idle 'set: groups, again' set db1 groups=db,edge,web
	edits 'set: fewer groups' '~ group edge: members -db1
~ group web: members -db1' '.groups | .db.members == ["db1"] and (.edge.members == [] or .edge.members == null) and .web.members == ["web1", "web2"]' \
		set db1 groups=db
	patch '.groups.web.members += ["web2"]'
	run unset web2 groups -state s.json
	check_equal 'unset: groups: the change' '0: ~ group web: members -web2, web2' "$got: $(cat "$T/out")"
	holds 'unset: groups' '.groups.web.members == ["web1"]'
	mesh
	refuses 'set: an empty group name' 'groups: ' set db1 groups=a,,b
}

key_places() {
	mesh
	says 'set: key=host' 0 "~ node db1: key state -> host
wgmesh: the next deploy moves the private key of 'db1' to its host, out of the state" set db1 key=host -state s.json
	holds 'the key waits for the deploy' '.nodes.db1 | .key == "host" and (.private_key | length) == 44'
	patch 'del(.nodes.db1.private_key)'
	old=$(jq -r .nodes.db1.public_key s.json)
	run unset db1 key -state s.json
	check_equal 'unset: a key that is on its host alone' 0 "$got"
	check 'says that it gets another' grep -qF "'db1' gets a new key pair" "$T/err"
	holds 'and has it' ".nodes.db1 | .key == null and (.private_key | length) == 44 and .public_key != \"$old\""
	run render db1 -state s.json
	check_equal 'a pair that belongs together' 0 "$got"
}

# Pinned host keys: a line that reads like one is enough here.
pins() {
	mesh
	pin='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDzNz0hEIzsKNPgMZAP0hUORrjYDQlrSPWPN4H9lBwHL'
	patch ".nodes.db1.ssh_host_keys = [\"$pin\"]"
	says 'set: another host keeps the pins and says so' 0 "~ node db1: ssh admin@192.0.2.21:2222 -> 192.0.2.99
wgmesh: 'db1' keeps its pinned SSH host keys; if it is another host now, 'wgmesh unset db1 host-keys' drops them" \
		set db1 ssh=192.0.2.99 -state s.json
	holds 'they are there' '.nodes.db1.ssh_host_keys | length == 1'
	says 'set: another user or port is no other host' 0 '~ node db1: ssh 192.0.2.99 -> ops@192.0.2.99:2200' \
		set db1 ssh=ops@192.0.2.99:2200 -state s.json
	run show db1 -state s.json
	check 'show: the pin as ssh-keygen shows it' grep -qF "host keys: ssh-ed25519 $(echo "$pin" | ssh-keygen -lf - | cut -d' ' -f2)" "$T/out"
	cp s.json pinned.json
	run unset db1 host-keys -state s.json -dry-run
	check_equal 'unset: host-keys: dry run' '0 same' "$got $(cmp s.json pinned.json && echo same)"
	rm pinned.json
	run unset db1 host-keys -state s.json
	check_equal 'unset: host-keys' 0 "$got"
	holds 'they are gone' '.nodes.db1.ssh_host_keys == null'
	idle 'unset: host-keys, again' unset db1 host-keys
}

# Jump hosts have pins by their place; one of them may be named as a node is.
jump_pins() {
	mesh
	patch ".jump_host_keys = [\"gate $pin\", \"[192.0.2.1]:2222 $pin\", \"gate2 $pin\", \"web1 $pin\"] | .nodes.web1.ssh_host_keys = [\"$pin\"]"
	run list -state s.json
	check 'list: pins of jump hosts' grep -qF "[192.0.2.1]:2222 $pin" "$T/out"
	"$WGMESH" list -json -state s.json >"$T/out"
	check 'list -json: pins of jump hosts' jq -e '.jump_host_keys | length == 4' "$T/out"
	run unset gate host-keys -state s.json
	check_equal 'unset: a jump host' 0 "$got"
	holds 'its pin is gone, and no other' '.jump_host_keys | map(split(" ")[0]) == ["[192.0.2.1]:2222","gate2","web1"]'
	run unset '[192.0.2.1]:2222' host-keys -state s.json
	check_equal 'unset: a jump host with a port' 0 "$got"
	holds 'its pin is gone' '.jump_host_keys | map(split(" ")[0]) == ["gate2","web1"]'
	run unset web1 host-keys -state s.json
	check_equal 'unset: a node that is a jump host' 0 "$got"
	holds 'both are gone' '(.jump_host_keys | map(split(" ")[0]) == ["gate2"]) and .nodes.web1.ssh_host_keys == null'
	refuses 'unset: neither a node nor a jump host' "'gate'" unset gate host-keys
	refuses 'unset: a jump host has no other key' "'gate2'" unset gate2 host-keys port
	holds 'it is still there' '.jump_host_keys | length == 1'
}

# A removed node is not torn down on a host that is in use again.
tombstones() {
	mesh
	patch '.nodes.web2.facts = {"deployed": true}'
	"$WGMESH" remove web2 -state s.json >/dev/null 2>&1
	holds 'a tombstone' '.removed_nodes.web2.ssh_host == "192.0.2.12"'
	refuses 'rename: to a name that is still on its host' "the removed node 'web2' is still set up on 192.0.2.12" rename web1 web2
	run set web1 ssh=192.0.2.12 -state s.json
	check_equal 'set: its host' 0 "$got"
	holds 'the tombstone is gone' '.removed_nodes == null or .removed_nodes == {}'
	run rename web1 web2 -state s.json
	check_equal 'rename: the name is free' 0 "$got"
}

# Whoever takes the interface from external peers is told so before.
external_peers() {
	mesh
	patch '.nodes.web2 += {facts: {deployed: true}, external_peers: [{name: "phone",
		public_key: "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=", allowed_ips: ["10.99.0.9/32"]}]}'
	says 'remove: external peers: dry run' 0 "- node web2: ssh 192.0.2.12, address 10.99.0.2, fd99::2
~ node web2: external peers -phone (hSDwCYkw... 10.99.0.9/32)
~ group web: members -web2
~ mesh: nodes to take off their hosts +web2
dry run: nothing is saved
wgmesh: 'web2' is still set up on its host until the next deploy, which takes the interface from its external peers, too
wgmesh: 'web2' is no longer in group 'web'" remove web2 -state s.json -dry-run
}

set_errors() {
	mesh
	refuses 'set: no such node, one is near' "there is no node 'weeb1'; did you mean 'web1'?" set weeb1 port=1
	refuses 'set: no such node, none is near' "there is no node 'gateway'; 'wgmesh list' shows them" set gateway port=1
	refuses 'set: no such key, one is near' "no key 'prot'; did you mean 'port'?" set db1 prot=1
	refuses 'set: no such key, none is near' "no key 'behind_nat', expected one of ssh, address, routes" set db1 behind_nat=true
	refuses 'unset: no such key' "no key 'host-kys'" unset db1 host-kys
	refuses 'set: keys are told apart by case' "no key 'PORT'" set db1 PORT=1
	refuses 'set: no value' 'port: expected a value' set db1 port=
	refuses 'set: no equals sign' "'port': expected KEY=VALUE" set db1 port
	refuses 'set: only an equals sign' "no key ''" set db1 =
	refuses 'set: host keys are not set' "no key 'host-keys'" set db1 host-keys=x
	refuses 'set: a port out of range' "port: '70000' found, expected a number from 1 to 65535" set db1 port=70000
	refuses 'set: a port that is none' "port: '5182x' found" set db1 port=5182x
	refuses 'set: a negative port' "port: '-1' found" set db1 port=-1
	refuses 'set: an MTU too small' "mtu: '100' found" set db1 mtu=100
	refuses 'set: a truth that is none' "exit: 'yes' found, expected true or false" set db1 exit=yes
	refuses 'set: a key place that is none' "key: 'here' found, expected host or state" set db1 key=here
	refuses 'set: an endpoint without a port' 'endpoint: ' set db1 endpoint=example.org
	for at in 10.99.0.2 '[::ffff:10.99.0.9]' '[fd99::2]' 127.0.0.1 '[::1]' 0.0.0.0 '[::]' 224.0.0.1 '[ff02::1]' 255.255.255.255 \
		169.254.0.9 '[fe80::1]' 240.0.0.1 localhost 0x7f000001; do
		refuses "set: the endpoint $at" ' is ' set db1 "endpoint=$at:51820"
	done
	refuses 'set: port 0' 'endpoint: ' set db1 endpoint=192.0.2.7:0
	refuses 'set: an SSH host that none is' 'unspecified' set db1 ssh=0.0.0.0
	refuses 'set: an SSH host that are many' 'multicast' set db1 ssh=root@224.0.0.1:22
	refuses 'set: a host that is an option' 'ssh: ' set db1 ssh=-oProxyCommand=x
	# shellcheck disable=SC2016 # not to be run
	refuses 'set: a command as a host' 'ssh: ' set db1 'ssh=$(reboot)'
	refuses 'set: a user that is an option' 'ssh: ' set db1 ssh=-l@host
	refuses 'set: an escape sequence' 'ssh: ' set db1 "$(printf 'ssh=h\033[2J')"
	refuses 'set: an escape sequence as a key' 'no key' set db1 "$(printf '\033[2J=1')"
	refuses 'set: a key with an escape sequence and no value' 'expected KEY=VALUE' set db1 "$(printf '\033[2J')"
	refuses 'set: a node that is an escape sequence' 'there is no node' set "$(printf '\033[2J')" port=1
	refuses 'set: bytes that are no UTF-8' 'there is no node' set "$(printf '\377\376')" port=1
	refuses 'set: a very long value' 'ssh: ' set db1 "ssh=$(printf '%0100000d' 0)"
	refuses 'set: the first of two is wrong' 'port: ' set db1 port=0 mtu=1400
	refuses 'set: the second of two is wrong' 'mtu: ' set db1 port=51999 mtu=0
	refuses 'set: dry, and wrong' 'port: ' set db1 port=0 -dry-run
	refuses 'set: dry, and against the mesh' 'same mesh address' set db1 address=10.99.0.1 -dry-run
	refuses 'set: not without a pair' 'expected: wgmesh set NODE KEY=VALUE...' set db1
	refuses 'unset: not without a key' 'expected: wgmesh unset NODE KEY...' unset db1
	refuses 'unset: a host to log in to is needed' 'ssh' unset db1 ssh
	refuses 'set: -json is no option of it' "'set' has no option -json" set db1 port=1 -json
}

# ---- rename ----

renaming() {
	mesh
	patch '.nodes.db1 += {"hostname": "db1", "actual_hostname": "db1.lan", "from_elsewhere": 1, "routable_networks": ["192.168.1.0/24"], "is_local": true} | .local_hostname = "db1" | .groups.all = {"members": ["db1", "web1"]}'
	was=$(jq -Sc '.nodes.db1 | del(.hostname)' s.json)
	edits 'rename' '~ node db1: name db1 -> database' '.nodes.db1 == null and .nodes.database.hostname == "database" and .local_hostname == "db1"
		and .groups.db.members == ["database"] and .groups.all.members == ["database", "web1"]' rename db1 database
	check_equal 'rename: everything else stays' "$was" "$(jq -Sc '.nodes.database | del(.hostname)' s.json)"
	check_equal 'rename: sorted' 'database web1 web2' "$(jq -r '.nodes | keys_unsorted | join(" ")' s.json)"
	run show web1 -state s.json
	check 'rename: the policy still relates them' grep -q '^  database$' "$T/out"
	patch '.nodes.database.hostname = "another"'
	run rename database zdb -state s.json
	holds 'rename: a host name of its own stays' '.nodes.zdb.hostname == "another"'
	check_equal 'rename: to the end' 'web1 web2 zdb' "$(jq -r '.nodes | keys_unsorted | join(" ")' s.json)"
	idle 'rename: to its own name' rename web1 web1
	mesh
	refuses 'rename: to a name that is taken' "there is a node 'web2' already" rename web1 web2
	refuses 'rename: a node that is none' "there is no node 'web9'; did you mean 'web1'?" rename web9 x
	refuses 'rename: to a name that is none' "'a b'" rename web1 'a b'
	refuses 'rename: to a path' "'../x'" rename web1 ../x
	refuses 'rename: to nothing' "''" rename web1 ''
	refuses 'rename: to an option' 'name' rename web1 -- -x
	refuses 'rename: to an escape sequence' 'name' rename web1 "$(printf 'x\033[2J')"
	refuses 'rename: to a long name' 'name' rename web1 "$(printf '%064d' 0)"
	patch '.groups.db.members += ["ghost"]'
	refuses 'rename: into groups that name it already' "group 'db' has a member 'ghost' that is no node" rename web1 ghost
}

# ---- routes ----

routes() {
	mesh
	edits 'route add' '~ node db1: routes +192.168.1.0/24, fd01::/64' \
		'.nodes.db1.routable_networks == ["192.168.1.0/24", "fd01::/64"]' route add db1 192.168.1.0/24 fd01::/64
	idle 'route add: again' route add db1 fd01::/64
	edits 'route add: one that is there and one that is not' '~ node db1: routes +172.16.0.0/12' \
		'.nodes.db1.routable_networks == ["192.168.1.0/24", "fd01::/64", "172.16.0.0/12"]' route add db1 192.168.1.0/24 172.16.0.0/12
	edits 'route remove' '~ node db1: routes -192.168.1.0/24, fd01::/64' \
		'.nodes.db1.routable_networks == ["172.16.0.0/12"]' route remove db1 192.168.1.0/24 fd01::/64
	refuses 'route remove: one that is not there' "node 'db1' has no route 192.168.1.0/24" route remove db1 192.168.1.0/24
	refuses 'route remove: one of two is not there' "has no route fd02::/64" route remove db1 172.16.0.0/12 fd02::/64
	refuses 'route add: host bits name the network' "'10.1.2.3/8' has host bits set, expected 10.0.0.0/8" route add db1 10.1.2.3/8
	refuses 'route add: IPv6 host bits, too' "'fd01::1/64' has host bits set, expected fd01::/64" route add db1 fd01::1/64
	refuses 'route remove: host bits' 'expected 172.16.0.0/12' route remove db1 172.16.1.0/12
	refuses 'route add: an address' "'192.168.1.1' found" route add db1 192.168.1.1
	refuses 'route add: no network' "'lan' found" route add db1 lan
	refuses 'route add: nothing' "'' found" route add db1 ''
	refuses 'route add: an escape sequence' 'found' route add db1 "$(printf '10.0.0.0/8\033[2J')"
	refuses 'route add: another node has it' "172.16.0.0/12" route add web1 172.16.0.0/12
	refuses 'route add: over the mesh' '10.99.0.0/24' route add web1 10.99.0.0/16
	refuses 'route add: the default route of no exit' 'exit' route add web1 0.0.0.0/0
	refuses 'route: a node that is none' "there is no node 'db2'; did you mean 'db1'?" route add db2 10.0.0.0/8
	refuses 'route: a verb that is none' "'route list': expected add or remove" route list db1 10.0.0.0/8
	refuses 'route: too little' 'expected: wgmesh route add|remove NODE CIDR...' route add db1
}

# ---- groups ----

groups() {
	mesh
	edits 'group add: a new one' '+ group edge: description at the edge, members db1, web1' \
		'.groups.edge == {"description": "at the edge", "members": ["db1", "web1"]} or (.groups.edge | .description == "at the edge" and .members == ["db1", "web1"])' \
		group add edge web1 db1 web1 -description 'at the edge'
	idle 'group add: again' group add edge web1 db1
	edits 'group add: a member' '~ group db: members +web1' '.groups.db.members == ["db1", "web1"]' group add db web1 db1
	edits 'group add: a description' '~ group db: description unset -> the data' '.groups.db.description == "the data"' \
		group add db -description 'the data'
	edits 'group remove: a member' '~ group db: members -web1' '.groups.db.members == ["db1"]' group remove db web1
	edits 'group remove: all of it' '- group edge: description at the edge, members db1, web1' '.groups.edge == null' group remove edge
	refuses 'group remove: policies name it' "group 'web' is in use: remove policy 'web-to-db' first" group remove web
	refuses 'group remove: no member' "'db1' is no member of group 'web'" group remove web web1 db1
	refuses 'group remove: none is near' "there is no group 'office'; 'wgmesh group list' shows them" group remove office
	refuses 'group remove: one is near' "there is no group 'webs'; did you mean 'web'?" group remove webs
	refuses 'group remove: a member of a group that is none' "there is no group 'office'" group remove office web1
	refuses 'group add: no node' "there is no node 'web3'; did you mean 'web1'?" group add web web3
	refuses 'group add: a group is no node' "there is no node 'web'" group add db web
	refuses 'group add: no name' "''" group add ''
	refuses 'group add: a name with an escape sequence' 'group' group add "$(printf 'x\033[2J')" web1
	refuses 'group add: a long name' 'group' group add "$(printf '%0129d' 0)"
	refuses 'group add: a description with an escape sequence' 'control characters' group add web -description "$(printf 'x\033[2J')"
	refuses 'group: a verb that is none' 'expected: wgmesh group add' group new x
	refuses 'group list: takes no name' 'expected: wgmesh group add' group list web
	refuses 'group remove: takes no description' 'expected: wgmesh group add' group remove db -description x
	refuses 'group: nothing' 'expected: wgmesh group add|remove|list' group
	says 'group list' 0 'Groups:
  db: (the data)
    - db1
  web:
    - web1
    - web2' group list -state s.json
	run group list -state s.json -json
	check 'group list -json' jq -e '. == {"groups": [{"name": "db", "description": "the data", "members": ["db1"]},
		{"name": "web", "description": null, "members": ["web1", "web2"]}]}' "$T/out"
	patch '.groups = {} | .access_policies = []'
	says 'group list: none' 0 'no groups' group list -state s.json
	says 'group add: the first one warns' 0 "+ group g: members db1
wgmesh: warning: groups are defined but no access policies: no node has any peer" group add g db1 -state s.json
	says 'group add: a warning of before is not said again' 0 '~ group g: members +web1' group add g web1 -state s.json
}

# ---- policies ----

policies() {
	mesh
	edits 'policy add' '+ policy back: description replies, from db, to web, db, networks true' \
		'.access_policies[1] | .name == "back" and .description == "replies" and .from_groups == ["db"] and .to_groups == ["web", "db"]
		and .allow_mesh_ips and .allow_routable_networks' policy add back -from db -to web -to db -to web -networks -description replies
	idle 'policy add: the same' policy add back -from db -to db -to web -networks -description replies
	refuses 'policy add: another of that name' "there is another policy 'back' already: 'wgmesh policy remove' it first" \
		policy add back -from db -to web
	refuses 'policy add: nor with another description' "there is another policy 'back' already" \
		policy add back -from db -to web -to db -networks -description answers
	edits 'policy remove' '- policy back: description replies, from db, to web, db, networks true' \
		'.access_policies | map(.name) == ["web-to-db"]' policy remove back
	refuses 'policy remove: one is near' "there is no policy 'web-to-dv'; did you mean 'web-to-db'?" policy remove web-to-dv
	refuses 'policy remove: none is near' "there is no policy 'x'; 'wgmesh policy list' shows them" policy remove x
	refuses 'policy add: no such group' "there is no group 'wweb'; did you mean 'web'?" policy add p -from wweb -to db
	refuses 'policy add: nor on the other side' "there is no group 'office'" policy add p -from web -to office
	refuses 'policy add: a node is no group' "there is no group 'web1'" policy add p -from web1 -to db
	refuses 'policy add: no -to' 'a policy needs -from GROUP and -to GROUP' policy add p -from web
	refuses 'policy add: no -from' 'a policy needs -from GROUP and -to GROUP' policy add p -to web
	refuses 'policy add: no name' "''" policy add '' -from web -to db
	refuses 'policy add: a name with an escape sequence' 'policy' policy add "$(printf 'x\033[2J')" -from web -to db
	refuses 'policy add: a description with an escape sequence' 'control characters' \
		policy add p -from web -to db -description "$(printf 'x\033[2J')"
	refuses 'policy: a verb that is none' 'expected: wgmesh policy add' policy set p
	refuses 'policy remove: takes no groups' 'expected: wgmesh policy add' policy remove web-to-db -from web
	refuses 'policy list: takes no name' 'expected: wgmesh policy add' policy list web-to-db
	says 'policy list' 0 'Access Policies:
  web-to-db:
    From: [web]
    To: [db]
    Allow Mesh IPs: true
    Allow Routable Networks: false' policy list -state s.json
	run policy list -state s.json -json
	check 'policy list -json' jq -e '. == {"access_policies": [{"name": "web-to-db", "description": null, "from_groups": ["web"],
		"to_groups": ["db"], "allow_mesh_ips": true, "allow_routable_networks": false}]}' "$T/out"
	patch '.access_policies += [.access_policies[0]]'
	run policy remove web-to-db -state s.json
	holds 'policy remove: all of a name that is there twice' '(.access_policies // []) == []'
	says 'policy list: none' 0 'no policies' policy list -state s.json
}

# ---- errors of before ----

# They are shown and stop nothing, so that they can be mended one by one.
old_errors() {
	mesh
	patch '.groups.web.members += ["ghost"] | .groups.db.members += ["spook"]'
	before=$(snapshot)
	run set db1 mtu=1400 -state s.json
	check_equal 'an error of before stops nothing' '0 ~ node db1: mtu unset -> 1400' "$got $(cat "$T/out")"
	check_equal 'both are shown' '1 1' "$(grep -c 'as before.*ghost' "$T/err") $(grep -c 'as before.*spook' "$T/err")"
	run group remove web ghost -state s.json
	check_equal 'one is mended' 0 "$got"
	check_equal 'the other is still shown' '0 1' "$(grep -c ghost "$T/err") $(grep -c 'as before.*spook' "$T/err")"
	run set db1 address=10.99.0.1 -state s.json
	check_equal 'a new one is refused all the same' 2 "$got"
	holds 'and not saved' '.nodes.db1.mesh_ip == "10.99.0.3"'
}

# ---- add and remove, dry ----

dry_add_remove() {
	mesh
	before=$(snapshot)
	says 'add: dry run' 0 '+ node web3: ssh 192.0.2.13, address 10.99.0.4, fd99::4
dry run: nothing is saved
wgmesh: warning: in no group, so without any peer: web3' add -offline -dry-run web3:auto:192.0.2.13 -state s.json
	check_equal 'add: dry run writes nothing' "$before" "$(snapshot)"
	run remove -dry-run web2 -state s.json
	check_equal 'remove: dry run' '0: - node web2: ssh 192.0.2.12, address 10.99.0.2, fd99::2
~ group web: members -web2
dry run: nothing is saved' "$got: $(cat "$T/out")"
	check_equal 'remove: dry run writes nothing' "$before" "$(snapshot)"
	refuses 'remove: a node that is none' "there is no node 'web9'; did you mean 'web1'?" remove web9
	refuses 'remove -forget: too' "there is no node 'web9'; did you mean 'web1'?" remove -forget web9
	run remove db1 -state s.json
	check_equal 'remove: the last of a group is removed all the same' '0: Removed node: db1
Node removed successfully' "$got: $(cat "$T/out")"
	check_equal 'remove: with what it leaves' "wgmesh: 'db1' is no longer in group 'db'" "$(head -n 1 "$T/err")"
	patch '.nodes.web1.facts = {"deployed": true} | .nodes.web2.facts = {"deployed": true}'
	"$WGMESH" remove web1 -state s.json >/dev/null 2>&1
	"$WGMESH" remove web2 -forget -state s.json >/dev/null 2>&1
	holds 'remove -forget: no tombstone, but that of others' '(.removed_nodes | keys) == ["web1"] and .nodes == {}'
}

# ---- every key of a node ----

# each KEY VALUE: set by its name, shown as said, taken away.
each() {
	before=$(jq -S '.nodes.web1' s.json)
	run set web1 "$1=$2" -state s.json
	check_equal "set $1" 0 "$got"
	run show web1 -state s.json
	check "show: $1" grep -qxF "  $1: $(echo "$2" | sed 's/,/, /g')" "$T/out"
	run show web1 -state s.json -json
	check "show -json: $1" jq -e --arg key "$1" --arg value "$2" \
		'.said[$key] | (arrays | join(",")) // tostring | . == $value' "$T/out"
	run unset web1 "$1" -state s.json
	case $1 in
	address) check_equal "unset $1: it keeps what it has" 0 "$got" ;;
	ssh) check_equal "unset $1: a node needs one" 2 "$got" ;;
	*) check_equal "unset $1: as before" "$before" "$(jq -S '.nodes.web1' s.json)" ;;
	esac
}

# The keys and their examples, as the schema has them.
every_key() {
	mesh
	patch '.network6 = "fd99:1:2:3::/64" | .nodes[] += {"mesh_ip6": null, "listen_port": 0}'
	"$WGMESH" schema | jq -r '.properties.nodes.additionalProperties.properties | to_entries[] |
		[.key, (.value.examples[0] | if type == "array" then sort | join(",") else tostring end)] | @tsv' >"$T/keys"
	check 'the schema has all keys' [ "$(wc -l <"$T/keys")" -ge 10 ]
	while IFS='	' read -r key value; do
		each "$key" "$value"
	done <"$T/keys"
}

# ---- show ----

# Public keys are drawn anew for each run of this test.
masked() {
	sed 's|[A-Za-z0-9+/]\{43\}=|KEY|'
}

showing() {
	mesh
	patch '.nodes.db1 += {"routable_networks": ["192.168.1.0/24"], "listen_port": 51821, "behind_nat": true}
		| .nodes.db1.facts = {"addresses": ["192.168.1.7/24"], "address": "192.0.2.21", "nat_from": "said", "deployed": true}
		| .nodes.web1.public_endpoint = "198.51.100.1:51820" | .nodes.web1.facts = {"address": "192.0.2.11"}
		| .access_policies += [{"name": "nets", "from_groups": ["web"], "to_groups": ["db"], "allow_routable_networks": true}]
		| .keepalive = null | .mtu = 1380'
	run show db1 -state s.json
	check_equal 'show' "db1
  ssh: admin@192.0.2.21:2222
  address: 10.99.0.3, fd99::3
  routes: 192.168.1.0/24
  exit: false
  groups: db
  endpoint: none
  port: 51821
  mtu: 1380 (the mesh's)
  keepalive: where one is behind NAT
  key: state (the mesh's)
  post_up: none
  pre_down: none
  public key: KEY
  private key: in the state
  host keys: none
Found by deploys (dialled: what we saw; said: what the host says of itself):
  reached at: 192.0.2.21 (said)
  own addresses (said): 192.168.1.7/24
  behind NAT: yes (said)
  set up: yes
Peers:
  web1
    why: web-to-db, nets
    allowed IPs: 10.99.0.1/32, fd99::1/128
    endpoint: 198.51.100.1:51820
    keepalive: 25
  web2
    why: web-to-db, nets
    allowed IPs: 10.99.0.2/32, fd99::2/128
    keepalive: 25
Routes: none" "$(masked <"$T/out")"
	run show web1 -state s.json
	check_equal 'show: the side that starts' 'Peers:
  db1
    why: web-to-db, nets
    allowed IPs: 10.99.0.3/32, fd99::3/128, 192.168.1.0/24
    keepalive: 25
Routes:
  192.168.1.0/24 via 10.99.0.3' "$(sed -n '/^Peers/,$p' "$T/out")"
	run show web1 -state s.json -json
	check 'show -json' jq -e '.name == "web1" and .said == {"ssh": "192.0.2.11", "address": ["10.99.0.1", "fd99::1"], "groups": ["web"], "endpoint": "198.51.100.1:51820"}
		and .effective == {"addresses": ["10.99.0.1/24", "fd99::1/64"], "port": 51820, "mtu": 1380, "keepalive": null, "key": "state", "endpoint": "198.51.100.1:51820"}
		and .private_key == "state" and .host_keys == [] and .facts.address == "192.0.2.11" and .is_local == false
		and (.peers | length) == 1 and (.peers[0] | .name == "db1" and .policies == ["web-to-db", "nets"] and .keepalive == 25 and .endpoint == null
			and .allowed_ips == ["10.99.0.3/32", "fd99::3/128", "192.168.1.0/24"])
		and .routes == [{"network": "192.168.1.0/24", "gateway": "10.99.0.3"}] and .not_routed == [] and .external_peers == []' "$T/out"
	patch '.mtu = null | .nodes.db1.facts += {"mtu": 1390, "mtu_kept": true} | .nodes.web1.facts.mtu = 1412'
	run show db1 -state s.json
	check_equal 'show: an MTU that was taken over' 1 "$(grep -c '^  mtu: 1390 (.*taken over' "$T/out")"
	run show web1 -state s.json
	check_equal 'show: an MTU that was found' 1 "$(grep -c '^  mtu: 1412 (found' "$T/out")"
	run show web1 -state s.json -json
	check 'show -json: an MTU that was found' jq -e '.said.mtu == null and .effective.mtu == 1412 and .facts.mtu == 1412 and .facts.mtu_kept == false' "$T/out"
	refuses 'show: a node that is none' "there is no node 'ddb1'; did you mean 'db1'?" show ddb1
	refuses 'show: an escape sequence' 'there is no node' show "$(printf '\033[2J')"
	refuses 'show: nobody' 'expected: wgmesh show NODE' show
	patch '.groups = {} | .access_policies = []'
	run show web2 -state s.json
	check_equal 'show: a full mesh' 2 "$(grep -c 'why: no groups and no policies: a full mesh' "$T/out")"
	echo '{"nodes":{"a":{}},"groups":{"g":{}},"access_policies":[{}]}' >s.json
	run show a -state s.json
	check_equal 'show: a node that says nothing' '0 0' "$got $(grep -c null "$T/out")"
	run show a -state s.json -json
	check 'show -json: a node that says nothing' jq -e '.peers == [] and .private_key == null' "$T/out"
}

# External peers and keys: shown without their secrets.
show_secrets() {
	mesh
	psk='MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE='
	phone='cGhvbmVwaG9uZXBob25lcGhvbmVwaG9uZXBob25lcGg='
	patch ".nodes.db1.external_peers = [{\"name\": \"phone\", \"public_key\": \"$phone\", \"preshared_key\": \"$psk\",
		\"endpoint\": \"203.0.113.9:1234\", \"allowed_ips\": [\"10.99.0.99/32\"], \"keepalive\": 15}]"
	run show db1 -state s.json
	check_equal 'show: an external peer' "External peers, never touched:
  phone
    public key: $phone, with a preshared key
    allowed IPs: 10.99.0.99/32
    endpoint: 203.0.113.9:1234
    keepalive: 15" "$(sed -n '/^External/,$p' "$T/out")"
	cp "$T/out" "$T/all"
	run show db1 -state s.json -json
	check 'show -json: an external peer' jq -e ".external_peers == [{\"name\": \"phone\", \"public_key\": \"$phone\", \"preshared_key\": true,
		\"allowed_ips\": [\"10.99.0.99/32\"], \"endpoint\": \"203.0.113.9:1234\", \"keepalive\": 15, \"routes\": []}]" "$T/out"
	cat "$T/out" >>"$T/all"
	for words in 'set db1 mtu=1400' 'rename db1 data' 'remove data -dry-run' 'set data key=host' 'set data prot=1' 'group list -json'; do
		# shellcheck disable=SC2086
		run $words -state s.json
		cat "$T/out" "$T/err" >>"$T/all"
	done
	holds 'an edit keeps it' ".nodes.data.external_peers[0].preshared_key == \"$psk\""
	for key in "$psk" $(jq -r '.nodes[].private_key' "$T/mesh.json"); do
		check 'no secret is printed' sh -c '! grep -qF -e "$1" "$2"' - "$key" "$T/all"
	done
}

# ---- sealed ----

sealed() {
	mesh
	"$WGMESH" identity new id >recipient 2>/dev/null
	"$WGMESH" seal -state s.json -recipient "$(grep -o 'age1[a-z0-9]*' recipient | head -1)" >/dev/null 2>&1
	check 'the state is sealed' sh -c '! grep -q web1 s.json'
	cp s.json before
	says 'sealed: dry run' 0 '~ node db1: mtu unset -> 1400
dry run: nothing is saved' set db1 mtu=1400 -state s.json -identity id -dry-run
	check 'sealed: dry run writes nothing' cmp s.json before
	says 'sealed: nothing changes' 0 'nothing changes' set db1 key=state -state s.json -identity id
	check 'sealed: and nothing is written' cmp s.json before
	for words in 'set db1 mtu=1400' 'route add db1 192.168.1.0/24' 'group add edge web1' 'policy add p -from edge -to db' 'rename db1 data' 'unset data mtu'; do
		# shellcheck disable=SC2086
		run $words -state s.json -identity id
		check_equal "sealed: $words" 0 "$got"
		check "sealed: $words: it is still" sh -c '! grep -q web1 s.json'
	done
	run cat -state s.json -identity id
	check 'sealed: all is there' jq -e '.nodes.data.routable_networks == ["192.168.1.0/24"] and .nodes.data.mtu == null
		and .groups.edge.members == ["web1"] and .groups.db.members == ["data"] and (.access_policies | length) == 2' "$T/out"
	run show data -state s.json -identity id
	check_equal 'sealed: show' '0 data' "$got $(head -n 1 "$T/out")"
	refused 'sealed: not without the identity' 2 'identit' set data mtu=1300 -state s.json
}

setting
hooks
addresses
memberships
key_places
pins
jump_pins
tombstones
external_peers
set_errors
renaming
routes
groups
policies
old_errors
dry_add_remove
every_key
showing
show_secrets
sealed
finish
