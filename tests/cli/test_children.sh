#!/bin/sh
# The programs that commands start: no signal ignored or blocked by us, no
# descriptor of ours, ended and reaped whatever they do.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

export GIT_CONFIG_NOSYSTEM=1

# spy NAME: what a program named so would find; in $T/NAME.
make_spy() {
	cat >"$T/spy" <<-'END'
	#!/bin/sh
	{
		sed -n 's/^SigBlk:[[:space:]]*//p; s/^SigIgn:[[:space:]]*//p' /proc/$$/status | tr '\n' ' '
		for fd in 3 4 5 6 7 8 9; do [ ! -e "/proc/$$/fd/$fd" ] || echo "descriptor $fd"; done
	} >"$T/$1"
	[ "$1" != password ] || echo 'a long enough passphrase'
	[ "$1" != signer ]
	END
	chmod 755 "$T/spy"
	export T
}

# found NAME: the spy was there; it found no signal blocked, SIGPIPE (bit 0x1000) not ignored, no descriptor.
found() {
	words=$(cat "$T/$1" 2>/dev/null)
	case $words in
	'0000000000000000 '????????????[02468ace]???' ' | '0000000000000000 '????????????[02468ace]???) pass "$1" ;;
	*) flunk "$1" "blocked, ignored, descriptors: $words" ;;
	esac
}

all() {
	empty_folder
	make_spy
	# 3 is a descriptor of our own caller: a program gets three, and no more
	exec 3</dev/null
	run init -state s.json -encrypt -password-command "$T/spy password"
	check_equal 'a password command works' 0 "$got"
	found password
	good_state
	if command -v script >/dev/null; then
		VISUAL="$T/spy editor" script -qec "'$WGMESH' edit -state s.json" /dev/null >/dev/null 2>&1 </dev/null
		found editor
	else
		skip editor 'there is no script here to make a terminal'
	fi
	mkdir -m 700 "$T/.ssh"
	printf 'Host *\nProxyCommand %s/spy proxy\n' "$T" >"$T/.ssh/config"
	chmod 600 "$T/.ssh/config"
	run plan -state s.json a
	rm "$T/.ssh/config"
	found proxy
	exec 3<&-
}

git_children() {
	command -v git >/dev/null || { skip 'what git would start' 'there is no git here'; return; }
	empty_folder
	git config --global user.name Admin
	git config --global user.email admin@example.org
	git init -q .
	"$WGMESH" identity new "$T/id" >"$T/to" 2>/dev/null
	export WGMESH_IDENTITY="$T/id"
	run init -state s.json -recipient "$(cat "$T/to")" -no-commit
	git add s.json && git commit -qm first && git remote add origin ssh://h.invalid/x && git config branch."$(git branch --show-current)".remote origin
	git config branch."$(git branch --show-current)".merge refs/heads/main
	mkdir bin && printf '#!/bin/sh\n"%s/spy" transport\nexit 1\n' "$T" >bin/git && chmod 755 bin/git
	PATH=$PWD/bin:$PATH run pull -state s.json
	rm -r bin
	check 'a program that carries nothing ends the command' [ "$got" -ne 0 ]
	found transport
	git config commit.gpgsign true
	git config gpg.program "$T/spy"
	git config user.signingkey signer
	printf '#!/bin/sh\nexec "%s/spy" signer\n' "$T" >"$T/gpg" && chmod 755 "$T/gpg"
	git config gpg.program "$T/gpg"
	run add -state s.json -offline a:10.99.0.1:192.0.2.1
	found signer
	unset WGMESH_IDENTITY
}

# A command that is started without standard descriptors does not write what it says into its files.
no_descriptors() {
	good_state
	"$WGMESH" plan -state s.json -log log no-such-node 2>&- >/dev/null
	check_equal 'started without stderr: what is said is in no file' 0 "$(grep -vc '^{.*}$' log)"
	"$WGMESH" set -state s.json a mtu=1400 <&- >&- 2>&-
	run list -state s.json
	check_equal 'started without any: the state is whole' 0 "$got"
}

# What says more than a passphrase can be is ended by SIGPIPE, not waited for.
endless() {
	empty_folder
	run init -state s.json -encrypt -password-command yes
	check 'a password command without an end is refused' [ "$got" -ne 0 ]
	check_equal 'and nothing is made' '' "$(ls)"
}

all
git_children
no_descriptors
endless
finish
