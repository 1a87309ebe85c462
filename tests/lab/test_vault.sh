#!/bin/bash
# Sealed states and keys on hosts, on real machines: (e) a pipeline's run with an identity in a variable, (f) a mesh whose private
# keys never leave their hosts, a key that moves, a rebuilt host; and what a deploy leaves in the process's memory.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"
MEMSCAN=$(dirname "$WGMESH")/memscan

# Prints the public key of the host $1's interface.
live_key() { lab_on "$1" 'wg show wg0 public-key'; }

# Prints how many private keys the state holds.
private_keys() { w cat -secrets | grep -c '"private_key"'; }

# A sealed state for the hosts 1 to $1, with an identity whose content is in $WGMESH_IDENTITY_DATA.
sealed_mesh() {
	local i
	"$WGMESH" identity new "$LAB_DIR/id" >"$LAB_DIR/recipient" 2>/dev/null
	export WGMESH_IDENTITY_DATA
	WGMESH_IDENTITY_DATA=$(cat "$LAB_DIR/id")
	w init -network6 fd99::/64 -recipient "$(cat "$LAB_DIR/recipient")" >/dev/null
	[ -z "${2:-}" ] || w keys "$2" >/dev/null
	for ((i = 1; i <= $1; i++)); do
		w add "n$i:10.99.0.$i:$(lab_ip "h$i")" -accept-new-host-keys >/dev/null 2>&1
	done
}

# ---- e: a pipeline ----

test_pipeline() {
	local printed proof
	sealed_mesh 4
	check 'e. the state is sealed' grep -q '^-----BEGIN AGE ENCRYPTED FILE-----$' "$S"
	check_status 'e. no terminal, the identity in a variable: plan' 4 w plan --exit-code
	check_status 'e. what would be sent is printed' 0 w plan -script n1
	printed=$OUT
	check_equal "e. without the marker's proof" 1 "$(grep -c '^# managed by wgmesh, .*, proof (hidden)$' <<<"$printed")"
	check_status 'e. deploy' 0 w deploy
	proof=$(lab_on h1 "sed -n '1s/.*, proof //p' /etc/wireguard/wg0.conf")
	check 'e. the host has a proof' test ${#proof} = 32
	check_not 'e. which was not printed' grep -qF -e "$proof" <<<"$printed"
	check 'e. all pairs reach each other' all_ping 4
	check_status 'e. nothing is left' 0 w plan --exit-code
	check 'e. the state is sealed still' grep -q '^-----BEGIN AGE ENCRYPTED FILE-----$' "$S"
	check_not 'e. nothing beside it is plain' grep -rqs '"private_key"' "$LAB_DIR"/mesh-state*
	test_memory
}

# A changing deploy, followed to its end: the private keys are not in its memory.
test_memory() {
	w cat -secrets | sed -n 's/.*"private_key": "\(.*\)",/\1/p' >"$LAB_DIR/needles"
	lab_on h2 '(umask 077; wg genkey >/tmp/k; wg set wg0 private-key /tmp/k; rm /tmp/k); echo "# by hand" >>/etc/wireguard/wg0.conf'
	try lab_ctl setsid -w "$MEMSCAN" "$LAB_DIR/needles" "$WGMESH" -state "$S" deploy </dev/null
	if ldd "$WGMESH" | grep -q asan; then
		skip 'e. no private key stays in memory after a deploy' 'a sanitizer keeps what is freed'
	else
		check_equal 'e. no private key stays in memory after a deploy' '0' "$RC"
	fi
	check_status 'e. that deploy mended the host' 0 w plan --exit-code
}

# ---- f: keys on their hosts ----

test_host_keys() {
	local before
	rm -f "$S" "$LAB_DIR/id"
	e2e_wipe 4
	sealed_mesh 4 host
	check_status 'f. plan tells that keys are to be made' 0 w plan
	check_has 'f. in words' "$OUT" 'makes its private key'
	check_status 'f. deploy' 0 w deploy
	check_equal 'f. the sealed state holds no private key' 0 "$(private_keys)"
	check 'f. all pairs reach each other' all_ping 4
	check_status 'f. nothing is left' 0 w plan --exit-code
	check_equal 'f. the key file is for root alone' '600 root' "$(lab_on h1 'stat -c "%a %U" /etc/wireguard/wg0.key')"
	check_not 'f. the boot file has no key' lab_on h1 'grep -q PrivateKey /etc/wireguard/wg0.conf'
	before=$(live_key h1)
	lab_reboot h1 h2 h3 h4
	check_status 'f. after a reboot nothing is left' 0 w plan --exit-code
	check_equal 'f. with the same key' "$before" "$(live_key h1)"
}

# A node's key goes into the state (a new pair) and back to the host (the same pair).
test_moves() {
	local before ifindex
	before=$(live_key h1)
	ifindex=$(lab_on h1 'cat /sys/class/net/wg0/ifindex')
	check_status 'f. keys state: planned' 0 w keys state n1
	check_status 'f. keys state: deploy' 0 w deploy
	check_not 'f. keys state: a new pair' [ "$before" = "$(live_key h1)" ]
	check_not 'f. keys state: the key file is gone' lab_on h1 '[ -e /etc/wireguard/wg0.key ]'
	check 'f. keys state: all pairs reach each other' all_ping 4
	before=$(live_key h1)
	check_status 'f. keys host: planned' 0 w keys host n1
	check_status 'f. keys host: deploy' 0 w deploy
	check_equal 'f. keys host: the same pair' "$before" "$(live_key h1)"
	check_equal 'f. keys host: out of the state' 0 "$(private_keys)"
	check_equal 'f. the interface was never restarted' "$ifindex" "$(lab_on h1 'cat /sys/class/net/wg0/ifindex')"
	check_status 'f. nothing is left' 0 w plan --exit-code
}

# A host that lost its key, as after a rebuild: noticed, asked about, not silently trusted.
test_rebuilt() {
	local old others
	old=$(live_key h3)
	others=$(lab_on h1 'wg show wg0 peers' | sort)
	lab_on h3 'systemctl -q disable --now wg-quick@wg0; rm -f /etc/wireguard/*; umask 077; wg genkey >/etc/wireguard/wg0.key'
	check_status 'f. rebuilt: plan tells' 3 w plan
	check_has 'f. rebuilt: by both keys' "$OUT" "$old"
	check_status 'f. rebuilt: deploy without a yes' 3 w deploy
	check_has 'f. rebuilt: the others are fine' "$OUT" 'n1: unchanged'
	check_status 'f. rebuilt: -yes is for other things' 3 w deploy -yes
	check_equal 'f. rebuilt: nobody took the new key' "$others" "$(lab_on h1 'wg show wg0 peers' | sort)"
	check_status 'f. rebuilt: deploy -accept-changed-keys' 0 w deploy -accept-changed-keys
	check_not 'f. rebuilt: the new key is in use' [ "$old" = "$(live_key h3)" ]
	check_not 'f. rebuilt: the old key is nobody'"'"'s peer' sh -c "echo '$(lab_on h1 'wg show wg0 peers')' | grep -qF '$old'"
	check 'f. rebuilt: all pairs reach each other' all_ping 4
	check_status 'f. rebuilt: nothing is left' 0 w plan --exit-code
}

# ---- the proof in the marker ----

# Prints the marker of the host $1.
marker() { lab_on "$1" 'head -n 1 /etc/wireguard/wg0.conf'; }

# Changes the state as the jq filter $1 says.
edit_state() {
	printf '#!/bin/sh\njq "$FILTER" "$1" >"$1.x" && cat "$1.x" >"$1" && rm "$1.x"\n' >"$LAB_DIR/editor"
	chmod +x "$LAB_DIR/editor"
	FILTER=$1 VISUAL=$LAB_DIR/editor w edit >/dev/null
}

# A host that claims a newer state fails alone; one that can prove it stops the deploy.
test_proof() {
	local before
	check_status 'proof: everything is deployed' 0 w deploy
	check 'proof: each marker has one' sh -c "echo '$(marker h1)$(marker h2)' | grep -cE 'proof [0-9a-f]{32}.*proof [0-9a-f]{32}'"
	lab_on h1 "sed -i '1s/serial [0-9]*, proof .*/serial 18446744073709551615/' /etc/wireguard/wg0.conf"
	lab_on h3 "sed -i '1s/serial [0-9]*/serial 18446744073709551615/' /etc/wireguard/wg0.conf"
	e2e_quiet w set n2 port=51999
	check_status 'proof: two liars' 3 w deploy
	check_has 'proof: the one without a proof fails' "$OUT" 'n1: failed: its marker claims serial 18446744073709551615 without proof'
	check_has 'proof: so does the one with a wrong proof' "$OUT" 'n3: failed: another author'
	check_equal 'proof: the others converged' 51999 "$(lab_on h2 'wg show wg0 listen-port')"
	check_status 'proof: -force-serial and -adopt mend them' 0 w deploy -force-serial -adopt
	check_status 'proof: nothing is left' 0 w plan --exit-code

	cp "$S" "$LAB_DIR/older"
	e2e_quiet w set n2 port=51998
	check_status 'proof: a newer state' 0 w deploy
	cp "$S" "$LAB_DIR/newer" && cp "$LAB_DIR/older" "$S"
	before=$(marker h1; marker h2)
	check_status 'proof: an older state is refused as a whole' 1 w deploy
	check_has 'proof: a host proves it' "$OUT" 'was deployed from a newer state'
	check_same 'proof: no host was written' "$before" "$(marker h1; marker h2)"
	cp "$LAB_DIR/newer" "$S"
}

# A state that somebody else sealed to the same recipients, from a fresh clone that knows no secret.
test_other_author() {
	local before
	edit_state '.mesh_secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="'
	check_status 'author: not the known secret: refused' 1 w deploy
	check_has 'author: in words' "$OUT" 'the secret that this mesh is known by'
	before=$(snapshots h1 h2 h3 h4)
	XDG_STATE_HOME=$LAB_DIR/fresh check_status 'author: where no secret is known, the hosts refuse' 3 w deploy
	check_has 'author: all of them' "$OUT" '4 failed'
	check_same 'author: no host was written' "$before" "$(snapshots h1 h2 h3 h4)"
	check_not 'author: and that secret is not the known one from now on' [ -e "$LAB_DIR/fresh/wgmesh/known_meshes" ]
	cp "$LAB_DIR/newer" "$S"
}

# Somebody leaves: the markers get another proof, once.
test_changed_secret() {
	"$WGMESH" identity new "$LAB_DIR/id2" >"$LAB_DIR/recipient2" 2>/dev/null
	e2e_quiet w recipients add "$(cat "$LAB_DIR/recipient2")"
	check_status 'secret: nothing to do for a new recipient' 0 w plan --exit-code
	e2e_quiet w recipients remove "$(cat "$LAB_DIR/recipient2")"
	check_status 'secret: somebody left: the markers are to be written' 4 w plan --exit-code
	check_has 'secret: a step says so' "$OUT" 'its marker gets the proof'
	check_status 'secret: deployed' 0 w deploy
	check_status 'secret: nothing is left' 0 w plan --exit-code
}

# Two new machines with one key, as clones have: neither is believed, the others are deployed.
test_clones() {
	rm -f "$S" "$LAB_DIR/id"
	e2e_wipe 4
	sealed_mesh 4 host
	lab_on h1 'umask 077; wg genkey >/etc/wireguard/wg0.key'
	lab_on h2 "umask 077; echo '$(lab_on h1 'cat /etc/wireguard/wg0.key')' >/etc/wireguard/wg0.key"
	check_status 'f. clones: deploy' 3 w deploy -yes
	check_has 'f. clones: one is named' "$OUT" "'n1' has it"
	check_has 'f. clones: so is the other' "$OUT" "'n2' has it"
	check_equal 'f. clones: neither key is in the state' '' "$(w cat | sed -n '/"n[12]"/,/}/s/.*"public_key": "\(..*\)".*/\1/p')"
	check_equal 'f. clones: the others are peers' "$(live_key h4)" "$(lab_on h3 'wg show wg0 peers')"
	lab_on h2 'rm /etc/wireguard/wg0.key'
	check_status 'f. clones: with a key of its own' 0 w deploy -yes
	check 'f. clones: all pairs reach each other' all_ping 4
}

# Takes the mesh off the hosts 1 to $1 by hand.
e2e_wipe() {
	local i
	for ((i = 1; i <= $1; i++)); do
		lab_on "h$i" 'systemctl -q disable --now wg-quick@wg0; ip link del wg0 2>/dev/null; rm -f /etc/wireguard/*'
	done
}

e2e_start
lab_boot h1 h2 h3 h4
test_pipeline
test_host_keys
test_moves
test_rebuilt
test_proof
test_other_author
test_changed_secret
test_clones
finish
