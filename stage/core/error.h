/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_CORE_ERROR_H
#define GL_STAGE_CORE_ERROR_H

#include "common/measure.h"

/* Why the stage cannot go on, one value per rule that its input can break. */
enum stage_error {
	STAGE_OK,
	/* what tboot hands over */
	STAGE_E_MAGIC,      /* EAX is not multiboot2's */
	STAGE_E_INFO,       /* the multiboot2 information cannot be read */
	STAGE_E_LINE,       /* no command line */
	STAGE_E_UNMEASURED, /* no measured launch took place, and the policy does not allow that */
	STAGE_E_SHARED,     /* no shared page of tboot there, or one that contradicts itself */
	STAGE_E_RULES,
	STAGE_E_MMAP,         /* no memory map, or too long */
	STAGE_E_MODULE,       /* a module whose tag or bytes cannot be read */
	STAGE_E_MODULE_COUNT, /* not as many as the rules name */
	STAGE_E_OVERLAP,      /* a module or the information lies over tboot, the stage or the TXT area */
	/* the TXT heap */
	STAGE_E_HEAP,
	STAGE_E_LOG, /* no event log that can be written to */
	/* what is to be started */
	STAGE_E_KERNEL,       /* module 1 is no kernel of the kind that the rules name */
	STAGE_E_KERNEL_WANTS, /* it requires something of its loader that the stage cannot give */
	STAGE_E_KERNEL_PLACE, /* its memory is taken */
	STAGE_E_CMDLINE,      /* longer than the kernel takes */
	STAGE_E_MEMBER,       /* members of the initrd */
	STAGE_E_INITRD,       /* no memory for it where the kernel reaches it */
	STAGE_E_E820,         /* more ranges than the kernel takes */
	STAGE_E_EFI_MAP,
	STAGE_E_RSDP,
	STAGE_E_LOW_MEMORY,
	STAGE_E_MEMORY,
	STAGE_ERROR_COUNT
};

/* What is wrong and what to do, for people. */
const char *stage_strerror(enum stage_error e);

/* The reason that is measured for it. */
enum cap stage_error_cap(enum stage_error e);

#endif
