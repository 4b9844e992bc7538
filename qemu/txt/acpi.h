/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_ACPI_H
#define GL_TXT_ACPI_H

#include "qemu/txt/ops.h"
#include "txt/rules.h"

/* ACPI tables in guest memory, as far as SINIT copies them to the heap. ACPI 6.4, 5.2.5-5.2.8. All of it is the guest's. */

/* Largest table that is taken, in bytes. */
#define ACPI_TABLE_MAX 0x10000u

/*
 * Finds the RSDP: at `rsdp`, or, if that is 0, in the area where the BIOS leaves it (0xE0000-0xFFFFF). `*out` is its address.
 * TXT_RULE_RSDP, TXT_RULE_RSDP_CHECKSUM.
 */
GL_MUST enum txt_rule acpi_find_rsdp(const struct txt_memory *m, uint64_t rsdp, uint64_t *out);

/*
 * Reads the table with this signature (4 letters) that the RSDP at `rsdp` leads to, by XSDT or RSDT. `*out` is the caller's to free, out->p NULL
 * if there is no such table. TXT_RULE_XSDT if the way to it is broken. The table's own checksum is acpi_table_good()'s.
 */
GL_MUST enum txt_rule acpi_read_table(const struct txt_memory *m, uint64_t rsdp, const char *signature, struct mspan *out);

/* The length field is the table's and its bytes add up to 0. */
GL_MUST bool acpi_table_good(struct span table);

#endif
