/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_EXPECTED_CHOOSE_H
#define GL_CLI_EXPECTED_CHOOSE_H

#include "cli/expected.h"

/*
 * Where events have alternatives, finds those that this host has: they become the events' own digests (which take their place among the
 * alternatives), and `e->pcrs` follows. Chosen is what leads to the TPM's values of PCR 17 and 18; if nothing does, what the log has; else
 * nothing changes. This decides nothing: every choice is among what is expected, and verify() compares as ever.
 */
void expected_choose(struct expected *e, const struct pcrs *tpm, bool has_log, struct span log);

#endif
