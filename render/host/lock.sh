# The lock of a host: what the probe and the script have in common.
#
# The file says in its first line the token of the last deploy, and behind it who
# it is while that is at work. Held is the file by flock, where the host has that
# program, else by a claim: a file in the folder beside it, named as one process
# and no other one ever is. The claim of a process that is gone counts for
# nothing and is anybody's to remove; so none is ever taken over.

lock=/run/wgmesh-$INTERFACE.lock
# the name of our own claim, if we have one
own_claim=

# Reads the file into token and holder. What is no token is none.
read_lock() {
	token=
	holder=
	[ -r "$lock" ] && read -r token holder <"$lock"
	case $token in
	*[!0-9a-f]*) token= ;;
	esac
}

# Sets claim to what a claim of the process $1 is called, if it lives. A process
# number is used again, but not together with its start in one boot.
name_claim() {
	stat=
	boot=
	claim=
	read -r stat 2>/dev/null <"/proc/$1/stat"
	read -r boot 2>/dev/null </proc/sys/kernel/random/boot_id
	# The second field, the program's name, is in brackets and may hold blanks;
	# behind it are the state, now $2, and the start, now $21. The fields are
	# to be split:
	# shellcheck disable=SC2086
	set -- "$1" ${stat##*") "}
	case $2 in
	"" | [XZ]) ;;
	*) claim=$1-${21}-$boot ;;
	esac
}

# Is there a living claim that is not ours? Who has one removes the dead.
others_claim() {
	for other in "$lock.d"/*; do
		other=${other##*/}
		name_claim "${other%%-*}"
		if [ "$other" != "$claim" ]; then
			[ -z "$own_claim" ] || rm -f "$lock.d/$other"
		elif [ "$other" != "$own_claim" ]; then
			return 0
		fi
	done
	return 1
}
