/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loops of the MLE that would take long in a page with breakpoints run in a page of ours instead, below the top of the DMA protected range: the
 * same instructions, the same registers and memory, but EIP. Whenever the MLE has run for a while without a stop, the machine is stopped to see where
 * it is.
 */
#include "qemu/txt/hot.h"
#include "qemu/txt/platform_impl.h"

#define LOOK_MS 20
#define LOOK_MS_MAX 500
#define PAGE 4096u
#define JUMP_SIZE 5

static bool gdb_failed(struct platform *p)
{
	return platform_fail(p, "%s", p->m.gdb.why);
}

/* The page with the loop has no breakpoint; that at which it ends lies in the next. */
static uint32_t loop_at(const struct platform *p)
{
	return p->config.chipset.dpr_top - PLATFORM_LOOP;
}

static uint32_t end_at(const struct platform *p)
{
	return p->config.chipset.dpr_top - PLATFORM_LOOP_END;
}

void platform_look_soon(struct platform *p)
{
	p->shortcut.look_ms = LOOK_MS;
}

void platform_look_never(struct platform *p)
{
	p->shortcut.look_ms = 0;
	p->shortcut.runs = false;
}

static bool breakpoint_near(const struct platform *p, uint32_t eip)
{
	if (eip / PAGE == p->image.entry / PAGE)
		return true;
	for (size_t i = 0; i < p->traps.count; i++)
		if (p->traps.list[i].at / PAGE == eip / PAGE)
			return true;
	return false;
}

/* The loop, then a jump to the breakpoint. */
static bool write_loop(struct platform *p, struct span loop)
{
	uint8_t code[HOT_LOOP_MAX + JUMP_SIZE];
	struct wr w = wr_init((struct mspan){ code, sizeof(code) });
	uint32_t behind = loop_at(p) + (uint32_t)loop.n + JUMP_SIZE;

	wr_bytes(&w, loop);
	wr_u8(&w, 0xe9);
	wr_le32(&w, end_at(p) - behind);
	if (w.bad)
		return false;
	if (!gdb_write(&p->m.gdb, loop_at(p), wr_span(&w)))
		return gdb_failed(p);
	if (!p->shortcut.breakpoint && !gdb_break(&p->m.gdb, end_at(p), true))
		return gdb_failed(p);
	p->shortcut.breakpoint = true;
	return true;
}

/* Without paging, where linear addresses are physical ones; with interrupts off, so that nobody sees the address. */
static bool may_move(const struct gdb_regs *r)
{
	return !platform_in_long_mode(r) && !(r->r[GDB_CR0] & SMX_CR0_PG) && r->r[GDB_CR0] & SMX_CR0_PE && !(r->r[GDB_EFLAGS] & 0x200u);
}

bool platform_look(struct platform *p)
{
	struct platform_shortcut *s = &p->shortcut;
	uint8_t code[2 * HOT_LOOP_MAX];
	struct gdb *g = &p->m.gdb;
	struct gdb_regs regs, now;
	struct hot_loop loop;
	uint32_t eip, base;

	if (!s->look_ms)
		return true;
	if (!gdb_regs(g, 0, &regs))
		return gdb_failed(p);
	eip = (uint32_t)regs.r[GDB_RIP];
	base = eip - HOT_LOOP_MAX;
	/* The MLE is left for good, or until it traps again. */
	if (platform_in_long_mode(&regs)) {
		platform_look_never(p);
		return true;
	}
	s->look_ms = s->look_ms < LOOK_MS_MAX / 2 ? 2 * s->look_ms : LOOK_MS_MAX;
	if (s->runs || !may_move(&regs) || eip < HOT_LOOP_MAX || !breakpoint_near(p, eip))
		return true;
	if (!gdb_read(g, base, (struct mspan){ code, sizeof(code) }))
		return gdb_failed(p);
	if (!hot_loop_find(SPAN_OF(code), base, eip, &loop))
		return true;
	if (!write_loop(p, (struct span){ code + (loop.at - base), loop.size }))
		return false;
	now = regs;
	now.r[GDB_RIP] = loop_at(p) + (eip - loop.at);
	s->runs = true;
	s->back = loop.at + loop.size;
	p->outcome.loops++;
	return gdb_regs_write(g, 0, &regs, &now) || gdb_failed(p);
}

bool platform_loop_done(struct platform *p, unsigned cpu, struct gdb_regs *regs, bool *yes)
{
	struct gdb_regs now = *regs;

	*yes = p->shortcut.runs && cpu == 0 && regs->r[GDB_RIP] == end_at(p);
	if (!*yes)
		return true;
	now.r[GDB_RIP] = p->shortcut.back;
	p->shortcut.runs = false;
	platform_look_soon(p);
	return gdb_regs_write(&p->m.gdb, cpu, regs, &now) || gdb_failed(p);
}
