#!/bin/sh
# What is wrong in a mesh.yaml: each text with the line and column that apply
# names, what it found there and, where it can tell, what would be right.
# Nothing is printed to stdout and no file is changed. Whole sentences are in
# test_sentences.sh.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

# bad TEXT LINE:COLUMN WORDS...: apply refuses the text (in printf's escapes)
# with "m.yaml:LINE:COLUMN: " and each of WORDS.
bad() {
	printf %b "$1" >m.yaml
	text=$1 place=$2
	shift 2
	refused "$text" 2 "m.yaml:$place: " apply -yes -f m.yaml -state s.json
	for words; do
		grep -qF -e "$words" "$T/err" || flunk "$text: says $words" "$(cat "$T/err")"
	done
}

good_state

# ---- what is no text ----

bad '\0377' 1:1 '\xff'
bad 'network: 10.0.0.0/8 # \0303\n' 1:23 '\xc3'
bad '\0357\0273\0277network: 10.0.0.0/8\n' 1:1 'byte order mark'
bad 'nodes: {} # \0007' 1:13 'U+0007'
bad 'nodes: {}\rgroups: {}\n' 1:10 'carriage return'
bad 'nodes: {} # \0342\0200\0256dlrow\n' 1:13 'U+202E'
bad 'groups: {"\0342\0200\0213": {}}\n' 1:11 'U+200B'
bad 'nodes: {}\0000\n' 1:10 'U+0000'

# ---- the shape of the text ----

bad '' 1:1 'no value'
bad '# only a comment\n' 2:1 'no value'
bad '---\n' 2:1 'no value'
bad '---\nnodes: {}\n---\nnodes: {}\n' 3:1 'second document'
bad 'nodes: {}\n...\nnodes: {}\n' 3:1 "'nodes:'"
bad '%YAML 1.1\n---\nnodes: {}\n' 1:1 'directive'
bad '%YAML 2.0\n---\nnodes: {}\n' 1:1 "'%YAML'"
bad '%TAG ! tag:example.org,2000:\n---\nnodes: {}\n' 1:1 'directive'
bad '%FOO bar\n---\nnodes: {}\n' 1:1 "'%FOO'"
bad 'nodes: {}\n%YAML 1.2\n' 3:1 'end of the text'
bad 'network\n' 1:1 "'network'"
bad '"network: 10.0.0.0/8"\n' 1:1 "'network: 10.0.0.0/8'"
bad '- network: 10.0.0.0/8\n' 1:1 'list'
bad '[network]\n' 1:1 'list'
bad 'null\n' 1:1 "'null'"
bad 'nodes:\n  a: {ssh: h\n' 3:1 'end of the text' "',' or '}'"
bad 'nodes:\n  a: {routes: [10.0.0.0/8}\n' 2:26 "'}'" "',' or ']'"
bad 'nodes:\n  a:\n    routes: [10.0.0.0/8\n    mtu: 1400\n' 3:14 "'10.0.0.0/8 mtu'"
bad 'nodes:\n  a: {ssh: "h}\n' 2:12 "'\"h}'"
bad 'nodes:\n  a: {ssh: '\''h}\n---\n' 2:12 "''h}'"
bad 'nodes:\n  a: {ssh: "\\q"}\n' 2:13 "'\\q\"}'"
bad 'nodes:\n  a: {ssh: "\\xZZ"}\n' 2:15 "'ZZ\"}'"
bad 'groups:\n  a: {description: "\\uD800"}\n' 2:23 "'D800\"}'"
bad 'groups:\n  a: {description: "\\x00"}\n' 2:20 'U+0000'
bad 'nodes:\n  a:\n    ssh: h\n   mtu: 1400\n' 4:4 "'mtu:'"
bad 'nodes:\n  a:\n    ssh: h\n      mtu: 1400\n' 3:10 "'h mtu'"
bad 'nodes:\n  a:\n    ssh h\n    mtu: 1400\n' 3:5 "'ssh h mtu'"
bad 'nodes:\n  a:\n    ssh: h: 22\n' 3:11 "':'"
bad 'nodes:\n  a: ssh: h\n' 2:6 "'ssh'"
bad 'nodes:\n  a:\n    ssh: @h\n' 3:10 "'@h'"
bad 'nodes:\n  a:\n    ssh: `h`\n' 3:10 "'\`h\`'"
bad 'nodes:\n  a:\n    ssh: h\n    - mtu\n' 4:5 "'-'"
bad 'policies: - name: p\n' 1:11 "'-'"
bad 'policies:\n  - name: p\n  name: q\n' 3:3 "'name:'"
bad 'nodes: {}}\n' 1:10 "'}'"
bad 'nodes: {a: {mtu: 1400 ssh: h}}\n' 1:18 "'1400 ssh'" '576 to 65535'
bad 'nodes:\n  a: {ssh: "h" "i"}\n' 2:16 "'\"i\"}'" "',' or '}'"

# ---- tabs ----

bad 'nodes:\n\ta: {}\n' 2:1 'tab'
bad 'nodes:\n  a:\n  \tssh: h\n' 3:3 'tab'
bad 'nodes: {\n\t}\n' 2:1 'tab'
bad 'groups:\n  a:\n    description: "one\n\ttwo"\n' 4:1 'tab'
bad '\tnodes: {}\n' 1:1 'tab'
bad 'nodes:\n  a:\n    routes:\n    -\t- x\n' 4:6 'tab'

# ---- anchors, aliases, tags, merge keys ----

bad 'nodes:\n  a: &a {ssh: h}\n  b: *a\n' 2:6 "'&a'"
bad 'nodes: &n {}\n' 1:8 "'&n'"
bad 'nodes:\n  &a a: {}\n' 2:3 "'&a'"
bad 'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n' 1:1 "'a'"
bad 'nodes:\n  a: *b\n' 2:6 "'*b'"
bad 'nodes:\n  a: {ssh: *}\n' 2:12 "'*}'"
bad 'nodes:\n  a: {ssh: !!str h}\n' 2:12 "'!!str'"
bad 'nodes: !map {}\n' 1:8 "'!map'"
bad 'nodes:\n  a: {routes: !!seq []}\n' 2:15 "'!!seq'"
bad 'nodes:\n  a: {ssh: !x!y h}\n' 2:12 "'!x!y'"
bad 'nodes:\n  a:\n    <<: {ssh: h}\n' 3:5 "'<<'"
bad '<<: {}\n' 1:1 "'<<'"

# ---- keys ----

bad 'node: {}\n' 1:1 "'node'" "'nodes'"
bad 'nods: {}\n' 1:1 "'nods'" "'nodes'"
bad 'Network: 10.0.0.0/8\n' 1:1 "'Network'" "'network'"
bad 'listen_port: 51820\n' 1:1 "'listen_port'"
bad 'defaults: {listen: 1}\n' 1:12 "'listen'"
bad 'defaults: {prot: 51820}\n' 1:12 "'prot'" "'port'"
bad 'defaults: {ssh: h}\n' 1:12 "'ssh'"
bad 'nodes:\n  a: {route: []}\n' 2:7 "'route'" "'routes'"
bad 'nodes:\n  a: {rout\0303\0251: []}\n' 2:7 "'routé'" "'routes'"
bad 'nodes:\n  a: {private_key: x}\n' 2:7 "'private_key'"
bad 'nodes:\n  a: {yes: 1}\n' 2:7 "'yes'"
bad 'groups:\n  a: {member: []}\n' 2:7 "'member'" "'members'"
bad 'policies: [{form: [a]}]\n' 1:13 "'form'" "'from'"
bad 'policies: [{allow_mesh_ips: true}]\n' 1:13 "'allow_mesh_ips'"
bad 'nodes:\n  a: {"s\\x1b[31m": h}\n' 2:7 "'s\\x1b[31m'"
bad 'nodes:\n  a: {: h}\n' 2:7 "':'"
bad 'nodes:\n  a: {[x]: h}\n' 2:7 'list'
bad 'nodes:\n  ? {x: y}\n  : h\n' 2:5 'keys and values'
bad 'nodes:\n  a: {null: h}\n' 2:7 "'null'"
bad 'network: 10.0.0.0/8\nnetwork: 10.0.0.0/8\n' 2:1 "'network'" 'line 1, column 1'
bad 'nodes: {}\ngroups: {}\nnodes: {}\n' 3:1 "'nodes'" 'line 1, column 1'
bad 'nodes:\n  a: {mtu: 1400, ssh: h, "mtu": 1400}\n' 2:26 "'mtu'" 'line 2, column 7'
bad 'nodes:\n  b: {}\n  a: {}\n  b: {}\n  a: {}\n' 4:3 "'b'" 'line 2, column 3'
bad 'groups:\n  a: {}\n  "\\x61": {}\n' 3:3 "'a'" 'line 2, column 3'
bad 'policies:\n  - name: p\n    to: []\n    name: p\n' 4:5 "'name'" 'line 2, column 5'

# ---- values of the wrong kind ----

bad 'network: [10.0.0.0/8]\n' 1:10 'list'
bad 'network: {a: b}\n' 1:10 'keys and values'
bad 'network:\n' 1:9 'no value'
bad 'network: ~\n' 1:10 "'~'" '"~"'
bad 'interface: null\n' 1:12 "'null'" '"null"'
bad 'defaults: []\n' 1:11 'list'
bad 'defaults: 51820\n' 1:11 "'51820'"
bad 'defaults:\n' 1:10 'no value'
bad 'nodes: [a, b]\n' 1:8 'list'
bad 'nodes: a\n' 1:8 "'a'"
bad 'nodes:\n  a:\n  b: {}\n' 2:5 'no value'
bad 'nodes:\n  a: h\n' 2:6 "'h'"
bad 'nodes:\n  - a\n' 2:3 'list'
bad 'groups: [a]\n' 1:9 'list'
bad 'groups:\n  a: [x]\n' 2:6 'list'
bad 'policies: {p: {}}\n' 1:11 'keys and values'
bad 'policies:\n  - p\n' 2:5 "'p'"
bad 'policies:\n  -\n' 2:4 'no value'
bad 'nodes:\n  a: {ssh: [h]}\n' 2:12 'list'
bad 'nodes:\n  a: {ssh: }\n' 2:12 'no value'
bad 'nodes:\n  a: {routes: 10.0.0.0/8}\n' 2:15 "'10.0.0.0/8'"
bad 'nodes:\n  a:\n    routes:\n    mtu: 1400\n' 3:12 'no value'
bad 'nodes:\n  a: {routes: {a: b}}\n' 2:15 'keys and values'
bad 'nodes:\n  a: {routes: [[10.0.0.0/8]]}\n' 2:16 'list'
bad 'nodes:\n  a: {routes: [10.0.0.0/8, ]}\n  b: {routes: [~]}\n' 3:16 "'~'" '"~"'
bad 'nodes:\n  a: {address: {}}\n' 2:16 'keys and values'
bad 'nodes:\n  a: {address:}\n' 2:14 "':}'"
bad 'nodes:\n  a: {groups: web}\n' 2:15 "'web'"
bad 'nodes:\n  a: {mtu: [1400]}\n' 2:12 'list' '576 to 65535'
bad 'nodes:\n  a: {mtu: "1400"}\n' 2:12 "'1400'" '576 to 65535'
bad 'nodes:\n  a: {mtu: }\n' 2:12 'no value' '576 to 65535'
bad 'nodes:\n  a: {exit: "true"}\n' 2:13 "'true'" 'true or false'
bad 'nodes:\n  a: {exit: []}\n' 2:13 'list' 'true or false'
bad 'nodes:\n  a: {exit: 1}\n' 2:13 "'1'" 'true or false'
bad 'nodes:\n  a: {exit: }\n' 2:13 'no value' 'true or false'

# ---- what YAML readers disagree about ----

bad 'nodes:\n  a: {exit: yes}\n' 2:13 "'yes'" 'true or false'
bad 'nodes:\n  a: {exit: True}\n' 2:13 "'True'" 'true or false'
bad 'nodes:\n  a: {exit: off}\n' 2:13 "'off'" 'true or false'
bad 'nodes:\n  no: {}\n' 2:3 "'no'" '"no"'
bad 'nodes:\n  y: {}\n' 2:3 "'y'" '"y"'
bad 'nodes:\n  1: {}\n' 2:3 "'1'" '"1"'
bad 'nodes:\n  2024-01-31: {}\n' 2:3 "'2024-01-31'" '"2024-01-31"'
bad 'groups:\n  on: {}\n' 2:3 "'on'" '"on"'
bad 'groups:\n  0x1F: {}\n' 2:3 "'0x1F'" '"0x1F"'
bad 'groups:\n  .inf: {}\n' 2:3 "'.inf'" '".inf"'
bad 'groups:\n  =: {}\n' 2:3 "'='" '"="'
bad 'groups:\n  1_000: {members: []}\n' 2:3 "'1_000'" '"1_000"'
bad 'groups:\n  a: {description: no}\n' 2:20 "'no'" '"no"'
bad 'groups:\n  a: {description: 1e3}\n' 2:20 "'1e3'" '"1e3"'
bad 'groups:\n  a: {members: [a, Null]}\n' 2:20 "'Null'" '"Null"'
bad 'nodes:\n  a: {groups: [web, off]}\n' 2:21 "'off'" '"off"'
bad 'nodes:\n  a: {ssh: 12:30:45}\n' 2:12 "'12:30:45'" '"12:30:45"'
bad 'nodes:\n  a: {ssh: 10.5}\n' 2:12 "'10.5'" '"10.5"'
bad 'nodes:\n  a: {key: ~}\n' 2:12 "'~'" '"~"'
bad 'nodes:\n  a: {address: 1:2:3:4:5:6:7:8}\n' 2:16 "'1:2:3:4:5:6:7:8'" '"1:2:3:4:5:6:7:8"'
bad 'policies: [{name: 010}]\n' 1:19 "'010'" '"010"'
bad 'defaults: {port: 0o10}\n' 1:18 "'0o10'" '1 to 65535'
bad 'defaults: {port: 010}\n' 1:18 "'010'" '1 to 65535'
bad 'defaults: {port: 1_000}\n' 1:18 "'1_000'" '1 to 65535'
bad 'defaults: {port: 0x1F}\n' 1:18 "'0x1F'" '1 to 65535'
bad 'defaults: {port: 1e3}\n' 1:18 "'1e3'" '1 to 65535'
bad 'defaults: {port: 12:30:45}\n' 1:18 "'12:30:45'" '1 to 65535'
bad 'defaults: {port: 1400.0}\n' 1:18 "'1400.0'" '1 to 65535'
bad 'defaults: {port: +80}\n' 1:18 "'+80'" '1 to 65535'
bad 'defaults: {mtu: .inf}\n' 1:17 "'.inf'" '576 to 65535'
bad 'defaults: {mtu: 2024-01-31}\n' 1:17 "'2024-01-31'" '576 to 65535'
bad 'defaults: {mtu: no}\n' 1:17 "'no'" '576 to 65535'
bad 'defaults: {keepalive: -1}\n' 1:23 "'-1'" '0 to 65535'

# ---- values out of range or form ----

bad 'defaults: {port: 0}\n' 1:18 "'0'" '1 to 65535'
bad 'defaults: {port: 65536}\n' 1:18 "'65536'" '1 to 65535'
bad 'defaults: {mtu: 575}\n' 1:17 "'575'" '576 to 65535'
bad 'defaults: {keepalive: 99999999999999999999}\n' 1:23 "'99999999999999999999'" '0 to 65535'
bad 'defaults: {key: disk}\n' 1:17 "'disk'"
bad 'interface: wg/0\n' 1:12 "'wg/0'" '1 to 15'
bad 'interface: a-very-long-name\n' 1:12 "'a-very-long-name'" '1 to 15'
bad 'interface: ""\n' 1:12 "''" '1 to 15'
bad 'network: 10.0.0.0\n' 1:10 "'10.0.0.0'"
bad 'network: 10.0.0.1/8\n' 1:10 "'10.0.0.1/8'" '10.0.0.0/8'
bad 'network: 10.0.0.0/31\n' 1:10 "'10.0.0.0/31'" '8 to 30'
bad 'network: "fd00::/64"\n' 1:10 "'fd00::/64'"
bad 'network6: 10.0.0.0/8\n' 1:11 "'10.0.0.0/8'" 'fd99::/64'
bad 'network6: "fd00::/8"\n' 1:11 "'fd00::/8'" '16 to 126'
bad 'nodes:\n  -a: {}\n' 2:3 "'-a'" '1 to 63'
bad 'nodes:\n  a b: {}\n' 2:3 "'a b'" '1 to 63'
bad 'nodes:\n  "": {}\n' 2:3 "''" '1 to 63'
bad 'nodes:\n  \0303\0251: {}\n' 2:3 "'é'" '1 to 63'
bad 'nodes:\n  \0303\0251\0303\0251: {ssh: h, mtu: x}\n' 2:3 "'éé'" '1 to 63'
bad 'groups:\n  "a\\tb": {}\n' 2:3 "'a\\x09b'" '1 to 128'
bad 'nodes:\n  a: {ssh: "web1:99999"}\n' 2:12 "'99999'" '1 to 65535'
bad 'nodes:\n  a: {ssh: "h:\\t1"}\n' 2:12 "'\\x091'" '1 to 65535'
bad 'nodes:\n  a: {ssh: we b}\n' 2:12 "'we b'"
bad 'nodes:\n  a: {ssh: "::1"}\n' \
	2:12 'too many colons, expected [USER@]HOST[:PORT], an IPv6 address in brackets'
bad 'nodes:\n  a: {ssh: 192.0.2.256}\n' 2:12 "'192.0.2.256'"
bad 'nodes:\n  a: {ssh: "-u@h"}\n' 2:12 "'-u'" '1 to 32'
bad 'nodes:\n  a: {address: 10.0.0}\n' 2:16 "'10.0.0'"
bad 'nodes:\n  a: {address: [10.0.0.1, 10.0.0.2]}\n' 2:27 "'10.0.0.2'" 'each kind'
bad 'nodes:\n  a: {address: 10.0.0.1/8}\n' 2:16 "'10.0.0.1/8'"
bad 'nodes:\n  a: {routes: [10.0.0.1/8]}\n' 2:16 "'10.0.0.1/8'" '10.0.0.0/8'
bad 'nodes:\n  a: {routes: [10.0.0.0]}\n' 2:16 "'10.0.0.0'"
bad 'nodes:\n  a: {routes: [224.0.0.0/4]}\n' 2:16 "'224.0.0.0/4'"
bad 'nodes:\n  a: {endpoint: h}\n' 2:17 "'h'"
bad 'nodes:\n  a: {endpoint: "h:0"}\n' 2:17 "'h:0'"
bad 'nodes:\n  a: {endpoint: "fd00::1:51820"}\n' 2:17 "'fd00::1:51820'"
bad 'nodes:\n  a: {groups: [""]}\n' 2:16 "''" '1 to 128'
bad 'groups:\n  a: {description: |\n    one\n    two\n  }\n' 2:20 "'|'"
bad 'groups:\n  a:\n    description: |\n      one\n' 3:18 "'one\\x0a'"

# ---- values that only a state may have had ----

bad 'nodes: {a: {ssh: "web 1"}}' 1:13 "node 'a': ssh" "'web 1'"
bad 'groups: {g: {description: "a\\nb"}}' 1:14 "group 'g': description" "'a\\x0ab'"
bad 'policies: [{name: p, from: [g], to: ["g\\n"]}]' 1:33 "policy 'p': to" "'g\\x0a'"

# ---- too much ----

# too_much NAME LINE COMMAND...: as bad, for what a command prints.
too_much() {
	what=$1 expected=$2
	shift 2
	"$@" >m.yaml
	run apply -yes -f m.yaml -state s.json
	check_equal "$what" "2: wgmesh: m.yaml:$expected" "$got: $(cat "$T/err")"
}

many_items() { echo 'groups: {a: {members: ['; yes a, | head -n 1000000; echo ']}}'; }
deep() { printf 'nodes: {a: {routes: '; yes '[' | head -n 100000 | tr -d '\n'; }

too_much 'a million items' '999993:1: more than 1000000 items found, expected fewer' many_items
too_much 'deep nesting' '1:22: a list found, expected CIDR' deep
too_much 'a bomb' '2:6: the anchor '"'&a'"' found, expected a value without one' \
	printf 'nodes:\n  a: &a [x,x]\n  b: &b [*a,*a]\n  c: &c [*b,*b]\n'
finish
