/*
 * The lock of a host, as its shell sees it: what the probe and the script have
 * in common. Its file L says in the first line the token of the last deploy, and
 * behind it who it is while that is at work. Held is the file by flock, where
 * the host has that program, else by a claim: a file in the folder L.d, named
 * as one process and no other one ever is. The claim of a process that is gone
 * counts for nothing and is anybody's to remove; so none is ever taken over.
 */
#ifndef WGMESH_RENDER_HOST_HOST_LOCK_H
#define WGMESH_RENDER_HOST_HOST_LOCK_H

/**
 * Shell text, with I the interface. `l` reads the file into t and w; `proc PID`
 * sets c to the name of a claim of that process, if it lives; `others` finds a
 * living claim that is not C, our own one, and who has one removes the dead.
 */
#define HOST_LOCK_TEXT                                                         \
	"L=/run/wgmesh-$I.lock C=\n"                                           \
	"l() { t= w=; [ -r \"$L\" ] && read -r t w <\"$L\"; case $t in *[!0-9a-f]*) t=;; esac; }\n" \
	/* a number is used again, but not with its start, in one boot */      \
	"proc() { s= b= c=; read -r s 2>/dev/null <\"/proc/$1/stat\"; read -r b 2>/dev/null </proc/sys/kernel/random/boot_id\n" \
	"  set -- \"$1\" ${s##*\") \"}; case $2 in ''|[XZ]) ;; *) c=$1-${21}-$b;; esac; }\n" \
	"others() { for q in \"$L.d\"/*; do q=${q##*/}; proc \"${q%%-*}\"\n"    \
	"  if [ \"$q\" != \"$c\" ]; then [ -z \"$C\" ] || rm -f \"$L.d/$q\"\n"  \
	"  elif [ \"$q\" != \"$C\" ]; then return 0; fi; done; return 1; }\n"

#endif
