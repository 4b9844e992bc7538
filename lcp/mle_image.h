/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_LCP_MLE_IMAGE_H
#define GL_LCP_MLE_IMAGE_H

#include "lcp/mle_hash.h"

/*
 * The image in memory, which is nowhere put together. The bytes from `at` on that come from one place: `*n` of them, at most `max`, and
 * their address, or NULL if they are zero. `at` must lie in the image and `max` be above 0; then *n is above 0.
 */
const uint8_t *lcp_mle_piece(const struct lcp_mle *m, uint64_t at, uint64_t max, uint64_t *n);

/* Copies a part of the image; false if it is not all in it. */
GL_MUST bool lcp_mle_read(const struct lcp_mle *m, uint64_t at, struct mspan out);

#endif
