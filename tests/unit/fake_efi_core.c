/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine itself: memory, time, console, runtime services, configuration tables. */
#include "tests/unit/fake_efi.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

struct fake_efi fw;

static unsigned handles_at_start;

EFI_STATUS EFIAPI fw_unsupported(void)
{
	return EFI_UNSUPPORTED;
}

bool fw_guid_equal(const EFI_GUID *a, const EFI_GUID *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* ---------------------------------------------------------------- memory */

static bool allocation_fails(void)
{
	fw.allocations++;
	fw.map_key++;
	return fw.allocations == fw.fail_allocation;
}

static void *take(EFI_MEMORY_TYPE type, UINTN pages, size_t bytes)
{
	struct fw_memory *m = malloc(sizeof(*m));
	size_t align = pages ? 4096 : 16;

	assert_non_null(m);
	m->type = type;
	m->pages = pages;
	/* Not malloc(): 0 bytes must also give something to free. */
	m->p = aligned_alloc(align, (bytes + align) / align * align);
	assert_non_null(m->p);
	/* Memory comes with whatever was there. */
	memset(m->p, 0xa5, bytes);
	m->next = fw.memory;
	fw.memory = m;
	return m->p;
}

static EFI_STATUS give(void *p, UINTN pages)
{
	fw.map_key++;
	for (struct fw_memory **at = &fw.memory; *at; at = &(*at)->next) {
		struct fw_memory *m = *at;

		if (m->p != p)
			continue;
		assert_int_equal(m->pages, pages);
		*at = m->next;
		free(m->p);
		free(m);
		return EFI_SUCCESS;
	}
	fail_msg("memory is freed that nobody has");
	return EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN pages, EFI_PHYSICAL_ADDRESS *where)
{
	assert_int_not_equal(pages, 0);
	/* Whatever does not fit a machine does not fit this one. */
	if (allocation_fails() || pages > 64 * 256)
		return EFI_OUT_OF_RESOURCES;
	if (how != AllocateAnyPages)
		return fw_low_allocate(how, type, pages, where);
	*where = (uintptr_t)take(type, pages, pages * 4096);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS where, UINTN pages)
{
	return fw_low_owns(where) ? fw_low_free(where, pages) : give((void *)(uintptr_t)where, pages);
}

static EFI_STATUS EFIAPI allocate_pool(EFI_MEMORY_TYPE type, UINTN bytes, void **p)
{
	if (allocation_fails())
		return EFI_OUT_OF_RESOURCES;
	*p = take(type, 0, bytes);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *p)
{
	return give(p, 0);
}

static void free_memory(void)
{
	while (fw.memory) {
		struct fw_memory *m = fw.memory;

		fw.memory = m->next;
		free(m->p);
		free(m);
	}
}

static EFI_STATUS EFIAPI calculate_crc32(void *data, UINTN n, UINT32 *out)
{
	*out = (UINT32)crc32(0, data, (uInt)n);
	return EFI_SUCCESS;
}

/* ---------------------------------------------------------------- time */

static EFI_STATUS EFIAPI stall(UINTN us)
{
	fw.clock_us += us;
	fw.stalled_us += us;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_watchdog_timer(UINTN seconds, UINT64 code, UINTN size, CHAR16 *data)
{
	(void)code;
	(void)size;
	(void)data;
	fw.watchdog_off += seconds == 0;
	fw.watchdog = seconds;
	return EFI_SUCCESS;
}

uint64_t fw_ticks(void)
{
	return ++fw.clock_us;
}

/* ---------------------------------------------------------------- console */

static EFI_STATUS EFIAPI output_string(SIMPLE_TEXT_OUTPUT_INTERFACE *self, CHAR16 *s)
{
	assert_ptr_equal(self, &fw.con_out);
	for (; *s; s++) {
		assert_true(*s < 0x7f);
		if (*s == '\r')
			continue;
		assert_true(fw.console_n + 1 < FW_CONSOLE);
		fw.console[fw.console_n++] = (char)*s;
		fw.console[fw.console_n] = 0;
	}
	return EFI_SUCCESS;
}

unsigned fw_console_count(const char *text)
{
	unsigned count = 0;

	for (const char *line = fw.console, *end; *line; line = *end ? end + 1 : end) {
		const char *at = strstr(line, text);

		end = strchr(line, '\n');
		if (!end)
			end = line + strlen(line);
		count += at && at < end;
	}
	return count;
}

/* ---------------------------------------------------------------- runtime services, tables */

static size_t length(const CHAR16 *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static struct fw_variable *find_variable(const CHAR16 *name, const EFI_GUID *guid)
{
	for (size_t i = 0; i < FW_VARIABLES; i++) {
		struct fw_variable *v = &fw.variables[i];

		if (v->data && fw_guid_equal(&v->guid, guid) && length(v->name) == length(name) &&
			memcmp(v->name, name, length(name) * sizeof(*name)) == 0)
			return v;
	}
	return NULL;
}

const struct fw_variable *fw_variable(const CHAR16 *name, const EFI_GUID *guid)
{
	return find_variable(name, guid);
}

static struct fw_variable *free_variable(void)
{
	for (size_t i = 0; i < FW_VARIABLES; i++)
		if (!fw.variables[i].data)
			return &fw.variables[i];
	return NULL;
}

static EFI_STATUS EFIAPI set_variable(CHAR16 *name, EFI_GUID *guid, UINT32 attributes, UINTN size, void *data)
{
	struct fw_variable *v = find_variable(name, guid);

	assert_false(fw.notified);
	assert_true(length(name) < GL_COUNT(fw.variables[0].name));
	if (EFI_ERROR(fw.variable_status))
		return fw.variable_status;
	if (attributes == 0 && size == 0) {
		if (!v)
			return EFI_NOT_FOUND;
		free(v->data);
		memset(v, 0, sizeof(*v));
		return EFI_SUCCESS;
	}
	if (v && v->attributes != attributes)
		return EFI_INVALID_PARAMETER;
	if (!v)
		v = free_variable();
	if (!v || size == 0)
		return EFI_OUT_OF_RESOURCES;
	free(v->data);
	memset(v, 0, sizeof(*v));
	v->data = malloc(size);
	assert_non_null(v->data);
	memcpy(v->data, data, size);
	memcpy(v->name, name, length(name) * sizeof(*name));
	v->n = size;
	v->guid = *guid;
	v->attributes = attributes;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_variable(CHAR16 *name, EFI_GUID *guid, UINT32 *attributes, UINTN *size, void *data)
{
	const struct fw_variable *v = find_variable(name, guid);
	UINTN room = *size;

	if (!v)
		return EFI_NOT_FOUND;
	*size = v->n;
	if (room < v->n)
		return EFI_BUFFER_TOO_SMALL;
	memcpy(data, v->data, v->n);
	if (attributes)
		*attributes = v->attributes;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI reset_system(EFI_RESET_TYPE type, EFI_STATUS status, UINTN size, CHAR16 *data)
{
	(void)size;
	(void)data;
	fw.reset_type = type;
	fw.reset_status = status;
	fw_leave(FW_RESET);
}

EFI_STATUS EFIAPI fw_idle_reset(EFI_RESET_TYPE type, EFI_STATUS status, UINTN size, CHAR16 *data)
{
	(void)type;
	(void)status;
	(void)size;
	(void)data;
	fw.idle_resets++;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI install_configuration_table(EFI_GUID *guid, void *table)
{
	UINTN i = 0;

	assert_false(fw.notified);
	assert_non_null(table);
	if (EFI_ERROR(fw.table_status))
		return fw.table_status;
	while (i < fw.st.NumberOfTableEntries && !fw_guid_equal(&fw.tables[i].VendorGuid, guid))
		i++;
	if (i == FW_TABLES)
		return EFI_OUT_OF_RESOURCES;
	fw.tables[i] = (EFI_CONFIGURATION_TABLE){ .VendorGuid = *guid, .VendorTable = table };
	if (i == fw.st.NumberOfTableEntries)
		fw.st.NumberOfTableEntries++;
	return EFI_SUCCESS;
}

const void *fw_table(const EFI_GUID *guid)
{
	for (UINTN i = 0; i < fw.st.NumberOfTableEntries; i++)
		if (fw_guid_equal(&fw.tables[i].VendorGuid, guid))
			return fw.tables[i].VendorTable;
	return NULL;
}

static bool is_table(const struct fw_memory *m)
{
	for (UINTN i = 0; i < fw.st.NumberOfTableEntries; i++)
		if (fw.tables[i].VendorTable == m->p)
			return true;
	return false;
}

/* ---------------------------------------------------------------- the machine */

/* Every entry of a table of services behind its header. */
static void fill(void *table, size_t size)
{
	EFI_STATUS(EFIAPI * entry)(void) = fw_unsupported;

	for (size_t at = sizeof(EFI_TABLE_HEADER); at < size; at += sizeof(entry))
		memcpy((char *)table + at, &entry, sizeof(entry));
}

void fw_init_memory(void)
{
	fw.bs.AllocatePages = allocate_pages;
	fw.bs.FreePages = free_pages;
	fw.bs.AllocatePool = allocate_pool;
	fw.bs.FreePool = free_pool;
	fw.bs.Stall = stall;
	fw.bs.SetWatchdogTimer = set_watchdog_timer;
	fw.bs.InstallConfigurationTable = install_configuration_table;
	fw.rs.GetVariable = get_variable;
	fw.rs.SetVariable = set_variable;
	fw.rs.ResetSystem = reset_system;
	fw.bs.CalculateCrc32 = calculate_crc32;
	fw.con_out.OutputString = output_string;
}

void fw_init(void)
{
	free_memory();
	free(fw.kernel);
	free(fw.initrd);
	for (size_t i = 0; i < FW_VARIABLES; i++)
		free(fw.variables[i].data);
	for (size_t i = 0; i < FW_HANDLES; i++)
		free(fw.handles[i].image);
	memset(&fw, 0, sizeof(fw));
	fill(&fw.bs, sizeof(fw.bs));
	fw.bs.Hdr.HeaderSize = sizeof(fw.bs);
	fill(&fw.rs, sizeof(fw.rs));
	fw.st.BootServices = &fw.bs;
	fw.st.RuntimeServices = &fw.rs;
	fw.st.ConOut = &fw.con_out;
	fw.st.ConfigurationTable = fw.tables;
	fw.no_second_open = true;
	fw_init_memory();
	fw_init_events();
	fw_init_low();
	fw_init_protocols();
	fw_init_files();
	fw_init_images();
}

static unsigned count_handles(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < FW_HANDLES; i++)
		n += fw.handles[i].used;
	return n;
}

void fw_leave(enum fw_end how)
{
	fw.ended = how;
	longjmp(fw.end, 1);
}

enum fw_end fw_run(EFI_STATUS (*entry)(void *ctx), void *ctx)
{
	handles_at_start = count_handles();
	if (setjmp(fw.end) == 0) {
		fw.status = entry(ctx);
		fw.ended = FW_RETURNED;
	}
	return fw.ended;
}

void fw_assert_nothing_left(void)
{
	assert_int_equal(fw_low_taken(), 0);
	assert_int_equal(fw.open_files, 0);
	assert_int_equal(fw_open_events(), 0);
	assert_int_equal(fw.watchdog, 0);
	assert_int_equal(count_handles(), handles_at_start);
	for (const struct fw_memory *m = fw.memory; m; m = m->next)
		if (!is_table(m))
			fail_msg("memory is left: %llu pages (0: pool), type %u", (unsigned long long)m->pages, (unsigned)m->type);
}
