/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_SHM_H
#define GL_TXT_SHM_H

#include "qemu/txt/qmp.h"

/*
 * Memory that the guest and we share: an ivshmem-plain device whose backing file we map. Its BAR 2 is put where the platform wants it, by PCI
 * configuration writes through the monitor (ports 0xCF8 and 0xCFC). A device at a function other than 0 of a slot without function 0 is seen by
 * neither firmware nor operating system, so that nobody moves it again.
 */
struct shm {
	uint8_t *bytes; /* NULL: not mapped */
	size_t size;
	uint64_t base;                /* where the guest sees it; 0: nowhere */
	unsigned bus, slot, function; /* of its device */
};

/* Maps the file, which must exist and be of just this size. `why` on failure. */
GL_MUST bool shm_map(struct shm *s, const char *path, size_t size, char *why, size_t why_size);
void shm_unmap(struct shm *s);

/*
 * Finds its device: the only ivshmem-plain (1af4:1110) whose BAR 2 has this size. `why` on failure.
 */
GL_MUST bool shm_find(struct shm *s, struct qmp *q, char *why, size_t why_size);

/*
 * Puts BAR 2 at `base`, below 4 GiB and a multiple of the size, and switches it on. Refused if another device's memory is there. Needed again
 * after each reset of the machine.
 */
GL_MUST bool shm_place(struct shm *s, struct qmp *q, uint64_t base, char *why, size_t why_size);

#endif
