/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In the hypervisor's place: tells on the third serial line (qemu/harness/host.py) that it was started, by which entry, with which
 * command line, initrd and event log, and powers off. Position independent, with no data that would need relocation.
 */
#include <efi.h>

#include "tests/boot/stop/tell.h"

static int same_guid(const EFI_GUID *a, const EFI_GUID *b)
{
	const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;

	for (unsigned i = 0; i < sizeof(*a); i++)
		if (x[i] != y[i])
			return 0;
	return 1;
}

/* efi/publish.c: version, reserved, size, log. */
static void tell_log(const EFI_SYSTEM_TABLE *st)
{
	EFI_GUID guid = { 0x7a1b6f3e, 0x52c4, 0x4d0e, { 0x9b, 0x57, 0x3c, 0x1f, 0xd2, 0xa0, 0x8e, 0x64 } };

	for (UINTN i = 0; i < st->NumberOfTableEntries; i++) {
		const uint8_t *table = st->ConfigurationTable[i].VendorTable;
		uint64_t n;

		if (!same_guid(&st->ConfigurationTable[i].VendorGuid, &guid))
			continue;
		n = *(const uint64_t *)(table + 8);
		if (n > BLOB_MAX)
			continue;
		tell_blob("eventlog", table + 16, n);
		tell("log", "yes");
		return;
	}
	tell("log", "no");
}

#ifdef STOP_LINUX

struct load_file2 {
	EFI_STATUS(EFIAPI *load)(struct load_file2 *self, EFI_DEVICE_PATH *path, BOOLEAN boot_policy, UINTN *size, void *buffer);
};

static void tell_initrd(EFI_BOOT_SERVICES *bs)
{
	EFI_GUID load = { 0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } };
	struct {
		VENDOR_DEVICE_PATH vendor;
		EFI_DEVICE_PATH end;
	} __attribute__((packed)) initrd = {
		{ { MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, { sizeof(VENDOR_DEVICE_PATH), 0 } },
			{ 0x5568e427, 0x68fc, 0x4f3d, { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } } },
		{ END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, { sizeof(EFI_DEVICE_PATH), 0 } },
	};
	EFI_DEVICE_PATH *path = &initrd.vendor.Header;
	struct load_file2 *file = NULL;
	EFI_HANDLE h = NULL;
	void *room = NULL;
	UINTN n = 0;

	if (EFI_ERROR(bs->LocateDevicePath(&load, &path, &h)) || EFI_ERROR(bs->HandleProtocol(h, &load, (void **)&file)))
		return;
	if (file->load(file, path, FALSE, &n, NULL) != EFI_BUFFER_TOO_SMALL || n > BLOB_MAX)
		return;
	if (!EFI_ERROR(bs->AllocatePool(EfiLoaderData, n, &room)) && !EFI_ERROR(file->load(file, path, FALSE, &n, room)))
		tell_blob("initrd", room, n);
}

static void tell_options(EFI_BOOT_SERVICES *bs, EFI_HANDLE image)
{
	EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *loaded = NULL;

	if (EFI_ERROR(bs->HandleProtocol(image, &guid, (void **)&loaded)))
		return;
	say(HOST, "geolaunch-host: cmdline=");
	for (const CHAR16 *c = loaded->LoadOptions; c && *c; c++)
		put(HOST, (char)*c);
	say(HOST, "\n");
}

/* Entry of the EFI image; linux.S names it. */
EFI_STATUS EFIAPI efi_entry(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

EFI_STATUS EFIAPI efi_entry(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	tell_options(st->BootServices, image);
	tell_initrd(st->BootServices);
	tell_log(st);
	stop("linux-efi");
}

#else

/* Entry by multiboot2 with boot services kept; xen.S has put the arguments in their places. */
void xen_entry(uint32_t magic, uint32_t info);

void xen_entry(uint32_t magic, uint32_t info)
{
	const EFI_SYSTEM_TABLE *st = NULL;

	if (magic != 0x36d76289)
		stop("xen-without-multiboot2");
	for (const uint8_t *p = (const uint8_t *)(uintptr_t)info + 8; *(const uint32_t *)p; p += (((const uint32_t *)p)[1] + 7) & ~7u) {
		if (*(const uint32_t *)p == 1)
			tell("cmdline", (const char *)p + 8);
		if (*(const uint32_t *)p == 12)
			st = *(EFI_SYSTEM_TABLE *const *)(p + 8);
	}
	if (st)
		tell_log(st);
	stop(st ? "xen-efi" : "xen-without-efi");
}

#endif
