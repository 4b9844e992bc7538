/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_CORE_POWER_H
#define GL_STAGE_CORE_POWER_H

#include "stage/core/tboot_shared.h"
#include "stage/core/world.h"

/*
 * What tboot must write to which registers to power the machine off. ACPI 6.4: 5.2.5 RSDP, 5.2.7 RSDT, 5.2.8 XSDT, 5.2.9 FADT,
 * 7.4.2 \_S5. The package of \_S5 is found by its name in the DSDT, as there is no AML interpreter here; it must hold plain numbers.
 * False if something of it is not to be had: then the machine can only be halted. `out` on success only.
 */
GL_MUST bool power_off_registers(const struct stage_world *w, struct span rsdp, struct tboot_sleep *out);

#endif
