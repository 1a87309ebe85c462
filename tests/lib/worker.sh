#!/bin/sh
# One worker of side_by_side.sh: takes tests that nobody has taken yet, from
# the last one down or (third argument 0) from the first one up.
#
#   sh tests/lib/worker.sh FOLDER COUNT DOWN
. tests/lib/harness.sh
out=$1 count=$2 down=$3

# Runs $2... and adds up the "N passed, N failed, N skipped" that it ends with.
run_script() {
	name=$1
	shift
	"$@" >"$log" 2>&1
	status=$?
	sums=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -n 1)
	grep -v '^ok\|^[0-9]* passed, [0-9]* failed' "$log"
	# shellcheck disable=SC2086
	add_up "$name" "$status" $sums
}

# Runs a cmocka program, which speaks TAP and prints a skipped test as one that
# is not ok.
run_unit() {
	name=$1
	shift
	CMOCKA_MESSAGE_OUTPUT=TAP "$@" >"$log" 2>&1
	status=$?
	awk -v sums="$log.tap" '
		/# SKIP/ { skips++ }
		/^ok/ && !/# SKIP/ { good++ }
		/^not ok/ && !/# SKIP/ { bad++ }
		!/^ok [0-9]* - |^1\.\.|^TAP version|^# ok - /
		END { print good + 0, bad + 0, skips + 0 >sums }' "$log"
	read -r good bad skips <"$log.tap"
	add_up "$name" "$status" "$good" "$bad" "$skips"
}

run_case() {
	check "$@"
}

# Sets $cpu to the seconds that what this worker ran has used of a processor.
# "times" knows only of the shell it runs in: so no pipe.
processor() {
	times >"$out/times.$$"
	cpu=$(awk 'NR == 2 {
		split($1, user, /[ms]/)
		split($2, kernel, /[ms]/)
		printf "%d", (user[1] + kernel[1]) * 60 + user[2] + kernel[2]
	}' "$out/times.$$")
}

# Adds the sums $3 $4 $5 of $1, which ended with status $2.
add_up() {
	if [ $# -ne 5 ]; then
		flunk "$1" "ended with status $2 and without its sums"
		return
	fi
	processor
	echo "   $3 passed, $4 failed, $5 skipped ($(($(date +%s) - began)) s, $((cpu - used)) s of a processor)"
	passed=$((passed + $3))
	failed=$((failed + $4))
	skipped=$((skipped + $5))
	[ "$2" -eq 0 ] || [ "$4" -gt 0 ] || flunk "$1" "ended with status $2"
}

# Runs the test number $1.
work() {
	processor
	began=$(date +%s) used=$cpu log=$out/$1.log passed=0 failed=0 skipped=0
	set -- "$out/$1.job"
	while IFS= read -r word; do
		set -- "$@" "$word"
	done <"$1"
	shift
	kind=$1
	shift
	[ "$kind" = case ] || echo "== $1"
	"run_$kind" "$@"
}

i=0
while [ "$i" -lt "$count" ]; do
	i=$((i + 1))
	job=$i
	[ "$down" -eq 0 ] || job=$((count - i + 1))
	mkdir "$out/$job.taken" 2>/dev/null || continue
	work "$job" >"$out/$job.said" 2>&1
	exec 9>"$out/lock"
	flock 9
	cat "$out/$job.said"
	awk 'NR == 1 && /^==/ { name = $0 "\n" }
		/^not ok/ { lines = /# SKIP/ ? 0 : 20 }
		/^not ok/ && lines { $0 = name $0; name = "" }
		/^not ok|^==|^#|^    / && lines-- > 0' \
		"$out/$job.said" >>"$out/failures"
	echo "$passed $failed $skipped" >>"$out/sums"
	exec 9>&-
done
