#!/bin/sh
# Bad words on the command line: node specs, networks, names, options. Each
# gives one clear line, exit status 2, and changes no file.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

long() { printf "%$1s" '' | tr ' ' x; }
esc=$(printf '\033')
bidi=$(printf '\342\200\256')

form='expected NAME:MESH_IP:[USER@]HOST[:PORT]'

# spec WORDS SPEC [NAME]: a node spec that is refused.
spec() {
	refused "spec ${3:-'$2'}" 2 "$1" add -offline -state s.json -- "$2"
}

# Specs whose form or address is wrong.
specs_of_form() {
	spec "$form" ''
	spec "$form" x
	spec "$form" x:10.99.0.3
	spec 'too many fields' x:auto:h:22:33
	spec 'too many fields' x:fd99::5:h
	spec 'too many fields' x:auto:fd00::1
	spec "'' is no node name" :10.99.0.3:h
	spec 'is no mesh address' x::h
	spec "'10.99.0.300' is no mesh address" x:10.99.0.300:h
	spec "'10.99.0.3/24' is no mesh address" x:10.99.0.3/24:h
	spec "'10.99.0.03' is no mesh address" x:10.99.0.03:h
	spec "' 10.99.0.3' is no mesh address" 'x: 10.99.0.3:h'
	spec "'10.99.3' is no mesh address" x:10.99.3:h
	spec "'Auto' is no mesh address" x:Auto:h
	spec 'is no mesh address' 'x:[10.99.0.3]:h'
	spec "$form" 'x:[fd99::5:h'
	spec 'is no mesh address' 'x:[fd99::g]:h'
	spec '10.99.0.4' x:10.99.0.3,10.99.0.4:h
	spec 'is no mesh address' x:10.99.0.3,:h
	spec '10.98.0.1 is outside of the mesh network 10.99.0.0/24' x:10.98.0.1:h
	spec 'fd98::1 is outside of the mesh network fd99::/64' 'x:[fd98::1]:h'
	spec '10.99.0.0 is the first address' x:10.99.0.0:h
	spec '10.99.0.255 is the last address' x:10.99.0.255:h
	spec 'fd99:: is the first address' 'x:[fd99::]:h'
	spec '0.0.0.0 cannot be a mesh address' x:0.0.0.0:h
	spec '127.0.0.1 cannot be a mesh address' x:127.0.0.1:h
	spec '224.0.0.1 cannot be a mesh address' x:224.0.0.1:h
	spec '169.254.1.1 cannot be a mesh address' x:169.254.1.1:h
	spec '::1 cannot be a mesh address' 'x:[::1]:h'
	spec "node 'a' has 10.99.0.1 already" x:10.99.0.1:h
	spec "node 'b' has fd99::2 already" 'x:auto,[fd99::2]:h'
	spec "there is a node 'a' already" a:10.99.0.3:h
}

# Specs whose name would be a danger in a shell, a path or a terminal.
specs_of_name() {
	for bad in 'a;reboot' 'a$(id)' 'a`id`' 'a b' "a'b" 'a"b' 'a|b' 'a&b' \
		'a>b' 'a<b' 'a*' 'a?' 'a\b' 'a/b' ../x -x .x _x 'a=b' 'a%n' '#a' \
		'a{b}' 'a!b' '~a' 'ä'; do
		spec 'is no node name, expected' "$bad:auto:h"
	done
	spec 'is no node name' "a${newline}b:auto:h" 'with a newline in its name'
	spec 'is no node name' "a${esc}c:auto:h" 'with an escape sequence'
	spec "$form" "a${esc}[31m:auto:h" 'with a colour in its name'
	spec 'is no node name' "a$(printf '\007'):auto:h" 'with a bell'
	spec 'is no node name' "a$(printf '\r')b:auto:h" 'with a carriage return'
	spec 'is no node name' "a$(printf '\177'):auto:h" 'with a delete'
	spec 'is no node name' "a${bidi}b:auto:h" 'with a mark of direction'
	spec 'is no node name' "a$(printf '\302\233')b:auto:h" 'with a C1 control'
	spec 'is no node name' "a$(printf '\377')b:auto:h" 'that is no UTF-8'
	spec 'is no node name' "$(long 64):auto:h" 'with a name of 64 characters'
	spec 'is no node name' "$(long 100000):auto:h" 'with a name of 100000'
}

# Specs whose host, user or port is wrong.
specs_of_host() {
	for bad in 'h;x' 'h h' -oProxyCommand=x 'h$(id)' h..x 300.1.1.1 1.2.3 h/x \
		'h\x' "h'x" h_-; do
		spec "is no host, expected" "x:auto:$bad"
	done
	spec 'is no host' x:auto:
	spec 'is no SSH host' 'x:auto:[::g'
	spec 'is no SSH host' 'x:auto:[192.0.2.1]'
	spec 'is no host' 'x:auto:[::g]'
	spec 'is no host' "x:auto:h${newline}i" 'with a newline in its host'
	spec 'is no host' "x:auto:h${esc}c" 'with an escape in its host'
	spec 'is no host' "x:auto:h${bidi}x" 'with a mark of direction in it'
	spec 'is no host' "x:auto:$(long 254)" 'with a host of 254 characters'
	for bad in ';' -l '' 'a b' .a 'a$b' "$(long 33)"; do
		spec 'is no login name, expected' "x:auto:$bad@h"
	done
	for bad in 0 -1 65536 22abc ' 22' +22 '' 0x16 99999999999999999999 2.2; do
		spec 'is no SSH port, expected 1 to 65535' "x:auto:h:$bad"
	done
}

# A mesh without an IPv6 network, and one that is full.
specs_without_room() {
	empty_folder
	run init -state s.json -network 10.99.0.0/30
	spec 'the mesh has no IPv6 network' 'x:[fd99::1]:h'
	run add -state s.json -offline a:auto:h
	run add -state s.json -offline b:auto:h
	spec 'full' x:auto:h
	good_state
}

# init_with WORDS OPTION VALUE: an option of init that is refused; nothing is
# made.
init_with() {
	refused "init $2 '$3'" 2 "$1" \
		init -state s.json "$2" "$3"
}

inits() {
	empty_folder
	for bad in '' x 10.0.0.0 10.0.0.0/33 10.0.0/8 ' 10.0.0.0/8' '10.0.0.0/8 ' \
		10.0.0.0/255.0.0.0 10.0.0.0/ /8 10.0.0.0/-1 10.0.0.0/8/8 \
		"10.0.0.0/8${newline}" "${esc}[2J"; do
		init_with 'expected a network such as 10.99.0.0/16' -network "$bad"
	done
	init_with 'cannot be a mesh network' -network 10.0.0.0/31
	init_with 'cannot be a mesh network' -network 10.0.0.1/32
	init_with 'cannot be a mesh network' -network 0.0.0.0/0
	init_with 'cannot be a mesh network' -network 8.0.0.0/7
	init_with 'reserved for other uses' -network 127.0.0.0/8
	init_with 'reserved for other uses' -network 224.0.0.0/8
	init_with 'reserved for other uses' -network 169.254.0.0/16
	init_with 'is no IPv4 network' -network fd00::/64
	init_with 'is no IPv6 network' -network6 10.0.0.0/8
	init_with 'expected a network such as fd99::/64' -network6 fd99::
	init_with 'expected a network such as fd99::/64' -network6 fd99::%wg0/64
	init_with 'cannot be a mesh network' -network6 fd00::/127
	init_with 'cannot be a mesh network' -network6 ::/0
	init_with 'reserved for other uses' -network6 fe80::/64
	init_with 'reserved for other uses' -network6 ff00::/16
	for bad in '' wg/0 'wg 0' 'wg;0' .. . 0wg -x "wg${newline}0" "$(long 16)" \
		'wg%i' 'wg$(id)' 'wg@0' "wg${esc}[0m" "wg${bidi}" 'wgä'; do
		init_with 'is no interface name, expected' -interface "$bad"
	done
	for bad in 0 65536 x -5 '' 51820.5 ' 1' 0x10 99999999999999999999; do
		init_with 'expected 1 to 65535' -listen-port "$bad"
	done
	refused 'init in a new folder with a bad network' 2 -network \
		init -state new/s.json -network x
	good_state
	refused 'init over a state' 2 's.json' init -state s.json
	refused '-init over a state' 2 's.json' -state s.json -init
	: >s.json
	refused 'init over an empty file' 2 's.json' init -state s.json
	good_state
}

# words TEXT ARGS...: usage that is refused.
words() {
	said=$1
	shift
	refused "usage: $*" 2 "$said" "$@"
}

# Makes $T/bare, our program where nothing is in /var/lib: the state of this
# machine's own mesh may be there, and is not for tests.
bare_machine() {
	printf '#!/bin/sh\nexec unshare -m sh -c '"'"'mount -t tmpfs none /var/lib && exec "$0" "$@"'"'"' "%s" "$@"\n' "$WGMESH" >"$T/bare"
	chmod 755 "$T/bare"
}

usages() {
	words "import logs in to a host" import -state s.json local
	words "there is no command 'frob'" frob
	words 'there is no command' "fr${esc}[1mob"
	words 'there is no command' "fr${newline}ob"
	words "there is no option '-frob'" -frob
	words "there is no option '--frob=1'" --frob=1
	words 'there is no option' "-fr${esc}ob"
	words 'there is no option' -version
	words "there is no command 'frob'" help frob
	words "did you mean 'deploy'" deplyo
	words "did you mean 'deploy'" help dploy
	words "did you mean 'validate'" vaildate
	words "did you mean 'list'" lst
	for command in plan render 'keys host' 'set'; do
		# shellcheck disable=SC2086
		words "did you mean 'a'" $command -state s.json aa $([ "$command" != set ] || echo port=1)
	done
	words "'wgmesh list' shows them" plan -state s.json nosuchnode
	words "did you mean -parallel" deploy --paralel 3
	words "did you mean -state" list -sate=s.json
	words "did you mean -deploy" -deplyo
	mkdir -p none && cd none || exit 1
	bare_machine
	for command in list deploy 'show a' 'set a port=1' pull unlock export; do
		# shellcheck disable=SC2086
		WGMESH=$T/bare refused "no state: $command" 1 \
			"there is no mesh-state.json in '$PWD' and no state '/var/lib/wgmesh/mesh-state.json': 'wgmesh init'" $command
	done
	cd .. || exit 1
	words "'init' has no option -json" init -state s.json -json
	words "'list' has no option -yes" list -state s.json -yes
	words "'add' has no option -network" add -state s.json -network 10.0.0.0/8 x
	words '-state needs a FILE' list -state
	words '-network needs a CIDR' init -network
	words '-add needs a SPEC' -state s.json -add
	words '-add needs a SPEC' -state s.json -add=
	words '-remove needs a NAME' -state s.json -remove ''
	words 'expected true or false' -state s.json -list=maybe
	words 'expected true or false' list -state s.json -json=2
	words 'one action at a time' -state s.json -list -deploy
	words '-add is given twice' -state s.json -offline -add x:auto:h -add y:auto:h
	words '-remove is given twice' -state s.json -remove a --remove=b
	words '-deploy is given twice' -state s.json -deploy -deploy
	words '-state is given twice' -state s.json list -state s.json
	words '-output is given twice' render -state s.json -all -o x -output y
	words '-parallel is given twice' plan -state s.json -parallel 1 -parallel 2
	words "'mtu' is given twice" set -state s.json a mtu=1400 port=1 mtu=1300
	words 'one action at a time' -state s.json -init -add x:auto:h
	words 'expected: wgmesh add NAME:MESH_IP' add -state s.json
	words 'expected: wgmesh add NAME:MESH_IP' add -state s.json x:auto:h y:auto:h
	words 'expected: wgmesh list' list -state s.json extra
	words 'expected: wgmesh init' init -state t.json extra
	words 'expected: wgmesh remove NAME' remove -state s.json
	words "'mesh': expected 'mesh list'" mesh
	words "'mesh frob': expected 'mesh list'" mesh frob
	for bad in 0 -1 1025 x '' ' 1' 1.5; do
		words '-parallel' plan -state s.json -parallel "$bad"
	done
	for bad in 0 -1 3601 x '' ' 1' 1.5; do
		words '-timeout' deploy -state s.json -timeout "$bad"
	done
	words "there is no node 'ghost'" remove -state s.json ghost
	words "there is no node 'ghost'" remove -state s.json -forget ghost
	words 'there is no node' remove -state s.json "gh${esc}[7most"
	words "there is no node 'ghost'" render -state s.json ghost
	words 'expected: wgmesh render' render -state s.json
	words 'expected: wgmesh render' render -state s.json a b
	words 'expected: wgmesh render' render -state s.json -all
	words 'expected: wgmesh render' render -state s.json -o out a
	words 'expected: wgmesh render' render -state s.json -all -o out -json
	words "'ghost' is neither a node nor a group" plan -state s.json ghost
	words "'ghost' is neither a node nor a group" deploy -state s.json a ghost
	words 'is neither a node nor a group' plan -state s.json "a${newline}b"
}

good_state
specs_of_form
specs_of_name
specs_of_host
specs_without_room
inits
usages
finish
