/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Xen's other entry, that of the multiboot2 protocol without boot services, by which geolaunch-stage starts it: 32-bit, no paging. A program
 * of its own, position independent, that xen.S carries.
 */
#include "tests/boot/stop/tell.h"

#define MAGIC 0x36d76289

enum { END, CMDLINE, LOADER_NAME, MODULE, EFI64 = 12, EFI_MMAP = 17 };

/* xen.S has put the arguments in their places. */
void entry32(uint32_t magic, uint32_t info);

void entry32(uint32_t magic, uint32_t info)
{
	unsigned modules = 0;
	int efi = 0;

	if (magic != MAGIC)
		stop("xen-32-without-multiboot2");
	for (const uint8_t *p = (const uint8_t *)(uintptr_t)info + 8;; p += (((const uint32_t *)(const void *)p)[1] + 7) & ~7u) {
		const uint32_t *tag = (const void *)p;

		if (tag[0] == END)
			break;
		if (tag[0] == CMDLINE)
			tell("cmdline", (const char *)p + 8);
		if (tag[0] == LOADER_NAME)
			tell("loader", (const char *)p + 8);
		if (tag[0] == MODULE) {
			if (modules == 0)
				tell("kernel-cmdline", (const char *)p + 16);
			tell_blob(modules == 0 ? "kernel" : "initrd", (const uint8_t *)(uintptr_t)tag[2], tag[3] - tag[2]);
			modules++;
		}
		efi |= tag[0] == EFI64 || tag[0] == EFI_MMAP;
	}
	/* Xen would believe in boot services that are over. */
	stop(efi ? "xen-32-with-efi" : modules > 2 ? "xen-32-with-more" : "xen-32");
}
