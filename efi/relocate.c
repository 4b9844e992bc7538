/* SPDX-License-Identifier: BSD-3-Clause */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The application is linked as a shared object at 0 and moves itself to where the firmware put it: gnu-efi's start code calls this before
 * anything else, while no pointer in our data is right yet. gnu-efi's own knows DT_RELA only, which takes 24 bytes per pointer; DT_RELR
 * (gABI, "Relative Relocation Table") takes a few bits: an even entry is the address of one, an odd one is a bitmap of the 63 words that
 * follow it. That the linker left nothing in DT_RELA is checked when it is built (scripts/check-pe).
 */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): gnu-efi's start-up code calls it so */
unsigned long _relocate(intptr_t base, const Elf64_Dyn *dynamic, void *image, void *system_table) __attribute__((visibility("hidden")));

unsigned long _relocate(intptr_t base, const Elf64_Dyn *dynamic, void *image, void *system_table)
{
	const uint64_t *entry = NULL, *end;
	uint64_t *at = NULL;
	size_t size = 0;

	(void)image;
	(void)system_table;
	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == DT_RELR)
			entry = (const uint64_t *)(base + (intptr_t)dynamic->d_un.d_ptr);
		else if (dynamic->d_tag == DT_RELRSZ)
			size = dynamic->d_un.d_val;
	}
	for (end = entry + size / sizeof(*entry); entry && entry < end; entry++) {
		if (!(*entry & 1)) {
			at = (uint64_t *)(base + (intptr_t)*entry);
			*at++ += (uint64_t)base;
			continue;
		}
		if (!at) /* the linker writes an address first */
			continue;
		for (unsigned bit = 0; bit < 63; bit++)
			if (*entry >> (bit + 1) & 1)
				at[bit] += (uint64_t)base;
		at += 63;
	}
	return 0;
}
