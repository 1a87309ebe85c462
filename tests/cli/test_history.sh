#!/bin/sh
# The history of a state in git: history, diff, show REV, blame, rollback, with
# real git, sealed and plain; no key of any revision in anything printed.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

# shellcheck disable=SC2154 # got is set in common.sh

command -v git >/dev/null || { skip 'the history of states' 'there is no git here'; finish; exit; }
export GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
empty_folder
git config --global user.name Admin
git config --global user.email admin@example.org
git config --global init.defaultBranch main
"$WGMESH" identity new "$T/id" >"$T/to" 2>/dev/null
"$WGMESH" identity new "$T/other" >"$T/other.to" 2>/dev/null
export WGMESH_IDENTITY="$T/id" WGMESH_STATE=s.json

# quiet ARGS...: the program, which must do it and print nothing that counts.
quiet() { "$WGMESH" "$@" >/dev/null 2>&1 || flunk "setup: $*"; }

# shown ARGS...: what the program prints; all of it is kept to look for keys in.
# Ids are %n by the age of their commit, oldest first; times are DATE.
shown() {
	"$WGMESH" "$@" >"$T/out" 2>"$T/err" </dev/null
	got=$?
	cat "$T/out" "$T/err" >>"$T/all"
	git rev-list --reverse --abbrev-commit --abbrev=12 HEAD |
		sed '=' | sed 'N; s/\(.*\)\n\(.*\)/s,\2[0-9a-f]*,%\1,/' >"$T/ids"
	sed -f "$T/ids" -e 's/[0-9]\{4\}-[0-9][0-9]-[0-9][0-9][ T][0-9][0-9]:[0-9][0-9]\(:[0-9][0-9]Z\)*/DATE/' "$T/out"
}

# keep_keys: every private key of every revision, for later.
keep_keys() {
	for rev in $(git rev-list --all -- s.json); do
		git show "$rev:s.json" >"$T/rev.json" && chmod 600 "$T/rev.json"
		for identity in "$T/id" "$T/other"; do
			WGMESH_IDENTITY=$identity "$WGMESH" cat -secrets -state "$T/rev.json" 2>/dev/null
		done
	done | sed -n 's/.*"\(private\|preshared\)_key": "\(.*\)".*/\2/p' >>"$T/keys"
}

# deploy_record WORDS [STATE]: a commit that records one, with these trailers.
deploy_record() {
	printf 'deploy\n\n%s\nWgmesh-Command: deploy\nWgmesh-State: %s\n' "$1" "${2:-s.json}" |
		git commit -q --allow-empty -F -
}

# ---- a sealed mesh with a history ----

empty_folder
git init -q .
refused 'no commits: history' 2 "state 's.json' has no history" history
quiet init -recipient "$(cat "$T/to")"
quiet add -offline a:10.99.0.1:192.0.2.1
quiet add -offline b:10.99.0.2:192.0.2.2
quiet set a port=5001 mtu=1400
echo x >other && git add other && git commit -q -m 'not the state'
quiet group add web a
deploy_record 'Wgmesh-Deploy: serial 5
Wgmesh-Serial: 5
Wgmesh-Converged: a
Wgmesh-Failed: b (unreachable), c (failed)'

check_equal 'history' '%7  DATE  deploy      Admin: deploy
    converged: a
    failed: b (unreachable), c (failed)
%6  DATE  group       Admin: group add web a
%4  DATE  set         Admin: set a port=5001 mtu=1400
%3  DATE  add         Admin: add b (10.99.0.2)
%2  DATE  add         Admin: add a (10.99.0.1)
%1  DATE  init        Admin: init' "$(shown history)"
shown history >/dev/null
check_equal 'history: the dates are in UTC' "$(TZ=UTC git log -1 --date=format-local:'%Y-%m-%d %H:%M' --format=%cd)" \
	"$(TZ=Asia/Tokyo "$WGMESH" history | sed -n '1s/^[0-9a-f]*  \(.*:[0-9]*\)  .*/\1/p')"
check_equal 'history: nothing is opened' "$(shown history)" \
	"$(unset WGMESH_IDENTITY; shown history)"
shown history -json >/dev/null
check_equal 'history -json: a deploy' '["deploy",5,5,["a"],[["b","unreachable"],["c","failed"]],false]' \
	"$(jq -c '.commits[0] | [.command, .serial, .deploy.serial, .deploy.converged, (.deploy.failed | map([.node, .reason])), .changed]' "$T/out")"
check_equal 'history -json: a change' "[\"$(git rev-parse HEAD~1)\",\"Admin <admin@example.org>\",\"group add web a\",\"group\",null,true,null]" \
	"$(jq -c '.commits[1] | [.id, .author, .subject, .command, .serial, .changed, .deploy]' "$T/out")"
check_equal 'history -json: the time' "$(TZ=UTC git log -1 --date=format-local:'%Y-%m-%dT%H:%M:%SZ' --format=%cd)" \
	"$(jq -r '.commits[0].time' "$T/out")"

# ---- diff ----

check_equal 'diff of two revisions' '~ node a: port 51820 -> 5001
~ node a: mtu unset -> 1400
+ group web: members a' "$(shown diff HEAD~4 HEAD)"
check_equal 'diff of two revisions, the other way' '~ node a: port 5001 -> 51820
~ node a: mtu 1400 -> unset
- group web: members a' "$(shown diff HEAD HEAD~4)"
check_equal 'diff: nothing' 'no differences' "$(shown diff)"
check_equal 'diff since a revision' '+ group web: members a' "$(shown diff HEAD~2)"
quiet set b mtu=1300 -no-commit
check_equal 'diff: HEAD against the work tree' '~ node b: mtu unset -> 1300' "$(shown diff)"
check_equal 'diff since a revision: to the work tree' '~ node b: mtu unset -> 1300
+ group web: members a' "$(shown diff HEAD~2)"
shown diff -json >/dev/null
check_equal 'diff -json' '[{"change":"changed","part":"node","name":"b","field":"mtu","before":null,"after":"1300"}]' \
	"$(jq -c .changes "$T/out")"
git checkout -q s.json && chmod 600 s.json
shown diff HEAD~5 HEAD >/dev/null
check 'diff: a key is a fingerprint or nothing' sh -c "! grep -qE '[A-Za-z0-9+/]{43}=' '$T/out'"

# ---- show ----

check_equal 'show REV' "commit: %4
date: DATE
author: Admin <admin@example.org>
subject: set a port=5001 mtu=1400
Wgmesh-Command: set
Wgmesh-Host: $(hostname)

~ node a: port 51820 -> 5001
~ node a: mtu unset -> 1400

# a wgmesh mesh; docs/mesh-yaml.md explains the keys
interface: wg0
network: 10.99.0.0/16
nodes:
  a:
    ssh: 192.0.2.1
    address: 10.99.0.1
    port: 5001
    mtu: 1400
  b:
    ssh: 192.0.2.2
    address: 10.99.0.2" "$(shown show HEAD~3)"
check_equal 'show of the first revision' 'subject: init' "$(shown show HEAD~6 | sed -n 4p)"
shown show -json HEAD~3 >/dev/null
check_equal 'show -json REV' '["set",["port","mtu"],["interface: wg0"]]' \
	"$(jq -c '[.commit.command, (.changes | map(.field)), (.yaml | split("\n")[1:2])]' "$T/out")"
check 'show: a node is a node' sh -c '"$0" show a | grep -q "192.0.2.1"' "$WGMESH"
git tag a HEAD~3
check_equal 'show: a node before a tag of its name' "$("$WGMESH" show a)" "$(git tag -d a >/dev/null; "$WGMESH" show a)"
refused 'show: neither a node nor a revision' 2 "there is no node 'nosuch'; 'wgmesh list' shows them; nor is it a revision: revision: revspec 'nosuch' not found" show nosuch

# ---- blame ----

check_equal 'blame' '%2  DATE  Admin: ssh 192.0.2.1
%2  DATE  Admin: address 10.99.0.1
%4  DATE  Admin: port 5001
%4  DATE  Admin: mtu 1400
%2  DATE  Admin: public key KEY
%6  DATE  Admin: groups web' "$(shown blame a | sed 's/public key .*/public key KEY/')"
quiet set a mtu=1300 -no-commit
check_equal 'blame: what is not committed' 'not committed                   mtu 1300' "$(shown blame a | grep mtu)"
check_equal 'blame: and what is' '%4  DATE  Admin: port 5001' "$(shown blame a | grep port)"
shown blame a -json >/dev/null
check_equal 'blame -json' "[[\"port\",\"5001\",\"$(git rev-parse HEAD~3)\"],[\"mtu\",\"1300\",null]]" \
	"$(jq -c '[.fields[] | select(.field == "port" or .field == "mtu") | [.field, .value, .commit.id]]' "$T/out")"
git checkout -q s.json && chmod 600 s.json
refused 'blame: no such node' 2 "there is no node 'nosuch'" blame nosuch

# Each of two branches changes a field of one node; the merge changed neither.
quiet git-setup
git checkout -q -b theirs && quiet set a keepalive=7 && quiet set b mtu=1350
git checkout -q main && quiet set a mtu=1380 && quiet set b mtu=1360 && quiet set b mtu=1350
git merge -q --no-edit theirs >/dev/null 2>&1
check_equal 'blame: through a merge to the branch' 'set a mtu=1380
set a keepalive=7' "$(for field in mtu keepalive; do
	git log -1 --format=%s "$("$WGMESH" blame a | sed -n "s/^\([0-9a-f]*\) .* $field .*/\1/p")"
done)"
check_equal 'blame: before the branches' 'set a port=5001 mtu=1400' \
	"$(git log -1 --format=%s "$("$WGMESH" blame a | sed -n 's/^\([0-9a-f]*\) .* port .*/\1/p')")"
check_equal 'history: a merge' true "$("$WGMESH" history -json | jq '.commits[0] | .merge and .changed')"
keep_keys

# ---- what somebody else wrote ----

deploy_record 'Wgmesh-Deploy: serial 77
Wgmesh-Converged: elsewhere' other.json
git commit -q --allow-empty -m 'deploy

Wgmesh-Deploy: serial 77
Wgmesh-Mesh: 00112233445566778899aabbccddeeff
Wgmesh-Converged: elsewhere'
check_equal 'history: deploys of another mesh are not ours' 0 "$(shown history | grep -c elsewhere)"
deploy_record "Wgmesh-Deploy: serial 78
Wgmesh-Converged: $(seq -s ' ' -f 'n%g' 1 30)"
check_equal 'history: many hosts are counted' 'n19, n20 and 10 more' \
	"$(shown history | sed -n '2s/.*, \(n19.*\)/\1/p')"
check_equal 'history -json: many hosts are all there' 30 \
	"$("$WGMESH" history -json | jq '.commits[0].deploy.converged | length')"
esc=$(printf '\033') c1=$(printf '\302\233') bad=$(printf '\377')
GIT_AUTHOR_NAME="Ad${esc}[2Jmin" GIT_AUTHOR_DATE='1000000000 +0000' git commit -q --allow-empty \
	-m "sub${esc}[31mject$c1$bad $(seq -s x 1 400)" -m "Wgmesh-Deploy: ${esc}[1m$c1
Wgmesh-Converged: ${esc}[7m$c1$bad
Wgmesh-Failed: x$c1 ($bad$c1)
Wgmesh-Command: $c1$bad
Wgmesh-Host: $c1$bad
Wgmesh-State: s.json" 2>/dev/null
for words in history 'history -json' 'show HEAD' 'show HEAD -json'; do
	# shellcheck disable=SC2086 # words are several
	shown $words >/dev/null
	check "$words: nothing steers the terminal" sh -c "! LC_ALL=C grep -q '$esc\\|$c1\\|$bad' '$T/out'"
done
shown history >/dev/null
check 'history: a long subject is cut' sh -c "[ \"\$(sed -n 1p '$T/out' | wc -c)\" -lt 320 ] && sed -n 1p '$T/out' | grep -q '[.][.][.]\$'"

# ---- a shallow clone ----

git reset -q --hard HEAD~4
git clone -q --depth 2 "file://$PWD" "$T/shallow" 2>/dev/null
cd "$T/shallow" || exit 1
asan=${ASAN_OPTIONS:-}
export ASAN_OPTIONS=detect_leaks=0 # libgit2 leaks when a walk fails
refused 'history: a shallow clone' 1 'a shallow clone: git fetch --unshallow' history
check_equal 'blame: a shallow clone' '%3  DATE  Admin: port 5001 (or earlier)' "$(shown blame a | grep port)"
check_equal 'diff: a shallow clone has its commit' 'no differences' "$(shown diff HEAD)"
export ASAN_OPTIONS="$asan"
cd "$T/w" && rm -rf "$T/shallow"

# ---- rollback ----

empty_folder
git init -q .
quiet init -recipient "$(cat "$T/to")"
quiet add -offline a:10.99.0.1:192.0.2.1
quiet add -offline b:10.99.0.2:192.0.2.2
quiet group add web a b
git tag past
quiet set a port=5001
quiet remove -forget b
quiet keys new a
quiet add -offline c:10.99.0.3:192.0.2.3
quiet recipients add "$(cat "$T/other.to")"
key_then=$(git show past:s.json >"$T/then.json" && chmod 600 "$T/then.json" && "$WGMESH" cat -secrets -state "$T/then.json" | jq -r .nodes.a.private_key)
before=$(cksum s.json) head=$(git rev-parse HEAD)
changes='~ node a: port 5001 -> 51820
~ node a: public key KEY -> KEY
+ node b: ssh 192.0.2.2, address 10.99.0.2
- node c: ssh 192.0.2.3, address 10.99.0.3
~ group web: members +b'
check_equal 'rollback -dry-run' "$changes
dry run: nothing is saved" "$(shown rollback past -dry-run | sed 's/key .* -> .*/key KEY -> KEY/')"
check 'rollback: it says that recipients stay' grep -q 'the recipients stay as they are now' "$T/err"
shown rollback past -dry-run >/dev/null
check_equal 'rollback -dry-run: nothing is saved' "0: $before $head" "$got: $(cksum s.json) $(git rev-parse HEAD)"
shown rollback past >/dev/null
check_equal 'rollback: not without a yes' "2: $before $head" "$got: $(cksum s.json) $(git rev-parse HEAD)"
check_equal 'rollback' "$changes
'wgmesh plan' shows what it changes on the hosts" "$(shown rollback past -yes | sed 's/key .* -> .*/key KEY -> KEY/')"
check_equal 'rollback: a new commit' "rollback to $(git rev-parse --short=12 past): group add web a b" "$(git log -1 --format=%s)"
check_equal 'rollback: on top of the old ones' "$head" "$(git rev-parse HEAD^)"
check_equal 'rollback: nodes, groups and fields as then' "$("$WGMESH" export -state "$T/then.json")" "$("$WGMESH" export)"
check_equal 'rollback: private keys as then' "$key_then" "$("$WGMESH" cat -secrets | jq -r .nodes.a.private_key)"
check_equal 'rollback: the serial goes on' 10 "$("$WGMESH" cat | jq .serial)"
check_equal 'rollback: it is the same mesh' "$("$WGMESH" cat -state "$T/then.json" | jq .mesh_id)" "$("$WGMESH" cat | jq .mesh_id)"
check 'rollback: sealed to the recipients of now' env WGMESH_IDENTITY="$T/other" "$WGMESH" list
check_equal 'rollback: the recipients are the two of now' 2 "$("$WGMESH" recipients list | wc -l)"
check 'rollback: the repository is whole' git fsck --strict
check_equal 'rollback: the work tree is clean' '' "$(git status --porcelain)"
check_equal 'rollback: once more changes nothing' 'nothing changes' "$(shown rollback past -yes)"
refused 'rollback: no such revision' 2 "there is no state at 'nosuch': " rollback nosuch -yes
refused 'diff: no such revision' 2 "there is no state at 'nosuch': " diff nosuch
refused 'diff: a revision before the state' 2 "there is no state at 'HEAD~99'" diff HEAD~99
quiet set a port=5002 -no-commit
refused 'rollback: not over changes that are not committed' 1 'not committed' rollback past -yes
git checkout -q s.json && chmod 600 s.json
keep_keys

# A revision that only somebody else can open.
export WGMESH_IDENTITY="$T/other"
refused 'diff: a revision that cannot be opened' 2 "the state of revision 'past'" diff past
refused 'show: a revision that cannot be opened' 2 "the state of revision 'past'" show past
refused 'rollback: a revision that cannot be opened' 2 "the state of revision 'past'" rollback past -yes
check_equal 'show: a parent that cannot be opened' 'subject: recipients add' "$(shown show HEAD~1 | sed -n 's/^\(subject: recipients add\).*/\1/p')"
check 'show: and says so' grep -q "what it changed is not known: the state of revision" "$T/err"
check_equal 'blame: as far as can be opened' '0 %9  DATE  Admin: address 10.99.0.1 (or earlier)' \
	"$(shown blame a >"$T/blame"; echo $got "$(sed -n 's/.*\(%[0-9]*  .*address .*\)/\1/p' "$T/blame")")"
check_equal 'blame: one line says why' 1 "$(grep -c 'not looked at' "$T/err")"
unset WGMESH_IDENTITY
refused 'diff: no identity' 2 'WGMESH_IDENTITY' diff past HEAD
refused 'blame: no identity' 2 'WGMESH_IDENTITY' blame a
export WGMESH_IDENTITY="$T/id"

# ---- rollback of a plain state, keys on hosts ----

# by_hand FILTER: a change that deploys make, committed.
by_hand() {
	jq --tab "$1" s.json >"$T/new.json" && cat "$T/new.json" >s.json && git commit -q -m facts s.json
}

empty_folder
git init -q .
quiet init
quiet keys host
quiet add -offline a:10.99.0.1:192.0.2.1
quiet add -offline b:10.99.0.2:192.0.2.2
quiet add -offline e:10.99.0.5:192.0.2.5
key_a=$(head -c 32 /dev/urandom | base64)
key_b=$(head -c 32 /dev/urandom | base64)
by_hand ".nodes.e.public_key = \"$key_b\" | .nodes.e.facts.deployed = true"
git tag past
quiet remove -forget e
quiet add -offline c:10.99.0.3:192.0.2.3
quiet add -offline d:10.99.0.4:192.0.2.4
quiet set b ssh=192.0.2.22
by_hand ".nodes.a.public_key = \"$key_a\" | .nodes.a.facts = {address: \"198.51.100.1\", nat_from: \"said\", deployed: true} |
	.nodes.a.behind_nat = true | .nodes.a.ssh_host_keys = [\"ssh-ed25519 $(printf 'AAAAC3NzaC1lZDI1NTE5AAAAI%043d' 0)\"] | .nodes.a.fqdn = \"a.example.org\" |
	.nodes.b.ssh_host_keys = [\"ssh-ed25519 $(printf 'AAAAC3NzaC1lZDI1NTE5AAAAI%043d' 1)\"] |
	.nodes.c.facts.deployed = true"
quiet set a port=5001
shown rollback past -yes >/dev/null
check_equal 'plain: rollback' 0 "$got"
check_equal 'plain: committed' "rollback to $(git rev-parse --short=12 past): facts" "$(git log -1 --format=%s)"
check_equal 'plain: the port as then' 51820 "$(jq .nodes.a.listen_port s.json)"
check_equal 'plain: facts, host keys and the key of the host are the newer ones' \
	"[\"$key_a\",\"198.51.100.1\",\"said\",true,1,\"a.example.org\",true]" \
	"$(jq -c '.nodes.a | [.public_key, .facts.address, .facts.nat_from, .facts.deployed, (.ssh_host_keys | length), .fqdn, .behind_nat]' s.json)"
check_equal 'plain: another host has its own host keys' '["192.0.2.2",0]' \
	"$(jq -c '.nodes.b | [.ssh_host, (.ssh_host_keys | length)]' s.json)"
check_equal 'plain: a node that came since is to be taken off its host' '["c"]' "$(jq -c '.removed_nodes | keys' s.json)"
check_equal 'plain: a node that left has a key that its host says' '' "$(jq -r .nodes.e.public_key s.json)"
check_equal 'plain: nodes as then' '["a","b","e"]' "$(jq -c '.nodes | keys' s.json)"
check 'plain: valid' "$WGMESH" validate

# A removed node that is still on its host comes back with what is known of it.
git tag back
by_hand '.nodes.b.facts.deployed = true | .nodes.b.facts.address = "198.51.100.2"'
quiet remove b
shown rollback back -yes >/dev/null
check_equal 'plain: a removed node comes back' '["198.51.100.2",["c"]]' \
	"$(jq -c '[.nodes.b.facts.address, (.removed_nodes | keys)]' s.json)"
quiet remove a
quiet add -offline z:10.99.0.9:192.0.2.9
quiet rename z y
git tag renamed
quiet rename y z
shown rollback renamed -yes >/dev/null
check_equal 'plain: renamed back, no tombstone of its own host' '[["b","e","y"],["a","c"]]' \
	"$(jq -c '[(.nodes | keys), (.removed_nodes | keys)]' s.json)"

# ---- a key that went to its host stays there ----

empty_folder
git init -q .
quiet init -recipient "$(cat "$T/to")"
quiet add -offline a:10.99.0.1:192.0.2.1
quiet add -offline b:10.99.0.2:192.0.2.2
git tag past
quiet keys host a
quiet unseal
by_hand 'del(.nodes.a.private_key)'
quiet seal -recipient "$(cat "$T/to")"
quiet set a port=5001
public=$("$WGMESH" cat | jq -r .nodes.a.public_key)
shown rollback past -yes >/dev/null
check_equal 'a key that went to its host stays there' "[\"host\",\"$public\",null,51820]" \
	"$("$WGMESH" cat -secrets | jq -c '.nodes.a | [.key, .public_key, .private_key, .listen_port]')"
check_equal 'the other key is in the state as then' 44 "$("$WGMESH" cat -secrets | jq -r '.nodes.b.private_key | length')"
quiet keys host
quiet rollback past -yes
check_equal 'nor do keys come back when all of them went to the hosts' '["host",null]' \
	"$("$WGMESH" cat | jq -c '[.key, .nodes.a.key]')"
keep_keys

# ---- another mesh, and a merge nobody finished ----

empty_folder
git init -q .
quiet init && quiet keys host
mv s.json first && quiet init -no-commit && quiet keys host
refused 'rollback: a state of another mesh' 2 'has a state of another mesh' rollback HEAD~1 -yes
empty_folder
git init -q .
quiet init -recipient "$(cat "$T/to")" && quiet add -offline a:10.99.0.1:192.0.2.1 && quiet git-setup
git checkout -q -b theirs && quiet set a mtu=1400
git checkout -q main && quiet set a mtu=1300
git merge -q theirs >/dev/null 2>&1
git commit -q -m 'with the conflict' s.json 2>/dev/null || git commit -q -a -m 'with the conflict'
quiet merge -resolve all ours && git commit -q -a -m resolved
refused 'rollback: a revision with a conflict' 1 "revision '$(git rev-parse --short=12 HEAD~1)'" rollback HEAD~1 -yes
empty_folder
quiet init
refused 'no work tree: history' 2 "state 's.json' has no history: it lies in no git work tree" history
refused 'no work tree: diff' 2 "has no history" diff
refused 'no work tree: blame' 2 "has no history" blame a
refused 'no work tree: rollback' 2 "has no history" rollback HEAD -yes
refused 'no work tree: show' 2 "there is no node 'HEAD'" show HEAD

# ---- a passphrase is asked for once ----

# typed WORDS FILE...: run it on a terminal; the files are typed when it asks,
# one for each prompt. What the terminal showed is in $T/tty.
typed() {
	words=$1
	shift
	: >"$T/tty"
	asked=0
	for answer; do
		asked=$((asked + 1))
		until_true 60 sh -c "[ \$(grep -o 'Enter [^:]*: ' '$T/tty' | wc -l) -ge $asked ]"
		cat "$answer"
	done | timeout 180 script -qefc "$WGMESH $words" "$T/tty" >/dev/null 2>&1
}

if command -v script >/dev/null; then
	unset WGMESH_IDENTITY
	empty_folder
	git init -q .
	printf 'the first passphrase\n' >"$T/pw1" && printf 'the second passphrase\n' >"$T/pw2"
	chmod 600 "$T/pw1" "$T/pw2"
	quiet init -encrypt -format go -password-file "$T/pw1"
	quiet add -offline a:10.99.0.1:192.0.2.1 -password-file "$T/pw1"
	quiet set a port=5001 -password-file "$T/pw1"
	for words in 'diff HEAD~1' 'show HEAD' 'blame a' 'rollback HEAD~1 -yes'; do
		typed "$words" "$T/pw1"
		check_equal "$words: asks once and does it" '0: 1 yes' "$?: $(grep -c 'Enter ' "$T/tty") $(grep -q '51820\|5001' "$T/tty" && echo yes)"
	done
	quiet rekey -password-file "$T/pw1" -new-password-file "$T/pw2"
	typed 'diff HEAD~2' "$T/pw2" "$T/pw1"
	check_equal 'diff: an older passphrase is asked for, too' 0 $?
	check 'diff: by its revision' grep -q "Enter the password of revision 'HEAD~2': " "$T/tty"
	check 'diff: and opens' grep -q 'port 5001 -> 51820' "$T/tty"
else
	skip 'a passphrase is asked for once' 'there is no script'
fi

check 'there are keys to look for' sh -c "[ \"\$(sort -u '$T/keys' | grep -c .)\" -ge 6 ]"
check 'no key of any revision was printed' sh -c "! grep -qFf '$T/keys' '$T/all'"

finish
