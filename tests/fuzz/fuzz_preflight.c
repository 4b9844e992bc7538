/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host before a TXT launch: its registers, heap, TPM and files, all of them foreign. Input: u8 flags (bit 0 a SINIT file, 1 an LCP file, 2 a TPM,
 * 3 MSRs, 4 GETSEC, 5 files cannot be read, 6-7 ACPI), u8 banks, registers, pieces with a u16 size in front (tboot's command line, policy, heap, SINIT's area, SINIT file, LCP
 * file), then NV indices: u32 index, u8 state, u32 attributes, a piece. In place of a policy or command line that gets nobody this far a sound one
 * is taken. Whatever they say, each finding is a line of plain text, and what stops a launch does stop it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "efi/core/preflight.h"
#include "tests/fuzz/exact.h"

#define NV_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct index {
	uint32_t index, attributes;
	uint8_t state;
	struct span content;
};

static struct index indices[NV_MAX];
static size_t index_count;

static void read_nv(void *ctx, uint32_t index, struct preflight_nv *out)
{
	(void)ctx;
	/* Only what is said to be there may be looked at. */
	memset(out, 0xaa, sizeof(*out));
	out->state = PREFLIGHT_NV_MISSING;
	out->attributes = 0;
	out->size = 0;
	for (size_t i = 0; i < index_count; i++) {
		const struct index *x = &indices[i];

		if (x->index != index)
			continue;
		out->state = (enum preflight_nv_state)(x->state % 4);
		out->attributes = x->attributes;
		out->size = x->content.n;
		if (out->state == PREFLIGHT_NV_OK && out->size > sizeof(out->content))
			out->state = PREFLIGHT_NV_ATTRIBUTES;
		if (out->state == PREFLIGHT_NV_OK && out->size)
			memcpy(out->content, x->content.p, out->size);
	}
}

static void read_registers(struct rd *r, struct preflight_facts *f)
{
	struct preflight_processor *p = &f->processor;
	struct preflight_chipset *c = &f->chipset;

	for (size_t i = 0; i < GL_COUNT(p->vendor); i++)
		p->vendor[i] = rd_le32(r);
	p->signature = rd_le32(r);
	p->features = rd_le32(r);
	p->feature_control = rd_le64(r);
	p->platform_id = rd_le64(r);
	p->capabilities = rd_le32(r);
	c->didvid = rd_le64(r);
	c->sts = rd_le64(r);
	c->fsbif = rd_le32(r);
	c->qpiif = rd_le32(r);
	c->ests = rd_u8(r);
	c->errorcode = rd_le32(r);
	c->sinit_base = rd_le64(r);
	c->sinit_size = rd_le64(r);
	c->heap_base = rd_le64(r);
	c->heap_size = rd_le64(r);
}

static void check(const struct preflight_report *r)
{
	enum vlp_action all = preflight_action(r, 0);

	if (r->count > PREFLIGHT_MAX_FINDINGS || (r->more && r->count != PREFLIGHT_MAX_FINDINGS))
		abort();
	for (size_t i = 0; i < r->count; i++) {
		char line[1024];
		struct text t = TEXT_OF(line);

		if (r->findings[i].id >= PREFLIGHT_COUNT || !memchr(r->findings[i].detail, 0, PREFLIGHT_DETAIL))
			abort();
		preflight_line(&r->findings[i], &t);
		if (t.cut || t.n == 0)
			abort();
		for (size_t k = 0; k < t.n; k++)
			if (line[k] < ' ' || line[k] > '~')
				abort();
		if (preflight_table[r->findings[i].id].stops && all == VLP_ACT_CONTINUE)
			abort();
	}
}

/* geolaunch.efi has looked at both before. */
static void make_sound(struct preflight_facts *f, struct span *cmdline, struct vlp *policy)
{
	static const uint8_t sound[] = { 2, 1, 11, 1, 0, 0, 0, 0, 0, 0, 0, 1, 130, 22, 0, 0x10, 0x01, 0xc1, 0x01, 0 };

	if (!description_cmdline_valid(ROLE_TBOOT, *cmdline))
		*cmdline = SPAN_LITERAL("logging=serial");
	if (!vlp_decode(f->policy_bytes, policy) && !vlp_validate(policy, NULL))
		return;
	f->policy_bytes = SPAN_OF(sound);
	if (vlp_decode(f->policy_bytes, policy) || vlp_validate(policy, NULL))
		abort();
}

static void read_indices(struct rd *r, struct exact *x)
{
	for (index_count = 0; index_count < NV_MAX && rd_left(r) > 0; index_count++) {
		struct index *i = &indices[index_count];

		i->index = rd_le32(r);
		i->state = rd_u8(r);
		i->attributes = rd_le32(r);
		i->content = exact_piece(x, r);
		if (r->bad)
			break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vlp policy;
	static struct description d;
	const struct preflight_ops ops = { .read_nv = read_nv };
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct rd r = rd_init((struct span){ data, size });
	uint8_t flags = rd_u8(&r), banks = rd_u8(&r);
	struct preflight_room *room = exact_room(&x, sizeof(*room));
	struct preflight_report *report = exact_room(&x, sizeof(*report));
	struct preflight_facts f = {
		.description = &d, .policy = &policy, .banks = banks & ALG_SET_ALL, .acpi = (enum preflight_acpi)(flags >> 6)
	};
	struct span cmdline;

	read_registers(&r, &f);
	f.processor.has_msrs = flags >> 3 & 1;
	f.processor.has_capabilities = flags >> 4 & 1;
	f.tpm_problem = flags >> 2 & 1 ? NULL : "it does not answer";
	cmdline = exact_piece(&x, &r);
	f.policy_bytes = exact_piece(&x, &r);
	f.heap = exact_piece(&x, &r);
	f.sinit_area = exact_piece(&x, &r);
	f.sinit = exact_piece(&x, &r);
	f.lcp = exact_piece(&x, &r);
	memset(&policy, 0xaa, sizeof(policy));
	memset(&d, 0xaa, sizeof(d));
	make_sound(&f, &cmdline, &policy);
	d = (struct description){ .mode = DESCRIPTION_TXT,
		.txt = { .tboot = { .role = ROLE_TBOOT, .file = SPAN_LITERAL("tboot"), .cmdline = cmdline } } };
	if (flags & 1)
		d.txt.sinit = (struct description_module){ .role = ROLE_SINIT, .file = SPAN_LITERAL("sinit") };
	if (flags & 2)
		d.txt.lcp = (struct description_module){ .role = ROLE_LCP, .file = SPAN_LITERAL("lcp") };
	f.sinit_io = f.sinit.n ? LAUNCH_IO_OK : LAUNCH_IO_MISSING;
	f.lcp_io = f.lcp.n ? LAUNCH_IO_OK : LAUNCH_IO_MISSING;
	if (flags & 32) {
		f.sinit_io = f.lcp_io = LAUNCH_IO_ERROR;
		f.sinit = f.lcp = (struct span){ NULL, 0 };
	}
	read_indices(&r, &x);
	preflight_check(&f, &ops, NULL, room, report);
	check(report);
	return 0;
}
