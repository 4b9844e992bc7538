/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_TBOOT_LINE_H
#define GL_TXT_TBOOT_LINE_H

#include "common/alg.h"

/*
 * What tboot reads out of its command line, as far as it decides whether a launch can work: tboot 1.10.5, tboot/common/cmdline.c. An option
 * is NAME=VALUE; NAME may be abbreviated, the first name in tboot's table that begins with it is meant; the last one given counts.
 */
#define TBOOT_LINE_MAX 511 /* tboot's buffer (CMDLINE_SIZE) without NUL; what is longer is cut off */

struct tboot_line {
	bool mwait;                 /* ap_wake_mwait: VMX is not needed to keep processors waiting */
	bool ignore_previous_error; /* ignore_prev_err; tboot's default is yes */
	bool racm;                  /* call_racm: no launch, but a revocation module */
	uint64_t min_ram;
	bool fixed; /* extpol names one algorithm */
	bool known; /* ... that we know: */
	enum alg extpol;
};

void tboot_line_parse(struct span line, struct tboot_line *out);

/* The number at the start of a value, as strtoul() with base 0 reads it into tboot's 32 bits; signs are none, too much is UINT32_MAX. */
uint64_t tboot_line_number(struct span value);

#endif
