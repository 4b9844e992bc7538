/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "qemu/txt/platform_impl.h"

#define REGS_SIZE (2 * CHIPSET_SPACE_SIZE)

static_assert(TXT_PUBLIC_BASE == TXT_PRIVATE_BASE + CHIPSET_SPACE_SIZE, "one BAR holds both spaces");

/* One instruction of ours on the machine's own processor: it runs in place of what stands at EIP. */
static bool cpuid_1(struct platform *p, uint32_t *eax)
{
	static const uint8_t cpuid[] = { 0x0f, 0xa2 };
	struct gdb *g = &p->m.gdb;
	struct gdb_regs was, now, after;
	uint8_t kept[sizeof(cpuid)];

	if (!gdb_regs(g, 0, &was))
		return false;
	now = was;
	now.r[GDB_RAX] = 1;
	if (!gdb_read(g, was.r[GDB_RIP], (struct mspan){ kept, sizeof(kept) }) || !gdb_write(g, was.r[GDB_RIP], SPAN_OF(cpuid)) ||
		!gdb_regs_write(g, 0, &was, &now) || !gdb_step(g, 0) || !gdb_regs(g, 0, &after))
		return false;
	*eax = (uint32_t)after.r[GDB_RAX];
	return gdb_write(g, was.r[GDB_RIP], SPAN_OF(kept)) && gdb_regs_write(g, 0, &after, &was);
}

/* The BIOS's part: BiosData at the start of the heap, the SINIT module and the supplier's policy data in the SINIT area. */
static bool write_bios(struct platform *p)
{
	const struct platform_config *f = &p->config;
	struct txt_range heap = chipset_heap(&p->chipset), sinit = chipset_sinit(&p->chipset);
	uint8_t *area = p->m.area.bytes;
	uint64_t base = p->m.area.base;
	/* clang-format off */
	struct heap_bios bios = {
		.version = f->bios_version, .processors = p->m.gdb.cpus, .mle_flags = f->mle_flags, .bios_version = { 2, 1, 0 },
		.bios_sinit_size = f->bios_sinit ? (uint32_t)f->sinit.n : 0,
	};
	/* clang-format on */
	size_t n;

	if (f->sinit.n + f->ps_data.n > sinit.size)
		return platform_fail(
			p, "the SINIT module of 0x%zx bytes does not fit the SINIT area of 0x%" PRIx64, f->sinit.n, sinit.size);
	if (f->ps_data.n) {
		bios.lcp_base = sinit.base + sinit.size - f->ps_data.n;
		bios.lcp_size = f->ps_data.n;
		memcpy(area + (bios.lcp_base - base), f->ps_data.p, f->ps_data.n);
	}
	memset(area + (heap.base - base), 0, heap.size);
	memcpy(area + (sinit.base - base), f->sinit.p, f->sinit.n);
	if (!heap_bios_encode(&bios, (struct mspan){ area + (heap.base - base), heap.size }, &n))
		return platform_fail(p, "BiosData of version %u cannot be made", f->bios_version);
	return true;
}

bool platform_at_reset(struct platform *p)
{
	struct machine *m = &p->m;
	char why[160];

	if (!shm_place(&m->regs, &m->qmp, TXT_PRIVATE_BASE, why, sizeof(why)))
		return platform_fail(p, "%s", why);
	for (unsigned i = 0; i < m->gdb.cpus; i++)
		p->cpu[i] = (struct smx_cpu){ .number = i };
	platform_render(p);
	return platform_loader_reset(p);
}

/* Linear addresses are physical ones where paging is off or maps memory one to one, and so does all software that writes these registers. */
static bool watch_writes(struct platform *p)
{
	struct gdb *g = &p->m.gdb;

	if (p->watched)
		return true;
	p->watched = gdb_watch(g, TXT_PRIVATE_BASE, CHIPSET_SPACE_SIZE, true) && gdb_watch(g, TXT_PUBLIC_BASE, CHIPSET_SPACE_SIZE, true) &&
	             gdb_watch(g, p->sinit.rlp_wakeup, 4, true);
	return p->watched || platform_fail(p, "%s", g->why);
}

bool platform_bios(struct platform *p)
{
	struct machine *m = &p->m;
	bool there = m->area.base;
	char why[160];

	/* Also where the area has its place: the firmware may have put a device there since. */
	if (!machine_find_ram(m, p->config.ram, why, sizeof(why)) || !shm_place(&m->regs, &m->qmp, TXT_PRIVATE_BASE, why, sizeof(why)) ||
		!shm_place(&m->area, &m->qmp, p->config.chipset.dpr_top - m->area.size, why, sizeof(why)))
		return platform_fail(p, "%s", why);
	p->sinit.mdr_count = machine_mdrs(m, p->sinit.mdrs, HEAP_MAX_MDRS);
	return (there || write_bios(p)) && watch_writes(p);
}

static bool set_breakpoints(struct platform *p)
{
	struct gdb *g = &p->m.gdb;

	if (p->breakpoints)
		return true;
	for (size_t i = 0; i < p->traps.count; i++)
		if (p->traps.list[i].at != p->image.entry && !gdb_break(g, p->traps.list[i].at, true))
			return false;
	p->breakpoints = true;
	return true;
}

bool platform_arm(struct platform *p)
{
	uint32_t fms;

	if (!platform_bios(p) || !platform_loader_done(p))
		return false;
	if (!cpuid_1(p, &fms) || !set_breakpoints(p))
		return platform_fail(p, "%s", p->m.gdb.why);
	p->config.smx.fms = p->sinit.fms = fms;
	if (!platform_absorb(p) || !platform_localities(p))
		return false;
	p->armed = true;
	platform_look_soon(p);
	if (!p->outcome.armed_us)
		p->outcome.armed_us = now_us() - p->start_us;
	txt_trace_add(&p->trace, TXT_CHIPSET, TXT_INFO, "platform", "", false,
		"the MLE is entered at 0x%08x: %zu instructions trap, %u processors, family/model/stepping 0x%x, TXT.DIDVID 0x%" PRIx64,
		p->image.entry, p->traps.count, p->m.gdb.cpus, fms, chipset_get(&p->chipset, CHIPSET_DIDVID));
	return true;
}
