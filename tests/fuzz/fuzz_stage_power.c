/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the stage leaves: ACPI tables and tboot's shared page. Input: the memory from address 0 on; the RSDP lies at 0, the shared page at 0x1000.
 * Checksums of tables are made right in a copy, so that what they say is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "stage/core/power.h"
#include "tests/fuzz/acpi_sums.h"
#include "tests/fuzz/guest.h"

#define RAM 0x2000u
#define SHARED 0x1000u
#define RSDP_SIZE 36

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* `image`: what is put into the memory, with sums or without. */
static uint8_t ram[RAM] __attribute__((aligned(8))), image[RAM];
static struct guest guest = { .ram = ram, .size = RAM };

static uint8_t *memory_at(void *ctx, uint64_t address, size_t n)
{
	return guest_at(ctx, address, n);
}

static const struct stage_world world = { .ctx = &guest, .at = memory_at };

static void power(void)
{
	struct tboot_sleep s;
	uint8_t page[TBOOT_SHARED_SIZE];
	bool found;

	guest_reset(&guest);
	guest_put(&guest, 0, SPAN_OF(image));
	memset(&s, 0xaa, sizeof(s));
	found = power_off_registers(&world, (struct span){ memory_at(&guest, 0, RSDP_SIZE), RSDP_SIZE }, &s);
	if (!guest_same(&guest, image))
		abort();
	if (!found)
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
	memset(image, 0, RAM);
	if (size)
		memcpy(image, data, size);
	guest_reset(&guest);
	guest_put(&guest, 0, SPAN_OF(image));
	/* Of its memory a page is asked for, no more. */
	if (tboot_shared_read((struct span){ memory_at(&guest, SHARED, TBOOT_SHARED_SIZE), TBOOT_SHARED_SIZE }, SHARED, &shared) ==
			STAGE_OK &&
		(!txt_range_contains(shared.memory, (struct txt_range){ SHARED, TBOOT_SHARED_SIZE }) ||
			shared.version < TBOOT_SHARED_MIN_VERSION))
		abort();
	power();
	acpi_sum_up((struct mspan){ image, RAM });
	power();
	return 0;
}
