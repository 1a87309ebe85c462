#!/bin/sh
# The files that commands make: the user's umask holds for all that is no
# secret, and nothing of the user's beside them is touched.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

export GIT_CONFIG_NOSYSTEM=1

mode() {
	stat -c %a "$1"
}

# ---- the umask is the user's ----

# Two clones of a bare repository on this machine; the second has pushed another file and a change of the state.
make_clones() {
	git config --global user.name Admin
	git config --global user.email admin@example.org
	git config --global init.defaultBranch main
	git init -q --bare hub.git
	git init -q one
	(cd one && "$WGMESH" identity new "$T/id" >"$T/to" 2>/dev/null
		WGMESH_IDENTITY=$T/id "$WGMESH" init -state s.json -recipient "$(cat "$T/to")" -no-commit >/dev/null
		git add s.json && git commit -qm first && git remote add origin ../hub.git && git push -q -u origin main)
	git clone -q hub.git two
	(cd two && mkdir docs && echo text >docs/notes && git add docs && git commit -qm notes && git push -q)
}

umask_022() {
	command -v git >/dev/null || { skip 'the umask of the user' 'there is no git here'; return; }
	empty_folder
	umask 022
	make_clones
	cd one || exit 1
	export WGMESH_IDENTITY="$T/id"
	run pull -state s.json
	check_equal 'pull works' 0 "$got"
	check_equal 'pull: a file of the user has the mode of his umask' 644 "$(mode docs/notes)"
	check_equal 'pull: so has a folder' 755 "$(mode docs)"
	check_equal 'pull: the state is for its owner alone' 600 "$(mode s.json)"
	run add -state s.json -offline a:10.99.0.1:192.0.2.1
	check_equal 'a commit works' 0 "$got"
	run push -state s.json
	check_equal 'push works' 0 "$got"
	check_equal 'push: colleagues can read the bare repository' '' "$(find ../hub.git ! -perm -004)"
	check_equal 'a commit: others can read what git has' '' "$(find .git/objects .git/refs .git/index ! -perm -004)"
	run git-setup -state s.json
	check_equal 'git-setup: hooks are for all who use the repository' '755 755' "$(mode .git/hooks/pre-commit) $(mode .git/hooks/wgmesh-pre-commit)"
	check_equal 'git-setup: so is .gitattributes' 644 "$(mode .gitattributes)"
	unset WGMESH_IDENTITY
	cd ..
}

children() {
	empty_folder
	umask 027
	printf '#!/bin/sh\numask >%s/umask\necho a long enough passphrase\n' "$T" >ask
	chmod 755 ask
	run init -state s.json -encrypt -password-command ./ask
	check_equal 'the password command has the umask of the user' 0027 "$(cat "$T/umask")"
	umask 022
}

secrets() {
	good_state
	umask 000
	run render -state s.json -all -output confs
	check_equal 'a key is for its owner alone, whatever the umask: render' '700 600' "$(mode confs) $(mode confs/a.conf)"
	run identity new id
	check_equal 'identity new' 600 "$(mode id)"
	run init -state deep/er/t.json
	check_equal 'init' '700 700 600' "$(mode deep) $(mode deep/er) $(mode deep/er/t.json)"
	umask 022
}

# ---- what is the user's beside them ----

beside() {
	good_state
	mkdir confs
	for f in confs/a.conf.new id.new plan.new; do echo mine >"$f"; done
	run render -state s.json -all -output confs
	check_equal 'render works' 0 "$got"
	run identity new id
	check_equal 'identity new works' 0 "$got"
	run init -state empty.json
	run plan -state empty.json -out plan
	check_equal 'plan -out works' '0 600' "$got $(mode plan)"
	check_equal 'FILE.new of the user stays: render, identity new, plan -out' 'mine mine mine' "$(cat confs/a.conf.new id.new plan.new | tr '\n' ' ' | sed 's/ $//')"
	check_equal 'and nothing else is left' 'a.conf a.conf.new b.conf' "$(ls -A confs | tr '\n' ' ' | sed 's/ $//')"
	mkfifo confs2 && mkdir c && mv confs2 c/a.conf
	before=$(snapshot)
	run render -state s.json -all -output c
	check 'what is no regular file is not replaced' [ "$got" -ne 0 ]
	check 'and said' grep -q 'a.conf' "$T/err"
	check_equal 'and left' "$before" "$(snapshot)"
}

umask_022
children
secrets
beside
finish
