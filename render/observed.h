/*
 * What a host really has, as the probe reported it. The report is hostile
 * input: bounded and parsed strictly; what does not parse is an error that
 * names the section, never a guess.
 */
#ifndef WGMESH_RENDER_OBSERVED_H
#define WGMESH_RENDER_OBSERVED_H

#include "base/addr.h"
#include "base/err.h"
#include "base/sbuf.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

/** Routes that we set carry this protocol number (`ip route ... proto`). */
#define OBSERVED_ROUTE_PROTO "119"

struct observed_peer {
	char *public_key; /* base64, 44 characters; not checked further */
	char *endpoint; /* "address:port", "" for none */
	bool has_psk;
	struct cidrs allowed_ips; /* as the kernel prints them, sorted */
	int keepalive_s;      /* 0: off */
	int64_t handshake;    /* seconds since 1970 by the host, 0: never */
	uint64_t sent;        /* bytes, by the interface's count */
	VEC(struct ip) named; /* what the boot file's name for it is now, there;
				 asked for when no handshake is fresh. None: not
				 asked, or no answer */
	bool unasked;         /* for there is nothing to ask with */
};

struct observed_route {
	struct cidr network;
	struct ip gateway;  /* family 0: none */
	bool kernel;        /* made by the kernel for an address */
	bool tagged;        /* proto OBSERVED_ROUTE_PROTO */
};

/** A network interface of the host. */
struct observed_link {
	char ifname[16];
	int mtu;
};

/** One way of a route of the main table; one with many ways is many of them. */
struct observed_underlay {
	struct cidr network; /* a default route has 0 bits */
	long metric;         /* the lowest wins */
	int mtu; /* that the route says, 0: its interface's */
	char ifname[16];
};

#define OBSERVED_LINKS_MAX 512
#define OBSERVED_UNDERLAY_MAX 4096

/** So many settings of a boot file that are lost are told. */
#define BOOT_LOST_MAX 32

/** Whose boot file it is, by its first line. */
enum observed_boot {
	BOOT_NONE,    /* no file */
	BOOT_FOREIGN, /* no marker of ours */
	BOOT_MARKED,  /* marker with a mesh id */
};

/** A peer of the boot file and where it is said to be. */
struct observed_boot_peer {
	char *public_key;
	char *endpoint;
};

struct observed {
	/* the host */
	char *hostname; /* up to 253 printable bytes, as fqdn */
	char *fqdn; /* NULL: not asked or no answer */
	int64_t now; /* the host's clock, seconds since 1970 */
	char *busy; /* who deploys there right now, as it says; NULL: nobody.
		       Only with this run's own nonce as the lock's token:
		       another's is an error */
	char *lock_token; /* of the last deploy, hex digits; "" for none */
	char *port_holder; /* who has the UDP port that the interface is to
			      have; NULL: the interface, or nobody */
	bool no_ipv6; /* the interface can have no IPv6 address */
	bool is_root, has_wg, has_ip, has_apt, has_systemd;
	char *ssh_client, *ssh_server; /* numeric addresses of the SSH
					  connection, "" when local */
	struct observed_own { /* addresses of the host */
		struct observed_address {
			struct cidr address;
			char ifname[16];
			bool passing; /* temporary or deprecated */
		} *items;
		size_t len;
		size_t cap;
	} addresses;
	/* what the tunnel's packets go through; the first of each, at most
	   OBSERVED_LINKS_MAX and OBSERVED_UNDERLAY_MAX */
	VEC(struct observed_link) links;
	VEC(struct observed_underlay) underlay;
	/* the interface */
	bool exists, is_wireguard, is_up;
	int mtu;
	char *public_key; /* "" for none */
	int listen_port; /* 0 where there is no interface */
	uint32_t fwmark; /* 0: off */
	VEC(struct observed_peer) peers; /* sorted by public key */
	VEC(struct observed_route) routes;
	/* what lasts */
	enum observed_boot boot;
	char *boot_mesh_id; /* of a marker, else NULL */
	uint64_t boot_serial; /* of a marker; claimed, proved or not */
	char *boot_proof; /* of a marker that has one, else NULL; not checked */
	uint64_t boot_hash; /* text_hash() of the file without its first line,
			       private key "(hidden)" */
	int boot_mtu; /* of a file of ours, 0: it says none */
	char *boot_public_key; /* of the file; NULL: as the interface's */
	VEC(struct observed_boot_peer) boot_peers; /* in the file's order */
	struct strings boot_hooks; /* of a file of ours, the lines of
				      wgquick_hooks(); whatever they are */
	struct strings boot_lost; /* settings of a file that is not ours, that
				     no deploy keeps: "PostUp (line 5)" */
	bool has_key_file; /* /etc/wireguard/<interface>.key */
	char *host_key;    /* its public key; NULL: none, or no `wg` there */
	bool unit_enabled; /* wg-quick@<interface>, at boot */
	bool forward4, forward6; /* live */
	bool dropin;             /* our sysctl file is there */
	bool dropin4, dropin6;   /* and says so */
	char *drops4, *drops6; /* the firewall's table that drops what is
				  forwarded from our interface; NULL: none
				  evidently does, or it was not asked */
	/* while it is parsed: */
	bool in_hooks;
	size_t max;              /* of each kind of thing; 0: OBSERVED_MAX */
	size_t n_lines, n_allowed_ips; /* so far */
};

/**
 * Append what was found there as lines in a fixed order, for a digest. What
 * moves by itself is not in it: the clock, counters, handshakes, endpoints that
 * peers roam to, passing addresses, who is logged in.
 */
void observed_text(struct sbuf *out, const struct observed *o);

/** Free, and empty; for AUTO(observed_done). */
void observed_done(struct observed *o);

/** The peer that has this public key, or NULL. */
const struct observed_peer *observed_peer_by_key(const struct observed *o,
						 const char *public_key);

/** Is @a one of the host's addresses, apart from those on @except? */
bool observed_owns(const struct observed *o, const struct ip *a,
		   const char *except);

/** The endpoint that the boot file names for a key, or NULL. */
const char *observed_boot_endpoint(const struct observed *o,
				   const char *public_key);

#endif
