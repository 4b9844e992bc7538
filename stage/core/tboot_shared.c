/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/core/tboot_shared.h"

#include "common/cursor.h"

/* Offsets in the page. */
#define AT_SHUTDOWN_TYPE 28
#define AT_SLEEP 32
#define SLEEP_SIZE 72
#define GAS_SIZE 12

static_assert(AT_SHUTDOWN_TYPE == 16 + 4 + 4 + 4, "uuid, version, log_addr, shutdown_entry");
static_assert(SLEEP_SIZE == 4 * GAS_SIZE + 2 + 2 + 8 + 4 + 8, "struct tboot_acpi_sleep_info");

/* {663c8dff-e8b3-4b82-aabf-19ea4d057a08} */
/* clang-format off */
static const uint8_t uuid[16] = {
	0xff, 0x8d, 0x3c, 0x66, 0xb3, 0xe8, 0x82, 0x4b, 0xbf, 0xaa, 0x19, 0xea, 0x4d, 0x05, 0x7a, 0x08,
};
/* clang-format on */

enum stage_error tboot_shared_read(struct span page, uint32_t address, struct tboot_shared *out)
{
	struct rd r = rd_init(page);
	struct tboot_shared s;

	if (page.n < TBOOT_SHARED_SIZE || !span_equal(rd_bytes(&r, sizeof(uuid)), SPAN_OF(uuid)))
		return STAGE_E_SHARED;
	s.version = rd_le32(&r);
	(void)rd_le32(&r); /* log */
	s.shutdown_entry = rd_le32(&r);
	(void)rd_le32(&r);
	(void)rd_bytes(&r, SLEEP_SIZE);
	s.memory.base = rd_le32(&r);
	s.memory.size = rd_le32(&r);
	if (r.bad || s.version < TBOOT_SHARED_MIN_VERSION || s.memory.base == 0)
		return STAGE_E_SHARED;
	if (!txt_range_contains(s.memory, (struct txt_range){ address, TBOOT_SHARED_SIZE }) ||
		!txt_range_contains(s.memory, (struct txt_range){ s.shutdown_entry, 1 }))
		return STAGE_E_SHARED;
	*out = s;
	return STAGE_OK;
}

static void put_register(struct wr *w, uint8_t space, uint8_t width, uint8_t access, uint64_t address)
{
	wr_u8(w, space);
	wr_u8(w, width);
	wr_u8(w, 0);
	wr_u8(w, access);
	wr_le64(w, address);
}

void tboot_shared_set(struct mspan page, enum tboot_shutdown type, const struct tboot_sleep *sleep)
{
	struct wr w = wr_init(page.n < TBOOT_SHARED_SIZE ? (struct mspan){ NULL, 0 }
							 : (struct mspan){ page.p + AT_SHUTDOWN_TYPE, page.n - AT_SHUTDOWN_TYPE });

	wr_le32(&w, type);
	if (!sleep)
		return;
	put_register(&w, sleep->pm1a.space, sleep->pm1a.width, sleep->pm1a.access, sleep->pm1a.address);
	put_register(&w, sleep->pm1b.space, sleep->pm1b.width, sleep->pm1b.access, sleep->pm1b.address);
	put_register(&w, 0, 0, 0, 0); /* no events to wait for */
	put_register(&w, 0, 0, 0, 0);
	wr_le16(&w, sleep->pm1a.value);
	wr_le16(&w, sleep->pm1b.value);
}
