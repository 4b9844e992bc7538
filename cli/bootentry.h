/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_BOOTENTRY_H
#define GL_CLI_BOOTENTRY_H

#include "cli/cli.h"
#include "common/slots.h"

/*
 * Boot entries of ours in the firmware's variables: Boot#### and BootOrder (UEFI 2.10, 3.1), through libefivar. One is ours if its
 * device path is that of \EFI\geolaunch\<slot>\geolaunch.efi on this ESP; all others are only ever kept.
 *
 * Each variable is replaced at once by the firmware. An entry that BootOrder does not name is not started by itself, so an entry is made
 * first, then BootOrder is written, then entries that it no longer names are removed.
 */

struct boot_entry {
	uint16_t number;
	char slot[SLOT_NAME_SIZE + 1];
	uint8_t *option; /* EFI_LOAD_OPTION as the firmware has it */
	size_t size;
};

struct boot_entries {
	uint8_t *partition; /* device path of the ESP's partition, without an end node */
	size_t partition_size;
	struct boot_entry *entries; /* ours, by number */
	size_t count;
	uint16_t *order; /* BootOrder as it is */
	size_t order_count;
	uint8_t used[65536 / 8]; /* numbers that some Boot#### has */
};

/* Whether there are firmware variables: the system was started by UEFI firmware and shows them. */
bool boot_available(void);

/* Reads all. `esp` is the top of the mounted ESP. `out` must be zeroed and is to be freed in any case. */
GL_MUST bool boot_read(const char *esp, struct boot_entries *out, struct cli_fault *fault);

void boot_free(struct boot_entries *b);

/* The slot that a load option starts; false if it is none of ours. `out` on success only. */
GL_MUST bool boot_slot(const struct boot_entries *b, struct span option, char out[SLOT_NAME_SIZE + 1]);

/* The entry of a slot, the first one in BootOrder if there are several; NULL if there is none. */
const struct boot_entry *boot_find(const struct boot_entries *b, const char *slot);

/* The next entry of ours in BootOrder from `*at` (0 to begin) on, NULL at its end. */
const struct boot_entry *boot_next(const struct boot_entries *b, size_t *at);

/* Makes the entry of a slot, or makes it as it should be; `changed` is set if something was written. */
GL_MUST bool boot_make(struct boot_entries *b, const char *slot, const char *label, bool *changed, struct cli_fault *fault);

/*
 * Makes BootOrder name, of our entries, those of these slots in this order, in the place where the first of ours was (else at the
 * front). Slots without an entry are left out. One write of one variable.
 */
GL_MUST bool boot_order(struct boot_entries *b, const char *const *slots, size_t n, bool *changed, struct cli_fault *fault);

/* Removes every entry of ours that is not the one of these slots. BootOrder must not name them any more. */
GL_MUST bool boot_forget(struct boot_entries *b, const char *const *slots, size_t n, bool *changed, struct cli_fault *fault);

#endif
