/* SPDX-License-Identifier: BSD-3-Clause */
#include "txt_launch.h"

#include <string.h>

#include "console.h"
#include "efi/core/handoff.h"
#include "efi/core/mbi.h"
#include "txt/tboot_line.h"
#include "efi/core/txt_load.h"
#include "machine.h"
#include "preflight.h"

#define LINE 600
/* What is placed: the information with all modules behind it (layout.h says why), the handoff block, tboot's file. */
enum item { ITEM_BLOCK, ITEM_HANDOFF, ITEM_TBOOT, ITEM_COUNT };

/* The map may grow between the first look at it and the last, by what we allocate and free. */
#define MAP_SLACK ((UINTN)16 * 1024)
#define PLACE_TRIES 4
#define EXIT_TRIES 4

/* Everything of one launch; too large for a firmware's stack. */
struct txt {
	struct efi_env *env;
	struct launch *l;
	struct platform *platform;
	struct volume *volume;
	EFI_STATUS status;
	struct preflight_facts facts;
	struct preflight_report report;
	struct preflight_room room;
	size_t shown; /* findings that were printed and decided on */
	struct acpi_found acpi;
	struct txt_load load;
	struct layout_rules rules;
	struct layout_item items[ITEM_COUNT];
	size_t allocated;
	uint64_t info_size; /* of the block */
	struct mb2_module modules[TXT_LOAD_MODULES];
	struct mb2_framebuffer framebuffer;
	bool has_framebuffer;
	struct efi_map map, scratch;
	struct mb2_memory memory[EFI_MAP_MAX];
	struct handoff handoff;
	uint8_t *raw; /* what GetMemoryMap() gave */
	UINTN raw_room, raw_size, raw_pages, map_key, descriptor_size;
	UINT32 descriptor_version;
};

static uint64_t page_up(uint64_t n)
{
	return (n + EFI_PAGE - 1) & ~(uint64_t)(EFI_PAGE - 1);
}

static EFI_STATUS note(struct txt *t, EFI_STATUS s)
{
	if (EFI_ERROR(s) && !EFI_ERROR(t->status))
		t->status = s;
	return s;
}

static void line(struct txt *t, const char *text)
{
	console_line(t->env, text);
}

/* Prints the findings that are new and says what the policy makes of them. */
static enum vlp_action decide(struct txt *t)
{
	enum vlp_action act = preflight_action(&t->report, t->shown);

	for (; t->shown < t->report.count; t->shown++) {
		char buf[LINE];
		struct text text = TEXT_OF(buf);

		preflight_line(&t->report.findings[t->shown], &text);
		line(t, buf);
	}
	if (t->report.more)
		line(t, "geolaunch: pre-flight: more findings than can be shown");
	return act;
}

/* ---------------------------------------------------------------- pre-flight */

static void print_passed(struct txt *t)
{
	char buf[LINE];
	struct text text = TEXT_OF(buf);

	text_str(&text, t->report.count ? "geolaunch: pre-flight: the policy lets the launch go on" : "geolaunch: pre-flight passed");
	if (t->report.has_sinit) {
		text_str(&text, "; SINIT of ");
		text_hex(&text, t->report.sinit.header.date, 8);
		text_str(&text, t->report.sinit_of_bios ? " out of the firmware" : " out of the build");
		text_str(&text, ", NV index set ");
		text_u64(&text, t->report.sinit.tpm.nv_index_set);
	}
	line(t, buf);
}

static enum vlp_action preflight(struct txt *t)
{
	enum vlp_action act;

	preflight_gather(t->env, t->platform, t->l, &t->facts, &t->acpi);
	preflight_check(&t->facts, &preflight_tpm_ops, t->platform, &t->room, &t->report);
	act = decide(t);
	if (act == VLP_ACT_CONTINUE)
		print_passed(t);
	return act;
}

/* ---------------------------------------------------------------- memory */

static EFI_STATUS read_map(struct txt *t)
{
	t->raw_size = t->raw_room;
	return t->env->bs->GetMemoryMap(
		&t->raw_size, (EFI_MEMORY_DESCRIPTOR *)t->raw, &t->map_key, &t->descriptor_size, &t->descriptor_version);
}

static bool map_room(struct txt *t)
{
	EFI_PHYSICAL_ADDRESS where = 0;
	UINTN size = 0, key, descriptor;
	UINT32 version;

	if (t->env->bs->GetMemoryMap(&size, NULL, &key, &descriptor, &version) != EFI_BUFFER_TOO_SMALL || size > SIZE_MAX / 4)
		return false;
	t->raw_room = size + size / 2 + MAP_SLACK;
	if (!env_pages(t->raw_room, &t->raw_pages) ||
		EFI_ERROR(note(t, t->env->bs->AllocatePages(AllocateAnyPages, EfiLoaderData, t->raw_pages, &where))))
		return false;
	t->raw = (uint8_t *)(uintptr_t)where;
	return true;
}

static void found_memory(struct txt *t, enum layout_error e)
{
	static const enum preflight_id ids[LAYOUT_ERROR_COUNT] = {
		[LAYOUT_E_TBOOT] = PREFLIGHT_MEMORY_TBOOT,
		[LAYOUT_E_ROOM] = PREFLIGHT_MEMORY,
		[LAYOUT_E_MIN_RAM] = PREFLIGHT_MEMORY_MIN_RAM,
		[LAYOUT_E_PLACE] = PREFLIGHT_MEMORY,
		[LAYOUT_E_MAP] = PREFLIGHT_MEMORY,
	};
	char buf[PREFLIGHT_DETAIL];
	struct text text = TEXT_OF(buf);
	uint64_t sum = 0;

	for (size_t i = 0; i < ITEM_COUNT; i++)
		sum += t->items[i].size;
	text_str(&text, layout_strerror(e));
	text_str(&text, "; files ");
	text_size(&text, sum);
	if (t->rules.tboot_high) {
		text_str(&text, ", tboot ");
		text_hex(&text, t->rules.tboot_low, 1);
		text_char(&text, '-');
		text_hex(&text, t->rules.tboot_high - 1, 1);
	}
	preflight_add(&t->report, ids[e], &text);
}

static void free_items(struct txt *t)
{
	while (t->allocated > 0) {
		const struct layout_item *i = &t->items[--t->allocated];

		(void)t->env->bs->FreePages(i->address, (UINTN)(page_up(i->size) / EFI_PAGE));
	}
}

/* Takes the places that the plan has; what somebody else took meanwhile makes it a failure, and nothing is kept. */
static bool allocate_items(struct txt *t)
{
	for (size_t i = 0; i < ITEM_COUNT; i++) {
		EFI_PHYSICAL_ADDRESS where = t->items[i].address;
		UINTN pages = (UINTN)(page_up(t->items[i].size) / EFI_PAGE);

		if (EFI_ERROR(
			    t->env->bs->AllocatePages(AllocateAddress, i == ITEM_HANDOFF ? EfiLoaderCode : EfiLoaderData, pages, &where))) {
			free_items(t);
			return false;
		}
		t->allocated = i + 1;
	}
	return true;
}

static uint8_t *item_bytes(struct txt *t, enum item i)
{
	return (uint8_t *)(uintptr_t)t->items[i].address;
}

/* Upper bound of the information's size: strings are parts of the description, and the maps are as large as they can get. */
static uint64_t info_room(const struct txt *t)
{
	return page_up(2 * (uint64_t)t->l->description_bytes.n + (uint64_t)t->load.count * 32 + GL_COUNT(t->memory) * MB2_MMAP_ENTRY +
		       t->raw_room + t->acpi.rsdp_new.n + 2 * MBI_TBOOT_ROOM);
}

static void list_items(struct txt *t)
{
	uint64_t modules = 0;

	/* Files are below 4 GiB each, so this is far from wrapping. */
	for (size_t i = 0; i < t->load.count; i++)
		modules += page_up(t->load.modules[i].file.size);
	t->info_size = info_room(t);
	t->items[ITEM_BLOCK].size = t->info_size + modules;
	t->items[ITEM_HANDOFF].size = HANDOFF_SIZE;
	t->items[ITEM_TBOOT].size = t->load.tboot_file.size;
	t->rules.moved = modules;
}

/* From the block's end down, each at a page, as tboot would put them. */
static void place_modules(struct txt *t)
{
	uint64_t top = t->items[ITEM_BLOCK].address + t->items[ITEM_BLOCK].size;

	for (size_t i = 0; i < t->load.count; i++) {
		top -= page_up(t->load.modules[i].file.size);
		t->load.modules[i].file.place = (uint8_t *)(uintptr_t)top;
	}
}

/* Gives every file its place. tboot's own is not known before its file is read; it gets looked at then. */
static bool place(struct txt *t)
{
	enum layout_error e = LAYOUT_E_MAP;
	bool done = false;

	list_items(t);
	for (unsigned try = 0; try < PLACE_TRIES && !done; try++) {
		if (EFI_ERROR(note(t, read_map(t))) ||
			efi_map_read((struct span){ t->raw, t->raw_size }, t->descriptor_size, &t->map) != EFI_MAP_OK) {
			e = LAYOUT_E_MAP;
			break;
		}
		e = layout_place(&t->map, &t->rules, t->items, ITEM_COUNT, &t->scratch);
		if (e != LAYOUT_OK)
			break;
		done = allocate_items(t);
		e = done ? LAYOUT_OK : LAYOUT_E_PLACE;
	}
	if (!done) {
		found_memory(t, e);
		return false;
	}
	place_modules(t);
	t->load.tboot_file.place = item_bytes(t, ITEM_TBOOT);
	return true;
}

/* Is everything still as tboot wants it, now that its own place is known? */
static enum layout_error check(struct txt *t)
{
	if (efi_map_read((struct span){ t->raw, t->raw_size }, t->descriptor_size, &t->map) != EFI_MAP_OK)
		return LAYOUT_E_MAP;
	return layout_check(&t->map, &t->rules, t->items, ITEM_COUNT, &t->scratch);
}

static bool write_handoff(struct txt *t)
{
	const struct tboot_image *image = &t->load.tboot;
	uint32_t from = (uint32_t)t->items[ITEM_TBOOT].address;

	t->handoff = (struct handoff){ .entry = image->entry, .magic = MB2_MAGIC, .info = (uint32_t)t->items[ITEM_BLOCK].address };
	for (size_t i = 0; i < image->count; i++) {
		const struct elf_segment *s = &image->segments[i];

		t->handoff.copies[t->handoff.count++] = (struct handoff_copy){ .to = (uint32_t)s->address,
			.from = from + (uint32_t)s->offset,
			.bytes = (uint32_t)s->file_size,
			.zeros = (uint32_t)(s->memory_size - s->file_size) };
	}
	return handoff_write(&t->handoff, t->env->handoff_code, (uint32_t)t->items[ITEM_HANDOFF].address,
		(struct mspan){ item_bytes(t, ITEM_HANDOFF), HANDOFF_SIZE });
}

static enum vlp_action load(struct txt *t)
{
	struct tboot_line options;
	enum layout_error e;
	enum vlp_action act;

	t->load.l = t->l;
	t->load.report = &t->report;
	txt_load_open(&t->load, t->facts.sinit_io == LAUNCH_IO_OK ? t->facts.sinit : (struct span){ NULL, 0 },
		t->facts.lcp_io == LAUNCH_IO_OK ? t->facts.lcp : (struct span){ NULL, 0 });
	act = decide(t);
	if (act != VLP_ACT_CONTINUE)
		return act;
	tboot_line_parse(t->l->description.txt.tboot.cmdline, &options);
	t->rules = (struct layout_rules){ .min_ram = options.min_ram,
		.avoid = { preflight_heap_range(&t->facts.chipset), preflight_sinit_range(&t->facts.chipset) } };
	if (!map_room(t) || !place(t)) {
		if (!t->raw)
			found_memory(t, LAYOUT_E_ROOM);
		return decide(t);
	}
	txt_load_read(&t->load);
	act = decide(t);
	if (act != VLP_ACT_CONTINUE)
		return act;
	t->rules.tboot_low = t->load.tboot.low;
	t->rules.tboot_high = t->load.tboot.high;
	if (EFI_ERROR(note(t, read_map(t))))
		e = LAYOUT_E_MAP;
	else
		e = check(t);
	if (e == LAYOUT_OK && !write_handoff(t))
		e = LAYOUT_E_PLACE;
	if (e != LAYOUT_OK)
		found_memory(t, e);
	return decide(t);
}

/* ---------------------------------------------------------------- the way out */

static void list_modules(struct txt *t)
{
	for (size_t i = 0; i < t->load.count; i++)
		t->modules[i] = (struct mb2_module){
			.start = (uint32_t)(uintptr_t)t->load.modules[i].file.place,
			.end = (uint32_t)((uintptr_t)t->load.modules[i].file.place + t->load.modules[i].file.size),
			.string = description_module_cmdline(t->load.modules[i].module),
		};
}

static bool write_info(struct txt *t)
{
	struct mspan room = { item_bytes(t, ITEM_BLOCK), (size_t)t->info_size };
	/* clang-format off */
	struct mbi m = {
		.cmdline = t->l->description.txt.tboot.cmdline, .modules = t->modules, .module_count = t->load.count, .memory = t->memory,
		.descriptor_size = (uint32_t)t->descriptor_size, .descriptor_version = t->descriptor_version,
		.system_table = (uintptr_t)t->env->st, .rsdp_old = t->acpi.rsdp_old, .rsdp_new = t->acpi.rsdp_new,
		.framebuffer = t->has_framebuffer ? &t->framebuffer : NULL,
	};
	/* clang-format on */
	size_t n;

	if (!efi_map_to_mb2(&t->map, t->memory, GL_COUNT(t->memory), &m.memory_count))
		return false;
	m.efi_map = (struct span){ t->raw, efi_map_join((struct mspan){ t->raw, t->raw_size }, t->descriptor_size) };
	return mbi_write(&m, room, &n);
}

static void print_start(struct txt *t)
{
	char buf[LINE];
	struct text text = TEXT_OF(buf);
	uint64_t ms = env_now_us(t->env) / 1000;

	text_str(&text, "geolaunch: starting tboot at ");
	text_hex(&text, t->load.tboot.entry, 1);
	text_str(&text, " with ");
	text_u64(&text, t->load.count);
	text_str(&text, " modules after ");
	text_u64(&text, ms);
	text_str(&text, " ms; it measures them, nothing has been measured so far");
	line(t, buf);
}

/* From the first ExitBootServices() on there may be no console, no files and no timers any more. */
static _Noreturn void stranded(struct txt *t)
{
	t->env->st->RuntimeServices->ResetSystem(
		t->l->description.on_halt == DESCRIPTION_POWEROFF ? EfiResetShutdown : EfiResetCold, EFI_ABORTED, 0, NULL);
	for (;;)
		;
}

/*
 * Gives back what is held, and goes. Returns only if the very last look at the memory map failed, with the firmware still there; that
 * should never be, and is the end of the launch.
 */
static void leave(struct txt *t)
{
	t->has_framebuffer = machine_framebuffer(t->env, &t->framebuffer);
	list_modules(t);
	memset(item_bytes(t, ITEM_BLOCK), 0, (size_t)t->info_size);
	if (!platform_give_back(t->env, t->platform))
		line(t, "geolaunch: the firmware's TPM locality did not come back: later firmware measurements may be missing");
	print_start(t);
	volume_close(t->volume);
	for (unsigned try = 0; try < EXIT_TRIES; try++) {
		EFI_STATUS s = read_map(t);

		/* The first map of all was good, so is a later one, or what it says cannot be trusted. */
		if (EFI_ERROR(s) || check(t) != LAYOUT_OK || !write_info(t)) {
			if (try > 0)
				stranded(t);
			(void)note(t, s);
			found_memory(t, LAYOUT_E_MAP);
			return;
		}
		s = t->env->bs->ExitBootServices(t->env->image, t->map_key);
		if (!EFI_ERROR(s))
			t->env->hardware->leave(item_bytes(t, ITEM_HANDOFF));
	}
	stranded(t);
}

/* ---------------------------------------------------------------- */

static enum vlp_action run(struct txt *t)
{
	enum vlp_action act = preflight(t);

	if (act == VLP_ACT_CONTINUE)
		act = load(t);
	txt_load_close(&t->load);
	if (act != VLP_ACT_CONTINUE)
		return act;
	leave(t);
	(void)!decide(t);
	return VLP_ACT_HALT;
}

enum txt_end txt_launch(struct efi_env *env, struct launch *l, struct platform *p, struct volume *v, EFI_STATUS *status)
{
	EFI_PHYSICAL_ADDRESS where = 0;
	UINTN pages = (sizeof(struct txt) + EFI_PAGE - 1) / EFI_PAGE;
	enum vlp_action act;
	struct txt *t;

	*status = env->bs->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, &where);
	if (EFI_ERROR(*status)) {
		console_line(env, "geolaunch: no memory to prepare the launch");
		return TXT_HALT;
	}
	t = (struct txt *)(uintptr_t)where;
	memset(t, 0, sizeof(*t));
	t->env = env;
	t->l = l;
	t->platform = p;
	t->volume = v;
	act = run(t);
	*status = t->status;
	free_items(t);
	if (t->raw)
		(void)env->bs->FreePages((uintptr_t)t->raw, t->raw_pages);
	(void)env->bs->FreePages(where, pages);
	return act == VLP_ACT_UNMEASURED ? TXT_UNMEASURED : TXT_HALT;
}
