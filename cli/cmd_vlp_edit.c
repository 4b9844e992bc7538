/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <string.h>

#include "cli/build.h"
#include "cli/cmd_vlp.h"
#include "cli/output.h"
#include "cli/vlp_edit.h"
#include "cli/vlp_image.h"
#include "common/measure.h"
#include "common/text.h"
#include "tboot-policy/apply.h"

/* The largest PCR of a PC Client TPM; tboot include/tb_policy.h TB_POL_MAX_PCR. */
#define PCR_LAST 23

/* A number, without zeros in front: other tools take these as octal. */
static bool take_number(const char *option, const char *s, uint64_t max, const char *range, uint64_t *out, struct cli_fault *fault)
{
	bool octal = s[0] == '0' && isdigit((unsigned char)s[1]);

	return (!octal && cli_number(s, max, out)) || vlp_misused(fault, "--%s %s: not %s", option, s, range);
}

static bool take_ctrl(const struct vlp_args *a, uint32_t *out, struct cli_fault *fault)
{
	uint64_t v = *out;

	if (a->ctrl && !take_number("ctrl", a->ctrl, VLP_CONTROL_EXTEND_PCR17, "0 or 1", &v, fault))
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool take_type(const struct vlp_args *a, uint8_t *out, struct cli_fault *fault)
{
	return !a->type || vlp_type_by_name(span_str(a->type), out) ||
	       vlp_misused(fault, "--type %s: not nonfatal, continue or halt", a->type);
}

static bool take_alg(const struct vlp_args *a, enum alg *out, struct cli_fault *fault)
{
	return !a->alg || alg_by_name(span_str(a->alg), out) || vlp_misused(fault, "--alg %s: not sha1, sha256, sha384 or sha512", a->alg);
}

/* Something unsound may be left in a file that was unsound before; whoever works on it should know. */
static void warn_if_unsound(const char *path, const struct vlp *p)
{
	int entry = -1;
	enum vlp_error error = vlp_validate(p, &entry);

	if (error)
		cli_error(VLP_COMMAND, "warning: %s: %s: see 'geolaunch vlp check'", path, vlp_strerror(error));
}

/* ---- create ---- */

static bool create_from_manifest(const struct vlp_args *a, struct cli_fault *fault)
{
	uint8_t buf[VLP_MAX_SIZE];
	size_t n;

	if (a->type || a->alg || a->ctrl)
		return vlp_misused(fault, "--type, --alg and --ctrl come from the manifest");
	return build_policy(a->manifest, (struct mspan){ buf, sizeof(buf) }, &n, fault) &&
	       output_write(a->files[0], (struct span){ buf, n }, fault);
}

static bool update(const struct vlp_args *a, struct cli_fault *fault)
{
	CLEANUP_VLP struct vlp_file f = { .bytes = NULL };
	enum alg alg = ALG_SHA256;

	if (!vlp_file_load(a->files[0], &f, fault) || !take_type(a, &f.policy.type, fault) || !take_ctrl(a, &f.policy.control, fault) ||
		!take_alg(a, &alg, fault))
		return false;
	if (a->alg && alg_table[alg].tpm_id != f.policy.hash_alg)
		return cli_fail(fault, CLI_INPUT,
			"the algorithm of a policy cannot change, its hashes are of that kind: %s: make a new one", a->files[0]);
	if (!vlp_file_write(a->files[0], true, &f.policy, fault))
		return false;
	/* Every policy begins without entries. */
	if (f.policy.entry_count)
		warn_if_unsound(a->files[0], &f.policy);
	return true;
}

static bool create_empty(const struct vlp_args *a, struct cli_fault *fault)
{
	uint32_t control = VLP_CONTROL_EXTEND_PCR17;
	uint8_t type = VLP_NONFATAL;
	enum alg alg = ALG_SHA256;
	struct vlp p;

	if (!a->type)
		return vlp_misused(fault, "create: say --type nonfatal, continue or halt");
	if (!take_type(a, &type, fault) || !take_alg(a, &alg, fault) || !take_ctrl(a, &control, fault))
		return false;
	vlp_edit_begin(&p, type, alg, control);
	return vlp_file_write(a->files[0], false, &p, fault);
}

bool vlp_create(const struct vlp_args *a, int *code, struct cli_fault *fault)
{
	(void)code;
	if (a->update + a->force + (a->update && a->manifest) > 1)
		return vlp_misused(fault, "--update goes neither with --force nor with --from-manifest");
	if (a->update)
		return update(a, fault);
	if (!output_check(a->files[0], a->force, fault))
		return false;
	return a->manifest ? create_from_manifest(a, fault) : create_empty(a, fault);
}

/* ---- what add and del are about ---- */

static bool take_subject(const struct vlp_args *a, struct vlp_entry *e, struct cli_fault *fault)
{
	uint64_t v = 0;

	if (!a->num == !a->nv_index)
		return vlp_misused(fault, "say either --num or --nv-index");
	if (a->nv_raw && a->num)
		return vlp_misused(fault, "--nv-raw goes with --nv-index");
	if (a->nv_index && !take_number("nv-index", a->nv_index, UINT32_MAX, "a number such as 0x01c10110", &v, fault))
		return false;
	if (a->num && strcmp(a->num, "any") != 0 && !take_number("num", a->num, VLP_MODULE_MAX, "0 to 127 or any", &v, fault))
		return false;
	if (a->nv_index)
		e->module = a->nv_raw ? VLP_MODULE_NV_RAW : VLP_MODULE_NV;
	else
		e->module = strcmp(a->num, "any") == 0 ? VLP_MODULE_ANY : (uint8_t)v;
	e->nv_index = a->nv_index ? (uint32_t)v : 0;
	return true;
}

/* ---- add ---- */

/* The digests of the call, one behind the other. */
struct digest_list {
	enum alg alg;
	uint8_t bytes[VLP_GIVEN_MAX * DIGEST_MAX];
	size_t n;
};

static void append(struct digest_list *l, const struct digests *d)
{
	struct span s = digest_span(d, l->alg);

	memcpy(l->bytes + l->n, s.p, s.n);
	l->n += s.n;
}

static bool add_image(const struct vlp_args *a, const char *path, struct digest_list *l, struct cli_fault *fault)
{
	struct digests image, measured;

	if (!vlp_image_hash(path, !a->no_decompress, ALG_BIT(l->alg), &image, fault))
		return false;
	measure_module(ALG_BIT(l->alg), span_str(a->cmdline), &image, &measured);
	append(l, &measured);
	return true;
}

static bool add_content(const struct vlp_args *a, const char *path, struct digest_list *l, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *content = NULL;
	struct digests d;
	size_t n = 0;

	if (!read_file(path, APPLY_NV_MAX, &content, &n, fault))
		return false;
	if (n == 0)
		return cli_fail(fault, CLI_INPUT, "file is empty: %s: give the content of the NV index", path);
	if (a->nv_raw && n != 32 && n != 48 && n != 64)
		return cli_fail(fault, CLI_INPUT,
			"file has %zu bytes, but nv_raw content is extended as a digest: %s: give 32, 48 or 64 bytes, "
			"or leave out --nv-raw",
			n, path);
	measure_nv(ALG_BIT(l->alg), a->nv_raw, (struct span){ content, n }, &d);
	append(l, &d);
	return true;
}

static bool add_hex(const char *hex, struct digest_list *l, struct cli_fault *fault)
{
	unsigned size = alg_table[l->alg].size;

	if (!cli_unhex(hex, l->bytes + l->n, size))
		return vlp_misused(fault, "--hash %s: not any, image or %u hexadecimal digits (%s)", hex, 2 * size, alg_table[l->alg].name);
	l->n += size;
	return true;
}

static bool is_word(const struct vlp_args *a, size_t i, const char *word)
{
	return a->given[i].kind == VLP_GIVEN_HASH && !strcmp(a->given[i].value, word);
}

static size_t count_given(const struct vlp_args *a, enum vlp_given_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < a->given_count; i++)
		n += a->given[i].kind == kind;
	return n;
}

static size_t count_word(const struct vlp_args *a, const char *word)
{
	size_t n = 0;

	for (size_t i = 0; i < a->given_count; i++)
		n += is_word(a, i, word);
	return n;
}

/* What of add's options does not go together. */
static bool check_given(const struct vlp_args *a, struct cli_fault *fault)
{
	size_t images = count_given(a, VLP_GIVEN_IMAGE);

	if (!a->given_count)
		return vlp_misused(fault, "add: say --hash any, or which %s", a->num ? "--image or --hash" : "--content or --hash");
	if (count_word(a, "any") && a->given_count > 1)
		return vlp_misused(fault, "--hash any goes with no other --hash, --image or --content");
	if (count_word(a, "image") && !images)
		return vlp_misused(fault, "--hash image: name the file with --image");
	if (images && a->nv_index)
		return vlp_misused(fault, "--image goes with --num: name the content of an NV index with --content");
	if (count_given(a, VLP_GIVEN_CONTENT) && a->num)
		return vlp_misused(fault, "--content goes with --nv-index: name the file of a module with --image");
	if (!images && (a->cmdline || a->no_decompress))
		return vlp_misused(fault, "%s goes with --image", a->cmdline ? "--cmdline" : "--no-decompress");
	return true;
}

static bool get_digests(const struct vlp_args *a, struct digest_list *l, struct cli_fault *fault)
{
	for (size_t i = 0; i < a->given_count; i++) {
		const char *value = a->given[i].value;
		bool ok = true;

		if (a->given[i].kind == VLP_GIVEN_IMAGE)
			ok = add_image(a, value, l, fault);
		else if (a->given[i].kind == VLP_GIVEN_CONTENT)
			ok = add_content(a, value, l, fault);
		else if (!is_word(a, i, "any") && !is_word(a, i, "image"))
			ok = add_hex(value, l, fault);
		if (!ok)
			return false;
	}
	return true;
}

static bool take_pcr(const struct vlp_args *a, uint8_t *out, struct cli_fault *fault)
{
	uint64_t v = VLP_PCR_NONE;

	if (strcmp(a->pcr, "none") != 0 && !take_number("pcr", a->pcr, PCR_LAST, "0 to 23 or none", &v, fault))
		return false;
	*out = (uint8_t)v;
	return true;
}

static bool add_entry(const struct vlp_args *a, struct vlp *p, const struct vlp_entry *e, struct mspan room, enum vlp_error *error,
	struct cli_fault *fault)
{
	int at = vlp_edit_find(p, e->module, e->nv_index);
	uint64_t place = p->entry_count;

	if (at < 0) {
		if (!a->pcr)
			return vlp_misused(fault, "a new entry needs --pcr");
		if (a->at && !take_number("at", a->at, p->entry_count, "the number of an entry, or how many there are", &place, fault))
			return false;
		*error = vlp_edit_insert(p, (unsigned)place, e);
		return true;
	}
	if (a->at)
		return vlp_misused(fault, "--at: the entry exists already, its number is %d", at);
	if (p->entries[at].module != e->module)
		*error = VLP_E_DUPLICATE;
	else
		*error = vlp_edit_extend(p, (unsigned)at, a->pcr ? e->pcr : p->entries[at].pcr, e->hashes, room);
	return true;
}

bool vlp_add(const struct vlp_args *a, int *code, struct cli_fault *fault)
{
	CLEANUP_VLP struct vlp_file f = { .bytes = NULL };
	static struct digest_list list;
	uint8_t room[VLP_MAX_SIZE];
	struct vlp_entry e = { .pcr = VLP_PCR_NONE };
	enum vlp_error error = VLP_OK;

	(void)code;
	if (!take_subject(a, &e, fault) || !check_given(a, fault) || (a->pcr && !take_pcr(a, &e.pcr, fault)) ||
		!vlp_file_load(a->files[0], &f, fault))
		return false;
	/* vlp_decode() takes no other. */
	if (!alg_by_id(f.policy.hash_alg, &list.alg))
		return cli_fail(fault, CLI_INPUT, "not a policy: %s: %s", a->files[0], vlp_strerror(VLP_E_ALG));
	if (!get_digests(a, &list, fault))
		return false;
	e.hashes = (struct span){ list.bytes, list.n };
	if (!add_entry(a, &f.policy, &e, (struct mspan){ room, sizeof(room) }, &error, fault))
		return false;
	if (error == VLP_E_SHADOWED)
		return cli_fail(
			fault, CLI_INPUT, "not added: %s: %s: give it a place before that one with --at", a->files[0], vlp_strerror(error));
	if (error)
		return cli_fail(fault, CLI_INPUT, "not added: %s: %s", a->files[0], vlp_strerror(error));
	if (!vlp_file_write(a->files[0], true, &f.policy, fault))
		return false;
	warn_if_unsound(a->files[0], &f.policy);
	return true;
}

/* ---- del ---- */

static bool remove_from(const struct vlp_args *a, struct vlp *p, unsigned at, struct mspan room, struct cli_fault *fault)
{
	bool sound = !vlp_validate(p, NULL);
	unsigned count = p->entries[at].hash_count;
	uint64_t pos = 0;

	if (a->pos && !take_number("pos", a->pos, UINT8_MAX, "the number of a hash", &pos, fault))
		return false;
	if (!a->pos && !a->all && count > 1)
		return vlp_misused(fault, "the entry has %u hashes: remove one with --pos, or the entry with --all", count);
	if (a->pos && pos >= count)
		return cli_fail(fault, CLI_INPUT, "no hash %s: %s: the entry has %u", a->pos, a->files[0], count);
	if (!a->pos)
		vlp_edit_remove(p, at);
	else if (vlp_edit_remove_hash(p, at, (unsigned)pos, room))
		return cli_fail(fault, CLI_IO, "out of memory: %s", a->files[0]);
	/* Without an entry it would be, so what is left without one was sound with it, or is mended by adding some. */
	return !sound || p->entry_count > 0 ||
	       cli_fail(fault, CLI_INPUT,
		       "not removed: %s: it is the only entry, and a policy needs one: add another first, or begin anew with 'geolaunch vlp create "
		       "--force'",
		       a->files[0]);
}

bool vlp_del(const struct vlp_args *a, int *code, struct cli_fault *fault)
{
	CLEANUP_VLP struct vlp_file f = { .bytes = NULL };
	static uint8_t room[VLP_FILE_MAX];
	struct vlp_entry e = { .pcr = VLP_PCR_NONE };
	char buf[64];
	struct text name = TEXT_OF(buf);
	int at;

	(void)code;
	if (a->pos && a->all)
		return vlp_misused(fault, "--pos and --all exclude each other");
	if (!take_subject(a, &e, fault) || !vlp_file_load(a->files[0], &f, fault))
		return false;
	at = vlp_edit_find(&f.policy, e.module, e.nv_index);
	vlp_name_entry(&e, &name);
	if (at < 0)
		return cli_fail(fault, CLI_INPUT, "no entry for %s: %s: see 'geolaunch vlp show'", buf, a->files[0]);
	if (!remove_from(a, &f.policy, (unsigned)at, (struct mspan){ room, sizeof(room) }, fault) ||
		!vlp_file_write(a->files[0], true, &f.policy, fault))
		return false;
	warn_if_unsound(a->files[0], &f.policy);
	return true;
}
