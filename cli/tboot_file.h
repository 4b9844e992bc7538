/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_TBOOT_FILE_H
#define GL_CLI_TBOOT_FILE_H

#include "common/span.h"

/*
 * tboot.mb2, a PE file that can be signed: its multiboot2 header has an address tag, and a loader puts it into memory as it stands
 * (boot/tboot_image.h). SINIT measures what then lies in memory, as of an ELF file.
 */

/* True if the file is loaded by the addresses in its header. */
GL_MUST bool tboot_file_is_flat(struct span file);

/*
 * An ELF file that gives the same memory from tboot's base on: the base that its MLE header counts from (tboot 1.10.5 include/config.h,
 * TBOOT_BASE_ADDR); a PE header may lie below. True if the file is flat: `*out`, with `*n` bytes, then is the caller's to free(). Else, and
 * without memory, false and nothing.
 */
GL_MUST bool tboot_file_elf(struct span file, uint8_t **out, size_t *n);

#endif
