/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/stage_rules.h"

#include <string.h>

#include "common/cursor.h"
#include "common/hex.h"

#define FORMAT "geolaunch-stage 1"
#define MAX_FILE_MODE 0777u
#define NV_RANGE 0x01u /* TPM_HT_NV_INDEX */

static const char *const messages[STAGE_RULES_ERROR_COUNT] = {
	[STAGE_RULES_OK] = "no error",
	[STAGE_RULES_E_SIZE] = "the stage's rules are longer than the 1006 bytes that tboot passes on",
	[STAGE_RULES_E_FORMAT] = "the stage's rules do not begin with \"geolaunch-stage 1\"",
	[STAGE_RULES_E_WORD] = "this is not the word that belongs here (words have a fixed order, with one blank between them)",
	[STAGE_RULES_E_POLICY] = "policy is not \"nonfatal\", \"continue\" or \"halt\"",
	[STAGE_RULES_E_HYPERVISOR] = "hypervisor is not \"linux\" or \"xen\"",
	[STAGE_RULES_E_ROLE] = "the role is not \"hypervisor\", \"kernel\", \"initrd\", \"vmm\" or \"file\"",
	[STAGE_RULES_E_FIRST] = "the first module is not the hypervisor",
	[STAGE_RULES_E_TWICE] = "there can be only one module of this role",
	[STAGE_RULES_E_KERNEL] = "a kernel stands behind Xen, directly, and behind nothing else",
	[STAGE_RULES_E_ORDER] = "the initrd does not stand directly behind the hypervisor and its kernel",
	[STAGE_RULES_E_MODULES] = "there are more than the 29 modules that tboot can measure",
	[STAGE_RULES_E_FILE_MODE] = "the mode is not a colon and four octal digits from 0000 to 0777, or this role has none",
	[STAGE_RULES_E_NV_COUNT] = "there are more than 8 NV indices",
	[STAGE_RULES_E_NV_INDEX] = "this is no NV index (0x01000000 to 0x01ffffff, lower case), or one that is there already",
	[STAGE_RULES_E_NV_KIND] = "the kind of the NV index is not \"nv\" or \"nv_raw\"",
	[STAGE_RULES_E_PCR] = "the PCR is not 17 to 22",
	[STAGE_RULES_E_ALG] = "this is not \"any\" nor a hash algorithm, or not that of the other NV indices",
	[STAGE_RULES_E_HASH] = "this is no lower-case hexadecimal hash of the algorithm",
	[STAGE_RULES_E_HALT] = "halt is not \"poweroff\" or \"reboot\"",
	[STAGE_RULES_E_HALT_DELAY] = "the delay is not a number from 0 to 300",
	[STAGE_RULES_E_EFI] = "efi is not \"runtime\", or the hypervisor is not Linux",
	[STAGE_RULES_E_TRAILING] = "something follows the last word",
	[STAGE_RULES_E_TBOOT] = "the last word is not tboot's: tboot=0x and the address of its shared page",
	[STAGE_RULES_E_BUFFER] = "the stage's rules do not fit the buffer",
};

const char *stage_rules_strerror(enum stage_rules_error e)
{
	return (unsigned)e < STAGE_RULES_ERROR_COUNT ? messages[e] : "unknown error in the stage's rules";
}

static const char *const policy_names[STAGE_POLICY_COUNT] = {
	[STAGE_NONFATAL] = "nonfatal",
	[STAGE_CONTINUE] = "continue",
	[STAGE_HALT] = "halt",
};

static const char *const halt_names[STAGE_HALT_COUNT] = {
	[STAGE_POWEROFF] = "poweroff",
	[STAGE_REBOOT] = "reboot",
};

static const char *const kind_names[] = { "nv", "nv_raw" };
static const char *const efi_names[] = { "runtime" };

static const enum stage_rules_error module_errors[MODULES_ERROR_COUNT] = {
	[MODULES_OK] = STAGE_RULES_OK,
	[MODULES_E_ROLE] = STAGE_RULES_E_ROLE,
	[MODULES_E_FIRST] = STAGE_RULES_E_FIRST,
	[MODULES_E_TWICE] = STAGE_RULES_E_TWICE,
	[MODULES_E_KERNEL] = STAGE_RULES_E_KERNEL,
	[MODULES_E_ORDER] = STAGE_RULES_E_ORDER,
	[MODULES_E_TOO_MANY] = STAGE_RULES_E_MODULES,
};

struct span stage_rules_hashes(const struct stage_rules *r, const struct stage_nv *nv)
{
	return (struct span){ r->hashes + nv->hash_at, (size_t)nv->hash_count * (nv->any ? 0 : alg_table[r->hash_alg].size) };
}

/* ---- reading ---- */

/* The first error sticks: later reads give empty spans and keep it and its place. */
struct words {
	struct span text;
	size_t off; /* of what comes next */
	size_t at;  /* of what was read last */
	enum stage_rules_error error;
};

static void fail(struct words *w, enum stage_rules_error error)
{
	if (!w->error)
		w->error = error;
}

static bool is_one_of(uint8_t c, const char *set)
{
	while (*set && (uint8_t)*set != c)
		set++;
	return *set != '\0';
}

/* The bytes up to one of the set's characters or the end; the character stays. */
static struct span until(struct words *w, const char *set)
{
	struct span s = { NULL, 0 };

	if (w->error)
		return s;
	s.p = w->text.p + w->off;
	w->at = w->off;
	while (w->off < w->text.n && !is_one_of(w->text.p[w->off], set)) {
		w->off++;
		s.n++;
	}
	return s;
}

/* Whether these characters come next; reads them if so. */
static bool take(struct words *w, const char *s)
{
	struct span want = span_str(s);

	if (w->error || want.n > w->text.n - w->off || !span_equal((struct span){ w->text.p + w->off, want.n }, want))
		return false;
	w->off += want.n;
	return true;
}

/* A blank and the beginning of the word that must come next. */
static void expect(struct words *w, const char *s)
{
	if (!w->error)
		w->at = w->off;
	if (!take(w, s))
		fail(w, w->off == 0 ? STAGE_RULES_E_FORMAT : STAGE_RULES_E_WORD);
}

static unsigned choice(struct words *w, struct span s, const char *const *names, unsigned count, enum stage_rules_error error)
{
	for (unsigned i = 0; i < count; i++)
		if (span_is_str(s, names[i]))
			return i;
	fail(w, error);
	return 0;
}

/* Digits of a base, nothing else; `max_digits` keeps it from overflowing. */
static bool number(struct span s, unsigned base, size_t max_digits, uint32_t *out)
{
	uint32_t v = 0;

	if (s.n == 0 || s.n > max_digits)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int d = hex_lower(s.p[i]);

		if (d < 0 || (unsigned)d >= base)
			return false;
		v = v * base + (unsigned)d;
	}
	*out = v;
	return true;
}

static unsigned decimal(struct words *w, struct span s, unsigned min, unsigned max, enum stage_rules_error error)
{
	uint32_t v = 0;

	if (!number(s, 10, 3, &v) || (s.n > 1 && s.p[0] == '0') || v < min || v > max)
		fail(w, error);
	return v;
}

static void read_modules(struct words *w, struct stage_rules *r)
{
	struct modules_order order = { .hypervisor = r->hypervisor };

	do {
		struct stage_module m = { .role = ROLE_FILE };
		uint32_t mode = 0;

		if (!role_by_name(until(w, ",: "), &m.role))
			fail(w, STAGE_RULES_E_ROLE);
		if (!w->error)
			fail(w, module_errors[modules_take(&order, m.role)]);
		if (order.count > STAGE_RULES_MAX_MODULES)
			fail(w, STAGE_RULES_E_MODULES);
		if (take(w, ":") != role_table[m.role].member)
			fail(w, STAGE_RULES_E_FILE_MODE);
		if (role_table[m.role].member && (!number(until(w, ", "), 8, 4, &mode) || w->off - w->at != 4 || mode > MAX_FILE_MODE))
			fail(w, STAGE_RULES_E_FILE_MODE);
		m.mode = mode;
		if (!w->error)
			r->modules[r->module_count++] = m;
	} while (take(w, ","));
	if (!w->error)
		fail(w, module_errors[modules_end(&order)]);
}

static bool has_index(const struct stage_rules *r, uint32_t index)
{
	for (size_t i = 0; i < r->nv_count; i++)
		if (r->nv[i].index == index)
			return true;
	return false;
}

static bool has_hashes(const struct stage_rules *r)
{
	return r->hashes_size > 0;
}

static void read_hash(struct words *w, struct stage_rules *r, struct stage_nv *nv)
{
	size_t size = alg_table[r->hash_alg].size;
	struct span hex = until(w, ", ");

	/* The text is longer than what it holds, so the hashes always fit. */
	if (hex.n != 2 * size)
		fail(w, STAGE_RULES_E_HASH);
	for (size_t i = 0; !w->error && i < size; i++) {
		int high = hex_lower(hex.p[2 * i]), low = hex_lower(hex.p[2 * i + 1]);

		if (high < 0 || low < 0) {
			fail(w, STAGE_RULES_E_HASH);
			return;
		}
		r->hashes[r->hashes_size + i] = (uint8_t)(high << 4 | low);
	}
	if (w->error)
		return;
	r->hashes_size += size;
	nv->hash_count++;
}

static void read_content(struct words *w, struct stage_rules *r, struct stage_nv *nv)
{
	struct span name = until(w, ", ");
	enum alg a = ALG_SHA1;

	nv->any = span_is_str(name, "any");
	if (nv->any)
		return;
	if (!alg_by_name(name, &a) || (has_hashes(r) && a != r->hash_alg))
		fail(w, STAGE_RULES_E_ALG);
	if (!w->error)
		r->hash_alg = a;
	nv->hash_at = (uint16_t)r->hashes_size;
	if (!take(w, ","))
		fail(w, STAGE_RULES_E_HASH);
	do
		read_hash(w, r, nv);
	while (take(w, ","));
}

/* A comma must follow what was read; else the error is that of the value behind it. */
static void comma(struct words *w, enum stage_rules_error error)
{
	if (!take(w, ","))
		fail(w, error);
}

static void read_nv(struct words *w, struct stage_rules *r)
{
	struct stage_nv nv = { .pcr = 0 };
	struct span index;

	if (r->nv_count == STAGE_RULES_MAX_NV)
		fail(w, STAGE_RULES_E_NV_COUNT);
	index = until(w, ", ");
	if (index.n != 10 || index.p[0] != '0' || index.p[1] != 'x' || !number((struct span){ index.p + 2, 8 }, 16, 8, &nv.index) ||
		nv.index >> 24 != NV_RANGE || has_index(r, nv.index))
		fail(w, STAGE_RULES_E_NV_INDEX);
	comma(w, STAGE_RULES_E_NV_KIND);
	nv.raw = choice(w, until(w, ", "), kind_names, GL_COUNT(kind_names), STAGE_RULES_E_NV_KIND) == 1;
	comma(w, STAGE_RULES_E_PCR);
	nv.pcr = (uint8_t)decimal(w, until(w, ", "), PCR_DRTM_FIRST, PCR_DRTM_LAST, STAGE_RULES_E_PCR);
	comma(w, STAGE_RULES_E_ALG);
	read_content(w, r, &nv);
	if (!w->error)
		r->nv[r->nv_count++] = nv;
}

static void read_all(struct words *w, struct stage_rules *r)
{
	expect(w, FORMAT);
	expect(w, " policy=");
	r->policy = (enum stage_policy)choice(w, until(w, " "), policy_names, STAGE_POLICY_COUNT, STAGE_RULES_E_POLICY);
	expect(w, " hypervisor=");
	if (!hypervisor_by_name(until(w, " "), &r->hypervisor))
		fail(w, STAGE_RULES_E_HYPERVISOR);
	expect(w, " modules=");
	read_modules(w, r);
	while (take(w, " nv="))
		read_nv(w, r);
	expect(w, " halt=");
	r->halt = (enum stage_halt)choice(w, until(w, ", "), halt_names, STAGE_HALT_COUNT, STAGE_RULES_E_HALT);
	comma(w, STAGE_RULES_E_HALT_DELAY);
	r->halt_delay = decimal(w, until(w, " "), 0, STAGE_RULES_MAX_HALT_DELAY, STAGE_RULES_E_HALT_DELAY);
	if (!w->error && take(w, " efi=")) {
		r->efi_runtime = choice(w, until(w, " "), efi_names, GL_COUNT(efi_names), STAGE_RULES_E_EFI) == 0;
		if (r->hypervisor != HYPERVISOR_LINUX)
			fail(w, STAGE_RULES_E_EFI);
	}
	if (!w->error && w->off != w->text.n) {
		w->at = w->off;
		fail(w, STAGE_RULES_E_TRAILING);
	}
}

enum stage_rules_error stage_rules_parse(struct span text, struct stage_rules *out, size_t *at)
{
	struct words w = { .text = text };
	struct stage_rules r;

	memset(&r, 0, sizeof(r));
	if (text.n > STAGE_RULES_MAX_SIZE)
		w.error = STAGE_RULES_E_SIZE;
	else
		read_all(&w, &r);
	if (w.error) {
		if (at)
			*at = w.at;
		return w.error;
	}
	*out = r;
	return STAGE_RULES_OK;
}

enum stage_rules_error stage_rules_split(struct span line, struct span *rules, uint32_t *shared)
{
	static const char word[] = " tboot=0x";
	const size_t n = sizeof(word) - 1;
	size_t digits = 0;
	uint32_t v = 0;

	while (digits < line.n && line.p[line.n - 1 - digits] != 'x')
		digits++;
	if (digits < 1 || digits > 8 || line.n < digits + n ||
		!span_equal((struct span){ line.p + line.n - digits - n, n }, span_str(word)))
		return STAGE_RULES_E_TBOOT;
	for (size_t i = line.n - digits; i < line.n; i++) {
		int d = hex_digit(line.p[i]);

		if (d < 0)
			return STAGE_RULES_E_TBOOT;
		v = v << 4 | (unsigned)d;
	}
	if (v == 0)
		return STAGE_RULES_E_TBOOT;
	*shared = v;
	*rules = (struct span){ line.p, line.n - digits - n };
	return STAGE_RULES_OK;
}

/* ---- writing ---- */

static enum stage_rules_error check_modules(const struct stage_rules *r)
{
	struct modules_order order = { .hypervisor = r->hypervisor };

	if (r->module_count > STAGE_RULES_MAX_MODULES)
		return STAGE_RULES_E_MODULES;
	for (size_t i = 0; i < r->module_count; i++) {
		const struct stage_module *m = &r->modules[i];
		enum modules_error error = modules_take(&order, m->role);

		if (error)
			return module_errors[error];
		if (m->mode > (role_table[m->role].member ? MAX_FILE_MODE : 0))
			return STAGE_RULES_E_FILE_MODE;
	}
	return module_errors[modules_end(&order)];
}

/* Hashes lie one behind the other, in the order of the rules, so that what is read is what was written. */
static enum stage_rules_error check_nv(const struct stage_rules *r, size_t i, size_t *used)
{
	const struct stage_nv *nv = &r->nv[i];
	size_t size = stage_rules_hashes(r, nv).n;

	if (nv->index >> 24 != NV_RANGE)
		return STAGE_RULES_E_NV_INDEX;
	for (size_t j = 0; j < i; j++)
		if (r->nv[j].index == nv->index)
			return STAGE_RULES_E_NV_INDEX;
	if (nv->pcr < PCR_DRTM_FIRST || nv->pcr > PCR_DRTM_LAST)
		return STAGE_RULES_E_PCR;
	if (nv->any ? nv->hash_count != 0 : nv->hash_count == 0 || nv->hash_at != *used || size > r->hashes_size - *used)
		return STAGE_RULES_E_HASH;
	*used += size;
	return STAGE_RULES_OK;
}

enum stage_rules_error stage_rules_validate(const struct stage_rules *r)
{
	enum stage_rules_error error;
	size_t used = 0;

	if ((unsigned)r->policy >= STAGE_POLICY_COUNT)
		return STAGE_RULES_E_POLICY;
	if ((unsigned)r->hypervisor >= HYPERVISOR_COUNT)
		return STAGE_RULES_E_HYPERVISOR;
	error = check_modules(r);
	if (error)
		return error;
	if (r->nv_count > STAGE_RULES_MAX_NV)
		return STAGE_RULES_E_NV_COUNT;
	if ((unsigned)r->hash_alg >= ALG_COUNT)
		return STAGE_RULES_E_ALG;
	if (r->hashes_size > sizeof(r->hashes))
		return STAGE_RULES_E_HASH;
	for (size_t i = 0; i < r->nv_count; i++) {
		error = check_nv(r, i, &used);
		if (error)
			return error;
	}
	if (used != r->hashes_size)
		return STAGE_RULES_E_HASH;
	if ((unsigned)r->halt >= STAGE_HALT_COUNT)
		return STAGE_RULES_E_HALT;
	if (r->halt_delay > STAGE_RULES_MAX_HALT_DELAY)
		return STAGE_RULES_E_HALT_DELAY;
	return r->efi_runtime && r->hypervisor != HYPERVISOR_LINUX ? STAGE_RULES_E_EFI : STAGE_RULES_OK;
}

static void put(struct wr *w, const char *s)
{
	wr_bytes(w, span_str(s));
}

static void put_text(struct wr *w, const struct text *t)
{
	wr_bytes(w, (struct span){ (const uint8_t *)t->p, t->n });
}

static void put_decimal(struct wr *w, unsigned v)
{
	char buf[11];
	struct text t = TEXT_OF(buf);

	text_u64(&t, v);
	put_text(w, &t);
}

static void put_modules(struct wr *w, const struct stage_rules *r)
{
	for (size_t i = 0; i < r->module_count; i++) {
		const struct stage_module *m = &r->modules[i];

		put(w, i ? "," : "");
		put(w, role_table[m->role].name);
		if (!role_table[m->role].member)
			continue;
		wr_u8(w, ':');
		for (unsigned k = 4; k-- > 0;)
			wr_u8(w, (uint8_t)('0' + (m->mode >> 3 * k & 7)));
	}
}

static void put_nv(struct wr *w, const struct stage_rules *r, const struct stage_nv *nv)
{
	struct span hashes = stage_rules_hashes(r, nv);
	size_t size = alg_table[r->hash_alg].size;
	char buf[2 * DIGEST_MAX + 1];
	struct text t = TEXT_OF(buf);

	put(w, " nv=");
	text_hex(&t, nv->index, 8);
	put_text(w, &t);
	put(w, ",");
	put(w, kind_names[nv->raw]);
	put(w, ",");
	put_decimal(w, nv->pcr);
	put(w, ",");
	put(w, nv->any ? "any" : alg_table[r->hash_alg].name);
	for (size_t i = 0; i < nv->hash_count; i++) {
		t.n = 0;
		text_bytes(&t, (struct span){ hashes.p + i * size, size });
		put(w, ",");
		put_text(w, &t);
	}
}

enum stage_rules_error stage_rules_write(const struct stage_rules *r, struct mspan buf, size_t *n)
{
	struct wr w = buf.p ? wr_init(buf) : wr_measure();
	enum stage_rules_error error = stage_rules_validate(r);

	if (error)
		return error;
	put(&w, FORMAT " policy=");
	put(&w, policy_names[r->policy]);
	put(&w, " hypervisor=");
	put(&w, hypervisor_name(r->hypervisor));
	put(&w, " modules=");
	put_modules(&w, r);
	for (size_t i = 0; i < r->nv_count; i++)
		put_nv(&w, r, &r->nv[i]);
	put(&w, " halt=");
	put(&w, halt_names[r->halt]);
	put(&w, ",");
	put_decimal(&w, r->halt_delay);
	if (r->efi_runtime) {
		put(&w, " efi=");
		put(&w, efi_names[0]);
	}
	if (w.bad)
		return STAGE_RULES_E_BUFFER;
	if (w.off > STAGE_RULES_MAX_SIZE)
		return STAGE_RULES_E_SIZE;
	*n = w.off;
	return STAGE_RULES_OK;
}
