/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/acpi_find.h"

#include "common/cursor.h"

#define HEADER 36
#define TABLE_MAX 0x100000u
#define RSDP_MAX 4096
#define RSDP_LENGTH 20
#define RSDP_RSDT 16
#define RSDP_XSDT 24
#define RSDP_REVISION 15

static bool sums_to_zero(struct span s)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < s.n; i++)
		sum = (uint8_t)(sum + s.p[i]);
	return sum == 0;
}

static uint64_t value_at(struct span s, size_t at, size_t width)
{
	struct rd r = rd_init(s);

	(void)rd_bytes(&r, at);
	return rd_le(&r, width);
}

static bool read_rsdp(acpi_memory *memory, void *ctx, uint64_t at, struct acpi_found *out)
{
	struct span s = memory(ctx, at, ACPI_RSDP_OLD);
	uint64_t n;

	if (s.n != ACPI_RSDP_OLD || !span_equal((struct span){ s.p, 8 }, SPAN_LITERAL("RSD PTR ")) || !sums_to_zero(s))
		return false;
	out->rsdp_old = s;
	if (s.p[RSDP_REVISION] < 2)
		return true;
	s = memory(ctx, at, ACPI_RSDP_NEW);
	if (s.n != ACPI_RSDP_NEW)
		return false;
	n = value_at(s, RSDP_LENGTH, 4);
	if (n < ACPI_RSDP_NEW || n > RSDP_MAX)
		return false;
	s = memory(ctx, at, (size_t)n);
	if (s.n != n || !sums_to_zero(s))
		return false;
	out->rsdp_new = s;
	return true;
}

/* A whole table with a right checksum; empty else. */
static struct span table_at(acpi_memory *memory, void *ctx, uint64_t at)
{
	struct span none = { NULL, 0 }, s = memory(ctx, at, HEADER);
	uint64_t n;

	if (s.n != HEADER)
		return none;
	n = value_at(s, 4, 4);
	if (n < HEADER || n > TABLE_MAX)
		return none;
	s = memory(ctx, at, (size_t)n);
	return s.n == n && sums_to_zero(s) ? s : none;
}

enum preflight_acpi acpi_find(acpi_memory *memory, void *ctx, uint64_t rsdp, struct acpi_found *out)
{
	struct span root;
	size_t width;
	uint64_t at;

	*out = (struct acpi_found){ .rsdp_old = { NULL, 0 } };
	if (rsdp == 0)
		return PREFLIGHT_ACPI_NO_RSDP;
	if (!read_rsdp(memory, ctx, rsdp, out)) {
		*out = (struct acpi_found){ .rsdp_old = { NULL, 0 } };
		return PREFLIGHT_ACPI_BROKEN;
	}
	at = out->rsdp_new.n ? value_at(out->rsdp_new, RSDP_XSDT, 8) : 0;
	width = at ? 8 : 4;
	if (!at)
		at = value_at(out->rsdp_old, RSDP_RSDT, 4);
	root = table_at(memory, ctx, at);
	if (!root.n || !span_equal((struct span){ root.p, 4 }, width == 8 ? SPAN_LITERAL("XSDT") : SPAN_LITERAL("RSDT")))
		return PREFLIGHT_ACPI_BROKEN;
	for (size_t i = HEADER; width <= root.n - i; i += width) {
		uint64_t entry = value_at(root, i, width);
		struct span head = memory(ctx, entry, 4);

		if (head.n == 4 && span_equal(head, SPAN_LITERAL("DMAR")))
			return table_at(memory, ctx, entry).n ? PREFLIGHT_ACPI_OK : PREFLIGHT_ACPI_BROKEN;
	}
	return PREFLIGHT_ACPI_NO_DMAR;
}
