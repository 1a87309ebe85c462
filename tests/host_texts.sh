#!/bin/sh
# What runs on hosts (render/host/*.sh, *.awk) keeps to POSIX: shellcheck and
# checkbashisms have nothing to say of any file, three kinds of awk read all of
# it. Files are looked at together with those that are sent with them. Prints each
# breach; exits 1 when there is one.
cd "$(dirname "$0")/.." || exit 1
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
bad=0

for program in shellcheck checkbashisms mawk gawk busybox; do
	command -v "$program" >/dev/null || { echo "tests/host_texts.sh: there is no $program"; exit 1; }
done

# Looks at the files $@ as one text, in this order.
together() {
	for name; do
		echo ". render/host/$name.sh"
		echo "$name.sh" >>"$T/seen"
	done >"$T/text"
	shellcheck -s sh -x -a "$T/text" || bad=1
}

together section lock probe
together rise
together section found
together section lock begin write_file boot_file make_key install bring_up \
	ip_batch accept_ra forward_on forward_off tear_down end

# checkbashisms wants the line that names the interpreter: in place of the first
# comment.
for file in render/host/*.sh; do
	grep -qx "${file##*/}" "$T/seen" || { echo "$file: with what is it sent? tests/host_texts.sh has to know"; bad=1; }
	sed '1s/^#.*/#!\/bin\/sh/' "$file" >"$T/${file##*/}"
	checkbashisms -p "$T/${file##*/}" || bad=1
	# a comment behind a command would be sent
	! grep -nE '^[[:space:]]*[^#[:space:]][^#]*[[:space:]]#[[:space:]]' "$file" || { echo "$file: a comment is a line of its own"; bad=1; }
done

# A directive says why in the comment before it.
awk 'FNR == 1 { last = "" }
	/shellcheck disable/ && last !~ /^[ \t]*#/ { print FILENAME ": " FNR ": an exception without its reason"; bad = 1 }
	{ last = $0 }
	END { exit bad }' render/host/*.sh || bad=1

for awk in mawk gawk 'busybox awk'; do
	for file in render/host/*.awk; do
		if ! said=$($awk -f "$file" </dev/null 2>&1 >/dev/null) || [ -n "$said" ]; then
			echo "$file: $awk: $said"
			bad=1
		fi
	done
done
exit $bad
