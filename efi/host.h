/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_HOST_H
#define GL_EFI_HOST_H

#include "common/modules.h"
#include "env.h"

/* What is to be started, in memory: the very bytes that were measured. */
struct host {
	enum hypervisor kind;
	struct span image, cmdline;
	struct span name;                                /* file name of the hypervisor, for people */
	struct span kernel, kernel_cmdline, kernel_name; /* of Xen's first domain; else empty */
	struct span initrd;                              /* may be empty */
	bool secure_boot;                                /* nothing may run that nobody vouches for */
	bool pinned;                                     /* a signature covers the digests of image and kernel */
};

/*
 * Starts the host in direct mode. Returns only if that failed, after one line that says why. `*stuck` becomes true if the firmware keeps
 * something that points into the application: it must not go on then.
 */
GL_MUST EFI_STATUS host_start(struct efi_env *env, const struct host *h, bool *stuck);

#endif
