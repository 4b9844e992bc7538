/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_PREFLIGHT_IMPL_H
#define GL_EFI_CORE_PREFLIGHT_IMPL_H

#include "efi/core/preflight.h"
#include "txt/tboot_line.h"

/* The parts of preflight_check(), only for the preflight_*.c files. */

struct preflight {
	const struct preflight_facts *f;
	const struct preflight_ops *ops;
	void *ctx;
	struct preflight_nv *nv;
	struct vlp *vlp;
	struct tboot_line line;
	struct preflight_report *out;
};

void preflight_check_processor(struct preflight *p);
void preflight_check_chipset(struct preflight *p);
/* Finds the module that tboot will take. */
void preflight_check_sinit(struct preflight *p);
void preflight_check_tpm(struct preflight *p);

/* Short forms to add a finding: with nothing, with text. */
static inline void preflight_found(struct preflight *p, enum preflight_id id)
{
	preflight_add(p->out, id, NULL);
}

#endif
