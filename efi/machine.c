/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine.h"

#include <string.h>

/* The map grows by what is allocated for it, and by what timers do meanwhile. */
#define SPARE_DESCRIPTORS 16
#define TRIES 4

#define RSDP_1_SIZE 20u
#define RSDP_2_SIZE 36u
#define RSDP_MAX 4096u

EFI_STATUS machine_memory(struct efi_env *env, struct efi_map *out)
{
	EFI_STATUS s = EFI_BUFFER_TOO_SMALL;
	UINTN n = 0, key, descriptor_size = 0;
	UINT32 version;
	void *buf = NULL;

	for (unsigned i = 0; i < TRIES && s == EFI_BUFFER_TOO_SMALL; i++) {
		s = env->bs->GetMemoryMap(&n, buf, &key, &descriptor_size, &version);
		if (s != EFI_BUFFER_TOO_SMALL)
			break;
		if (buf)
			(void)env->bs->FreePool(buf);
		n += SPARE_DESCRIPTORS * descriptor_size;
		if (EFI_ERROR(env->bs->AllocatePool(EfiLoaderData, n, &buf)))
			return EFI_OUT_OF_RESOURCES;
	}
	if (!EFI_ERROR(s) && efi_map_read((struct span){ buf, n }, descriptor_size, out) != EFI_MAP_OK)
		s = EFI_DEVICE_ERROR;
	if (buf)
		(void)env->bs->FreePool(buf);
	return s;
}

static const uint8_t *find_table(struct efi_env *env, const EFI_GUID *guid)
{
	for (UINTN i = 0; i < env->st->NumberOfTableEntries; i++)
		if (memcmp(&env->st->ConfigurationTable[i].VendorGuid, guid, sizeof(*guid)) == 0)
			return env->st->ConfigurationTable[i].VendorTable;
	return NULL;
}

struct span machine_rsdp(struct efi_env *env, bool *acpi2)
{
	static const EFI_GUID guid2 = ACPI_20_TABLE_GUID, guid1 = ACPI_TABLE_GUID;
	const uint8_t *p = find_table(env, &guid2);
	uint32_t n;

	*acpi2 = p != NULL;
	if (!p) {
		p = find_table(env, &guid1);
		return (struct span){ p, p ? RSDP_1_SIZE : 0 };
	}
	memcpy(&n, p + RSDP_1_SIZE, sizeof(n));
	if (n < RSDP_2_SIZE || n > RSDP_MAX)
		n = RSDP_2_SIZE;
	return (struct span){ p, n };
}

/* Position and number of the bits of a mask. */
static void bits_of(uint32_t mask, uint8_t *position, uint8_t *size)
{
	*position = mask ? (uint8_t)__builtin_ctz(mask) : 0;
	*size = 0;
	for (; mask; mask &= mask - 1)
		++*size;
}

bool machine_framebuffer(struct efi_env *env, struct mb2_framebuffer *out)
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = NULL;
	const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;
	EFI_PIXEL_BITMASK mask;

	if (EFI_ERROR(env->bs->LocateProtocol(&guid, NULL, (void **)&gop)) || !gop->Mode || !gop->Mode->Info)
		return false;
	info = gop->Mode->Info;
	switch (info->PixelFormat) {
	case PixelRedGreenBlueReserved8BitPerColor:
		mask = (EFI_PIXEL_BITMASK){ 0xff, 0xff00, 0xff0000, 0xff000000 };
		break;
	case PixelBlueGreenRedReserved8BitPerColor:
		mask = (EFI_PIXEL_BITMASK){ 0xff0000, 0xff00, 0xff, 0xff000000 };
		break;
	case PixelBitMask:
		mask = info->PixelInformation;
		break;
	default:
		return false;
	}
	*out = (struct mb2_framebuffer){
		.address = gop->Mode->FrameBufferBase,
		.width = info->HorizontalResolution,
		.height = info->VerticalResolution,
		.type = MB2_FRAMEBUFFER_RGB,
	};
	out->bits = (uint8_t)(32 - __builtin_clz(mask.RedMask | mask.GreenMask | mask.BlueMask | mask.ReservedMask | 1));
	out->pitch = info->PixelsPerScanLine * ((out->bits + 7u) / 8);
	bits_of(mask.RedMask, &out->red.position, &out->red.size);
	bits_of(mask.GreenMask, &out->green.position, &out->green.size);
	bits_of(mask.BlueMask, &out->blue.position, &out->blue.size);
	return true;
}

bool machine_own_image(struct efi_env *env, struct span *out)
{
	EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *image = NULL;

	if (EFI_ERROR(env->bs->HandleProtocol(env->image, &guid, (void **)&image)) || !image->ImageBase || !image->ImageSize ||
		image->ImageSize > SIZE_MAX)
		return false;
	*out = (struct span){ image->ImageBase, (size_t)image->ImageSize };
	return true;
}

bool machine_secure_boot(struct efi_env *env)
{
	static CHAR16 name[] = u"SecureBoot";
	EFI_GUID guid = EFI_GLOBAL_VARIABLE;
	UINT8 on = 0;
	UINTN n = sizeof(on);
	EFI_STATUS s = env->st->RuntimeServices->GetVariable(name, &guid, NULL, &n, &on);

	return s != EFI_NOT_FOUND && (EFI_ERROR(s) || n != sizeof(on) || on != 0);
}
