/* SPDX-License-Identifier: BSD-3-Clause */
#include "initrd.h"

#include <string.h>

/* LINUX_EFI_INITRD_MEDIA_GUID: node of the device path, and name of a configuration table (Linux, include/linux/efi.h). */
#define INITRD_GUID \
	{ \
		0x5568e427, 0x68fc, 0x4f3d, \
		{ \
			0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 \
		} \
	}

/* EFI_LOAD_FILE2_PROTOCOL, UEFI 2.9, 13.2; the same shape as LOAD_FILE. */
#define LOAD_FILE2_GUID \
	{ \
		0x4006c0c1, 0xfcb3, 0x403e, \
		{ \
			0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d \
		} \
	}

struct load_file2 {
	EFI_STATUS(EFIAPI *load)(struct load_file2 *self, EFI_DEVICE_PATH *path, BOOLEAN boot_policy, UINTN *size, void *buffer);
};

static struct initrd {
	struct load_file2 protocol; /* must come first */
	struct span bytes;
	EFI_HANDLE handle;
} initrd;

static const struct {
	VENDOR_DEVICE_PATH vendor;
	EFI_DEVICE_PATH end;
} __attribute__((packed)) initrd_path = {
	.vendor = {
		.Header = { MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, { sizeof(VENDOR_DEVICE_PATH), 0 } },
		.Guid = INITRD_GUID,
	},
	.end = { END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, { sizeof(EFI_DEVICE_PATH), 0 } },
};
static_assert(sizeof(initrd_path) == 24, "vendor node and end node");

static EFI_STATUS EFIAPI load(struct load_file2 *self, EFI_DEVICE_PATH *path, BOOLEAN boot_policy, UINTN *size, void *buffer)
{
	const struct initrd *i = (const struct initrd *)self;

	if (!self || !path || !size)
		return EFI_INVALID_PARAMETER;
	if (boot_policy)
		return EFI_UNSUPPORTED;
	if (!buffer || *size < i->bytes.n) {
		*size = i->bytes.n;
		return EFI_BUFFER_TOO_SMALL;
	}
	memcpy(buffer, i->bytes.p, i->bytes.n);
	*size = i->bytes.n;
	return EFI_SUCCESS;
}

/* A kernel that got no initrd otherwise takes the one that this table points to (Linux, drivers/firmware/efi/efi.c). */
static bool foreign_table(const struct efi_env *env)
{
	static const EFI_GUID guid = INITRD_GUID;

	for (UINTN i = 0; i < env->st->NumberOfTableEntries; i++)
		if (memcmp(&env->st->ConfigurationTable[i].VendorGuid, &guid, sizeof(guid)) == 0)
			return true;
	return false;
}

EFI_STATUS initrd_offer(struct efi_env *env, struct span bytes)
{
	EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID, load_guid = LOAD_FILE2_GUID;
	EFI_DEVICE_PATH *path = (EFI_DEVICE_PATH *)(uintptr_t)&initrd_path;
	EFI_HANDLE other = NULL;

	/* Two providers of one path: the kernel would take either. Where we have none, it would take the other's, which nobody measured. */
	if (!EFI_ERROR(env->bs->LocateDevicePath(&load_guid, &path, &other)))
		return EFI_ALREADY_STARTED;
	if (bytes.n == 0)
		return foreign_table(env) ? EFI_ALREADY_STARTED : EFI_SUCCESS;
	initrd = (struct initrd){ .protocol = { .load = load }, .bytes = bytes };
	return env->bs->InstallMultipleProtocolInterfaces(&initrd.handle, &path_guid, &initrd_path, &load_guid, &initrd.protocol, NULL);
}

bool initrd_withdraw(struct efi_env *env)
{
	EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID, load_guid = LOAD_FILE2_GUID;

	if (!initrd.handle)
		return true;
	if (EFI_ERROR(env->bs->UninstallMultipleProtocolInterfaces(
		    initrd.handle, &path_guid, &initrd_path, &load_guid, &initrd.protocol, NULL)))
		return false;
	initrd.handle = NULL;
	return true;
}
