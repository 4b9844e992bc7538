/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/txt_heap.h"

#include "cli/acm_json.h"
#include "common/cursor.h"
#include "common/eventlog.h"

static const struct {
	uint32_t type;
	const char *name;
} element_names[] = {
	{ HEAP_EXT_BIOS_SPEC_VERSION, "bios-spec-version" },
	{ HEAP_EXT_ACM, "acm" },
	{ HEAP_EXT_STM, "stm" },
	{ HEAP_EXT_CUSTOM, "custom" },
	{ HEAP_EXT_LOG_12, "event-log-1.2" },
	{ HEAP_EXT_MADT, "madt" },
	{ HEAP_EXT_LOG_2, "event-logs" },
	{ HEAP_EXT_LOG_TCG, "event-log-tcg" },
	{ HEAP_EXT_MCFG, "mcfg" },
	{ HEAP_EXT_TPR, "tpr" },
	{ HEAP_EXT_DTPR, "dtpr" },
};

static const char *const mdr_names[] = {
	[HEAP_MDR_GOOD] = "good",
	[HEAP_MDR_SMM_OVERLAY] = "smm-overlay",
	[HEAP_MDR_SMM_NO_OVERLAY] = "smm-no-overlay",
	[HEAP_MDR_PCIE_CONFIG] = "pcie-config",
};

/* Addresses have 64 bits without a sign, which are none of JSON's integers. */
static json_t *address_json(uint64_t v)
{
	return json_sprintf("0x%llx", (unsigned long long)v);
}

static json_t *range_json(struct txt_range r)
{
	return json_pack("{s:o, s:o}", "base", address_json(r.base), "size", address_json(r.size));
}

/* ---- extended elements ---- */

/* Signature and length of an ACPI table (ACPI 6.5, 5.2.6). */
static json_t *acpi_json(struct span table)
{
	struct rd r = rd_init(table);
	struct span signature = rd_bytes(&r, 4);
	uint32_t length = rd_le32(&r);
	char buf[8];
	struct text t = TEXT_OF(buf);

	if (table.n == 0)
		return json_null();
	text_span(&t, r.bad ? (struct span){ NULL, 0 } : signature);
	return json_pack("{s:s, s:I, s:I}", "signature", buf, "length", (json_int_t)length, "size", (json_int_t)table.n);
}

static json_t *spec_version_json(struct span data)
{
	struct rd r = rd_init(data);
	unsigned major = rd_le16(&r), minor = rd_le16(&r), revision = rd_le16(&r);

	return r.bad ? NULL : json_sprintf("%u.%u.%u", major, minor, revision);
}

/* Where the BIOS keeps modules: a count and addresses. */
static json_t *acm_addresses_json(struct span data)
{
	CLEANUP_JSON json_t *out = json_array();
	struct rd r = rd_init(data);
	uint32_t count = rd_le32(&r);

	for (uint32_t i = 0; i < count && !r.bad; i++) {
		uint64_t address = rd_le64(&r);

		if (!r.bad && json_array_append_new(out, address_json(address)) != 0)
			return NULL;
	}
	return r.bad ? NULL : json_incref(out);
}

static json_t *log_12_json(struct span data)
{
	struct rd r = rd_init(data);
	uint64_t container = rd_le64(&r);

	return r.bad ? NULL : address_json(container);
}

/* What is inside, for elements that nothing else shows; NULL: its bytes are shown. */
static const struct {
	uint32_t type;
	const char *key;
	json_t *(*make)(struct span data);
} element_contents[] = {
	{ HEAP_EXT_BIOS_SPEC_VERSION, "version", spec_version_json },
	{ HEAP_EXT_ACM, "addresses", acm_addresses_json },
	{ HEAP_EXT_LOG_12, "container", log_12_json },
	{ HEAP_EXT_MADT, "table", acpi_json },
	{ HEAP_EXT_MCFG, "table", acpi_json },
};

static json_t *element_json(const struct heap_element *e)
{
	CLEANUP_JSON json_t *out = NULL;
	const char *name = NULL, *key = "data";
	json_t *content = NULL;

	for (size_t i = 0; i < GL_COUNT(element_names); i++)
		if (element_names[i].type == e->type)
			name = element_names[i].name;
	for (size_t i = 0; i < GL_COUNT(element_contents); i++)
		if (element_contents[i].type == e->type) {
			content = element_contents[i].make(e->data);
			if (content)
				key = element_contents[i].key;
		}
	out = json_pack(
		"{s:I, s:s?, s:I}", "type", (json_int_t)e->type, "name", name, "size", (json_int_t)(HEAP_ELEMENT_HEADER + e->data.n));
	if (json_object_set_new(out, key, content ? content : cli_json_hex(e->data)) != 0)
		return NULL;
	return json_incref(out);
}

static json_t *elements_json(struct span content, size_t at)
{
	CLEANUP_JSON json_t *out = json_array();
	struct heap_elements it = heap_elements_in(content, at);
	struct heap_element e;

	while (at && heap_elements_next(&it, &e) == TXT_OK && !it.end)
		if (json_array_append_new(out, element_json(&e)) != 0)
			return NULL;
	return json_incref(out);
}

/* ---- tables ---- */

static json_t *place_json(const struct heap_location *l)
{
	return json_pack("{s:o, s:I}", "offset", address_json(l->offset), "size", (json_int_t)l->content.n + 8);
}

/* `part` with the table's place in front. */
static json_t *table_json(const struct heap_location *l, json_t *part)
{
	CLEANUP_JSON json_t *own = part;
	CLEANUP_JSON json_t *out = place_json(l);

	return own && out && json_object_update(out, own) == 0 ? json_incref(out) : NULL;
}

static json_t *bios_json(const struct txt_heap *h)
{
	const struct heap_location *l = &h->tables.table[HEAP_BIOS];
	const struct heap_bios *b = &h->bios;

	return table_json(
		l, json_pack("{s:I, s:I, s:o, s:o, s:I, s:I, s:I, s:b, s:b, s:b, s:o}", "version", (json_int_t)b->version,
			   "bios_sinit_size", (json_int_t)b->bios_sinit_size, "lcp_base", address_json(b->lcp_base), "lcp_size",
			   address_json(b->lcp_size), "processors", (json_int_t)b->processors, "sinit_flags", (json_int_t)b->sinit_flags,
			   "mle_flags", (json_int_t)b->mle_flags, "ppi", (b->mle_flags & HEAP_BIOS_MLE_PPI) != 0, "client",
			   (b->mle_flags & HEAP_BIOS_MLE_CLIENT) != 0, "server", (b->mle_flags & HEAP_BIOS_MLE_SERVER) != 0, "elements",
			   elements_json(l->content, b->elements)));
}

static json_t *log_json(const struct txt_heap *h, const struct heap_log *l)
{
	struct span log = txt_heap_log(h, l);
	struct eventlog_reader r;
	json_int_t events = 0;
	struct event e;
	bool readable;

	readable = log.n > 0 && eventlog_open(&r, log) != EVENTLOG_MALFORMED;
	while (readable && eventlog_next(&r, &e) == EVENTLOG_EVENT)
		events++;
	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:o, s:o}", "alg", l->alg ? json_integer(l->alg) : json_null(), "base",
		address_json(l->base), "size", (json_int_t)l->size, "first", (json_int_t)l->first, "next", (json_int_t)l->next, "offset",
		log.n ? address_json(l->base - h->base) : json_null(), "events", readable ? json_integer(events) : json_null());
}

static json_t *logs_json(const struct txt_heap *h)
{
	CLEANUP_JSON json_t *out = json_array();
	const struct heap_log *l;

	for (unsigned i = 0; (l = txt_heap_nth_log(h, i)); i++)
		if (json_array_append_new(out, log_json(h, l)) != 0)
			return NULL;
	return json_incref(out);
}

static json_t *tprs_json(const struct heap_os_sinit *o)
{
	CLEANUP_JSON json_t *out = o->has_tpr ? json_array() : json_null();

	for (unsigned i = 0; i < o->tpr_count; i++)
		if (json_array_append_new(out, range_json(o->tprs[i])) != 0)
			return NULL;
	return json_incref(out);
}

static json_t *os_sinit_json(const struct txt_heap *h)
{
	const struct heap_location *l = &h->tables.table[HEAP_OS_SINIT];
	const struct heap_os_sinit *o = &h->os;

	return table_json(
		l, json_pack("{s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version", (json_int_t)o->version,
			   "flags", (json_int_t)o->flags, "extend_policy", o->flags & HEAP_OS_SINIT_EMBEDDED ? "embedded" : "agile",
			   "mle_page_table", address_json(o->ptab), "mle_size", address_json(o->mle_size), "mle_header",
			   address_json(o->mle_header), "pmr_low", range_json(o->pmr_lo), "pmr_high", range_json(o->pmr_hi), "lcp",
			   range_json(o->lcp), "capabilities", acm_capabilities_json(o->capabilities), "rsdp", address_json(o->rsdp),
			   "event_logs", logs_json(h), "tprs", tprs_json(o), "elements", elements_json(l->content, o->elements)));
}

static json_t *mdrs_json(const struct heap_sinit_mle *s)
{
	CLEANUP_JSON json_t *out = json_array();

	for (uint32_t i = 0; i < s->mdr_count; i++) {
		struct heap_mdr m = heap_mdr_at(s, i);

		if (json_array_append_new(
			    out, json_pack("{s:o, s:o, s:i, s:s?}", "base", address_json(m.range.base), "size", address_json(m.range.size),
					 "type", (int)m.type, "type_name", m.type < GL_COUNT(mdr_names) ? mdr_names[m.type] : NULL)) != 0)
			return NULL;
	}
	return json_incref(out);
}

static json_t *old_digest_json(const struct heap_sinit_mle *s, size_t i)
{
	return cli_json_hex((struct span){ s->old_digests.p + i * HEAP_OLD_DIGEST, HEAP_OLD_DIGEST });
}

static json_t *sinit_mle_json(const struct txt_heap *h)
{
	const struct heap_location *l = &h->tables.table[HEAP_SINIT_MLE];
	const struct heap_sinit_mle *s = &h->mle;

	if (!h->launched)
		return json_null();
	return table_json(l,
		json_pack("{s:I, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o}, s:o, s:o, s:I, s:o, s:o, s:o}", "version", (json_int_t)s->version,
			"bios_acm_id", cli_json_hex(s->bios_acm_id), "edx_senter_flags", address_json(s->edx), "mseg_valid",
			address_json(s->mseg_valid), "digests_tpm12", "sinit", old_digest_json(s, 0), "mle", old_digest_json(s, 1), "stm",
			old_digest_json(s, 2), "policy", old_digest_json(s, 3), "lcp_control", address_json(s->lcp_control), "rlp_wakeup",
			address_json(s->rlp_wakeup), "scrtm", (json_int_t)s->scrtm, "dmar", acpi_json(s->dmar), "mdrs", mdrs_json(s),
			"elements", elements_json((struct span){ h->bytes.p + l->offset, l->content.n + 8 }, s->elements)));
}

json_t *txt_heap_json(const struct txt_heap *h)
{
	return json_pack("{s:I, s:b, s:o, s:o, s:o, s:o}", "size", (json_int_t)h->bytes.n, "launched", (int)h->launched, "bios",
		bios_json(h), "os_mle", place_json(&h->tables.table[HEAP_OS_MLE]), "os_sinit", os_sinit_json(h), "sinit_mle",
		sinit_mle_json(h));
}
