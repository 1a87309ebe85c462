#!/bin/sh
# render/host/forward.awk: which rulesets drop what is to be forwarded from the
# tunnel (tests/cli/data/firewall/*.drops), and of which nothing is said (*.lets),
# in the forms that Docker, ufw, firewalld, nftables and iptables leave; with each
# awk that is here.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/harness.sh

for awk in mawk gawk 'busybox awk'; do
	command -v "${awk%% *}" >/dev/null || continue
	for file in tests/cli/data/firewall/*; do
		# shellcheck disable=SC2086 # two words
		said=$($awk -v interface=wg0 -f render/host/forward.awk "$file")
		case $file in
		*.drops) check "$awk: $file" test "${said%% *}" = forward ;;
		*) check_equal "$awk: $file" '' "$said" ;;
		esac
	done
done
finish
