/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_MLE_PAGES_H
#define GL_TXT_MLE_PAGES_H

#include "qemu/txt/mle.h"

/* Between the files of mle.h. */

/* Physical address of a linear one, a step through the three levels that checks nothing but presence. */
GL_MUST enum txt_rule mle_translate(const struct txt_memory *m, uint64_t ptab, uint64_t linear, uint64_t *out);

/* All rules for tables and pages. `first` gets the physical address of linear address 0. */
GL_MUST enum txt_rule mle_check_pages(const struct txt_memory *m, const struct mle_request *q, uint64_t *first, struct mle_where *where);

#endif
