/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_CORE_PLAN_IMPL_H
#define GL_STAGE_CORE_PLAN_IMPL_H

#include "stage/core/plan.h"

/* The parts of plan.h; only for the plan*.c files. */

/* An RSDP has 20 bytes in ACPI 1.0 and 36 from 2.0 on (ACPI 6.4, 5.2.5.3); there is room for more. */
#define STAGE_RSDP_MIN 20u
#define STAGE_RSDP_MAX 64u

/* `end`: the first address that the initrd may not have. */
GL_MUST enum stage_error initrd_plan(const struct handover *h, uint64_t end, struct stage_memory *m, struct initrd_plan *out);
GL_MUST enum stage_error initrd_load(const struct stage_world *w, const struct handover *h, const struct initrd_plan *p);

GL_MUST enum stage_error linux_plan(const struct handover *h, struct stage_memory *m, struct stage_plan *p);
GL_MUST enum stage_error linux_load(
	const struct stage_world *w, const struct handover *h, const struct stage_plan *p, struct stage_jump *out);

GL_MUST enum stage_error xen_plan(const struct handover *h, struct stage_memory *m, struct stage_plan *p);
GL_MUST enum stage_error xen_load(
	const struct stage_world *w, const struct handover *h, const struct stage_plan *p, struct stage_jump *out);

/* Copies bytes to a place that the plan took. */
GL_MUST bool plan_copy(const struct stage_world *w, uint32_t to, struct span bytes);

#endif
