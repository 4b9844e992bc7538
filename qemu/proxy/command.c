/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/proxy/proxy.h"
#include "common/hex.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define REPLY_MS 2000
#define HASH_LOCALITY 4

/* Replies are built in full before they are sent; NULL stands for "out of memory". */
static char *reply(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *reply(const char *format, ...)
{
	va_list list;
	char *out;

	va_start(list, format);
	if (vasprintf(&out, format, list) < 0)
		out = NULL;
	va_end(list);
	return out;
}

/* Turns hexadecimal text into bytes in place; false if it is none. */
static bool unhex(char *text, size_t *n)
{
	size_t length = strlen(text);

	if (length % 2)
		return false;
	for (size_t i = 0; i < length / 2; i++) {
		int high = hex_digit((uint8_t)text[2 * i]), low = hex_digit((uint8_t)text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		text[i] = (char)(high << 4 | low);
	}
	*n = length / 2;
	return true;
}

static char *do_pcrs(struct proxy *p, char *argument)
{
	bool ok;

	(void)argument;
	return snapshot_json(p, "command", &ok);
}

static char *do_count(struct proxy *p, char *argument)
{
	(void)argument;
	return reply("%" PRIu64, p->count);
}

static char *do_hold(struct proxy *p, char *argument)
{
	(void)argument;
	if (!relay_drain(p))
		return reply("error a TPM command of the guest does not end");
	p->held = true;
	return reply("ok");
}

static char *do_release(struct proxy *p, char *argument)
{
	(void)argument;
	p->held = false;
	return reply("ok");
}

static char *do_hash(struct proxy *p, char *argument)
{
	char why[128];
	size_t n;

	if (!unhex(argument, &n) || n == 0)
		return reply("error hash wants an even number of hexadecimal digits");
	if (fault_next(p->faults, p->fault_count, FAULT_CC_HASH, HASH_LOCALITY))
		return reply("error the TPM does not take the D-RTM sequence (fault rule)");
	if (!control_hash(p, (struct span){ (const uint8_t *)argument, n }, why, sizeof(why)))
		return reply("error %s", why);
	return reply("ok");
}

/* "LOCALITY HEX" */
static char *do_tpm(struct proxy *p, char *argument)
{
	uint8_t room[TPM_MESSAGE_MAX];
	struct span response;
	char why[128], *text;
	size_t n;

	if (argument[0] < '0' || argument[0] >= '0' + LOCALITIES || argument[1] != ' ' || !unhex(argument + 2, &n) || n < TPM_HEADER_SIZE ||
		n > TPM_MESSAGE_MAX)
		return reply("error tpm wants a locality from 0 to %d and a TPM command in hexadecimal digits", LOCALITIES - 1);
	if (!relay_platform(p, (unsigned)(argument[0] - '0'), (struct span){ (const uint8_t *)argument + 2, n },
		    (struct mspan){ room, sizeof(room) }, &response, why, sizeof(why)))
		return reply("error %s", why);
	text = malloc(2 * response.n + 1);
	for (size_t i = 0; text && i < response.n; i++)
		sprintf(text + 2 * i, "%02x", response.p[i]);
	return text;
}

/* "0,1,2" */
static char *do_localities(struct proxy *p, char *argument)
{
	unsigned open = 0;

	for (const char *c = argument;; c += 2) {
		if (*c < '0' || *c >= '0' + LOCALITIES || (c[1] && c[1] != ','))
			return reply("error localities wants numbers from 0 to %d with commas", LOCALITIES - 1);
		open |= 1u << (*c - '0');
		if (!c[1])
			break;
	}
	p->open = open;
	return reply("ok");
}

static const struct command {
	const char *name;
	bool argument;
	char *(*run)(struct proxy *p, char *argument);
} commands[] = {
	{ "pcrs", false, do_pcrs },
	{ "count", false, do_count },
	{ "hold", false, do_hold },
	{ "release", false, do_release },
	{ "hash", true, do_hash },
	{ "tpm", true, do_tpm },
	{ "localities", true, do_localities },
};

static char *run_line(struct proxy *p, char *line)
{
	char *argument = strchr(line, ' ');

	if (argument)
		*argument++ = '\0';
	for (size_t i = 0; i < GL_COUNT(commands); i++)
		if (strcmp(line, commands[i].name) == 0) {
			if (commands[i].argument != (argument != NULL))
				return reply("error %s takes %s argument", line, commands[i].argument ? "one" : "no");
			return commands[i].run(p, argument);
		}
	return reply("error unknown command; known are pcrs, count, hold, release, hash HEX, tpm N HEX, localities LIST");
}

static void client_gone(struct command_client *c)
{
	fd_close(&c->fd);
	buffer_free(&c->in);
}

void command_ready(struct proxy *p, struct command_client *c)
{
	char *end;

	if (sock_receive(c->fd, &c->in, NULL) != RECV_SOME) {
		client_gone(c);
		return;
	}
	while (c->fd >= 0 && c->in.n && (end = memchr(c->in.p, '\n', c->in.n))) {
		char *line = (char *)c->in.p, *text;
		bool sent;

		*end = '\0';
		text = run_line(p, line);
		sent = text && sock_send(c->fd, span_str(text), -1, REPLY_MS) && sock_send(c->fd, SPAN_LITERAL("\n"), -1, REPLY_MS);
		free(text);
		if (!sent)
			client_gone(c);
		else
			buffer_drop(&c->in, (size_t)(end - line) + 1);
	}
}
