/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the stage makes of what it is handed. Input: u16 size of the multiboot2 information, the information, then the bytes that lie behind
 * it in memory from STAGE_BYTES on, into which its modules may point. Whatever is planned and loaded, tboot, the stage, the information
 * and the modules stay as they are.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "stage/core/plan.h"
#include "stage/core/power.h"

#define RAM 0x400000u
#define TBOOT 0x100000u
#define TBOOT_END 0x140000u
#define SHARED 0x110000u
#define IMAGE 0x140000u
#define IMAGE_END 0x150000u
#define INFO 0x300000u
#define STAGE_BYTES 0x310000u
#define BYTES_MAX 0x80000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t ram[RAM], before[RAM];

static uint8_t *memory_at(void *ctx, uint64_t address, size_t n)
{
	(void)ctx;
	return address < RAM && n <= RAM - address ? ram + address : NULL;
}

static const struct stage_world world = { .at = memory_at };

static void put(size_t at, uint32_t v)
{
	struct wr w = wr_init((struct mspan){ ram + at, 4 });

	wr_le32(&w, v);
}

static void make_shared(void)
{
	/* clang-format off */
	static const uint8_t uuid[16] = {
		0xff, 0x8d, 0x3c, 0x66, 0xb3, 0xe8, 0x82, 0x4b, 0xbf, 0xaa, 0x19, 0xea, 0x4d, 0x05, 0x7a, 0x08,
	};
	/* clang-format on */

	memcpy(ram + SHARED, uuid, sizeof(uuid));
	put(SHARED + 16, 6);
	put(SHARED + 24, TBOOT + 0x1000);
	put(SHARED + 104, TBOOT);
	put(SHARED + 108, TBOOT_END - TBOOT);
}

static void check_same(uint64_t at, size_t n)
{
	if (memcmp(ram + at, before + at, n) != 0)
		abort();
}

static struct handover handover;
static struct stage_memory memory;
static struct stage_plan plan;

static bool run(struct stage_jump *jump)
{
	static const struct txt_range taken[] = { { IMAGE, IMAGE_END - IMAGE } };
	struct tboot_sleep sleep;
	enum stage_rules_error why;
	size_t at;

	if (handover_open(&world, MB2_MAGIC, INFO, &handover) != STAGE_OK)
		return false;
	(void)!power_off_registers(&world, handover.rsdp, &sleep);
	if (handover_rules(&handover, &why, &at) != STAGE_OK || handover_modules(&world, &handover) != STAGE_OK ||
		handover_memory(&handover, taken, GL_COUNT(taken), &memory) != STAGE_OK)
		return false;
	handover_picture(&handover, taken, GL_COUNT(taken));
	if (stage_plan(&world, &handover, &memory, &plan) != STAGE_OK)
		return false;
	memcpy(before, ram, RAM);
	return stage_load(&world, &handover, &plan, jump) == STAGE_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init((struct span){ data, size });
	struct span info = rd_bytes(&r, rd_le16(&r)), bytes = rd_bytes(&r, rd_left(&r));
	struct stage_jump jump = { 0 };

	if (r.bad || bytes.n > BYTES_MAX)
		return 0;
	memset(ram, 0, RAM);
	make_shared();
	if (info.n)
		memcpy(ram + INFO, info.p, info.n);
	if (bytes.n)
		memcpy(ram + STAGE_BYTES, bytes.p, bytes.n);
	if (!run(&jump))
		return 0;
	check_same(TBOOT, IMAGE_END - TBOOT);
	check_same(handover.info_range.base, (size_t)handover.info_range.size);
	for (size_t i = 0; i < handover.module_count; i++)
		check_same(handover.modules[i].start, handover.modules[i].end - handover.modules[i].start);
	/* What is jumped to was loaded. */
	if (jump.entry < 0x1000 || jump.entry >= RAM || (jump.entry >= TBOOT && jump.entry < IMAGE_END))
		abort();
	return 0;
}
