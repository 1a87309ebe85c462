# shellcheck shell=sh
# Counting for shell tests. Source it, report each case once, end with `finish`.
#
#   pass NAME             the case holds
#   flunk NAME [DETAIL]   it does not
#   skip NAME REASON      it could not be tried; counted and shown
#   check NAME CMD...     pass or flunk by the command's exit status; what it
#                         printed is shown when it fails
#   check_equal NAME EXPECTED GOT
#   until_true SECONDS CMD...   wait for a condition; the limit is generous and
#                         no test is judged by how long it took
#   finish                print "N passed, N failed, N skipped", exit 0 or 1

passed=0
failed=0
skipped=0

pass() {
	passed=$((passed + 1))
	printf 'ok - %s\n' "$1"
}

flunk() {
	failed=$((failed + 1))
	printf 'not ok - %s\n' "$1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/    /'
}

skip() {
	skipped=$((skipped + 1))
	printf 'skipped - %s: %s\n' "$1" "$2"
}

check() {
	check_name=$1
	shift
	if check_output=$("$@" 2>&1); then
		pass "$check_name"
	else
		flunk "$check_name" "$* : $check_output"
	fi
}

check_equal() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		flunk "$1" "expected: $2
got:      $3"
	fi
}

until_true() {
	until_end=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$until_end" ] || return 1
		sleep 0.1
	done
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}
