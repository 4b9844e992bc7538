/* SPDX-License-Identifier: BSD-3-Clause */
/* What QEMU's debug stub sends. Input: the bytes of its connection. The first packet is made to have the right sum, so that bodies are reached. */
#include <stdlib.h>
#include <string.h>

#include "qemu/txt/gdb_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void take_body(struct span body)
{
	uint8_t bytes[64];
	struct gdb_regs regs;
	struct gdb_stop stop;

	if (gdb_regs_parse(body, &regs))
		check(body.n >= 2 * (GDB_REGS * 8 - 7 * 4));
	if (gdb_stop_parse(body, &stop))
		check(stop.kind <= GDB_STOP_EXIT && body.n >= (stop.kind == GDB_STOP_EXIT ? 1 : 3));
	for (size_t n = 0; n < sizeof(bytes); n++)
		if (gdb_hex_parse(body, (struct mspan){ bytes, n }))
			check(body.n == 2 * n);
}

static void take_all(struct span in)
{
	struct span body;
	size_t used;
	enum frame f;

	while ((f = gdb_packet_take(in, &body, &used)) == FRAME_WHOLE) {
		check(used >= 4 && used <= in.n && body.p >= in.p && body.p + body.n + 3 <= in.p + used);
		take_body(body);
		in = (struct span){ in.p + used, in.n - used };
	}
	check(f == FRAME_BAD || used <= in.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t frame[GDB_FRAME_MAX];
	struct span body = { data, size }, back;
	size_t n = 0, used = 0;

	for (unsigned i = 0; i < GDB_REGS; i++)
		check(gdb_reg_name((enum gdb_reg)i)[0] && (gdb_reg_size((enum gdb_reg)i) == 4 || gdb_reg_size((enum gdb_reg)i) == 8));
	if (size == 0)
		return 0;
	take_all(body);
	take_body(body);
	if (gdb_packet_make(body, (struct mspan){ frame, sizeof(frame) }, &n)) {
		check(gdb_packet_take((struct span){ frame, n }, &back, &used) == FRAME_WHOLE && used == n && span_equal(back, body));
		check(gdb_packet_take((struct span){ frame, n - 1 }, &back, &used) == FRAME_MORE);
	}
	return 0;
}
