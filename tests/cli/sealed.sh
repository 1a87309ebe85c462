# shellcheck shell=sh
# Sealed states for tests. Source it behind common.sh, whose words it uses.
#
#   $PASS                 a passphrase; $R a recipient, whose identity is "id"
#   vault_folder          a folder with that identity, and $PASS in the file "pw"
#   sealed_state          the same with a state s.json of one node, sealed to $R
#   sealed_by_passphrase  the same, sealed with $PASS
unset WGMESH_IDENTITY WGMESH_IDENTITY_DATA WGMESH_PASSWORD_FILE
unset WGMESH_PASSWORD_COMMAND WGMESH_PASSWORD

PASS='correct horse battery staple'

vault_folder() {
	empty_folder
	R=$("$WGMESH" identity new id 2>/dev/null)
	printf '%s\n' "$PASS" >pw
	chmod 600 pw
}

sealed_state() {
	vault_folder
	{
		"$WGMESH" -state s.json init -recipient "$R" &&
			"$WGMESH" -state s.json -identity id add a:auto:h1 -offline
	} >/dev/null || exit 1
}

sealed_by_passphrase() {
	vault_folder
	{
		"$WGMESH" -state s.json -password-file pw init -encrypt &&
			"$WGMESH" -state s.json -password-file pw add a:auto:h1 -offline
	} >/dev/null || exit 1
}
