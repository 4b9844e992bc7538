/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_CORE_HANDOVER_H
#define GL_STAGE_CORE_HANDOVER_H

#include "boot/linux_params.h"
#include "boot/multiboot2_info.h"
#include "common/stage_rules.h"
#include "stage/core/error.h"
#include "stage/core/memory.h"
#include "stage/core/tboot_shared.h"
#include "stage/core/world.h"

/* What tboot hands over, taken apart and checked: multiboot2 information, command line, shared page, modules, memory map. */

/* Ranges of the memory map that are looked at; tboot keeps at most 256 itself (MAX_E820_ENTRIES). */
#define STAGE_MMAP_MAX 512
/* More than any loader writes. */
#define STAGE_INFO_MAX (1u << 20)

struct handover {
	struct mb2_info info;
	struct txt_range info_range;
	struct span line;        /* rules, as tboot measured them */
	bool measured;           /* tboot has named its shared page; else it started the stage without a launch, as its policy let it */
	uint32_t shared_address; /* 0 if not measured, then tboot keeps no memory */
	struct tboot_shared shared;
	struct stage_rules rules;
	struct mb2_mmap mmap;
	size_t module_count;
	struct mb2_module modules[STAGE_RULES_MAX_MODULES]; /* modules[i] has the number i + 1 */
	struct span module_bytes[STAGE_RULES_MAX_MODULES];
	bool has_efi_mmap;
	struct mb2_efi_mmap efi_mmap;
	uint64_t efi_table; /* 0: none */
	bool efi64;
	struct span rsdp;     /* a copy of it; empty: none */
	bool has_framebuffer; /* one of RGB type that lies over no memory */
	struct mb2_framebuffer framebuffer;
};

/* EAX and EBX as tboot left them: reads the frame, the command line, the shared page and the RSDP. Sets only these; `out` on success only. */
GL_MUST enum stage_error handover_open(const struct stage_world *w, uint32_t magic, uint32_t info, struct handover *out);

/* Then parses the rules; `at` gets the offset of what is wrong in them and `why` what it is. */
GL_MUST enum stage_error handover_rules(struct handover *h, enum stage_rules_error *why, size_t *at);

/* Then the rest: modules, which must be those of the rules, and what firmware and loader said. */
GL_MUST enum stage_error handover_modules(const struct stage_world *w, struct handover *h);

/*
 * The memory that is free: what memory map and EFI map both call usable, without tboot, modules and information, and without
 * `taken` (the stage itself, TXT's area). STAGE_E_OVERLAP if modules or information lie over tboot or something taken,
 * STAGE_E_MODULE if not in memory that the memory map calls usable.
 */
GL_MUST enum stage_error handover_memory(const struct handover *h, const struct txt_range *taken, size_t count, struct stage_memory *out);

/*
 * Then the picture that the kernel may draw on: the loader's, if it is one and lies over no memory, nothing `taken`, not tboot and no
 * registers; else none.
 */
void handover_picture(struct handover *h, const struct txt_range *taken, size_t count);

#endif
