/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TPM_HOST_NV_ADMIN_H
#define GL_TPM_HOST_NV_ADMIN_H

#include "tpm/tpm.h"

/*
 * NV indices as their owner sees them: define, write, read, lock, undefine, with password sessions. What may be done to which index
 * is the caller's business; the TPM's refusal comes back as its response code.
 *
 * Passwords stay the caller's. Every copy made here, those in the SYS context included, is wiped before the call returns.
 */

/* An authorization value. Not filled: the empty one. Wipe it when done: nv_auth_wipe() is fit for __attribute__((cleanup)). */
struct nv_auth {
	uint16_t size;
	uint8_t bytes[DIGEST_MAX];
};

/* False, and nothing written, if `value` is longer than any TPM takes (64 bytes). */
GL_MUST bool nv_auth_set(struct nv_auth *a, struct span value);
void nv_auth_wipe(struct nv_auth *a);

enum nv_by {
	NV_BY_OWNER, /* TPMA_NV_OWNERREAD / OWNERWRITE */
	NV_BY_INDEX, /* TPMA_NV_AUTHREAD / AUTHWRITE */
};

struct nv_space {
	uint32_t index;
	uint32_t attributes; /* TPMA_NV */
	uint16_t size;       /* of the content in bytes */
	uint16_t name_alg;   /* TPM_ALG_ID */
	struct span policy;  /* digest of name_alg; empty: none */
};

/* TPM2_NV_DefineSpace by the owner; `index_auth` becomes the index's own authorization value. */
GL_MUST TSS2_RC nv_define(struct tpm *t, const struct nv_space *space, const struct nv_auth *owner, const struct nv_auth *index_auth);

/* TPM2_NV_UndefineSpace by the owner. */
GL_MUST TSS2_RC nv_undefine(struct tpm *t, uint32_t index, const struct nv_auth *owner);

/*
 * TPM2_NV_Write from offset 0, in as many pieces as the TPM wants. If a later piece fails, the earlier ones stay written.
 */
GL_MUST TSS2_RC nv_write(struct tpm *t, uint32_t index, enum nv_by by, const struct nv_auth *auth, struct span content);

/* TPM2_NV_Read of out.n bytes from offset 0. After a failure `out` is all zero. */
GL_MUST TSS2_RC nv_read(struct tpm *t, uint32_t index, enum nv_by by, const struct nv_auth *auth, struct mspan out);

/* TPM2_NV_WriteLock: until the next TPM reset (TPMA_NV_WRITE_STCLEAR) or for ever (TPMA_NV_WRITEDEFINE). */
GL_MUST TSS2_RC nv_write_lock(struct tpm *t, uint32_t index, enum nv_by by, const struct nv_auth *auth);

#endif
