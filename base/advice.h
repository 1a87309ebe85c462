/*
 * What would help with an error, as a word. Rooms below cmd/ know what is
 * wrong and which act would mend it; what a user types for that act is in
 * cmd/advice.c, which alone knows commands and options. A kind is named after
 * the situation.
 */
#ifndef WGMESH_BASE_ADVICE_H
#define WGMESH_BASE_ADVICE_H

enum advice {
	ADVICE_NONE = 0,
	ADVICE_NO_STATE,
	/* a name, a key, a value */
	ADVICE_SEE_NODES,
	ADVICE_SEE_GROUPS,
	ADVICE_SEE_POLICIES,
	ADVICE_SEE_NODE,         /* about: the node */
	ADVICE_TAKE_VALUE_AWAY,
	ADVICE_NETWORK_FULL,
	ADVICE_POLICY_IN_THE_WAY,
	ADVICE_REMOVED_IS_GONE,  /* a tombstone whose host is no more */
	/* secrets */
	ADVICE_GIVE_IDENTITY,
	ADVICE_GIVE_PASSPHRASE,
	ADVICE_COSTLY_SEAL,      /* about: the work factor that we write */
	ADVICE_NAME_RECIPIENTS,
	ADVICE_FOREIGN_SECRET,   /* the other side has not the mesh's */
	/* git, merges */
	ADVICE_NO_COMMIT,        /* what hinders a commit, and none is a must */
	ADVICE_DEAD_LOCK,
	ADVICE_SEE_INCOMING,
	ADVICE_SEE_CONFLICTS,
	ADVICE_RESOLVE,
	ADVICE_AGREE_TO_SECRET,
	ADVICE_MERGE_AGAIN,      /* about: the words for git */
	/* a host */
	ADVICE_NO_INTERFACE,
	ADVICE_OTHER_NETWORK,    /* about: the network, IPv4 */
	ADVICE_OTHER_NETWORK6,   /* about: the same, IPv6 */
	ADVICE_HOST_MOVED,       /* about: "NODE ssh=HOST" */
	ADVICE_SAY_WHERE,        /* about: the node */
	ADVICE_OTHER_ACCOUNT,    /* about: the node */
	ADVICE_SUDO_PASSWORD,
	ADVICE_SUDO_TTY,
	ADVICE_DOAS,
	ADVICE_PIN_ANEW,
	ADVICE_PIN_JUMP_ANEW,    /* about: the jump host's place */
	ADVICE_NOT_OURS,         /* an interface, or a boot file */
	ADVICE_NOT_OURS_AND_DOWN,
	ADVICE_OTHER_AUTHOR,
	ADVICE_NEWER_STATE,
	ADVICE_NO_WIREGUARD,
	ADVICE_KEY_CHANGED,
	ADVICE_KEY_NOT_MADE,     /* about: the node */
	ADVICE_SEALED_INVENTORY, /* by ansible-vault */
	ADVICE_ANSIBLE_RESOLVES, /* aliases, plugins, scripts, folders */
	ADVICE_ANSIBLE_EXPRESSION,
	ADVICE_IMPORT_HOST,      /* a file that is not read */
	ADVICE_KEY_FROM_HOST,    /* about: "NAME=HOST" */
	ADVICE_UNPACK,
	ADVICE_DECRYPT_AGE,      /* about: the file */
	ADVICE_IS_STATE,         /* the same */
	ADVICE_IS_MESH_YAML,     /* the same */
	ADVICE_OLD_MESHCONF,
	ADVICE_KEEP_HOOKS,       /* of a boot file */

	ADVICE_KINDS
};

#endif
