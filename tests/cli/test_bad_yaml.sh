#!/bin/sh
# What is wrong in a mesh.yaml: each text with the exact line that apply answers
# with. Nothing is printed to stdout and no file is changed.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

# shellcheck disable=SC2154 # got is set in common.sh

# bad TEXT LINE: apply refuses the text (in printf's escapes) with "m.yaml:LINE".
bad() {
	printf %b "$1" >m.yaml
	before=$(snapshot)
	run apply -yes -f m.yaml -state s.json
	check_equal "$(printf %s "$1" | tr '\\' /)" "2, no output: wgmesh: m.yaml:$2" \
		"$got, $([ -s "$T/out" ] || echo no) output: $(cat "$T/err")"
	check_equal '  and every file is as it was' "$before" "$(snapshot)"
}

good_state

# ---- what is no text ----

bad '\0377' \
	'1:1: the byte \xff found, expected UTF-8 text'
bad 'network: 10.0.0.0/8 # \0303\n' \
	'1:23: the byte \xc3 found, expected UTF-8 text'
bad '\0357\0273\0277network: 10.0.0.0/8\n' \
	'1:1: a byte order mark found, expected UTF-8 text without one'
bad 'nodes: {} # \0007' \
	'1:13: the character U+0007 found, which is not shown, expected text without such'
bad 'nodes: {}\rgroups: {}\n' \
	'1:10: a carriage return found, expected it only before a line feed'
bad 'nodes: {} # \0342\0200\0256dlrow\n' \
	'1:13: the character U+202E found, which is not shown, expected text without such'
bad 'groups: {"\0342\0200\0213": {}}\n' \
	'1:11: the character U+200B found, which is not shown, expected text without such'
bad 'nodes: {}\0000\n' \
	'1:10: the character U+0000 found, which is not shown, expected text without such'

# ---- the shape of the text ----

bad '' \
	'1:1: no value found, expected a mesh: keys and values like '\''network: 10.99.0.0/16'\'''
bad '# only a comment\n' \
	'2:1: no value found, expected a mesh: keys and values like '\''network: 10.99.0.0/16'\'''
bad '---\n' \
	'2:1: no value found, expected a mesh: keys and values like '\''network: 10.99.0.0/16'\'''
bad '---\nnodes: {}\n---\nnodes: {}\n' \
	'3:1: a second document found, expected one'
bad 'nodes: {}\n...\nnodes: {}\n' \
	'3:1: '\''nodes:'\'' found, expected nothing behind the mesh'
bad '%YAML 1.1\n---\nnodes: {}\n' \
	'1:1: a directive found, expected %YAML 1.2 or no directive'
bad '%YAML 2.0\n---\nnodes: {}\n' \
	'1:1: '\''%YAML'\'' found, expected %YAML 1.2 or no directive'
bad '%TAG ! tag:example.org,2000:\n---\nnodes: {}\n' \
	'1:1: a directive found, expected %YAML 1.2 or no directive'
bad '%FOO bar\n---\nnodes: {}\n' \
	'1:1: '\''%FOO'\'' found, expected %YAML 1.2 or no directive'
bad 'nodes: {}\n%YAML 1.2\n' \
	'3:1: the end of the text found, expected nothing behind the mesh'
bad 'network\n' \
	'1:1: '\''network'\'' found, expected a mesh: keys and values like '\''network: 10.99.0.0/16'\'''
bad '"network: 10.0.0.0/8"\n' \
	'1:1: the quoted text '\''network: 10.0.0.0/8'\'' found, expected a mesh: keys and values like '\''network: 10.99.0.0/16'\'''
bad '- network: 10.0.0.0/8\n' \
	'1:1: a list found, expected a mesh: keys and values like '\''network: 10.99.0.0/16'\'''
bad '[network]\n' \
	'1:1: a list found, expected a mesh: keys and values like '\''network: 10.99.0.0/16'\'''
bad 'null\n' \
	'1:1: '\''null'\'' found, expected a mesh: keys and values like '\''network: 10.99.0.0/16'\'''
bad 'nodes:\n  a: {ssh: h\n' \
	'3:1: the end of the text found, expected '\'','\'' or '\''}'\'''
bad 'nodes:\n  a: {routes: [10.0.0.0/8}\n' \
	'2:26: '\''}'\'' found, expected '\'','\'' or '\'']'\'''
bad 'nodes:\n  a:\n    routes: [10.0.0.0/8\n    mtu: 1400\n' \
	'3:14: '\''10.0.0.0/8 mtu'\'' found, expected a network like 10.99.0.0/16'
bad 'nodes:\n  a: {ssh: "h}\n' \
	'2:12: '\''"h}'\'' found, expected a closing quote'
bad 'nodes:\n  a: {ssh: '\''h}\n---\n' \
	'2:12: '\'''\''h}'\'' found, expected a closing quote'
bad 'nodes:\n  a: {ssh: "\\q"}\n' \
	'2:13: '\''\q"}'\'' found, expected only \", \\, \n, \t, \xNN, \uNNNN as escapes'
bad 'nodes:\n  a: {ssh: "\\xZZ"}\n' \
	'2:15: '\''ZZ"}'\'' found, expected hexadecimal digits behind \x, \u and \U'
bad 'groups:\n  a: {description: "\\uD800"}\n' \
	'2:23: '\''D800"}'\'' found, expected a character that exists'
bad 'groups:\n  a: {description: "\\x00"}\n' \
	'2:20: the character U+0000 found, expected text without it'
bad 'nodes:\n  a:\n    ssh: h\n   mtu: 1400\n' \
	'4:4: '\''mtu:'\'' found, expected a key, indented like the keys before it'
bad 'nodes:\n  a:\n    ssh: h\n      mtu: 1400\n' \
	'3:10: '\''h mtu'\'' is no host, expected a DNS name or an IP address without brackets'
bad 'nodes:\n  a:\n    ssh h\n    mtu: 1400\n' \
	'3:5: '\''ssh h mtu'\'' found, expected keys and values, or {} for none'
bad 'nodes:\n  a:\n    ssh: h: 22\n' \
	'3:11: '\'':'\'' found, expected one '\''key: value'\'' on a line, and quotes around text with '\'': '\'' in it'
bad 'nodes:\n  a: ssh: h\n' \
	'2:6: '\''ssh'\'' found, expected keys and values, or {} for none'
bad 'nodes:\n  a:\n    ssh: @h\n' \
	'3:10: '\''@h'\'' found, expected quotes around text that begins with such a character'
bad 'nodes:\n  a:\n    ssh: `h`\n' \
	'3:10: '\''`h`'\'' found, expected quotes around text that begins with such a character'
bad 'nodes:\n  a:\n    ssh: h\n    - mtu\n' \
	'4:5: '\''-'\'' found, expected a key, indented like the keys before it'
bad 'policies: - name: p\n' \
	'1:11: '\''-'\'' found, expected the list on lines of its own'
bad 'policies:\n  - name: p\n  name: q\n' \
	'3:3: '\''name:'\'' found, expected '\''- '\'', indented like the items before it'
bad 'nodes: {}}\n' \
	'1:10: '\''}'\'' found, expected a key, indented like the keys before it'
bad 'nodes: {a: {mtu: 1400 ssh: h}}\n' \
	'1:18: '\''1400 ssh'\'' found, expected a decimal number from 576 to 65535'
bad 'nodes:\n  a: {ssh: "h" "i"}\n' \
	'2:16: '\''"i"}'\'' found, expected '\'','\'' or '\''}'\'''

# ---- tabs ----

bad 'nodes:\n\ta: {}\n' \
	'2:1: a tab found, expected spaces'
bad 'nodes:\n  a:\n  \tssh: h\n' \
	'3:3: a tab found, expected spaces'
bad 'nodes: {\n\t}\n' \
	'2:1: a tab found, expected spaces'
bad 'groups:\n  a:\n    description: "one\n\ttwo"\n' \
	'4:1: a tab found, expected spaces'
bad '\tnodes: {}\n' \
	'1:1: a tab found, expected spaces'
bad 'nodes:\n  a:\n    routes:\n    -\t- x\n' \
	'4:6: a tab found, expected spaces'

# ---- anchors, aliases, tags, merge keys ----

bad 'nodes:\n  a: &a {ssh: h}\n  b: *a\n' \
	'2:6: the anchor '\''&a'\'' found, expected a value without one'
bad 'nodes: &n {}\n' \
	'1:8: the anchor '\''&n'\'' found, expected a value without one'
bad 'nodes:\n  &a a: {}\n' \
	'2:3: the anchor '\''&a'\'' found, expected a value without one'
bad 'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n' \
	'1:1: the unknown key '\''a'\'' found, expected one of interface, network, network6, verify-signatures, defaults, nodes, groups, policies'
bad 'nodes:\n  a: *b\n' \
	'2:6: the alias '\''*b'\'' found, expected a value without aliases'
bad 'nodes:\n  a: {ssh: *}\n' \
	'2:12: '\''*}'\'' found, expected quotes around text that begins with such a character'
bad 'nodes:\n  a: {ssh: !!str h}\n' \
	'2:12: the tag '\''!!str'\'' found, expected a value without one'
bad 'nodes: !map {}\n' \
	'1:8: the tag '\''!map'\'' found, expected a value without one'
bad 'nodes:\n  a: {routes: !!seq []}\n' \
	'2:15: the tag '\''!!seq'\'' found, expected a value without one'
bad 'nodes:\n  a: {ssh: !x!y h}\n' \
	'2:12: '\''!x!y'\'' found, expected a value without a tag'
bad 'nodes:\n  a:\n    <<: {ssh: h}\n' \
	'3:5: the merge key '\''<<'\'' found, expected keys without merging'
bad '<<: {}\n' \
	'1:1: the merge key '\''<<'\'' found, expected keys without merging'

# ---- keys ----

bad 'node: {}\n' \
	'1:1: the unknown key '\''node'\'' found, expected one of interface, network, network6, verify-signatures, defaults, nodes, groups, policies; did you mean '\''nodes'\''?'
bad 'nods: {}\n' \
	'1:1: the unknown key '\''nods'\'' found, expected one of interface, network, network6, verify-signatures, defaults, nodes, groups, policies; did you mean '\''nodes'\''?'
bad 'Network: 10.0.0.0/8\n' \
	'1:1: the unknown key '\''Network'\'' found, expected one of interface, network, network6, verify-signatures, defaults, nodes, groups, policies; did you mean '\''network'\''?'
bad 'listen_port: 51820\n' \
	'1:1: the unknown key '\''listen_port'\'' found, expected one of interface, network, network6, verify-signatures, defaults, nodes, groups, policies'
bad 'defaults: {listen: 1}\n' \
	'1:12: the unknown key '\''listen'\'' found, expected one of port, mtu, keepalive, key'
bad 'defaults: {prot: 51820}\n' \
	'1:12: the unknown key '\''prot'\'' found, expected one of port, mtu, keepalive, key; did you mean '\''port'\''?'
bad 'defaults: {ssh: h}\n' \
	'1:12: the unknown key '\''ssh'\'' found, expected one of port, mtu, keepalive, key'
bad 'nodes:\n  a: {route: []}\n' \
	'2:7: the unknown key '\''route'\'' found, expected one of ssh, address, routes, exit, groups, endpoint, port, mtu, keepalive, key; did you mean '\''routes'\''?'
bad 'nodes:\n  a: {rout\0303\0251: []}\n' \
	'2:7: the unknown key '\''routé'\'' found, expected one of ssh, address, routes, exit, groups, endpoint, port, mtu, keepalive, key; did you mean '\''routes'\''?'
bad 'nodes:\n  a: {private_key: x}\n' \
	'2:7: the unknown key '\''private_key'\'' found, expected one of ssh, address, routes, exit, groups, endpoint, port, mtu, keepalive, key'
bad 'nodes:\n  a: {yes: 1}\n' \
	'2:7: the unknown key '\''yes'\'' found, expected one of ssh, address, routes, exit, groups, endpoint, port, mtu, keepalive, key'
bad 'groups:\n  a: {member: []}\n' \
	'2:7: the unknown key '\''member'\'' found, expected one of description, members; did you mean '\''members'\''?'
bad 'policies: [{form: [a]}]\n' \
	'1:13: the unknown key '\''form'\'' found, expected one of name, description, from, to, mesh_ips, networks; did you mean '\''from'\''?'
bad 'policies: [{allow_mesh_ips: true}]\n' \
	'1:13: the unknown key '\''allow_mesh_ips'\'' found, expected one of name, description, from, to, mesh_ips, networks'
bad 'nodes:\n  a: {"s\\x1b[31m": h}\n' \
	'2:7: the unknown key '\''s\x1b[31m'\'' found, expected one of ssh, address, routes, exit, groups, endpoint, port, mtu, keepalive, key'
bad 'nodes:\n  a: {: h}\n' \
	'2:7: '\'':'\'' found, expected a value'
bad 'nodes:\n  a: {[x]: h}\n' \
	'2:7: a list found, expected a key'
bad 'nodes:\n  ? {x: y}\n  : h\n' \
	'2:5: keys and values found, expected a key'
bad 'nodes:\n  a: {null: h}\n' \
	'2:7: the unknown key '\''null'\'' found, expected one of ssh, address, routes, exit, groups, endpoint, port, mtu, keepalive, key'
bad 'network: 10.0.0.0/8\nnetwork: 10.0.0.0/8\n' \
	'2:1: the key '\''network'\'' found again, expected it once; the first is in line 1, column 1'
bad 'nodes: {}\ngroups: {}\nnodes: {}\n' \
	'3:1: the key '\''nodes'\'' found again, expected it once; the first is in line 1, column 1'
bad 'nodes:\n  a: {mtu: 1400, ssh: h, "mtu": 1400}\n' \
	'2:26: the key '\''mtu'\'' found again, expected it once; the first is in line 2, column 7'
bad 'nodes:\n  b: {}\n  a: {}\n  b: {}\n  a: {}\n' \
	'4:3: the node '\''b'\'' found again, expected it once; the first is in line 2, column 3'
bad 'groups:\n  a: {}\n  "\\x61": {}\n' \
	'3:3: the group '\''a'\'' found again, expected it once; the first is in line 2, column 3'
bad 'policies:\n  - name: p\n    to: []\n    name: p\n' \
	'4:5: the key '\''name'\'' found again, expected it once; the first is in line 2, column 5'

# ---- values of the wrong kind ----

bad 'network: [10.0.0.0/8]\n' \
	'1:10: a list found, expected IPv4 CIDR'
bad 'network: {a: b}\n' \
	'1:10: keys and values found, expected IPv4 CIDR'
bad 'network:\n' \
	'1:9: no value found, expected IPv4 CIDR'
bad 'network: ~\n' \
	'1:10: '\''~'\'' found, which is no value to some YAML readers, expected it in quotes: "~"'
bad 'interface: null\n' \
	'1:12: '\''null'\'' found, which is no value to some YAML readers, expected it in quotes: "null"'
bad 'defaults: []\n' \
	'1:11: a list found, expected keys and values, or {} for none'
bad 'defaults: 51820\n' \
	'1:11: '\''51820'\'' found, expected keys and values, or {} for none'
bad 'defaults:\n' \
	'1:10: no value found, expected keys and values, or {} for none'
bad 'nodes: [a, b]\n' \
	'1:8: a list found, expected names with keys and values, or {} for none'
bad 'nodes: a\n' \
	'1:8: '\''a'\'' found, expected names with keys and values, or {} for none'
bad 'nodes:\n  a:\n  b: {}\n' \
	'2:5: no value found, expected keys and values, or {} for none'
bad 'nodes:\n  a: h\n' \
	'2:6: '\''h'\'' found, expected keys and values, or {} for none'
bad 'nodes:\n  - a\n' \
	'2:3: a list found, expected names with keys and values, or {} for none'
bad 'groups: [a]\n' \
	'1:9: a list found, expected names with keys and values, or {} for none'
bad 'groups:\n  a: [x]\n' \
	'2:6: a list found, expected keys and values, or {} for none'
bad 'policies: {p: {}}\n' \
	'1:11: keys and values found, expected a list of policies, or [] for none'
bad 'policies:\n  - p\n' \
	'2:5: '\''p'\'' found, expected keys and values, or {} for none'
bad 'policies:\n  -\n' \
	'2:4: no value found, expected keys and values, or {} for none'
bad 'nodes:\n  a: {ssh: [h]}\n' \
	'2:12: a list found, expected [user@]host[:port]'
bad 'nodes:\n  a: {ssh: }\n' \
	'2:12: no value found, expected [user@]host[:port]'
bad 'nodes:\n  a: {routes: 10.0.0.0/8}\n' \
	'2:15: '\''10.0.0.0/8'\'' found, expected a list, [CIDR, ...]'
bad 'nodes:\n  a:\n    routes:\n    mtu: 1400\n' \
	'3:12: no value found, expected a list, [CIDR, ...]'
bad 'nodes:\n  a: {routes: {a: b}}\n' \
	'2:15: keys and values found, expected a list, [CIDR, ...]'
bad 'nodes:\n  a: {routes: [[10.0.0.0/8]]}\n' \
	'2:16: a list found, expected CIDR'
bad 'nodes:\n  a: {routes: [10.0.0.0/8, ]}\n  b: {routes: [~]}\n' \
	'3:16: '\''~'\'' found, which is no value to some YAML readers, expected it in quotes: "~"'
bad 'nodes:\n  a: {address: {}}\n' \
	'2:16: keys and values found, expected a list, [auto or IP address, ...]'
bad 'nodes:\n  a: {address:}\n' \
	'2:14: '\'':}'\'' found, expected a blank behind '\'':'\'''
bad 'nodes:\n  a: {groups: web}\n' \
	'2:15: '\''web'\'' found, expected a list, [group name, ...]'
bad 'nodes:\n  a: {mtu: [1400]}\n' \
	'2:12: a list found, expected a decimal number from 576 to 65535'
bad 'nodes:\n  a: {mtu: "1400"}\n' \
	'2:12: the quoted text '\''1400'\'' found, expected a decimal number from 576 to 65535'
bad 'nodes:\n  a: {mtu: }\n' \
	'2:12: no value found, expected a decimal number from 576 to 65535'
bad 'nodes:\n  a: {exit: "true"}\n' \
	'2:13: the quoted text '\''true'\'' found, expected true or false'
bad 'nodes:\n  a: {exit: []}\n' \
	'2:13: a list found, expected true or false'
bad 'nodes:\n  a: {exit: 1}\n' \
	'2:13: '\''1'\'' found, expected true or false'
bad 'nodes:\n  a: {exit: }\n' \
	'2:13: no value found, expected true or false'

# ---- what YAML readers disagree about ----

bad 'nodes:\n  a: {exit: yes}\n' \
	'2:13: '\''yes'\'' found, expected true or false'
bad 'nodes:\n  a: {exit: True}\n' \
	'2:13: '\''True'\'' found, expected true or false'
bad 'nodes:\n  a: {exit: off}\n' \
	'2:13: '\''off'\'' found, expected true or false'
bad 'nodes:\n  no: {}\n' \
	'2:3: '\''no'\'' found, which is true or false to some YAML readers, expected it in quotes: "no"'
bad 'nodes:\n  y: {}\n' \
	'2:3: '\''y'\'' found, which is true or false to some YAML readers, expected it in quotes: "y"'
bad 'nodes:\n  1: {}\n' \
	'2:3: '\''1'\'' found, which is a number to some YAML readers, expected it in quotes: "1"'
bad 'nodes:\n  2024-01-31: {}\n' \
	'2:3: '\''2024-01-31'\'' found, which is a date to some YAML readers, expected it in quotes: "2024-01-31"'
bad 'groups:\n  on: {}\n' \
	'2:3: '\''on'\'' found, which is true or false to some YAML readers, expected it in quotes: "on"'
bad 'groups:\n  0x1F: {}\n' \
	'2:3: '\''0x1F'\'' found, which is a number to some YAML readers, expected it in quotes: "0x1F"'
bad 'groups:\n  .inf: {}\n' \
	'2:3: '\''.inf'\'' found, which is a number to some YAML readers, expected it in quotes: ".inf"'
bad 'groups:\n  =: {}\n' \
	'2:3: '\''='\'' found, which is a special value to some YAML readers, expected it in quotes: "="'
bad 'groups:\n  1_000: {members: []}\n' \
	'2:3: '\''1_000'\'' found, which is a number to some YAML readers, expected it in quotes: "1_000"'
bad 'groups:\n  a: {description: no}\n' \
	'2:20: '\''no'\'' found, which is true or false to some YAML readers, expected it in quotes: "no"'
bad 'groups:\n  a: {description: 1e3}\n' \
	'2:20: '\''1e3'\'' found, which is a number to some YAML readers, expected it in quotes: "1e3"'
bad 'groups:\n  a: {members: [a, Null]}\n' \
	'2:20: '\''Null'\'' found, which is no value to some YAML readers, expected it in quotes: "Null"'
bad 'nodes:\n  a: {groups: [web, off]}\n' \
	'2:21: '\''off'\'' found, which is true or false to some YAML readers, expected it in quotes: "off"'
bad 'nodes:\n  a: {ssh: 12:30:45}\n' \
	'2:12: '\''12:30:45'\'' found, which is a number to some YAML readers, expected it in quotes: "12:30:45"'
bad 'nodes:\n  a: {ssh: 10.5}\n' \
	'2:12: '\''10.5'\'' found, which is a number to some YAML readers, expected it in quotes: "10.5"'
bad 'nodes:\n  a: {key: ~}\n' \
	'2:12: '\''~'\'' found, which is no value to some YAML readers, expected it in quotes: "~"'
bad 'nodes:\n  a: {address: 1:2:3:4:5:6:7:8}\n' \
	'2:16: '\''1:2:3:4:5:6:7:8'\'' found, which is a number to some YAML readers, expected it in quotes: "1:2:3:4:5:6:7:8"'
bad 'policies: [{name: 010}]\n' \
	'1:19: '\''010'\'' found, which is a number to some YAML readers, expected it in quotes: "010"'
bad 'defaults: {port: 0o10}\n' \
	'1:18: '\''0o10'\'' found, expected a decimal number from 1 to 65535'
bad 'defaults: {port: 010}\n' \
	'1:18: '\''010'\'' found, expected a decimal number from 1 to 65535'
bad 'defaults: {port: 1_000}\n' \
	'1:18: '\''1_000'\'' found, expected a decimal number from 1 to 65535'
bad 'defaults: {port: 0x1F}\n' \
	'1:18: '\''0x1F'\'' found, expected a decimal number from 1 to 65535'
bad 'defaults: {port: 1e3}\n' \
	'1:18: '\''1e3'\'' found, expected a decimal number from 1 to 65535'
bad 'defaults: {port: 12:30:45}\n' \
	'1:18: '\''12:30:45'\'' found, expected a decimal number from 1 to 65535'
bad 'defaults: {port: 1400.0}\n' \
	'1:18: '\''1400.0'\'' found, expected a decimal number from 1 to 65535'
bad 'defaults: {port: +80}\n' \
	'1:18: '\''+80'\'' found, expected a decimal number from 1 to 65535'
bad 'defaults: {mtu: .inf}\n' \
	'1:17: '\''.inf'\'' found, expected a decimal number from 576 to 65535'
bad 'defaults: {mtu: 2024-01-31}\n' \
	'1:17: '\''2024-01-31'\'' found, expected a decimal number from 576 to 65535'
bad 'defaults: {mtu: no}\n' \
	'1:17: '\''no'\'' found, expected a decimal number from 576 to 65535'
bad 'defaults: {keepalive: -1}\n' \
	'1:23: '\''-1'\'' found, expected a decimal number from 0 to 65535'

# ---- values out of range or form ----

bad 'defaults: {port: 0}\n' \
	'1:18: '\''0'\'' found, expected a decimal number from 1 to 65535'
bad 'defaults: {port: 65536}\n' \
	'1:18: '\''65536'\'' found, expected a decimal number from 1 to 65535'
bad 'defaults: {mtu: 575}\n' \
	'1:17: '\''575'\'' found, expected a decimal number from 576 to 65535'
bad 'defaults: {keepalive: 99999999999999999999}\n' \
	'1:23: '\''99999999999999999999'\'' found, expected a decimal number from 0 to 65535'
bad 'defaults: {key: disk}\n' \
	'1:17: '\''disk'\'' found, expected host or state'
bad 'interface: wg/0\n' \
	'1:12: '\''wg/0'\'' is no interface name, expected 1 to 15 letters, digits or _=+.-, starting with a letter'
bad 'interface: a-very-long-name\n' \
	'1:12: '\''a-very-long-name'\'' is no interface name, expected 1 to 15 letters, digits or _=+.-, starting with a letter'
bad 'interface: ""\n' \
	'1:12: '\'''\'' is no interface name, expected 1 to 15 letters, digits or _=+.-, starting with a letter'
bad 'network: 10.0.0.0\n' \
	'1:10: '\''10.0.0.0'\'' found, expected a network like 10.99.0.0/16'
bad 'network: 10.0.0.1/8\n' \
	'1:10: '\''10.0.0.1/8'\'' has host bits set, expected 10.0.0.0/8'
bad 'network: 10.0.0.0/31\n' \
	'1:10: '\''10.0.0.0/31'\'' cannot be a mesh network, expected a prefix length of 8 to 30'
bad 'network: "fd00::/64"\n' \
	'1:10: '\''fd00::/64'\'' found, expected a network like 10.99.0.0/16'
bad 'network6: 10.0.0.0/8\n' \
	'1:11: '\''10.0.0.0/8'\'' found, expected a network like fd99::/64'
bad 'network6: "fd00::/8"\n' \
	'1:11: '\''fd00::/8'\'' cannot be a mesh network, expected a prefix length of 16 to 126'
bad 'nodes:\n  -a: {}\n' \
	'2:3: '\''-a'\'' is no node name, expected 1 to 63 letters, digits, '\''.'\'', '\''_'\'' or '\''-'\'', starting with a letter or digit'
bad 'nodes:\n  a b: {}\n' \
	'2:3: '\''a b'\'' is no node name, expected 1 to 63 letters, digits, '\''.'\'', '\''_'\'' or '\''-'\'', starting with a letter or digit'
bad 'nodes:\n  "": {}\n' \
	'2:3: '\'''\'' is no node name, expected 1 to 63 letters, digits, '\''.'\'', '\''_'\'' or '\''-'\'', starting with a letter or digit'
bad 'nodes:\n  \0303\0251: {}\n' \
	'2:3: '\''é'\'' is no node name, expected 1 to 63 letters, digits, '\''.'\'', '\''_'\'' or '\''-'\'', starting with a letter or digit'
bad 'nodes:\n  \0303\0251\0303\0251: {ssh: h, mtu: x}\n' \
	'2:3: '\''éé'\'' is no node name, expected 1 to 63 letters, digits, '\''.'\'', '\''_'\'' or '\''-'\'', starting with a letter or digit'
bad 'groups:\n  "a\\tb": {}\n' \
	'2:3: '\''a\x09b'\'' is no group name, expected 1 to 128 bytes of text without control characters'
bad 'nodes:\n  a: {ssh: "web1:99999"}\n' \
	'2:12: '\''99999'\'' is no SSH port, expected 1 to 65535 (an IPv6 address goes in brackets)'
bad 'nodes:\n  a: {ssh: "h:\\t1"}\n' \
	'2:12: '\''\x091'\'' is no SSH port, expected 1 to 65535 (an IPv6 address goes in brackets)'
bad 'nodes:\n  a: {ssh: we b}\n' \
	'2:12: '\''we b'\'' is no host, expected a DNS name or an IP address without brackets'
bad 'nodes:\n  a: {ssh: "::1"}\n' \
	'2:12: too many colons, expected [USER@]HOST[:PORT], an IPv6 address in brackets'
bad 'nodes:\n  a: {ssh: 192.0.2.256}\n' \
	'2:12: '\''192.0.2.256'\'' is no host, expected a DNS name or an IP address without brackets'
bad 'nodes:\n  a: {ssh: "-u@h"}\n' \
	'2:12: '\''-u'\'' is no login name, expected 1 to 32 letters, digits, '\''_'\'', '\''.'\'' or '\''-'\'', not starting with '\''.'\'' or '\''-'\'''
bad 'nodes:\n  a: {address: 10.0.0}\n' \
	'2:16: '\''10.0.0'\'' found, expected auto, an IPv4 or an IPv6 address'
bad 'nodes:\n  a: {address: [10.0.0.1, 10.0.0.2]}\n' \
	'2:27: '\''10.0.0.2'\'' is a second IPv4 address, expected one of each kind'
bad 'nodes:\n  a: {address: 10.0.0.1/8}\n' \
	'2:16: '\''10.0.0.1/8'\'' found, expected auto, an IPv4 or an IPv6 address'
bad 'nodes:\n  a: {routes: [10.0.0.1/8]}\n' \
	'2:16: '\''10.0.0.1/8'\'' has host bits set, expected 10.0.0.0/8'
bad 'nodes:\n  a: {routes: [10.0.0.0]}\n' \
	'2:16: '\''10.0.0.0'\'' found, expected a network like 10.99.0.0/16'
bad 'nodes:\n  a: {routes: [224.0.0.0/4]}\n' \
	'2:16: '\''224.0.0.0/4'\'' cannot be routed, it is reserved for other uses'
bad 'nodes:\n  a: {endpoint: h}\n' \
	'2:17: '\''h'\'' is no endpoint, expected host:port, or [address]:port for IPv6'
bad 'nodes:\n  a: {endpoint: "h:0"}\n' \
	'2:17: '\''h:0'\'' is no endpoint, expected host:port, or [address]:port for IPv6'
bad 'nodes:\n  a: {endpoint: "fd00::1:51820"}\n' \
	'2:17: '\''fd00::1:51820'\'' is no endpoint, expected host:port, or [address]:port for IPv6'
bad 'nodes:\n  a: {groups: [""]}\n' \
	'2:16: '\'''\'' is no group name, expected 1 to 128 bytes of text without control characters'
bad 'groups:\n  a: {description: |\n    one\n    two\n  }\n' \
	'2:20: '\''|'\'' found, expected quotes around text that begins with such a character'
bad 'groups:\n  a:\n    description: |\n      one\n' \
	'3:18: '\''one\x0a'\'' found, expected one line of text without control characters'

# ---- values that only a state may have had ----

bad 'nodes: {a: {ssh: "web 1"}}' \
	"1:13: node 'a': ssh: 'web 1' is no host, expected a DNS name or an IP address without brackets"
bad 'groups: {g: {description: "a\\nb"}}' \
	"1:14: group 'g': description: 'a\\x0ab' found, expected one line of text without control characters"
bad 'policies: [{name: p, from: [g], to: ["g\\n"]}]' \
	"1:33: policy 'p': to: 'g\\x0a' found, expected one line of text without control characters"

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
