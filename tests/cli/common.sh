# shellcheck shell=sh
# What the command line tests share. Source it in the project's folder: it
# makes a temporary folder $T, removed at the end, and $WGMESH absolute.
#
#   good_state            a folder $T/w with a good state s.json, and go there
#   empty_folder          a folder $T/w with nothing in it, and go there
#   run ARGS...           the program; its status is in $got, what it printed
#                         in $T/out and $T/err
#   refused NAME STATUS WORDS ARGS...
#                         one case: the program ends with STATUS, prints nothing
#                         to stdout and one line to stderr that holds WORDS and
#                         nothing a terminal obeys, and leaves every file as it
#                         was
#   others_program        $T/bin/as-nobody: the program as another user, who may
#                         not reach the folder of $WGMESH (root, setpriv); opens
#                         $T to him

. tests/lib/harness.sh

WGMESH=${WGMESH:-build/wgmesh}
WGMESH=$(cd "$(dirname "$WGMESH")" && pwd)/$(basename "$WGMESH")
[ -x "$WGMESH" ] || { echo "there is no program $WGMESH" >&2; exit 1; }
unset WGMESH_STATE
T=$(mktemp -d) || exit 1
T=$(cd "$T" && pwd -P)
trap 'cd / && rm -rf "$T"' EXIT
export HOME="$T"

empty_folder() {
	cd "$T" && rm -rf w && mkdir -m 755 w && cd w || exit 1
}

# Two nodes, both families; the network is small enough to have edges.
make_good_state() {
	empty_folder
	"$WGMESH" init -state s.json -network 10.99.0.0/24 -network6 fd99::/64 &&
		"$WGMESH" add -state s.json -offline a:10.99.0.1:192.0.2.1 &&
		"$WGMESH" add -state s.json -offline b:auto:b.example.org:2222 &&
		cp s.json "$T/good.json"
} >/dev/null

good_state() {
	[ -f "$T/good.json" ] || make_good_state || exit 1
	empty_folder
	cp "$T/good.json" s.json
	chmod 600 s.json
}

run() {
	"$WGMESH" "$@" >"$T/out" 2>"$T/err" </dev/null
	got=$?
}

others_program() {
	install -d -m 755 "$T/bin"
	install -m 755 "$WGMESH" "$T/bin/wgmesh"
	printf '#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups "%s/bin/wgmesh" "$@"\n' "$T" >"$T/bin/as-nobody"
	chmod 755 "$T/bin/as-nobody" "$T"
}

# Every file here with its kind, mode and link; and inode, size and the time of
# its last change, so that one that was written anew is another one.
snapshot() {
	find . -type f -printf '%p %m %i %s %C@\n' -o -printf '%p %y %m %l\n'
}

# Bytes that steer a terminal, as patterns for grep in the C locale: control
# characters, those of the second kind, marks of direction, the byte order mark.
steering=$(printf '[[:cntrl:]]\n\302[\200-\237]\n\342\200[\213-\217\250-\256]\n\342\201[\246-\251]\n\357\273\277')

newline='
'

# What is wrong with the last run, in words; nothing when it is as it should be.
complaints() {
	[ "$got" -eq "$1" ] || echo "exit status $got, expected $1"
	[ ! -s "$T/out" ] || echo "something on standard output"
	err=$(cat "$T/err")
	case $err in
	*"$newline"* | '') echo "not one line on stderr" ;;
	'wgmesh: '*) ;;
	*) echo "the line does not start with wgmesh:" ;;
	esac
	! LC_ALL=C grep -q "$steering" "$T/err" || echo "control characters"
	case $err in
	*"$2"*) ;;
	*) echo "does not say: $2" ;;
	esac
	[ "$3" = "$4" ] || printf 'files differ:\n%s\nafter:\n%s\n' "$3" "$4"
}

refused() {
	case $1 in
	*[!\ -[\]-~]*) name=$(printf %s "$1" | tr '\\\n' '/ ' | cat -v) ;;
	*) name=$1 ;;
	esac
	status=$2 words=$3
	shift 3
	before=$(snapshot)
	run "$@"
	why=$(complaints "$status" "$words" "$before" "$(snapshot)")
	if [ -z "$why" ]; then
		pass "$name"
	else
		flunk "$name" "$why
$(cat -v "$T/err")"
	fi
}
