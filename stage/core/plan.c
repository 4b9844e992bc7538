/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/core/plan.h"

#include <string.h>

#include "stage/core/plan_impl.h"

bool plan_copy(const struct stage_world *w, uint32_t to, struct span bytes)
{
	struct mspan room = stage_room(w, to, bytes.n);

	if (!room.p)
		return bytes.n == 0;
	memmove(room.p, bytes.p, bytes.n);
	return true;
}

/* Collects the members and lays them out behind the initrd. */
static enum stage_error lay_out(const struct handover *h, struct initrd_plan *p, size_t *total)
{
	for (size_t i = 0; i < h->module_count; i++) {
		const struct stage_module *m = &h->rules.modules[i];

		if (m->role == ROLE_INITRD) {
			p->has_own = true;
			p->own_module = i;
			p->own_size = h->module_bytes[i].n;
		} else if (role_table[m->role].member) {
			p->member_module[p->member_count] = i;
			p->members[p->member_count++] =
				(struct cpio_member){ .path = h->modules[i].string, .mode = m->mode, .size = h->module_bytes[i].n };
		}
	}
	return cpio_layout(p->own_size, p->members, p->member_count, total) == CPIO_OK ? STAGE_OK : STAGE_E_MEMBER;
}

enum stage_error initrd_plan(const struct handover *h, uint64_t end, struct stage_memory *m, struct initrd_plan *out)
{
	struct stage_want want = { .low = 1u << 20, .high = end < STAGE_MEMORY_TOP ? end : STAGE_MEMORY_TOP, .top = true };
	size_t total = 0;
	enum stage_error e;

	memset(out, 0, sizeof(*out));
	e = lay_out(h, out, &total);
	if (e != STAGE_OK || total == 0)
		return e;
	if (total > UINT32_MAX)
		return STAGE_E_INITRD;
	out->size = (uint32_t)total;
	if (out->member_count == 0) {
		const struct mb2_module *own = &h->modules[out->own_module];

		out->address = own->start;
		if (own->start % STAGE_PAGE == 0 && own->end <= end)
			return STAGE_OK;
	}
	out->join = true;
	want.size = total;
	return stage_memory_take(m, &want, &out->address) ? STAGE_OK : STAGE_E_INITRD;
}

enum stage_error initrd_load(const struct stage_world *w, const struct handover *h, const struct initrd_plan *p)
{
	struct mspan whole;

	if (!p->join)
		return STAGE_OK;
	whole = stage_room(w, p->address, p->size);
	if (!whole.p || (p->has_own && !plan_copy(w, p->address, h->module_bytes[p->own_module])))
		return STAGE_E_INITRD;
	for (size_t i = 0; i < p->member_count; i++) {
		struct span data = h->module_bytes[p->member_module[i]];

		memmove(whole.p + p->members[i].offset, data.p, data.n);
	}
	if (p->member_count == 0)
		return STAGE_OK;
	return cpio_write(whole, p->own_size, p->members, p->member_count) == CPIO_OK ? STAGE_OK : STAGE_E_INITRD;
}

enum stage_error stage_plan(const struct stage_world *w, const struct handover *h, struct stage_memory *m, struct stage_plan *out)
{
	(void)w;
	memset(out, 0, sizeof(*out));
	out->hypervisor = h->rules.hypervisor;
	return out->hypervisor == HYPERVISOR_XEN ? xen_plan(h, m, out) : linux_plan(h, m, out);
}

enum stage_error stage_load(const struct stage_world *w, const struct handover *h, struct stage_plan *p, struct stage_jump *out)
{
	enum stage_error e = initrd_load(w, h, &p->initrd);

	if (e != STAGE_OK)
		return e;
	return p->hypervisor == HYPERVISOR_XEN ? xen_load(w, h, p, out) : linux_load(w, h, p, out);
}
