/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/livelog.h"
#include "cli/output.h"
#include "common/eventlog.h"
#include "common/measure.h"

#define COMMAND "log"
#define STARTUP_LOCALITY SPAN_LITERAL("StartupLocality\0")

struct options {
	const char *file; /* NULL: live */
	const char *root;
	const char *raw_out;
	bool force;        /* raw_out may be replaced */
	const char *start; /* "ff", "00" or NULL: to be found out */
	bool live;
	bool json;
	bool full;
	bool help;
};

enum { OPTION_LIVE = 256, OPTION_ROOT, OPTION_RAW, OPTION_FORCE, OPTION_START, OPTION_JSON, OPTION_FULL };

static const struct option long_options[] = {
	{ "live", no_argument, NULL, OPTION_LIVE },
	{ "root", required_argument, NULL, OPTION_ROOT },
	{ "raw-out", required_argument, NULL, OPTION_RAW },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "start", required_argument, NULL, OPTION_START },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "full", no_argument, NULL, OPTION_FULL },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch log FILE | --live [--start ff|00] [--full] [--json]\n"
	       "                     [--raw-out FILE [--force]]\n"
	       "\n"
	       "Decodes an event log: TCG crypto-agile, TCG SHA-1, or TXT's container.\n"
	       "\n"
	       "      --live          the log of this host: geolaunch's, else TXT's, else the\n"
	       "                      firmware's\n"
	       "      --start ff|00   what PCR 17-22 start from in the replay (default: ff if\n"
	       "                      geolaunch measured without a dynamic launch, else 00)\n"
	       "      --full          whole digests and data\n"
	       "      --json          all of it as JSON\n"
	       "      --raw-out FILE  write the log's bytes to FILE as well\n"
	       "      --force         replace that file if it exists\n"
	       "      --root DIR      with --live: look below DIR instead of /\n"
	       "  -h, --help          this text\n");
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_LIVE:
			o->live = true;
			break;
		case OPTION_ROOT:
			o->root = optarg;
			break;
		case OPTION_RAW:
			o->raw_out = optarg;
			break;
		case OPTION_FORCE:
			o->force = true;
			break;
		case OPTION_START:
			o->start = optarg;
			break;
		case OPTION_JSON:
			o->json = true;
			break;
		case OPTION_FULL:
			o->full = true;
			break;
		case 'h':
			o->help = true;
			return CLI_OK;
		default:
			return cli_usage_error(COMMAND, argc, argv, option, "'geolaunch log --help'");
		}
	}
	if (argc - optind != (o->live ? 0 : 1)) {
		cli_error(COMMAND, "give one log file or --live: see 'geolaunch log --help'");
		return CLI_USAGE;
	}
	if (o->force && !o->raw_out) {
		cli_error(COMMAND, "--force is for --raw-out only: see 'geolaunch log --help'");
		return CLI_USAGE;
	}
	if (o->start && strcmp(o->start, "ff") != 0 && strcmp(o->start, "00") != 0) {
		cli_error(COMMAND, "--start %s: PCR 17-22 start from ff or 00", o->start);
		return CLI_USAGE;
	}
	o->file = argv[optind];
	return CLI_OK;
}

/* ---- what is collected while reading ---- */

struct decoded {
	struct eventlog_reader reader;
	struct pcrs replay;
	uint32_t used;  /* bit per PCR that some event was for */
	json_t *events; /* only for JSON */
};

static const char *format_name(enum eventlog_format f)
{
	static const char *const names[] = {
		[EVENTLOG_CRYPTO_AGILE] = "tcg-crypto-agile",
		[EVENTLOG_SHA1] = "tcg-sha1",
		[EVENTLOG_TXT_CONTAINER] = "txt-container",
	};

	return names[f];
}

/* Ours without any of TXT's: direct mode, which starts from all FF. */
static bool starts_from_ff(struct span log)
{
	struct eventlog_reader r;
	struct event e;
	bool ours = false;

	if (eventlog_open(&r, log) == EVENTLOG_MALFORMED)
		return false;
	while (eventlog_next(&r, &e) == EVENTLOG_EVENT) {
		if (e.type >= 0x400 && e.type <= 0x4ff)
			return false;
		ours = ours || measure_by_type(e.type) != NULL;
	}
	return ours;
}

static void start_replay(struct decoded *d, const struct options *o, struct span log)
{
	bool ff = o->start ? strcmp(o->start, "ff") == 0 : starts_from_ff(log);

	pcrs_reset_dynamic(&d->replay, d->reader.banks, !ff);
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (d->reader.banks & ALG_BIT(a))
			d->replay.known[a] = (1u << PCR_COUNT) - 1;
}

/* PCR 0 starts from the locality of TPM2_Startup (TCG PC Client Platform Firmware Profile 1.05, 10.4.5.3). */
static void startup_locality(struct decoded *d, const struct event *e)
{
	struct span head = STARTUP_LOCALITY;

	if (d->used & 1 || e->data.n != head.n + 1 || !span_equal((struct span){ e->data.p, head.n }, head))
		return;
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (d->reader.banks & ALG_BIT(a))
			d->replay.v[a][0][alg_table[a].size - 1] = e->data.p[head.n];
}

static void replay_event(struct decoded *d, const struct event *e)
{
	if (e->type == EV_NO_ACTION) {
		startup_locality(d, e);
		return;
	}
	d->used |= 1u << e->pcr;
	eventlog_extend(e, &d->replay);
}

/* Only PCRs with events, and only where every event has a digest. */
static void end_replay(struct decoded *d)
{
	for (unsigned a = 0; a < ALG_COUNT; a++)
		d->replay.known[a] &= d->used;
}

/* The data as text if they are nothing but printable ASCII, maybe with one NUL at the end. */
GL_MUST static bool as_text(struct span data, struct span *out)
{
	*out = data;
	if (out->n > 0 && out->p[out->n - 1] == 0)
		out->n--;
	for (size_t i = 0; i < out->n; i++)
		if (out->p[i] < 0x20 || out->p[i] > 0x7e)
			return false;
	return out->n > 0;
}

/* ---- output ---- */

static json_t *event_json(const struct event *e)
{
	const char *name = event_type_name(e->type);
	struct span text;

	return json_pack("{s:I, s:I, s:s?, s:o, s:o, s:o}", "pcr", (json_int_t)e->pcr, "type", (json_int_t)e->type, "type_name", name,
		"digests", cli_json_digests(&e->digests), "data", cli_json_hex(e->data), "text",
		as_text(e->data, &text) ? json_stringn((const char *)text.p, text.n) : json_null());
}

static void print_hex(struct span s, size_t limit)
{
	for (size_t i = 0; i < s.n && i < limit; i++)
		printf("%02x", s.p[i]);
	if (s.n > limit)
		printf("...");
}

static void print_event(const struct event *e, const struct options *o)
{
	const char *name = event_type_name(e->type);
	struct span text;

	printf("PCR %2u  ", e->pcr);
	if (name)
		printf("%s", name);
	else
		printf("type 0x%x", e->type);
	if (as_text(e->data, &text))
		printf("  \"%.*s\"", (int)(o->full || text.n < 120 ? text.n : 120), (const char *)text.p);
	else if (e->data.n > 0) {
		printf("  %zu bytes: ", e->data.n);
		print_hex(e->data, o->full ? e->data.n : 32);
	}
	printf("\n");
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (e->digests.banks & ALG_BIT(a)) {
			printf("        %-6s  ", alg_table[a].name);
			print_hex(digest_span(&e->digests, (enum alg)a), o->full ? DIGEST_MAX : 20);
			printf("\n");
		}
}

static void print_replay(const struct decoded *d)
{
	printf("\nreplay:\n");
	for (unsigned a = 0; a < ALG_COUNT; a++) {
		if (!(d->reader.banks & ALG_BIT(a)))
			continue;
		printf("  %s:\n", alg_table[a].name);
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			if (pcr_known(&d->replay, (enum alg)a, pcr)) {
				printf("    %-2u: ", pcr);
				print_hex(pcr_value(&d->replay, (enum alg)a, pcr), DIGEST_MAX);
				printf("\n");
			} else if (d->used >> pcr & 1) {
				printf("    %-2u: unknown: some event has no digest in this bank\n", pcr);
			}
		}
	}
}

GL_MUST static bool finish(const struct decoded *d, const struct options *o, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *root = NULL;

	if (!o->json) {
		print_replay(d);
		return cli_flush(fault);
	}
	root = json_pack("{s:s, s:O, s:o}", "format", format_name(d->reader.format), "events", d->events, "replay",
		cli_json_pcrs(&d->replay, 0, PCR_COUNT - 1));
	/* Who does not look at the exit code shall see it too. */
	if (root && d->reader.error &&
		json_object_set_new(
			root, "error", json_pack("{s:s, s:I}", "text", d->reader.error, "offset", (json_int_t)d->reader.error_offset)) != 0)
		return cli_fail(fault, CLI_IO, "out of memory: JSON output");
	return cli_json_print(root, fault);
}

/* Shows all events up to the end, or to where the log breaks off. */
GL_MUST static bool decode(struct span log, const char *path, const struct options *o, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *events = json_array();
	struct decoded d = { .events = events };
	enum eventlog_status s;
	struct event e;

	if (!events)
		return cli_fail(fault, CLI_IO, "out of memory");
	if (eventlog_open(&d.reader, log) == EVENTLOG_MALFORMED)
		return cli_fail(fault, CLI_INPUT, "%s: byte %zu: %s", path, d.reader.error_offset, d.reader.error);
	start_replay(&d, o, log);
	if (!o->json)
		printf("format: %s\n", format_name(d.reader.format));
	while ((s = eventlog_next(&d.reader, &e)) == EVENTLOG_EVENT) {
		replay_event(&d, &e);
		if (!o->json)
			print_event(&e, o);
		else if (json_array_append_new(events, event_json(&e)) != 0)
			return cli_fail(fault, CLI_IO, "out of memory: JSON output");
	}
	end_replay(&d);
	if (!finish(&d, o, fault))
		return false;
	if (s == EVENTLOG_MALFORMED)
		return cli_fail(
			fault, CLI_INPUT, "%s: byte %zu: %s; the events before it are shown", path, d.reader.error_offset, d.reader.error);
	return true;
}

GL_MUST static bool run_on(struct span log, const char *path, const struct options *o, struct cli_fault *fault)
{
	if (o->raw_out && !write_file_atomic(o->raw_out, log, fault))
		return false;
	return decode(log, path, o, fault);
}

GL_MUST static bool run_live(const struct options *o, struct cli_fault *fault)
{
	__attribute__((cleanup(livelog_free))) struct livelog live = { .kind = LIVELOG_NONE };

	if (!livelog_find(o->root ? o->root : "", &live, fault))
		return false;
	if (live.kind == LIVELOG_NONE)
		return cli_fail(fault, CLI_IO,
			"this host has no event log: neither geolaunch, nor TXT, nor the firmware left one; "
			"are efivarfs and securityfs mounted?");
	if (live.kind == LIVELOG_FIRMWARE)
		cli_error(COMMAND, "note: no log of a measured launch is here; this is the firmware's own log (%s)", live.path);
	return run_on(live.log, live.path, o, fault);
}

GL_MUST static bool run_file(const struct options *o, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t n;

	if (!read_file(o->file, LIVELOG_MAX, &bytes, &n, fault))
		return false;
	return run_on((struct span){ bytes, n }, o->file, o, fault);
}

static int run(int argc, char **argv)
{
	struct options o = { 0 };
	struct cli_fault fault = { .code = CLI_OK };
	int code = parse_options(argc, argv, &o);
	bool ok;

	if (code != CLI_OK)
		return code;
	if (o.help)
		ok = cli_help(print_help, &fault);
	else if (o.raw_out && !output_check_file(o.raw_out, o.force, &fault))
		ok = false;
	else
		ok = o.live ? run_live(&o, &fault) : run_file(&o, &fault);
	return ok ? CLI_OK : cli_report(COMMAND, &fault);
}

const struct cli_command cmd_log = { "log", "decode an event log", run };
