/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/gdb_packet.h"

#include <string.h>

#include "common/cursor.h"
#include "common/hex.h"

#define SIGNAL_INT 2
#define SIGNAL_TRAP 5
#define CPUS_MAX 4096 /* more than QEMU has */

static const char digits[] = "0123456789abcdef";

bool gdb_packet_make(struct span body, struct mspan out, size_t *n)
{
	struct wr w = wr_init(out);
	uint8_t sum = 0;

	for (size_t i = 0; i < body.n; i++) {
		if (body.p[i] == '$' || body.p[i] == '#' || body.p[i] == '}')
			return false;
		sum = (uint8_t)(sum + body.p[i]);
	}
	wr_u8(&w, '$');
	wr_bytes(&w, body);
	wr_u8(&w, '#');
	wr_u8(&w, (uint8_t)digits[sum >> 4]);
	wr_u8(&w, (uint8_t)digits[sum & 15]);
	if (w.bad)
		return false;
	*n = w.off;
	return true;
}

enum frame gdb_packet_take(struct span in, struct span *body, size_t *used)
{
	size_t at = 0, end;
	uint8_t sum = 0;
	int high, low;

	while (at < in.n && in.p[at] == '+')
		at++;
	if (at == in.n) {
		*used = at;
		return FRAME_MORE;
	}
	if (in.p[at] != '$')
		return FRAME_BAD;
	for (end = at + 1; end < in.n && in.p[end] != '#'; end++) {
		if (in.p[end] == '$' || end - at > GDB_BODY_MAX)
			return FRAME_BAD;
		sum = (uint8_t)(sum + in.p[end]);
	}
	if (in.n - end < 3) {
		*used = at;
		return FRAME_MORE;
	}
	high = hex_digit(in.p[end + 1]);
	low = hex_digit(in.p[end + 2]);
	if (high < 0 || low < 0 || (high << 4 | low) != sum)
		return FRAME_BAD;
	*body = (struct span){ in.p + at + 1, end - at - 1 };
	*used = end + 3;
	return FRAME_WHOLE;
}

/* clang-format off */
static const char *const names[GDB_REGS] = {
	"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip",
	"eflags", "cs", "ss", "ds", "es", "fs", "gs", "fs_base", "gs_base", "k_gs_base", "cr0", "cr2", "cr3", "cr4", "cr8", "efer",
};
/* clang-format on */

const char *gdb_reg_name(enum gdb_reg r)
{
	return r < GDB_REGS ? names[r] : "?";
}

size_t gdb_reg_size(enum gdb_reg r)
{
	return r >= GDB_EFLAGS && r <= GDB_GS ? 4 : 8;
}

bool gdb_hex_parse(struct span text, struct mspan out)
{
	if (text.n % 2 || text.n / 2 != out.n)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (hex_digit(text.p[i]) < 0)
			return false;
	for (size_t i = 0; i < out.n; i++)
		out.p[i] = (uint8_t)(hex_digit(text.p[2 * i]) << 4 | hex_digit(text.p[2 * i + 1]));
	return true;
}

bool gdb_regs_parse(struct span body, struct gdb_regs *out)
{
	struct gdb_regs found;
	struct rd r = rd_init(body);

	for (enum gdb_reg i = 0; i < GDB_REGS; i++) {
		uint8_t bytes[8] = { 0 };
		struct rd value = rd_init((struct span){ bytes, sizeof(bytes) });

		if (!gdb_hex_parse(rd_bytes(&r, 2 * gdb_reg_size(i)), (struct mspan){ bytes, gdb_reg_size(i) }))
			return false;
		found.r[i] = rd_le64(&value);
	}
	*out = found;
	return true;
}

/* Hexadecimal number at the start of `r`, up to `end` or the end of the text. */
static bool number(struct rd *r, char end, uint64_t *out)
{
	uint64_t v = 0;
	size_t n = 0;

	while (rd_left(r)) {
		uint8_t c = rd_u8(r);

		if (c == (uint8_t)end)
			break;
		if (hex_digit(c) < 0 || v >> 60)
			return false;
		v = v << 4 | (uint64_t)hex_digit(c);
		n++;
	}
	*out = v;
	return n > 0;
}

/* "thread:01;watch:fed20000;" or nothing. */
static bool pairs(struct rd *r, struct gdb_stop *stop)
{
	while (rd_left(r)) {
		const uint8_t *name = r->s.p + r->off;
		const uint8_t *colon = memchr(name, ':', rd_left(r));
		struct span key, value;
		const uint8_t *end;
		struct rd v;
		uint64_t n;

		if (!colon)
			return false;
		key = rd_bytes(r, (size_t)(colon - name));
		(void)rd_u8(r);
		end = rd_left(r) ? memchr(colon + 1, ';', rd_left(r)) : NULL;
		value = rd_bytes(r, end ? (size_t)(end - colon - 1) : rd_left(r));
		if (end)
			(void)rd_u8(r);
		v = rd_init(value);
		if (span_is_str(key, "thread")) {
			/* With several processes "p1.2"; QEMU counts processors from 1. */
			const uint8_t *dot = value.n ? memchr(value.p, '.', value.n) : NULL;

			if (dot)
				(void)rd_bytes(&v, (size_t)(dot - value.p) + 1);
			if (!number(&v, ';', &n) || n == 0 || n > CPUS_MAX)
				return false;
			stop->cpu = (unsigned)n - 1;
		} else if (span_is_str(key, "watch") || span_is_str(key, "rwatch")) {
			if (!number(&v, ';', &n))
				return false;
			stop->kind = span_is_str(key, "rwatch") ? GDB_STOP_READ : GDB_STOP_WATCH;
			stop->address = n;
		}
	}
	return true;
}

bool gdb_stop_parse(struct span body, struct gdb_stop *out)
{
	struct gdb_stop stop = { 0 };
	struct rd r = rd_init(body);
	uint8_t kind = rd_u8(&r), signal;

	if (kind == 'W' || kind == 'X') {
		out->kind = GDB_STOP_EXIT;
		return true;
	}
	if ((kind != 'S' && kind != 'T') || !gdb_hex_parse(rd_bytes(&r, 2), (struct mspan){ &signal, 1 }))
		return false;
	stop.signal = signal;
	stop.kind = signal == SIGNAL_TRAP ? GDB_STOP_TRAP : signal == SIGNAL_INT || signal == 0 ? GDB_STOP_INTERRUPT : GDB_STOP_OTHER;
	if (kind == 'T' && !pairs(&r, &stop))
		return false;
	*out = stop;
	return true;
}
