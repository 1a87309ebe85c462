#!/bin/sh
# Who may include whom (docs/architecture.md), and third-party headers in as
# few files as possible. Prints each breach; exits 1 when there is one.
cd "$(dirname "$0")/.." || exit 1
bad=0

allowed() {
	case $1 in
	base) echo base ;;
	vault) echo base vault ;;
	state) echo base vault state ;;
	acl) echo base state acl ;;
	render) echo base state acl render ;;
	ssh) echo base ssh ;;
	cmd) echo base vault state acl render ssh cmd ;;
	esac
}

for folder in base vault state acl render ssh cmd; do
	for file in "$folder"/*.[ch]; do
		for include in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$file" | sort -u); do
			case " $(allowed "$folder") " in
			*" $include "*) ;;
			*) echo "$file: $folder/ may not include $include/"; bad=1 ;;
			esac
		done
	done
done

# acl/ and render/ do no I/O: no clock, files, randomness, environment.
if grep -nE '\b(fopen|open|read|write|getenv|time|clock_gettime|getrandom|rand|random|printf|socket)\(' \
	acl/*.c render/*.c; then
	echo "acl/ and render/ are pure: the calls above are not"
	bad=1
fi

# No third-party type crosses a header that other folders include.
if grep -lE '#include <(libssh|openssl|json-c|yaml|git2)' \
	base/*.h vault/*.h $(ls state/*.h | grep -v -e _internal.h -e git_net.h -e merge_tree.h -e json_value.h) \
	acl/*.h render/*.h ssh/remote.h cmd/*.h 2>/dev/null; then
	echo "the headers above include a third-party header"
	bad=1
fi
exit $bad
