/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/chipset.h"

#include <string.h>

#include "common/cursor.h"
#include "qemu/txt/chipset_table.h"

#define MIB 0x100000u
#define ALL_ONES 0xff
#define SDG "Intel TXT SDG 315168-016 "

struct chipset_config chipset_config_usual(uint32_t top)
{
	return (struct chipset_config){
		.didvid = 0x00000001b0018086,
		.fsbif = 0xffffffffu,
		.qpiif = 0x9d003000u,
		.heap_base = top - 4 * MIB,
		.heap_size = MIB,
		.sinit_base = top - 2 * MIB,
		.sinit_size = MIB,
		.dpr_top = top,
		.dpr_size = 4 * MIB,
		.dpr_lock = true,
		.spad = 0x0800000040000000, /* start-up succeeded, BIOS trusted */
		.threads = 1,
	};
}

static uint64_t key_part(const uint8_t *p)
{
	struct rd r = rd_init((struct span){ p, 8 });

	return rd_le64(&r);
}

/* What the BIOS sets anew after each reset. */
static void set_up(struct chipset *c)
{
	const struct chipset_config *f = &c->config;

	c->value[CHIPSET_VER_FSBIF] = f->fsbif;
	c->value[CHIPSET_VER_QPIIF] = f->qpiif;
	c->value[CHIPSET_DIDVID] = f->didvid;
	c->value[CHIPSET_SINIT_BASE] = f->sinit_base;
	c->value[CHIPSET_SINIT_SIZE] = f->sinit_size;
	c->value[CHIPSET_HEAP_BASE] = f->heap_base;
	c->value[CHIPSET_HEAP_SIZE] = f->heap_size;
	c->value[CHIPSET_DPR] = (f->dpr_top & 0xfff00000u) | (f->dpr_size / MIB & 0xff) << 4 | (f->dpr_lock ? CHIPSET_DPR_LOCK : 0);
	for (unsigned i = 0; i < 4; i++)
		c->value[CHIPSET_PUBLIC_KEY0 + i] = key_part(f->public_key + (size_t)8 * i);
	c->base_locked = true;
}

void chipset_power_on(struct chipset *c, const struct chipset_config *config)
{
	struct txt_trace *trace = c->trace;
	struct chipset_config kept = *config;

	memset(c, 0, sizeof(*c));
	c->trace = trace;
	c->config = kept;
	c->value[CHIPSET_SPAD] = kept.spad;
	set_up(c);
}

bool chipset_warm_reset(struct chipset *c)
{
	bool secrets = chipset_secrets(c);

	for (size_t i = 0; i < CHIPSET_REGISTERS; i++)
		if (!chipset_table[i].sticky)
			c->value[i] = 0;
	c->joined = 0;
	c->private_open = c->mem_config_locked = false;
	memset(c->locality, 0, sizeof(c->locality));
	set_up(c);
	if (secrets) {
		c->value[CHIPSET_ESTS] |= CHIPSET_ESTS_WAKE_ERROR;
		txt_trace_add(c->trace, TXT_CHIPSET, TXT_FAIL, "reset-with-secrets", SDG "B.1.2, B.1", false,
			"the machine was reset while TXT.E2STS said that secrets are in memory; TXT.ESTS records it");
	} else {
		txt_trace_add(c->trace, TXT_CHIPSET, TXT_INFO, "reset", SDG "B.1", false,
			"reset: TXT.ERRORCODE 0x%08llx and TXT.ESTS 0x%02llx are kept", (unsigned long long)c->value[CHIPSET_ERRORCODE],
			(unsigned long long)c->value[CHIPSET_ESTS]);
	}
	return secrets;
}

void chipset_clear_secrets(struct chipset *c)
{
	c->value[CHIPSET_E2STS] &= ~(uint64_t)CHIPSET_E2STS_SECRETS;
	c->value[CHIPSET_ESTS] &= ~(uint64_t)CHIPSET_ESTS_WAKE_ERROR;
	txt_trace_add(c->trace, TXT_CHIPSET, TXT_INFO, "clear-secrets", SDG "B.1.2", false, "memory was cleared; TXT.ESTS is 0x%02llx",
		(unsigned long long)c->value[CHIPSET_ESTS]);
}

bool chipset_power_cycle(struct chipset *c)
{
	bool secrets = chipset_secrets(c);
	struct chipset_config kept = c->config;

	txt_trace_add(c->trace, TXT_CHIPSET, secrets ? TXT_FAIL : TXT_INFO, secrets ? "power-off-with-secrets" : "power-cycle", SDG "B.1",
		false, "%s", secrets ? "power was lost while secrets were in memory" : "power cycle: all registers are as after power-on");
	chipset_power_on(c, &kept);
	return secrets;
}

uint64_t chipset_sts(const struct chipset *c)
{
	uint64_t all = c->config.threads >= 64 ? UINT64_MAX : ((uint64_t)1 << c->config.threads) - 1;
	unsigned open = chipset_localities(c);

	return (c->joined && c->joined == all ? CHIPSET_STS_SENTER_DONE : 0) | (c->joined == 0 ? CHIPSET_STS_SEXIT_DONE : 0) |
	       (c->base_locked ? CHIPSET_STS_BASE_LOCKED : 0) | (c->mem_config_locked ? CHIPSET_STS_MEM_CONFIG_LOCK : 0) |
	       (c->private_open ? CHIPSET_STS_PRIVATE_OPEN : 0) | (open & 2 ? CHIPSET_STS_LOCALITY1_OPEN : 0) |
	       (open & 4 ? CHIPSET_STS_LOCALITY2_OPEN : 0);
}

uint64_t chipset_get(const struct chipset *c, enum chipset_register r)
{
	return c->value[r];
}

const char *chipset_register_name(enum chipset_register r)
{
	return chipset_table[r].name;
}

unsigned chipset_localities(const struct chipset *c)
{
	return 1u | (c->locality[1] ? 2u : 0) | (c->locality[2] ? 4u : 0);
}

static uint32_t run_command(struct chipset *c, const struct chipset_command *command)
{
	unsigned before = chipset_localities(c), after;
	bool was_open = c->private_open;
	uint32_t react = 0;

	switch (command->what) {
	case CHIPSET_CMD_RESET:
		react = CHIPSET_REACT_RESET;
		break;
	case CHIPSET_CMD_OPEN_PRIVATE:
	case CHIPSET_CMD_CLOSE_PRIVATE:
		c->private_open = c->locality[2] = command->what == CHIPSET_CMD_OPEN_PRIVATE;
		break;
	case CHIPSET_CMD_UNLOCK_MEM_CONFIG:
		react = c->mem_config_locked ? CHIPSET_REACT_MEM_CONFIG : 0;
		c->mem_config_locked = false;
		break;
	case CHIPSET_CMD_LOCK_BASE:
		c->base_locked = true;
		break;
	case CHIPSET_CMD_UNLOCK_BASE:
		c->base_locked = false;
		break;
	case CHIPSET_CMD_OPEN_LOCALITY1:
	case CHIPSET_CMD_CLOSE_LOCALITY1:
		c->locality[1] = command->what == CHIPSET_CMD_OPEN_LOCALITY1;
		break;
	case CHIPSET_CMD_OPEN_LOCALITY2:
	case CHIPSET_CMD_CLOSE_LOCALITY2:
		c->locality[2] = command->what == CHIPSET_CMD_OPEN_LOCALITY2;
		break;
	case CHIPSET_CMD_SECRETS:
	case CHIPSET_CMD_NO_SECRETS:
		c->value[CHIPSET_E2STS] &= ~(uint64_t)CHIPSET_E2STS_SECRETS;
		c->value[CHIPSET_E2STS] |= command->what == CHIPSET_CMD_SECRETS ? CHIPSET_E2STS_SECRETS : 0;
		react = CHIPSET_REACT_SECRETS;
		break;
	case CHIPSET_CMD_NOTHING:
		break;
	}
	after = chipset_localities(c);
	react |= (after & ~before & 2 ? CHIPSET_REACT_LOCALITY1_OPENED : 0) | (before & ~after & 2 ? CHIPSET_REACT_LOCALITY1_CLOSED : 0);
	react |= (after & ~before & 4 ? CHIPSET_REACT_LOCALITY2_OPENED : 0) | (before & ~after & 4 ? CHIPSET_REACT_LOCALITY2_CLOSED : 0);
	if (was_open != c->private_open)
		react |= c->private_open ? CHIPSET_REACT_PRIVATE_OPENED : CHIPSET_REACT_PRIVATE_CLOSED;
	txt_trace_add(c->trace, TXT_CHIPSET, TXT_INFO, command->id, command->source, false, "%s: TXT.STS is now 0x%05llx", command->name,
		(unsigned long long)chipset_sts(c));
	return react | CHIPSET_REACT_VALUE;
}

/* True if software may write the register through this space now. */
static bool writable(const struct chipset *c, enum chipset_space space, enum chipset_register r)
{
	const struct chipset_row *row = &chipset_table[r];

	if (row->lock == CHIPSET_LOCK_BASE && c->base_locked)
		return false;
	if (row->lock == CHIPSET_LOCK_SELF && (c->value[r] & CHIPSET_DPR_LOCK))
		return false;
	return space == CHIPSET_PRIVATE ? row->private_write : row->public_write;
}

/* The part of the write that falls on the register; others keep their bytes. */
static uint32_t write_register(
	struct chipset *c, enum chipset_space space, enum chipset_register r, uint32_t offset, unsigned width, uint64_t value)
{
	const struct chipset_row *row = &chipset_table[r];
	uint64_t old = c->value[r], new = old;

	for (unsigned i = 0; i < width; i++) {
		uint32_t at = offset + i;

		if (at < row->offset || at >= row->offset + row->size)
			continue;
		unsigned shift = 8 * (at - row->offset);

		new = (new & ~((uint64_t)0xff << shift)) | (value >> 8 * i & 0xff) << shift;
	}
	if (!writable(c, space, r)) {
		txt_trace_add(c->trace, TXT_CHIPSET, TXT_INFO, "register-write-ignored", row->source, false,
			"write to %s through the %s space is ignored: it is read-only or locked", row->name,
			space == CHIPSET_PRIVATE ? "private" : "public");
		return CHIPSET_REACT_IGNORED;
	}
	c->value[r] = new;
	txt_trace_add(
		c->trace, TXT_CHIPSET, TXT_INFO, "register-write", row->source, false, "%s := 0x%llx", row->name, (unsigned long long)new);
	return new != old ? CHIPSET_REACT_VALUE : 0;
}

static bool hits(uint32_t at, unsigned size, uint32_t offset, unsigned width)
{
	return offset < at + size && at < offset + width;
}

uint32_t chipset_write(struct chipset *c, enum chipset_space space, uint32_t offset, unsigned width, uint64_t value)
{
	uint32_t react = 0;
	bool known = false;

	if (width == 0 || width > 8 || offset >= CHIPSET_SPACE_SIZE || width > CHIPSET_SPACE_SIZE - offset)
		return CHIPSET_REACT_IGNORED;
	if (space == CHIPSET_PRIVATE && !c->private_open) {
		txt_trace_add(c->trace, TXT_CHIPSET, TXT_INFO, "private-closed", SDG "B.1", false,
			"write to the private space at 0x%04x is ignored: the space is closed", (unsigned)offset);
		return CHIPSET_REACT_IGNORED;
	}
	for (size_t i = 0; i < chipset_command_count; i++) {
		const struct chipset_command *command = &chipset_commands[i];

		if (!hits(command->offset, 1, offset, width))
			continue;
		known = true;
		if (space == CHIPSET_PRIVATE) {
			react |= run_command(c, command);
			continue;
		}
		txt_trace_add(c->trace, TXT_CHIPSET, TXT_INFO, "command-public", command->source, false,
			"%s is ignored in the public space", command->name);
		react |= CHIPSET_REACT_IGNORED;
	}
	for (size_t r = 0; r < CHIPSET_REGISTERS; r++) {
		if (!hits(chipset_table[r].offset, chipset_table[r].size, offset, width))
			continue;
		known = true;
		react |= write_register(c, space, (enum chipset_register)r, offset, width, value);
	}
	return known ? react : react | CHIPSET_REACT_IGNORED;
}

void chipset_render(const struct chipset *c, enum chipset_space space, uint8_t *out)
{
	uint64_t all = c->config.threads >= 64 ? UINT64_MAX : ((uint64_t)1 << c->config.threads) - 1;

	if (space == CHIPSET_PRIVATE && !c->private_open) {
		memset(out, ALL_ONES, CHIPSET_SPACE_SIZE);
		return;
	}
	memset(out, 0, CHIPSET_SPACE_SIZE);
	put_le(out + CHIPSET_STS, chipset_sts(c), 8);
	put_le(out + CHIPSET_THREADS_EXIST, all, 8);
	put_le(out + CHIPSET_THREADS_JOIN, c->joined, 8);
	for (size_t r = 0; r < CHIPSET_REGISTERS; r++)
		put_le(out + chipset_table[r].offset, c->value[r], chipset_table[r].size);
	for (size_t i = 0; i < chipset_command_count; i++)
		out[chipset_commands[i].offset] = ALL_ONES;
}

void chipset_join(struct chipset *c, unsigned cpu, bool in)
{
	uint64_t bit = cpu < 64 ? (uint64_t)1 << cpu : 0;

	c->joined = in ? c->joined | bit : c->joined & ~bit;
}

void chipset_open_private(struct chipset *c)
{
	c->private_open = c->locality[2] = true;
}

void chipset_close_locality2(struct chipset *c)
{
	c->locality[2] = false;
}

void chipset_lock_mem_config(struct chipset *c)
{
	c->mem_config_locked = true;
}

void chipset_set_error(struct chipset *c, uint32_t errorcode)
{
	c->value[CHIPSET_ERRORCODE] = errorcode;
}

void chipset_shutdown(struct chipset *c, uint32_t code)
{
	c->value[CHIPSET_ERRORCODE] = 0x80000000u | code;
	c->value[CHIPSET_ESTS] |= CHIPSET_ESTS_TXT_RESET;
}

struct txt_range chipset_heap(const struct chipset *c)
{
	return (struct txt_range){ c->value[CHIPSET_HEAP_BASE], c->value[CHIPSET_HEAP_SIZE] };
}

struct txt_range chipset_sinit(const struct chipset *c)
{
	return (struct txt_range){ c->value[CHIPSET_SINIT_BASE], c->value[CHIPSET_SINIT_SIZE] };
}

struct txt_range chipset_dpr(const struct chipset *c)
{
	uint64_t dpr = c->value[CHIPSET_DPR], top = dpr & 0xfff00000u, size = (dpr >> 4 & 0xff) * MIB;

	return size > top ? (struct txt_range){ 0, 0 } : (struct txt_range){ top - size, size };
}
