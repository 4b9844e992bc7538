/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include "console.h"
#include "initrd.h"
#include "linux.h"
#include "xen.h"

static EFI_STATUS run_linux(struct efi_env *env, const struct host *h)
{
	struct linux_kernel kernel;
	EFI_STATUS s = linux_load(env, h->image, h->cmdline, h->secure_boot && h->pinned, &kernel);

	if (EFI_ERROR(s)) {
		console_line(env,
			"geolaunch: the firmware does not accept the hypervisor image: it must be a Linux kernel with EFI stub "
			"(with Secure Boot one that is signed, or that the signed policy names by a digest)");
		return s;
	}
	console_line(env, "geolaunch: starting the hypervisor");
	s = linux_start(env, &kernel);
	console_line(env, "geolaunch: the hypervisor came back");
	return s;
}

static EFI_STATUS start_linux(struct efi_env *env, const struct host *h, bool *stuck)
{
	EFI_STATUS s = initrd_offer(env, h->initrd);

	if (EFI_ERROR(s)) {
		console_line(env, "geolaunch: the initrd cannot be offered to the kernel: another boot loader offers one already");
		return s;
	}
	s = run_linux(env, h);
	if (!initrd_withdraw(env)) {
		*stuck = true;
		console_line(env, "geolaunch: the firmware does not give up the initrd");
	}
	return s;
}

static EFI_STATUS start_xen(struct efi_env *env, const struct host *h, bool *stuck)
{
	(void)stuck;
	return xen_start(env, h);
}

EFI_STATUS host_start(struct efi_env *env, const struct host *h, bool *stuck)
{
	static EFI_STATUS (*const start[HYPERVISOR_COUNT])(struct efi_env *, const struct host *, bool *) = {
		[HYPERVISOR_LINUX] = start_linux,
		[HYPERVISOR_XEN] = start_xen,
	};

	return start[h->kind](env, h, stuck);
}
