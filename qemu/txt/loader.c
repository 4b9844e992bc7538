/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "qemu/txt/platform_impl.h"

/*
 * Boot loaders that look at the chipset before they start an MLE. Whoever reads TXT.DIDVID in 64-bit mode is found in memory: UEFI maps memory
 * one to one (UEFI specification 2.10, 2.3.4), and its loader puts an image's headers in front of its sections, so they are looked for page by page
 * below EIP. What the image says of itself is the guest's: it only decides where the machine stops.
 */
#define CODE_MAX ((uint64_t)32 << 20)
/* Reads of the register that are looked at, from a reset on: code that polls it must not make the machine crawl. */
#define LOOKS_MAX 64
#define DIDVID_SIZE 8

static bool gdb_failed(struct platform *p)
{
	return platform_fail(p, "%s", p->m.gdb.why);
}

static bool watch(struct platform *p, bool on)
{
	if (p->loader.watched == on)
		return true;
	p->loader.watched = on;
	return gdb_watch_reads(&p->m.gdb, TXT_PUBLIC_BASE + TXT_DIDVID, DIDVID_SIZE, on) || gdb_failed(p);
}

static bool set_breakpoints(struct platform *p, bool on)
{
	const struct traps *t = &p->loader.traps;

	for (size_t i = 0; i < t->count; i++)
		/* An address of the MLE's, once its breakpoints are set, has one already. */
		if (!(p->breakpoints && traps_at(&p->traps, t->list[i].at)) && t->list[i].at != p->image.entry &&
			!gdb_break(&p->m.gdb, t->list[i].at, on))
			return gdb_failed(p);
	return true;
}

static bool forget(struct platform *p)
{
	if (!set_breakpoints(p, false))
		return false;
	traps_free(&p->loader.traps);
	p->loader.image.base = 0;
	return true;
}

bool platform_loader_reset(struct platform *p)
{
	p->loader.looks = 0;
	return forget(p) && watch(p, true);
}

bool platform_loader_done(struct platform *p)
{
	return forget(p) && watch(p, false);
}

struct code {
	struct image_range list[IMAGE_MAX_RANGES];
	uint8_t *bytes[IMAGE_MAX_RANGES];
};

static void free_code(struct code *c)
{
	for (size_t i = 0; i < IMAGE_MAX_RANGES; i++)
		free(c->bytes[i]);
}

/* Reads the image's code and looks for instructions. False: platform_fail(), or it cannot be read (`readable`). */
static bool look_through(struct platform *p, uint64_t base, const struct pe *pe, uint64_t at, struct traps *out, bool *readable)
{
	__attribute__((cleanup(free_code))) struct code c = { 0 };
	uint64_t total = 0;

	*readable = true;
	for (size_t i = 0; i < pe->code_count; i++) {
		total += pe->code[i].size;
		c.bytes[i] = total <= CODE_MAX ? malloc(pe->code[i].size) : NULL;
		if (!c.bytes[i] || !p->memory.read(p->memory.ctx, base + pe->code[i].at, (struct mspan){ c.bytes[i], pe->code[i].size })) {
			*readable = false;
			return true;
		}
		c.list[i] = (struct image_range){ base + pe->code[i].at, { c.bytes[i], pe->code[i].size } };
	}
	return traps_find(&(struct trap_code){ TRAP_MODE_64, c.list, pe->code_count, { base + pe->entry, at }, 2 }, out) ||
	       platform_fail(p, "the boot loader cannot be disassembled: out of memory");
}

static void note(struct platform *p, const char *what, uint64_t at)
{
	txt_trace_add(&p->trace, TXT_CPU, TXT_INFO, "loader", "", false, "TXT.DIDVID is read at 0x%" PRIx64 ": %s", at, what);
}

static bool take(struct platform *p, const struct pe_found *f, uint64_t at)
{
	struct traps found = { 0 };
	bool readable;

	if (!forget(p) || !look_through(p, f->base, &f->pe, at, &found, &readable)) {
		traps_free(&found);
		return false;
	}
	p->loader.image = *f;
	if (!readable) {
		traps_free(&found);
		note(p, "the image's code cannot be read, or is too large", at);
		return true;
	}
	p->loader.traps = found;
	p->outcome.loaders++;
	txt_trace_add(&p->trace, TXT_CPU, TXT_INFO, "loader", "", false,
		"TXT.DIDVID is read at 0x%" PRIx64 ", by the UEFI image at 0x%" PRIx64 " of 0x%x bytes: %zu instructions trap", at, f->base,
		(unsigned)f->pe.size, found.count);
	return set_breakpoints(p, true);
}

bool platform_loader(struct platform *p, unsigned cpu)
{
	struct pe_found found;
	struct gdb_regs regs;
	enum pe_error e;
	uint64_t at;

	if (p->armed || p->loader.looks++ >= LOOKS_MAX)
		return watch(p, false);
	if (!gdb_regs(&p->m.gdb, cpu, &regs))
		return gdb_failed(p);
	if (!platform_in_long_mode(&regs) || regs.r[GDB_CS] & 3)
		return true;
	/* Registers and memory are what a BIOS leaves, whoever looks. */
	if (!platform_bios(p))
		return false;
	at = regs.r[GDB_RIP];
	e = pe_find(&p->memory, at, &found);
	if (e != PE_OK) {
		note(p, e == PE_E_NONE ? "no UEFI image is there; its code sees no SMX" : pe_strerror(e), at);
		return true;
	}
	/* Known already. */
	if (p->loader.image.base == found.base && memcmp(p->loader.image.head, found.head, sizeof(found.head)) == 0)
		return true;
	return take(p, &found, at);
}
