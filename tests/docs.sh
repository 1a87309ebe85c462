#!/bin/sh
# The manual and the program name the same commands and options, the links in
# the documents lead somewhere. Prints each difference; exits 1 when there is one.
cd "$(dirname "$0")/.." || exit 1
program=${WGMESH:-build/wgmesh}
page=docs/man/wgmesh.1
bad=0

# Says what is wrong.
wrong() {
	echo "$1"
	bad=1
}

commands=$("$program" help | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
[ -n "$commands" ] || wrong "'$program help' lists no commands"
every_help=$(for command in $commands; do "$program" "$command" --help; done)
any=$(echo "$commands" | paste -sd '|')
plain=$(sed 's/\\f.//g; s/\\-/-/g; s/\\&//g' "$page")

for command in $commands; do
	printf '%s\n' "$plain" | grep -q "^wgmesh $command" ||
		wrong "$page: SYNOPSIS lacks '$command'"
	usage=$("$program" "$command" --help | sed -n 's/^usage: //p')
	printf '%s\n' "$plain" | grep -qxF "$usage" || [ "$command" = version ] ||
		[ "$command" = help ] || wrong "$page: SYNOPSIS lacks '$usage'"
	"$program" "$command" --help | grep -qE "(  |[;.] )($any)(, ($any))*: " &&
		wrong "'$program help $command' explains an option of another command"
	for option in $("$program" "$command" --help | sed -n 's/^  \(-[a-z0-9-]*\).*/\1/p'); do
		printf '%s\n' "$plain" | grep -qE "^\.(B|BI) $option( |\$)" ||
			wrong "$page: OPTIONS lacks '$option' of '$command'"
	done
done

for option in $(printf '%s\n' "$plain" | sed -n 's/^\.BI\{0,1\} \(-[a-z0-9-]*\).*/\1/p'); do
	printf '%s\n' "$every_help" | grep -q -- "^  $option" || wrong "$page: there is no option '$option'"
done

version=$("$program" version | sed 's/wgmesh version //')
grep -q "\"wgmesh $version\"" "$page" || wrong "$page: its version is not $version"
grep -q "^## $version" CHANGELOG.md || wrong "CHANGELOG.md: no entry for $version"

"$program" schema | cmp -s - docs/mesh-schema.json ||
	wrong "docs/mesh-schema.json: not what '$program schema' prints"

for document in *.md docs/*.md; do
	for link in $(grep -o '](\([^)#:]*\))' "$document" | sed 's/](\(.*\))/\1/'); do
		[ -e "$(dirname "$document")/$link" ] ||
			wrong "$document: '$link' does not exist"
	done
done
exit $bad
