# One row of the table from the lines that measure wrote: file 1 ours, file 2
# (if given) the other's, a line for each round.
#   -v title= -v n=     first cells
#   -v col=             1 wall seconds, 2 CPU seconds, 3 peak KiB
#   -v scale= -v unit=  shown value = measured * scale
#   -v bar= -v limit=   the bar as text and as a number; empty: none
#   -v judge=           "value": the bar is for our own median, not the ratio

# Sorts v[1..m].
function sort(v, m,   i, j, x) {
	for (i = 2; i <= m; i++) {
		x = v[i]
		for (j = i - 1; j > 0 && v[j] > x; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
}

# The median of v[1..m], which is sorted.
function median(v, m) {
	return m % 2 ? v[(m + 1) / 2] : (v[m / 2] + v[m / 2 + 1]) / 2
}

# A number with about three digits that matter.
function short(x) {
	return x < 0.01 ? sprintf("%.4f", x) : x < 1 ? sprintf("%.3f", x) : x < 100 ? sprintf("%.2f", x) : sprintf("%.0f", x)
}

# "median (min-max) unit" of v[1..m].
function cell(v, m, unit) {
	if (!m)
		return "-"
	sort(v, m)
	return short(median(v, m)) " (" short(v[1]) "-" short(v[m]) ")" (unit == "" ? "" : " " unit)
}

FNR == 1 { file++ }
file == 1 { a[FNR] = $col * scale; na = FNR }
file == 2 { b[FNR] = $col * scale; nb = FNR }

END {
	if (!na || (nb && na != nb))
		exit 1
	for (i = 1; i <= nb; i++)
		r[i] = b[i] ? a[i] / b[i] : 0
	ours = cell(a, na, unit)
	theirs = cell(b, nb, unit)
	ratio = cell(r, nb, "")
	value = judge == "value" ? median(a, na) : nb ? median(r, nb) : 0
	met = limit == "" ? "" : value <= limit ? "yes" : "NO"
	print title "|" n "|" ours "|" theirs "|" (judge == "value" ? "-" : ratio) "|" (bar == "" ? "-" : bar) "|" met
}
