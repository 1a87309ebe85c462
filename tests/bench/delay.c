/*
 * delay PID_A NAME_A PID_B NAME_B: a slow cable. Makes a TUN device NAME_A in
 * the network namespace of process PID_A and NAME_B in that of PID_B, and
 * hands the packets of one to the other after a while. The TCP ends stay end
 * to end: handshake, Nagle and delayed acknowledgements are not touched.
 *
 * Reads lines from its input, each a number of milliseconds for one way, and
 * answers each with a line; ends, and the devices with it, when that ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PACKET_MAX 2048

struct packet {
	struct packet *next;
	int64_t due;
	size_t len;
	unsigned char bytes[PACKET_MAX];
};

/* Packets on their way to @to, first in, first out. */
struct way {
	int from, to;
	struct packet *first, **last;
};

static void die(const char *what)
{
	fprintf(stderr, "delay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int open_tun(const char *pid, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char path[64];
	int ns, fd;

	snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(path);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		die("/dev/net/tun");
	return fd;
}

/* Take in what the device has. */
static void take(struct way *w, int64_t delay_ns)
{
	for (;;) {
		struct packet *p = malloc(sizeof *p);
		ssize_t n;

		if (!p)
			die("memory");
		n = read(w->from, p->bytes, sizeof p->bytes);
		if (n <= 0) {
			free(p);
			return;
		}
		p->len = (size_t)n;
		p->due = now_ns() + delay_ns;
		p->next = NULL;
		*w->last = p;
		w->last = &p->next;
	}
}

/* Hand over what is due; the time of the next packet, or -1. */
static int64_t give(struct way *w)
{
	while (w->first && w->first->due <= now_ns()) {
		struct packet *p = w->first;

		/* a device that is down loses it, as a cable would */
		if (write(w->to, p->bytes, p->len) < 0 && errno == EAGAIN)
			break;
		w->first = p->next;
		if (!w->first)
			w->last = &w->first;
		free(p);
	}
	return w->first ? w->first->due : -1;
}

/* A new delay from our input; false at its end. */
static int read_delay(int64_t *delay_ns)
{
	char line[64];
	ssize_t n = read(STDIN_FILENO, line, sizeof line - 1);

	if (n <= 0)
		return 0;
	line[n] = '\0';
	*delay_ns = (int64_t)(strtod(line, NULL) * 1e6);
	return write(STDOUT_FILENO, "ok\n", 3) == 3;
}

/* Wait for packets, input, or the time @next (-1: none). */
static void wait_for(struct pollfd *p, int64_t next)
{
	int64_t left = next < 0 ? 0 : next - now_ns();
	struct timespec t;

	if (left < 0)
		left = 0;
	t.tv_sec = left / 1000000000;
	t.tv_nsec = left % 1000000000;
	ppoll(p, 3, next < 0 ? NULL : &t, NULL);
}

static void carry(struct way *there, struct way *back)
{
	struct pollfd p[3] = {
		{ .fd = there->from, .events = POLLIN },
		{ .fd = back->from, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	int64_t delay_ns = 0, a, b;

	for (;;) {
		a = give(there);
		b = give(back);
		wait_for(p, a < 0 || (b >= 0 && b < a) ? b : a);
		if (p[2].revents && !read_delay(&delay_ns))
			return;
		take(there, delay_ns);
		take(back, delay_ns);
	}
}

int main(int argc, char **argv)
{
	struct way there = { 0 }, back = { 0 };

	if (argc != 5) {
		fprintf(stderr, "usage: delay PID_A NAME_A PID_B NAME_B\n");
		return 2;
	}
	there.from = back.to = open_tun(argv[1], argv[2]);
	there.to = back.from = open_tun(argv[3], argv[4]);
	there.last = &there.first;
	back.last = &back.first;
	carry(&there, &back);
	return 0;
}
