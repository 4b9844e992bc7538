/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/modules.h"

static const char *const names[HYPERVISOR_COUNT] = {
	[HYPERVISOR_LINUX] = "linux",
	[HYPERVISOR_XEN] = "xen",
};

const char *hypervisor_name(enum hypervisor h)
{
	return (unsigned)h < GL_COUNT(names) ? names[h] : "unknown";
}

bool hypervisor_by_name(struct span name, enum hypervisor *out)
{
	for (unsigned i = 0; i < GL_COUNT(names); i++) {
		if (span_is_str(name, names[i])) {
			*out = (enum hypervisor)i;
			return true;
		}
	}
	return false;
}

/* Number of modules that stand before all others: the hypervisor, and for Xen its kernel. */
static size_t head(const struct modules_order *o)
{
	return o->hypervisor == HYPERVISOR_XEN ? 2 : 1;
}

enum modules_error modules_take(struct modules_order *o, enum role role)
{
	if ((unsigned)role >= ROLE_COUNT || !role_table[role].numbered)
		return MODULES_E_ROLE;
	if (o->count == 0 && role != ROLE_HYPERVISOR)
		return MODULES_E_FIRST;
	if (o->seen >> role & 1 && !role_table[role].many)
		return MODULES_E_TWICE;
	if ((role == ROLE_KERNEL) != (o->count == 1 && o->hypervisor == HYPERVISOR_XEN))
		return MODULES_E_KERNEL;
	if (role == ROLE_INITRD && o->count != head(o))
		return MODULES_E_ORDER;
	if (o->count == MODULES_MAX)
		return MODULES_E_TOO_MANY;
	o->count++;
	o->seen |= 1u << role;
	return MODULES_OK;
}

enum modules_error modules_end(const struct modules_order *o)
{
	if (o->count == 0)
		return MODULES_E_FIRST;
	return o->count < head(o) ? MODULES_E_KERNEL : MODULES_OK;
}
