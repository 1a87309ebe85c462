#!/bin/sh
# A state in a git work tree: each change is a commit of that file alone, and
# what cannot be committed is said before anything is changed.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

# shellcheck disable=SC2154 # got is set in common.sh

command -v git >/dev/null || { skip 'states in git' 'there is no git here'; finish; exit; }
export GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
empty_folder
git config --global user.name Admin
git config --global user.email admin@example.org
git config --global init.defaultBranch main
"$WGMESH" identity new "$T/id" >"$T/to" 2>/dev/null
export WGMESH_IDENTITY="$T/id" WGMESH_STATE=s.json

# sealed: a repository with a sealed state of one node, and go there.
sealed() {
	empty_folder
	git init -q . && "$WGMESH" init -recipient "$(cat "$T/to")" >/dev/null &&
		"$WGMESH" add -offline a:10.99.0.1:192.0.2.1 >/dev/null || exit 1
}

head_of() { git rev-parse HEAD; }

# ---- what a commit is ----

sealed
check_equal 'init and add: a commit each' 'add a (10.99.0.1)
init' "$(git log --format=%s)"
check_equal 'the author is of git'"'"'s config' 'Admin <admin@example.org>' "$(git log -1 --format='%an <%ae>')"
run set a port=51821 mtu=1400
check_equal 'set: the subject is what was typed' 'set a port=51821 mtu=1400' "$(git log -1 --format=%s)"
check_equal 'set: the body is what changed' '~ node a: port 51820 -> 51821
~ node a: mtu unset -> 1400' "$(git log -1 --format=%b | grep '^~')"
check_equal 'set: the trailers tell no serial and no mesh id' "set
$(hostname)" "$(for key in Command Host Serial Mesh; do git log -1 --format="%(trailers:key=Wgmesh-$key,valueonly,separator=)"; done)"
check_equal 'the work tree is clean' '' "$(git status --porcelain)"
check 'the repository is whole' git fsck --strict
before=$(head_of)
run set a port=51821
check_equal 'nothing changes: no commit' "$before" "$(head_of)"
run set a port=51900 -dry-run
check_equal 'dry run: no commit' "$before" "$(head_of)"
run set a port=51901 -no-commit
check_equal 'no-commit: none' "0: $before" "$got: $(head_of)"
check_equal 'no-commit: the file is changed' ' M s.json' "$(git status --porcelain)"
refused 'changes that are not committed are not mixed in' 1 "'s.json' has changes that are not committed" set a port=51902
git commit -q -m 'by hand' s.json
run set a port=51902
check_equal 'after a commit by hand: goes on' "0: set a port=51902" "$got: $(git log -1 --format=%s)"

# ---- nothing else is committed ----

sealed
echo one >staged && git add staged
echo two >untracked
run add -offline b:auto:192.0.2.2
check_equal 'other files: as they were' 'A  staged
?? untracked' "$(git status --porcelain)"
check_equal 'other files: not in the commit' s.json "$(git show --format= --name-only)"

# ---- plain states ----

empty_folder
git init -q .
run init
check 'plain: it says that it is not committed' grep -q 'not committed: the state is plain text for keys' "$T/err"
run add -offline a:auto:192.0.2.1
check_equal 'plain: saved, no commit' '0: ' "$got: $(git log --format=%s 2>/dev/null)"
run seal -recipient "$(cat "$T/to")"
check_equal 'sealed: the first commit' "0: seal" "$got: $(git log --format=%s)"
run unseal
check_equal 'unsealed: not committed' "0: seal" "$got: $(git log --format=%s)"
run set a mtu=1400
run seal -recipient "$(cat "$T/to")"
check_equal 'sealed again: committed' "0: seal
seal" "$got: $(git log --format=%s)"
check 'no key in any object of the repository' sh -c '! git cat-file --batch-all-objects --batch | grep -qaF "$1"' - \
	"$("$WGMESH" cat -secrets | sed -n 's/.*"private_key": "\(.*\)".*/\1/p' | head -n 1)"

empty_folder
git init -q .
run init
run keys host
check_equal 'keys on hosts: a plain state is committed' '0: keys host' "$got: $(git log --format=%s)"
run add -offline a:auto:192.0.2.1
check_equal 'keys on hosts: add is' 'add a (10.99.0.1)' "$(git log -1 --format=%s)"
git check-ignore -q s.json || echo s.json >.gitignore
git rm -q --cached s.json && git add .gitignore && git commit -q -m ignored
before=$(head_of)
run set a mtu=1400
check_equal 'an ignored file is not committed' "0: $before" "$got: $(head_of)"

empty_folder
run init -git -recipient "$(cat "$T/to")"
check_equal 'init -git: a repository and a commit' '0: init' "$got: $(git log --format=%s)"

# ---- odd repositories ----

sealed
git checkout -q --detach
refused 'detached HEAD' 1 'HEAD is detached' set a port=51821
run set a port=51821 -no-commit
check_equal 'detached HEAD: -no-commit works' 0 "$got"
git reset -q --hard && git checkout -q main

git checkout -q -b other && echo a >x && git add x && git commit -q -m x
git checkout -q main && echo b >x && git add x && git commit -q -m x
git merge other >/dev/null 2>&1
refused 'a merge under way' 1 'a merge is under way' set a port=51821
git merge --abort

git config --global --unset user.email
git config --global user.useConfigOnly true
refused 'nobody to be the author' 2 'user.email' set a port=51821
git config --global user.email admin@example.org

if command -v ssh-keygen >/dev/null; then
	ssh-keygen -q -t ed25519 -N '' -f "$T/key"
	git config gpg.format ssh
	git config user.signingkey "$T/key.pub"
	git config commit.gpgsign true
	echo "admin@example.org $(cat "$T/key.pub")" >"$T/signers"
	git config gpg.ssh.allowedSignersFile "$T/signers"
	run set a port=51823
	check_equal 'signed by an ssh key: committed' 0 "$got"
	check 'signed by an ssh key: git says so' git verify-commit HEAD
	git config user.signingkey "$T/none.pub"
	before=$(cksum s.json)
	run set a port=51824
	check_equal 'no key to sign with: refused' "2: $before" "$got: $(cksum s.json)"
	check 'no key to sign with: the reason' grep -qi 'sign' "$T/err"
else
	skip 'signed commits' 'there is no ssh-keygen'
fi

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	sealed
	others_program
	chown -R 0:0 . && chmod 1777 . && chown 65534 s.json
	cp "$T/id" ./id && chown 65534 ./id
	WGMESH_IDENTITY="$PWD/id" "$T/bin/as-nobody" set a port=5 >"$T/out" 2>"$T/err"
	check_equal 'a repository of somebody else: refused' 2 $?
	check 'a repository of somebody else: what to do' grep -q 'safe.directory' "$T/err"
else
	skip 'a repository of somebody else' 'needs root and setpriv'
fi

finish
