/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_OPS_H
#define GL_TXT_OPS_H

#include "common/cursor.h"
#include "common/pcr.h"
#include "txt/range.h"

/*
 * What the model asks of the machine that it turns into a TXT platform. Whoever drives a real QEMU (gdbstub, shared memory, TPM proxy)
 * fills these tables; the unit tests fill them with arrays. All calls happen while the guest's processors are stopped.
 */

/* Guest memory by physical address. False: no such memory, or the machine is gone; nothing sensible was read or written then. */
struct txt_memory {
	bool (*read)(void *ctx, uint64_t at, struct mspan out);
	bool (*write)(void *ctx, uint64_t at, struct span in);
	void *ctx;
};

/* The TPM did not answer, or what it answered is no response. */
#define TXT_TPM_SILENT 0xffffffffu
/* TPM_RC_LOCALITY, TPM 2.0 Library part 2, 6.6. */
#define TXT_TPM_RC_LOCALITY 0x907u

/* TPMS_NV_PUBLIC (TPM 2.0 Library part 2, 13.6), numbers in the machine's order. */
struct txt_nv_public {
	uint32_t index;
	uint16_t name_alg;
	uint32_t attributes;
	uint8_t policy_size; /* 0 to DIGEST_MAX */
	uint8_t policy[DIGEST_MAX];
	uint16_t size; /* of the content */
};

/*
 * The TPM as SINIT has it. Each call returns 0, a TPM return code, or TXT_TPM_SILENT; outputs are written only with 0. Commands go out at
 * locality 3, whatever the guest has opened, and stay subject to the fault rules of the proxy.
 */
struct txt_tpm {
	/* PCR banks in use, of those that we can compute. TPM2_GetCapability. */
	uint32_t (*banks)(void *ctx, alg_set *out);
	/* _TPM_Hash_Start, _Data, _End at locality 4: PCR 17-22 are 0, then PCR 17 is extended by H(data). */
	uint32_t (*hash_sequence)(void *ctx, struct span data);
	/* TPM2_PCR_Extend with the digests of `d`. */
	uint32_t (*extend)(void *ctx, unsigned pcr, const struct digests *d);
	/* TPM2_NV_ReadPublic; `exists` false and 0 if there is no such index. */
	uint32_t (*nv_public)(void *ctx, uint32_t index, struct txt_nv_public *out, bool *exists);
	/* TPM2_NV_Read of the whole index with its own, empty authorisation. out.n is its size. */
	uint32_t (*nv_read)(void *ctx, uint32_t index, struct mspan out);
	/* Values of PCR 0-23 in all banks, for PCONF elements. */
	uint32_t (*pcr_read)(void *ctx, struct pcrs *out);
	void *ctx;
};

GL_MUST static inline bool txt_read_le(const struct txt_memory *m, uint64_t at, size_t width, uint64_t *out)
{
	uint8_t b[8];
	struct rd r = rd_init((struct span){ b, width });

	if (width > sizeof(b) || !m->read(m->ctx, at, (struct mspan){ b, width }))
		return false;
	*out = rd_le(&r, width);
	return true;
}

#endif
