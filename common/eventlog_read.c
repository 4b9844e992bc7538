/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/cursor.h"
#include "common/eventlog_wire.h"

/*
 * Everything here comes from firmware, or from a file that somebody calls a log. The readers below share one form: they take a cursor
 * over the whole log, so that its position is the offset to report, and say what is wrong by fail().
 */

static enum eventlog_status fail(struct eventlog_reader *r, size_t offset, const char *what)
{
	r->error = what;
	r->error_offset = offset;
	return EVENTLOG_MALFORMED;
}

static bool starts_with(struct span s, struct span head)
{
	return s.n >= head.n && span_equal((struct span){ s.p, head.n }, head);
}

/* Fields that both forms of an event begin and end with. */
static enum eventlog_status finish_event(struct eventlog_reader *r, struct rd *d, struct event *e)
{
	size_t at = d->off;
	uint32_t n = rd_le32(d);

	e->data = rd_bytes(d, n);
	if (d->bad)
		return fail(r, at, "the data of the event reach past the end of the log");
	/* TCG lets an event that is not measured name any PCR. */
	if (e->type != EV_NO_ACTION && e->pcr >= PCR_COUNT)
		return fail(r, e->offset, "the PCR index is out of range");
	return EVENTLOG_EVENT;
}

/* TCG_PCR_EVENT. */
static enum eventlog_status read_event1(struct eventlog_reader *r, struct rd *d, struct event *e)
{
	*e = (struct event){ .offset = d->off, .digests = { .banks = ALG_BIT(ALG_SHA1) } };
	e->pcr = rd_le32(d);
	e->type = rd_le32(d);

	struct span digest = rd_bytes(d, alg_table[ALG_SHA1].size);

	if (d->bad)
		return fail(r, e->offset, "the log ends inside of an event");
	for (size_t i = 0; i < digest.n; i++)
		e->digests.d[ALG_SHA1][i] = digest.p[i];
	return finish_event(r, d, e);
}

/* Place in r->algs of the algorithm `id`, r->alg_count if the Spec ID event does not name it. */
static size_t find_alg(const struct eventlog_reader *r, uint16_t id)
{
	size_t i = 0;

	while (i < r->alg_count && r->algs[i].id != id)
		i++;
	return i;
}

/*
 * With extpol=agile and =embedded tboot logs a digest for every algorithm that it knows, whether or not the TPM has such a bank
 * (tboot 1.10.5): those of no active bank were extended nowhere.
 */
static bool skip_tboots(struct rd *d, uint32_t type, uint16_t id)
{
	enum alg a;

	if (type != EV_TBOOT || !alg_by_id(id, &a))
		return false;
	(void)rd_bytes(d, alg_table[a].size);
	return true;
}

static enum eventlog_status read_digests(struct eventlog_reader *r, struct rd *d, uint32_t type, struct digests *out)
{
	uint32_t seen = 0;
	size_t at = d->off;
	uint32_t count = rd_le32(d);

	static_assert(GL_COUNT(r->algs) <= 32, "a bit per algorithm");
	if (d->bad)
		return fail(r, at, "the log ends inside of an event");
	if (count > r->alg_count + (type == EV_TBOOT ? ALG_COUNT : 0))
		return fail(r, at, "the event has more digests than the log has algorithms");

	for (uint32_t i = 0; i < count; i++) {
		at = d->off;

		uint16_t id = rd_le16(d);
		size_t place = find_alg(r, id);
		enum alg a;

		if (d->bad)
			return fail(r, at, "the log ends inside of an event");
		if (place == r->alg_count && skip_tboots(d, type, id))
			continue;
		if (place == r->alg_count)
			return fail(r, at, "a digest of an algorithm that the Spec ID event does not name");
		if (seen & UINT32_C(1) << place)
			return fail(r, at, "two digests of one algorithm");
		seen |= UINT32_C(1) << place;

		struct span digest = rd_bytes(d, r->algs[place].size);

		if (d->bad)
			return fail(r, at, "a digest reaches past the end of the log");
		if (!alg_by_id(id, &a))
			continue;
		out->banks |= ALG_BIT(a);
		for (size_t k = 0; k < digest.n; k++)
			out->d[a][k] = digest.p[k];
	}
	return EVENTLOG_EVENT;
}

/* TCG_PCR_EVENT2. */
static enum eventlog_status read_event2(struct eventlog_reader *r, struct rd *d, struct event *e)
{
	*e = (struct event){ .offset = d->off };
	e->pcr = rd_le32(d);
	e->type = rd_le32(d);
	if (d->bad)
		return fail(r, e->offset, "the log ends inside of an event");

	enum eventlog_status status = read_digests(r, d, e->type, &e->digests);

	return status == EVENTLOG_EVENT ? finish_event(r, d, e) : status;
}

/* Learns the algorithms from the data of the Spec ID event, which `d` stands behind the signature of. */
static enum eventlog_status read_spec_id(struct eventlog_reader *r, struct rd *d)
{
	/* Platform class, version and size of UINTN are for information; TXT's logs and firmware fill them differently. */
	(void)rd_le32(d);
	(void)rd_le32(d);

	size_t at = d->off;
	uint32_t count = rd_le32(d);

	if (d->bad)
		return fail(r, at, "the Spec ID event is too short");
	if (count == 0 || count > GL_COUNT(r->algs))
		return fail(r, at, "the Spec ID event names no algorithms or too many");

	for (uint32_t i = 0; i < count; i++) {
		at = d->off;

		uint16_t id = rd_le16(d);
		uint16_t size = rd_le16(d);
		enum alg a;

		if (d->bad)
			return fail(r, at, "the Spec ID event is too short");
		if (find_alg(r, id) < r->alg_count)
			return fail(r, at, "the Spec ID event names an algorithm twice");
		if (alg_by_id(id, &a)) {
			if (size != alg_table[a].size)
				return fail(r, at, "the Spec ID event gives a wrong digest size");
			r->banks |= ALG_BIT(a);
		} else if (size == 0) {
			return fail(r, at, "the Spec ID event gives a wrong digest size");
		}
		r->algs[r->alg_count].id = id;
		r->algs[r->alg_count].size = size;
		r->alg_count++;
	}

	at = d->off;

	uint8_t vendor = rd_u8(d);

	(void)rd_bytes(d, vendor);
	if (!rd_done(d))
		return fail(r, at, "the vendor information does not fill the Spec ID event");
	return EVENTLOG_EVENT;
}

static void only_sha1(struct eventlog_reader *r, enum eventlog_format format)
{
	r->format = format;
	r->banks = ALG_BIT(ALG_SHA1);
	r->algs[0].id = alg_table[ALG_SHA1].tpm_id;
	r->algs[0].size = alg_table[ALG_SHA1].size;
	r->alg_count = 1;
}

static enum eventlog_status open_txt_container(struct eventlog_reader *r)
{
	struct rd d = rd_init(r->log);

	(void)rd_bytes(&d, WIRE_TXT_HEADER - 12);

	size_t at = d.off;
	uint32_t size = rd_le32(&d);
	uint32_t first = rd_le32(&d);
	uint32_t next = rd_le32(&d);

	if (d.bad)
		return fail(r, at, "the log ends inside of the header of the TXT event container");
	if (size > r->log.n)
		return fail(r, at, "the TXT event container reaches past the end of the log");
	if (first < WIRE_TXT_HEADER || first > next || next > size)
		return fail(r, at + 4, "the events lie outside of the TXT event container");

	only_sha1(r, EVENTLOG_TXT_CONTAINER);
	r->log.n = next;
	r->off = first;
	r->end = next;
	return EVENTLOG_EVENT;
}

enum eventlog_status eventlog_open(struct eventlog_reader *r, struct span log)
{
	struct rd d = rd_init(log);
	struct event first;

	*r = (struct eventlog_reader){ .log = log, .end = log.n };
	if (starts_with(log, SPAN_OF(WIRE_TXT_SIGNATURE)))
		return open_txt_container(r);

	/* Buffers for logs are handed over whole. Found once here, because an event may also begin with zeros. */
	while (r->end > 0 && log.p[r->end - 1] == 0)
		r->end--;
	if (r->end == 0)
		return fail(r, 0, "there is no log, only zeros or nothing");

	if (read_event1(r, &d, &first) != EVENTLOG_EVENT)
		return fail(r, 0, "this is no event log: its first event does not fit");
	if (first.type != EV_NO_ACTION || !starts_with(first.data, SPAN_OF(WIRE_SPEC_ID_SIGNATURE))) {
		only_sha1(r, EVENTLOG_SHA1);
		return EVENTLOG_EVENT;
	}

	struct rd spec = rd_init((struct span){ log.p, d.off });

	(void)rd_bytes(&spec, WIRE_EVENT1_HEADER + sizeof(WIRE_SPEC_ID_SIGNATURE));
	r->format = EVENTLOG_CRYPTO_AGILE;
	return read_spec_id(r, &spec);
}

enum eventlog_status eventlog_next(struct eventlog_reader *r, struct event *out)
{
	struct rd d = rd_init(r->log);
	struct event e;
	enum eventlog_status status;

	if (r->error)
		return EVENTLOG_MALFORMED;
	if (r->off >= r->end)
		return EVENTLOG_END;

	d.off = r->off;
	if (r->format == EVENTLOG_CRYPTO_AGILE && r->off > 0) {
		status = read_event2(r, &d, &e);
	} else {
		status = read_event1(r, &d, &e);
		/* The digest of the Spec ID event is a placeholder. */
		if (r->format == EVENTLOG_CRYPTO_AGILE)
			e.digests.banks = 0;
	}
	if (status != EVENTLOG_EVENT)
		return status;
	e.missing = r->format == EVENTLOG_CRYPTO_AGILE && e.type == EV_TBOOT ? 0 : ALG_SET_ALL & ~e.digests.banks;
	r->off = d.off;
	*out = e;
	return EVENTLOG_EVENT;
}

void eventlog_extend(const struct event *e, struct pcrs *p)
{
	if (e->type == EV_NO_ACTION)
		return;
	for (enum alg a = 0; a < ALG_COUNT; a++)
		if (e->missing & ALG_BIT(a))
			p->known[a] &= ~(UINT32_C(1) << e->pcr);
	/* The index is in range: eventlog_next() has checked it. */
	(void)!pcrs_extend(p, e->pcr, &e->digests);
}

enum eventlog_status eventlog_replay(struct span log, struct pcrs *p)
{
	struct eventlog_reader r;
	struct event e;
	enum eventlog_status status = eventlog_open(&r, log);

	while (status == EVENTLOG_EVENT && (status = eventlog_next(&r, &e)) == EVENTLOG_EVENT)
		eventlog_extend(&e, p);
	return status;
}
