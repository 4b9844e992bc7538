/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/host_tpm.h"
#include "cli/lcp.h"
#include "cli/pcrfile.h"
#include "common/eventlog.h"

/* PCR 0-7: what TXT's PCONF elements may select. */
#define STATIC_PCRS 0xffu
/* TCG PC Client Platform Firmware Profile 1.05, 10.4.5.3. */
#define STARTUP_LOCALITY SPAN_LITERAL("StartupLocality\0")
#define LOG_MAX (16u << 20)

bool lcp_option_alg(const char *option, const char *value, enum alg *out, struct cli_fault *fault)
{
	return alg_by_name(span_str(value), out) ||
	       cli_fail(fault, CLI_USAGE, "%s %s: not one of sha1, sha256, sha384, sha512", option, value);
}

bool lcp_option_hash_id(const char *option, const char *value, uint16_t *out, struct cli_fault *fault)
{
	enum alg a;

	if (!lcp_option_alg(option, value, &a, fault))
		return false;
	*out = alg_table[a].tpm_id;
	return true;
}

bool lcp_option_number(const char *option, const char *value, uint64_t max, uint64_t *out, struct cli_fault *fault)
{
	return cli_number(value, max, out) ||
	       cli_fail(fault, CLI_USAGE, "%s %s: not a number from 0 to %llu", option, value, (unsigned long long)max);
}

bool lcp_option_digest(const char *option, const char *value, struct digests *d, struct cli_fault *fault)
{
	const char *colon = strchr(value, ':');
	struct span name = { (const uint8_t *)value, colon ? (size_t)(colon - value) : 0 };
	enum alg a;

	if (!alg_by_name(name, &a))
		return cli_fail(fault, CLI_USAGE, "%s %s: not an algorithm and a digest, such as sha256:9f86d0...", option, value);
	if (!cli_unhex(colon + 1, d->d[a], alg_table[a].size))
		return cli_fail(fault, CLI_USAGE, "%s %s: a digest of %s has %u hexadecimal digits", option, value, alg_table[a].name,
			2u * alg_table[a].size);
	d->banks |= ALG_BIT(a);
	return true;
}

/* A number below 24 at `*s`, which moves behind it. */
static bool pcr_number(const char **s, unsigned *out)
{
	unsigned v = 0;
	int digits = 0;

	for (; **s >= '0' && **s <= '9' && digits < 3; (*s)++, digits++)
		v = 10 * v + (unsigned)(**s - '0');
	*out = v;
	return digits > 0 && v < PCR_COUNT;
}

bool lcp_option_pcrs(const char *option, const char *value, uint32_t *mask, struct cli_fault *fault)
{
	const char *s = value;
	uint32_t out = 0;

	for (;;) {
		unsigned from, to;

		if (!pcr_number(&s, &from))
			break;
		to = from;
		if (*s == '-' && (s++, !pcr_number(&s, &to) || to < from))
			break;
		for (unsigned i = from; i <= to; i++)
			out |= 1u << i;
		if (!*s) {
			*mask = out;
			return true;
		}
		if (*s++ != ',')
			break;
	}
	return cli_fail(fault, CLI_USAGE, "%s %s: not a list of PCRs such as 0,2,4-7", option, value);
}

int lcp_finish(const char *command, bool ok, const struct cli_fault *fault)
{
	return ok ? CLI_OK : cli_report(command, fault);
}

/* ---- PCR values ---- */

static bool pcrs_of_tpm(const char *tcti, struct pcrs *out, struct cli_fault *fault)
{
	CLEANUP(host_tpm_close) struct host_tpm h = { .tcti = NULL };
	TSS2_RC rc;

	if (!host_tpm_open(&h, tcti, fault))
		return false;
	rc = tpm_read_pcrs(&h.tpm, 0, PCR_COUNT - 1, out);
	return rc == 0 || host_tpm_fail(fault, "the PCRs cannot be read", rc);
}

/* PCR 0 starts from the locality of TPM2_Startup. */
static void startup_locality(struct pcrs *p, const struct event *e)
{
	struct span head = STARTUP_LOCALITY;

	if (e->data.n != head.n + 1 || !span_equal((struct span){ e->data.p, head.n }, head))
		return;
	for (unsigned a = 0; a < ALG_COUNT; a++)
		p->v[a][0][alg_table[a].size - 1] = e->data.p[head.n];
}

static bool replay(const char *path, struct span log, struct pcrs *out, struct cli_fault *fault)
{
	struct eventlog_reader r;
	struct event e;
	enum eventlog_status status = eventlog_open(&r, log);
	bool first = true, of_firmware = false;

	out->banks = r.banks;
	for (unsigned a = 0; a < ALG_COUNT; a++)
		out->known[a] = r.banks & ALG_BIT(a) ? STATIC_PCRS : 0;
	while (status == EVENTLOG_EVENT && (status = eventlog_next(&r, &e)) == EVENTLOG_EVENT) {
		if (e.type == EV_NO_ACTION) {
			if (first)
				startup_locality(out, &e);
			continue;
		}
		first = first && e.pcr != 0;
		of_firmware = of_firmware || e.pcr == 0;
		eventlog_extend(&e, out);
	}
	if (status == EVENTLOG_MALFORMED)
		return cli_fail(fault, CLI_INPUT, "%s: not an event log from byte %zu on: %s", path, r.error_offset, r.error);
	/* The firmware begins with itself, in PCR 0 (TCG PC Client Platform Firmware Profile, 3.3.4). Of a log of a launch all would be 0. */
	if (!of_firmware)
		return cli_fail(fault, CLI_INPUT,
			"%s: not a log of the firmware's: it has no event for PCR 0: take /sys/kernel/security/tpm0/binary_bios_measurements",
			path);
	return true;
}

static bool pcrs_of_log(const char *path, struct pcrs *out, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes log = { NULL, 0 };

	memset(out, 0, sizeof(*out));
	return read_file(path, LOG_MAX, &log.p, &log.n, fault) && replay(path, lcp_bytes_span(&log), out, fault);
}

static bool pcrs_of_file(const char *path, struct pcrs *out, struct cli_fault *fault)
{
	CLEANUP_BYTES struct lcp_bytes file = { NULL, 0 };
	char error[256];

	if (!read_file(path, PCRFILE_MAX, &file.p, &file.n, fault))
		return false;
	return pcrfile_parse(lcp_bytes_span(&file), out, error, sizeof(error)) ||
	       cli_fail(fault, CLI_INPUT, "%s: %s: " PCRFILE_ADVICE, path, error);
}

bool lcp_get_pcrs(enum lcp_pcr_source source, const char *where, struct pcrs *out, struct cli_fault *fault)
{
	switch (source) {
	case LCP_PCRS_TPM:
		return pcrs_of_tpm(*where ? where : NULL, out, fault);
	case LCP_PCRS_LOG:
		return pcrs_of_log(where, out, fault);
	default:
		return pcrs_of_file(where, out, fault);
	}
}
