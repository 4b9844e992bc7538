/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/mbi.h"

#define ONE_MIB UINT64_C(0x100000)
/* num, entsize, shndx of the ELF sections tag, 3.6.7 */
#define ELF_SECTIONS_FIXED 12

/* KiB of RAM from `from` up to the first hole: 3.6.4. */
static uint32_t memory_from(const struct mbi *m, uint64_t from, uint64_t limit)
{
	uint64_t end = from;

	for (size_t i = 0; i < m->memory_count; i++) {
		const struct mb2_memory *r = &m->memory[i];

		if (r->type == MB2_MEMORY_AVAILABLE && r->base <= end && r->base + r->size > end)
			end = r->base + r->size;
	}
	if (end > limit)
		end = limit;
	return (end - from) / 1024 > UINT32_MAX ? UINT32_MAX : (uint32_t)((end - from) / 1024);
}

static void put_room(struct mb2_writer *w)
{
	static const uint8_t zeros[MBI_TBOOT_ROOM];

	static_assert(sizeof(zeros) >= ELF_SECTIONS_FIXED, "ELF sections tag");
	mb2_put(w, MB2_ELF_SECTIONS, SPAN_OF(zeros));
}

bool mbi_write(const struct mbi *m, struct mspan buf, size_t *n)
{
	struct mb2_writer w;

	if (buf.p)
		mb2_begin(&w, buf);
	else
		mb2_begin_measure(&w);
	mb2_put_cmdline(&w, m->cmdline);
	mb2_put_loader_name(&w, SPAN_LITERAL("geolaunch " GEOLAUNCH_VERSION));
	for (size_t i = 0; i < m->module_count; i++)
		mb2_put_module(&w, &m->modules[i]);
	mb2_put_basic_meminfo(&w, memory_from(m, 0, ONE_MIB), memory_from(m, ONE_MIB, UINT64_MAX));
	mb2_put_mmap(&w, m->memory, m->memory_count);
	put_room(&w);
	if (m->framebuffer)
		mb2_put_framebuffer(&w, m->framebuffer);
	mb2_put_number(&w, MB2_EFI64, m->system_table);
	if (m->rsdp_old.n)
		mb2_put(&w, MB2_ACPI_OLD, m->rsdp_old);
	if (m->rsdp_new.n)
		mb2_put(&w, MB2_ACPI_NEW, m->rsdp_new);
	mb2_put_efi_mmap(&w, m->descriptor_size, m->descriptor_version, m->efi_map);
	return mb2_end(&w, n);
}
