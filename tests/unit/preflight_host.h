/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_PREFLIGHT_HOST_H
#define GL_TESTS_PREFLIGHT_HOST_H

#include "efi/core/preflight.h"
#include "geo/geo.h"
#include "lcp/acm_make.h"
#include "lcp/custom.h"

/* A host on which a TXT launch works; tests change one thing of it. */

#define TBOOT_LINE "logging=serial ap_wake_mwait=true min_ram=0x2000000 extpol=sha256"
#define VLP_1 0x01c10131u
#define OWNER_1 0x01c10106u
#define VLP_0 0x01200001u
#define OWNER_0 0x01400001u
#define READABLE GEO_ATTRIBUTES_DEFAULT
#define WRITTEN 0x20000000u

struct flight_nv {
	uint32_t index;
	enum preflight_nv_state state;
	uint32_t attributes;
	struct span content;
};

extern struct flight {
	struct preflight_facts f;
	struct description d;
	struct vlp vlp;
	uint8_t vlp_bytes[256], heap[4096], file[0x20000], area[0x20000], lcp[512], owner[128];
	uint8_t geo[GEO_TAG_SIZE], geo_hash[32];
	struct flight_nv nv[8];
	size_t nv_count;
	struct preflight_room room;
	struct preflight_report r;
} flight;

/* All is well, with a policy of this type. */
void flight_good(uint8_t type);

/* An index that was defined; a new one. */
struct flight_nv *flight_nv(uint32_t index);
void flight_define(uint32_t index, struct span content);
/* A module for the host's chipset and any processor. */
struct span flight_sinit(uint8_t *room, uint32_t date, uint8_t set, uint16_t device, void (*change)(struct acm_recipe *r));
void flight_heap_version(uint32_t version, uint32_t bios_sinit_size);
void flight_heap(uint32_t bios_sinit_size);

void flight_check(void);
/* After it: the last finding's words hold this. */
void flight_says(const char *part);
/* Just this finding, with what the policy types make of it; none. */
void flight_one(enum preflight_id id);
void flight_none(void);

#endif
