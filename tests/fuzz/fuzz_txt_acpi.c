/* SPDX-License-Identifier: BSD-3-Clause */
/* ACPI tables as the TXT platform reads them from the guest. Input: u32 where the RSDP is (0: to be searched), then memory from 0xE0000 on. */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "qemu/txt/acpi.h"

#define BASE 0xe0000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_memory(void *ctx, uint64_t at, struct mspan out)
{
	const struct span *ram = ctx;

	if (at < BASE || at - BASE > ram->n || out.n > ram->n - (at - BASE))
		return false;
	if (out.n)
		memcpy(out.p, ram->p + (at - BASE), out.n);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "DMAR", "MCFG" };
	struct rd r = rd_init((struct span){ data, size });
	uint64_t given = rd_le32(&r), rsdp = 0;
	struct span ram = rd_bytes(&r, rd_left(&r));
	const struct txt_memory m = { .read = read_memory, .ctx = &ram };
	struct mspan table;

	if (acpi_find_rsdp(&m, given, &rsdp) != TXT_OK)
		rsdp = given;
	else if (rsdp < BASE || rsdp - BASE >= ram.n || memcmp(ram.p + (rsdp - BASE), "RSD PTR ", 8) != 0)
		abort();
	for (size_t i = 0; i < GL_COUNT(names); i++) {
		table = (struct mspan){ NULL, 0 };
		if (acpi_read_table(&m, rsdp, names[i], &table) != TXT_OK || !table.p)
			continue;
		if (table.n > ACPI_TABLE_MAX || table.n < 36 || memcmp(table.p, names[i], 4) != 0)
			abort();
		(void)!acpi_table_good((struct span){ table.p, table.n });
		free(table.p);
	}
	return 0;
}
