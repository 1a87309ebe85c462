#!/bin/sh
# What the tests run through: builds with gcc's --coverage in a folder of its
# own, runs the unit tests, those of the command line and the golden ones with
# it, and prints for each room how many of its lines ran. Not the labs: what
# only a real host shows is not counted.
cd "$(dirname "$0")/.." || exit 1
. tests/lib/harness.sh
. tests/lib/side_by_side.sh

B=build/gcc-cov
make -s -j "$(nproc)" CC=gcc COV=1 all units || exit 1
find "$B" -name '*.gcda' -delete
export WGMESH="$PWD/$B/wgmesh"
# A test may run the program as somebody who cannot write the counts.
export GCOV_ERROR_FILE=/dev/null

later script golden sh tests/golden/run.sh
for test in tests/cli/test_*.sh; do
	later script "cli: $(basename "$test" .sh)" sh "$test"
done
for test in tests/unit/test_*.c; do
	unit=$(basename "$test" .c)
	later unit "unit: $unit" "$B/unit/$unit"
done
side_by_side

# "ROOM LINES COVERED" for each source, from gcov's "File 'X.c'" and "Lines
# executed:P% of N"; sources that are included by others, headers, are left out.
counts() {
	for room in $(find base vault state acl render ssh cmd -name '*.c' -exec dirname {} + | sort -u); do
		gcov -n -o "$B/obj/$room" "$room"/*.c 2>/dev/null
	done | awk -F"[':% ]" '
		$1 == "File" { file = $3 }
		$1 == "Lines" && file ~ /\.c$/ {
			room = file; sub(/\/[^\/]*$/, "/", room)
			print room, $NF, int($3 * $NF / 100 + 0.5)
			file = ""
		}'
}
counts | awk '
	function row(name, n, c) { printf "%-18s %7d %8d %7.1f %%\n", name, n, c, n ? 100 * c / n : 0 }
	BEGIN { printf "%-18s %7s %8s %9s\n", "room", "lines", "covered", "percent" }
	!($1 in lines) { order[++rooms] = $1 }
	{ lines[$1] += $2; ran[$1] += $3; all += $2; all_ran += $3 }
	END {
		for (i = 1; i <= rooms; i++) row(order[i], lines[order[i]], ran[order[i]])
		row("all", all, all_ran)
	}'
finish
