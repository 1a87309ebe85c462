#!/bin/sh
# A remote over http with a password: git's own back end behind busybox's httpd
# on loopback. Pull, push and the deploy lock go there with git's credential
# helper; what the server says against it is shown, the password never.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

# shellcheck disable=SC2154 # got is set in common.sh

backend=$(git --exec-path 2>/dev/null)/git-http-backend
if [ ! -x "$backend" ] || ! busybox httpd --help >/dev/null 2>&1; then
	skip 'a remote over http' 'needs git-http-backend and busybox httpd'
	finish
	exit
fi
. tests/cli/team.sh
unset http_proxy https_proxy all_proxy HTTP_PROXY ALL_PROXY no_proxy GIT_ASKPASS SSH_ASKPASS

word=correct-horse-battery
mkdir -p "$T/web/cgi-bin"
cat >"$T/web/cgi-bin/git" <<END
#!/bin/sh
GIT_PROJECT_ROOT='$T/w' GIT_HTTP_EXPORT_ALL=1 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
export GIT_PROJECT_ROOT GIT_HTTP_EXPORT_ALL GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
exec '$backend'
END
chmod 755 "$T/web/cgi-bin/git"
printf '/cgi-bin:ann:%s\n' "$word" >"$T/httpd.conf"
serve() {
	port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
	busybox httpd -f -p "127.0.0.1:$port" -h "$T/web" -c "$T/httpd.conf" 2>"$T/httpd.log" &
	httpd=$!
	until_true 20 answers || return 1
	kill -0 $httpd
}
answers() { ! kill -0 $httpd 2>/dev/null || git ls-remote "http://127.0.0.1:$port/none" 2>&1 | grep -q 'not found'; }
tries=0
until serve 2>/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 20 ] || { flunk 'httpd starts' "$(cat "$T/httpd.log")"; finish; exit; }
done
trap 'kill $httpd; cd / && rm -rf "$T"' EXIT

at_hub="http://127.0.0.1:$port/cgi-bin/git/remote.git"
head_of() { git_at "$1" rev-parse HEAD; }
remote_head() { git -C "$T/w/remote.git" rev-parse main; }
unlocked() { [ -z "$(git -C "$T/w/remote.git" for-each-ref refs/wgmesh)" ]; }
not() { ! "$@"; }
says() { check "$1" grep -qF -e "$2" "$T/err"; }
hidden() { check "$1: the password is not shown" not grep -rqF -e "$word" "$T/err" "$T/out" "$T/log"; }

clones 127.0.0.1:1
for clone in ann bob; do git_at $clone remote set-url origin "$at_hub"; done
before=$(remote_head)
at ann set a mtu=1400

at ann push
check_equal 'no password: refused' "1: $before" "$got: $(remote_head)"
says 'no password: what is missing' 'could not read Username'
git config --global credential.helper "store --file=$T/credentials"
echo "http://ann:wrong@127.0.0.1:$port" >"$T/credentials"
at ann push
check_equal 'a wrong password: refused' "1: $before" "$got: $(remote_head)"
says 'a wrong password: says so' 'Authentication failed'
if command -v script >/dev/null; then
	: >"$T/credentials"
	(cd ann && script -qec "'$WGMESH' push" /dev/null >"$T/out" 2>&1 </dev/null)
	check 'at a terminal: asked by git' grep -q 'Username for' "$T/out"
else
	skip 'at a terminal' 'there is no script here'
fi

echo "http://ann:$word@127.0.0.1:$port" >"$T/credentials"
at ann push
check_equal 'push' "0: $(head_of ann)" "$got: $(remote_head)"
at bob pull
check_equal 'pull' "0: $(head_of ann)" "$got: $(head_of bob)"
at bob set a keepalive=9
at ann set a port=5001
at bob push
at ann push
check_equal 'push that lost the race: refused' 1 "$got"
says 'push that lost the race: what to do' 'pull them first'
at ann pull
says 'pull: both became one' 'merged what is new'
at ann lock
check_equal 'lock: nobody has it' '0: no deploy has the lock' "$got: $(cat "$T/out")"
at ann deploy -pull -push -timeout 5 -log "$T/log"
check_equal 'deploy -pull -push: the record is at the remote' "3: $(head_of ann)" "$got: $(remote_head)"
check 'deploy -pull -push: the lock is released' unlocked
hidden 'deploy -pull -push'
git_at bob pull -q

if strace -o "$T/trace" true 2>/dev/null; then
	at ann set a mtu=1401
	(cd ann && strace -f -s 9999 -e trace=execve -o "$T/trace" "$WGMESH" push) 2>"$T/err"
	check 'the programs that ran: there are some' grep -q 'git-remote-http' "$T/trace"
	check 'the programs that ran: none was told the password' not grep -qF -e "$word" "$T/trace"
	git_at bob pull -q
else
	skip 'what programs are told' 'strace cannot trace here'
fi

# Somebody else has the lock: whose, and how it goes.
id=$(cd ann && "$WGMESH" list -json | sed -n 's/.*"mesh_id": *"\([0-9a-f]*\)".*/\1/p')
lock=refs/wgmesh/lock/$(printf 'wgmesh lock %s' "$id" | sha256sum | cut -c1-32)
git -C remote.git update-ref "$lock" "$(git -C remote.git -c user.name=eve -c user.email=eve@example.org commit-tree -m "deploy lock

Wgmesh-Owner: eve@night" "$(git -C remote.git mktree </dev/null)")"
at ann lock
check 'lock: who has it' grep -q '^eve@night has the deploy lock' "$T/out"
at ann deploy -push -timeout 5
check_equal 'locked: refused' 1 "$got"
says 'locked: told who has it' 'eve@night, since'
at ann unlock -yes
check_equal 'unlock' 0 "$got"
check 'unlock: it is gone' unlocked
check_equal 'what was read of locks leaves nothing here' '' "$(git_at ann for-each-ref refs/wgmesh)"

# What git's config does to an address.
at bob set a mtu=1390
git_at bob remote set-url origin hub:remote.git
git_at bob config "url.http://127.0.0.1:$port/cgi-bin/git/.insteadOf" hub:
at bob push
check_equal 'insteadOf' "0: $(head_of bob)" "$got: $(remote_head)"
at bob set a mtu=1391
git_at bob remote set-url origin "$T/w/remote.git"
git_at bob remote set-url --push origin "$at_hub"
at bob push
check_equal 'an address of its own for pushes' "0: $(head_of bob)" "$got: $(remote_head)"
at bob pull
check_equal 'and the other one for pulls' 0 "$got"
git_at ann config http.proxy http://127.0.0.1:1
at ann pull
check_equal 'a proxy that is not there: refused' 1 "$got"
says 'a proxy that is not there: says so' 'cannot fetch from'
git_at ann config --unset http.proxy
at ann pull
check_equal 'without it' "0: $(remote_head)" "$got: $(head_of ann)"
git_at ann remote set-url origin "http://ann:$word@127.0.0.1:1/x.git"
at ann pull
check_equal 'a password in the address' 1 "$got"
hidden 'a password in the address'
git_at ann remote set-url origin "http://127.0.0.1:$port/cgi-bin/git/none.git"
at ann pull
check_equal 'a repository that is not there' 1 "$got"
says 'a repository that is not there: says so' 'not found'
git_at ann remote set-url origin "$at_hub"

# ---- what the server says against a push ----

# HOOK NAME WORDS...: it says them, and no; the words are shown.
said_by() {
	printf '#!/bin/sh\n%s\nexit 1\n' "$2" >"remote.git/hooks/$1" && chmod +x "remote.git/hooks/$1"
	before=$(remote_head)
	at ann push
	rm "remote.git/hooks/$1"
	check_equal "$1: refused" "1: $before" "$got: $(remote_head)"
	shift 2
	for words; do says "it says: $words" "$words"; done
	check_equal 'in one line that no terminal obeys' 1 "$(LC_ALL=C grep -vc '[[:cntrl:]]' "$T/err")"
}
at ann set a mtu=1380
said_by pre-receive 'echo "GL-HOOK-ERR: commits need a Signed-off-by line" >&2' 'remote: GL-HOOK-ERR: commits need a Signed-off-by line'
said_by update 'echo "error: GH006: Protected branch update failed for $1." >&2; echo "error: At least 1 approving review is required" >&2' \
	'remote: error: GH006: Protected branch update failed for refs/heads/main.' 'remote: error: At least 1 approving review'
said_by pre-receive 'printf "\033[2J\033]0;x\007 no \303\244 \200 \342\200\256\n"' 'remote: \x1b[2J' 'hook declined'
said_by pre-receive 'printf "line that ends as in DOS\r\nnext\r\n1%%: 5 \r\n"' 'remote: line that ends as in DOS' 'remote: next'
said_by pre-receive 'i=0; while [ $i -lt 3000 ]; do echo "rule $i is broken"; i=$((i + 1)); done' 'hook declined'
said_by pre-receive 'printf "no end"' 'remote: no end'
git -C remote.git config receive.denyDeletes true
git -C remote.git config http.receivepack false
at ann push
check_equal 'no pushes at all: refused' 1 "$got"
says 'no pushes at all: says so' 'cannot push to the remote'

finish
