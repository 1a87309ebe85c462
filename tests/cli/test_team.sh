#!/bin/sh
# One state, two clones: pull, push, the deploy lock at the remote. Remotes are
# bare repositories here, and one behind a real sshd on loopback.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

# shellcheck disable=SC2154 # got is set in common.sh

command -v git >/dev/null || { skip 'several clones' 'there is no git here'; finish; exit; }
. tests/cli/team.sh

head_of() { git_at "$1" rev-parse HEAD; }
remote_head() { git -C "$T/w/remote.git" rev-parse main; }
remote_locks() { git -C "$T/w/remote.git" for-each-ref --format='%(objectname)' refs/wgmesh/lock; }
locked() { [ -n "$(remote_locks)" ]; }
unlocked() { [ -z "$(remote_locks)" ]; }
names_at() { (cd "$T/w/$1" && "$WGMESH" list -simple | sed 's/ .*//' | xargs); }
says() { check "$1" grep -qF -e "$2" "$T/err"; }
# CLONE: its commit, its files, what git says of them.
picture() { head_of "$1"; git_at "$1" status --porcelain; cksum "$1/s.json"; }

# ---- pull and push ----

clones
at ann add -offline c:10.99.0.3:192.0.2.3
at bob add -offline d:10.99.0.4:192.0.2.4
at ann push
check_equal 'push: the remote has it' "0: $(head_of ann)" "$got: $(remote_head)"
at bob push
check_equal 'push that lost the race: refused' "1: $(head_of ann)" "$got: $(remote_head)"
says 'push that lost the race: what to do' 'pull them first'
at bob pull
says 'pull: both sides became one' 'merged what is new at the remote'
check_equal 'pull: nothing is lost' '0: a c d' "$got: $(names_at bob)"
check_equal 'pull: the merge commit has both parents' 2 "$(git_at bob log -1 --format=%P | wc -w)"
check_equal 'pull: the work tree is clean' '' "$(git_at bob status --porcelain)"
check 'pull: it is still sealed' grep -q 'BEGIN AGE' bob/s.json
at bob push
at ann pull
says 'pull: forwarded' 'pulled what is new at the remote'
check_equal 'pull: all are there, in one commit' "a c d: $(head_of bob)" "$(names_at ann): $(head_of ann)"
at ann pull
says 'pull: nothing new' 'the remote has nothing new'
check 'the repositories are whole' sh -c 'for r in ann bob remote.git; do git -C $r fsck --strict || exit 1; done'

echo hello >ann/readme && git_at ann add readme && git_at ann commit -q -m readme && git_at ann push -q
at bob set a mtu=1400
at bob pull
check_equal 'pull: other files come along' '0: hello' "$got: $(cat bob/readme)"

before=$(picture bob)
at ann set a mtu=1300
at ann pull
check_equal 'not pushed yet: nothing to pull' 0 "$got"
at ann push
at bob push
at bob pull
check_equal 'both changed one field: refused, nothing is changed' "1: $before" "$got: $(picture bob)"
says 'both changed one field: it is named' 'conflict: node a: mtu: unset before, 1400 ours, 1300 theirs'
says 'both changed one field: what to do' 'git merge @{upstream}'
(cd bob && "$WGMESH" git-setup) >/dev/null 2>&1
git_at bob merge '@{upstream}' >/dev/null 2>&1
at bob merge -resolve node a mtu theirs
git_at bob commit -q -a -m merged
at bob push
check_equal 'both changed one field: resolved as told' "0: $(head_of bob)" "$got: $(remote_head)"
at ann pull

at ann set a port=5001
at ann push
at bob set a keepalive=9
before=$(picture bob)
WGMESH_IDENTITY='' at bob pull
check_equal 'a merge without the secret: refused, nothing is changed' "2: $before" "$got: $(picture bob)"
says 'a merge without the secret: what is missing' 'WGMESH_IDENTITY'
at bob pull
check_equal 'with the secret: merged' 0 "$got"

# ---- what cannot be pulled or pushed ----

for words in pull push 'deploy -push' 'deploy -pull'; do
	at ann $words -no-commit
	check_equal "$words -no-commit: refused" 2 "$got"
	says "$words -no-commit: why" '-no-commit leaves nothing to pull or push'
done
mkdir alone && cp ann/s.json alone
for words in pull push lock 'deploy -push' 'plan -pull'; do
	at alone $words
	check_equal "no repository: $words is refused" 2 "$got"
	says "no repository: $words says so" 'not in a git work tree'
done
git -C alone init -q && git_at alone config user.email x@y && git_at alone config user.name x
git_at alone add s.json && git_at alone commit -q -m s
for words in push 'deploy -push' 'deploy -pull'; do
	at alone $words
	check_equal "no remote: $words is refused" 2 "$got"
	says "no remote: $words says what to do" 'git remote add origin'
done
git_at alone remote add origin ../remote.git
for words in push 'deploy -push' 'deploy -pull'; do
	at alone $words
	check_equal "no upstream: $words is refused" 2 "$got"
	says "no upstream: $words says what to do" 'git push -u origin'
	check "no upstream: $words leaves no lock" unlocked
done
git_at bob remote set-url origin ext::true
for words in pull push lock 'deploy -pull -push'; do
	at bob $words
	check_equal "a program as remote: $words is refused" 2 "$got"
	says "a program as remote: $words says what goes" 'expected https://'
done

clones
at ann unseal
at ann deploy -push
check_equal 'a plain state with keys: not pushed, not deployed' 1 "$got"
says 'a plain state with keys: says so' 'not committed'
empty_folder
git init -q --bare remote.git && clone remote.git ann 2>/dev/null
git_at ann commit -q --allow-empty -m first && git_at ann push -q -u origin main
at ann init
at ann add -offline a:auto:192.0.2.1
at ann deploy -push
check_equal 'a state that git does not have: not deployed' 1 "$got"
says 'a state that git does not have: says so' 'the state is not in git'

# ---- deploys, with an sshd in the place of a host ----

sshd=/usr/sbin/sshd
if [ "$(id -u)" -ne 0 ] || [ ! -x $sshd ]; then
	skip 'deploys with a remote' 'needs root and sshd'
	finish
	exit
fi
mkdir -p /run/sshd "$T/ssh"
ssh-keygen -q -t ed25519 -N '' -f "$T/ssh/host"
ssh-keygen -q -t ed25519 -N '' -f "$T/ssh/key"
cp "$T/ssh/key.pub" "$T/ssh/authorized"
start_sshd() {
	port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
	cat >"$T/ssh/conf" <<-END
		Port $port
		ListenAddress 127.0.0.1
		HostKey $T/ssh/host
		AuthorizedKeysFile $T/ssh/authorized
		PidFile none
		StrictModes no
		SetEnv SHLVL=1
		UsePAM no
		PasswordAuthentication no
		LogLevel VERBOSE
	END
	: >"$T/ssh/log"
	$sshd -D -e -f "$T/ssh/conf" 2>"$T/ssh/log" &
	sshd_pid=$!
	until_true 20 grep -q 'Server listening\|Cannot bind' "$T/ssh/log" || return 1
	grep -q 'Server listening' "$T/ssh/log"
}
tries=0
until start_sshd; do
	tries=$((tries + 1))
	[ $tries -lt 20 ] || { flunk 'sshd starts' "$(cat "$T/ssh/log")"; finish; exit; }
done
trap 'kill -CONT $sshd_pid; kill $sshd_pid; cd / && rm -rf "$T"' EXIT
contacts() { grep -c '^Connection from' "$T/ssh/log"; }

# The sshd is no host of the mesh's: it takes connections, and nobody gets in.
clones "127.0.0.1:$port"
at ann deploy -push
check_equal 'deploy -push: the host failed' 3 "$got"
check_equal 'deploy: recorded' "deploy: 0 of 1 host
a (failed)
0 of 1 host" "$(git_at ann log -1 --format='%s%n%(trailers:key=Wgmesh-Failed,valueonly,separator=)%n%(trailers:key=Wgmesh-Deploy,valueonly,separator=)')"
check_equal 'deploy -push: the record is at the remote' "$(head_of ann)" "$(remote_head)"
check 'deploy -push: the lock is released' unlocked
at bob set a mtu=1400
contacts=$(contacts)
before=$(remote_head)
at bob deploy -push
check_equal 'deploy -push that lost the race: refused' "1: $before" "$got: $(remote_head)"
says 'deploy -push that lost the race: says so' 'no host was contacted: the remote'
check_equal 'deploy -push that lost the race: no host saw a connection' "$contacts" "$(contacts)"
check 'deploy -push that lost the race: no lock is left' unlocked
at bob deploy -pull -push
check_equal 'deploy -pull -push: merged and run' 3 "$got"
check 'deploy -pull -push: the host saw it' [ "$(contacts)" -gt "$contacts" ]
check_equal 'deploy -pull -push: all is at the remote' "$(head_of bob)" "$(remote_head)"
check_equal 'deploy -pull -push: serial and record of the merged state' 'deploy: 0 of 1 host' "$(git_at bob log -1 --format=%s)"
at ann plan -pull
check_equal 'plan -pull: planned what the remote has' "3: $(remote_head)" "$got: $(head_of ann)"
at ann deploy -push nosuch
check_equal 'a deploy that is refused: no lock is left' '2: ' "$got: $(remote_locks)"
at ann set a mtu=1300 -no-commit
at ann deploy -push
check_equal 'edits that are not committed: not deployed' '1: ' "$got: $(remote_locks)"
git_at ann checkout -q s.json
at ann deploy
check_equal 'deploy without a remote: recorded' '3: deploy: 0 of 1 host' "$got: $(git_at ann log -1 --format=%s)"
check 'deploy without a remote: the remote is behind' [ "$(head_of ann)" != "$(remote_head)" ]
at ann push

# bob_first_at REF: bob pushes when ann has begun to push that.
bob_first_at() {
	cat >remote.git/hooks/pre-receive <<-END
		#!/bin/sh
		read -r old new ref
		case "\$old \$new \$ref" in
		"\$new \$new "*) exit 0 ;;
		*$1*) [ -f '$T/w/go' ] || exit 0 ;;
		*) exit 0 ;;
		esac
		rm '$T/w/go'
		unset GIT_DIR GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
		git -C '$T/w/bob' push -q
	END
	chmod +x remote.git/hooks/pre-receive
	: >go
}
git_at bob pull -q --ff-only
at bob set a keepalive=5
bob_first_at refs/heads/main
at ann deploy -push
check_equal 'a record that lost the race: merged and pushed' "3: $(remote_head)" "$got: $(head_of ann)"
check 'a record that lost the race: bob was first' [ ! -f go ]
check_equal 'a record that lost the race: both are in the history' 2 \
	"$(git -C remote.git log --topo-order -3 --format=%s main | grep -c '^set a keepalive=5$\|^deploy: 0 of 1 host')"

git_at bob pull -q --ff-only
at bob set a keepalive=6
bob_first_at refs/wgmesh/lock
contacts=$(contacts)
at ann deploy -pull
check_equal 'deploy -pull: what came between pull and lock is seen' 1 "$got"
says 'deploy -pull: says so' 'no host was contacted: the remote got something new'
check_equal 'deploy -pull: no host saw a connection' "$contacts" "$(contacts)"
check 'deploy -pull: no lock is left' unlocked
at ann deploy -pull
check_equal 'deploy -pull: run' "3: 6" "$got: $(cd ann && "$WGMESH" cat | sed -n 's/.*"keepalive": //p')"
at ann push
rm remote.git/hooks/pre-receive
git_at bob pull -q --ff-only

# ---- the lock ----

# begin CLONE [PREFIX...]: a deploy that has the lock and waits for its host.
begin() {
	begin_clone=$1
	shift
	(cd "$begin_clone" && exec "$@" "$WGMESH" deploy -push -timeout 3000 >"$T/out.$begin_clone" 2>"$T/err.$begin_clone" </dev/null) &
	deploy_pid=$!
}
gone() { ! grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null; }
end() {
	until_true 60 gone "$1" || kill -KILL "$1"
	wait "$1"
	ended=$?
}

at ann lock
check_equal 'lock: nobody has it' '0: no deploy has the lock' "$got: $(cat "$T/out")"
kill -STOP $sshd_pid # from now on connections open, and nobody answers
begin ann
until_true 60 locked
lock=$(remote_locks)
at bob deploy -push
check_equal 'a second deploy: refused' "1: $lock" "$got: $(remote_locks)"
says 'a second deploy: told who has it' "$(id -un)@$(hostname), pid $deploy_pid"
says 'a second deploy: told since when' ', since '
says 'a second deploy: told the way out' 'wgmesh unlock'
at bob deploy -pull
check_equal 'deploy -pull: refused as well' 1 "$got"
at bob lock
check 'lock: who has it' grep -q "^$(id -un)@$(hostname), pid $deploy_pid has the deploy lock since .* UTC (.* seconds\?)" "$T/out"
for signal in TERM HUP INT; do
	case $signal in HUP) number=129 ;; INT) number=130 ;; *) number=143 ;; esac
	if [ $signal != TERM ]; then
		begin ann env --default-signal=$signal
		until_true 60 locked
	fi
	kill -$signal $deploy_pid
	end $deploy_pid
	check_equal "SIG$signal: ends it" $number "$ended"
	check "SIG$signal: the lock is released" unlocked
done

begin ann
until_true 60 locked
kill -KILL $deploy_pid
end $deploy_pid 2>/dev/null
check 'SIGKILL: the lock stays' locked
lock=$(remote_locks)
at bob deploy -pull -push
check_equal 'a stale lock: refused' "1: $lock" "$got: $(remote_locks)"
says 'a stale lock: whose it is' "pid $deploy_pid"
at bob unlock
check_equal 'unlock: not without a yes' "2: $lock" "$got: $(remote_locks)"
check 'unlock: shows whose it is' grep -q "pid $deploy_pid has the deploy lock" "$T/out"
at bob unlock -yes
check_equal 'unlock -yes: removed' '0: ' "$got: $(remote_locks)"
at bob unlock -yes
check_equal 'unlock: nothing to remove' '0: no deploy has the lock' "$got: $(cat "$T/out")"

one_is_gone() { gone $first || gone $second; }
one_of_two() {
	begin ann
	first=$deploy_pid
	begin bob
	second=$deploy_pid
	until_true 60 grep -q 'has the lock\|had the lock' "$T/err.ann" "$T/err.bob"
	until_true 60 one_is_gone
	gone $first && gone $second
	alone=$?
	owner=$(git -C remote.git for-each-ref --format='%(contents)' refs/wgmesh/lock | sed -n 's/.*, pid \([0-9]*\)$/\1/p')
	kill $first $second 2>/dev/null
	end $first
	one=$ended
	end $second
	[ $alone -eq 1 ] && case "$owner $one $ended" in
	"$first 143 1" | "$second 1 143") unlocked ;;
	*) false ;;
	esac
}
for try in 1 2 3 4 5; do
	check "two at once, $try: exactly one has it" one_of_two
done

# Someone else pushes while the hosts are asked: the last moment to refuse.
at bob set a mtu=1380
begin ann
until_true 60 locked
at bob push
check_equal 'a push while a deploy is asking hosts' 0 "$got"
kill -CONT $sshd_pid
end $deploy_pid
check_equal 'a state that is old by now is not deployed' 1 "$ended"
check 'a state that is old by now: says so' grep -q 'no host was changed: the remote' "$T/err.ann"
check 'a state that is old by now: no lock is left' unlocked
at ann pull

# ---- over ssh ----

git_at ann remote set-url origin "ssh://root@127.0.0.1:$port$T/w/remote.git"
at ann set a port=5100
GIT_SSH_COMMAND="ssh -F none -i $T/ssh/key -o BatchMode=yes -o UserKnownHostsFile=$T/ssh/known"
export GIT_SSH_COMMAND
before=$(remote_head)
at ann push
check_equal 'ssh: a host key that is not known is refused' "1: $before" "$got: $(remote_head)"
says 'ssh: says that it is the host key' 'Host key verification failed'
printf '[127.0.0.1]:%s %s\n' "$port" "$(cat "$T/ssh/host.pub")" >"$T/ssh/known"
at ann push
check_equal 'ssh: push' "0: $(head_of ann)" "$got: $(remote_head)"
git_at bob pull -q --ff-only
at bob set a mtu=1390
at bob push
at ann deploy -pull -push
check_equal 'ssh: deploy -pull -push' "3: $(head_of ann)" "$got: $(remote_head)"
check 'ssh: the lock is released' unlocked
at ann lock
check_equal 'ssh: lock' '0: no deploy has the lock' "$got: $(cat "$T/out")"
: >"$T/ssh/authorized"
at ann deploy -push
check_equal 'ssh: a login that is refused' 1 "$got"
says 'ssh: says so' 'Permission denied'

finish
