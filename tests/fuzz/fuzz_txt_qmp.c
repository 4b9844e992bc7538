/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers of QEMU's monitor. Input: u8 what is asked (0 a connection, 1 a command, 2 a line of the human monitor, 3 one that may say nothing, else
 * events only), then all that the monitor sends before it closes its end. Refused with a reason, or a value.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qemu/txt/qmp.h"

#define SENT_MAX 65536
#define WAIT_MS 5000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned events;

static void count_event(void *ctx, const char *name, json_t *data)
{
	(void)ctx;
	(void)data;
	events += name[0] != 0;
}

static void send_all(int fd, struct span bytes)
{
	if (!sock_send(fd, bytes, -1, WAIT_MS) || shutdown(fd, SHUT_WR) != 0)
		abort();
}

struct monitor {
	int listener;
	struct span says;
};

static void *serve(void *arg)
{
	const struct monitor *m = arg;
	int fd = accept(m->listener, NULL, NULL);
	char buf[256];

	if (fd < 0)
		abort();
	send_all(fd, m->says);
	while (read(fd, buf, sizeof(buf)) > 0)
		continue;
	close(fd);
	return NULL;
}

/* The way of qmp_open(), which wants a path. */
static void connected(struct qmp *q, struct span says)
{
	char dir[] = "/tmp/fuzz-qmp-XXXXXX", path[64];
	struct monitor m = { .says = says };
	pthread_t thread;

	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/s", dir);
	m.listener = sock_listen(path);
	if (m.listener < 0 || pthread_create(&thread, NULL, serve, &m) != 0)
		abort();
	if (!qmp_open(q, path, WAIT_MS) && !q->why[0])
		abort();
	qmp_close(q);
	pthread_join(thread, NULL);
	close(m.listener);
	unlink(path);
	rmdir(dir);
}

static void ask(struct qmp *q, uint8_t what)
{
	json_t *value = NULL;
	char *text = NULL;
	bool ok = true;

	if (what == 1) {
		ok = qmp_execute(q, "query-status", json_object(), &value);
		if (ok != (value != NULL))
			abort();
	} else if (what == 2) {
		ok = qmp_monitor(q, "info registers", &text);
		if (ok != (text != NULL))
			abort();
	} else if (what == 3) {
		ok = qmp_monitor(q, "stop", NULL);
	}
	json_decref(value);
	free(text);
	if (ok != !q->why[0])
		abort();
	while (qmp_ready(q))
		continue;
	if (!q->why[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qmp q = { .fd = -1, .in = { .max = SENT_MAX }, .event = count_event };
	int pair[2];

	if (size == 0 || size > SENT_MAX)
		return 0;
	if (data[0] == 0) {
		connected(&q, (struct span){ data + 1, size - 1 });
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
		abort();
	q.fd = pair[0];
	send_all(pair[1], (struct span){ data + 1, size - 1 });
	ask(&q, data[0]);
	qmp_close(&q);
	close(pair[1]);
	return 0;
}
