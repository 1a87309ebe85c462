# The boot file of an interface that is taken in: the MTU; the names of the other
# settings of the interface, and with hooks=1 the commands behind PostUp and
# PreDown, but one that sets the private key; of a file of ours those of the node
# alone; the key of each peer; and of each line its kind (a comment, a header of
# a peer or another one, a key, a setting) with the comment on it, if any, which
# may be a name.

function value_of(line) {
	sub(/^[^=]*=[ \t]*/, "", line)
	sub(/[ \t#].*/, "", line)
	return line
}

{
	sub(/\r$/, "")
	text = $0
	comment = ""
	if (at = index(text, "#")) {
		comment = " " substr(text, at + 1, 256)
		if (tolower(comment) ~ /private|preshared|psk|secret|password|token/)
			comment = " "
		text = substr(text, 1, at - 1)
	}
	gsub(/^[ \t]+|[ \t]+$/, "", text)
	name = text
	sub(/[ \t]*=.*/, "", name)
}

NR == 1 && /^# managed by wgmesh/ {
	ours = 1
}

/^# hooks of this node$/ {
	ours = 0
}

text == "" {
	print "line c" comment
	next
}

text ~ /^\[/ {
	peer = tolower(text) == "[peer]"
	key = ""
	print "line " (peer ? "p" : "i") comment
	next
}

peer && key == "" && tolower(name) == "publickey" {
	key = value_of(text)
	print "peer " key
	print "line k" comment
	next
}

{
	print "line s" comment
}

peer {
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
