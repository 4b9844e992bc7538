/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/gdb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define IN_MAX ((size_t)1 << 20)
#define INTERRUPT "\x03"

static void note(struct gdb *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first failure is the one that tells. */
static void note(struct gdb *g, const char *format, ...)
{
	va_list list;

	if (!g->why[0]) {
		va_start(list, format);
		vsnprintf(g->why, sizeof(g->why), format, list);
		va_end(list);
	}
	fd_close(&g->fd);
}

/* False, so that failing is one statement. */
#define fail(...) (note(__VA_ARGS__), false)

static bool send_body(struct gdb *g, const char *body)
{
	uint8_t room[GDB_FRAME_MAX];
	size_t n;

	if (g->fd < 0)
		return fail(g, "the gdbstub's connection is closed");
	if (!gdb_packet_make(span_str(body), (struct mspan){ room, sizeof(room) }, &n))
		return fail(g, "a packet for the gdbstub cannot be made");
	g->packets++;
	if (!sock_send(g->fd, (struct span){ room, n }, -1, GDB_MS))
		return fail(g, "the gdbstub takes no packets: %s", strerror(errno));
	return true;
}

/*
 * Waits for one packet, whose body stays in g->in until the caller drops `used` bytes. False with `why` empty: the deadline is over.
 */
static bool take(struct gdb *g, uint64_t deadline, struct span *body, size_t *used)
{
	for (;;) {
		switch (gdb_packet_take(buffer_span(&g->in), body, used)) {
		case FRAME_WHOLE:
			if (!sock_send(g->fd, SPAN_LITERAL("+"), -1, GDB_MS))
				return fail(g, "the gdbstub takes no packets: %s", strerror(errno));
			return true;
		case FRAME_BAD:
			return fail(g, "the gdbstub sends what is no packet of its protocol");
		case FRAME_MORE:
			break;
		}
		buffer_drop(&g->in, *used);
		if (!sock_wait(g->fd, deadline))
			return errno == ETIMEDOUT ? false : fail(g, "gdbstub: %s", strerror(errno));
		if (sock_receive(g->fd, &g->in, NULL) != RECV_SOME)
			return fail(g, "the gdbstub has closed the connection: QEMU is gone");
	}
}

/* Sends a packet and copies its answer, with a NUL behind. */
static bool ask(struct gdb *g, const char *body, char *out, size_t room, size_t *n)
{
	struct span answer;
	size_t used;

	if (g->running)
		return fail(g, "the machine runs: nothing can be asked of the gdbstub");
	if (!send_body(g, body))
		return false;
	if (!take(g, now_us() + (uint64_t)GDB_MS * 1000, &answer, &used))
		return fail(g, "the gdbstub does not answer");
	if (answer.n >= room)
		return fail(g, "the gdbstub's answer is too long");
	memcpy(out, answer.p, answer.n);
	out[answer.n] = '\0';
	*n = answer.n;
	buffer_drop(&g->in, used);
	return true;
}

/* For packets that are answered with OK. */
static bool ask_ok(struct gdb *g, const char *body)
{
	char answer[GDB_BODY_MAX + 1];
	size_t n;

	if (!ask(g, body, answer, sizeof(answer), &n))
		return false;
	if (strcmp(answer, "OK") != 0)
		return fail(g, "the gdbstub answers \"%.20s\" to \"%.40s\"", answer, body);
	return true;
}

/* Number of threads in a qfThreadInfo or qsThreadInfo answer: "m01,02". */
static unsigned threads(const char *list)
{
	unsigned n = 1;

	for (const char *c = list; *c; c++)
		n += *c == ',';
	return n;
}

static bool count_cpus(struct gdb *g)
{
	char answer[GDB_BODY_MAX + 1];
	size_t n;

	if (!ask(g, "qfThreadInfo", answer, sizeof(answer), &n))
		return false;
	for (g->cpus = 0; answer[0] == 'm' && g->cpus <= GDB_CPUS;) {
		g->cpus += threads(answer + 1);
		if (!ask(g, "qsThreadInfo", answer, sizeof(answer), &n))
			return false;
	}
	if (g->cpus == 0 || g->cpus > GDB_CPUS)
		return fail(g, "the gdbstub lists no processors, or more than %d", GDB_CPUS);
	return true;
}

bool gdb_open(struct gdb *g, const char *path, int ms)
{
	char answer[GDB_BODY_MAX + 1];
	size_t n;

	*g = (struct gdb){ .fd = -1, .in = { .max = IN_MAX }, .selected = GDB_CPUS };
	g->fd = sock_connect(path, ms);
	if (g->fd < 0)
		return fail(g, "cannot connect to the gdbstub at %s: %s", path, strerror(errno));
	if (!ask(g, "qSupported:xmlRegisters=i386", answer, sizeof(answer), &n))
		return false;
	if (!strstr(answer, "qXfer:features:read+"))
		return fail(g, "the gdbstub describes no registers: is it QEMU's?");
	/* Only who has asked for the description may write single registers (QEMU 7.2, gdb_has_xml). */
	if (!ask(g, "qXfer:features:read:target.xml:0,800", answer, sizeof(answer), &n))
		return false;
	if (!strstr(answer, "i386:x86-64") && !strstr(answer, "64bit"))
		return fail(g, "the gdbstub's machine is no x86-64 one");
	if (!ask(g, "?", answer, sizeof(answer), &n))
		return false;
	return ask_ok(g, "Qqemu.PhyMemMode:1") && count_cpus(g);
}

bool gdb_detach(struct gdb *g)
{
	struct gdb_stop stop;

	return (!g->running || gdb_interrupt(g, &stop)) && ask_ok(g, "D");
}

void gdb_close(struct gdb *g)
{
	fd_close(&g->fd);
	buffer_free(&g->in);
}

static bool select_cpu(struct gdb *g, unsigned cpu)
{
	char body[24];

	if (cpu >= g->cpus)
		return fail(g, "there is no processor %u", cpu);
	if (cpu == g->selected)
		return true;
	snprintf(body, sizeof(body), "Hg%x", cpu + 1);
	if (!ask_ok(g, body))
		return false;
	g->selected = cpu;
	return true;
}

bool gdb_regs(struct gdb *g, unsigned cpu, struct gdb_regs *out)
{
	char answer[GDB_BODY_MAX + 1];
	size_t n;

	if (!select_cpu(g, cpu) || !ask(g, "g", answer, sizeof(answer), &n))
		return false;
	if (!gdb_regs_parse((struct span){ (const uint8_t *)answer, n }, out))
		return fail(g, "the gdbstub's register packet (%zu digits) is none of a 64-bit QEMU", n);
	return true;
}

static void put_hex(struct span bytes, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.n; i++) {
		*out++ = digits[bytes.p[i] >> 4];
		*out++ = digits[bytes.p[i] & 15];
	}
	*out = '\0';
}

bool gdb_regs_write(struct gdb *g, unsigned cpu, const struct gdb_regs *was, const struct gdb_regs *now)
{
	if (!select_cpu(g, cpu))
		return false;
	for (enum gdb_reg i = 0; i < GDB_REGS; i++) {
		uint8_t bytes[8];
		char body[32];

		if (was->r[i] == now->r[i])
			continue;
		for (size_t b = 0; b < sizeof(bytes); b++)
			bytes[b] = (uint8_t)(now->r[i] >> 8 * b);
		put_hex((struct span){ bytes, gdb_reg_size(i) }, body + snprintf(body, 8, "P%x=", i));
		if (!ask_ok(g, body))
			return false;
	}
	return true;
}

bool gdb_read(struct gdb *g, uint64_t at, struct mspan out)
{
	while (out.n) {
		struct mspan part = { out.p, out.n < GDB_CHUNK ? out.n : GDB_CHUNK };
		char body[48], answer[2 * GDB_CHUNK + 1];
		size_t n;

		snprintf(body, sizeof(body), "m%" PRIx64 ",%zx", at, part.n);
		if (!ask(g, body, answer, sizeof(answer), &n))
			return false;
		if (!gdb_hex_parse((struct span){ (const uint8_t *)answer, n }, part))
			return fail(g, "the gdbstub cannot read memory at 0x%" PRIx64 " (\"%.12s\")", at, answer);
		out.p += part.n;
		out.n -= part.n;
		at += part.n;
	}
	return true;
}

bool gdb_write(struct gdb *g, uint64_t at, struct span in)
{
	while (in.n) {
		struct span part = { in.p, in.n < GDB_CHUNK ? in.n : GDB_CHUNK };
		char body[2 * GDB_CHUNK + 48];

		put_hex(part, body + snprintf(body, 48, "M%" PRIx64 ",%zx:", at, part.n));
		if (!ask_ok(g, body))
			return false;
		in.p += part.n;
		in.n -= part.n;
		at += part.n;
	}
	return true;
}

bool gdb_break(struct gdb *g, uint64_t at, bool on)
{
	char body[40];

	snprintf(body, sizeof(body), "%c0,%" PRIx64 ",1", on ? 'Z' : 'z', at);
	return ask_ok(g, body);
}

/* Packet types: 2 for writes, 3 for reads. */
static bool watch(struct gdb *g, unsigned type, uint64_t at, unsigned n, bool on)
{
	char body[48];

	snprintf(body, sizeof(body), "%c%u,%" PRIx64 ",%x", on ? 'Z' : 'z', type, at, n);
	return ask_ok(g, body);
}

bool gdb_watch(struct gdb *g, uint64_t at, unsigned n, bool on)
{
	return watch(g, 2, at, n, on);
}

bool gdb_watch_reads(struct gdb *g, uint64_t at, unsigned n, bool on)
{
	return watch(g, 3, at, n, on);
}

static bool start(struct gdb *g, const char *body)
{
	if (g->running)
		return fail(g, "the machine runs already");
	if (!send_body(g, body))
		return false;
	g->running = true;
	return true;
}

bool gdb_continue(struct gdb *g)
{
	return start(g, "c");
}

bool gdb_continue_some(struct gdb *g, uint64_t cpus)
{
	char body[8 + GDB_CPUS * 6];
	int n = snprintf(body, sizeof(body), "vCont");

	for (unsigned i = 0; i < g->cpus; i++)
		if (cpus >> i & 1)
			n += snprintf(body + n, sizeof(body) - (size_t)n, ";c:%x", i + 1);
	return start(g, body);
}

bool gdb_step(struct gdb *g, unsigned cpu)
{
	struct gdb_stop stop;
	char body[24];

	snprintf(body, sizeof(body), "vCont;s:%x", cpu + 1);
	if (!start(g, body))
		return false;
	if (!gdb_wait(g, now_us() + (uint64_t)GDB_MS * 1000, &stop))
		return fail(g, "a single step does not end");
	if (stop.kind == GDB_STOP_EXIT)
		return fail(g, "the machine ended in a single step");
	return true;
}

bool gdb_interrupt(struct gdb *g, struct gdb_stop *out)
{
	if (!g->running)
		return fail(g, "the machine is not running");
	if (g->fd < 0 || !sock_send(g->fd, SPAN_LITERAL(INTERRUPT), -1, GDB_MS))
		return fail(g, "the gdbstub takes nothing");
	if (!gdb_wait(g, now_us() + (uint64_t)GDB_MS * 1000, out))
		return fail(g, "the machine does not stop");
	return true;
}

bool gdb_wait(struct gdb *g, uint64_t deadline, struct gdb_stop *out)
{
	struct span body;
	size_t used;
	bool ok;

	if (!g->running)
		return fail(g, "the machine is not running");
	if (g->fd < 0 || !take(g, deadline, &body, &used))
		return false;
	ok = gdb_stop_parse(body, out);
	buffer_drop(&g->in, used);
	if (!ok)
		return fail(g, "the gdbstub reports a stop that is none of its protocol");
	g->running = false;
	/* QEMU makes the stopped processor the current one. */
	g->selected = GDB_CPUS;
	return true;
}
