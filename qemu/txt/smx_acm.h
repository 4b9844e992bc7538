/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_SMX_ACM_H
#define GL_TXT_SMX_ACM_H

#include "qemu/txt/smx.h"

/* Between the files of smx.h. */

/* ENTERACCS and SENTER: checks EBX and ECX, loads the module to m->acm, checks its header. */
GL_MUST enum smx_rule smx_load_acm(struct smx_machine *m, const struct smx_cpu *c);

/* Notes the rule; a shutdown is done, too. */
struct smx_result smx_broken(struct smx_machine *m, uint32_t leaf, enum smx_rule rule);

#endif
