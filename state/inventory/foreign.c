/*
 * Files of other programs that are none of the kinds that are read: told by how
 * they begin, or by words that nothing else has, so that nobody gets an error
 * of a syntax that the file never had.
 */
#include "state/inventory/foreign.h"

#include "base/auto.h"

#include <string.h>
#include <strings.h>

/* The words are looked for in so many bytes from its beginning. */
#define LOOKED_AT 65536
#define WORDS 3

/*
 * A row holds when the text begins with @begins, if that is said, and has each
 * of @words: at the beginning of a line, or anywhere if it begins with a sign
 * of those below.
 */
static const struct foreign {
	const char *begins, *words[WORDS];
	const char *what;
	enum advice advice;
} foreigners[] = {
	{ "PK\x03\x04", { NULL }, "a ZIP archive", ADVICE_UNPACK },
	{ "\x1f\x8b", { NULL }, "a gzip archive", ADVICE_UNPACK },
	{ "\x89PNG", { NULL }, "an image (PNG)", ADVICE_IMPORT_HOST },
	{ "\xff\xd8\xff", { NULL }, "an image (JPEG)", ADVICE_IMPORT_HOST },
	{ "%PDF", { NULL }, "a PDF", ADVICE_IMPORT_HOST },
	{ "\x7f" "ELF", { NULL }, "a program", ADVICE_IMPORT_HOST },
	{ "age-encryption.org/", { NULL }, "a file encrypted with age",
	  ADVICE_DECRYPT_AGE },
	{ "-----BEGIN AGE ENCRYPTED FILE", { NULL },
	  "a file encrypted with age", ADVICE_DECRYPT_AGE },
	{ "-----BEGIN PGP MESSAGE", { NULL }, "a file encrypted with PGP",
	  ADVICE_UNPACK },
	{ "{", { "\"nodes\"", "\"interface_name\"" }, "a state file of wgmesh",
	  ADVICE_IS_STATE },
	{ NULL, { "nodes:", " ssh:" }, "a mesh.yaml of wgmesh",
	  ADVICE_IS_MESH_YAML },
	{ NULL, { "[NetDev]" }, "a systemd-networkd .netdev file",
	  ADVICE_IMPORT_HOST },
	{ NULL, { "[WireGuardPeer]" }, "a systemd-networkd .netdev file",
	  ADVICE_IMPORT_HOST },
	{ NULL, { "[Match]", "[Network]", "Name=" }, "a systemd-networkd .network file",
	  ADVICE_IMPORT_HOST },
	{ NULL, { "[connection]", "type=wireguard" },
	  "a NetworkManager .nmconnection file", ADVICE_IMPORT_HOST },
	{ NULL, { "[wireguard]", "private-key" },
	  "a NetworkManager .nmconnection file", ADVICE_IMPORT_HOST },
	{ NULL, { "[interface]", "network-name" }, "an innernet file",
	  ADVICE_IMPORT_HOST },
	{ NULL, { "[server]", "external-endpoint" }, "an innernet file",
	  ADVICE_IMPORT_HOST },
	{ "{", { "\"clients\"", "\"server\"", "\"privateKey\"" },
	  "a wg-easy JSON file", ADVICE_IMPORT_HOST },
	{ "{", { "\"peers\"", "\"Address\"", "\"ListenPort\"" },
	  "an old wg-meshconf JSON file", ADVICE_OLD_MESHCONF },
	{ "{", { "\"peers\"", "\"Address\"" },
	  "an old wg-meshconf JSON file", ADVICE_OLD_MESHCONF },
	{ NULL, { "\"TailscaleIPs\"" }, "a Tailscale status (JSON)",
	  ADVICE_IMPORT_HOST },
	{ NULL, { "\"machine_key\"", "\"node_key\"" },
	  "a headscale list (JSON)", ADVICE_IMPORT_HOST },
	{ NULL, { "\"machineKey\"", "\"nodeKey\"" }, "a headscale list (JSON)",
	  ADVICE_IMPORT_HOST },
	{ NULL, { "\"netbirdIp\"" }, "a NetBird status (JSON)",
	  ADVICE_IMPORT_HOST },
	{ NULL, { "\"dns_label\"", "\"connection_ip\"" },
	  "a NetBird list of peers (JSON)", ADVICE_IMPORT_HOST },
	{ "[", { "\"netid\"" }, "a Netmaker list (JSON)", ADVICE_IMPORT_HOST },
	{ "{", { "\"netid\"" }, "a Netmaker list (JSON)", ADVICE_IMPORT_HOST },
	{ "interface: ", { "  public key: " }, "what 'wg show' prints",
	  ADVICE_IMPORT_HOST },
	{ "config interface", { NULL }, "an OpenWrt (UCI) file",
	  ADVICE_IMPORT_HOST },
	{ "config wireguard_", { NULL }, "an OpenWrt (UCI) file",
	  ADVICE_IMPORT_HOST },
	{ "package network", { NULL }, "an OpenWrt (UCI) file",
	  ADVICE_IMPORT_HOST },
	{ "network.", { "=interface" }, "an OpenWrt (UCI) file", ADVICE_IMPORT_HOST },
	{ "/interface wireguard", { NULL }, "a MikroTik export",
	  ADVICE_IMPORT_HOST },
	{ "set interfaces wireguard", { NULL }, "a VyOS configuration",
	  ADVICE_IMPORT_HOST },
	{ "<?xml", { NULL }, "an XML file", ADVICE_IMPORT_HOST },
};

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; (at = strcasestr(at, word)); at += n)
		if (strchr("\"= ", *word) || at == text || at[-1] == '\n')
			return true;
	return false;
}

/* The text without what stands before its first line that says something. */
static const char *skip_comments(const char *s)
{
	for (;;) {
		s += strspn(s, " \t\r\n");
		if (*s != '#' && *s != ';')
			return s;
		s += strcspn(s, "\n");
	}
}

/* `wg show wg0 dump` and `all dump`: fields with tabs between, one a key. */
static bool is_dump(const char *s)
{
	size_t line = strcspn(s, "\r\n");
	size_t tabs = 0;

	for (size_t i = 0; i < line; i++) {
		size_t n = strcspn(s + i, "\t\r\n");

		tabs += s[i] == '\t';
		if (n == WGKEY_TEXT && s[i + n - 1] == '=' && s[i + n] == '\t')
			return true;
		if (tabs > 2)
			return false;
	}
	return false;
}

static int refuse(const struct inventory_file *f, const char *what,
		  enum advice advice, struct err *e)
{
	err_set(e, ERR_INPUT, "%s: this is %s, which is not read here",
		f->name, what);
	/* a name that no shell would take as it is: standard input's */
	return err_advise(e, advice, strchr(f->name, ' ') ? "FILE" : f->name);
}

int foreign_refuse(const struct inventory_file *f, struct err *e)
{
	size_t len = f->len < LOOKED_AT ? f->len : LOOKED_AT;
	AUTO(sbuf_done) struct sbuf head = SBUF_SECRET;
	const char *s;

	sbuf_add(&head, f->text, len);
	s = skip_comments(sbuf_str(&head));
	/* Ansible's, whose groups and variables may be called anything */
	if (*s == '{' && (has_word(s, "\"_meta\"") || has_word(s, "\"all\"")))
		return 0;
	if (is_dump(s))
		return refuse(f, "what 'wg show' prints as a dump",
			      ADVICE_IMPORT_HOST, e);
	for (size_t i = 0; i < sizeof foreigners / sizeof *foreigners; i++) {
		const struct foreign *x = &foreigners[i];
		bool holds = !x->begins ||
			     strncmp(s, x->begins, strlen(x->begins)) == 0;

		for (size_t k = 0; k < WORDS && x->words[k] && holds; k++)
			holds = has_word(s, x->words[k]);
		if (holds)
			return refuse(f, x->what, x->advice, e);
	}
	return 0;
}
