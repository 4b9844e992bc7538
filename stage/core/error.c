/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/core/error.h"

static const struct {
	const char *text;
	enum cap why;
} errors[STAGE_ERROR_COUNT] = {
	[STAGE_OK] = { "no error", CAP_START_FAILED },
	[STAGE_E_MAGIC] = { "not started by the multiboot2 protocol: the stage is tboot's module 0", CAP_START_FAILED },
	[STAGE_E_INFO] = { "tboot's multiboot2 information cannot be read", CAP_START_FAILED },
	[STAGE_E_LINE] = { "no command line: module 0 must be given its rules as 'geolaunch build' wrote them", CAP_DESCRIPTION_MISSING },
	[STAGE_E_UNMEASURED] = { "tboot started without a measured launch: its own lines above say why", CAP_PREFLIGHT },
	[STAGE_E_SHARED] = { "tboot's shared page is not what it should be: use tboot 1.10 or 1.11", CAP_START_FAILED },
	[STAGE_E_RULES] = { "the rules are not valid: build and install again", CAP_DESCRIPTION_INVALID },
	[STAGE_E_MMAP] = { "no usable memory map", CAP_START_FAILED },
	[STAGE_E_MODULE] = { "a module, or tboot's information, lies outside of usable memory", CAP_START_FAILED },
	[STAGE_E_MODULE_COUNT] = { "not as many modules as the rules name: build and install again", CAP_DESCRIPTION_INVALID },
	[STAGE_E_OVERLAP] = { "modules lie over tboot, the stage or the TXT area", CAP_START_FAILED },
	[STAGE_E_HEAP] = { "the TXT heap cannot be read", CAP_TPM_ERROR },
	[STAGE_E_LOG] = { "the TXT heap holds no event log that can be continued", CAP_TPM_ERROR },
	[STAGE_E_KERNEL] = { "module 1 is no kernel of the kind that the rules name", CAP_START_FAILED },
	[STAGE_E_KERNEL_WANTS] = { "the kernel requires what the stage cannot give", CAP_START_FAILED },
	[STAGE_E_KERNEL_PLACE] = { "the memory that the kernel needs is taken", CAP_START_FAILED },
	[STAGE_E_CMDLINE] = { "a command line is longer than the kernel takes", CAP_START_FAILED },
	[STAGE_E_MEMBER] = { "the path of a module cannot be a member of the initrd", CAP_START_FAILED },
	[STAGE_E_INITRD] = { "no memory for the initrd where the kernel can reach it: give the host more memory, or smaller files",
		CAP_START_FAILED },
	[STAGE_E_E820] = { "the memory map has more ranges than the kernel takes", CAP_START_FAILED },
	[STAGE_E_EFI_MAP] = { "the EFI memory map cannot be used", CAP_START_FAILED },
	[STAGE_E_RSDP] = { "no RSDP, or one of a wrong size: the ACPI tables would not be found", CAP_START_FAILED },
	[STAGE_E_LOW_MEMORY] = { "no memory below 640 KiB for Xen's start", CAP_START_FAILED },
	[STAGE_E_MEMORY] = { "not enough memory below 4 GiB", CAP_START_FAILED },
};

const char *stage_strerror(enum stage_error e)
{
	return errors[(size_t)e < STAGE_ERROR_COUNT ? e : STAGE_E_INFO].text;
}

enum cap stage_error_cap(enum stage_error e)
{
	return errors[(size_t)e < STAGE_ERROR_COUNT ? e : STAGE_E_INFO].why;
}
