#!/bin/sh
# Two admins, two clones, 30 random changes each at the same time: merged by
# 'wgmesh pull' and by git with the merge driver, no change is lost, and there are
# conflicts exactly where both touched one field. A model of its own says what
# has to come out. SEED=N runs other changes.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh
for program in git jq awk; do
	command -v $program >/dev/null || { skip 'two admins at once' "there is no $program here"; finish; exit; }
done
model=$PWD/tests/cli/merge_model.awk
. tests/cli/team.sh
SEED=${SEED:-5}
echo "seed $SEED"

# One number below $1.
draw() {
	SEED=$(((SEED * 1103515245 + 12345) % 2147483648))
	drawn=$((SEED / 65536 % $1))
}

# ---- what a state has ----

real() {
	(cd "$1" && "$WGMESH" cat) | jq -r '.nodes | to_entries[] | .key as $n | .value |
		"\($n) . yes",
		(if .listen_port == 51820 then empty else "\($n) port \(.listen_port)" end),
		(if .mtu then "\($n) mtu \(.mtu)" else empty end),
		(if .keepalive then "\($n) keepalive \(.keepalive)" else empty end),
		(.routable_networks // [] | .[] | "\($n) routes/\(.) yes")' | sort
}

# The model's file of a commit.
of() { echo "$T/models/$1"; }
head_of() { git -C "$1" rev-parse HEAD; }

# ---- random changes ----

# put MODEL NODE FIELD VALUE
put_field() {
	awk -v n="$2" -v f="$3" '!($1 == n && $2 == f)' "$1" >"$1.new"
	echo "$2 $3 $4" >>"$1.new" && mv "$1.new" "$1"
}

# The words of a change by $1 for the state of the model $2, which it changes.
change() {
	draw 20
	kind=$drawn
	count=$(grep -c ' \. yes$' "$2")
	draw $((count < 4 ? count : 4)) # the same few, so that they meet
	node=$(awk -v i="$drawn" '$2 == "." && i-- == 0 { print $1 }' "$2")
	number=$((number + 1))
	case $1 in ann) side=1 ;; *) side=2 ;; esac
	draw 3
	case $kind in
	[0-4]) words="set $node port=$((5000 + drawn))" && put_field "$2" "$node" port $((5000 + drawn)) ;;
	[5-8]) words="set $node mtu=$((1300 + drawn))" && put_field "$2" "$node" mtu $((1300 + drawn)) ;;
	9 | 1[01]) words="set $node keepalive=$((20 + drawn))" && put_field "$2" "$node" keepalive $((20 + drawn)) ;;
	1[2-4])
		words="route add $node 10.$((50 + side)).$number.0/24"
		put_field "$2" "$node" "routes/10.$((50 + side)).$number.0/24" yes ;;
	15)
		words="remove $node"
		awk -v n="$node" '$1 != n' "$2" >"$2.new" && mv "$2.new" "$2" ;;
	*)
		words="add -offline $1$number:10.99.$side.$number:192.0.2.1:$((1000 * side + number))"
		put_field "$2" "$1$number" . yes ;;
	esac
}

# CLONE COUNT: so many changes, each a commit with a model.
changes() {
	cp "$(of "$(head_of "$1")")" "$T/model.$1"
	for i in $(seq "$2"); do
		change "$1" "$T/model.$1"
		at "$1" $words
		[ "$got" -eq 0 ] || echo "$1: $words: $(cat "$T/err")" >>"$T/wrong"
		sort "$T/model.$1" >"$(of "$(head_of "$1")")"
		made=$((made + 1))
	done
}

# ---- merging ----

# What is unresolved, and how to resolve it, must be what the model says.
resolve() {
	(cd "$1" && "$WGMESH" merge -resolve -json) | jq -r '.conflicts[] | "\(.name) \(.field // "-")"' | sort >"$T/found"
	cut -d' ' -f1,2 "$T/conflicts" | sort | cmp -s - "$T/found" ||
		echo "conflicts: $(cat "$T/found"), expected $(cat "$T/conflicts")" >>"$T/wrong"
	while read -r node field winner; do
		at "$1" merge -resolve node "$node" "$field" "$winner"
		[ "$got" -eq 0 ] || echo "resolve $node $field: $(cat "$T/err")" >>"$T/wrong"
	done <"$T/conflicts"
	git -C "$1" commit -q -a -m merged || echo 'no merge commit' >>"$T/wrong"
}

# CLONE: 'wgmesh pull' refuses when there are conflicts, and names them.
pull_by_wgmesh() {
	before=$(head_of "$1"; cksum "$1/s.json")
	at "$1" pull
	if [ -s "$T/conflicts" ]; then
		[ "$got" -eq 1 ] && [ "$before" = "$(head_of "$1"; cksum "$1/s.json")" ] ||
			echo "pull with conflicts: $got: $(cat "$T/err")" >>"$T/wrong"
		[ "$(grep -c 'conflict: ' "$T/err")" -eq "$(wc -l <"$T/conflicts")" ] ||
			echo "pull names $(cat "$T/err"), expected $(cat "$T/conflicts")" >>"$T/wrong"
		return 1
	fi
	[ "$got" -eq 0 ] || echo "pull: $(cat "$T/err")" >>"$T/wrong"
}

merge_by_git() {
	git -C "$1" merge -q -m merged '@{upstream}' >"$T/out" 2>&1
	status=$?
	if [ -s "$T/conflicts" ]; then
		[ $status -eq 1 ] || echo "git merge with conflicts: $status" >>"$T/wrong"
		resolve "$1"
	elif [ $status -ne 0 ]; then
		echo "git merge: $(cat "$T/out")" >>"$T/wrong"
	fi
}

# CLONE WAY: merge what is at the remote, and push.
bring_together() {
	git -C "$1" fetch -q
	draw 10000
	awk -v SEED="$drawn" -v MERGED="$T/merged" -v CONFLICTS="$T/conflicts" -f "$model" \
		"$(of "$(git -C "$1" merge-base HEAD '@{upstream}')")" \
		"$(of "$(head_of "$1")")" "$(of "$(git -C "$1" rev-parse '@{upstream}')")"
	conflicts=$((conflicts + $(wc -l <"$T/conflicts")))
	[ "$2" = wgmesh ] && pull_by_wgmesh "$1" || merge_by_git "$1"
	sort "$T/merged" >"$(of "$(head_of "$1")")"
	real "$1" | cmp -s - "$(of "$(head_of "$1")")" ||
		echo "merged: $(real "$1" | diff - "$(of "$(head_of "$1")")")" >>"$T/wrong"
	at "$1" push
	[ "$got" -eq 0 ] || echo "push: $(cat "$T/err")" >>"$T/wrong"
}

check_round() {
	if [ -s "$T/wrong" ]; then
		flunk "$1" "$(head -n 40 "$T/wrong")"
	else
		pass "$1"
	fi
	: >"$T/wrong"
}

clones
for i in 1 2 3; do
	at ann add -offline "n$i:10.99.0.1$i:192.0.2.1$i"
done
at ann push
for name in ann bob; do
	git -C $name pull -q
	(cd $name && "$WGMESH" git-setup) >/dev/null 2>&1
done
git -C ann add .gitattributes && git -C ann commit -q -m 'git setup' && git -C ann push -q
rm bob/.gitattributes
at bob pull
mkdir "$T/models"
real ann >"$(of "$(head_of ann)")"
: >"$T/wrong"
made=0 number=0 conflicts=0
for round in 1 2 3 4 5 6 7 8 9 10; do
	changes ann 3
	changes bob 3
	draw 2
	[ "$drawn" -eq 0 ] && first=ann second=bob || first=bob second=ann
	bring_together $first wgmesh
	[ $((round % 2)) -eq 0 ] && bring_together $second wgmesh || bring_together $second git
	check_round "round $round"
done
at ann pull
at bob pull
check_equal '30 changes each' 60 $made
check "conflicts were among them ($conflicts)" [ $conflicts -gt 0 ]
check_equal 'both have one commit' "$(head_of ann)" "$(head_of bob)"
check_equal 'both have what the model has' "$(cat "$(of "$(head_of ann)")")" "$(real bob)"
at ann validate
check_equal 'the merged state is valid' 0 "$got"
check 'the repositories are whole' sh -c 'for r in ann bob remote.git; do git -C $r fsck --strict || exit 1; done'

finish
