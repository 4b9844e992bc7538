/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory below 4 GiB and the memory map. */
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/fake_efi.h"

#include <cmocka.h>

#define PAGE 4096u
/* A firmware's descriptors may be larger than the structure of the specification. */
#define DESCRIPTOR 48

static uint8_t *region;
static uint8_t type[FW_LOW_PAGES]; /* EFI_MEMORY_TYPE */

uint32_t fw_low_base(void)
{
	return (uint32_t)(uintptr_t)region;
}

unsigned fw_low_taken(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FW_LOW_PAGES; i++)
		n += type[i] != EfiConventionalMemory && type[i] != EfiBootServicesData;
	return n;
}

void fw_low_reserve(unsigned from_start, unsigned from_end)
{
	memset(type, EfiBootServicesData, from_start);
	memset(type + FW_LOW_PAGES - from_end, EfiBootServicesData, from_end);
}

uint32_t fw_low_change(void)
{
	size_t page = 0;

	while (type[page] != EfiConventionalMemory)
		page++;
	type[page] = EfiRuntimeServicesData;
	fw.map_key++;
	return fw_low_base() + (uint32_t)(page * PAGE);
}

static bool is_free(size_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (first + i >= FW_LOW_PAGES || type[first + i] != EfiConventionalMemory)
			return false;
	return true;
}

EFI_STATUS fw_low_allocate(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE t, UINTN pages, EFI_PHYSICAL_ADDRESS *where)
{
	size_t first = FW_LOW_PAGES;

	if (how == AllocateAddress) {
		assert_int_equal(*where % PAGE, 0);
		if (!fw_low_owns(*where))
			return EFI_NOT_FOUND;
		first = (size_t)(*where - fw_low_base()) / PAGE;
		if (!is_free(first, pages))
			return EFI_NOT_FOUND;
	} else {
		assert_int_equal(how, AllocateMaxAddress);
		assert_int_equal(*where, UINT32_MAX);
		do {
			if (first-- == 0)
				return EFI_OUT_OF_RESOURCES;
		} while (!is_free(first, pages));
	}
	memset(type + first, (int)t, pages);
	memset(region + first * PAGE, 0xa5, pages * PAGE);
	*where = fw_low_base() + first * PAGE;
	return EFI_SUCCESS;
}

bool fw_low_owns(EFI_PHYSICAL_ADDRESS where)
{
	return where >= fw_low_base() && where - fw_low_base() < (uint64_t)FW_LOW_PAGES * PAGE;
}

EFI_STATUS fw_low_free(EFI_PHYSICAL_ADDRESS where, UINTN pages)
{
	size_t first = (size_t)(where - fw_low_base()) / PAGE;

	fw.map_key++;
	assert_true(pages > 0 && first + pages <= FW_LOW_PAGES);
	for (size_t i = 0; i < pages; i++)
		assert_true(type[first + i] != EfiConventionalMemory && type[first + i] != EfiBootServicesData);
	memset(type + first, EfiConventionalMemory, pages);
	return EFI_SUCCESS;
}

static void put(uint8_t *p, uint32_t t, uint64_t base, uint64_t pages)
{
	EFI_MEMORY_DESCRIPTOR d = { .Type = t, .PhysicalStart = base, .NumberOfPages = pages };

	memset(p, 0xee, DESCRIPTOR);
	memcpy(p, &d, sizeof(d));
}

static EFI_STATUS EFIAPI get_memory_map(UINTN *n, EFI_MEMORY_DESCRIPTOR *map, UINTN *key, UINTN *size, UINT32 *version)
{
	uint8_t *out = (uint8_t *)map;
	UINTN room = *n, need = 2 * DESCRIPTOR;

	for (size_t i = 0; i < FW_LOW_PAGES; i++)
		need += i == 0 || type[i] != type[i - 1] ? DESCRIPTOR : 0;
	*n = need;
	*size = DESCRIPTOR;
	*version = EFI_MEMORY_DESCRIPTOR_VERSION;
	if (room < need)
		return EFI_BUFFER_TOO_SMALL;
	if (EFI_ERROR(fw.map_status))
		return fw.map_status;
	assert_non_null(map);
	*key = fw.map_key;
	put(out, EfiBootServicesCode, 0, 0x9f);
	put(out + DESCRIPTOR, EfiRuntimeServicesData, 0xfff00000, 0x100);
	out += 2 * DESCRIPTOR;
	for (size_t i = 0, first = 0; i < FW_LOW_PAGES; i++)
		if (i + 1 == FW_LOW_PAGES || type[i + 1] != type[i]) {
			put(out, type[i], fw_low_base() + first * PAGE, i + 1 - first);
			out += DESCRIPTOR;
			first = i + 1;
		}
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI leave_image(EFI_HANDLE h, EFI_STATUS status, UINTN n, CHAR16 *data)
{
	(void)h;
	(void)status;
	(void)n;
	(void)data;
	fw.exits++;
	return EFI_SUCCESS;
}

void fw_init_low(void)
{
	if (!region) {
		region = mmap(NULL, (size_t)FW_LOW_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		assert_ptr_not_equal(region, MAP_FAILED);
	}
	memset(type, EfiConventionalMemory, sizeof(type));
	fw.bs.GetMemoryMap = get_memory_map;
	fw.bs.Exit = leave_image;
}
