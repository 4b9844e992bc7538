/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/mbi.h"

#include "boot/memory_map.h"

/* num, entsize, shndx of the ELF sections tag, 3.6.7 */
#define ELF_SECTIONS_FIXED 12

static void put_room(struct mb2_writer *w)
{
	static const uint8_t zeros[MBI_TBOOT_ROOM];

	static_assert(sizeof(zeros) >= ELF_SECTIONS_FIXED, "ELF sections tag");
	mb2_put(w, MB2_ELF_SECTIONS, SPAN_OF(zeros));
}

bool mbi_write(const struct mbi *m, struct mspan buf, size_t *n)
{
	struct mb2_writer w;
	uint32_t lower, upper;

	memory_basic(m->memory, m->memory_count, &lower, &upper);
	if (buf.p)
		mb2_begin(&w, buf);
	else
		mb2_begin_measure(&w);
	mb2_put_cmdline(&w, m->cmdline);
	mb2_put_loader_name(&w, SPAN_LITERAL("geolaunch " GEOLAUNCH_VERSION));
	for (size_t i = 0; i < m->module_count; i++)
		mb2_put_module(&w, &m->modules[i]);
	mb2_put_basic_meminfo(&w, lower, upper);
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
