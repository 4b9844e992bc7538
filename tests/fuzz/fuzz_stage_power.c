/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the stage leaves: ACPI tables and tboot's shared page. Input: the memory from address 0 on; the RSDP lies at 0, the shared page at 0x1000.
 * Checksums of tables are made right in a copy, so that what they say is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "stage/core/power.h"

#define RAM 0x2000u
#define SHARED 0x1000u
#define RSDP_SIZE 36

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t ram[RAM];

static uint8_t *memory_at(void *ctx, uint64_t address, size_t n)
{
	(void)ctx;
	return address < RAM && n <= RAM - address ? ram + address : NULL;
}

static const struct stage_world world = { .at = memory_at };

static uint32_t word(size_t at)
{
	struct rd r = rd_init((struct span){ ram + at, 4 });

	return rd_le32(&r);
}

/* Makes the sum of every table right, wherever one may begin. */
static void sum_up(void)
{
	static const char *const names[] = { "RSDT", "XSDT", "FACP", "DSDT" };

	for (size_t at = 0; at + 36 <= RAM; at += 4) {
		uint32_t length = word(at + 4);
		uint8_t sum = 0;

		for (size_t k = 0; k < GL_COUNT(names); k++) {
			if (memcmp(ram + at, names[k], 4) != 0 || length < 36 || length > RAM - at)
				continue;
			ram[at + 9] = 0;
			for (size_t i = 0; i < length; i++)
				sum = (uint8_t)(sum + ram[at + i]);
			ram[at + 9] = (uint8_t)-sum;
		}
	}
}

static void power(void)
{
	struct tboot_sleep s;
	uint8_t page[TBOOT_SHARED_SIZE];

	if (!power_off_registers(&world, (struct span){ ram, RSDP_SIZE }, &s))
		return;
	if (s.pm1a.address == 0 || s.pm1a.address > UINT16_MAX || s.pm1b.address > UINT16_MAX || s.pm1a.space != 1 || s.pm1b.space != 1)
		abort();
	/* SLP_EN, SLP_TYP, nothing else */
	if (!(s.pm1a.value & 1u << 13) || s.pm1a.value & ~(15u << 10))
		abort();
	memset(page, 0xaa, sizeof(page));
	tboot_shared_set((struct mspan){ page, sizeof(page) }, TBOOT_S5, &s);
	if (page[27] != 0xaa || page[28] != TBOOT_S5 || page[32] != 1 || page[104] != 0xaa)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tboot_shared shared;

	if (size > RAM)
		return 0;
	memset(ram, 0, RAM);
	if (size)
		memcpy(ram, data, size);
	if (tboot_shared_read((struct span){ ram + SHARED, RAM - SHARED }, SHARED, &shared) == STAGE_OK &&
		(!txt_range_contains(shared.memory, (struct txt_range){ SHARED, TBOOT_SHARED_SIZE }) ||
			shared.version < TBOOT_SHARED_MIN_VERSION))
		abort();
	power();
	sum_up();
	power();
	return 0;
}
