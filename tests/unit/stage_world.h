/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_STAGE_WORLD_H
#define GL_TESTS_STAGE_WORLD_H

#include "stage/core/plan.h"

/*
 * What the stage finds after tboot, in an array that is the memory from 0 on: shared page, multiboot2 information, modules, TXT heap with a
 * log, ACPI tables. Everything is good; tests spoil one thing.
 */
#define STAGE_RAM 0x8000000u
#define STAGE_TBOOT 0x804000u
#define STAGE_TBOOT_END 0xc00000u
#define STAGE_SHARED 0x810000u
#define STAGE_SHUTDOWN 0x805000u
#define STAGE_INFO 0xd00000u
#define STAGE_MODULES 0xe00000u /* one behind the other, at pages */
#define STAGE_HEAP 0x6400000u
#define STAGE_HEAP_SIZE 0x10000u
#define STAGE_LOG (STAGE_HEAP + 0x2000u)
#define STAGE_LOG_SIZE 4096u
#define STAGE_XSDT 0x7200000u
#define STAGE_FADT 0x7201000u
#define STAGE_DSDT 0x7202000u
#define STAGE_EFI_TABLE 0x7300000u
#define STAGE_WORLD_MODULES 8

struct stage_scene {
	uint8_t *ram;
	struct stage_world world;
	/* what scene_build() writes; scene_linux() and scene_xen() set it */
	char line[2048];
	bool tboot_word;
	size_t module_count;
	struct {
		char string[2100];
		const uint8_t *bytes;
		size_t n;
		uint32_t shift; /* moves it off its page */
		uint32_t at;    /* set by scene_build() */
	} modules[STAGE_WORLD_MODULES];
	size_t mmap_count;
	struct mb2_memory mmap[160];
	bool efi, acpi;
	size_t efi_count;
	struct {
		uint32_t type;
		uint64_t base, pages;
	} efi_map[16];
	uint8_t kernel[0x2000], dom0[5000], initrd[6001], vmm[70001], conf[10];
	/* scene_plan() */
	struct handover handover;
	struct stage_memory memory;
	struct stage_plan plan;
	struct stage_jump jump;
};

struct stage_scene *scene_new(void);
void scene_free(struct stage_scene *s);
void scene_linux(struct stage_scene *s);
void scene_xen(struct stage_scene *s);
/* A new one with either. */
struct stage_scene *scene_host(bool xen);

/* Writes it into the memory. */
void scene_build(struct stage_scene *s);
/* All steps up to the plan, and with the load; the first error. */
enum stage_error scene_plan(struct stage_scene *s);
enum stage_error scene_load(struct stage_scene *s);

/* A table's checksum set right. */
void scene_sum(struct stage_scene *s, uint32_t address);
/* ACPI tables with \_S5 = { a, b }. Part of scene_build(). */
void scene_acpi(struct stage_scene *s, unsigned a, unsigned b);
/* A heap with a log of two events; `used` is its size. Part of scene_build(). */
size_t scene_heap(struct stage_scene *s, alg_set banks);

#endif
