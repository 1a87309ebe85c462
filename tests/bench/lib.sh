# shellcheck shell=bash
# What the parts of the benchmark share: the lab's meshes, one measured run, rows of the table.
# After bench_start: $BENCH is the folder of helpers and measurements, $STATE the state of the present mesh.

# Says what goes on, on stderr.
say() { echo "bench: $*" >&2; }

# Ends with a sentence: something could not run.
stop() {
	say "$*"
	exit 1
}

# Compiles the helper $1 with the further arguments.
bench_compile() {
	local name=$1
	shift
	"${CC:-gcc}" -std=gnu11 -O2 -D_GNU_SOURCE -I. -o "$BENCH/$name" "tests/bench/$name.c" "$@" || stop "cannot compile tests/bench/$name.c"
}

# Raises a limit of the machine while the benchmark runs: each wireguard-go watches its socket with an inotify instance,
# and all hosts are one user to the kernel.
bench_limits() {
	local file=/proc/sys/fs/inotify/max_user_instances
	INOTIFY=$(<"$file")
	[ "$INOTIFY" -lt 1024 ] || return 0
	say "fs.inotify.max_user_instances is 1024 instead of $INOTIFY for the time being"
	trap 'lab_stop; echo "$INOTIFY" >/proc/sys/fs/inotify/max_user_instances' EXIT
	echo 1024 >"$file"
}

# Starts the lab and makes the helpers. The control side's ssh_config serves ssh, wgmesh and Ansible alike.
bench_start() {
	local why build
	why=$(lab_missing) || stop "$why"
	lab_start || stop 'the lab did not start'
	bench_limits
	build=$(dirname "$WGMESH")
	[ -e "$build/libwgmesh.a" ] || stop "there is no $build/libwgmesh.a: run make"
	BENCH=$LAB_DIR/bench
	mkdir "$BENCH" && : >"$BENCH/rows" || stop "cannot write $BENCH"
	bench_compile measure
	bench_compile delay
	# shellcheck disable=SC2046
	bench_compile mkstate -include base/banned.h "$build/libwgmesh.a" $(pkg-config --libs libssh libcrypto json-c) -pthread
	printf 'Host *\n\tKexAlgorithms curve25519-sha256\n' >"$LAB_DIR/home/.ssh/config"
	MESH='' STATE=''
}

# Makes sure that the hosts 1 to $1 are up with a mesh of theirs deployed. $2: the layers of their image, if not the usual ones.
mesh() {
	[ "$MESH" != "$1 ${2-}" ] || return 0
	bare_hosts "$@"
	say "deploying a mesh of $1"
	deploy_once "$1"
}

# Makes sure that the hosts 1 to $1 are up as new, and that $STATE is a state for them. $2 as in mesh.
bare_hosts() {
	say "bringing up $1 hosts"
	MESH=
	sim_down && LAB_LAYERS=${2-} sim_up "$1" || stop 'the hosts do not come up'
	sim_keys >"$LAB_DIR/home/.ssh/known_hosts"
	new_state
	MESH="$1 ${2-}"
}

# Makes $STATE a new state for the hosts whose keys are in known_hosts, pinned; writes their addresses to $BENCH/hosts.
new_state() {
	local keys=$LAB_DIR/home/.ssh/known_hosts
	STATE=$BENCH/state.json
	rm -f "$STATE"
	cut -d' ' -f1 "$keys" >"$BENCH/hosts"
	awk '{ printf "n%d:10.99.%d.%d:%s %s %s\n", NR, int(NR / 250), NR % 250 + 1, $1, $2, $3 }' "$keys" |
		"$BENCH/mkstate" "$STATE" || stop 'no state'
}

# Deploys to the bare hosts 1 to $1 until nothing is left to do (facts found in the first run may matter in the second).
deploy_once() {
	lab_ctl "$WGMESH" -state "$STATE" deploy >"$BENCH/out" 2>&1 </dev/null &&
		lab_ctl "$WGMESH" -state "$STATE" deploy >"$BENCH/out" 2>&1 </dev/null &&
		grep -q "^Deploy: 0 changed, $1 unchanged" "$BENCH/out" || stop "the mesh does not settle: $(tail -n 3 "$BENCH/out")"
}

# Runs the command after $1 on the control side and adds its figures to the file $BENCH/$1; what it prints goes to $BENCH/out.
measure() {
	local name=$1
	shift
	lab_ctl "$BENCH/measure" "$BENCH/$name" "$@" >"$BENCH/out" 2>&1 </dev/null || stop "$1 failed: $(tail -n 3 "$BENCH/out")"
}

# Measures a deploy with the further arguments as $1; $2 is what the last line has to say.
measure_deploy() {
	local name=$1 expected=$2
	shift 2
	measure "$name" "$WGMESH" -state "$STATE" deploy "$@"
	grep -q "^Deploy: $expected" "$BENCH/out" || stop "expected 'Deploy: $expected', got: $(tail -n 3 "$BENCH/out")"
}

# Measures ssh reading the hosts of $BENCH/hosts, $2 at a time, as $1.
measure_ssh() {
	measure "$1" xargs -a "$BENCH/hosts" -P "$2" -I '{}' ssh 'root@{}' "$READ"
	[ "$(grep -c ' /etc/wireguard/wg0.conf$' "$BENCH/out")" = "$(wc -l <"$BENCH/hosts")" ] || stop "ssh did not read all hosts"
}

# The one read command of the comparison.
READ='wg show wg0 dump; ip route show dev wg0; sha256sum /etc/wireguard/wg0.conf'

# Adds a row: title $1, n $2, what $3 (wall, cpu, peak or trips), bar $4 ("", a number, or "1/N"), files ours $5 and other's $6.
row() {
	local col=1 scale=1 unit=s judge='' limit=$4
	case $3 in
	cpu) col=2 ;;
	peak) col=3 scale=0.0009765625 unit=MiB ;;
	trips) unit='' judge=value ;;
	esac
	[[ $4 != 1/* ]] || limit=$(awk "BEGIN { print $4 }")
	[ "$3" != trips ] || limit=${4:+$(awk "BEGIN { print $4 + 0.5 }")}
	awk -v title="$1" -v n="$2" -v col="$col" -v scale="$scale" -v unit="$unit" -v bar="$4" -v limit="$limit" \
		-v judge="$judge" -f tests/bench/stats.awk "$BENCH/$5" ${6:+"$BENCH/$6"} >"$BENCH/row" || stop "no figures for '$1'"
	cat "$BENCH/row" >>"$BENCH/rows"
	say "$(tr '|' ' ' <"$BENCH/row")"
}

# Prints the table.
table() {
	awk -F '|' '
		{ for (i = 1; i <= 7; i++) { c[NR, i] = $i; if (length($i) > w[i]) w[i] = length($i) } }
		END { for (r = 1; r <= NR; r++) for (i = 1; i <= 7; i++)
			printf "%-" w[i] "s%s", c[r, i], i < 7 ? "  " : "\n" }
	' <(echo 'what|n|wgmesh median (min-max)|other median (min-max)|ratio median (min-max)|bar|met') "$BENCH/rows" | sed 's/ *$//'
}

# Puts a slow cable between the control side and the hosts: $1 milliseconds of round trip, to be changed by cable_rtt.
cable_in() {
	coproc CABLE { exec "$BENCH/delay" "$LAB_CTL" slow "$LAB_PID" slow 2>&1; }
	cable_rtt "$1"
	nsenter -t "$LAB_PID" --net ip -batch - <<-END && nsenter -t "$LAB_CTL" --net ip -batch - <<-END2 || stop 'no slow cable'
		link set slow up txqueuelen 10000
		route add 10.78.0.1/32 dev slow
	END
		link set slow up txqueuelen 10000
		addr add 10.78.0.1/32 dev slow
		route add 10.77.1.0/24 dev slow src 10.78.0.1
	END2
}

# Sets the round trip of the slow cable to $1 milliseconds.
cable_rtt() {
	local answer
	awk "BEGIN { print $1 / 2 }" >&"${CABLE[1]}" && read -r answer <&"${CABLE[0]}" && [ "$answer" = ok ] || stop "no slow cable: ${answer-}"
}

# Takes the slow cable out.
cable_out() {
	local pid=$CABLE_PID
	eval "exec ${CABLE[1]}>&-"
	wait "$pid" || :
}
