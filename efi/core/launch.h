/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_LAUNCH_H
#define GL_EFI_CORE_LAUNCH_H

#include "common/description.h"
#include "common/hash.h"
#include "boot/cpio.h"
#include "boot/embedded.h"
#include "tboot-policy/apply.h"

/*
 * The direct launch, without any firmware call of its own: reads description and policy, loads every file once, measures in one pass
 * while it reads, applies the policy, and leaves in memory what is to be started. Runs under test on the host.
 */

#define LAUNCH_DESCRIPTION_FILE "launch.conf"
#define LAUNCH_POLICY_MAX ((size_t)64 * 1024)
#define LAUNCH_STAGE_MAX ((size_t)16 * 1024 * 1024)

enum launch_io {
	LAUNCH_IO_OK,
	LAUNCH_IO_MISSING,
	LAUNCH_IO_ERROR,
};

struct launch_ops {
	/* Opens a file of the launch folder. */
	enum launch_io (*open)(void *ctx, struct span name, void **file, uint64_t *size);
	/* Reads exactly `n` further bytes; `name` as it was opened. */
	enum launch_io (*read)(void *ctx, struct span name, void *file, uint8_t *buf, size_t n);
	/* What open() or read() meant by its last LAUNCH_IO_ERROR. */
	void (*io_text)(void *ctx, struct text *t);
	void (*close)(void *ctx, void *file);
	/* Memory that stays until the host runs; NULL if there is not enough. Page-aligned. */
	uint8_t *(*alloc)(void *ctx, size_t n);
	/* One line of text; a progress line that the next line replaces. */
	void (*line)(void *ctx, const char *text);
	void (*progress)(void *ctx, const char *text);
	uint64_t (*now_us)(void *ctx);
	/* The TPM. Without banks to extend (host not measured) only read_nv is called, and it may answer APPLY_NV_UNREADABLE. */
	struct apply_ops tpm;
};

/* A module's file on its way into memory. */
struct launch_file {
	void *file; /* open, or NULL */
	enum launch_io io;
	size_t size;
	uint8_t *place; /* where its bytes go */
};

struct launch {
	const struct launch_ops *ops;
	void *ctx;
	bool secure_boot;         /* the firmware starts signed programs only, so nothing may get past that by us */
	struct embedded embedded; /* out of geolaunch.efi itself; if there, no file counts */

	struct span description_bytes;
	struct description description;
	struct span policy_bytes;
	struct vlp policy;
	struct apply apply;
	bool measured; /* false: the policy let the host start unmeasured */

	struct launch_file files[DESCRIPTION_MAX_MODULES];
	bool pinned[DESCRIPTION_MAX_MODULES]; /* what was read is what the policy names, see launch_is_pinned() */
	struct cpio_member members[DESCRIPTION_MAX_MODULES];
	size_t member_module[DESCRIPTION_MAX_MODULES];
	size_t member_count;
	uint8_t *initrd;    /* initrd and members; NULL if there are none */
	size_t initrd_file; /* bytes of the initrd itself */
	size_t initrd_size; /* of all */
	size_t initrd_room; /* bytes allocated */

	size_t current_size; /* of the module being reported */
	uint64_t read_us, hash_us, tpm_us;
};

/* How the preparation went; anything but LAUNCH_PREPARED means: cap with launch_cap(), halt. */
enum launch_prepared {
	LAUNCH_PREPARED,
	LAUNCH_NO_DESCRIPTION,
	LAUNCH_BAD_DESCRIPTION,
	LAUNCH_UNSIGNED_DESCRIPTION,
	LAUNCH_NO_POLICY,
	LAUNCH_BAD_POLICY,
	LAUNCH_PREPARED_COUNT
};

/*
 * Reads and checks description and policy. `l` must be zeroed but for ops, ctx, secure_boot and embedded. Prints one line about what is
 * wrong. Without a valid policy nobody can say what may go on, so every failure here ends the launch.
 */
GL_MUST enum launch_prepared launch_prepare(struct launch *l);

/* The reason to cap for a failed preparation. */
enum cap launch_cap(enum launch_prepared p);

/*
 * Loads and measures everything. `banks` = 0: not measured, but still compared with the policy. After VLP_ACT_CONTINUE the host may be
 * started from launch_image() and launch_initrd(); after VLP_ACT_HALT PCR 17-22 are capped.
 */
GL_MUST enum vlp_action launch_measure(struct launch *l, alg_set banks);

/* Of the first module with that role: its bytes in memory, its configured command line, the name of its file. Empty if there is none. */
struct span launch_image(const struct launch *l, enum role role);
struct span launch_cmdline(const struct launch *l, enum role role);
struct span launch_file_name(const struct launch *l, enum role role);
/*
 * Whether the policy names this module, and with this command line, by a digest that nobody can forge (SHA-256 or longer). Where the
 * policy is signed the signature vouches for what is pinned.
 */
GL_MUST bool launch_is_pinned(const struct launch *l, unsigned number, struct span cmdline, const struct digests *image);

/* Whether that holds for hypervisor and kernel as they are in memory, by a policy out of geolaunch.efi itself. After launch_measure(). */
GL_MUST bool launch_host_is_pinned(const struct launch *l);

/* initrd with members appended; empty if there is neither. */
struct span launch_initrd(const struct launch *l);

/* Prints the values of PCR 17-22 in all banks of `p`. */
void launch_print_pcrs(struct launch *l, const struct pcrs *p);

#endif
