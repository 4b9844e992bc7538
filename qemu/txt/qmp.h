/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_QMP_H
#define GL_TXT_QMP_H

#include <jansson.h>

#include "qemu/proxy/sock.h"

/* A client of QEMU's machine protocol (QMP) over a unix socket: one command at a time, and the events that come in between. */
#define QMP_MS 20000

struct qmp {
	int fd; /* -1: closed */
	struct buffer in;
	unsigned id; /* of the last command */
	bool gone;   /* QEMU has closed the connection */
	/* Sees each event, also while a command is under way; must not call back into this. `data` may be NULL. */
	void (*event)(void *ctx, const char *name, json_t *data);
	void *ctx;
	char why[160]; /* "" while all is well */
};

/* Connects (`ms`: how long to try) and ends the negotiation. event and ctx are kept. qmp_close() is due in any case. */
GL_MUST bool qmp_open(struct qmp *q, const char *path, int ms);
/* The negotiation alone, where q->fd is connected already; `path` is only a name for messages. */
GL_MUST bool qmp_negotiate(struct qmp *q, const char *path);
void qmp_close(struct qmp *q);

/* Executes a command. `arguments` is taken over and may be NULL; `out` (the caller's reference) may be NULL. */
GL_MUST bool qmp_execute(struct qmp *q, const char *command, json_t *arguments, json_t **out);

/* A command of the human monitor. Its text is the caller's to free; `out` may be NULL: then any text is an error. */
GL_MUST bool qmp_monitor(struct qmp *q, const char *line, char **out);

/* The socket can be read: hands events on. False if the connection is at its end. */
GL_MUST bool qmp_ready(struct qmp *q);

#endif
