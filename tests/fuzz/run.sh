#!/bin/sh
# Fuzzes every target with clang's libFuzzer, address and undefined behaviour
# sanitizers, SECONDS_EACH seconds each, starting from its corpus. The sources of
# the library are the arguments; CC, CPPFLAGS and LIBS come from the Makefile:
#
#   make fuzz CC=clang FUZZ_SECONDS=120
#
# FUZZ_TARGETS="fuzz_state fuzz_probe" runs those alone.
#
# What crashes a target is kept in build/fuzz-crashes and named at the end;
# tests/fuzz/corpus is not written to.
cd "$(dirname "$0")/../.." || exit 1

seconds=${SECONDS_EACH:-30}
sanitize=address,undefined
crashes=build/fuzz-crashes
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { (void)p; (void)n; return 0; }' >"$work/probe.c"
if ! "${CC:-clang}" -fsanitize=fuzzer "$work/probe.c" -o "$work/probe" 2>"$work/why"; then
	echo "fuzz: ${CC:-clang} has no libFuzzer: use CC=clang, with the package libclang-rt-14-dev" >&2
	exit 1
fi

# compile OUT SOURCE: with coverage, for a fuzz target.
compile() {
	# shellcheck disable=SC2086
	"$CC" $CPPFLAGS -std=gnu11 -g -O1 -fno-omit-frame-pointer -pthread \
		-fsanitize=fuzzer-no-link,$sanitize -fno-sanitize-recover=all \
		-c -o "$1" "$2"
}

n=0
for source in "$@"; do
	n=$((n + 1))
	compile "$work/lib$n.o" "$source" || exit 1
done

# fuzz TARGET: build and run one.
fuzz() {
	name=$(basename "$1" .c)
	compile "$work/$name.o" "$1" &&
		"$CC" -pthread -fsanitize=fuzzer,$sanitize -o "$work/$name" \
			"$work/$name.o" "$work"/lib*.o $LIBS || return 1
	mkdir -p "$crashes" "$work/new-$name"
	"$work/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$crashes/$name-" \
		"$work/new-$name" "tests/fuzz/corpus/${name#fuzz_}" >"$work/log" 2>&1
	status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
	echo "$name: ${runs:-0} runs, exit status $status"
	[ "$status" -eq 0 ] || tail -n 60 "$work/log"
	return "$status"
}

failed=
for target in tests/fuzz/fuzz_*.c; do
	name=$(basename "$target" .c)
	case " ${FUZZ_TARGETS:-$name} " in *" $name "*) ;; *) continue ;; esac
	fuzz "$target" || failed="$failed $name"
done
if [ -n "$failed" ]; then
	echo "fuzz: failed:$failed; the inputs are in $crashes" >&2
	exit 1
fi
