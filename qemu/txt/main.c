/* SPDX-License-Identifier: BSD-3-Clause */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <zlib.h>

#include "common/hash.h"
#include "lcp/acm_make.h"
#include "qemu/proxy/report.h"
#include "qemu/txt/platform.h"
#include "qemu/txt/report.h"

#define MLE_MAX ((size_t)256 << 20)
#define POLICY_DATA_MAX ((size_t)128 << 10)
#define DPR_TOP_USUAL 0xc8400000u
#define CONNECT_MS 10000
#define MIB UINT64_C(0x100000)

enum { EXIT_OK = 0, EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_INPUT = 3 };

static const char help_text[] =
	"usage: txtplatform --gdb SOCKET --qmp SOCKET [--tpm-command SOCKET] --registers FILE --area FILE\n"
	"                   --mle FILE [OPTION]...\n"
	"       txtplatform --make-sinit FILE [--index-set 0|1] [--server]\n"
	"\n"
	"Turns a QEMU into an Intel TXT platform: answers CPUID, MSRs, CR4.SMXE and GETSEC in the MLE's code, plays\n"
	"the chipset's TXT registers and SINIT, and measures with the TPM behind tpmproxy. See txtplatform(1) for the\n"
	"QEMU arguments that it needs.\n"
	"\n"
	"  --gdb SOCKET          QEMU's gdbstub (-gdb chardev:...)\n"
	"  --qmp SOCKET          QEMU's monitor (-qmp unix:...)\n"
	"  --tpm-command SOCKET  tpmproxy's command socket (default: the machine has no TPM)\n"
	"  --registers FILE      backs the ivshmem-plain device of 128 KiB that becomes the TXT registers\n"
	"  --area FILE           backs the ivshmem-plain device that becomes TXT heap and SINIT area (--dpr-size)\n"
	"  --mle FILE            the MLE as the boot loader loads it: 32-bit ELF, may be compressed with gzip\n"
	"  --sinit FILE          SINIT module for this platform, which gets its chipset, key and fusing from it\n"
	"                        (default: one made for the purpose)\n"
	"  --index-set 0|1       TPM NV indices of the made module: 0 0x01200001.., 1 0x01c10131.. (default 1)\n"
	"  --loader-sinit        the BIOS provides no SINIT module: the boot loader must\n"
	"  --ps-data FILE        the supplier's launch control policy data, provided by the BIOS\n"
	"  --require-indices     no launch without the supplier's and the AUX index, as real modules want it\n"
	"  --log-room BYTES      SINIT leaves no more of the event log than this (default: all that it does not need)\n"
	"  --server              the made module is a server's (default: a client's)\n"
	"  --dpr-top ADDRESS     first byte behind the DMA protected range (default 0xc8400000)\n"
	"  --dpr-size MIB        its size, and that of --area (default 4)\n"
	"  --heap-size KIB, --sinit-size KIB   (default 1024 each)\n"
	"  --ram NAME            name of the machine's RAM in QEMU's memory map (default pc.ram)\n"
	"  --make-sinit FILE     only write the module that would be made, to predict with it\n"
	"  --explain             every decision with its rule and source on standard error\n"
	"  --json OUT            the result, replaced by rename, when QEMU ends\n"
	"  --help                this text\n"
	"\n"
	"Ends when QEMU does, or by SIGTERM or SIGINT: QEMU then goes on without TXT.\n"
	"Exit status: 0 QEMU ended, 1 error, 2 usage, 3 a file cannot be used.\n";

struct options {
	struct platform_config config;
	const char *mle, *sinit, *ps_data, *json, *make_sinit;
	uint8_t index_set;
	bool server;
	unsigned long dpr_top, dpr_size, heap_size, sinit_size;
};

/* clang-format off */
enum {
	O_GDB = 1, O_QMP, O_TPM, O_REGISTERS, O_AREA, O_MLE, O_SINIT, O_INDEX_SET, O_LOADER_SINIT, O_PS_DATA, O_REQUIRE, O_LOG_ROOM, O_SERVER,
	O_DPR_TOP, O_DPR_SIZE, O_HEAP_SIZE, O_SINIT_SIZE, O_RAM, O_EXPLAIN, O_JSON, O_MAKE_SINIT, O_HELP
};
/* clang-format on */

static unsigned long number(const char *option, const char *text, unsigned long low, unsigned long high)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 0);
	if (errno || end == text || *end || v < low || v > high)
		errx(EXIT_USAGE, "--%s %s: not a number from %lu to %lu", option, text, low, high);
	return v;
}

static void parse_options(int argc, char **argv, struct options *o)
{
	/* clang-format off */
	static const struct option table[] = {
		{ "gdb", required_argument, NULL, O_GDB }, { "qmp", required_argument, NULL, O_QMP },
		{ "tpm-command", required_argument, NULL, O_TPM }, { "registers", required_argument, NULL, O_REGISTERS },
		{ "area", required_argument, NULL, O_AREA }, { "mle", required_argument, NULL, O_MLE },
		{ "sinit", required_argument, NULL, O_SINIT }, { "index-set", required_argument, NULL, O_INDEX_SET },
		{ "loader-sinit", no_argument, NULL, O_LOADER_SINIT }, { "ps-data", required_argument, NULL, O_PS_DATA },
		{ "require-indices", no_argument, NULL, O_REQUIRE }, { "log-room", required_argument, NULL, O_LOG_ROOM }, { "server", no_argument, NULL, O_SERVER },
		{ "dpr-top", required_argument, NULL, O_DPR_TOP }, { "dpr-size", required_argument, NULL, O_DPR_SIZE },
		{ "heap-size", required_argument, NULL, O_HEAP_SIZE }, { "sinit-size", required_argument, NULL, O_SINIT_SIZE },
		{ "ram", required_argument, NULL, O_RAM }, { "explain", no_argument, NULL, O_EXPLAIN },
		{ "json", required_argument, NULL, O_JSON }, { "make-sinit", required_argument, NULL, O_MAKE_SINIT }, { "help", no_argument, NULL, O_HELP }, { 0 },
	};
	/* clang-format on */
	struct platform_config *f = &o->config;
	/* Options that are just kept. */
	/* clang-format off */
	const char **const text[O_HELP + 1] = {
		[O_GDB] = &f->gdb, [O_QMP] = &f->qmp, [O_TPM] = &f->tpm, [O_REGISTERS] = &f->regs_file, [O_AREA] = &f->area_file,
		[O_MLE] = &o->mle, [O_SINIT] = &o->sinit, [O_PS_DATA] = &o->ps_data, [O_RAM] = &f->ram, [O_JSON] = &o->json,
		[O_MAKE_SINIT] = &o->make_sinit,
	};
	/* clang-format on */
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
		switch (c) {
		case O_INDEX_SET:
			o->index_set = (uint8_t)number("index-set", optarg, 0, 1);
			break;
		case O_LOADER_SINIT:
			f->bios_sinit = false;
			break;
		case O_REQUIRE:
			f->needs_aux = f->needs_ps = true;
			break;
		case O_LOG_ROOM:
			f->fill_log = true;
			f->log_room = (uint32_t)number("log-room", optarg, 0, 65536);
			break;
		case O_SERVER:
			o->server = true;
			break;
		case O_DPR_TOP:
			o->dpr_top = number("dpr-top", optarg, 16 * MIB, UINT32_MAX);
			break;
		case O_DPR_SIZE:
			o->dpr_size = number("dpr-size", optarg, 1, 128);
			break;
		case O_HEAP_SIZE:
			o->heap_size = number("heap-size", optarg, 4, 65536);
			break;
		case O_SINIT_SIZE:
			o->sinit_size = number("sinit-size", optarg, 4, 65536);
			break;
		case O_EXPLAIN:
			f->explain = true;
			break;
		case O_HELP:
			fputs(help_text, stdout);
			exit(EXIT_OK);
		default:
			if (c < 0 || c > O_HELP || !text[c])
				exit(EXIT_USAGE);
			*text[c] = optarg;
		}
	if (o->make_sinit && optind == argc)
		return;
	if (optind != argc || !f->gdb || !f->qmp || !f->regs_file || !f->area_file || !o->mle)
		errx(EXIT_USAGE, "--gdb, --qmp, --registers, --area and --mle are needed and nothing but options; see --help");
}

/* Reads a file, unpacked if it is gzip; the caller frees it. */
static struct span read_file(const char *path, size_t max)
{
	gzFile f = gzopen(path, "rbe");
	uint8_t *bytes = NULL;
	size_t n = 0, cap = 0;

	if (!f)
		err(EXIT_INPUT, "cannot open %s", path);
	for (;;) {
		int got;

		if (n == cap) {
			cap = cap ? 2 * cap : MIB;
			bytes = realloc(bytes, cap);
			if (!bytes)
				errx(EXIT_ERROR, "out of memory");
		}
		got = gzread(f, bytes + n, (unsigned)(cap - n));
		if (got < 0)
			errx(EXIT_INPUT, "cannot read %s: it is damaged", path);
		if (got == 0)
			break;
		n += (size_t)got;
		if (n > max)
			errx(EXIT_INPUT, "%s has more than %zu bytes", path, max);
	}
	if (gzclose(f) != Z_OK)
		errx(EXIT_INPUT, "cannot read %s: it is cut off", path);
	if (n == 0)
		errx(EXIT_INPUT, "%s is empty", path);
	return (struct span){ bytes, n };
}

static unsigned platform_type(uint32_t capabilities)
{
	return (capabilities & ACM_CAP_PLATFORM_TYPE) / (ACM_CAP_PLATFORM_TYPE & -ACM_CAP_PLATFORM_TYPE);
}

static struct span make_sinit(uint8_t index_set, bool server)
{
	static const struct acm_chipset chipset = { .vendor_id = 0x8086, .device_id = 0xb001, .revision_id = 1 };
	static const struct acm_processor any = { 0 };
	static const uint16_t algs[] = { 0x0004, 0x000b, 0x000c, 0x000d };
	struct acm_recipe r = acm_recipe_sinit(index_set);
	uint8_t *bytes = malloc(r.size);

	r.capabilities |= (ACM_CAP_PLATFORM_TYPE & -ACM_CAP_PLATFORM_TYPE) * (server ? ACM_PLATFORM_SERVER : ACM_PLATFORM_CLIENT);
	r.chipsets = &chipset;
	r.chipset_count = 1;
	r.processors = &any;
	r.processor_count = 1;
	r.tpm_algs = algs;
	r.tpm_alg_count = GL_COUNT(algs);
	if (!bytes || acm_make(&r, (struct mspan){ bytes, r.size }) != ACM_OK)
		errx(EXIT_ERROR, "cannot make a SINIT module");
	return (struct span){ bytes, r.size };
}

static int write_sinit(const struct options *o)
{
	struct span module = make_sinit(o->index_set, o->server);
	bool ok = file_replace_bytes(o->make_sinit, module);

	free((void *)(uintptr_t)module.p);
	if (!ok)
		warn("cannot write %s", o->make_sinit);
	return ok ? EXIT_OK : EXIT_ERROR;
}

/* The machine gets what the module wants to see: chipset, key, fusing, header version. */
static void platform_for(const char *name, struct platform_config *f)
{
	struct digests key;
	struct acm_chipset c;
	enum acm_error e;
	struct acm acm;

	e = acm_decode(f->sinit, &acm);
	if (e == ACM_OK)
		e = acm_validate(&acm);
	if (e != ACM_OK)
		errx(EXIT_INPUT, "%s cannot be used as SINIT module: %s", name, acm_strerror(e));
	if (acm.info.chipset_type != ACM_SINIT || acm.chipsets.count == 0)
		errx(EXIT_INPUT, "%s is no SINIT module", name);
	c = acm_chipset_at(&acm.chipsets, 0);
	/* As a mask the revision stands for several; the lowest bit is one of them. */
	if (c.flags & 1)
		c.revision_id = (uint16_t)(c.revision_id & -c.revision_id);
	f->chipset.didvid =
		c.vendor_id | (uint64_t)c.device_id << 16 | (uint64_t)c.revision_id << 32 | (uint64_t)(uint16_t)c.extended_id << 48;
	if (acm.header.flags & (ACM_FLAG_DEBUG_SIGNED | ACM_FLAG_PRE_PRODUCTION)) {
		f->chipset.fsbif &= 0x7fffffffu;
		f->chipset.qpiif &= 0x7fffffffu;
	}
	/* From version 5 on BiosData tells the kind, and loaders compare; older modules know no kind. */
	switch (platform_type(acm.info.capabilities)) {
	case ACM_PLATFORM_CLIENT:
		f->mle_flags = HEAP_BIOS_MLE_CLIENT;
		break;
	case ACM_PLATFORM_SERVER:
		f->mle_flags = HEAP_BIOS_MLE_SERVER;
		f->copy_madt = f->copy_mcfg = true;
		break;
	default:
		f->bios_version = 4;
	}
	f->smx.acm_version = acm.header.version;
	if (f->smx.acm_max_size < acm.bytes.n)
		f->smx.acm_max_size = (uint32_t)(acm.bytes.n + 0x1f) & ~0x1fu;
	hash_span(ALG_BIT(ALG_SHA256), acm.header.public_key, &key);
	memcpy(f->chipset.public_key, key.d[ALG_SHA256], sizeof(f->chipset.public_key));
}

static void lay_out(struct options *o)
{
	struct chipset_config *c = &o->config.chipset;

	*c = chipset_config_usual((uint32_t)o->dpr_top);
	c->dpr_size = (uint32_t)(o->dpr_size * MIB);
	c->heap_base = c->dpr_top - c->dpr_size;
	c->heap_size = (uint32_t)o->heap_size << 10;
	c->sinit_size = (uint32_t)o->sinit_size << 10;
	c->sinit_base = c->heap_base + c->dpr_size / 2;
	if (c->dpr_top % MIB || c->dpr_top < c->dpr_size || c->heap_base % c->dpr_size)
		errx(EXIT_USAGE, "--dpr-top 0x%lx: the range must end at a multiple of its size", o->dpr_top);
	if (c->dpr_size & (c->dpr_size - 1))
		errx(EXIT_USAGE, "--dpr-size %lu: not a power of two", o->dpr_size);
	if (c->heap_size > c->dpr_size / 2 || c->sinit_size > c->dpr_size / 2 - 8192)
		errx(EXIT_USAGE, "heap and SINIT area do not fit the DMA protected range: each may have half of it, less 8 KiB");
}

static int end_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		err(EXIT_ERROR, "signalfd");
	return fd;
}

static bool report(const struct platform *p, const char *failure, const char *path)
{
	char *text = txt_report_json(p, failure);
	bool ok = text && file_replace(path, text);

	free(text);
	if (!ok)
		warn("cannot write %s", path);
	return ok;
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static struct options o = {
		.config = { .ram = "pc.ram", .connect_ms = CONNECT_MS, .bios_sinit = true, .bios_version = 6 },
		.index_set = 1, .dpr_top = DPR_TOP_USUAL, .dpr_size = 4, .heap_size = 1024, .sinit_size = 1024,
	};
	/* clang-format on */
	struct platform *p;
	char why[200] = "";
	int signals;
	bool ok;

	parse_options(argc, argv, &o);
	if (o.make_sinit)
		return write_sinit(&o);
	/* What is wrong with the TPM's answers is in the trace; tpm2-tss would say it on standard error, too. */
	(void)setenv("TSS2_LOG", "all+none", 0);
	lay_out(&o);
	o.config.smx = smx_config_usual();
	o.config.smx.tpm = o.config.tpm != NULL;
	o.config.mle = read_file(o.mle, MLE_MAX);
	o.config.sinit = o.sinit ? read_file(o.sinit, ACM_MAX_SIZE) : make_sinit(o.index_set, o.server);
	if (o.ps_data)
		o.config.ps_data = read_file(o.ps_data, POLICY_DATA_MAX);
	platform_for(o.sinit ? o.sinit : "the made module", &o.config);
	signals = end_signals();
	p = platform_new(&o.config, why, sizeof(why));
	if (!p)
		errx(EXIT_ERROR, "%s", why);
	ok = platform_run(p, signals, why, sizeof(why));
	if (!ok)
		warnx("%s", why);
	if (o.json && !report(p, ok ? NULL : why, o.json))
		ok = false;
	platform_free(p);
	free((void *)(uintptr_t)o.config.mle.p);
	free((void *)(uintptr_t)o.config.sinit.p);
	free((void *)(uintptr_t)o.config.ps_data.p);
	return ok ? EXIT_OK : EXIT_ERROR;
}
