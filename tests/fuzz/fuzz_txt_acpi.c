/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ACPI tables as the TXT platform reads them from the guest. Input: u32 where the RSDP is (0: to be searched), then memory from 0xE0000 on;
 * once as it is, once with right checksums. geolaunch.efi, which reads the same tables before, must come to the same DMAR.
 */
#include <stdlib.h>
#include <string.h>

#include "efi/core/acpi_find.h"
#include "qemu/txt/acpi.h"
#include "tests/fuzz/acpi_sums.h"
#include "tests/fuzz/exact.h"

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

static struct span memory(void *ctx, uint64_t base, size_t n)
{
	const struct span *ram = ctx;

	if (base < BASE || base - BASE > ram->n || n > ram->n - (base - BASE))
		return (struct span){ NULL, 0 };
	return (struct span){ ram->p + (base - BASE), n };
}

/* Two readers of one thing: what one finds to be a good DMAR, the other does too. */
static void compare(struct span *ram, uint64_t rsdp, enum txt_rule found, struct span dmar)
{
	struct acpi_found f;
	enum preflight_acpi say = acpi_find(memory, ram, rsdp, &f);

	/* The RSDP may be longer than the 36 bytes that count here; then the sums are of different bytes. The end of a long list is not looked at. */
	if (f.rsdp_new.n > ACPI_RSDP_NEW || dmar.n > ACPI_TABLE_MAX)
		return;
	if (say == PREFLIGHT_ACPI_OK && found == TXT_OK && dmar.p && !acpi_table_good(dmar))
		abort();
	if (say == PREFLIGHT_ACPI_NO_DMAR && dmar.p)
		abort();
	if (found == TXT_OK && dmar.p && acpi_table_good(dmar) && say != PREFLIGHT_ACPI_OK && f.rsdp_old.n)
		abort();
}

static void look(struct span ram, uint64_t given)
{
	static const char *const names[] = { "DMAR", "MCFG" };
	const struct txt_memory m = { .read = read_memory, .ctx = &ram };
	uint64_t rsdp = 0;
	bool sound = acpi_find_rsdp(&m, given, &rsdp) == TXT_OK;

	if (!sound)
		rsdp = given;
	else if (rsdp < BASE || rsdp - BASE >= ram.n || memcmp(ram.p + (rsdp - BASE), "RSD PTR ", 8) != 0)
		abort();
	for (size_t i = 0; i < GL_COUNT(names); i++) {
		struct mspan table = { NULL, 0 };
		enum txt_rule found = acpi_read_table(&m, rsdp, names[i], &table);

		if (found != TXT_OK)
			table = (struct mspan){ NULL, 0 };
		if (table.p && (table.n > ACPI_TABLE_MAX || table.n < 36 || memcmp(table.p, names[i], 4) != 0))
			abort();
		if (i == 0 && sound && rsdp)
			compare(&ram, rsdp, found, (struct span){ table.p, table.n });
		free(table.p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	__attribute__((cleanup(exact_free))) struct exact exact = { .count = 0 };
	struct rd r = rd_init((struct span){ data, size });
	uint64_t given = rd_le32(&r);
	struct span ram = exact_copy(&exact, rd_bytes(&r, rd_left(&r)));

	look(ram, given);
	if (!ram.p)
		return 0;
	acpi_sum_up((struct mspan){ exact.p[0], ram.n });
	look(ram, given);
	return 0;
}
