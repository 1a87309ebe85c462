# The boot file of an interface that is taken in: the MTU; the names of the other
# settings of the interface, and with hooks=1 the commands behind PostUp and
# PreDown, but one that sets the private key; of a file of ours those of the node
# alone; for each peer its key and the comment right behind
# [Peer] or else right before it.

function value_of(line) {
	sub(/^[^=]*=[ \t]*/, "", line)
	sub(/[ \t#].*/, "", line)
	return line
}

function end_peer() {
	if (key != "")
		print "peer " key " " (inside != "" ? inside : above)
	key = ""
}

{
	sub(/\r$/, "")
}

NR == 1 && /^# managed by wgmesh/ {
	ours = 1
}

/^# hooks of this node$/ {
	ours = 0
}

/^[ \t]*$/ {
	comment = ""
	next
}

/^[ \t]*#/ {
	sub(/^[ \t#]*/, "")
	sub(/^[Nn]ame[ \t]*[:=][ \t]*/, "")
	comment = substr($0, 1, 64)
	if (first && inside == "")
		inside = comment
	next
}

/^[ \t]*\[/ {
	end_peer()
	first = peer = tolower($0) ~ /^[ \t]*\[peer\]/
	above = comment
	comment = inside = ""
	next
}

{
	comment = ""
	first = 0
	name = $0
	sub(/^[ \t]*/, "", name)
	sub(/[ \t]*=.*/, "", name)
}

peer {
	if (tolower(name) == "publickey")
		key = value_of($0)
	next
}

tolower(name) == "mtu" {
	print "mtu " value_of($0)
	next
}

tolower(name) == "table" && value_of($0) ~ /^(auto|off)$/ {
	next
}

hooks && !ours && tolower(name) ~ /^(postup|predown)$/ && !/private-key/ {
	sub(/^[^=]*=[ \t]*/, "")
	sub(/[ \t]*(#.*)?$/, "")
	if ($0 != "")
		print (tolower(name) == "postup" ? "PostUp " : "PreDown ") $0
	next
}

name ~ /^[A-Za-z0-9]+$/ {
	print "set " name
}

END {
	end_peer()
}
