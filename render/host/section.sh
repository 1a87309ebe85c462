# How an answer is told from what else a host may print (a chatty shell start
# file, say): each section of it begins with a line that carries the nonce.

section() {
	printf "\n=%s= %s\n" "$NONCE" "$1"
}
