/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_PREDICT_NV_H
#define GL_CLI_PREDICT_NV_H

#include "cli/manifest.h"
#include "lcp/acm.h"
#include "txt/sinit_events.h"

/* The data of NV_INFO: one entry for each index that launch control looks at, which tells its public area, or with one byte that there is none. */
enum predict_nv_entry { PREDICT_NV_AUX, PREDICT_NV_PS, PREDICT_NV_PO, PREDICT_NV_ENTRIES };

/* Of an index that nothing tells of: what expected.json says where NV_INFO comes from. */
#define PREDICT_NO_AUX "no AUX index"
#define PREDICT_NO_PS "no PS index"
#define PREDICT_NO_PO "no PO index"

/* The entries of a log's; they lie in `data` and fit SINIT_NV_INFO_MAX together. */
GL_MUST bool predict_nv_split(struct span data, struct span out[PREDICT_NV_ENTRIES]);

static inline bool predict_nv_exists(struct span entry)
{
	return entry.p[0] != 0;
}

/* As the manifest gives it. */
struct span predict_nv_given(const struct manifest_nv *nv, uint8_t out[1 + MANIFEST_NV_PUBLIC_MAX]);

/* The owner's policy as `geolaunch provision` defines it; policy.p NULL: none. `sinit` may be NULL. */
struct span predict_nv_owner(struct span policy, const struct acm *sinit, uint8_t out[SINIT_NV_INFO_MAX]);

#endif
