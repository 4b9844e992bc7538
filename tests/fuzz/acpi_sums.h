/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_ACPI_SUMS_H
#define GL_TESTS_ACPI_SUMS_H

#include <string.h>

#include "common/cursor.h"

/* Makes checksums of ACPI tables right, so that a fuzzer gets behind them. */

/* Bytes that are summed up at most; tables may overlap, and each may be as long as the memory. */
#define ACPI_SUMS_MAX ((size_t)1 << 20)

/* Sets the byte at `place` so that the `n` bytes add up to 0. */
static inline void acpi_sum(uint8_t *p, size_t n, size_t place)
{
	uint8_t sum = 0;

	p[place] = 0;
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
	p[place] = (uint8_t)-sum;
}

static inline size_t acpi_length(const uint8_t *p)
{
	struct rd r = rd_init((struct span){ p, 4 });

	return rd_le32(&r);
}

/* Both sums of the RSDP at the beginning of the bytes, the second one if it has it. */
static inline void acpi_sum_rsdp(struct mspan m)
{
	if (m.n < 20 || memcmp(m.p, "RSD PTR ", 8) != 0)
		return;
	acpi_sum(m.p, 20, 8);
	if (m.p[15] >= 2 && m.n >= 36 && acpi_length(m.p + 20) > 32 && acpi_length(m.p + 20) <= m.n)
		acpi_sum(m.p, acpi_length(m.p + 20), 32);
}

/* Every table and RSDP, wherever one may begin, also those that say that they are too short. */
static inline void acpi_sum_up(struct mspan m)
{
	static const char *const names[] = { "RSDT", "XSDT", "FACP", "DSDT", "DMAR", "MCFG" };
	size_t left = ACPI_SUMS_MAX;

	for (size_t at = 0; m.n >= 36 && at <= m.n - 36; at += 4) {
		uint8_t *p = m.p + at;
		size_t length = acpi_length(p + 4);

		acpi_sum_rsdp((struct mspan){ p, m.n - at });
		for (size_t k = 0; k < GL_COUNT(names); k++) {
			if (memcmp(p, names[k], 4) != 0 || length < 10 || length > m.n - at || length > left)
				continue;
			acpi_sum(p, length, 9);
			left -= length;
		}
	}
}

#endif
