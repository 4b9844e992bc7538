/* SPDX-License-Identifier: BSD-3-Clause */
#include "xen.h"

#include "boot/elf.h"
#include "boot/memory_map.h"
#include "boot/multiboot2_header.h"
#include "common/description.h"
#include "console.h"
#include "machine.h"

#define PAGE ((uint64_t)4096)
#define LINE 240
#define LAST_BELOW_4G 0xffffffffu
/* A file name, a blank, a command line, NUL. */
#define ARGUMENTS (DESCRIPTION_MAX_FILE + 1 + DESCRIPTION_MAX_CMDLINE + 1)
#define LOADER_NAME "geolaunch " GEOLAUNCH_VERSION

/* Information that can be given while boot services run: all that an image may require. */
#define SUPPORTED \
	(1u << MB2_CMDLINE | 1u << MB2_LOADER_NAME | 1u << MB2_MODULE | 1u << MB2_BASIC_MEMINFO | 1u << MB2_MMAP | 1u << MB2_EFI64 | \
		1u << MB2_EFI_BOOT_SERVICES | 1u << MB2_EFI64_IMAGE | 1u << MB2_LOAD_BASE)

/* Pages of the firmware; count is 0 if there are none. */
struct pages {
	EFI_PHYSICAL_ADDRESS where;
	UINTN count;
};

/* Too large for a firmware's stack. */
struct memory {
	struct efi_map map;
	struct mb2_memory entries[EFI_MAP_MAX + 1];
	size_t count;
};

struct xen {
	struct efi_env *env;
	const struct host *host;
	struct elf_plan plan;
	struct mb2_header header;
	struct memory *memory; /* from the firmware's pool */
	struct pages image, info;
	uint64_t base; /* where the image's lowest byte goes */
};

static EFI_STATUS refuse(struct xen *x, struct span file, const char *what, EFI_STATUS s)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "geolaunch: ");
	text_span(&t, file);
	text_str(&t, ": ");
	text_str(&t, what);
	console_line(x->env, buf);
	return s;
}

static EFI_STATUS take(
	struct xen *x, struct pages *p, EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, EFI_PHYSICAL_ADDRESS where, size_t bytes)
{
	UINTN count = 0;
	EFI_STATUS s = EFI_OUT_OF_RESOURCES;

	if (env_pages(bytes, &count))
		s = x->env->bs->AllocatePages(how, type, count, &where);
	if (!EFI_ERROR(s))
		*p = (struct pages){ where, count };
	return s;
}

static void release(struct xen *x)
{
	if (x->image.count)
		(void)x->env->bs->FreePages(x->image.where, x->image.count);
	if (x->info.count)
		(void)x->env->bs->FreePages(x->info.where, x->info.count);
	if (x->memory)
		(void)x->env->bs->FreePool(x->memory);
}

/* ---------------------------------------------------------------- image */

static EFI_STATUS check_image(struct xen *x)
{
	const struct host *h = x->host;
	enum elf_error e = elf_plan(h->image, &x->plan);
	enum mb2_header_error m;

	/* An ELF image carries no signature, and the firmware's own loader is not asked: so somebody else has to vouch for it. */
	if (h->secure_boot && !h->pinned)
		return refuse(x, h->name,
			"Secure Boot is on, and the signed policy does not name Xen and its kernel by digests of SHA-256 or better: build again with them",
			EFI_SECURITY_VIOLATION);
	if (e != ELF_OK)
		return refuse(x, h->name, elf_strerror(e), EFI_LOAD_ERROR);
	m = mb2_header_parse(h->image, &x->header);
	if (m != MB2_HEADER_OK)
		return refuse(x, h->name, mb2_header_strerror(m), EFI_LOAD_ERROR);
	if (!mb2_header_has(&x->header, MB2_HEADER_EFI_BOOT_SERVICES) || !mb2_header_has(&x->header, MB2_HEADER_ENTRY_EFI64))
		return refuse(x, h->name,
			"it cannot be started with boot services (multiboot2 header tags 7 and 9): use a Xen built for EFI",
			EFI_UNSUPPORTED);
	if (mb2_header_has(&x->header, MB2_HEADER_ADDRESS) || (x->header.required & ~SUPPORTED))
		return refuse(x, h->name, "its multiboot2 header asks for what cannot be given: it is no Xen that is known here",
			EFI_UNSUPPORTED);
	if (x->header.entry_efi64 < x->plan.low || x->header.entry_efi64 >= x->plan.high)
		return refuse(x, h->name, "its EFI entry point lies outside of the image", EFI_LOAD_ERROR);
	return EFI_SUCCESS;
}

/* What the firmware would give out now. */
static void list_free(struct memory *m)
{
	m->count = 0;
	for (size_t i = 0; i < m->map.count; i++)
		if (m->map.regions[i].kind == EFI_MAP_FREE)
			m->entries[m->count++] =
				(struct mb2_memory){ m->map.regions[i].base, m->map.regions[i].size, MB2_MEMORY_AVAILABLE };
}

/* Finds room for the image where it can run, and takes it. */
static EFI_STATUS place_image(struct xen *x)
{
	const struct mb2_header *h = &x->header;
	struct memory_request r = { .size = x->plan.high - x->plan.low, .align = PAGE };

	x->base = x->plan.low;
	if (mb2_header_has(h, MB2_HEADER_RELOCATABLE)) {
		if (h->relocatable.align > PAGE)
			r.align = h->relocatable.align;
		r.min = h->relocatable.min;
		r.max = h->relocatable.max;
		r.high = h->relocatable.preference == MB2_PREFER_HIGH;
		list_free(x->memory);
		if (!memory_find(x->memory->entries, x->memory->count, &r, &x->base))
			return refuse(x, x->host->name, "no free memory where it can run: give the host more memory below 4 GiB",
				EFI_OUT_OF_RESOURCES);
	}
	if (x->base > LAST_BELOW_4G || r.size > LAST_BELOW_4G - x->base)
		return refuse(x, x->host->name, "it wants to be loaded above 4 GiB", EFI_UNSUPPORTED);
	if (EFI_ERROR(take(x, &x->image, AllocateAddress, EfiLoaderCode, x->base & ~(PAGE - 1), (size_t)(r.size + x->base % PAGE))))
		return refuse(x, x->host->name, "the memory that it is linked to is in use by the firmware", EFI_OUT_OF_RESOURCES);
	if (!elf_load(x->host->image, &x->plan, (struct mspan){ (uint8_t *)(uintptr_t)x->base, (size_t)r.size }))
		return refuse(x, x->host->name, "it cannot be loaded", EFI_LOAD_ERROR);
	return EFI_SUCCESS;
}

/* ---------------------------------------------------------------- information */

/*
 * Xen takes the first word of a command line for the name of the file and drops it, unless its loader calls itself GRUB
 * (Xen 4.17, xen/arch/x86/setup.c, cmdline_cook()). So the name goes before what was configured and measured.
 */
static struct span arguments(struct text *t, struct span name, struct span cmdline)
{
	text_span(t, name);
	text_char(t, ' ');
	text_span(t, cmdline);
	return (struct span){ (const uint8_t *)t->p, t->n };
}

static void put_cmdline(struct mb2_writer *w, const struct host *h)
{
	char buf[ARGUMENTS];
	struct text t = TEXT_OF(buf);

	mb2_put_cmdline(w, arguments(&t, h->name, h->cmdline));
}

static struct mb2_module module(struct span bytes, struct span string)
{
	uintptr_t start = (uintptr_t)bytes.p;

	return (struct mb2_module){ (uint32_t)start, (uint32_t)(start + bytes.n), string };
}

static void put_modules(struct mb2_writer *w, const struct host *h)
{
	char buf[ARGUMENTS];
	struct text t = TEXT_OF(buf);
	struct mb2_module m = module(h->kernel, arguments(&t, h->kernel_name, h->kernel_cmdline));

	mb2_put_module(w, &m);
	m = module(h->initrd, SPAN_LITERAL("initrd"));
	if (h->initrd.n)
		mb2_put_module(w, &m);
}

static bool put_info(struct xen *x, struct mb2_writer *w, size_t *n)
{
	bool acpi2 = false;
	struct span rsdp = machine_rsdp(x->env, &acpi2);
	uint32_t lower, upper;

	put_cmdline(w, x->host);
	mb2_put_loader_name(w, SPAN_LITERAL(LOADER_NAME));
	put_modules(w, x->host);
	memory_basic(x->memory->entries, x->memory->count, &lower, &upper);
	mb2_put_basic_meminfo(w, lower, upper);
	mb2_put_mmap(w, x->memory->entries, x->memory->count);
	mb2_put_number(w, MB2_EFI64, (uintptr_t)x->env->st);
	if (rsdp.n)
		mb2_put(w, acpi2 ? MB2_ACPI_NEW : MB2_ACPI_OLD, rsdp);
	mb2_put(w, MB2_EFI_BOOT_SERVICES, (struct span){ NULL, 0 });
	mb2_put_number(w, MB2_EFI64_IMAGE, (uintptr_t)x->env->image);
	mb2_put_number(w, MB2_LOAD_BASE, x->base);
	return mb2_end(w, n);
}

static bool below_4g(struct span s)
{
	return s.n == 0 || ((uintptr_t)s.p <= LAST_BELOW_4G && s.n <= LAST_BELOW_4G - (uintptr_t)s.p);
}

static EFI_STATUS write_info(struct xen *x)
{
	struct memory *m = x->memory;
	struct mb2_writer w;
	size_t n = 0;

	if (!below_4g(x->host->kernel) || !below_4g(x->host->initrd))
		return refuse(
			x, x->host->name, "kernel and initrd must lie below 4 GiB: give the host more memory there", EFI_OUT_OF_RESOURCES);
	mb2_begin_measure(&w);
	if (!efi_map_to_mb2(&m->map, m->entries, GL_COUNT(m->entries), &m->count) || !put_info(x, &w, &n))
		return refuse(x, x->host->name, "the firmware's tables do not fit the multiboot2 information", EFI_DEVICE_ERROR);
	if (EFI_ERROR(take(x, &x->info, AllocateMaxAddress, EfiLoaderData, LAST_BELOW_4G, n)))
		return refuse(x, x->host->name, "no memory for the multiboot2 information", EFI_OUT_OF_RESOURCES);
	mb2_begin(&w, (struct mspan){ (uint8_t *)(uintptr_t)x->info.where, n });
	if (!put_info(x, &w, &n))
		return refuse(x, x->host->name, "the firmware's tables changed meanwhile", EFI_DEVICE_ERROR);
	return EFI_SUCCESS;
}

/* ---------------------------------------------------------------- start */

/*
 * A Xen that gives up before it has left boot services calls Exit() for our image handle (xen/common/efi/boot.c, blexit()). The firmware
 * would then go on to the next boot entry with PCRs that speak of this launch, and without us. So that call leads back here.
 */
static struct {
	EFI_EXIT exit; /* the firmware's */
	EFI_HANDLE image;
	void *back[5];
} guard;

static EFI_STATUS EFIAPI guarded_exit(EFI_HANDLE image, EFI_STATUS status, UINTN n, CHAR16 *data)
{
	if (image == guard.image)
		__builtin_longjmp(guard.back, 1);
	return guard.exit(image, status, n, data);
}

/* Changes the entry and the table's checksum (UEFI 2.9, 4.2). */
static void set_exit(EFI_BOOT_SERVICES *bs, EFI_EXIT f)
{
	UINT32 crc = 0;

	bs->Exit = f;
	bs->Hdr.CRC32 = 0;
	if (!EFI_ERROR(bs->CalculateCrc32(bs, bs->Hdr.HeaderSize, &crc)))
		bs->Hdr.CRC32 = crc;
}

__attribute__((noinline)) static void enter(struct xen *x)
{
	uint64_t entry = x->base + (x->header.entry_efi64 - x->plan.low);

	if (__builtin_setjmp(guard.back) == 0)
		x->env->enter(entry, MB2_MAGIC, (uint32_t)x->info.where);
}

static EFI_STATUS prepare(struct xen *x)
{
	EFI_STATUS s = check_image(x);

	if (EFI_ERROR(s))
		return s;
	s = x->env->bs->AllocatePool(EfiLoaderData, sizeof(*x->memory), (void **)&x->memory);
	if (EFI_ERROR(s)) {
		x->memory = NULL;
		return refuse(x, x->host->name, "no memory to lay it out", s);
	}
	s = machine_memory(x->env, &x->memory->map);
	if (EFI_ERROR(s))
		return refuse(x, x->host->name, "the firmware gives no memory map that can be read", s);
	s = place_image(x);
	return EFI_ERROR(s) ? s : write_info(x);
}

EFI_STATUS xen_start(struct efi_env *env, const struct host *h)
{
	struct xen x = { .env = env, .host = h };
	EFI_STATUS s = prepare(&x);

	if (!EFI_ERROR(s)) {
		console_line(env, "geolaunch: starting the hypervisor");
		guard.exit = env->bs->Exit;
		guard.image = env->image;
		set_exit(env->bs, guarded_exit);
		enter(&x);
		set_exit(env->bs, guard.exit);
		console_line(env, "geolaunch: the hypervisor came back");
		s = EFI_ABORTED;
	}
	release(&x);
	return s;
}
