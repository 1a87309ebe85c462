# shellcheck shell=sh
# Tests side by side. Source it after harness.sh, in the project's folder:
#
#   later KIND NAME CMD...   puts one down: KIND script ends with the line "N
#                            passed, N failed, N skipped", unit speaks TAP as
#                            cmocka does, case is one case, by its exit status
#   side_by_side             runs them, two at a time for each processor (many
#                            only wait), and adds up; each one's output is
#                            printed whole when it has ended (once at most);
#                            what failed is shown once more at the end
#   $SIDE                    a folder, removed at the end
#
# Half of the workers begin with the first and half with the last, so that what
# waits a lot at one end runs next to what computes at the other. Each is a session of
# its own: no test can ask the terminal, and all end together.

SIDE=$(mktemp -d) || exit 1
side_count=0
side_pids=

# Ends the workers with what they run; what they have put down goes.
side_end() {
	for side_pid in $side_pids; do
		kill -s TERM -- "-$side_pid" 2>/dev/null
	done
	rm -rf "$SIDE"
}
trap side_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

later() {
	side_count=$((side_count + 1))
	printf '%s\n' "$@" >"$SIDE/$side_count.job"
}

side_by_side() {
	[ "$side_count" -gt 0 ] || return 0
	: >"$SIDE/sums"
	side_workers=$((2 * $(nproc)))
	while [ "$side_workers" -gt 0 ]; do
		# The shell has a background process ignore these.
		setsid env --default-signal=INT,QUIT \
			sh tests/lib/worker.sh "$SIDE" "$side_count" \
			$((side_workers % 2)) </dev/null &
		side_pids="$side_pids $!"
		side_workers=$((side_workers - 1))
	done
	wait
	side_pids=
	while read -r side_passed side_failed side_skipped; do
		passed=$((passed + side_passed))
		failed=$((failed + side_failed))
		skipped=$((skipped + side_skipped))
	done <"$SIDE/sums"
	[ ! -s "$SIDE/failures" ] || cat "$SIDE/failures"
	[ "$(wc -l <"$SIDE/sums")" -eq "$side_count" ] ||
		flunk "side by side" "$(wc -l <"$SIDE/sums") of $side_count tests came to an end"
}
