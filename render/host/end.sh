# How a script ends: the lock goes, and the token of this deploy stays.

[ -z "$locked" ] || printf "%s\n" "$NONCE" 1<>"$lock"
[ -z "$own_claim" ] || rm -f "$held"
exec 9>&-
section end
