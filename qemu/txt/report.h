/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_REPORT_H
#define GL_TXT_REPORT_H

#include "qemu/txt/platform.h"

/*
 * What became of the machine, as one JSON object: senter, txt_errorcode, rule, drtm, mle_hash, banks, counters, times and the trace. See
 * txtplatform(1). The caller frees it; NULL if memory runs out. `failure` is NULL or what went wrong besides the guest's own doings.
 */
char *txt_report_json(const struct platform *p, const char *failure);

#endif
