/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/fake_tpm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/cursor.h"

#define ST_NO_SESSIONS 0x8001
#define ST_SESSIONS 0x8002
#define RS_PW 0x40000009u

#define RC_VALUE_1 0x1c4u /* first parameter */
#define RC_SIZE_1 0x1d5u
#define RC_HANDLE_1 0x18bu /* first handle */
#define RC_AUTH_FAIL 0x98eu
#define RC_AUTH_MISSING 0x125u
#define RC_COMMAND_CODE 0x143u
#define RC_COMMAND_SIZE 0x142u
#define RC_NV_AUTHORIZATION 0x149u
#define RC_NV_RANGE 0x146u
#define RC_NV_LOCKED 0x148u
#define RC_NV_UNINITIALIZED 0x14au
#define RC_LOCALITY 0x907u

#define CAP_PCRS 5u
#define CAP_TPM_PROPERTIES 6u
#define PT_NV_BUFFER_MAX 0x12cu

/* Localities that may extend a PCR, a bit each (PTP, table of PCR attributes). */
static unsigned extend_localities(unsigned pcr)
{
	switch (pcr) {
	case 17:
	case 18:
		return 0x1c;
	case 19:
		return 0x0c;
	case 20:
		return 0x0e;
	case 21:
	case 22:
		return 0x04;
	default:
		return 0x1f;
	}
}

/* A command being executed. */
struct run {
	struct soft_tpm *t;
	uint8_t locality;
	struct rd in;
	struct wr out; /* parameters of the response */
};

static uint32_t get_capability(struct run *r)
{
	uint32_t capability = rd_be32(&r->in), property = rd_be32(&r->in), count = rd_be32(&r->in);
	struct soft_tpm *t = r->t;

	if (!rd_done(&r->in))
		return RC_COMMAND_SIZE;
	wr_u8(&r->out, 0);
	wr_be32(&r->out, capability);
	if (capability == CAP_PCRS) {
		/* A bank that is not active is listed with an empty selection, as swtpm does. */
		wr_be32(&r->out, ALG_COUNT + (t->other_bank != 0));
		for (enum alg a = 0; a < ALG_COUNT; a++) {
			wr_be16(&r->out, alg_table[a].tpm_id);
			wr_u8(&r->out, 3);
			wr_be(&r->out, t->banks & ALG_BIT(a) ? 0xffffff : 0, 3);
		}
		if (t->other_bank) {
			wr_be16(&r->out, t->other_bank);
			wr_u8(&r->out, 3);
			wr_be(&r->out, 0xffffff, 3);
		}
		return 0;
	}
	if (capability == CAP_TPM_PROPERTIES && property == PT_NV_BUFFER_MAX && count > 0) {
		wr_be32(&r->out, 1);
		wr_be32(&r->out, property);
		wr_be32(&r->out, t->nv_buffer_max);
		return 0;
	}
	return RC_VALUE_1;
}

/* Authorization area with one password. */
static uint32_t password(struct run *r, bool *empty)
{
	uint32_t size = rd_be32(&r->in), session = rd_be32(&r->in);
	uint16_t nonce = rd_be16(&r->in), n;

	(void)rd_u8(&r->in);
	n = rd_be16(&r->in);
	(void)rd_bytes(&r->in, n);
	*empty = n == 0;
	if (r->in.bad || size != 9u + n || session != RS_PW || nonce != 0)
		return RC_AUTH_MISSING;
	return 0;
}

static uint32_t pcr_extend(struct run *r)
{
	uint32_t pcr = rd_be32(&r->in), rc, count;
	struct digests d = { .banks = 0 };
	bool empty;

	rc = password(r, &empty);
	if (rc)
		return rc;
	count = rd_be32(&r->in);
	for (uint32_t i = 0; i < count && !r->in.bad; i++) {
		struct span v;
		enum alg a;

		if (!alg_by_id(rd_be16(&r->in), &a))
			return RC_VALUE_1;
		v = rd_bytes(&r->in, alg_table[a].size);
		if (r->in.bad || d.banks & ALG_BIT(a))
			return RC_VALUE_1;
		memcpy(d.d[a], v.p, v.n);
		d.banks |= ALG_BIT(a);
	}
	if (!rd_done(&r->in))
		return RC_SIZE_1;
	if (pcr >= PCR_COUNT)
		return RC_VALUE_1;
	if (!(extend_localities(pcr) >> r->locality & 1))
		return RC_LOCALITY;
	/* Digests of banks that are not active are dropped without a word. */
	return pcrs_extend(&r->t->pcrs, pcr, &d) ? 0 : RC_VALUE_1;
}

/* At most eight digests at a time; the selection that comes back says which. */
static uint32_t pcr_read(struct run *r)
{
	uint32_t count = rd_be32(&r->in), total = 0;
	uint8_t digests[8 * (2 + DIGEST_MAX)];
	struct wr d = wr_init((struct mspan){ digests, sizeof(digests) });

	wr_be32(&r->out, 1);
	wr_be32(&r->out, count);
	for (uint32_t i = 0; i < count && !r->in.bad; i++) {
		uint16_t id = rd_be16(&r->in);
		uint8_t size = rd_u8(&r->in);
		uint32_t want = (uint32_t)rd_le(&r->in, size), got = 0;
		enum alg a;

		if (size != 3 || !alg_by_id(id, &a))
			return RC_VALUE_1;
		for (unsigned pcr = 0; pcr < PCR_COUNT && total < 8; pcr++) {
			if (!(want >> pcr & 1) || !pcr_known(&r->t->pcrs, a, pcr))
				continue;
			got |= UINT32_C(1) << pcr;
			total++;
			wr_be16(&d, alg_table[a].size);
			wr_bytes(&d, pcr_value(&r->t->pcrs, a, pcr));
		}
		wr_be16(&r->out, id);
		wr_u8(&r->out, size);
		wr_le(&r->out, got, size);
	}
	if (!rd_done(&r->in))
		return RC_SIZE_1;
	wr_be32(&r->out, total);
	wr_bytes(&r->out, wr_span(&d));
	return 0;
}

static const struct soft_nv *find_nv(const struct soft_tpm *t, uint32_t index)
{
	for (size_t i = 0; i < t->nv_count; i++)
		if (t->nv[i].index == index)
			return &t->nv[i];
	return NULL;
}

static uint32_t nv_read_public(struct run *r)
{
	uint32_t index = rd_be32(&r->in);
	const struct soft_nv *nv = find_nv(r->t, index);
	static const uint8_t name[34] = { 0x00, 0x0b };

	if (!rd_done(&r->in))
		return RC_COMMAND_SIZE;
	if (!nv)
		return RC_HANDLE_1;
	wr_be16(&r->out, 14);
	wr_be32(&r->out, index);
	wr_be16(&r->out, 0x000b);
	wr_be32(&r->out, nv->attributes);
	wr_be16(&r->out, 0);
	wr_be16(&r->out, (uint16_t)nv->content.n);
	wr_be16(&r->out, sizeof(name));
	wr_bytes(&r->out, SPAN_OF(name));
	return 0;
}

static uint32_t nv_read(struct run *r)
{
	uint32_t auth = rd_be32(&r->in), index = rd_be32(&r->in), rc;
	const struct soft_nv *nv = find_nv(r->t, index);
	uint16_t size, offset;
	bool empty;

	if (!nv)
		return RC_HANDLE_1;
	rc = password(r, &empty);
	if (rc)
		return rc;
	size = rd_be16(&r->in);
	offset = rd_be16(&r->in);
	if (!rd_done(&r->in))
		return RC_SIZE_1;
	if (auth != index || !(nv->attributes & SOFT_NV_AUTHREAD))
		return RC_NV_AUTHORIZATION;
	if (nv->password == empty)
		return RC_AUTH_FAIL;
	if (nv->attributes & SOFT_NV_READLOCKED)
		return RC_NV_LOCKED;
	if (!(nv->attributes & SOFT_NV_WRITTEN))
		return RC_NV_UNINITIALIZED;
	if (size > r->t->nv_buffer_max)
		return RC_VALUE_1;
	if ((size_t)offset + size > nv->content.n)
		return RC_NV_RANGE;
	wr_be16(&r->out, size);
	wr_bytes(&r->out, (struct span){ nv->content.p + offset, size });
	return 0;
}

static const struct {
	uint32_t code;
	uint16_t tag;
	uint32_t (*execute)(struct run *r);
} commands[] = {
	{ SOFT_GET_CAPABILITY, ST_NO_SESSIONS, get_capability },
	{ SOFT_PCR_EXTEND, ST_SESSIONS, pcr_extend },
	{ SOFT_PCR_READ, ST_NO_SESSIONS, pcr_read },
	{ SOFT_NV_READ_PUBLIC, ST_NO_SESSIONS, nv_read_public },
	{ SOFT_NV_READ, ST_SESSIONS, nv_read },
};

static uint32_t execute(struct run *r, uint32_t code, uint16_t tag)
{
	for (size_t i = 0; i < GL_COUNT(commands); i++)
		if (commands[i].code == code)
			return commands[i].tag == tag ? commands[i].execute(r) : RC_AUTH_MISSING;
	return RC_COMMAND_CODE;
}

static size_t respond(struct mspan out, uint16_t tag, uint32_t rc, struct span parameters)
{
	struct wr w = wr_init(out);
	bool sessions = rc == 0 && tag == ST_SESSIONS;

	wr_be16(&w, sessions ? ST_SESSIONS : ST_NO_SESSIONS);
	wr_be32(&w, rc ? 10 : (uint32_t)(10 + parameters.n + (sessions ? 9 : 0)));
	wr_be32(&w, rc);
	if (rc)
		return w.off;
	if (sessions)
		wr_be32(&w, (uint32_t)parameters.n);
	wr_bytes(&w, parameters);
	if (sessions) {
		wr_be16(&w, 0);
		wr_u8(&w, 1);
		wr_be16(&w, 0);
	}
	assert_false(w.bad);
	return w.off;
}

size_t soft_tpm_execute(void *ctx, uint8_t locality, struct span command, struct mspan out)
{
	struct soft_tpm *t = ctx;
	uint8_t parameters[4096];
	struct run r = {
		.t = t, .locality = locality, .in = rd_init(command), .out = wr_init((struct mspan){ parameters, sizeof(parameters) })
	};
	uint16_t tag = rd_be16(&r.in);
	uint32_t size = rd_be32(&r.in), code = rd_be32(&r.in), rc;
	bool fails;

	assert_false(r.in.bad);
	assert_int_equal(size, command.n);
	assert_true(t->commands < SOFT_TRACE_MAX);
	t->trace[t->commands] = (struct soft_command){ .code = code, .locality = locality };
	if (code == SOFT_PCR_EXTEND && command.n >= 14)
		t->trace[t->commands].pcr = command.p[13];
	t->commands++;
	fails = t->fail_at && t->commands >= t->fail_at && t->commands - t->fail_at < t->fail_count;
	if (fails && !t->fail_late)
		return respond(out, tag, t->fail_rc, (struct span){ NULL, 0 });
	rc = execute(&r, code, tag);
	assert_false(r.out.bad);
	if (fails)
		rc = t->fail_rc;
	return respond(out, tag, rc, wr_span(&r.out));
}

void soft_tpm_init(struct soft_tpm *t, alg_set banks)
{
	memset(t, 0, sizeof(*t));
	t->banks = banks;
	pcrs_reset_dynamic(&t->pcrs, banks, false);
	t->nv_buffer_max = 1024;
}

struct soft_nv *soft_tpm_define(struct soft_tpm *t, uint32_t index, struct span content)
{
	struct soft_nv *nv;

	assert_true(t->nv_count < SOFT_NV_MAX);
	nv = &t->nv[t->nv_count++];
	*nv = (struct soft_nv){ .index = index, .attributes = SOFT_NV_AUTHREAD | SOFT_NV_WRITTEN, .content = content };
	return nv;
}
