/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_APPLY_USUAL_H
#define GL_TESTS_APPLY_USUAL_H

#include "tests/unit/apply_machine.h"

/* The launch that the tests of apply.c start from; only for those programs, the names are short. */

#define KERNEL_CMDLINE "console=ttyS0 root=/dev/vda"
#define VMM_PATH "/usr/bin/vmm"
#define FILE_PATH "/etc/vm/vm.json"
#define GEO 0x01c10110u

#define EVENTS_POLICY "17 policy", "18 policy"
#define EVENT_0 "17 module 0 description launch.conf"
#define EVENT_1 "19 module 1 hypervisor linux"
#define EVENT_2 "19 module 2 initrd initrd"
#define EVENT_3 "20 module 3 vmm vmm"
#define EVENT_4 "21 module 4 file file-0"
#define EVENTS_MODULES EVENT_0, EVENT_1, EVENT_2, EVENT_3, EVENT_4
#define EVENT_NV "22 nv 0x01c10110"
#define EVENT_CLOSING "17 closing"
#define EVENTS_ALL EVENTS_POLICY, EVENTS_MODULES, EVENT_NV, EVENT_CLOSING

#define MODULES 5
extern const struct machine_module modules[MODULES];

extern const alg_set bank_sets[4];

/* The one machine of a test program, and what its policy lists. */
extern struct machine m;
extern struct listed {
	uint8_t module[MODULES][DIGEST_MAX];
	uint8_t nv[DIGEST_MAX];
} good;
extern const uint8_t wrong[DIGEST_MAX];

struct span module_bytes(size_t i);

/* Makes `m` and `good`; the policy has no entries yet. */
void set_up(uint8_t type, enum alg hash, alg_set banks);

/* Adds the entries that build writes. */
void usual_entries(void);

/* Both, with SHA-256. */
void usual(uint8_t type);
enum vlp_action run_usual(void);

/* PCRs of the usual launch, before its NV index. */
void oracle_to_nv(struct oracle *o);

/* tboot's table of actions, 1.10.5, policy.c g_policy_map, written down once more. */
enum vlp_action action_of(enum tb_error e, uint8_t type);
bool goes_on(enum tb_error e, uint8_t type);

#endif
