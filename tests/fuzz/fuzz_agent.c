/*
 * Any bytes as what an SSH agent answers: a list of whole keys, or none; and as
 * what it answers to the agent that we stand in front of it, which still tells
 * of the offered keys alone and says of the rest what came, or that it failed.
 */
#include "folder.h"
#include "ssh/session/internal.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PATIENCE_MS 5000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *path;
static int listener = -1;

/* What the agent says; it may still be at it when nobody listens any more. */
static uint8_t answer[1 << 16];
static size_t answer_len;

static void *serve(void *arg)
{
	char question[4096];
	int fd;

	(void)arg;
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (recv(fd, question, sizeof question, 0) > 0)
			send(fd, answer, answer_len, MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

static void begin(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	pthread_t thread;

	if (path)
		return;
	path = mem_printf("%s/agent", fuzz_begin());
	memcpy(sa.sun_path, path, strlen(path) + 1);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&sa, sizeof sa) < 0 ||
	    listen(listener, 8) < 0 ||
	    pthread_create(&thread, NULL, serve, NULL) != 0)
		abort();
	pthread_detach(thread);
}

static void check(const remote_identities *v, size_t size)
{
	size_t sum = 0;

	if (v->len > 512)
		abort();
	for (size_t i = 0; i < v->len; i++) {
		const struct remote_identity *id = &v->items[i];

		sum += 8 + id->len;
		if (strlen(id->b64) != (id->len + 2) / 3 * 4 ||
		    remote_identities_find(v, id->b64) > (long)i)
			abort();
	}
	if (sum > size)
		abort();
}

/* Bytes until there are @size or the other side is gone. */
static size_t receive(int fd, uint8_t *out, size_t size)
{
	size_t got = 0;
	ssize_t n;

	while (got < size &&
	       (n = TEMP_FAILURE_RETRY(recv(fd, out + got, size - got, 0))) > 0)
		got += (size_t)n;
	return got;
}

/* The front tells of @offer and nothing else; the caller stops it. */
static void check_list(int fd, const remote_identities *offer)
{
	static const uint8_t question[] = { 0, 0, 0, 1, 11 };
	uint8_t head[9];
	uint32_t n, len;

	if (send(fd, question, sizeof question, MSG_NOSIGNAL) < 0 ||
	    receive(fd, head, sizeof head) != sizeof head || head[4] != 12)
		abort();
	len = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 |
	      (uint32_t)head[2] << 8 | head[3];
	n = (uint32_t)head[7] << 8 | head[8];
	if (n != offer->len)
		abort();
	for (len -= 5; len; len--)
		if (receive(fd, head, 1) != 1)
			abort();
}

/* To a signature it says what the agent said, if that is whole. */
static void check_signature(int fd, const uint8_t *data, size_t size)
{
	static const uint8_t question[] = { 0, 0, 0, 1, 13 };
	static const uint8_t failure[] = { 0, 0, 0, 1, 5 };
	size_t len = size < 4 ? 0 : (size_t)data[0] << 24 |
				    (size_t)data[1] << 16 |
				    (size_t)data[2] << 8 | data[3];
	bool whole = len && len <= size - 4 && len <= 256 * 1024;
	AUTO(auto_free) uint8_t *got = mem_calloc(size + 8, 1);

	if (!whole)
		len = 1;
	if (send(fd, question, sizeof question, MSG_NOSIGNAL) < 0 ||
	    receive(fd, got, 4 + len) != 4 + len ||
	    memcmp(got, whole ? data : failure, 4 + len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	remote_identities offer = { 0 };
	struct remote_front *front;
	int fd;

	if (size > sizeof answer)
		return 0;
	begin();
	if (size)
		memcpy(answer, data, size);
	answer_len = size;
	remote_agent_list(&offer, path, PATIENCE_MS);
	check(&offer, size);
	front = remote_front_start(&fd, path, &offer, PATIENCE_MS);
	if (!front)
		abort();
	check_list(fd, &offer);
	check_signature(fd, data, size);
	close(fd);
	remote_front_stop(front);
	remote_identities_done(&offer);
	return 0;
}
