# How a login that is not root gets the probe run as root. Nothing asks on a
# terminal: there is none.
#
# Set before it, by render/host/probe.c: PROMPT, with which sudo is to ask for a
# password on its input, or nothing. $1 is this text, behind it come the words of
# the probe.

shift
probe=$(printf %b "$@")
# the words of a refusal are read by ssh/fleet/look.c
LC_ALL=C
export LC_ALL

# Where doas lets us in, or there is nothing else, sudo is not tried.
if command -v doas >/dev/null; then
	if ! command -v sudo >/dev/null || doas -n true 2>/dev/null </dev/null; then
		exec doas -n sh -c "$probe" sh "$SSH_CONNECTION"
	fi
fi
if [ -n "$PROMPT" ]; then
	exec sudo -S -p "$PROMPT" sh -c "$probe" sh "$SSH_CONNECTION"
fi
exec sudo -n sh -c "$probe" sh "$SSH_CONNECTION"
