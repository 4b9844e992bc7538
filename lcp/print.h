/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_PRINT_H
#define GL_LCP_PRINT_H

#include "lcp/alg.h"

/* What the printers of lcp/ have in common: lines "  name: value". */
void lcp_print_name(struct text *t, unsigned indent, const char *name);
void lcp_print_number(struct text *t, unsigned indent, const char *name, uint64_t v);
void lcp_print_hex(struct text *t, unsigned indent, const char *name, uint64_t v, unsigned digits);
void lcp_print_bytes(struct text *t, unsigned indent, const char *name, struct span s);
/* "sha256", or "unknown (0x0099)". */
void lcp_print_alg(struct text *t, unsigned indent, const char *name, uint16_t tpm_id);
/* Major and minor number of a version: "3.2". */
void lcp_print_version(struct text *t, unsigned indent, const char *name, uint16_t version);

#endif
