/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_PROXY_SOCK_H
#define GL_PROXY_SOCK_H

#include "common/span.h"

/* Unix stream sockets with descriptors passed along, and every wait bounded. Failures leave their reason in errno. */

/* Closes `*fd` unless it is -1, and sets it to -1. Fits the cleanup attribute. */
void fd_close(int *fd);

/*
 * Listens at `path`. The socket appears there by rename, after listen(): whoever sees it can connect. An old socket is replaced.
 * Returns the descriptor, or -1 (ENAMETOOLONG if `path` does not fit an address: 100 bytes are safe).
 */
GL_MUST int sock_listen(const char *path);

/* Connects, and tries again until `ms` are over while nobody listens yet. Returns the descriptor or -1. */
GL_MUST int sock_connect(const char *path, int ms);

/* Accepts a connection that poll() announced; -1 if there is none. */
GL_MUST int sock_accept(int listener);

/* Sends all bytes within `ms`; with `pass` >= 0 that descriptor goes with the first of them. */
GL_MUST bool sock_send(int fd, struct span bytes, int pass, int ms);

/* Received bytes, growing up to `max`. Zero it with .max set; buffer_free() when done. */
struct buffer {
	uint8_t *p;
	size_t n, cap, max;
};

static inline struct span buffer_span(const struct buffer *b)
{
	return (struct span){ b->p, b->n };
}

/* Takes the first `n` bytes out. */
void buffer_drop(struct buffer *b, size_t n);
void buffer_free(struct buffer *b);

enum recv_result {
	RECV_SOME,
	RECV_END, /* the peer closed */
	RECV_FAIL /* errno; ENOBUFS if `max` is reached */
};

/*
 * Adds what can be received now (waits if nothing can). If `got` is not NULL and a descriptor came along, it replaces `*got`
 * (the old one is closed); others that came with it are closed.
 */
GL_MUST enum recv_result sock_receive(int fd, struct buffer *b, int *got);

/* Waits until `fd` can be read or its peer is gone; false (ETIMEDOUT) when `deadline` (of now_us()) is over. */
GL_MUST bool sock_wait(int fd, uint64_t deadline);

/* Monotonic time in microseconds. */
uint64_t now_us(void);

#endif
