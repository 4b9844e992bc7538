/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_CORE_PLAN_H
#define GL_STAGE_CORE_PLAN_H

#include "boot/cpio.h"
#include "boot/elf.h"
#include "stage/core/handover.h"

/*
 * How module 1 is started: first everything gets its place, then everything is put there. Planning writes nothing, so what cannot be
 * started is found out while the policy can still decide about it.
 */

/* Initrd with the members behind it, as one. */
struct initrd_plan {
	uint32_t address, size; /* size 0: there is none */
	bool join;              /* to be copied together; else it is used where it lies */
	bool has_own;
	size_t own_module, own_size; /* the initrd itself; index of handover.modules */
	size_t member_count;
	struct cpio_member members[STAGE_RULES_MAX_MODULES];
	size_t member_module[STAGE_RULES_MAX_MODULES];
};

struct linux_plan {
	struct bzimage image;
	uint32_t load; /* of the protected-mode code */
	uint32_t params, cmdline;
	uint32_t rsdp; /* a page for the RSDP; 0: none */
	uint32_t efi_map;
	size_t efi_map_room; /* 0: no map */
	size_t e820_count;
	struct linux_e820 e820[LINUX_E820_MAX];
};

struct xen_plan {
	struct elf_plan elf;
	uint32_t load; /* of elf.low */
	uint32_t entry;
	bool relocated;
	uint32_t ebda; /* a page below 640 KiB, for the RSDP */
	bool kernel_moved;
	uint32_t kernel; /* where it is moved to */
	uint32_t info;
	size_t info_room;
	size_t mmap_count;
	struct mb2_memory mmap[STAGE_MMAP_MAX + 4];
};

struct stage_plan {
	enum hypervisor hypervisor;
	struct initrd_plan initrd;
	struct linux_plan for_linux;
	struct xen_plan for_xen;
};

/* The processor's state for the start: 32-bit, flat segments, paging and interrupts off. */
struct stage_jump {
	uint32_t entry, eax, ebx, esi;
};

/* Takes what is needed out of `m`. `out` is usable on success only. */
GL_MUST enum stage_error stage_plan(const struct stage_world *w, const struct handover *h, struct stage_memory *m, struct stage_plan *out);

/* Puts everything in its place. After a failure nothing can be started. */
GL_MUST enum stage_error stage_load(const struct stage_world *w, const struct handover *h, struct stage_plan *p, struct stage_jump *out);

#endif
