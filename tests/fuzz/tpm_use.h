/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_TPM_USE_H
#define GL_TESTS_TPM_USE_H

#include <stdio.h>
#include <string.h>

#include "tests/fuzz/exact.h"
#include "tpm/host/nv_admin.h"
#include "tpm/tpm.h"
#include "tpm/tpm_run.h"

/* What fuzz targets ask of a TPM that may answer anything, and what holds whatever it answers. */

#define USE_PASSWORD 0x91 /* of this and the next values; nothing else has them in this order */

static inline void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "violated: %s\n", what);
	abort();
}

struct tpm_use {
	uint32_t index;
	size_t nv_size;
	unsigned first, last; /* PCRs */
	size_t password;      /* its length; 0: none */
	bool admin;           /* also what an owner does */
	unsigned rounds;
};

/* What a launch does. */
#define TPM_USE_LAUNCH ((struct tpm_use){ .index = 0x01c10110, .nv_size = 100, .first = 17, .last = 22, .rounds = 4 })

/* Eight bytes of the password at any place. */
static inline bool tpm_use_remembers(const struct tpm *t)
{
	static const uint8_t part[8] = { 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98 };

	return memmem(t->room, sizeof(t->room), part, sizeof(part)) != NULL;
}

static inline void tpm_use_pcrs(struct tpm *t, const struct tpm_use *u)
{
	static struct pcrs pcrs;
	uint32_t asked = 0;

	for (unsigned i = u->first; i <= u->last; i++)
		asked |= (uint32_t)1 << i;
	memset(&pcrs, 0xff, sizeof(pcrs));
	if (tpm_read_pcrs(t, u->first, u->last, &pcrs) == TSS2_RC_SUCCESS) {
		must(pcrs.banks == t->banks, "banks that were read");
		for (enum alg a = 0; a < ALG_COUNT; a++)
			must(pcrs.known[a] == (t->banks & ALG_BIT(a) ? asked : 0), "PCRs that were read");
	} else if (t->banks) {
		must(pcrs.banks == 0, "nothing known after a failure");
	}
}

static inline void tpm_use_zero(TSS2_RC rc, struct mspan content)
{
	for (size_t i = 0; rc != TSS2_RC_SUCCESS && i < content.n; i++)
		must(content.p[i] == 0, "nothing read after a failure");
}

/* Whatever comes of a command with a password, nothing keeps the password. */
static inline void tpm_use_admin(struct tpm *t, const struct tpm_use *u, struct exact *x)
{
	struct mspan content = exact_span(x, u->nv_size), policy = exact_span(x, 32);
	struct nv_auth auth = { .size = 0 }, none = { .size = 0 };
	struct nv_space space = { u->index, 0x00040004, (uint16_t)u->nv_size, 0x000b, { policy.p, u->nv_size % 2 ? 32 : 0 } };
	enum nv_by by = u->nv_size % 4 < 2 ? NV_BY_OWNER : NV_BY_INDEX;
	uint8_t password[DIGEST_MAX];

	for (size_t i = 0; i < sizeof(password); i++)
		password[i] = (uint8_t)(USE_PASSWORD + i);
	must(nv_auth_set(&auth, (struct span){ password, u->password }) == (u->password <= sizeof(auth.bytes)), "password");
	(void)!nv_define(t, &space, &auth, by == NV_BY_OWNER ? &none : &auth);
	must(!tpm_use_remembers(t), "no password after NV_DefineSpace");
	(void)!nv_write(t, u->index, by, &auth, (struct span){ content.p, content.n });
	must(!tpm_use_remembers(t), "no password after NV_Write");
	tpm_use_zero(nv_read(t, u->index, by, &auth, content), content);
	must(!tpm_use_remembers(t), "no password after NV_Read");
	memset(content.p, 0xaa, content.n);
	tpm_use_zero(tpm_nv_read_as(t, TPM2_RH_OWNER, (struct span){ password, u->password }, u->index, content), content);
	tpm_scrub(t);
	must(!tpm_use_remembers(t), "no password after a scrub");
	(void)!nv_write_lock(t, u->index, by, &auth);
	must(!tpm_use_remembers(t), "no password after NV_WriteLock");
	(void)!nv_undefine(t, u->index, &auth);
	must(!tpm_use_remembers(t), "no password after NV_UndefineSpace");
	nv_auth_wipe(&auth);
	must(auth.size == 0 && auth.bytes[0] == 0, "a wiped password");
}

static inline void tpm_use(struct tpm *t, TSS2_TCTI_CONTEXT *tcti, const struct tpm_use *u)
{
	__attribute__((cleanup(exact_free))) struct exact x = { .count = 0 };
	struct tpm_nv_public public;
	struct digests d = { .banks = ALG_SET_ALL };

	memset(t, 0, sizeof(*t));
	if (tpm_init(t, tcti) != TSS2_RC_SUCCESS) {
		must(!t->sys, "no context after a failed start");
		return;
	}
	must(!(t->banks & ~ALG_SET_ALL), "banks");
	must(t->nv_buffer_max > 0 && t->nv_buffer_max <= 2048, "NV buffer");
	for (unsigned i = 0; i < u->rounds; i++) {
		struct mspan content = exact_span(&x, u->nv_size);

		tpm_use_pcrs(t, u);
		if (tpm_nv_public(t, u->index, &public) == TSS2_RC_SUCCESS)
			must(public.policy_size <= DIGEST_MAX, "policy");
		tpm_use_zero(tpm_nv_read(t, u->index, content.p, content.n), content);
		(void)!tpm_extend(t, u->first, &d);
		if (u->admin)
			tpm_use_admin(t, u, &x);
	}
	tpm_done(t);
}

/* An idle TCTI refuses what is no command, no buffer or out of turn, and a command that was sent can be dropped. `localities`: those that it has. */
static inline void tpm_use_tcti(TSS2_TCTI_CONTEXT *c, uint8_t localities)
{
	static const uint8_t command[12] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8 };
	TSS2_TCTI_CONTEXT_COMMON_V2 none = *(TSS2_TCTI_CONTEXT_COMMON_V2 *)c;
	const TSS2_TCTI_CONTEXT_COMMON_V1 *v = &((TSS2_TCTI_CONTEXT_COMMON_V2 *)c)->v1;
	TSS2_TCTI_CONTEXT *other = (TSS2_TCTI_CONTEXT *)&none;
	uint8_t out[4096];
	size_t n = sizeof(out);

	none.v1.magic ^= 1;
	must(v->transmit(other, sizeof(command), command) && v->receive(other, &n, out, -1) && v->cancel(other) && v->setLocality(other, 0),
		"a context of somebody else");
	must(v->transmit(c, sizeof(command), NULL) && v->transmit(c, 9, command), "no command");
	must(v->receive(c, &n, out, -1) && v->cancel(c), "nothing was sent");
	for (uint8_t i = 0; i < 8; i++)
		must((v->setLocality(c, i) == TSS2_RC_SUCCESS) == (i < localities), "localities");
	must(v->setLocality(c, 0) == TSS2_RC_SUCCESS, "locality 0");
	if (v->transmit(c, sizeof(command), command) != TSS2_RC_SUCCESS)
		return;
	must(v->transmit(c, sizeof(command), command) != TSS2_RC_SUCCESS, "one command at a time");
	must(v->receive(c, NULL, out, -1) && v->receive(c, &n, out, -2), "no size, no time");
	n = 0;
	if (v->receive(c, &n, NULL, 5) == TSS2_RC_SUCCESS)
		must(n >= 10 && n <= sizeof(out), "size of a response");
	(void)v->cancel(c);
	must(v->cancel(c) != TSS2_RC_SUCCESS, "nothing to drop any more");
	if (v->transmit(c, sizeof(command), command) == TSS2_RC_SUCCESS)
		v->finalize(c);
}

#endif
