#!/bin/sh
# One line for each file of the rooms, at the end of docs/architecture.md: the
# first sentence of the comment that it opens with. Fails when that says something
# else, or when a file does not open with what it is; -write makes it anew.
#
#   sh tests/files.sh [-write]
cd "$(dirname "$0")/.." || exit 1
page=docs/architecture.md
new=$(mktemp) || exit 1
trap 'rm -f "$new"' EXIT

# The first sentence of the comment at the top of $1, in one line.
sentence() {
	awk -v mark="$([ "${1%.[ch]}" = "$1" ] && echo '#' || echo '(/[*]| [*])')" '
		/^#!/ { next }
		$0 !~ "^" mark { exit }
		{ sub("^" mark "/?[ \t]?", ""); if ($0 == "" && text != "") exit; text = text (text == "" ? "" : " ") $0 }
		END { n = match(text, /[.]( |$)/); print n ? substr(text, 1, n) : text }' "$1"
}

bad=0
list() {
	for room in $(find base vault state acl render ssh cmd -name '*.[ch]' -exec dirname {} + | sort -u); do
		printf '\n'
		for file in "$room"/*; do
			case $file in
			*.h) [ -e "${file%.h}.c" ] && continue ;;
			*.c | *.sh | *.awk) ;;
			*) continue ;;
			esac
			words=$(sentence "$file")
			[ -n "$words" ] || { echo "$file does not say what it is" >&2; bad=1; }
			# shellcheck disable=SC2016 # backquotes are Markdown's
			printf -- '- `%s`: %s\n' "$file" "$words"
		done
	done
}
{
	sed '/^## Files$/,$d' "$page"
	printf '## Files\n\n'
	printf 'Out of the comments that they open with (`sh tests/files.sh -write`); a header says what the file of its name offers.\n'
	list
} >"$new"
if [ "${1-}" = -write ]; then
	cat "$new" >"$page"
elif ! diff -u "$page" "$new"; then
	echo "$page is not what the files say: sh tests/files.sh -write"
	bad=1
fi
exit $bad
