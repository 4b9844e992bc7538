/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_ACPI_FIND_H
#define GL_EFI_CORE_ACPI_FIND_H

#include "efi/core/preflight.h"

/* The way from the RSDP to the table DMAR, ACPI specification 6.4, 5.2.5 to 5.2.8. */

/* Physical memory as bytes; empty if there cannot be any. */
typedef struct span acpi_memory(void *ctx, uint64_t base, size_t n);

#define ACPI_RSDP_OLD 20
#define ACPI_RSDP_NEW 36

struct acpi_found {
	struct span rsdp_old, rsdp_new; /* the RSDP as ACPI 1.0 and as 2.0 or later has it; the latter is empty for an old one */
};

/* `rsdp` is its address, 0 if the firmware tells none. `out` always; its spans are empty where the RSDP is no good. */
enum preflight_acpi acpi_find(acpi_memory *memory, void *ctx, uint64_t rsdp, struct acpi_found *out);

#endif
