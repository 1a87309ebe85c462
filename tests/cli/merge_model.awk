# The model of a merge, by which test_team_model.sh judges. Three files, base,
# ours and theirs, have a line "NODE FIELD VALUE" for each field of a node, and
# "NODE . yes" for the node itself. Printed are the lines of the merged state
# (file MERGED) and "NODE FIELD SIDE" for each conflict (file CONFLICTS), FIELD
# "-" when one side removed the node; SIDE is drawn by SEED and is who wins.

function value(side, node, field) {
	return (side, node, field) in has ? has[side, node, field] : ""
}

function same(a, b, node,    f) {
	for (f in fields)
		if (value(a, node, f) != value(b, node, f))
			return 0
	return 1
}

function keep(side, node,    f) {
	for (f in fields)
		if (value(side, node, f) != "")
			print node, f, value(side, node, f) >MERGED
}

function draw(node, field,    side) {
	side = rand() < 0.5 ? 2 : 3
	print node, field, (side == 2 ? "ours" : "theirs") >CONFLICTS
	return side
}

# One side has removed it: that counts if the other left it alone.
function merge_removed(node, gone, other) {
	if (!same(1, other, node))
		keep(draw(node, "-"), node)
}

function merge_field(node, field,    b, o, t) {
	b = value(1, node, field)
	o = value(2, node, field)
	t = value(3, node, field)
	if (o == b)
		o = t
	else if (t != b && t != o && draw(node, field) == 3)
		o = t
	if (o != "")
		print node, field, o >MERGED
}

FNR == 1 { side++ }
{
	has[side, $1, $2] = $3
	nodes[$1]
	fields[$2]
}

END {
	srand(SEED)
	printf "" >MERGED
	printf "" >CONFLICTS
	for (node in nodes) {
		b = value(1, node, ".")
		o = value(2, node, ".")
		t = value(3, node, ".")
		if (b && !o && t)
			merge_removed(node, 2, 3)
		else if (b && o && !t)
			merge_removed(node, 3, 2)
		else if (b && o && t)
			for (field in fields)
				merge_field(node, field)
		else if (!b)
			keep(o ? 2 : 3, node)
	}
}
