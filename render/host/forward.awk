# Which firewall drops what a host is to forward from our interface: a line for
# each table that evidently does, "forward FAMILY TABLE".
#
# Its input is `nft list ruleset`, `iptables -S`, or both. A table drops where its
# chain at the forward hook does by policy or by its last word, and no rule of it
# accepts what could be ours. What only answers, another interface's, and single
# ports or protocols are not; whatever else accepts is taken for ours, so that
# nothing is said of a firewall that may be in order.

function end_of_table() {
	if (drops && !accepts)
		print "forward", family, table
	drops = accepts = 0
	chain = hook = ""
}

# May the rule accept a new connection from our interface?
function is_ours(rule) {
	if (index(rule, "\"" interface "\"") || index(rule " ", " -i " interface " "))
		return 1
	if (rule ~ /ct status |ct state |--ctstate |--state / && tolower(rule) !~ /new/)
		return 0
	if (rule ~ /dport|sport|icmp|udp|tcp|l4proto| -p /)
		return 0
	return rule !~ /iifname "[^*"]*"/ && rule !~ /^[^!]* -i [^+ ]+ /
}

/^table / {
	end_of_table()
	family = $2
	table = $3
	next
}

/^-P / {
	if (family != "ip" || table != "iptables")
		end_of_table()
	family = "ip"
	table = "iptables"
	if ($2 == "FORWARD" && $3 == "DROP")
		drops = 1
	next
}

/^\tchain / {
	chain = $2
	hook = ""
	next
}

/^-A / {
	chain = $2
	hook = chain == "FORWARD" ? "forward" : ""
}

/^\t\ttype .* hook / {
	hook = / hook forward / ? "forward" : "other"
	if (hook == "forward" && /policy drop/)
		drops = 1
	next
}

hook == "other" || (hook == "" && tolower(chain) ~ /input|output|postrouting|prerouting/) {
	next
}

hook == "forward" && (/^\t\t(counter packets [0-9]+ bytes [0-9]+ )?(drop|reject( with .*)?)$/ ||
	/^-A FORWARD -j (DROP|REJECT)/) {
	drops = 1
	next
}

/accept|-j ACCEPT/ {
	if (is_ours($0))
		accepts = 1
}

END {
	end_of_table()
}
