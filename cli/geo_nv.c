/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/geo_nv.h"

#include <string.h>
#include <tss2/tss2_tpm2_types.h>

/* Bits that using an index sets, not defining it. */
#define STATE_BITS (TPMA_NV_WRITTEN | TPMA_NV_WRITELOCKED | TPMA_NV_READLOCKED)

enum presence { PRESENT, ABSENT, FAILED };

GL_MUST static enum presence look(struct host_tpm *h, uint32_t index, struct tpm_nv_public *out, struct cli_fault *fault)
{
	TSS2_RC rc = tpm_nv_public(&h->tpm, index, out);

	if (rc == TSS2_RC_SUCCESS)
		return PRESENT;
	if (tpm_rc_base(rc) == TPM2_RC_HANDLE)
		return ABSENT;
	(void)host_tpm_fail(fault, "cannot read the public area of the NV index", rc);
	return FAILED;
}

struct geo_nv_option geo_nv_option(uint32_t index)
{
	struct geo_nv_option out = { "" };

	if (index != GEO_INDEX_DEFAULT)
		(void)snprintf(out.text, sizeof(out.text), " --index 0x%08x", index);
	return out;
}

/* For actions that need the index. */
GL_MUST static bool need(struct host_tpm *h, uint32_t index, struct tpm_nv_public *out, struct cli_fault *fault)
{
	enum presence p = look(h, index, out, fault);

	if (p == ABSENT)
		return cli_fail(fault, CLI_INPUT, "NV index 0x%08x is not defined: 'geolaunch geo define%s' makes it", index,
			geo_nv_option(index).text);
	return p == PRESENT;
}

static const char *what_for(char *buf, size_t cap, const char *action, uint32_t index)
{
	(void)snprintf(buf, cap, "cannot %s NV index 0x%08x", action, index);
	return buf;
}

bool geo_nv_define(
	struct host_tpm *h, uint32_t index, uint16_t size, const struct nv_auth *owner, struct geo_nv_done *out, struct cli_fault *fault)
{
	const struct nv_auth empty = { .size = 0 };
	const struct nv_space space = { .index = index, .attributes = GEO_ATTRIBUTES_DEFAULT, .size = size, .name_alg = TPM2_ALG_SHA256 };
	struct tpm_nv_public now;
	char buf[GEO_ATTRIBUTES_MAX];
	TSS2_RC rc;

	switch (look(h, index, &now, fault)) {
	case FAILED:
		return false;
	case PRESENT:
		if ((now.attributes & ~STATE_BITS) == GEO_ATTRIBUTES_DEFAULT && now.size == size && now.policy_size == 0) {
			*out = (struct geo_nv_done){ .changed = false, .size = size };
			return true;
		}
		{
			struct text t = TEXT_OF(buf);

			text_str(&t, "");
			geo_attributes_text(now.attributes, &t);
			return cli_fail(fault, CLI_INPUT,
				"NV index 0x%08x is there already, but otherwise: %u bytes, %s; "
				"'geolaunch geo undefine%s' removes it",
				index, now.size, buf, geo_nv_option(index).text);
		}
	case ABSENT:
		break;
	}
	rc = nv_define(&h->tpm, &space, owner, &empty);
	if (rc != TSS2_RC_SUCCESS)
		return host_tpm_fail(fault, what_for(buf, sizeof(buf), "define", index), rc);
	*out = (struct geo_nv_done){ .changed = true, .size = size };
	return true;
}

/* Who may write: the owner if the attributes say so, else who knows the index's password, which is empty for us. */
GL_MUST static bool writer(const struct tpm_nv_public *p, uint32_t index, enum nv_by *by, struct cli_fault *fault)
{
	if (p->attributes & TPMA_NV_OWNERWRITE)
		*by = NV_BY_OWNER;
	else if (p->attributes & TPMA_NV_AUTHWRITE)
		*by = NV_BY_INDEX;
	else
		return cli_fail(fault, CLI_INPUT,
			"NV index 0x%08x can be written neither by the owner nor with its own password: "
			"'geolaunch geo undefine%s', then define it anew",
			index, geo_nv_option(index).text);
	return true;
}

/* Reading with a wrong password counts against the dictionary-attack limit, so only where the public area says that it may work. */
GL_MUST static bool worth_a_read(const struct tpm_nv_public *p)
{
	enum geo_readable r = geo_readable(p->attributes, p->size);

	return r == GEO_READABLE || r == GEO_READABLE_DA;
}

bool geo_nv_write(struct host_tpm *h, uint32_t index, struct span content, const struct nv_auth *owner, struct geo_nv_done *out,
	struct cli_fault *fault)
{
	const struct nv_auth empty = { .size = 0 };
	struct tpm_nv_public p;
	uint8_t now[GEO_NV_MAX];
	enum nv_by by;
	char buf[64];
	TSS2_RC rc;

	if (!need(h, index, &p, fault))
		return false;
	if (content.n != p.size)
		return cli_fail(fault, CLI_INPUT,
			"the content has %zu bytes, NV index 0x%08x %u: 'geolaunch geo undefine%s', "
			"then 'geolaunch geo define%s --size %zu'",
			content.n, index, p.size, geo_nv_option(index).text, geo_nv_option(index).text, content.n);
	*out = (struct geo_nv_done){ .changed = false, .size = p.size };
	if (worth_a_read(&p) && tpm_nv_read(&h->tpm, index, now, p.size) == TSS2_RC_SUCCESS && memcmp(now, content.p, p.size) == 0)
		return true;
	if (p.attributes & TPMA_NV_WRITELOCKED)
		return cli_fail(fault, CLI_INPUT,
			"NV index 0x%08x is locked and holds something else: "
			"'geolaunch geo undefine%s', then define it anew",
			index, geo_nv_option(index).text);
	if (!writer(&p, index, &by, fault))
		return false;
	rc = nv_write(&h->tpm, index, by, by == NV_BY_OWNER ? owner : &empty, content);
	if (rc != TSS2_RC_SUCCESS)
		return host_tpm_fail(fault, what_for(buf, sizeof(buf), "write", index), rc);
	out->changed = true;
	if (!need(h, index, &p, fault))
		return false;
	if (!worth_a_read(&p))
		return true;
	rc = tpm_nv_read(&h->tpm, index, now, p.size);
	if (rc != TSS2_RC_SUCCESS)
		return host_tpm_fail(fault, what_for(buf, sizeof(buf), "read back", index), rc);
	if (memcmp(now, content.p, p.size) != 0)
		return cli_fail(fault, CLI_TPM, "NV index 0x%08x reads back other bytes than were written", index);
	return true;
}

bool geo_nv_lock(struct host_tpm *h, uint32_t index, const struct nv_auth *owner, struct geo_nv_done *out, struct cli_fault *fault)
{
	const struct nv_auth empty = { .size = 0 };
	struct tpm_nv_public p;
	enum nv_by by;
	char buf[64];
	TSS2_RC rc;

	if (!need(h, index, &p, fault))
		return false;
	*out = (struct geo_nv_done){ .changed = false, .size = p.size, .until_reset = !(p.attributes & TPMA_NV_WRITEDEFINE) };
	if (p.attributes & TPMA_NV_WRITELOCKED)
		return true;
	if (!(p.attributes & TPMA_NV_WRITTEN))
		return cli_fail(fault, CLI_INPUT,
			"NV index 0x%08x was never written, and a lock would keep it so: "
			"'geolaunch geo write%s' first",
			index, geo_nv_option(index).text);
	if (!(p.attributes & (TPMA_NV_WRITEDEFINE | TPMA_NV_WRITE_STCLEAR)))
		return cli_fail(fault, CLI_INPUT,
			"NV index 0x%08x was defined without writedefine and cannot be locked: "
			"'geolaunch geo undefine%s', then define it anew",
			index, geo_nv_option(index).text);
	if (!writer(&p, index, &by, fault))
		return false;
	rc = nv_write_lock(&h->tpm, index, by, by == NV_BY_OWNER ? owner : &empty);
	if (rc != TSS2_RC_SUCCESS)
		return host_tpm_fail(fault, what_for(buf, sizeof(buf), "lock", index), rc);
	out->changed = true;
	return true;
}

bool geo_nv_undefine(struct host_tpm *h, uint32_t index, const struct nv_auth *owner, struct geo_nv_done *out, struct cli_fault *fault)
{
	struct tpm_nv_public p;
	char buf[64];
	TSS2_RC rc;

	*out = (struct geo_nv_done){ .changed = false };
	switch (look(h, index, &p, fault)) {
	case FAILED:
		return false;
	case ABSENT:
		return true;
	case PRESENT:
		break;
	}
	if (p.attributes & TPMA_NV_PLATFORMCREATE)
		return cli_fail(fault, CLI_INPUT, "NV index 0x%08x was made by the platform's firmware, and only it can remove it", index);
	rc = nv_undefine(&h->tpm, index, owner);
	if (rc != TSS2_RC_SUCCESS)
		return host_tpm_fail(fault, what_for(buf, sizeof(buf), "undefine", index), rc);
	out->changed = true;
	return true;
}

/* What the real read said, in words. */
static void refused_text(TSS2_RC rc, char *buf, size_t cap)
{
	struct text t = { .p = buf, .cap = cap };

	text_str(&t, "the boot chain cannot read it: ");
	switch (tpm_rc_base(rc)) {
	case TPM2_RC_AUTH_FAIL:
	case TPM2_RC_BAD_AUTH:
		text_str(&t, "it has a password, and the boot chain knows none; define it anew without one; ");
		break;
	case TPM2_RC_LOCKOUT:
		text_str(&t, "it is not no_da and the TPM is in dictionary-attack lockout; define it with no_da; ");
		break;
	default:
		text_str(&t, "the TPM refuses; ");
		break;
	}
	tpm_rc_text(rc, &t);
}

static void judge_boot(struct host_tpm *h, uint32_t index, struct geo_nv_view *v)
{
	enum geo_readable r = geo_readable(v->public.attributes, v->public.size);
	TSS2_RC rc;

	(void)snprintf(v->boot, sizeof(v->boot), "%s", geo_readable_text(r));
	if (!worth_a_read(&v->public))
		return;
	rc = tpm_nv_read(&h->tpm, index, v->content, v->public.size);
	v->boot_readable = v->has_content = rc == TSS2_RC_SUCCESS;
	if (!v->boot_readable)
		refused_text(rc, v->boot, sizeof(v->boot));
}

bool geo_nv_read(struct host_tpm *h, uint32_t index, const struct nv_auth *owner, struct geo_nv_view *out, struct cli_fault *fault)
{
	memset(out, 0, sizeof(*out));
	if (!need(h, index, &out->public, fault))
		return false;
	judge_boot(h, index, out);
	if (!out->has_content && out->public.attributes & TPMA_NV_OWNERREAD && out->public.attributes & TPMA_NV_WRITTEN &&
		out->public.size <= sizeof(out->content))
		out->has_content =
			nv_read(&h->tpm, index, NV_BY_OWNER, owner, (struct mspan){ out->content, out->public.size }) == TSS2_RC_SUCCESS;
	out->is_tag = out->has_content && geo_decode((struct span){ out->content, out->public.size }, &out->tag) == GEO_OK;
	return true;
}
