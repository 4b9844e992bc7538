/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_PLATFORM_H
#define GL_TXT_PLATFORM_H

#include "qemu/txt/link.h"
#include "qemu/txt/machine.h"
#include "qemu/txt/sinit.h"
#include "qemu/txt/traps.h"

/*
 * A QEMU that becomes a TXT platform: stops the machine where the MLE begins, puts registers and heap where the chipset has them, and answers in the
 * processor's, the chipset's and SINIT's place until the machine ends.
 */
struct platform_config {
	const char *gdb, *qmp, *tpm;       /* sockets; tpm may be NULL: there is none */
	const char *regs_file, *area_file; /* backing files of the ivshmem devices */
	const char *ram;                   /* name of the machine's RAM */
	int connect_ms;                    /* how long to wait for the sockets */
	bool explain;                      /* records go to standard error when they are made */
	struct span mle;                   /* ELF file, unpacked */
	struct span sinit;                 /* module that the BIOS puts into the SINIT area */
	struct chipset_config chipset;
	struct smx_config smx;
	bool bios_sinit; /* BiosData tells of that module */
	bool needs_aux, needs_ps;
	bool fill_log; /* SINIT leaves log_room bytes of the event log */
	uint32_t log_room;
	struct span ps_data; /* the supplier's policy data, behind the SINIT module; empty: none */
	bool copy_madt, copy_mcfg;
	uint8_t bios_version; /* of BiosData, 2 to 6 */
	uint32_t mle_flags;   /* of BiosData */
};

enum platform_senter {
	PLATFORM_NOT_REACHED, /* nobody executed SENTER */
	PLATFORM_LAUNCHED,
	PLATFORM_REFUSED, /* SENTER raised an exception */
	PLATFORM_RESET    /* SENTER ended in a TXT reset */
};

/* What became of the machine, for reports. */
struct platform_outcome {
	enum platform_senter senter; /* the last one */
	unsigned senters, launches;
	unsigned txt_resets; /* by processor, SINIT or TXT.CMD.RESET */
	unsigned resets;     /* of any kind, as the monitor tells */
	uint32_t errorcode;  /* TXT.ERRORCODE of the last failure; survives in the register, too */
	const char *rule;    /* that was broken last, or NULL */
	bool drtm;           /* the D-RTM sequence took place since power-on or the last reset */
	bool has_mle_hash;
	struct digests mle_hash;
	alg_set banks;
	unsigned joined; /* processors that WAKEUP brought in */
	unsigned sexits;
	unsigned loaders;                            /* UEFI images that looked at the chipset and trap */
	uint64_t stops[TRAP_KINDS], watches, others; /* how often the machine stopped, and why */
	unsigned loops;                              /* that ran elsewhere, to save time */
	uint64_t handling_us;                        /* time that it stood still for us */
	uint64_t senter_us;                          /* of this, SENTER */
	uint64_t armed_us;                           /* from our start to the MLE's entry; 0: it was not reached */
	char shutdown[40];                           /* the monitor's reason why QEMU ended */
};

struct platform;

/* Connects and prepares; the machine then stands. NULL: `why` tells. Ended with platform_free(). */
struct platform *platform_new(const struct platform_config *config, char *why, size_t why_size);

/*
 * Lets the machine run, and answers, until it ends or `end_fd` (a descriptor, -1: none) can be read. False: something failed that is not the
 * guest's doing.
 */
GL_MUST bool platform_run(struct platform *p, int end_fd, char *why, size_t why_size);

const struct platform_outcome *platform_outcome(const struct platform *p);
const struct txt_trace *platform_trace(const struct platform *p);
const struct chipset *platform_chipset(const struct platform *p);

void platform_free(struct platform *p);

/* "launched" */
const char *platform_senter_name(enum platform_senter s);

#endif
