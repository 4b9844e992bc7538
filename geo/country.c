/* SPDX-License-Identifier: BSD-3-Clause */
#include "geo/geo.h"

#include <string.h>

/*
 * ISO 3166-1 alpha-2: the codes that are officially assigned, as of ISO/TC 46 N1108 (2023-04-05), by the time zone database's iso3166.tab,
 * which is in the public domain.
 */
/* clang-format off */
static const char assigned[] =
	"AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
	"CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR "
	"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
	"KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY "
	"MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM "
	"PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW "
	"SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ "
	"UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW ";
/* clang-format on */

static_assert(sizeof(assigned) - 1 == (size_t)249 * 3, "249 codes, each with a blank");

/* What people write for a country that has another code: reserved for the United Kingdom, and the European Union's own for Greece. */
static const struct {
	const char *code, *meant;
} usual[] = { { "UK", "GB" }, { "EL", "GR" } };

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* ISO 3166-1, 8.1.3: AA, QM to QZ, XA to XZ, ZZ. */
static bool is_user_assigned(const char *code)
{
	return !strcmp(code, "AA") || !strcmp(code, "ZZ") || code[0] == 'X' || (code[0] == 'Q' && code[1] >= 'M');
}

const char *geo_country_advice(const char *s)
{
	return is_upper(s[0]) && is_upper(s[1]) && !s[2] ? NULL : "give two capital letters of ISO 3166-1, such as DE";
}

static bool is_subdivision(const char *s)
{
	size_t n = 0;

	while (is_upper(s[n]) || (s[n] >= '0' && s[n] <= '9'))
		n++;
	return !s[n] && n <= 3;
}

const char *geo_subdivision_advice(const char *s, struct text *room)
{
	const char *hyphen = strchr(s, '-');

	if (is_subdivision(s))
		return NULL;
	if (!hyphen || !hyphen[1] || !is_subdivision(hyphen + 1))
		return "give up to three capital letters or digits, the part of the ISO 3166-2 code behind the hyphen";
	text_str(room, "give the part behind the hyphen: ");
	text_str(room, hyphen + 1);
	return room->p;
}

enum geo_country geo_country(const char *code)
{
	if (geo_country_advice(code))
		return GEO_COUNTRY_UNKNOWN;
	for (const char *p = assigned; *p; p += 3)
		if (p[0] == code[0] && p[1] == code[1])
			return GEO_COUNTRY_ASSIGNED;
	return is_user_assigned(code) ? GEO_COUNTRY_USER : GEO_COUNTRY_UNKNOWN;
}

bool geo_country_remark(const char *code, struct text *t)
{
	enum geo_country kind = geo_country(code);

	if (kind == GEO_COUNTRY_ASSIGNED)
		return false;
	text_str(t, "the country \"");
	text_str(t, code);
	text_str(t, kind == GEO_COUNTRY_USER ? "\" is a code for private use in ISO 3166-1: who verifies must know what it stands for"
					     : "\" is no country of ISO 3166-1");
	for (size_t i = 0; i < GL_COUNT(usual); i++)
		if (!strcmp(code, usual[i].code)) {
			text_str(t, "; ");
			text_str(t, usual[i].meant);
			text_str(t, " is meant?");
		}
	return true;
}
