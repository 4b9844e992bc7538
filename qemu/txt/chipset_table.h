/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_CHIPSET_TABLE_H
#define GL_TXT_CHIPSET_TABLE_H

#include "qemu/txt/chipset.h"

/* The registers as tables; between the files of chipset.h. */

#define CHIPSET_THREADS_EXIST 0x010
#define CHIPSET_THREADS_JOIN 0x020

enum chipset_lock {
	CHIPSET_LOCK_NONE,
	CHIPSET_LOCK_BASE, /* TXT.CMD.LOCK-BASE */
	CHIPSET_LOCK_SELF, /* bit 0 of the register itself */
};

struct chipset_row {
	uint32_t offset;
	uint8_t size; /* of what software can access */
	const char *name;
	bool public_write, private_write;
	bool sticky; /* survives a reset that keeps power */
	enum chipset_lock lock;
	const char *source;
};

extern const struct chipset_row chipset_table[CHIPSET_REGISTERS];

enum chipset_command_kind {
	CHIPSET_CMD_NOTHING, /* known, without an effect that software could see here */
	CHIPSET_CMD_RESET,
	CHIPSET_CMD_OPEN_PRIVATE,
	CHIPSET_CMD_CLOSE_PRIVATE,
	CHIPSET_CMD_UNLOCK_MEM_CONFIG,
	CHIPSET_CMD_LOCK_BASE,
	CHIPSET_CMD_UNLOCK_BASE,
	CHIPSET_CMD_OPEN_LOCALITY1,
	CHIPSET_CMD_CLOSE_LOCALITY1,
	CHIPSET_CMD_OPEN_LOCALITY2,
	CHIPSET_CMD_CLOSE_LOCALITY2,
	CHIPSET_CMD_SECRETS,
	CHIPSET_CMD_NO_SECRETS,
};

struct chipset_command {
	uint32_t offset;
	enum chipset_command_kind what;
	const char *id, *name, *source;
};

extern const struct chipset_command chipset_commands[];
extern const size_t chipset_command_count;

#endif
