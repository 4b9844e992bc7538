/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/acpi.h"

#include <stdlib.h>
#include <string.h>

#define RSDP_SIZE_1 20 /* revision 0 */
#define RSDP_SIZE 36
#define HEADER 36 /* of all tables */
#define BIOS_AREA 0xe0000u
#define BIOS_AREA_SIZE 0x20000u
#define MAX_ENTRIES 256u

static bool sums_to_zero(struct span s)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < s.n; i++)
		sum = (uint8_t)(sum + s.p[i]);
	return sum == 0;
}

static uint32_t le32_at(const uint8_t *p)
{
	struct rd r = rd_init((struct span){ p, 4 });

	return rd_le32(&r);
}

static bool read_rsdp(const struct txt_memory *m, uint64_t at, uint8_t out[RSDP_SIZE])
{
	memset(out, 0, RSDP_SIZE);
	if (!m->read(m->ctx, at, (struct mspan){ out, RSDP_SIZE_1 }) || memcmp(out, "RSD PTR ", 8) != 0)
		return false;
	return out[15] < 2 || m->read(m->ctx, at, (struct mspan){ out, RSDP_SIZE });
}

enum txt_rule acpi_find_rsdp(const struct txt_memory *m, uint64_t rsdp, uint64_t *out)
{
	uint8_t bytes[RSDP_SIZE];

	if (rsdp) {
		if (!read_rsdp(m, rsdp, bytes))
			return TXT_RULE_RSDP;
		if (!sums_to_zero((struct span){ bytes, RSDP_SIZE_1 }) || (bytes[15] >= 2 && !sums_to_zero(SPAN_OF(bytes))))
			return TXT_RULE_RSDP_CHECKSUM;
		*out = rsdp;
		return TXT_OK;
	}
	for (uint64_t at = BIOS_AREA; at < BIOS_AREA + BIOS_AREA_SIZE; at += 16) {
		if (!read_rsdp(m, at, bytes) || !sums_to_zero((struct span){ bytes, RSDP_SIZE_1 }))
			continue;
		*out = at;
		return TXT_OK;
	}
	return TXT_RULE_RSDP;
}

/* A whole table, by the length in its header. */
static bool read_table(const struct txt_memory *m, uint64_t at, struct mspan *out)
{
	uint8_t head[HEADER];

	if (!m->read(m->ctx, at, (struct mspan){ head, sizeof(head) }))
		return false;

	uint32_t n = le32_at(head + 4);

	if (n < HEADER || n > ACPI_TABLE_MAX)
		return false;

	uint8_t *p = malloc(n);

	if (!p || !m->read(m->ctx, at, (struct mspan){ p, n })) {
		free(p);
		return false;
	}
	*out = (struct mspan){ p, n };
	return true;
}

static void free_table(struct mspan *t)
{
	free(t->p);
}

enum txt_rule acpi_read_table(const struct txt_memory *m, uint64_t rsdp, const char *signature, struct mspan *out)
{
	__attribute__((cleanup(free_table))) struct mspan root = { NULL, 0 };
	uint8_t bytes[RSDP_SIZE];
	uint64_t at;
	size_t width;

	if (!read_rsdp(m, rsdp, bytes))
		return TXT_RULE_RSDP;

	struct rd r = rd_init((struct span){ bytes + 24, 8 });

	at = bytes[15] >= 2 ? rd_le64(&r) : 0;
	width = at ? 8 : 4;
	if (!at)
		at = le32_at(bytes + 16);
	if (!read_table(m, at, &root) || !sums_to_zero((struct span){ root.p, root.n }) ||
		memcmp(root.p, width == 8 ? "XSDT" : "RSDT", 4) != 0)
		return TXT_RULE_XSDT;
	r = rd_init((struct span){ root.p + HEADER, root.n - HEADER });
	for (unsigned i = 0; i < MAX_ENTRIES && rd_left(&r) >= width; i++) {
		uint8_t name[4];

		at = rd_le(&r, width);
		if (!m->read(m->ctx, at, (struct mspan){ name, sizeof(name) }) || memcmp(name, signature, sizeof(name)) != 0)
			continue;
		return read_table(m, at, out) ? TXT_OK : TXT_RULE_XSDT;
	}
	*out = (struct mspan){ NULL, 0 };
	return TXT_OK;
}

bool acpi_table_good(struct span table)
{
	return table.n >= HEADER && le32_at(table.p + 4) == table.n && sums_to_zero(table);
}
