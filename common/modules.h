/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_MODULES_H
#define GL_COMMON_MODULES_H

#include "measure.h"

/* The modules of a launch: which there are, and in which order. Launch description and stage rules both obey this. */

/* Module numbers are 1 to 127, as in tboot's policy (TB_POL_MAX_MOD_NUM). */
#define MODULES_MAX 127

enum hypervisor { HYPERVISOR_LINUX, HYPERVISOR_XEN, HYPERVISOR_COUNT };

const char *hypervisor_name(enum hypervisor h); /* "linux", "xen" */
GL_MUST bool hypervisor_by_name(struct span name, enum hypervisor *out);

/* One value per rule. */
enum modules_error {
	MODULES_OK,
	MODULES_E_ROLE,   /* none for numbered modules */
	MODULES_E_FIRST,  /* the first module is not the hypervisor, or there is none */
	MODULES_E_TWICE,  /* second module of a role that can occur only once */
	MODULES_E_KERNEL, /* Xen without a kernel directly behind it, or a kernel without Xen */
	MODULES_E_ORDER,  /* initrd not directly behind the hypervisor and its kernel */
	MODULES_E_TOO_MANY,
	MODULES_ERROR_COUNT
};

/* Starts with `hypervisor` set and the rest 0; take() the role of one module after the other, then end(). */
struct modules_order {
	enum hypervisor hypervisor;
	size_t count;  /* of modules so far */
	uint32_t seen; /* bit 1 << enum role */
};

/* On an error the order is as it was. */
GL_MUST enum modules_error modules_take(struct modules_order *o, enum role role);
GL_MUST enum modules_error modules_end(const struct modules_order *o);

#endif
