/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_FAKE_EFI_SCENE_H
#define GL_TESTS_FAKE_EFI_SCENE_H

#include "efi/env.h"
#include "tests/unit/fake_efi.h"
#include "tests/unit/fake_tpm.h"
#include "tests/unit/fake_tpm_mmio.h"
#include "tests/unit/oracle.h"
#include "tpm/efi/tcg2.h"

/*
 * A whole host: firmware, TPM with registers and TCG2 protocol, a volume with a launch that works. Tests break one thing of it, run
 * the application and compare with what the rules say.
 */

#define SCENE_FOLDER "\\EFI\\geolaunch\\"
#define SCENE_GEO 0x01c10110u
/* Steps of the launch as it should be, see scene_expect(). */
#define SCENE_MODULES "policy m0 m1 m2 m3 m4"
#define SCENE_GOOD SCENE_MODULES " nv closing"

/* Modules by number. */
enum { SCENE_CONF, SCENE_LINUX, SCENE_INITRD, SCENE_VMM, SCENE_FILE, SCENE_MODULE_COUNT };

#define SCENE_ALL (1u << SCENE_LINUX | 1u << SCENE_INITRD | 1u << SCENE_VMM | 1u << SCENE_FILE)

struct scene_options {
	uint8_t type; /* of the policy */
	alg_set banks;
	bool poweroff; /* on-halt; else return */
	unsigned halt_delay;
	enum alg hash;       /* of the policy; ALG_SHA1 = 0 is the default */
	bool raw;            /* geo NV index as nv_raw */
	unsigned more_files; /* further modules of the role file, each with one byte */
	unsigned more_nv;    /* further NV entries (any content) */
	bool short_policy;   /* the entries of module 2 and up are missing */
	bool long_policy;    /* an entry for module 5, which is not there, PCR 20 */
};

struct scene_module {
	const char *path; /* on the volume */
	unsigned pcr;
	struct span cmdline; /* as measured */
	struct span bytes;
};

struct scene {
	struct scene_options options;
	struct scene_module modules[SCENE_MODULE_COUNT];
	struct span policy;
	struct span geo;
	struct soft_tpm tpm;
	struct fake_tpm registers;
	struct tcg2_protocol tcg2;
	struct efi_env env;
};

extern struct scene scene;

void scene_init(const struct scene_options *o);

/* Runs app_run(). Checks what holds however it ends: locality 0 is the firmware's again, files are closed, nothing is left. */
enum fw_end scene_run(void);
/* The same without these checks. */
enum fw_end scene_run_unchecked(void);

/*
 * The steps that were measured, one extend each but for the first and the last of these words:
 *   policy (PCR 17, 18), m0..m4, nv, closing, capPCR:REASON, caps:REASON (PCR 17-22)
 * Fails the test unless the TPM's PCRs are what they give.
 */
void scene_expect(const char *steps);

/* The first `count` extends of `steps`, then all of `then`. */
void scene_expect_cut(const char *steps, unsigned count, const char *then);
unsigned scene_count(const char *steps);

/* The log is published as table and as variable, replays to the TPM's PCRs and has as many events as `events`. */
void scene_expect_log(unsigned events);
void scene_expect_no_log(void);

/* Kernel, command line and initrd that ran are those of the modules in `modules` (a bit per number), and no others. */
void scene_expect_started(unsigned modules);

/* The application returned an error, or switched the machine off, and its last line says why. */
void scene_expect_halted(const char *reason);

struct fw_file *scene_file(unsigned module);

/* How many commands with this code the TPM was sent. */
unsigned scene_commands(uint32_t code);

#endif
