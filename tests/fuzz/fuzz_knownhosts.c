/*
 * Any bytes as a known_hosts file and, line by line, as pinned host keys: a key
 * is taken only if it stands there, never if it is revoked there, and a pinned
 * host is known by its pins alone.
 */
#include "base/text.h"
#include "folder.h"
#include "ssh/session/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The keys that the corpus knows: of the host, and of another one. */
#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHaSw601QLuAPAILOu5mzYiHEjI06g" \
	    "xucUPArdc/9DHt"
#define OTHER "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID/EzP50WHDiwNmfcfMP8GVsje3U" \
	      "HMHX09N2sNvmheLz"

static char *file, *revoking;

static void begin(void)
{
	const char *folder = fuzz_begin();

	if (file)
		return;
	file = mem_printf("%s/known_hosts", folder);
	revoking = mem_printf("%s/revoking", folder);
}

/* What the host's key is: -1 refused, else its enum remote_hostkey. */
static int judge(const char *path, int port, const struct strings *pins)
{
	AUTO(remote_known_done) struct remote_known k = { 0 };
	AUTO(auto_free) char *algorithms = NULL;
	char name[] = "h.example.org", *files[] = { (char *)path };
	const struct remote_settings s = { .name = name, .host = name,
					   .port = port,
					   .known_hosts = { files, 1, 1 } };
	enum remote_hostkey out;
	struct err e = { 0 };

	if (remote_known_load(&k, &s, pins, &e) < 0 ||
	    remote_known_check(&out, &k, KEY, &s, &e) < 0) {
		if ((e.code != ERR_HOSTKEY && e.code != ERR_INPUT &&
		     e.code != ERR_SYSTEM) || !text_is_printable(e.msg))
			abort();
		return -1;
	}
	algorithms = remote_known_algorithms(&k, NULL);
	if (!text_is_printable(algorithms) || strpbrk(algorithms, " \t"))
		abort();
	if (k.pinned != (out == REMOTE_KEY_PINNED) || k.pinned != !!pins)
		abort();
	return (int)out;
}

/* The same file with a last line that revokes the host's key. */
static void put_revoking(const uint8_t *data, size_t size)
{
	static const char line[] = "\n@revoked * " KEY "\n";
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;

	sbuf_add(&b, data, size);
	sbuf_puts(&b, line);
	fuzz_put(revoking, b.s, b.len);
}

static void read_pins(struct strings *pins, const uint8_t *data, size_t size)
{
	AUTO(auto_free) char *copy = mem_strndup((const char *)data, size);
	AUTO(sbuf_done) struct sbuf shown = SBUF_INIT;
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) && pins->len < 64) {
		struct err e = { 0 };

		if (remote_fingerprint(line, &shown, &e) == 0)
			strings_add(pins, line);
		else if (e.code != ERR_INPUT || !text_is_printable(e.msg))
			abort();
	}
	if (shown.len && !text_is_printable(shown.s))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int ports[] = { 22, 2222 };
	AUTO(strings_done) struct strings pins = { 0 };
	char *other[] = { (char[]){ OTHER } }, *right[] = { (char[]){ KEY } };
	const struct strings foreign = { other, 1, 1 }, good = { right, 1, 1 };

	begin();
	fuzz_put(file, data, size);
	put_revoking(data, size);
	read_pins(&pins, data, size);
	for (size_t i = 0; i < 2; i++) {
		judge(file, ports[i], NULL);
		if (judge(revoking, ports[i], NULL) != -1 ||
		    judge(revoking, ports[i], &good) != -1 ||
		    judge(file, ports[i], &foreign) != -1)
			abort();
		if (pins.len)
			judge(file, ports[i], &pins);
	}
	return 0;
}
