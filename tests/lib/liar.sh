# shellcheck shell=bash disable=SC2016
# A host that lies: a simulated host of sim.sh (source that first) whose sshd runs /usr/local/sbin/answer whatever is asked.
# What it answers is a shell text, the lie, which usually begins with the honest answer of the same host:
#
#   liar_start 4 2201; liar_says <<<'honest | host_word hostname n1; go_on'; w deploy
#
# A lie may use, on the host, besides its programs:
#
#   $N                   the nonce that frames the answer
#   honest               prints what the probe prints, up to its end
#   go_on                does what comes after the probe, as an honest host does
#   frame WORDS          prints the line that begins a section, or that answers a step: "ok 3", "fail 3", "end"
#   host_word KEY VALUE  filter: another value in the section host; the word is added if it was not said
#   add_to SECTION TEXT  filter: more lines at the beginning of a section (\t and \n are a tab and a newline)
#   in_section S PROG    filter: awk's rules, with tabs as FS and OFS and n the line's number, for each line of a section
#   without SECTION      filter: the answer without that section
#   steps                reads the script that comes and prints the numbers of its steps
#   say_done             the same, and answers to each that it is done
#   wait_script          waits for the first line of a script

# Lets the simulated host $1 lie from now on; further arguments are ports on which it lies, too, each its own lie.
liar_start() {
	local port
	LIAR=$1
	shift
	sim_on "$LIAR" 'cat >/usr/local/sbin/answer && chmod 755 /usr/local/sbin/answer && mkdir -p /run/lies' <<<"$LIAR_ANSWER" || return
	liar_says <<<'honest; go_on' || return
	sim_on "$LIAR" 'sed -i "s|^ssh|command=\"/usr/local/sbin/answer\" ssh|" /root/.ssh/authorized_keys'
	for port; do sim_on "$LIAR" "/usr/sbin/sshd -p $port" </dev/null >/dev/null 2>&1 || return; done
}

# From now on the lie is the standard input; $1: on that port (22).
liar_says() { sim_on "$LIAR" "cat >/run/lies/${1:-22}"; }

# The forced command.
LIAR_ANSWER=$(
	cat <<'END'
#!/bin/sh
N=$(printf '%s\n' "$SSH_ORIGINAL_COMMAND" | sed -n 's/.*[[:space:]]NONCE=\([0-9a-f]\{32\}\)[[:space:]].*/\1/p' | head -n 1)
frame() { printf '\n=%s= %s\n' "$N" "$1"; }
honest() { sh -c "$SSH_ORIGINAL_COMMAND" </dev/null; }
go_on() { read -r x && exec sh; }
host_word() {
	awk -v k="$1" -v v="$2" -v f="=$N= " 'index($0, k "=") == 1 { next } { print } $0 == f "host" && !n++ { print k "=" v }'
}
add_to() { awk -v t="$2" -v f="=$N= $1" '{ print } $0 == f { print t }'; }
in_section() {
	awk -F '\t' -v OFS='\t' -v f="=$N= " -v s="$1" 'index($0, f) == 1 { on = $0 == f s; n = 0; print; next } !on { print; next } { n++ } '"$2"' { print }'
}
without() { awk -v f="=$N= " -v s="$1" 'index($0, f) == 1 { off = $0 == f s } !off'; }
wait_script() { IFS= read -r x; }
steps() {
	while IFS= read -r x && [ "$x" != main ]; do
		case $x in 'run '*) echo "${x#run }" ;; esac
	done
}
say_done() {
	for s in $(steps); do frame "ok $s"; done
	frame end
}
set -- ${SSH_CONNECTION-}
. "/run/lies/$4"
END
)
