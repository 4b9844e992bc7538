/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/efi_memory.h"

static_assert(EFI_DESCRIPTOR_MIN == 4 + 4 + 8 + 8 + 8 + 8, "EFI_MEMORY_DESCRIPTOR");

struct efi_descriptor efi_descriptor_read(const uint8_t *p)
{
	struct rd r = rd_init((struct span){ p, EFI_DESCRIPTOR_MIN });
	struct efi_descriptor d;

	d.type = rd_le32(&r);
	(void)rd_le32(&r);
	d.base = rd_le64(&r);
	(void)rd_le64(&r);
	d.pages = rd_le64(&r);
	d.attributes = rd_le64(&r);
	return d;
}

void efi_descriptor_set(uint8_t *p, uint32_t type, uint64_t base, uint64_t pages)
{
	put_le(p, type, 4);
	put_le(p + 8, base, 8);
	put_le(p + 24, pages, 8);
}
