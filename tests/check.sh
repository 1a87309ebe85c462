#!/bin/sh
# Every test there is. As root it installs what it needs, on a fresh Debian 12
# too; otherwise it says what it needs and skips, with a reason, what cannot
# run. The last line is "N passed, N failed, N skipped".
#
#   sh tests/check.sh [PART...]    parts: build lint unit threads cli golden
#                                  fuzz lab, or quick: unit tests that take no
#                                  time
cd "$(dirname "$0")/.." || exit 1
. tests/lib/harness.sh
. tests/lib/packages.sh
. tests/lib/side_by_side.sh

parts=${*:-build lint unit threads cli golden fuzz lab}
jobs=$(nproc)

list() { tr '\n' ' ' <"$1"; }
wants() { case " $parts " in *" $1 "*) return 0 ;; esac; return 1; }

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
	build 'gcc, thread sanitizer' SAN=thread \
		$(for unit in $threaded; do echo "build/gcc-thread/unit/$unit"; done)
}

# Unit tests with more than one thread: the pool, sessions side by side and the
# front of the agent, the guard of the deploy lock.
threaded='test_base_run test_remote test_guard'

# Not all of test_remote: the C library looks a name up in a thread of its own
# making, which the sanitizer does not know of and does not survive.
threads() {
	for unit in test_base_run test_guard; do
		later unit "unit, threads: $unit" "build/gcc-thread/unit/$unit"
	done
	for some in 'agent_*' 'too_many_keys' 'many_at_once'; do
		later unit "unit, threads: test_remote, $some" \
			build/gcc-thread/unit/test_remote "$some"
	done
}

lint() {
	check "includes keep to the layers" sh tests/layers.sh
	check "each file says what it is" sh tests/files.sh
	check "each header stands alone" make -s WERROR=1 headers
	check "the manual and the program agree" sh tests/docs.sh
	check "what runs on hosts is portable" sh tests/host_texts.sh
}

slow=$(sed -n 's/^\(test_[a-z_]*\).*/\1/p' tests/unit/slow.txt | tr '\n' ' ')

fast_units() {
	for test in tests/unit/test_*.c; do
		unit=$(basename "$test" .c)
		case " $slow" in *" $unit "*) continue ;; esac
		echo "$unit"
	done
}

quick() {
	for unit in $(fast_units); do
		later unit "unit: $unit" "build/unit/$unit"
	done
}

# The slow ones come last, where a worker begins.
units() {
	for unit in $(fast_units) $slow; do
		later unit "unit: $unit" "build/unit/$unit"
		later unit "unit, sanitized: $unit" "build/gcc-san/unit/$unit"
	done
}

cli() {
	for test in tests/cli/test_*.sh; do
		script=$(basename "$test" .sh)
		later script "cli: $script" sh "$test"
		# a program that is killed has nothing to report
		case $script in
		*_kill) ;;
		*) later script "cli, sanitized: $script" env "WGMESH=$sanitized" sh "$test" ;;
		esac
	done
	later script "the recipes of CONTRIBUTING.md" sh tests/recipes.sh
}

golden() {
	later script golden sh tests/golden/run.sh
	later script "golden, sanitized" env "WGMESH=$sanitized" sh tests/golden/run.sh
}

replays() {
	for target in build/gcc-san/fuzz/fuzz_*; do
		name=$(basename "$target")
		case $name in *.*) continue ;; esac
		later case "corpus replayed: $name" "$target" \
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
		later script "lab: $(basename "$test" .sh)" bash "$test"
	done
}

# a cancelled thread trips over the other stack for signals
export ASAN_OPTIONS=detect_leaks=1:use_sigaltstack=0 UBSAN_OPTIONS=print_stacktrace=1
# libgit2 1.5 forgets to free what it gets from it
echo leak:libpcre2 >"$SIDE/leaks"
export LSAN_OPTIONS="suppressions=$SIDE/leaks:print_suppressions=0"
export TSAN_OPTIONS=halt_on_error=1
export WGMESH="$PWD/build/wgmesh"
sanitized=$PWD/build/gcc-san/wgmesh

if wants quick; then
	quick
	side_by_side
	finish
fi
if ! packages_need $(list tests/packages-build.txt); then
	skip "everything" "cannot be built without those"
	finish
fi
packages_need $(list tests/packages-check.txt) || wanting=1
wants build && build_all
wants lint && lint
wants lab && lab
wants cli && cli
wants golden && golden
wants fuzz && replays
wants threads && threads
wants unit && units
side_by_side
[ -z "${wanting:-}" ] || echo "some tests could not be built: see above"
finish
