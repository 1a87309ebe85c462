#!/bin/sh
# A command that commits (not the programs that it starts: git's own care) is killed at every system call that changes something
# on disk, and each such call fails once: the repository stays whole, the state can
# be read, and the next command does its work and leaves nothing behind.
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

# The calls that change something on disk; a file that was made is seen at the call after.
calls=write,pwrite64,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,fsync,fdatasync,ftruncate,chmod,fchmod,utimensat,utime

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

# at CALL N: kills the command at the Nth CALL (strace counts each kind of call by itself); false when it came to its end before.
at() {
	rm -rf work && cp -a first work && cd work || exit 1
	strace -o "$T/trace" -e "trace=$calls" -e "inject=$1:signal=KILL:when=$2" \
		"$WGMESH" set a port=51900 >/dev/null 2>&1
	killed=$?
	why=$(broken)
	cd ..
	if [ -z "$why" ]; then
		good=$((good + 1))
	else
		flunk "killed at $1 $2: $(grep -v '^[0-9]* ---\|+++' "$T/trace" | tail -n 1 | cut -c1-100)" "$why"
	fi
	[ "$killed" -eq 137 ]
}

# How often each call is made before the first that makes something: those only read.
only_read() {
	rm -rf work && cp -a first work && cd work || exit 1
	strace -o "$T/trace" -e "trace=openat,$calls" "$WGMESH" set a port=51900 >/dev/null 2>&1
	cd ..
	sed '/O_CREAT\|mkdir\|rename\|link/,$d' "$T/trace" >"$T/reads"
}

# fails_at CALL N: the Nth CALL fails as on a broken disk; false when there is no Nth. The command is there
# to clean up after itself, and success means what it says.
fails_at() {
	rm -rf work && cp -a first work && cd work || exit 1
	strace -o "$T/trace" -e "trace=$1" -e "inject=$1:error=EIO:when=$2" \
		"$WGMESH" set a port=51900 >/dev/null 2>"$T/said"
	status=$?
	injected=$(grep INJECTED "$T/trace" | head -n 1 | cut -c1-110)
	why=$([ -z "$(find . -name '*.lock' -o -name '*.new' -o -name '*.json.*')" ] || echo 'a file is left'
		[ "$status" -eq 0 ] || [ -s "$T/said" ] || echo 'fails without a word'
		# finished at once, or by the next command: a commit of the file that was replaced
		[ "$status" -ne 0 ] || [ "$("$WGMESH" export | grep -c 51900)" -eq 1 ] || echo 'success, and nothing is changed'
		broken)
	cd ..
	[ -n "$injected" ] || return 1
	if [ -z "$why" ]; then
		good=$((good + 1))
	else
		flunk "failed at $1 $2 (status $status): $injected" "$why
$(cat "$T/said")"
	fi
}

good=0
make_repository
only_read
for call in $(echo "$calls" | tr , ' '); do
	n=$(($(grep -c " $call(" "$T/reads") + 1))
	while at "$call" "$n"; do n=$((n + 1)); done
done
echo "killed at $good system calls"
check 'there were calls to be killed at' [ "$good" -gt 30 ]
if [ "$failed" -eq 0 ]; then
	pass 'killed at every call that writes: the repository is whole, the next command works'
fi

good=0
for call in write pwrite64 rename renameat renameat2 link linkat fsync fdatasync fchmod; do
	n=1
	while fails_at "$call" "$n"; do n=$((n + 1)); done
done
echo "failed at $good system calls"
check 'there were calls to fail' [ "$good" -gt 10 ]
finish
