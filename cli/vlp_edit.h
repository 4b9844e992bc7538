/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_VLP_EDIT_H
#define GL_CLI_VLP_EDIT_H

#include "tboot-policy/vlp.h"

/*
 * Putting a policy together and changing it. Pure: structures in, structures out. On failure nothing is changed.
 *
 * A change is refused if it makes a sound policy unsound, or if the entry concerned is. A policy that was unsound before (other tools
 * write such) may stay so, so that it can be mended step by step. VLP_E_NO_ENTRIES is no matter here: every policy begins like that.
 */

/* A policy without entries. */
void vlp_edit_begin(struct vlp *out, uint8_t type, enum alg alg, uint32_t control);

/* The entry of a module number (or VLP_MODULE_ANY), for NV and NV_RAW that of the index; -1 if there is none. */
GL_MUST int vlp_edit_find(const struct vlp *p, uint8_t module, uint32_t nv_index);

/*
 * A new entry in front of number `at`, or at the end if `at` is the number of entries. The hashes stay the caller's. hash_type and
 * hash_count need not be set: they follow from the hashes (none: any).
 */
GL_MUST enum vlp_error vlp_edit_insert(struct vlp *p, unsigned at, const struct vlp_entry *entry);

/*
 * Gives an entry further hashes and another PCR. Without hashes it becomes one of type any, and those that it had go.
 * `room` gets the hashes of the entry together and must live as long as `p`; VLP_MAX_SIZE is always enough.
 */
GL_MUST enum vlp_error vlp_edit_extend(struct vlp *p, unsigned entry, uint8_t pcr, struct span hashes, struct mspan room);

/* Removes an entry. */
void vlp_edit_remove(struct vlp *p, unsigned entry);

/* Removes hash number `pos`, which must exist, and the entry with its last one. `room` as above, as large as the file was. */
GL_MUST enum vlp_error vlp_edit_remove_hash(struct vlp *p, unsigned entry, unsigned pos, struct mspan room);

#endif
