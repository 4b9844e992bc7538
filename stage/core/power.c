/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/core/power.h"

#include "common/cursor.h"

#define HEADER 36 /* of every system description table, 5.2.6 */
#define TABLE_MAX (16u << 20)
#define ENTRIES_MAX 256

/* FADT */
#define AT_DSDT 40
#define AT_PM1A 64
#define AT_PM1B 68
#define AT_FLAGS 112
#define AT_X_DSDT 140
#define AT_X_PM1A 172
#define AT_X_PM1B 184
#define HW_REDUCED (UINT32_C(1) << 20)

/* PM1 control register, 4.8.3.2.1 */
#define SLP_TYP_SHIFT 10
#define SLP_EN (1u << 13)

/* AML, chapter 20 */
#define AML_NAME 0x08
#define AML_PACKAGE 0x12
#define AML_ZERO 0x00
#define AML_ONE 0x01
#define AML_BYTE 0x0a
#define AML_WORD 0x0b

static uint64_t number(struct span s, size_t at, size_t width)
{
	struct rd r = rd_init(s);

	(void)rd_bytes(&r, at);
	return rd_le(&r, width);
}

/* A table with this signature at an address, whole and with a right checksum; empty else. */
static struct span table(const struct stage_world *w, uint64_t address, const char *signature)
{
	const struct span none = { NULL, 0 };
	struct span s = stage_bytes(w, address, HEADER);
	uint64_t length = number(s, 4, 4);
	uint8_t sum = 0;

	if (!s.p || !span_equal((struct span){ s.p, 4 }, span_str(signature)) || length < HEADER || length > TABLE_MAX)
		return none;
	s = stage_bytes(w, address, (size_t)length);
	for (size_t i = 0; i < s.n; i++)
		sum = (uint8_t)(sum + s.p[i]);
	return sum == 0 ? s : none;
}

static struct span find_fadt(const struct stage_world *w, struct span rsdp)
{
	uint64_t xsdt = number(rsdp, 15, 1) >= 2 ? number(rsdp, 24, 8) : 0;
	struct span root = xsdt ? table(w, xsdt, "XSDT") : table(w, number(rsdp, 16, 4), "RSDT");
	size_t width = xsdt ? 8 : 4;

	for (size_t i = 0; i < ENTRIES_MAX && HEADER + (i + 1) * width <= root.n; i++) {
		struct span t = table(w, number(root, HEADER + i * width, width), "FACP");

		if (t.p)
			return t;
	}
	return (struct span){ NULL, 0 };
}

/* An integer of a package's element. */
static uint16_t take_integer(struct rd *r)
{
	uint8_t op = rd_u8(r);

	if (op == AML_ZERO || op == AML_ONE)
		return op;
	if (op == AML_BYTE)
		return rd_u8(r);
	if (op == AML_WORD)
		return rd_le16(r);
	r->bad = true;
	return 0;
}

/* Name (_S5_, Package () { a, b, ... }) at the reader. */
static bool take_s5(struct rd *r, uint16_t type[2])
{
	uint8_t op = rd_u8(r), lead = rd_u8(r);

	(void)rd_bytes(r, lead >> 6); /* further bytes of the package's length */
	if (op != AML_PACKAGE || rd_u8(r) < 2)
		return false;
	type[0] = take_integer(r);
	type[1] = take_integer(r);
	return !r->bad && type[0] < 8 && type[1] < 8;
}

static bool find_s5(struct span dsdt, uint16_t type[2])
{
	for (size_t i = HEADER; i + 6 < dsdt.n; i++) {
		size_t at = dsdt.p[i + 1] == '\\' ? i + 2 : i + 1;
		struct rd r = rd_init(dsdt);

		if (dsdt.p[i] != AML_NAME)
			continue;
		(void)rd_bytes(&r, at);
		if (span_is_str(rd_bytes(&r, 4), "_S5_") && take_s5(&r, type))
			return true;
	}
	return false;
}

bool power_off_registers(const struct stage_world *w, struct span rsdp, struct tboot_sleep *out)
{
	struct span fadt = find_fadt(w, rsdp), dsdt;
	struct tboot_sleep s = { .pm1a = { .space = 1, .width = 16, .access = 2 }, .pm1b = { .space = 1, .width = 16, .access = 2 } };
	uint16_t type[2];

	if (!fadt.p || number(fadt, AT_FLAGS, 4) & HW_REDUCED)
		return false;
	s.pm1a.address = number(fadt, AT_PM1A, 4);
	s.pm1b.address = number(fadt, AT_PM1B, 4);
	if (s.pm1a.address == 0 && number(fadt, AT_X_PM1A, 1) == 1) {
		s.pm1a.address = number(fadt, AT_X_PM1A + 4, 8);
		s.pm1b.address = number(fadt, AT_X_PM1B + 4, 8);
	}
	dsdt = table(w, number(fadt, AT_X_DSDT, 8) ? number(fadt, AT_X_DSDT, 8) : number(fadt, AT_DSDT, 4), "DSDT");
	if (s.pm1a.address == 0 || s.pm1a.address > UINT16_MAX || s.pm1b.address > UINT16_MAX || !dsdt.p || !find_s5(dsdt, type))
		return false;
	s.pm1a.value = (uint16_t)(type[0] << SLP_TYP_SHIFT | SLP_EN);
	s.pm1b.value = (uint16_t)(type[1] << SLP_TYP_SHIFT | SLP_EN);
	*out = s;
	return true;
}
