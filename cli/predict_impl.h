/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PREDICT_IMPL_H
#define GL_CLI_PREDICT_IMPL_H

#include "cli/predict.h"

/* Shared by the parts of predict.h; nobody else includes this. */

/* Where a value comes from, for people; the strings are copied. */
struct predict_from {
	enum provenance kind;
	const char *const *from;
	size_t n;
};

/* Adds an event and extends its PCR. False if memory runs out, or there is no such PCR. */
GL_MUST bool predict_add(
	struct expected *out, unsigned pcr, uint32_t type, struct span name, const struct digests *d, const struct predict_from *f);

/* Adds another value to the event added last. */
GL_MUST bool predict_add_alternative(struct expected *out, const struct digests *d, const char *from);

#endif
