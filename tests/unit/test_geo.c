/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "geo/geo.h"
#include "tboot-policy/apply.h"

/* clang-format off */
static const uint8_t good[GEO_TAG_SIZE] = {
	'G', 'E', 'O', '1', 64, 0, 1, 0,
	'D', 'E', 'H', 'E', 0, 0, 0, 0,
	0xa8, 0x27, 0xde, 0x1d,         /* 50.1098408 */
	0xd7, 0xbe, 0x2c, 0x05,         /* 8.6818519 */
	'F', 'R', 'A', '1',
};
/* clang-format on */

/* clang-format off */
static const struct geo_tag good_tag = {
	.country = "DE", .subdivision = "HE", .has_coordinates = true, .latitude = 501098408, .longitude = 86818519, .site = "FRA1",
};
/* clang-format on */

static void assert_same(const struct geo_tag *a, const struct geo_tag *b)
{
	assert_memory_equal(a->country, b->country, sizeof(a->country));
	assert_memory_equal(a->subdivision, b->subdivision, sizeof(a->subdivision));
	assert_int_equal(a->has_coordinates, b->has_coordinates);
	assert_int_equal(a->latitude, b->latitude);
	assert_int_equal(a->longitude, b->longitude);
	assert_memory_equal(a->site, b->site, sizeof(a->site));
}

static void test_golden(void **state)
{
	(void)state;
	struct geo_tag tag;
	uint8_t bytes[GEO_TAG_SIZE];

	assert_int_equal(geo_decode(SPAN_OF(good), &tag), GEO_OK);
	assert_same(&tag, &good_tag);
	assert_int_equal(geo_encode(&good_tag, bytes), GEO_OK);
	assert_memory_equal(bytes, good, sizeof(good));
}

static const struct {
	const char *what;
	unsigned at;
	uint8_t value;
	enum geo_error error;
} mutations[] = {
	{ "magic 0", 0, 'g', GEO_E_MAGIC },
	{ "magic 1", 1, 'e', GEO_E_MAGIC },
	{ "magic 2", 2, '0', GEO_E_MAGIC },
	{ "magic 3", 3, '2', GEO_E_MAGIC },
	{ "size low", 4, 63, GEO_E_SIZE },
	{ "size high", 5, 1, GEO_E_SIZE },
	{ "flag 1", 6, 3, GEO_E_FLAGS },
	{ "flag 7", 6, 0x81, GEO_E_FLAGS },
	{ "flag 8", 7, 1, GEO_E_FLAGS },
	{ "coordinates without flag", 6, 0, GEO_E_COORDINATES },
	{ "country lower case", 8, 'd', GEO_E_COUNTRY },
	{ "country digit", 9, '1', GEO_E_COUNTRY },
	{ "country short", 9, 0, GEO_E_COUNTRY },
	{ "country empty first", 8, 0, GEO_E_COUNTRY },
	{ "subdivision lower case", 10, 'h', GEO_E_SUBDIVISION },
	{ "subdivision with a gap", 10, 0, GEO_E_SUBDIVISION },
	{ "subdivision of one", 11, 0, GEO_OK },
	{ "subdivision of three", 12, '9', GEO_OK },
	{ "subdivision gap behind", 13, 'A', GEO_E_SUBDIVISION },
	{ "subdivision blank", 12, ' ', GEO_E_SUBDIVISION },
	{ "reserved 0", 14, 1, GEO_E_RESERVED },
	{ "reserved 1", 15, 0x80, GEO_E_RESERVED },
	{ "latitude other", 16, 0, GEO_OK },
	{ "latitude over 90", 19, 0x36, GEO_E_COORDINATES },
	{ "latitude under -90", 19, 0xc0, GEO_E_COORDINATES },
	{ "longitude over 180", 23, 0x7f, GEO_E_COORDINATES },
	{ "longitude under -180", 23, 0x80, GEO_E_COORDINATES },
	{ "longitude west", 23, 0xff, GEO_OK },
	{ "site control character", 24, '\n', GEO_E_SITE },
	{ "site not ASCII", 25, 0xe4, GEO_E_SITE },
	{ "site with a gap", 25, 0, GEO_E_SITE },
	{ "site gap behind", 63, 'x', GEO_E_SITE },
	{ "site blank inside", 25, ' ', GEO_OK },
	{ "site delete character", 27, 0x7f, GEO_E_SITE },
};

static void test_mutations(void **state)
{
	(void)state;
	bool seen[GEO_ERROR_COUNT] = { false };

	for (size_t i = 0; i < GL_COUNT(mutations); i++) {
		struct geo_tag tag, untouched;
		uint8_t bytes[GEO_TAG_SIZE], back[GEO_TAG_SIZE];

		memset(&tag, 0x5a, sizeof(tag));
		memset(&untouched, 0x5a, sizeof(untouched));
		memcpy(bytes, good, sizeof(good));
		assert_int_not_equal(bytes[mutations[i].at], mutations[i].value);
		bytes[mutations[i].at] = mutations[i].value;

		enum geo_error e = geo_decode(SPAN_OF(bytes), &tag);

		if (e != mutations[i].error)
			fail_msg("%s: %d (%s), expected %d", mutations[i].what, e, geo_strerror(e), mutations[i].error);
		seen[e] = true;
		if (e) {
			assert_memory_equal(&tag, &untouched, sizeof(tag));
			continue;
		}
		assert_int_equal(geo_encode(&tag, back), GEO_OK);
		assert_memory_equal(back, bytes, sizeof(bytes));
	}
	for (unsigned e = 0; e < GEO_ERROR_COUNT; e++)
		assert_true(seen[e]);
}

static void test_lengths(void **state)
{
	(void)state;
	uint8_t longer[GEO_TAG_SIZE + 1] = { 0 };
	struct geo_tag tag;

	memcpy(longer, good, sizeof(good));
	for (size_t n = 0; n <= sizeof(longer); n++) {
		enum geo_error e = n < 4 ? GEO_E_MAGIC : n == GEO_TAG_SIZE ? GEO_OK : GEO_E_SIZE;

		assert_int_equal(geo_decode((struct span){ longer, n }, &tag), e);
	}
	assert_int_equal(geo_decode((struct span){ NULL, 0 }, &tag), GEO_E_MAGIC);
}

/* Any change of one byte is either refused or kept. */
static void test_every_byte(void **state)
{
	(void)state;
	for (size_t at = 0; at < sizeof(good); at++) {
		for (unsigned v = 0; v < 256; v++) {
			uint8_t bytes[GEO_TAG_SIZE], back[GEO_TAG_SIZE];
			struct geo_tag tag;

			memcpy(bytes, good, sizeof(good));
			bytes[at] = (uint8_t)v;
			if (geo_decode(SPAN_OF(bytes), &tag) != GEO_OK)
				continue;
			assert_int_equal(geo_encode(&tag, back), GEO_OK);
			assert_memory_equal(back, bytes, sizeof(bytes));
		}
	}
}

static const struct {
	struct geo_tag tag;
	enum geo_error error;
} tags[] = {
	{ { .country = "IS" }, GEO_OK },
	{ { .country = "AZ", .subdivision = "0Z9", .site = " ~" }, GEO_OK },
	{ { .country = "@A" }, GEO_E_COUNTRY },
	{ { .country = "A[" }, GEO_E_COUNTRY },
	{ { .country = "DE", .subdivision = "/" }, GEO_E_SUBDIVISION },
	{ { .country = "DE", .subdivision = ":" }, GEO_E_SUBDIVISION },
	{ { .country = "US", .subdivision = "CA", .site = "0123456789012345678901234567890123456789" }, GEO_OK },
	{ { .country = "FR", .subdivision = "75C", .has_coordinates = true }, GEO_OK },
	{ { .country = "AQ", .has_coordinates = true, .latitude = -900000000, .longitude = -1800000000 }, GEO_OK },
	{ { .country = "NO", .has_coordinates = true, .latitude = 900000000, .longitude = 1800000000 }, GEO_OK },
	{ { .country = "" }, GEO_E_COUNTRY },
	{ { .country = "D" }, GEO_E_COUNTRY },
	{ { .country = "de" }, GEO_E_COUNTRY },
	{ { .country = { 'D', 'E', 'U' } }, GEO_E_COUNTRY },
	{ { .country = "DE", .subdivision = "BAYE" }, GEO_E_SUBDIVISION },
	{ { .country = "DE", .subdivision = { 'B', 'A', 'Y', 'E', 'R' } }, GEO_E_SUBDIVISION },
	{ { .country = "DE", .subdivision = "B-Y" }, GEO_E_SUBDIVISION },
	{ { .country = "DE", .latitude = 1 }, GEO_E_COORDINATES },
	{ { .country = "DE", .longitude = 1 }, GEO_E_COORDINATES },
	{ { .country = "DE", .has_coordinates = true, .latitude = 900000001 }, GEO_E_COORDINATES },
	{ { .country = "DE", .has_coordinates = true, .latitude = -900000001 }, GEO_E_COORDINATES },
	{ { .country = "DE", .has_coordinates = true, .longitude = 1800000001 }, GEO_E_COORDINATES },
	{ { .country = "DE", .has_coordinates = true, .longitude = -1800000001 }, GEO_E_COORDINATES },
	{ { .country = "DE", .site = "tab\there" }, GEO_E_SITE },
	{ { .country = "DE", .site = "M\xc3\xbcnchen" }, GEO_E_SITE },
};

static void test_encode(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(tags); i++) {
		uint8_t bytes[GEO_TAG_SIZE], untouched[GEO_TAG_SIZE];
		struct geo_tag back;

		memset(bytes, 0x5a, sizeof(bytes));
		memset(untouched, 0x5a, sizeof(untouched));

		enum geo_error e = geo_encode(&tags[i].tag, bytes);

		if (e != tags[i].error)
			fail_msg("tag %zu: %d (%s), expected %d", i, e, geo_strerror(e), tags[i].error);
		if (e) {
			assert_memory_equal(bytes, untouched, sizeof(bytes));
			continue;
		}
		assert_int_equal(geo_decode(SPAN_OF(bytes), &back), GEO_OK);
		assert_same(&back, &tags[i].tag);
	}
}

/* A site that fills its whole array has no NUL to stop at. */
static void test_site_without_end(void **state)
{
	(void)state;
	struct geo_tag tag = good_tag;
	uint8_t bytes[GEO_TAG_SIZE];

	memset(tag.site, 'x', sizeof(tag.site));
	assert_int_equal(geo_encode(&tag, bytes), GEO_E_SITE);
}

static void test_index(void **state)
{
	(void)state;
	assert_true(geo_index_possible(GEO_INDEX_DEFAULT));
	assert_true(geo_index_possible(0x01000000));
	assert_true(geo_index_possible(0x0180ffff));
	assert_true(geo_index_possible(0x01ffffff));
	assert_false(geo_index_possible(GEO_INDEX_TPM12));
	assert_false(geo_index_possible(0x02000000));
	assert_false(geo_index_possible(0x00ffffff));
	assert_false(geo_index_possible(0x40000001));
	assert_false(geo_index_possible(0x81000001));
	assert_false(geo_index_possible(0));
}

static const struct {
	uint32_t attributes;
	const char *text;
} attributes[] = {
	{ 0, "none" },
	{ GEO_ATTRIBUTES_DEFAULT, "ownerwrite|writedefine|authread|no_da" },
	{ 0x2204000a, "ownerwrite|policywrite|authread|no_da|written" }, /* LCP's owner index on real hardware */
	{ 0x62044408, "policywrite|policydelete|write_stclear|authread|no_da|written|platformcreate" }, /* AUX index */
	{ 0x00000010, "nt=0x1" },
	{ 0x00000092, "ownerwrite|nt=0x9" },
	{ 0x000000f0, "nt=0xf" },
	{ 0x01f00300, "reserved(8)|reserved(9)|reserved(20)|reserved(21)|reserved(22)|reserved(23)|reserved(24)" },
	{ 0xfe0ffc0f,
		"ppwrite|ownerwrite|authwrite|policywrite|policydelete|writelocked|writeall|writedefine|write_stclear|globallock|"
		"ppread|ownerread|authread|policyread|no_da|orderly|clear_stclear|readlocked|written|platformcreate|read_stclear" },
};

static void test_attributes_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(attributes); i++) {
		char buf[GEO_ATTRIBUTES_MAX];
		struct text t = TEXT_OF(buf);

		geo_attributes_text(attributes[i].attributes, &t);
		assert_string_equal(buf, attributes[i].text);
	}
	for (uint64_t all = 0; all <= UINT32_MAX; all += 0x01010101) {
		char buf[GEO_ATTRIBUTES_MAX];
		struct text t = TEXT_OF(buf);

		geo_attributes_text((uint32_t)all, &t);
		assert_false(t.cut);
	}
}

#define AUTHREAD 0x00040000u
#define OWNERREAD 0x00020000u
#define NO_DA 0x02000000u
#define READLOCKED 0x10000000u
#define WRITTEN 0x20000000u

static const struct {
	uint32_t attributes;
	size_t size;
	enum geo_readable readable;
} cases[] = {
	{ GEO_ATTRIBUTES_DEFAULT | WRITTEN, 64, GEO_READABLE },
	{ GEO_ATTRIBUTES_DEFAULT, 64, GEO_UNREADABLE_UNWRITTEN },
	{ AUTHREAD | NO_DA | WRITTEN, 1, GEO_READABLE },
	{ AUTHREAD | NO_DA | WRITTEN, GEO_NV_MAX, GEO_READABLE },
	{ AUTHREAD | NO_DA | WRITTEN, GEO_NV_MAX + 1, GEO_UNREADABLE_SIZE },
	{ AUTHREAD | NO_DA | WRITTEN, 0, GEO_UNREADABLE_SIZE },
	{ AUTHREAD | WRITTEN, 64, GEO_READABLE_DA },
	{ OWNERREAD | NO_DA | WRITTEN, 64, GEO_UNREADABLE_AUTH },
	{ 0xffffffff & ~AUTHREAD, 64, GEO_UNREADABLE_AUTH },
	{ AUTHREAD | NO_DA | WRITTEN | READLOCKED, 64, GEO_UNREADABLE_LOCKED },
	{ 0, 0, GEO_UNREADABLE_AUTH },
};

static void test_readable(void **state)
{
	(void)state;
	assert_int_equal(GEO_NV_MAX, APPLY_NV_MAX);
	for (size_t i = 0; i < GL_COUNT(cases); i++)
		assert_int_equal(geo_readable(cases[i].attributes, cases[i].size), cases[i].readable);
}

static void test_texts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GEO_ERROR_COUNT; i++) {
		assert_non_null(geo_strerror((enum geo_error)i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(geo_strerror((enum geo_error)i), geo_strerror((enum geo_error)j));
	}
	for (unsigned i = 0; i < GEO_READABLE_COUNT; i++) {
		assert_non_null(geo_readable_text((enum geo_readable)i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(geo_readable_text((enum geo_readable)i), geo_readable_text((enum geo_readable)j));
	}
	assert_string_equal(geo_strerror(GEO_ERROR_COUNT), "unknown geo tag error");
	assert_string_equal(geo_readable_text(GEO_READABLE_COUNT), "unknown");
}

static void test_countries(void **state)
{
	static const struct {
		const char *code;
		enum geo_country kind;
		const char *remark; /* part of it */
	} places[] = {
		{ "AD", GEO_COUNTRY_ASSIGNED, NULL },
		{ "DE", GEO_COUNTRY_ASSIGNED, NULL },
		{ "GB", GEO_COUNTRY_ASSIGNED, NULL },
		{ "SS", GEO_COUNTRY_ASSIGNED, NULL },
		{ "QA", GEO_COUNTRY_ASSIGNED, NULL },
		{ "ZW", GEO_COUNTRY_ASSIGNED, NULL },
		{ "UK", GEO_COUNTRY_UNKNOWN, "GB is meant?" },
		{ "EL", GEO_COUNTRY_UNKNOWN, "GR is meant?" },
		{ "EU", GEO_COUNTRY_UNKNOWN, "is no country of ISO 3166-1" },
		{ "AB", GEO_COUNTRY_UNKNOWN, "is no country of ISO 3166-1" },
		{ "QL", GEO_COUNTRY_UNKNOWN, "is no country" },
		{ "ZY", GEO_COUNTRY_UNKNOWN, "is no country" },
		{ "AA", GEO_COUNTRY_USER, "private use" },
		{ "QM", GEO_COUNTRY_USER, "private use" },
		{ "QZ", GEO_COUNTRY_USER, "private use" },
		{ "XA", GEO_COUNTRY_USER, "private use" },
		{ "XZ", GEO_COUNTRY_USER, "private use" },
		{ "ZZ", GEO_COUNTRY_USER, "private use" },
		/* the table has blanks, and pairs over its borders */
		{ "D ", GEO_COUNTRY_UNKNOWN, "" },
		{ "", GEO_COUNTRY_UNKNOWN, "" },
		{ "DEU", GEO_COUNTRY_UNKNOWN, "" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(places); i++) {
		char buf[160] = "";
		struct text t = TEXT_OF(buf);

		assert_int_equal(geo_country(places[i].code), places[i].kind);
		assert_int_equal(geo_country_remark(places[i].code, &t), places[i].remark != NULL);
		assert_true(!places[i].remark || strstr(buf, places[i].remark));
	}
}

static void test_number_of_countries(void **state)
{
	unsigned kinds[GEO_COUNTRY_UNKNOWN + 1] = { 0 };

	(void)state;
	for (char a = 'A'; a <= 'Z'; a++)
		for (char b = 'A'; b <= 'Z'; b++)
			kinds[geo_country((const char[]){ a, b, 0 })]++;
	assert_int_equal(kinds[GEO_COUNTRY_ASSIGNED], 249);
	assert_int_equal(kinds[GEO_COUNTRY_USER], 1 + 14 + 26 + 1);
}

static void test_advice(void **state)
{
	static const struct {
		const char *subdivision, *advice; /* NULL: it can be one */
	} places[] = {
		{ "", NULL },
		{ "HE", NULL },
		{ "75C", NULL },
		{ "DE-HE", "give the part behind the hyphen: HE" },
		{ "FR-75C", "give the part behind the hyphen: 75C" },
		{ "DE-", "give up to three capital letters or digits, the part of the ISO 3166-2 code behind the hyphen" },
		{ "DE-he", "give up to three capital letters or digits, the part of the ISO 3166-2 code behind the hyphen" },
		{ "a-b-HE", "give up to three capital letters or digits, the part of the ISO 3166-2 code behind the hyphen" },
		{ "HESS", "give up to three capital letters or digits, the part of the ISO 3166-2 code behind the hyphen" },
		{ "he", "give up to three capital letters or digits, the part of the ISO 3166-2 code behind the hyphen" },
	};

	(void)state;
	assert_null(geo_country_advice("DE"));
	assert_non_null(geo_country_advice("de"));
	assert_non_null(geo_country_advice("D"));
	assert_non_null(geo_country_advice(""));
	assert_non_null(geo_country_advice("Germany"));
	for (size_t i = 0; i < GL_COUNT(places); i++) {
		char buf[80];
		struct text room = TEXT_OF(buf);
		const char *advice = geo_subdivision_advice(places[i].subdivision, &room);

		if (!places[i].advice)
			assert_null(advice);
		else
			assert_string_equal(advice, places[i].advice);
	}
}

static void test_difference(void **state)
{
	struct geo_tag other = good_tag;
	char buf[256] = "";
	struct text t = TEXT_OF(buf);

	(void)state;
	geo_difference_text(&good_tag, &good_tag, &t);
	assert_string_equal(buf, "");
	other.has_coordinates = false;
	other.latitude = other.longitude = 0;
	geo_difference_text(&other, &good_tag, &t);
	assert_string_equal(buf, "coordinates none, expected 50.1098408 8.6818519");
	t = (struct text)TEXT_OF(buf);
	other = (struct geo_tag){ .country = "FR", .has_coordinates = true, .latitude = -500000000, .longitude = 10, .site = "X" };
	geo_difference_text(&good_tag, &other, &t);
	assert_string_equal(buf,
		"country DE, expected FR; subdivision HE, expected none; site FRA1, expected X; "
		"coordinates 50.1098408 8.6818519, expected -50 0.000001");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_site_without_end),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_attributes_text),
		cmocka_unit_test(test_readable),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_countries),
		cmocka_unit_test(test_number_of_countries),
		cmocka_unit_test(test_advice),
		cmocka_unit_test(test_difference),
	};

	return cmocka_run_group_tests_name("geo", tests, NULL, NULL);
}
