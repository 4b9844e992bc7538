/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/launch_report.h"

#define LINE 200
#define PREFIX_BYTES 6

static bool timed_extend(void *ctx, unsigned pcr, uint32_t type, struct span name, const struct digests *d)
{
	struct launch *l = ctx;
	uint64_t t = l->ops->now_us(l->ctx);
	bool ok = !l->measured || l->ops->tpm.extend(l->ctx, pcr, type, name, d);

	l->tpm_us += l->ops->now_us(l->ctx) - t;
	return ok;
}

static bool timed_read_pcrs(void *ctx, struct pcrs *out)
{
	struct launch *l = ctx;
	uint64_t t = l->ops->now_us(l->ctx);
	bool ok = l->ops->tpm.read_pcrs(l->ctx, out);

	l->tpm_us += l->ops->now_us(l->ctx) - t;
	return ok;
}

static enum apply_nv_status timed_read_nv(void *ctx, uint32_t index, struct mspan buf, size_t *n)
{
	struct launch *l = ctx;
	uint64_t t = l->ops->now_us(l->ctx);
	enum apply_nv_status s = l->ops->tpm.read_nv(l->ctx, index, buf, n);

	l->tpm_us += l->ops->now_us(l->ctx) - t;
	l->current_size = s == APPLY_NV_OK ? *n : 0;
	return s;
}

/* The bank whose digest stands for all on a line: the policy's own if it is active. */
static enum alg shown_alg(const struct launch *l, alg_set banks)
{
	enum alg a;

	if (alg_by_id(l->policy.hash_alg, &a) && banks & ALG_BIT(a))
		return a;
	for (unsigned i = 0; i < ALG_COUNT; i++)
		if (banks & ALG_BIT(i))
			return (enum alg)i;
	return ALG_COUNT;
}

static void print(void *ctx, const struct apply_report *r)
{
	struct launch *l = ctx;
	enum alg a = shown_alg(l, r->digests->banks);
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "  PCR ");
	if (r->pcr == VLP_PCR_NONE || !l->measured)
		text_str(&t, "--");
	else
		text_u64(&t, r->pcr);
	text_str(&t, "  ");
	text_span(&t, r->name);
	text_pad(&t, 44);
	if (r->type == MEASURE_MODULE || r->type == MEASURE_NV)
		text_size(&t, l->current_size);
	text_pad(&t, 55);
	if (a < ALG_COUNT) {
		struct span d = digest_span(r->digests, a);

		text_str(&t, alg_table[a].name);
		text_char(&t, ' ');
		text_bytes(&t, (struct span){ d.p, PREFIX_BYTES });
	}
	text_pad(&t, 76);
	if (r->error == TB_ERR_NONE) {
		text_str(&t, "ok");
	} else {
		text_str(&t, "FAILED: ");
		text_str(&t, cap_table[r->why].meaning);
	}
	l->ops->line(l->ctx, buf);
}

static const struct apply_ops bound = { .extend = timed_extend, .read_pcrs = timed_read_pcrs, .read_nv = timed_read_nv, .report = print };

void report_bind(struct launch *l)
{
	l->apply.ops = &bound;
	l->apply.ctx = l;
}

void report_file(struct launch *l, struct span file, const char *what)
{
	report_file_line(l, file, 0, what);
}

void report_file_line(struct launch *l, struct span file, size_t line, const char *what)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "geolaunch: ");
	text_span(&t, file);
	if (line) {
		text_char(&t, ':');
		text_u64(&t, line);
	}
	text_str(&t, ": ");
	text_str(&t, what);
	l->ops->line(l->ctx, buf);
}

void report_unreadable(struct launch *l, struct span file)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "cannot be read (");
	l->ops->io_text(l->ctx, &t);
	text_str(&t, "): check the disk and its file system");
	report_file(l, file, buf);
}

void report_no_memory(struct launch *l, struct span file, size_t size)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "no memory for its ");
	text_size(&t, size);
	report_file(l, file, buf);
}

bool report_progress(struct launch *l, struct span file, size_t done, size_t size, uint64_t elapsed_us, const uint64_t *shown)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	if (elapsed_us < 1000000 || (elapsed_us - *shown < 250000 && done < size))
		return false;
	text_str(&t, "  reading ");
	text_span(&t, file);
	text_char(&t, ' ');
	text_u64(&t, (uint64_t)done * 100 / size);
	text_str(&t, " % of ");
	text_size(&t, size);
	l->ops->progress(l->ctx, buf);
	return true;
}

void launch_print_pcrs(struct launch *l, const struct pcrs *p)
{
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
			char buf[LINE];
			struct text t = TEXT_OF(buf);

			if (!pcr_known(p, (enum alg)a, pcr))
				continue;
			text_str(&t, "  ");
			text_str(&t, alg_table[a].name);
			text_str(&t, " PCR ");
			text_u64(&t, pcr);
			text_char(&t, ' ');
			text_bytes(&t, pcr_value(p, (enum alg)a, pcr));
			l->ops->line(l->ctx, buf);
		}
}
