/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/proxy/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "common/hex.h"
#include "qemu/proxy/tpm_message.h"

static const char *const action_names[] = {
	[FAULT_RC] = "rc",
	[FAULT_REPLY] = "reply",
	[FAULT_DROP] = "drop",
	[FAULT_SILENT] = "silent",
	[FAULT_HANG] = "hang",
	[FAULT_SHORT] = "short",
	[FAULT_GARBAGE] = "garbage",
	[FAULT_LONG] = "long",
	[FAULT_HUGE] = "huge",
};

/* A decimal or 0x number that fills the span and is in [1, max]. */
static bool parse_number(struct span s, uint32_t max, uint32_t *out)
{
	char text[16], *end;
	unsigned long long v;

	if (s.n == 0 || s.n >= sizeof(text) || s.p[0] < '0' || s.p[0] > '9')
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	errno = 0;
	v = strtoull(text, &end, s.n > 2 && text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	if (errno || *end || v == 0 || v > max)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool parse_command(struct span s, struct fault_rule *rule)
{
	uint32_t cc;

	if (span_is_str(s, "*")) {
		rule->any = true;
		return true;
	}
	if (span_is_str(s, "_TPM_Hash")) {
		rule->cc = FAULT_CC_HASH;
		return true;
	}
	if (!tpm_command_by_name(s, &cc) && !parse_number(s, UINT32_MAX, &cc))
		return false;
	rule->cc = cc;
	return true;
}

static bool parse_reply(const char *s, struct fault_rule *rule)
{
	size_t n = strlen(s);

	if (n == 0 || n % 2 != 0 || n > 2 * (size_t)FAULT_REPLY_MAX)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		int high = hex_lower((uint8_t)s[i]), low = hex_lower((uint8_t)s[i + 1]);

		if (high < 0 || low < 0)
			return false;
		rule->reply[i / 2] = (uint8_t)(high << 4 | low);
	}
	rule->reply_size = n / 2;
	return true;
}

static bool parse_action(const char *s, struct fault_rule *rule)
{
	if (strncmp(s, "reply:", 6) == 0) {
		rule->action = FAULT_REPLY;
		return parse_reply(s + 6, rule);
	}
	if (strncmp(s, "rc:", 3) == 0) {
		rule->action = FAULT_RC;
		return parse_number(span_str(s + 3), UINT32_MAX, &rule->rc);
	}
	for (size_t i = FAULT_DROP; i < GL_COUNT(action_names); i++)
		if (strcmp(s, action_names[i]) == 0) {
			rule->action = (enum fault_action)i;
			return true;
		}
	return false;
}

bool fault_parse(const char *text, struct fault_rule *out, const char **why)
{
	struct fault_rule rule = { 0 };
	const char *equals = strchr(text, '=');
	size_t head = strcspn(text, "@#=");

	*why = "expected CC[@LOCALITY][#N]=ACTION";
	if (!equals)
		return false;
	if (!parse_command((struct span){ (const uint8_t *)text, head }, &rule)) {
		*why = "unknown command; use *, 0x... or a name such as PCR_Extend";
		return false;
	}
	for (const char *p = text + head; *p != '=';) {
		size_t n = strcspn(p + 1, "@#=");
		struct span value = { (const uint8_t *)p + 1, n };

		if (*p == '@') {
			*why = "locality must be one digit, 0 to 4, given once";
			if (rule.at_locality || n != 1 || p[1] < '0' || p[1] > '4')
				return false;
			rule.at_locality = true;
			rule.locality = (unsigned)(p[1] - '0');
		} else {
			*why = "#N must be a number from 1, given once";
			if (rule.nth || !parse_number(value, UINT32_MAX, &rule.nth))
				return false;
		}
		p += 1 + n;
	}
	*why = "action must be rc:CODE (not 0), reply:HEX (in lower case, up to 64 bytes), drop, silent, hang, short, garbage, long or huge";
	if (!parse_action(equals + 1, &rule))
		return false;
	*out = rule;
	return true;
}

const struct fault_rule *fault_next(struct fault_rule *rules, size_t count, uint64_t cc, unsigned locality)
{
	const struct fault_rule *fires = NULL;

	for (size_t i = 0; i < count; i++) {
		struct fault_rule *r = &rules[i];

		/* "any" counts commands only. */
		if ((r->any ? cc == FAULT_CC_HASH : r->cc != cc) || (r->at_locality && r->locality != locality))
			continue;
		if (r->seen < UINT32_MAX)
			r->seen++;
		if (!fires && (r->nth == 0 || r->nth == r->seen))
			fires = r;
	}
	return fires;
}

/* Success responses carry the sessions that the command had; errors carry none (TPM 2.0 Library part 1, 18; TPM 1.2 Main part 2, 6). */
static uint16_t response_tag(uint16_t command_tag, bool success)
{
	if (command_tag >= TPM_TAG_COMMAND_12 && command_tag <= TPM_TAG_COMMAND_12_AUTH2)
		return success ? (uint16_t)(command_tag + 3) : (uint16_t)TPM_TAG_RESPONSE_12;
	return success && command_tag == TPM_TAG_SESSIONS ? (uint16_t)TPM_TAG_SESSIONS : (uint16_t)TPM_TAG_NO_SESSIONS;
}

bool fault_response(const struct fault_rule *rule, struct span command, struct mspan out, size_t *size)
{
	struct wr w = wr_init(out);
	struct tpm_header h;
	uint32_t rc = rule->action == FAULT_RC ? rule->rc : 0;
	uint32_t claimed = TPM_HEADER_SIZE;
	size_t body = 0;

	if (!tpm_header(command, &h) || out.n < TPM_HEADER_SIZE)
		return false;
	switch (rule->action) {
	case FAULT_DROP:
	case FAULT_SILENT:
	case FAULT_HANG:
		*size = 0;
		return true;
	case FAULT_GARBAGE:
		body = FAULT_GARBAGE_SIZE - TPM_HEADER_SIZE;
		break;
	case FAULT_LONG:
		body = (out.n < TPM_MESSAGE_MAX ? out.n : TPM_MESSAGE_MAX) - TPM_HEADER_SIZE;
		break;
	case FAULT_REPLY:
		body = rule->reply_size;
		break;
	case FAULT_RC:
	case FAULT_SHORT:
	case FAULT_HUGE:
		break;
	}
	claimed = rule->action == FAULT_HUGE ? UINT32_MAX : (uint32_t)(TPM_HEADER_SIZE + body);
	wr_be16(&w, response_tag(h.tag, rc == 0));
	wr_be32(&w, claimed);
	wr_be32(&w, rc);
	for (size_t i = 0; i < body; i++)
		wr_u8(&w, rule->action == FAULT_REPLY ? rule->reply[i] : 0xFF);
	if (w.bad)
		return false;
	*size = w.off;
	return true;
}

const char *fault_action_name(enum fault_action action)
{
	return action_names[action];
}
