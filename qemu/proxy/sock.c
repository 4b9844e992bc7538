/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/proxy/sock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 8192     /* bytes received at once */
#define RETRY_US 2000l /* between two tries to connect */
#define PASSED_MAX 8   /* descriptors that may come with one message */

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static bool address_of(const char *path, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(out->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(out->sun_path, path, strlen(path) + 1);
	return true;
}

int sock_listen(const char *path)
{
	__attribute__((cleanup(fd_close))) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	char temp[sizeof(address.sun_path) + 8];
	int out;

	snprintf(temp, sizeof(temp), "%s.new", path);
	if (fd < 0 || !address_of(temp, &address))
		return -1;
	(void)unlink(temp);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	if (listen(fd, 4) != 0 || rename(temp, path) != 0) {
		int saved = errno;

		(void)unlink(temp);
		errno = saved;
		return -1;
	}
	out = fd;
	fd = -1;
	return out;
}

int sock_connect(const char *path, int ms)
{
	uint64_t deadline = now_us() + (uint64_t)ms * 1000;
	struct sockaddr_un address;

	if (!address_of(path, &address))
		return -1;
	for (;;) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		fd_close(&fd);
		if ((errno != ENOENT && errno != ECONNREFUSED) || now_us() >= deadline)
			return -1;
		(void)nanosleep(&(struct timespec){ .tv_nsec = RETRY_US * 1000 }, NULL);
	}
}

int sock_accept(int listener)
{
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static bool poll_until(int fd, short events, uint64_t deadline)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		uint64_t now = now_us();
		uint64_t left = now < deadline ? (deadline - now + 999) / 1000 : 0;
		int n = poll(&p, 1, left < 60000 ? (int)left : 60000);

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		if (now >= deadline) {
			errno = ETIMEDOUT;
			return false;
		}
	}
}

bool sock_wait(int fd, uint64_t deadline)
{
	return poll_until(fd, POLLIN, deadline);
}

bool sock_send(int fd, struct span bytes, int pass, int ms)
{
	uint64_t deadline = now_us() + (uint64_t)ms * 1000;

	while (bytes.n) {
		union {
			struct cmsghdr head;
			char room[CMSG_SPACE(sizeof(int))];
		} control = { 0 };
		struct iovec part = { (void *)(uintptr_t)bytes.p, bytes.n };
		struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
		ssize_t n;

		if (pass >= 0) {
			m.msg_control = &control;
			m.msg_controllen = sizeof(control.room);
			control.head = (struct cmsghdr){
				.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS,
			};
			memcpy(CMSG_DATA(&control.head), &pass, sizeof(pass));
		}
		n = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			bytes.p += n;
			bytes.n -= (size_t)n;
			pass = -1;
		} else if (errno == EAGAIN) {
			if (!poll_until(fd, POLLOUT, deadline))
				return false;
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

void buffer_drop(struct buffer *b, size_t n)
{
	assert(n <= b->n);
	b->n -= n;
	if (b->n)
		memmove(b->p, b->p + n, b->n);
}

void buffer_free(struct buffer *b)
{
	free(b->p);
	*b = (struct buffer){ .max = b->max };
}

/* Room for CHUNK more bytes, or less at the end of `max`. */
static bool buffer_room(struct buffer *b)
{
	size_t want = b->n + CHUNK < b->max ? b->n + CHUNK : b->max;
	uint8_t *p;

	if (b->n >= b->max) {
		errno = ENOBUFS;
		return false;
	}
	if (want <= b->cap)
		return true;
	if (want < 2 * b->cap)
		want = 2 * b->cap < b->max ? 2 * b->cap : b->max;
	p = realloc(b->p, want);
	if (!p)
		return false;
	b->p = p;
	b->cap = want;
	return true;
}

static void take_descriptors(struct msghdr *m, int *got)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (got && i == 0) {
				fd_close(got);
				*got = fd;
			} else {
				fd_close(&fd);
			}
		}
	}
}

enum recv_result sock_receive(int fd, struct buffer *b, int *got)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(PASSED_MAX * sizeof(int))];
	} control;
	ssize_t n;

	if (!buffer_room(b))
		return RECV_FAIL;
	do {
		struct iovec part = { b->p + b->n, b->cap - b->n };
		/* clang-format off */
		struct msghdr m = {
			.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.room),
		};
		/* clang-format on */

		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
		if (n >= 0)
			take_descriptors(&m, got);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? RECV_END : RECV_FAIL;
	b->n += (size_t)n;
	return n ? RECV_SOME : RECV_END;
}
