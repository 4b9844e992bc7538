/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_CORE_POLICY_H
#define GL_STAGE_CORE_POLICY_H

#include "common/stage_rules.h"
#include "tboot-policy/vlp.h"

/*
 * The rules as the policy that tboot-policy/apply.c obeys: type, algorithm and one entry for each NV index; modules are tboot's part.
 * Hashes lie in `rules`, which must outlive the policy. The rules are those that stage_rules_parse() gave.
 */
void stage_policy(const struct stage_rules *rules, struct vlp *out);

#endif
