# Turns what ip, wg and the boot file say into the sections of the probe's answer.
#
# Its input is what ip says, an empty line, `wg show INTERFACE dump`, and with
# part=boot the boot file. Of ip: all addresses; of our interface, if there is
# one (own is 1), its version 4 routes, itself, its version 6 routes; lo, which
# only parts what is before from the main table's version 4 routes; all
# interfaces, which part those from the version 6 ones. Only addresses and
# interfaces begin with a number and a colon; only other tables than main are
# named.

function section(name) {
	printf "\n=%s= %s\n", nonce, name
}

# Has any socket of the host that UDP port? The kernel's own have no process, and
# stand there all the same.
function is_used(number,  hex, six, file, line, word) {
	hex = sprintf(":%04X", number)
	for (six = 0; six < 2; six++) {
		file = "/proc/net/udp" (six ? "6" : "")
		while ((getline line <file) > 0) {
			split(line, word, " ")
			if (substr(word[2], length(word[2]) - 4) == hex)
				return 1
		}
	}
	return 0
}

# Who has it: another WireGuard interface, a program, or nobody knows.
function holder(number,  command, line, word) {
	command = "wg show all listen-port"
	while ((command | getline line) > 0) {
		split(line, word, "\t")
		if (word[2] == number && word[1] != interface)
			return word[1]
	}
	command = "ss -Hulpn sport = :" number
	while ((command | getline line) > 0)
		if (match(line, /[(][(]"[^"]+"/))
			return substr(line, RSTART + 3, RLENGTH - 4)
	return ""
}

BEGIN {
	# the second srand() returns what the first one took from the clock
	srand()
	now = sprintf("%.0f", srand())
	if (length(now) < 10)
		"date +%s" | getline now
	section("host")
	print "now=" now
	section("address")
	# how many of the interfaces have come: ours, lo, then each of all
	links = !own
}

# ---- what ip says ----

!part && /^$/ {
	part = "interface"
	section("dump")
	next
}

# an address
!part && /^[0-9]+: [^<]*$/ {
	print
	next
}

# an interface
!part && /^[0-9]+: / {
	links++
	if (links == 1) {
		section("link")
		print
		section("route6")
	} else if (links == 2)
		section("main4")
	else {
		if (links == 3)
			section("links")
		# of long lists the first 500 are enough
		if (links < 503 && match($0, / mtu [0-9]+/))
			print substr($0, 1, RSTART + RLENGTH - 1)
	}
	next
}

# a route of the main table, and not to our interface; all default ones are told
!part && links > 1 {
	if (links > 2 && !six++) {
		section("main6")
		routes = 0
	}
	if (!/ table / && !index($0 " ", " dev " interface " ") && (/^default/ || routes++ < 500))
		print
	next
}

# a route of our interface
!part {
	if (!links && !four++)
		section("route4")
	if (!/ table /)
		print
	next
}

# ---- wg show dump, without its secrets ----

part == "interface" {
	key = $1
	part = "peers"
	listening = $3
	print substr($0, length($1) + 2)
	next
}

part == "peers" {
	if ($2 !~ /^[(]/)
		$2 = "(set)"
	print
	# as long as a handshake says where a peer is: HANDSHAKE_FRESH
	if (now - $5 >= 180)
		quiet[$1] = 1
	next
}

# ---- the boot file: of ours every line behind a bar, without secrets; of a
# foreign one just the peers, and which settings a deploy does not keep, without
# their values; and its public key if it is not the interface's ----

FNR == 1 {
	section("boot")
	ours = /^# managed by wgmesh/
	print ours ? $0 : "|"
	next
}

/[Kk][Ee][Yy]/ && tolower($0) ~ /^[ \t]*privatekey[ \t]*=/ {
	secret = $0
	sub(/^[^=]*=[ \t]*/, "", secret)
	sub(/[ \t\r#].*/, "", secret)
	if (ours)
		print /^PrivateKey = / ? "|PrivateKey = (hidden)" : "|(secret)"
	if (secret != key) {
		printf "public "
		fflush()
		print secret | "wg pubkey"
		close("wg pubkey")
		print ""
	}
	next
}

/[Kk][Ee][Yy]/ && !/^(PostUp|PreDown) = / && tolower($0) ~ /privatekey|presharedkey/ {
	if (ours)
		print /^PresharedKey = / ? "|PresharedKey = (hidden)" : "|(secret)"
	next
}

!ours && tolower($0) ~ /^[ \t]*(preup|postup|predown|postdown|dns|table|fwmark|saveconfig)[ \t]*=/ {
	name = $0
	gsub(/^[ \t]*|[ \t]*=.*$/, "", name)
	if (!/[Tt][Aa][Bb][Ll][Ee][ \t]*=[ \t]*([Oo][Ff][Ff]|[Aa][Uu][Tt][Oo])[ \t\r#]*$/ && lost++ < 32)
		print "lost " name " " FNR
	next
}

# a name, of letters that mean nothing to a shell, where a silent peer should be
ours && /^PublicKey = / {
	peer = substr($0, 13)
}

ours && /^Endpoint = [A-Za-z0-9_][A-Za-z0-9._-]*:[0-9]+$/ && (peer in quiet) {
	name = substr($0, 12)
	sub(/:[0-9]+$/, "", name)
	if (name ~ /[^0-9.]/ && names < 64) {
		of[++names] = peer
		at[names] = name
	}
}

ours || tolower($0) ~ /^ *(publickey|endpoint) *=/ {
	print "|" $0
}

# What the name is now, by this host's own resolver. The empty line is for the
# patience of who waits for us.
function ask(name, command, line, words, seen, found) {
	print ""
	fflush()
	command = "if command -v getent >/dev/null; then timeout 2 getent ahosts " name "; else echo unasked; fi"
	found = ""
	while ((command | getline line) > 0) {
		split(line, words, " ")
		if (!((name, words[1]) in known) && seen++ < 32)
			found = found OFS words[1]
		known[name, words[1]] = 1
	}
	close(command)
	return found
}

END {
	if (names)
		section("names")
	for (i = 1; i <= names && unknown < 8; i++) {
		if (!(at[i] in answer))
			answer[at[i]] = ask(at[i])
		if (answer[at[i]] == "")
			unknown++
		else
			print of[i] answer[at[i]]
	}
}

# ---- the port, asked for only where it is not the interface's already, which
# one in userspace has while it is down ----

END {
	if (port && listening != port && is_used(port)) {
		section("host")
		print "port_holder=" holder(port)
	}
}
