/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_STAGE_CORE_TBOOT_SHARED_H
#define GL_STAGE_CORE_TBOOT_SHARED_H

#include "stage/core/error.h"
#include "txt/range.h"

/*
 * The page that tboot shares with what it has launched: Linux 6.1, include/linux/tboot.h; tboot 1.10.5, include/tboot.h. Packed,
 * little-endian.
 */
#define TBOOT_SHARED_SIZE 4096
#define TBOOT_SHARED_MIN_VERSION 5 /* the first that Linux takes, too */

enum tboot_shutdown {
	TBOOT_REBOOT = 0,
	TBOOT_S5 = 1, /* power off; needs struct tboot_sleep */
	TBOOT_S4 = 2,
	TBOOT_S3 = 3,
	TBOOT_HALT = 4, /* stop for good, power on */
	TBOOT_WFS = 5,
};

struct tboot_shared {
	uint32_t version;
	uint32_t shutdown_entry;
	struct txt_range memory; /* what tboot keeps for itself */
};

/* Power management registers for TBOOT_S5: ACPI 6.4, 4.8.3.2. */
struct tboot_sleep {
	struct {
		uint8_t space;    /* 0 memory, 1 I/O */
		uint8_t width;    /* bits */
		uint8_t access;   /* 1 byte, 2 word, 3 dword */
		uint64_t address; /* 0: there is none */
		uint16_t value;   /* to be written */
	} pm1a, pm1b;
};

/* Reads and checks a page: UUID, version, its own place and the shutdown entry lie in tboot's memory. `out` on success only. */
GL_MUST enum stage_error tboot_shared_read(struct span page, uint32_t address, struct tboot_shared *out);

/* Sets what shutdown_entry shall do. `sleep` for TBOOT_S5 only, else NULL. */
void tboot_shared_set(struct mspan page, enum tboot_shutdown type, const struct tboot_sleep *sleep);

#endif
