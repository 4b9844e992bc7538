/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_HANDOFF_H
#define GL_EFI_CORE_HANDOFF_H

#include "common/span.h"
#include "efi/core/handoff_layout.h"

/*
 * The last step to tboot, after ExitBootServices(): a block of memory with code of its own (efi/handoff.S), descriptors, stack and a list of what
 * is to be copied. It does the copies without paging, so that tboot may go where the firmware's page tables lie.
 */
struct handoff_copy {
	uint32_t to, from, bytes; /* physical */
	uint32_t zeros;           /* bytes behind the copied ones that become 0 */
};

#define HANDOFF_COPIES_MAX 64

struct handoff {
	uint32_t entry;       /* physical */
	uint32_t magic, info; /* EAX, EBX */
	size_t count;
	struct handoff_copy copies[HANDOFF_COPIES_MAX];
};

/*
 * Fills the block, HANDOFF_SIZE bytes that lie at the physical address `address` below 4 GiB. False if `code` is too long, or if a copy would
 * overwrite the block, its own source, another copy's source or result, or leaves the first 4 GiB.
 */
GL_MUST bool handoff_write(const struct handoff *h, struct span code, uint32_t address, struct mspan block);

#endif
