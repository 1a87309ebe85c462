#!/bin/sh
# Every test there is. As root it installs what it needs, on a fresh Debian 12
# too; otherwise it says what it needs and skips, with a reason, what cannot
# run. The last line is "N passed, N failed, N skipped".
#
#   sh tests/check.sh [PART...]    parts: build lint unit cli golden fuzz lab
cd "$(dirname "$0")/.." || exit 1
. tests/lib/harness.sh
. tests/lib/packages.sh

parts=${*:-build lint unit cli golden fuzz lab}
jobs=$(nproc)
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT

list() { tr '\n' ' ' <"$1"; }
wants() { case " $parts " in *" $1 "*) return 0 ;; esac; return 1; }

# Runs $2... and adds up the "N passed, N failed, N skipped" that it ends with.
run_script() {
	name=$1
	shift
	echo "== $name"
	"$@" >"$out/log" 2>&1
	status=$?
	sums=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$out/log" | tail -n 1)
	grep -v '^ok\|^[0-9]* passed, [0-9]* failed' "$out/log"
	add_up "$name" "$status" $sums
}

# Adds the sums $3 $4 $5 of $1, which ended with status $2.
add_up() {
	if [ $# -ne 5 ]; then
		flunk "$1" "ended with status $2 and without its sums"
		return
	fi
	echo "   $3 passed, $4 failed, $5 skipped"
	passed=$((passed + $3))
	failed=$((failed + $4))
	skipped=$((skipped + $5))
	[ "$2" -eq 0 ] || [ "$4" -gt 0 ] || flunk "$1" "ended with status $2"
}

# Runs a cmocka program, which speaks TAP.
run_unit() {
	name=$1
	shift
	echo "== $name"
	CMOCKA_MESSAGE_OUTPUT=TAP "$@" >"$out/log" 2>&1
	status=$?
	grep -v '^ok [0-9]* - \|^1\.\.\|^TAP version\|^# ok - ' "$out/log"
	# cmocka prints a skipped test as one that is not ok
	skips=$(grep -c '# SKIP' "$out/log")
	bad=$(grep '^not ok' "$out/log" | grep -vc '# SKIP')
	good=$(grep '^ok' "$out/log" | grep -vc '# SKIP')
	add_up "$name" "$status" "$good" "$bad" "$skips"
}

# Builds with the make variables $2...
build() {
	name=$1
	shift
	echo "== build: $name"
	check "builds without a warning: $name" \
		make -s -j "$jobs" WERROR=1 "$@"
}

build_all() {
	build gcc all units
	build clang CC=clang all units
	build 'gcc, address and undefined behaviour sanitizers' \
		SAN=address,undefined all units replays
}

lint() {
	check "includes keep to the layers" sh tests/layers.sh
	check "each header stands alone" make -s WERROR=1 headers
	check "the manual and the program agree" sh tests/docs.sh
}

units() {
	for test in tests/unit/test_*.c; do
		unit=$(basename "$test" .c)
		run_unit "unit: $unit" "build/unit/$unit"
		run_unit "unit, sanitized: $unit" "build/gcc-san/unit/$unit"
	done
}

cli() {
	for test in tests/cli/test_*.sh; do
		script=$(basename "$test" .sh)
		run_script "cli: $script" sh "$test"
		WGMESH=$PWD/build/gcc-san/wgmesh \
			run_script "cli, sanitized: $script" sh "$test"
	done
}

golden() {
	run_script golden sh tests/golden/run.sh
	WGMESH=$PWD/build/gcc-san/wgmesh \
		run_script "golden, sanitized" sh tests/golden/run.sh
}

replays() {
	for target in build/gcc-san/fuzz/fuzz_*; do
		name=$(basename "$target")
		case $name in *.*) continue ;; esac
		check "corpus replayed: $name" "$target" \
			"tests/fuzz/corpus/${name#fuzz_}"
	done
}

lab() {
	if ! why=$(packages_need $(list tests/lab/packages.txt)); then
		for test in tests/lab/test_*.sh; do
			skip "lab: $(basename "$test" .sh)" "$why"
		done
		return
	fi
	[ -z "$why" ] || echo "$why"
	for test in tests/lab/test_*.sh; do
		run_script "lab: $(basename "$test" .sh)" bash "$test"
	done
}

# a cancelled thread trips over the other stack for signals
export ASAN_OPTIONS=detect_leaks=1:use_sigaltstack=0 UBSAN_OPTIONS=print_stacktrace=1
# libgit2 1.5 forgets to free what it gets from it
echo leak:libpcre2 >"$out/leaks"
export LSAN_OPTIONS="suppressions=$out/leaks:print_suppressions=0"
export WGMESH="$PWD/build/wgmesh"

if ! packages_need $(list tests/packages-build.txt); then
	skip "everything" "cannot be built without those"
	finish
fi
packages_need $(list tests/packages-check.txt) || wanting=1
wants build && build_all
wants lint && lint
wants unit && units
wants cli && cli
wants golden && golden
wants fuzz && replays
wants lab && lab
[ -z "${wanting:-}" ] || echo "some tests could not be built: see above"
finish
