/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/platform_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_BYTES 64           /* of the MLE's code at its entry, by which it is known */
#define RESET_VECTOR 0xfffffff0u /* SDM volume 3A, 9.1.4: F000:FFF0 with the segment's base at FFFF0000 */
#define END_MS UINT64_C(5000)    /* from the end of one connection with QEMU to that of the others */

bool platform_fail(struct platform *p, const char *format, ...)
{
	va_list list;

	if (!p->why[0]) {
		va_start(list, format);
		vsnprintf(p->why, sizeof(p->why), format, list);
		va_end(list);
	}
	return false;
}

static void on_event(void *ctx, const char *name, json_t *data)
{
	struct platform *p = ctx;
	const char *reason = json_string_value(json_object_get(data, "reason"));

	if (strcmp(name, "RESET") == 0) {
		p->reset_seen = true;
	} else if (strcmp(name, "SHUTDOWN") == 0) {
		p->ended = true;
		snprintf(p->outcome.shutdown, sizeof(p->outcome.shutdown), "%s", reason ? reason : "unknown");
	}
}

static void print_record(void *ctx, const struct txt_trace_record *r)
{
	(void)ctx;
	/* Nobody can be told that nothing can be told. */
	if (!txt_trace_print_record(stderr, r))
		clearerr(stderr);
}

static bool prepare(struct platform *p)
{
	const struct platform_config *f = &p->config;
	enum image_error e = image_parse(f->mle, &p->image);
	struct machine *m = &p->m;
	char why[160];

	if (e != IMAGE_OK)
		return platform_fail(p, "the MLE cannot be used: %s", image_strerror(e));
	if (p->image.relocatable)
		return platform_fail(p, "the MLE cannot be used: a loader may put it anywhere (multiboot2 relocatable tag)");
	if (!traps_find_in_image(&p->image, &p->traps))
		return platform_fail(p, "the MLE cannot be disassembled: out of memory");
	if (!shm_map(&m->regs, f->regs_file, 2 * CHIPSET_SPACE_SIZE, why, sizeof(why)) ||
		!shm_map(&m->area, f->area_file, f->chipset.dpr_size, why, sizeof(why)))
		return platform_fail(p, "%s", why);
	m->qmp.event = on_event;
	m->qmp.ctx = p;
	if (!qmp_open(&m->qmp, f->qmp, f->connect_ms))
		return platform_fail(p, "%s", m->qmp.why);
	if (f->tpm && !link_open(&p->link, f->tpm, f->connect_ms))
		return platform_fail(p, "%s", p->link.why);
	if (!gdb_open(&m->gdb, f->gdb, f->connect_ms))
		return platform_fail(p, "%s", m->gdb.why);
	if (!shm_find(&m->regs, &m->qmp, why, sizeof(why)) || !shm_find(&m->area, &m->qmp, why, sizeof(why)))
		return platform_fail(p, "%s", why);
	return true;
}

static void set_up(struct platform *p)
{
	struct chipset_config c = p->config.chipset;

	p->memory = machine_memory(&p->m);
	p->tpm = link_ops(&p->link);
	c.threads = p->m.gdb.cpus;
	p->chipset.trace = &p->trace;
	chipset_power_on(&p->chipset, &c);
	sinit_bios_acm(p->sinit.bios_acm, 0x20220101, 0xb007, 2, 4);
	p->sinit.scrtm = p->config.smx.scrtm;
	p->sinit.platform_id = p->config.smx.platform_id;
	p->sinit.rlp_wakeup = c.dpr_top - PLATFORM_WAKEUP;
	p->sinit.fill_log = p->config.fill_log;
	p->sinit.log_room = p->config.log_room;
	p->sinit.needs_aux = p->config.needs_aux;
	p->sinit.needs_ps = p->config.needs_ps;
	p->sinit.copy_madt = p->config.copy_madt;
	p->sinit.copy_mcfg = p->config.copy_mcfg;
}

struct platform *platform_new(const struct platform_config *config, char *why, size_t why_size)
{
	struct platform *p = calloc(1, sizeof(*p));

	if (!p) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	p->config = *config;
	p->start_us = now_us();
	p->m.gdb.fd = p->m.qmp.fd = p->link.fd = -1;
	if (config->explain)
		p->trace.sink = print_record;
	if (!prepare(p)) {
		snprintf(why, why_size, "%s", p->why);
		platform_free(p);
		return NULL;
	}
	set_up(p);
	return p;
}

/* A reset of any kind: registers that survive it do, all else is as the BIOS sets it up again. */
static void reset(struct platform *p)
{
	p->reset_seen = false;
	p->outcome.resets++;
	p->armed = p->outcome.drtm = false;
	platform_look_never(p);
	p->m.regs.base = p->m.area.base = 0;
	(void)chipset_warm_reset(&p->chipset);
}

/* Firmware may run through the same address before: only with the MLE's own code there is it the MLE. */
static bool at_entry(struct platform *p, bool *yes)
{
	struct span want = image_at(&p->image, p->image.entry, ENTRY_BYTES);
	uint8_t have[ENTRY_BYTES];

	if (!gdb_read(&p->m.gdb, p->image.entry, (struct mspan){ have, want.n }))
		return platform_fail(p, "%s", p->m.gdb.why);
	*yes = memcmp(have, want.p, want.n) == 0;
	return true;
}

/*
 * Linear addresses of the MLE are physical ones, also with its own paging. Other code at the same linear address later is a program's, or a kernel's
 * in 64-bit mode. Without paging no other code can have the address.
 */
static bool is_mle_code(const struct gdb_regs *r)
{
	return !platform_in_long_mode(r) && ((r->r[GDB_CS] & 3) == 0 || !(r->r[GDB_CR0] & SMX_CR0_PG));
}

static bool is_loader_code(const struct platform *p, const struct gdb_regs *r)
{
	return (r->r[GDB_CS] & 3) == 0 && traps_at(&p->loader.traps, r->r[GDB_RIP]);
}

/* The breakpoint is at the linear address; what the stub tells of it is the offset in the segment. */
static bool is_at_reset(const struct gdb_regs *r)
{
	return (r->r[GDB_RIP] & 0xffff) == (RESET_VECTOR & 0xffff) && r->r[GDB_CS] == 0xf000 && !(r->r[GDB_CR0] & SMX_CR0_PE);
}

/* What stands at EIP now, not what the file had there. */
static bool handle_trap(struct platform *p, unsigned cpu)
{
	struct gdb *g = &p->m.gdb;
	uint8_t bytes[TRAP_BYTES];
	struct gdb_regs regs;
	struct trap t;
	bool yes = false;

	if (!gdb_regs(g, cpu, &regs))
		return platform_fail(p, "%s", g->why);
	if (!platform_loop_done(p, cpu, &regs, &yes))
		return false;
	if (yes)
		return true;
	if (is_at_reset(&regs))
		return platform_at_reset(p) && (gdb_step(g, cpu) || platform_fail(p, "%s", g->why));
	if (regs.r[GDB_RIP] == p->image.entry && !p->armed) {
		if (!at_entry(p, &yes) || (yes && !platform_arm(p)))
			return false;
	}
	if (!gdb_read(g, regs.r[GDB_RIP], (struct mspan){ bytes, sizeof(bytes) }))
		return platform_fail(p, "%s", g->why);
	if ((p->armed ? is_mle_code(&regs) : is_loader_code(p, &regs)) &&
		trap_decode(SPAN_OF(bytes), platform_in_long_mode(&regs) ? TRAP_MODE_64 : TRAP_MODE_32, &t)) {
		if (p->armed)
			platform_look_soon(p);
		return platform_trap(p, cpu, &regs, &t);
	}
	p->outcome.others++;
	if (regs.r[GDB_RIP] != p->image.entry && !traps_at(&p->traps, regs.r[GDB_RIP]) && !traps_at(&p->loader.traps, regs.r[GDB_RIP]))
		return true;
	if (!gdb_step(g, cpu))
		return platform_fail(p, "%s", g->why);
	return true;
}

static bool handle(struct platform *p, const struct gdb_stop *stop)
{
	if (stop->kind == GDB_STOP_EXIT) {
		p->ended = true;
		return true;
	}
	if (stop->kind == GDB_STOP_WATCH) {
		p->outcome.watches++;
		if (!p->m.area.base)
			return true;
		return p->armed && stop->address == p->sinit.rlp_wakeup ? platform_wake(p, stop->cpu) : platform_absorb(p);
	}
	if (stop->kind == GDB_STOP_READ)
		return platform_loader(p, stop->cpu);
	if (stop->kind == GDB_STOP_INTERRUPT)
		return platform_look(p);
	return stop->kind == GDB_STOP_TRAP ? handle_trap(p, stop->cpu) : true;
}

/* Waits for a stop of the machine, an event, or the wish to end. */
static bool wait(struct platform *p, int end_fd, struct gdb_stop *stop, bool *stopped, bool *end)
{
	struct gdb *g = &p->m.gdb;
	struct pollfd set[] = {
		{ .fd = g->fd, .events = POLLIN },
		{ .fd = p->m.qmp.gone ? -1 : p->m.qmp.fd, .events = POLLIN },
		{ .fd = end_fd, .events = POLLIN },
	};
	int n;

	*stopped = false;
	n = poll(set, GL_COUNT(set), p->shortcut.look_ms ? (int)p->shortcut.look_ms : -1);
	if (n < 0)
		return errno == EINTR || platform_fail(p, "poll: %s", strerror(errno));
	if (n == 0) {
		*stopped = gdb_interrupt(g, stop);
		return *stopped || platform_fail(p, "%s", g->why);
	}
	if (set[2].revents)
		*end = true;
	/* What the monitor says goes first: why the machine is gone is said there. */
	if (set[1].revents && !qmp_ready(&p->m.qmp) && !p->m.qmp.gone)
		return platform_fail(p, "%s", p->m.qmp.why);
	/* There may be no more than an acknowledgement, or the first part of a packet: then again. */
	if (set[0].revents) {
		*stopped = gdb_wait(g, now_us(), stop);
		if (!*stopped && g->why[0])
			return platform_fail(p, "%s", g->why);
	}
	return true;
}

/* QEMU closes the sockets one after the other: if the monitor has told of the end, or tells now, nothing failed. */
static bool ended_well(struct platform *p)
{
	uint64_t deadline = now_us() + END_MS * 1000;

	while (!p->ended && !p->m.qmp.gone && sock_wait(p->m.qmp.fd, deadline))
		if (!qmp_ready(&p->m.qmp))
			break;
	return p->ended;
}

/* The machine stands where QEMU -S left it; the firmware has not run. */
static bool start(struct platform *p)
{
	struct gdb *g = &p->m.gdb;

	if (!gdb_break(g, p->image.entry, true) || !gdb_break(g, RESET_VECTOR, true))
		return platform_fail(p, "%s", g->why);
	/* Else the machine would stop where it stands, with the same outcome but for the first processor's place. */
	return handle_trap(p, 0);
}

static bool run(struct platform *p, int end_fd)
{
	struct gdb *g = &p->m.gdb;
	bool end = false;

	if (!start(p))
		return false;
	while (!end && !p->ended) {
		struct gdb_stop stop;
		uint64_t from;
		bool stopped;

		if (!g->running && !gdb_continue(g))
			return platform_fail(p, "%s", g->why);
		if (!wait(p, end_fd, &stop, &stopped, &end))
			return false;
		from = now_us();
		if (p->reset_seen)
			reset(p);
		if (stopped && !handle(p, &stop))
			return false;
		if (stopped)
			p->outcome.handling_us += now_us() - from;
	}
	if (end && !p->ended && !gdb_detach(g))
		return platform_fail(p, "%s", g->why);
	return true;
}

bool platform_run(struct platform *p, int end_fd, char *why, size_t why_size)
{
	if (run(p, end_fd) || ended_well(p))
		return true;
	snprintf(why, why_size, "%s%s", p->m.qmp.gone ? "QEMU has died: " : "", p->why);
	return false;
}

const struct platform_outcome *platform_outcome(const struct platform *p)
{
	return &p->outcome;
}

const struct txt_trace *platform_trace(const struct platform *p)
{
	return &p->trace;
}

const struct chipset *platform_chipset(const struct platform *p)
{
	return &p->chipset;
}

void platform_free(struct platform *p)
{
	if (!p)
		return;
	gdb_close(&p->m.gdb);
	qmp_close(&p->m.qmp);
	link_close(&p->link);
	shm_unmap(&p->m.regs);
	shm_unmap(&p->m.area);
	traps_free(&p->traps);
	traps_free(&p->loader.traps);
	txt_trace_free(&p->trace);
	free(p);
}

const char *platform_senter_name(enum platform_senter s)
{
	static const char *const names[] = { "not-reached", "launched", "refused", "reset" };

	return s < GL_COUNT(names) ? names[s] : "?";
}
