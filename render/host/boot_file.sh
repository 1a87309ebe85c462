# Writes what is read as the boot file. MESH is the mesh's id.

# What is there and was not written by this mesh is kept, once.
keep_boot_file() {
	if [ -e "$boot_file.before-wgmesh" ]; then
		chmod 600 "$boot_file.before-wgmesh"
	elif [ -f "$boot_file" ]; then
		line=
		read -r line <"$boot_file"
		case $line in
		"# managed by wgmesh, mesh $MESH,"*) ;;
		*) replace_file "$boot_file.before-wgmesh" 600 <"$boot_file" || return 1 ;;
		esac
	fi
	return 0
}

write_boot_file() {
	keep_boot_file && write_secret "$boot_file"
}
