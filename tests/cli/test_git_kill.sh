#!/bin/sh
# A command that commits is killed at every system call that changes something
# on disk: the repository stays whole, the state can be read, and the next command
# does its work and leaves nothing behind.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

for tool in git strace; do
	command -v "$tool" >/dev/null || { skip 'killed while committing' "there is no $tool here"; finish; exit; }
done
export GIT_CONFIG_NOSYSTEM=1
empty_folder
git config --global user.name Admin
git config --global user.email admin@example.org
git config --global init.defaultBranch main
if ! strace -o "$T/trace" true 2>/dev/null; then
	skip 'killed while committing' 'strace cannot trace here'
	finish
	exit
fi

# The calls that change something on disk.
calls=openat,write,pwrite64,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,fsync,fdatasync,ftruncate,chmod,fchmod,utimensat,utime,close

# A repository with a sealed state of one node, and another file of the user's, staged but not committed.
make_repository() {
	git init -q first && cd first || exit 1
	"$WGMESH" identity new "$T/id" >"$T/to" 2>/dev/null
	export WGMESH_IDENTITY="$T/id" WGMESH_STATE=s.json
	"$WGMESH" init -recipient "$(cat "$T/to")" >/dev/null &&
		"$WGMESH" add -offline a:10.99.0.1:192.0.2.1 >/dev/null || exit 1
	echo mine >mine
	git add mine
	cd ..
}

# broken: what is wrong with the repository in which the command was killed, or with what the next command does; nothing when all is well.
broken() {
	git fsck --strict >"$T/fsck" 2>&1 || { echo 'git fsck:'; cat "$T/fsck"; }
	"$WGMESH" list -simple >"$T/list" 2>"$T/err" || { echo 'list:'; cat "$T/err"; }
	"$WGMESH" set a mtu=1400 >"$T/out" 2>"$T/err" || { echo 'the next command:'; cat "$T/err"; }
	[ "$("$WGMESH" show a 2>/dev/null | grep -c 1400)" -gt 0 ] || echo 'the next command did nothing'
	[ "$(git status --porcelain)" = 'A  mine' ] || { echo 'git status:'; git status --porcelain; }
	git fsck --strict >"$T/fsck" 2>&1 || { echo 'git fsck at the end:'; cat "$T/fsck"; }
	[ -z "$(find .git -name '*.lock')" ] || echo 'a lock is left'
	[ "$(git log -1 --format=%s)" = 'set a mtu=1400' ] || git log --format=%s -2
	case "$(git log --format=%s | sort | uniq -c | grep 'set a port')" in
	'' | *' 1 '*) ;;
	*) echo 'the killed change is committed twice' ;;
	esac
	# the killed change is there as a whole or not at all, in the state and in git alike
	[ "$("$WGMESH" export | grep -c 51900)" = "$(git log --format=%s | grep -c 'set a port=51900')" ] ||
		echo 'state and history differ'
}

# at N: kills the command at the Nth of the calls; false when it came to its end before.
at() {
	rm -rf work && cp -a first work && cd work || exit 1
	strace -f -o "$T/trace" -e "trace=$calls" -e "inject=$calls:signal=KILL:when=$1" \
		"$WGMESH" set a port=51900 >/dev/null 2>&1
	killed=$?
	why=$(broken)
	cd ..
	if [ -z "$why" ]; then
		good=$((good + 1))
	else
		flunk "killed at call $1: $(grep -v '^[0-9]* ---\|+++' "$T/trace" | tail -n 1 | cut -c1-100)" "$why"
	fi
	[ "$killed" -eq 137 ]
}

# Every call after the first that makes something: those before it only read.
first_change() {
	rm -rf work && cp -a first work && cd work || exit 1
	strace -f -o "$T/trace" -e "trace=$calls" "$WGMESH" set a port=51900 >/dev/null 2>&1
	cd ..
	grep -v '^[0-9]* ---\|+++' "$T/trace" | grep -nE 'O_CREAT|mkdir|rename|link' | head -n 1 | cut -d: -f1
}

good=0
make_repository
n=$(first_change)
while at "$n"; do n=$((n + 1)); done
echo "killed at $good system calls"
check 'there were calls to be killed at' [ "$good" -gt 30 ]
if [ "$failed" -eq 0 ]; then
	pass 'killed at every call that writes: the repository is whole, the next command works'
fi
finish
