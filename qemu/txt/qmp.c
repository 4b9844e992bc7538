/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/qmp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The memory map of a large machine takes some 100 KiB. */
#define IN_MAX ((size_t)8 << 20)

static bool fail(struct qmp *q, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct qmp *q, const char *format, ...)
{
	va_list list;

	if (!q->why[0]) {
		va_start(list, format);
		vsnprintf(q->why, sizeof(q->why), format, list);
		va_end(list);
	}
	return false;
}

/* Takes one message out of what was received; NULL if there is none whole, or it is no object (`bad`). */
static json_t *next(struct qmp *q, bool *bad)
{
	const uint8_t *end = q->in.n ? memchr(q->in.p, '\n', q->in.n) : NULL;
	json_t *message;

	*bad = false;
	if (!end)
		return NULL;
	message = json_loadb((const char *)q->in.p, (size_t)(end - q->in.p), 0, NULL);
	buffer_drop(&q->in, (size_t)(end - q->in.p) + 1);
	*bad = !json_is_object(message);
	if (*bad) {
		json_decref(message);
		message = NULL;
	}
	return message;
}

/* Hands an event on; false if the message is none. The message is released then. */
static bool take_event(struct qmp *q, json_t *message)
{
	const char *name = json_string_value(json_object_get(message, "event"));

	if (!name)
		return false;
	if (q->event)
		q->event(q->ctx, name, json_object_get(message, "data"));
	json_decref(message);
	return true;
}

static bool receive(struct qmp *q)
{
	if (sock_receive(q->fd, &q->in, NULL) == RECV_SOME)
		return true;
	q->gone = true;
	return fail(q, "QEMU has closed the monitor's connection");
}

/* The next message that is no event. */
static json_t *wait_answer(struct qmp *q)
{
	uint64_t deadline = now_us() + (uint64_t)QMP_MS * 1000;

	for (;;) {
		bool bad;
		json_t *message = next(q, &bad);

		if (bad) {
			(void)fail(q, "the monitor sends what is no message of QMP");
			return NULL;
		}
		if (message && !take_event(q, message))
			return message;
		if (message)
			continue;
		if (q->fd < 0 || !sock_wait(q->fd, deadline)) {
			(void)fail(q, "the monitor does not answer");
			return NULL;
		}
		if (!receive(q))
			return NULL;
	}
}

bool qmp_execute(struct qmp *q, const char *command, json_t *arguments, json_t **out)
{
	json_t *request = json_pack("{s:s, s:i}", "execute", command, "id", (int)++q->id);
	json_t *answer, *value;
	char *text;
	bool ok;

	if (request && arguments && json_object_set(request, "arguments", arguments) != 0) {
		json_decref(request);
		request = NULL;
	}
	json_decref(arguments);
	text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_decref(request);
	if (!text)
		return fail(q, "out of memory");
	ok = q->fd >= 0 && sock_send(q->fd, span_str(text), -1, QMP_MS) && sock_send(q->fd, SPAN_LITERAL("\n"), -1, QMP_MS);
	free(text);
	if (!ok)
		return fail(q, "the monitor takes no commands: %s", q->fd < 0 ? "not connected" : strerror(errno));
	answer = wait_answer(q);
	if (!answer)
		return false;
	value = json_object_get(answer, "return");
	if (!value) {
		const char *why = json_string_value(json_object_get(json_object_get(answer, "error"), "desc"));

		(void)fail(q, "%s: %.100s", command, why ? why : "the monitor's answer is neither value nor error");
	} else if (json_integer_value(json_object_get(answer, "id")) != (json_int_t)q->id) {
		(void)fail(q, "%s: the monitor answers something else", command);
		value = NULL;
	} else if (out) {
		*out = json_incref(value);
	}
	ok = value;
	json_decref(answer);
	return ok;
}

bool qmp_monitor(struct qmp *q, const char *line, char **out)
{
	json_t *arguments = json_pack("{s:s}", "command-line", line), *value;
	const char *text;
	char *copy;

	if (!arguments)
		return fail(q, "out of memory");
	if (!qmp_execute(q, "human-monitor-command", arguments, &value))
		return false;
	text = json_string_value(value);
	copy = text ? strdup(text) : NULL;
	json_decref(value);
	if (!copy)
		return fail(q, "\"%s\": the monitor answers no text", line);
	if (out) {
		*out = copy;
		return true;
	}
	if (copy[0])
		(void)fail(q, "\"%s\": %.*s", line, (int)strcspn(copy, "\r\n"), copy);
	free(copy);
	return !q->why[0];
}

bool qmp_negotiate(struct qmp *q, const char *path)
{
	json_t *greeting = wait_answer(q);
	bool ok = greeting && json_object_get(greeting, "QMP");

	json_decref(greeting);
	if (!ok)
		return fail(q, "the monitor at %s does not greet as QMP (-qmp or -mon ...,mode=control)", path);
	return qmp_execute(q, "qmp_capabilities", NULL, NULL);
}

bool qmp_open(struct qmp *q, const char *path, int ms)
{
	*q = (struct qmp){ .fd = -1, .in = { .max = IN_MAX }, .event = q->event, .ctx = q->ctx };
	q->fd = sock_connect(path, ms);
	if (q->fd < 0)
		return fail(q, "cannot connect to the monitor at %s: %s", path, strerror(errno));
	return qmp_negotiate(q, path);
}

void qmp_close(struct qmp *q)
{
	fd_close(&q->fd);
	buffer_free(&q->in);
}

bool qmp_ready(struct qmp *q)
{
	json_t *message;
	bool bad;

	if (!receive(q))
		return false;
	while ((message = next(q, &bad)))
		if (!take_event(q, message))
			json_decref(message);
	return !bad || fail(q, "the monitor sends what is no message of QMP");
}
