/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers of QEMU's monitor. Input: u8 what is asked (0 the negotiation, 1 a command, 2 a line of the human monitor, 3 one that may say nothing, else
 * events only), then all that the monitor sends before it closes its end. Refused with a reason, or a value.
 */
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

static void ask(struct qmp *q, uint8_t what)
{
	json_t *value = NULL;
	char *text = NULL;
	bool ok = true;

	if (what == 0) {
		ok = qmp_negotiate(q, "x");
	} else if (what == 1) {
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

/* Nobody listens: it is said, and at once. */
static void no_monitor(void)
{
	struct qmp q = { .event = count_event };

	if (qmp_open(&q, "/dev/null/monitor", 0) || !q.why[0])
		abort();
	qmp_close(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool began;
	struct qmp q = { .fd = -1, .in = { .max = SENT_MAX }, .event = count_event };
	int pair[2];

	if (size == 0 || size > SENT_MAX)
		return 0;
	if (!began)
		no_monitor();
	began = true;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
		abort();
	q.fd = pair[0];
	send_all(pair[1], (struct span){ data + 1, size - 1 });
	ask(&q, data[0]);
	qmp_close(&q);
	close(pair[1]);
	return 0;
}
