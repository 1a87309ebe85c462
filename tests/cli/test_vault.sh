#!/bin/sh
# Sealed states on the command line: where the secret comes from, what stays
# sealed, what `age` makes of it, several writers.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh
. tests/cli/sealed.sh
unset VISUAL EDITOR

# shellcheck disable=SC2154,SC2016 # got is set in common.sh

# A case: the state is an age file.
is_age() { check "$1" grep -q '^-----BEGIN AGE ENCRYPTED FILE-----$' s.json; }

# works NAME ARGS...: the program succeeds.
works() {
	what=$1
	shift
	run "$@"
	if [ "$got" -eq 0 ]; then pass "$what"; else flunk "$what" "$(cat "$T/err")"; fi
}

# ---- the sources, in their order ----

identity_sources() {
	sealed_state
	works 'source: -identity' -state s.json -identity id list
	WGMESH_IDENTITY=id works 'source: $WGMESH_IDENTITY' -state s.json list
	WGMESH_IDENTITY_DATA=$(cat id) works 'source: $WGMESH_IDENTITY_DATA' -state s.json list
	refused 'recipients, but no identity' 2 'WGMESH_IDENTITY_DATA' -state s.json list
	"$WGMESH" identity new other >/dev/null 2>&1
	refused 'the wrong identity' 2 'identit' -state s.json -identity other list
	chmod 644 id
	refused 'an identity that others can read' 2 'chmod 600' -state s.json -identity id list
	refused 'an identity that is not there' 2 'nowhere' -state s.json -identity nowhere list
}

password_sources() {
	sealed_by_passphrase
	works 'source: -password-file' -state s.json -password-file pw list
	WGMESH_PASSWORD_FILE=pw works 'source: $WGMESH_PASSWORD_FILE' -state s.json list
	works 'source: -password-command, without a shell' -state s.json -password-command "printf '%s\n' \"$PASS\"" list
	WGMESH_PASSWORD_COMMAND='cat pw' works 'source: $WGMESH_PASSWORD_COMMAND' -state s.json list
	WGMESH_PASSWORD=$PASS works 'source: $WGMESH_PASSWORD' -state s.json list
	WGMESH_PASSWORD=wrong works 'a file comes before $WGMESH_PASSWORD' -state s.json -password-file pw list
	chmod 640 pw
	refused 'a password file that others can read' 2 'chmod 600' -state s.json -password-file pw list
	chmod 600 pw
	refused 'a password command that fails' 2 'failed with status 7' -state s.json -password-command "sh -c 'exit 7'" list
	refused 'a password command that is not there' 2 'cannot run' -state s.json -password-command no-such-program list
	WGMESH_PASSWORD=wrong refused 'a wrong passphrase' 2 'passphrase is wrong' -state s.json list
}

# Without a terminal and without a source: one line that names all the ways.
no_terminal() {
	if ! command -v setsid >/dev/null; then
		skip 'no terminal and no source' 'there is no setsid'
		return
	fi
	setsid -w "$WGMESH" -state s.json list >"$T/out" 2>"$T/err" </dev/null
	check_equal 'no terminal and no source: exit status' 2 $?
	for way in -identity -password-file -password-command WGMESH_IDENTITY \
		WGMESH_IDENTITY_DATA WGMESH_PASSWORD_FILE \
		WGMESH_PASSWORD_COMMAND WGMESH_PASSWORD; do
		check "no terminal and no source: names $way" grep -qe "$way" "$T/err"
	done
	check_equal 'no terminal and no source: one line' 1 "$(wc -l <"$T/err")"
}

# ---- what is sealed stays sealed ----

stays_sealed() {
	sealed_state
	is_age 'init -recipient writes an age file'
	works 'add' -state s.json -identity id add b:auto:h2 -offline
	works 'remove' -state s.json -identity id remove b
	is_age 'it stays one'
	before=$(cksum <s.json)
	works 'a command that changes nothing' -state s.json -identity id keys state
	check_equal 'leaves the file byte for byte' "$before" "$(cksum <s.json)"
	refused 'sealed already' 2 'sealed already' -state s.json -identity id seal
	works 'unseal' -state s.json -identity id unseal
	check 'writes plain text' grep -q '"private_key"' s.json
	refused '-encrypt on a plain state' 2 'plain text' -state s.json -encrypt list
	refused 'rekey of a plain state' 2 'plain text' -state s.json rekey
	works 'the recipients stay in it' -state s.json seal
	is_age 'so that seal needs no word'
	works 'they are listed' -state s.json -identity id recipients list
	check_equal 'by their text' "$R" "$(cat "$T/out")"
}

# A state whose writer chose the work: nothing is derived from a password before a yes. (Where it is agreed to, the missing
# password is what is refused.)
work_factor() {
	for n in 20 21 22; do
		printf 'age-encryption.org/v1\n-> scrypt rF0/NwblUHHTpgQgRpe5CQ %s\n%s\n--- %s\n0123456789abcdef0123456789abcdef0123456789abcdef' \
			"$n" gUjEymFKMVXQEKdMMHL24oYexjE3TIC0O0zGSqJ2aUY IOtC2EHzWfTVDUm5aiIqQtH+TtCtdzeWjJXjE6CnWKE >"work-$n.json"
		chmod 600 "work-$n.json"
	done
	refused 'a work factor of 2^20 takes a password alone' 2 'password' -state work-20.json list
	refused 'one of 2^21 a yes first' 2 'work factor' -state work-21.json -password-file "$T/pw" list
	refused 'so does 2^22' 2 'work factor' -state work-22.json -password-file "$T/pw" rekey
	refused 'which rekey takes' 2 'WGMESH_PASSWORD' -state work-22.json rekey -yes
}

go_envelope() {
	good_state
	printf '\n' >empty
	chmod 600 empty
	refused 'an empty new passphrase' 2 'empty' -state s.json -password-file empty seal
	works 'seal with the Go envelope' -state s.json -password-file "$T/pw" seal -format go
	check 'is base64 of an envelope' sh -c '! grep -q "[^A-Za-z0-9+/=]" s.json'
	works 'add keeps the Go envelope' -state s.json -password-file "$T/pw" add c:auto:h3 -offline
	check 'it is one still' sh -c '! grep -q "[^A-Za-z0-9+/=]" s.json'
	works 'rekey moves it to age' -state s.json -password-file "$T/pw" rekey -new-password-file "$T/pw"
	is_age 'it is an age file now'
}

recipients() {
	sealed_state
	second=$("$WGMESH" identity new id2 2>/dev/null)
	works 'recipients add' -state s.json -identity id recipients add "$second"
	works 'the new one opens it' -state s.json -identity id2 list
	works 'recipients remove' -state s.json -identity id recipients remove "$second"
	refused 'who has left does not open it' 2 'identit' -state s.json -identity id2 list
	refused 'the last one cannot leave' 2 'nobody could open' -state s.json -identity id recipients remove "$R"
	refused 'a recipient that is none' 2 'recipient' -state s.json -identity id recipients add age1nonsense
	works 'rekey seals anew' -state s.json -identity id rekey
	works 'rekey to a passphrase instead' -state s.json -identity id rekey -new-password-file "$T/pw"
	works 'which opens it' -state s.json -password-file "$T/pw" list
	refused 'a passphrase and recipients do not mix' 2 'rekey -recipient' -state s.json -password-file "$T/pw" recipients add "$R"
	works 'rekey to a recipient' -state s.json -password-file "$T/pw" rekey -recipient "$R"
	works 'who opens it' -state s.json -identity id list
	refused 'an identity is never overwritten' 2 'exists already' identity new id
	check_equal 'an identity is 0600' 600 "$(stat -c %a id)"
}

# New pairs after somebody has left.
new_keys() {
	sealed_state
	run -state s.json -identity id cat -secrets
	old=$(sed -n 's/.*"private_key": "\(.*\)",/\1/p' "$T/out")
	works 'keys new' -state s.json -identity id keys new
	run -state s.json -identity id cat -secrets
	check 'the old private key is gone' sh -c '! grep -qF -e "$1" "$2"' - "$old" "$T/out"
	works 'the new pair belongs together' -state s.json -identity id render a
	works 'keys host' -state s.json -identity id keys host
	refused 'keys new for a key on its host' 2 'keys state a' -state s.json -identity id keys new
}

# ---- the stock age is the judge ----

stock_age() {
	if ! command -v age >/dev/null; then
		skip 'age opens what wgmesh seals' 'there is no age'
		return
	fi
	sealed_state
	age -d -i id s.json >plain.json 2>"$T/err" || cat "$T/err"
	check 'age opens what wgmesh seals' grep -q '"private_key"' plain.json
	age -a -r "$R" -o s.json plain.json
	chmod 600 s.json
	works 'wgmesh opens what age seals' -state s.json -identity id list
	works 'and changes it' -state s.json -identity id add z:auto:h9 -offline
}

# ---- edit and cat ----

# In a folder in memory of this test's own: others edit, too.
editing() {
	sealed_state
	XDG_RUNTIME_DIR=$(mktemp -d /dev/shm/vault.XXXXXX) || exit 1
	export XDG_RUNTIME_DIR
	trap 'cd / && rm -rf "$T" "$XDG_RUNTIME_DIR"' EXIT
	works 'cat' -state s.json -identity id cat
	check 'hides private keys' sh -c '! grep "private_key" "$1" | grep -v hidden' - "$T/out"
	works 'cat -secrets' -state s.json -identity id cat -secrets
	check 'shows them' sh -c 'grep "private_key" "$1" | grep -qv hidden' - "$T/out"
	EDITOR='sed -i s/51820/51999/' works 'edit' -state s.json -identity id edit
	works 'the change' -state s.json -identity id list
	check 'is there' grep -q 'Listen Port: 51999' "$T/out"
	is_age 'edit keeps it sealed'
	before=$(cksum <s.json)
	EDITOR=true works 'edit without a change' -state s.json -identity id edit
	check_equal 'writes nothing' "$before" "$(cksum <s.json)"
	EDITOR='sed -i s/51999/70000/' refused 'edit with a bad port' 2 'line 4: listen_port' -state s.json -identity id edit
	EDITOR='sed -i s/\"mesh_ip\":.*/\"mesh_ip\":\"10.99.0.0\",/' refused 'edit with a bad address' 2 "line 8: node 'a': mesh_ip" -state s.json -identity id edit
	EDITOR='sed -i 5s/$/x/' refused 'edit with broken JSON' 2 'line 5' -state s.json -identity id edit
	printf '#!/bin/sh\ndirname "$(dirname "$1")" >"%s/place"; exit 1\n' "$T" >"$T/fails"
	chmod 755 "$T/fails"
	EDITOR=$T/fails run -state s.json -identity id edit
	check_equal 'an editor that fails: exit status' 1 "$got"
	check_equal 'edited in a memory file system' "$XDG_RUNTIME_DIR" "$(cat "$T/place")"
	check_equal 'nothing is left of it there' '' "$(ls -A "$XDG_RUNTIME_DIR")"
}

# ---- several writers ----

writers() {
	sealed_state
	all='1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20'
	for i in $all; do
		"$WGMESH" -state s.json -identity id add "w$i:auto:h" -offline >"$T/w$i" 2>&1 &
	done
	wait
	run -state s.json -identity id list -simple
	lost=0
	for i in $all; do
		grep -q "^w$i " "$T/out" || ! grep -q successfully "$T/w$i" || lost=$((lost + 1))
	done
	check_equal 'of 20 writers at once none that reported success is lost' 0 "$lost"
	check_equal 'all 20 are there' 20 "$(grep -c '^w' "$T/out")"
}

# Was the passphrase asked for $1 times, or is it over?
asked_for() { [ -e "$T/over" ] || [ "$(grep -o 'Passphrase for' "$T/tty" | wc -l)" -ge "$1" ]; }

# An OpenSSH key with a passphrase, which is asked for on a terminal; $1 to it,
# each time: what is typed before a prompt is thrown away.
locked_key() {
	rm -f "$T/over"
	: >"$T/tty"
	for try in 1 2 3; do
		until_true 120 asked_for $try
		[ ! -e "$T/over" ] || break
		printf '%s\n' "$1"
	done | {
		timeout 300 script -qefc "$WGMESH -state s.json -identity locked list" "$T/tty" >/dev/null 2>&1
		ended=$?
		: >"$T/over"
		exit $ended
	}
}

locked_keys() {
	command -v ssh-keygen >/dev/null && command -v script >/dev/null || {
		skip 'an SSH key with a passphrase opens a state' 'no ssh-keygen or script'
		return
	}
	for cipher in aes256-ctr aes256-cbc aes128-ctr; do
		vault_folder
		ssh-keygen -q -t ed25519 -Z $cipher -N "$PASS" -f locked
		run -state s.json init -recipient "$(cat locked.pub)"
		check "a state is sealed to a key of $cipher with a passphrase" test "$got" = 0
		locked_key "$PASS"
		check_equal "its passphrase opens it ($cipher)" 0 $?
	done
	locked_key 'not that one'
	check_equal 'a wrong passphrase does not' 2 $?
	check 'and it is said' grep -q 'wrong passphrase' "$T/tty"
	setsid -w "$WGMESH" -state s.json -identity locked list </dev/null >"$T/out" 2>"$T/err"
	check_equal 'without a terminal it is refused' 2 $?
	check 'with the reason' grep -q 'has a passphrase, and there is no terminal' "$T/err"
}

printf '%s\n' "$PASS" >"$T/pw"
chmod 600 "$T/pw"
identity_sources
password_sources
no_terminal
stays_sealed
work_factor
go_envelope
recipients
new_keys
stock_age
locked_keys
editing
writers
finish
