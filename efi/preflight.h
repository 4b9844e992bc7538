/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_PREFLIGHT_H
#define GL_EFI_PREFLIGHT_H

#include "efi/core/acpi_find.h"
#include "efi/core/preflight.h"
#include "env.h"
#include "platform.h"

/*
 * Collects what efi/core/preflight.c judges: processor, chipset, ACPI, TPM, the small files. `f` and `acpi` are all new; spans point into
 * the machine's memory or that of the launch. TXT.DIDVID is read before anything else of the machine: the TXT platform of qemu/ finds us
 * by that.
 */
void preflight_gather(struct efi_env *env, struct platform *p, struct launch *l, struct preflight_facts *f, struct acpi_found *acpi);

/* For preflight_check(); its context is the struct platform. */
extern const struct preflight_ops preflight_tpm_ops;

#endif
