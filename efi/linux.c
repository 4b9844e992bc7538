/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux.h"

#include "vouch.h"

EFI_STATUS linux_load(struct efi_env *env, struct span image, struct span cmdline, bool vouched, struct linux_kernel *out)
{
	EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	/* Says where the image comes from: memory. Firmware that logs what it loads shows it. */
	struct {
		MEMMAP_DEVICE_PATH memory;
		EFI_DEVICE_PATH end;
	} __attribute__((packed)) path = {
		.memory = {
			.Header = { HARDWARE_DEVICE_PATH, HW_MEMMAP_DP, { sizeof(MEMMAP_DEVICE_PATH), 0 } },
			.MemoryType = EfiLoaderData,
			.StartingAddress = (uintptr_t)image.p,
			.EndingAddress = (uintptr_t)image.p + image.n,
		},
		.end = { END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, { sizeof(EFI_DEVICE_PATH), 0 } },
	};
	EFI_LOADED_IMAGE *loaded = NULL;
	CHAR16 *options = NULL;
	EFI_HANDLE h = NULL;
	EFI_STATUS s;

	if (cmdline.n > UINT32_MAX / sizeof(CHAR16) - 1)
		return EFI_INVALID_PARAMETER;
	if (vouched)
		vouch_begin(env, image);
	s = env->bs->LoadImage(FALSE, env->image, &path.memory.Header, (void *)(uintptr_t)image.p, image.n, &h);
	vouch_end();
	if (EFI_ERROR(s)) {
		/* UEFI 2.9, 7.4: with EFI_SECURITY_VIOLATION a handle exists all the same. */
		if (h)
			(void)env->bs->UnloadImage(h);
		return s;
	}
	s = env->bs->HandleProtocol(h, &image_guid, (void **)&loaded);
	if (!EFI_ERROR(s))
		s = env->bs->AllocatePool(EfiLoaderData, (cmdline.n + 1) * sizeof(CHAR16), (void **)&options);
	if (EFI_ERROR(s)) {
		(void)env->bs->UnloadImage(h);
		return s;
	}
	for (size_t i = 0; i < cmdline.n; i++)
		options[i] = cmdline.p[i];
	options[cmdline.n] = 0;
	loaded->LoadOptions = options;
	loaded->LoadOptionsSize = (UINT32)((cmdline.n + 1) * sizeof(CHAR16));
	*out = (struct linux_kernel){ .image = h, .options = options };
	return EFI_SUCCESS;
}

EFI_STATUS linux_start(struct efi_env *env, struct linux_kernel *kernel)
{
	EFI_STATUS s = env->bs->StartImage(kernel->image, NULL, NULL);

	(void)env->bs->FreePool(kernel->options);
	return EFI_ERROR(s) ? s : EFI_ABORTED;
}
