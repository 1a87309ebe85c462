#!/bin/sh
# The rooms of the house, by the table in docs/architecture.md: who may include
# whom, by includes and by the symbols of the objects; a room's inner headers
# are its own; third-party headers stay in few files. Prints each breach; exits
# 1 when there is one. With -rooms it prints rooms and arrows.
#
#   sh tests/layers.sh [-rooms]       OBJ=FOLDER of objects, build/obj
cd "$(dirname "$0")/.." || exit 1
OBJ=${OBJ:-build/obj}
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
bad=0

# A row is "| `room/` | doors | rooms it may include | ...": into lines
# "room doors rooms", all words apart by commas; each includes itself.
sed -n 's/^| `\([a-z/]*\)\/` | \([^|]*\) | \([^|]*\) |.*/\1|\2|\3/p' docs/architecture.md |
	tr -d '` ' | sed 's#/,#,#g; s#/$##' >"$T/rooms"

# Each folder with a source is a room, and may include only rooms above it, so
# that there is no circle.
find base vault state ssh render acl cmd -name '*.[ch]' -exec dirname {} + | sort -u |
	awk -F'|' 'NR == FNR {
		n = split($3, may, ",")
		for (i = 1; i <= n; i++) if (may[i] != "-" && !(may[i] in above)) { print $1 ": " may[i] " is not a room above it"; bad = 1 }
		above[$1]
		next
	}
	!($1 in above) { print $1 ": is no room in docs/architecture.md"; bad = 1 }
	END { exit bad }' "$T/rooms" - || bad=1

# May that file include this header?
find base vault state ssh render acl cmd -name '*.[ch]' -exec grep -o '^#include "[a-z_/0-9]*\.h"' /dev/null {} + |
	sed 's/:#include "/ /; s/"$//' >"$T/includes"
awk -v arrows="$T/arrows" '
	NR == FNR { split($0, row, "|"); doors[row[1]] = "," row[2] ","; may[row[1]] = "," row[1] "," row[3] ","; next }
	{
		room = theirs = $1
		theirs = $2
		sub(/\/[^\/]*$/, "", room)
		sub(/\/[^\/]*$/, "", theirs)
		header = substr($2, length(theirs) + 2)
		print room, theirs >arrows
		if (theirs == room)
			next
		if (!index(may[room], "," theirs ",")) { print $1 ": " room "/ may not include " theirs "/"; bad = 1 }
		if (!index(doors[theirs], "," header ",") && doors[theirs] != ",any,") {
			print $1 ": " $2 " is inside " theirs "/, whose door is" doors[theirs]
			bad = 1
		}
	}
	END { exit bad }' "$T/rooms" "$T/includes" || bad=1

# The same by what the objects use of each other: a declaration can be copied.
if [ -d "$OBJ" ]; then
	for folder in $(cut -d'|' -f1 "$T/rooms"); do
		for object in "$OBJ/$folder"/*.o; do
			source=${object#"$OBJ/"}
			[ ! -e "${source%.o}.c" ] || printf '%s\n' "$object"
		done
	done | xargs nm -A | awk -v skip=$((${#OBJ} + 2)) '{
			room = substr($1, skip)
			sub(/\/[^\/]*$/, "", room)
		}
		NF == 3 && $2 == "U" { print room, "uses", $3 }
		NF == 3 && $2 ~ /[TDBR]/ { print room, "has", $3 }' >"$T/symbols"
	[ "$(grep -c ' has ' "$T/symbols")" -gt 500 ] || { echo "nm shows too few symbols in $OBJ"; bad=1; }
	awk 'FNR == 1 { file++ }
		file == 1 { split($0, row, "|"); may[row[1]] = "," row[1] "," row[3] "," }
		file == 2 && $2 == "has" { home[$3] = $1 }
		file == 3 && $2 == "uses" && home[$3] != "" && !index(may[$1], "," home[$3] ",") {
			print $1 "/ uses " $3 "() of " home[$3] "/"
			bad = 1
		}
		END { exit bad }' "$T/rooms" "$T/symbols" "$T/symbols" || bad=1
fi

if [ "${1-}" = -rooms ]; then
	sort -u "$T/arrows" | awk '$1 != $2 { to[$1] = to[$1] " " $2 } END { for (r in to) print r " ->" to[r] }' | sort
fi

# acl/ and render/ do no I/O: no clock, files, randomness, environment.
if grep -nE '\b(fopen|open|read|write|getenv|time|clock_gettime|getrandom|rand|random|printf|socket)\(' \
	-r acl render --include='*.c'; then
	echo "acl/ and render/ are pure: the calls above are not"
	bad=1
fi

# No third-party type crosses a header that other rooms include.
if grep -lE '#include <(libssh|openssl|json-c|yaml|git2)' -r base vault state ssh render acl cmd --include='*.h' |
	grep -vE '/(internal|net|value|tree)\.h$'; then
	echo "the headers above include a third-party header"
	bad=1
fi

# What to type is cmd/'s to say (cmd/advice.c): no string below names one of its
# commands behind "wgmesh", or one of its options.
commands=$(sed -n 's/.*{ \.name = "\([a-z-]*\)".*/\1/p' cmd/commands.c | paste -sd'|')
options=$(sed -n 's/^\t{ "\([a-z0-9-]*\)", .*/\1/p' cmd/options.c | paste -sd'|')
[ -n "$commands" ] && [ -n "$options" ] || { echo "no commands or options were found in cmd/"; bad=1; }
# A file is one line of its strings, those that the compiler joins joined, without
# comments; apart by tabs.
find base vault state ssh render acl -name '*.[ch]' -exec awk -v commands="$commands" -v options="$options" '
	function look(n, i, part) {
		gsub(/\047"\047|\\"/, "", text)
		gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", text)
		gsub(/" *"/, "", text)
		n = split(text, part, "\"")
		for (i = 2; i <= n; i += 2)
			if (part[i] ~ "wgmesh (" commands ")([^a-z-]|$)" || part[i] ~ "(^|[ (\047])-(" options ")([^a-z0-9-]|$)")
				print name ": " part[i]
		text = ""
	}
	FNR == 1 { look(); name = FILENAME }
	{ gsub(/\t/, " "); text = text " " $0 }
	END { look() }' {} + >"$T/strings"
# For who reads the file on a host; hashed, for nobody to read.
if grep -vE '^render/wgquick.c: # .* undoes what is changed here by hand|^state/git/deploy_lock.c: wgmesh lock %s$' "$T/strings"; then
	echo "the strings above name a command or an option"
	bad=1
fi
for kind in $(grep -o '\<ADVICE_[A-Z0-9_]*' base/advice.h | grep -v '_KINDS$'); do
	grep -q "\[$kind\]" cmd/advice.c || { echo "cmd/advice.c has no words for $kind"; bad=1; }
done
exit $bad
