#!/bin/sh
# Clones as people and pipelines make them: shallow, partial, sparse, of one
# branch, worktrees, submodules. In each the state is changed, merged, pushed.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

# shellcheck disable=SC2154 # got is set in common.sh

command -v git >/dev/null || { skip 'clones of all kinds' 'there is no git here'; finish; exit; }
. tests/cli/team.sh

says() { check "$1" grep -qF -e "$2" "$T/err"; }
remote_head() { git -C "$T/w/remote.git" rev-parse main; }

n=0
# works NAME CLONE: ann and the clone change the state at once; all comes together.
works() {
	n=$((n + 1))
	git_at ann pull -q
	at ann set a mtu="$((1300 + n))"
	git_at ann push -q
	at "$2" set a port="$((3000 + n))"
	check_equal "$1: a change" 0 "$got"
	at "$2" push
	says "$1: behind" 'pull them first'
	at "$2" pull
	says "$1: merged" 'merged what is new'
	at "$2" push
	check_equal "$1: pushed" "0: $(git_at "$2" rev-parse HEAD)" "$got: $(remote_head)"
	at "$2" lock
	check_equal "$1: the deploy lock" '0: no deploy has the lock' "$got: $(cat "$T/out")"
	check_equal "$1: nothing is left to commit" '' "$(git_at "$2" status --porcelain)"
}

clones 127.0.0.1:1
at ann deploy -push -timeout 5 # so that the mesh has an id
for i in 1 2 3; do at ann set a keepalive=$i; done
at ann push
git -C remote.git config uploadpack.allowFilter true
for how in --depth=1 --depth=2 --filter=blob:none --filter=tree:0 --single-branch '--depth=1 --filter=blob:none --sparse'; do
	rm -rf odd
	# shellcheck disable=SC2086 # it may be several words
	git clone -q $how "file://$PWD/remote.git" odd && git_at odd config user.name odd && git_at odd config user.email odd@example.org
	at odd pull
	says "$how: nothing new" 'nothing new'
	works "$how" odd
done

# What a pipeline has: one commit, made a branch of.
rm -rf odd && git init -q odd && git_at odd config user.name ci && git_at odd config user.email ci@example.org
git_at odd remote add origin "file://$PWD/remote.git"
git_at odd fetch -q --depth=1 origin +refs/heads/main:refs/remotes/origin/main
git_at odd checkout -q --detach origin/main
at odd push
check_equal 'a detached HEAD: refused' 1 "$got"
says 'a detached HEAD: what to do' 'git switch BRANCH'
at odd lock
check_equal 'a detached HEAD: the lock can be seen' '0: no deploy has the lock' "$got: $(cat "$T/out")"
git_at odd checkout -q -B main origin/main
at odd history
check_equal 'one commit: the history is cut off' 1 "$got"
says 'one commit: what helps' 'git fetch --unshallow'
at odd deploy -pull -push -timeout 5
check_equal 'one commit: deployed and recorded' "3: $(remote_head)" "$got: $(git_at odd rev-parse HEAD)"
works 'one commit' odd

git_at ann worktree add -q ../tree -b side && git_at tree branch -q -u origin/main
git_at tree config push.default upstream
at tree set a mtu=1350
check_equal 'a worktree: committed there' 'set a mtu=1350' "$(git_at tree log -1 --format=%s)"
at tree pull
says 'a worktree: merged' 'merged what is new'
at tree push
check_equal 'a worktree: pushed' "0: $(git_at tree rev-parse HEAD)" "$got: $(remote_head)"

git init -q super && git -C super -c protocol.file.allow=always submodule --quiet add "$PWD/remote.git" mesh
git_at super/mesh config user.name sub && git_at super/mesh config user.email sub@example.org
works 'a submodule' super/mesh

# Another name of the branch over there.
git -C remote.git branch -m main trunk
at ann pull
check_equal 'the upstream was renamed: refused' 1 "$got"
says 'the upstream was renamed: said' "has no 'refs/heads/main' any more"

# A remote that has nothing yet.
git init -q --bare empty.git
git_at ann remote set-url origin ../empty.git
git_at ann update-ref -d refs/remotes/origin/main
at ann pull
says 'an empty remote: nothing new' 'nothing new'
at ann push
check_equal 'an empty remote: pushed' "0: $(git_at ann rev-parse HEAD)" "$got: $(git -C empty.git rev-parse main)"

finish
