/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Machine code of a guest. Input: u8 bit 0: 64-bit code, bit 1: only what stands at the beginning; u8 offset of the entry, then code. Every place
 * found holds an instruction that traps; a loop lies in the code.
 */
#include <stdlib.h>

#include "common/cursor.h"
#include "qemu/txt/hot.h"
#include "qemu/txt/traps.h"

#define BASE 0x100000u
#define CODE_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void find(enum trap_mode mode, struct span code, uint64_t entry)
{
	const struct image_range range = { .at = BASE, .bytes = code };
	const struct trap_code c = { .mode = mode, .code = &range, .count = 1, .entry = { entry }, .entries = 1 };
	struct traps t = { .list = NULL };
	struct trap again;

	if (traps_find(&c, &t)) {
		for (size_t i = 0; i < t.count; i++) {
			size_t at = (size_t)(t.list[i].at - BASE);

			if (at >= code.n || t.list[i].length > code.n - at || (i && t.list[i].at <= t.list[i - 1].at))
				abort();
			if (!trap_decode((struct span){ code.p + at, code.n - at }, mode, &again) || again.kind != t.list[i].kind)
				abort();
			if (traps_at(&t, t.list[i].at) != &t.list[i] || !trap_name((enum trap_kind)again.kind)[0])
				abort();
		}
	}
	traps_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init((struct span){ data, size });
	uint8_t flags = rd_u8(&r);
	uint32_t entry = BASE + rd_u8(&r);
	struct span code = rd_bytes(&r, rd_left(&r));
	enum trap_mode mode = flags & 1 ? TRAP_MODE_64 : TRAP_MODE_32;
	struct hot_loop loop;
	struct trap trap;

	if (r.bad || code.n == 0 || code.n > CODE_MAX)
		return 0;
	if (trap_decode(code, mode, &trap) && (trap.length == 0 || trap.length > code.n || trap.kind >= TRAP_KINDS || trap.reg > 15))
		abort();
	if (entry - BASE < code.n && hot_loop_find(code, BASE, entry, &loop) &&
		(loop.at < BASE || loop.at > entry || loop.size == 0 || loop.size > HOT_LOOP_MAX || entry - loop.at >= loop.size))
		abort();
	if (!(flags & 2))
		find(mode, code, entry);
	return 0;
}
