# shellcheck shell=sh
# What the tests of several clones share; source it after common.sh, in the
# empty folder. HOME is the test's own.
#
#   clones                remote.git, and clones ann and bob of a state with
#                         a node, here
#   at CLONE ARGS...      the program there, as run()
#   git_at CLONE ARGS...  git there

unset GIT_DIR GIT_WORK_TREE GIT_SSH_COMMAND GIT_SSH
export GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat GIT_EDITOR=true LC_ALL=C
export WGMESH_STATE=s.json

at() {
	at_folder=$1
	shift
	cd "$T/w/$at_folder" || exit 1
	run "$@"
	cd "$T/w" || exit 1
}

git_at() {
	git_folder=$1
	shift
	git -C "$T/w/$git_folder" "$@"
}

clone() {
	git clone -q "$1" "$2" && git -C "$2" config user.name "$2" &&
		git -C "$2" config user.email "$2@example.org"
}

clones() {
	empty_folder
	git config --global init.defaultBranch main
	[ -f "$T/id" ] || "$WGMESH" identity new "$T/id" >"$T/to" 2>/dev/null
	export WGMESH_IDENTITY="$T/id"
	git init -q --bare remote.git && clone remote.git ann 2>/dev/null || exit 1
	at ann init -recipient "$(cat "$T/to")"
	at ann add -offline "a:auto:${1:-192.0.2.1}"
	git_at ann push -q -u origin main && clone remote.git bob || exit 1
}
