/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_LIVELOG_TXT_H
#define GL_CLI_LIVELOG_TXT_H

#include "cli/cli.h"

/*
 * The event log of a dynamic launch out of physical memory, where tboot, SINIT and the stage leave it: TXT.HEAP.BASE and .SIZE name the
 * heap, OsSinitData in it the TCG crypto-agile log (SDG 315168-016, appendix B and C). `mem` is /dev/mem, or a file in its place. All of it
 * is bounded and looked at as if somebody hostile had written it.
 *
 * True with `*log` NULL if there is none: no such file or not readable by this user, no TXT, no dynamic launch since the last reset, another
 * kind of log. False and a fault if a launch took place, but heap or log cannot be used. `*log` is the caller's to free. `*unseen`: errno if
 * `mem` is there and cannot be looked into, else 0.
 */
GL_MUST bool livelog_txt(const char *mem, uint8_t **log, size_t *n, int *unseen, struct cli_fault *fault);

#endif
