/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_DESCRIPTION_IMPL_H
#define GL_COMMON_DESCRIPTION_IMPL_H

#include "common/description.h"
#include "common/stage_rules.h"

/* Shared by the two halves of description.h, rules and text; nobody else includes this. */

#define DESCRIPTION_TXT_ROLES 4

/* The modules before the numbered ones, in their order. */
extern const enum role description_txt_roles[DESCRIPTION_TXT_ROLES];

GL_MUST bool description_has_cmdline(enum role role);
/* Files that no policy names: the description may, by their digest. */
GL_MUST bool description_has_digest(enum role role);
GL_MUST bool description_digest_valid(struct span hex);

/* modules_take() and modules_end(), with a sentence of its own for the modules that are not numbered. */
GL_MUST enum description_error description_take(struct modules_order *o, enum role role);
GL_MUST enum description_error description_take_end(const struct modules_order *o);

/* What the stage's rules must say of the launch, and of its module with the number i + 1. */
GL_MUST bool description_rules_fit(const struct stage_rules *r, enum hypervisor hypervisor, enum description_on_halt on_halt,
	unsigned halt_delay, size_t module_count);
GL_MUST bool description_rules_fit_module(const struct stage_rules *r, size_t i, enum role role, uint32_t mode);

#endif
