/*
 * The difference between what a host should have and what it has, as typed
 * steps in the order in which they run. What `plan` prints is the object that
 * `deploy` executes. Making a plan has no effects.
 */
#ifndef WGMESH_RENDER_PLAN_H
#define WGMESH_RENDER_PLAN_H

#include "render/desired.h"
#include "render/observed.h"

#include <stdbool.h>

/** Kinds of steps; the order of the values is the order of execution. */
enum step_kind {
	STEP_INSTALL,      /* the WireGuard tools, by the package manager */
	STEP_TAKE_OVER,    /* an interface or boot file that is not ours */
	STEP_STORE_KEY,    /* the private key into a file there; the state
			      forgets it afterwards */
	STEP_WRITE_BOOT_FIRST, /* before the interface comes up from it */
	STEP_ENABLE_FIRST, /* the boot unit, before it starts */
	STEP_BRING_UP,     /* the interface from the boot file */
	STEP_PRIVATE_KEY,  /* of a live interface, as all down to LINK_UP */
	STEP_LISTEN_PORT,  /* UDP */
	STEP_FWMARK,       /* cleared: none is ours */
	STEP_MTU,          /* bytes */
	STEP_ADD_ADDRESS,  /* of the mesh, with its prefix length */
	STEP_LINK_UP,
	STEP_ADD_PEER,     /* these three in as few `wg set` as fit */
	STEP_SET_PEER,     /* what step.change says */
	STEP_REMOVE_PEER,  /* neither wanted nor external */
	STEP_ADD_ROUTE,    /* these three by one `ip -batch` a family */
	STEP_REPLACE_ROUTE, /* another gateway, or our tag missing */
	STEP_REMOVE_ROUTE, /* one of ours that is not wanted */
	STEP_REMOVE_ADDRESS, /* after the routes that hang on it */
	STEP_FORWARD_ON,   /* the sysctl drop-in, and at once */
	STEP_FORWARD_OFF,  /* what held before it was turned on */
	STEP_WRITE_BOOT,   /* after the live interface, which it repeats */
	STEP_ENABLE,       /* the boot unit */
	STEP_NAME_ENDPOINT, /* a DNS name: last, so that one that does not
			       resolve holds nothing else up */
	STEP_TEAR_DOWN,    /* the interface and its unit, for good */
	STEP_REMOVE_BOOT,  /* the boot file of a removed node */
	STEP_REMOVE_KEY,   /* the key file: the state has the key now */
};
/** So many kinds; step.c does not compile when the last one is another. */
#define STEP_KINDS (STEP_REMOVE_KEY + 1)

/** What differs at a peer; bits. */
enum peer_change {
	PEER_ENDPOINT = 1 << 0, /* a name goes by NAME_ENDPOINT */
	PEER_ALLOWED_IPS = 1 << 1,
	PEER_KEEPALIVE = 1 << 2, /* off is a value, too */
	PEER_PSK = 1 << 3, /* one is set and none should be */
};

/** One step. Which fields count follows from the kind; pointers borrow. */
struct step {
	enum step_kind kind;
	const struct desired_peer *peer;  /* ADD_PEER, SET_PEER,
					     NAME_ENDPOINT */
	const struct observed_peer *live; /* SET_PEER, REMOVE_PEER;
					     NAME_ENDPOINT: NULL with ADD_PEER */
	unsigned change;                  /* SET_PEER: peer_change bits */
	struct cidr network;              /* addresses, routes */
	struct ip gateway;                /* routes: the new one */
	const struct observed_route *old; /* REPLACE_ROUTE, REMOVE_ROUTE */
	bool marker;                      /* WRITE_BOOT: its proof alone */
};

struct plan {
	const struct desired *desired;   /* NULL for a teardown */
	const struct observed *observed;
	const struct node *node;
	const struct mesh *mesh;
	VEC(struct step) steps;
	bool tears_down; /* an interface: that wants the user's yes */
	struct strings notes; /* what the user should know, no step */
};

/** What is allowed. */
struct plan_options {
	bool install; /* a missing WireGuard may be installed */
	bool adopt;   /* an interface or boot file that is not ours may be
			 replaced */
	bool force_serial; /* a boot file of a newer state is written anew, so
			      that it says the serial of this one */
	bool prove; /* the marker there lacks the proof of the present secret */
};

/**
 * Compare. Both sides are borrowed and must outlive the plan.
 * @boot_hash is wgquick_hash() of @d. Errors: REMOTE when WireGuard is missing
 * and may not or can not be installed, and as owner_check().
 */
int plan_make(struct plan *out, const struct desired *d,
	      const struct observed *o, uint64_t boot_hash,
	      const struct plan_options *options, struct err *e);

/**
 * The plan that takes a removed node's interface, unit and files away, if they
 * are ours; no steps when nothing of ours is left.
 */
void plan_teardown(struct plan *out, const struct mesh *m,
		   const struct node *removed, const struct observed *o);

/**
 * -1 with REMOTE when a part of what the state says is left out, because the
 * host can not have it now; the rest is planned.
 */
int plan_unmet(const struct plan *p, struct err *e);

/** Free; for AUTO(plan_done). */
void plan_done(struct plan *p);

/** A stable word for --json: "add_peer". */
const char *step_name(enum step_kind kind);

/** Append one line for people, with its sign: "+ peer db1 ...". */
void step_text(struct sbuf *out, const struct plan *p, const struct step *s);

#endif
