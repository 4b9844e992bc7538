/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/traps.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

#define CR4 4

static void close_handle(csh *h)
{
	if (*h)
		(void)cs_close(h);
}

static void free_insn(cs_insn **i)
{
	if (*i)
		cs_free(*i, 1);
}

/*
 * capstone names the instruction; the registers of MOV from and to CR4 stand in the bytes: 0F 20 /r, 0F 22 /r with CR4 in the reg field
 * (SDM volume 2B, MOV - Move to/from Control Registers).
 */
static bool is_trap(const cs_insn *i, struct trap *out)
{
	static const struct {
		unsigned id;
		enum trap_kind kind;
	} simple[] = {
		{ X86_INS_CPUID, TRAP_CPUID }, { X86_INS_RDMSR, TRAP_RDMSR }, { X86_INS_WRMSR, TRAP_WRMSR }, { X86_INS_GETSEC, TRAP_GETSEC },
	};
	struct trap t = { .at = (uint32_t)i->address, .length = (uint8_t)i->size };
	const uint8_t *op;

	for (size_t k = 0; k < GL_COUNT(simple); k++)
		if (i->id == simple[k].id) {
			t.kind = (uint8_t)simple[k].kind;
			*out = t;
			return true;
		}
	if (i->id != X86_INS_MOV || i->size < 3)
		return false;
	op = i->bytes + i->size - 3;
	if (op[0] != 0x0f || (op[1] != 0x20 && op[1] != 0x22) || (op[2] >> 3 & 7) != CR4)
		return false;
	t.kind = op[1] == 0x20 ? TRAP_CR4_READ : TRAP_CR4_WRITE;
	t.reg = op[2] & 7;
	*out = t;
	return true;
}

static bool add(struct traps *t, const struct trap *one)
{
	if (t->count == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 256;
		struct trap *list = realloc(t->list, cap * sizeof(*list));

		if (!list)
			return false;
		t->list = list;
		t->cap = cap;
	}
	t->list[t->count++] = *one;
	return true;
}

/* From the start to the end; what is no instruction is skipped byte by byte. */
static bool sweep(csh h, const struct image_range *code, struct traps *out)
{
	__attribute__((cleanup(free_insn))) cs_insn *insn = cs_malloc(h);
	const uint8_t *p = code->bytes.p;
	uint64_t at = code->at;
	size_t left = code->bytes.n;
	struct trap t;

	if (!insn)
		return false;
	while (left) {
		if (!cs_disasm_iter(h, &p, &left, &at, insn)) {
			p++;
			at++;
			left--;
		} else if (is_trap(insn, &t) && !add(out, &t)) {
			return false;
		}
	}
	return true;
}

/* Addresses that the descent has still to follow, and a bit per byte of code that it has seen. */
struct descent {
	csh h;
	const struct image *m;
	uint8_t *seen[IMAGE_MAX_RANGES];
	uint32_t *todo;
	size_t count, cap;
};

static void descent_done(struct descent *d)
{
	for (size_t i = 0; i < d->m->code_count; i++)
		free(d->seen[i]);
	free(d->todo);
}

/* True if the address is code that was not seen before; it is seen then. */
static bool visit(struct descent *d, uint32_t at, struct span *rest)
{
	for (size_t i = 0; i < d->m->code_count; i++) {
		const struct image_range *c = &d->m->code[i];
		uint32_t offset = at - c->at;

		if (at < c->at || offset >= c->bytes.n)
			continue;
		if (d->seen[i][offset / 8] >> offset % 8 & 1)
			return false;
		d->seen[i][offset / 8] |= (uint8_t)(1u << offset % 8);
		*rest = (struct span){ c->bytes.p + offset, c->bytes.n - offset };
		return true;
	}
	return false;
}

static bool push(struct descent *d, uint32_t at)
{
	if (d->count == d->cap) {
		size_t cap = d->cap ? 2 * d->cap : 1024;
		uint32_t *todo = realloc(d->todo, cap * sizeof(*todo));

		if (!todo)
			return false;
		d->todo = todo;
		d->cap = cap;
	}
	d->todo[d->count++] = at;
	return true;
}

/* Where a direct jump or call goes. */
static bool target(const cs_insn *i, uint32_t *out)
{
	const cs_x86 *x = &i->detail->x86;

	for (uint8_t g = 0; g < i->detail->groups_count; g++)
		if ((i->detail->groups[g] == CS_GRP_JUMP || i->detail->groups[g] == CS_GRP_CALL) && x->op_count == 1 &&
		    x->operands[0].type == X86_OP_IMM) {
			*out = (uint32_t)x->operands[0].imm;
			return true;
		}
	return false;
}

static bool ends_flow(const cs_insn *i)
{
	return i->id == X86_INS_JMP || i->id == X86_INS_LJMP || i->id == X86_INS_RET || i->id == X86_INS_RETF || i->id == X86_INS_IRETD ||
	       i->id == X86_INS_UD2;
}

static bool follow(struct descent *d, cs_insn *insn, struct traps *out)
{
	uint32_t next = d->todo[--d->count];
	struct span rest;
	struct trap t;

	while (visit(d, next, &rest)) {
		uint64_t at = next;
		uint32_t to;

		if (!cs_disasm_iter(d->h, &rest.p, &rest.n, &at, insn))
			return true;
		if (is_trap(insn, &t) && !add(out, &t))
			return false;
		if (target(insn, &to) && !push(d, to))
			return false;
		if (ends_flow(insn))
			return true;
		next = (uint32_t)at;
	}
	return true;
}

static bool descend(csh h, const struct image *m, struct traps *out)
{
	__attribute__((cleanup(descent_done))) struct descent d = { .h = h, .m = m };
	__attribute__((cleanup(free_insn))) cs_insn *insn = NULL;

	if (cs_option(h, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK)
		return false;
	insn = cs_malloc(h);
	for (size_t i = 0; i < m->code_count; i++) {
		d.seen[i] = calloc(m->code[i].bytes.n / 8 + 1, 1);
		if (!d.seen[i])
			return false;
	}
	if (!insn || !push(&d, m->entry))
		return false;
	while (d.count)
		if (!follow(&d, insn, out))
			return false;
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct trap *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

bool traps_find(const struct image *m, struct traps *out)
{
	__attribute__((cleanup(close_handle))) csh h = 0;
	size_t kept = 0;

	*out = (struct traps){ 0 };
	if (cs_open(CS_ARCH_X86, CS_MODE_32, &h) != CS_ERR_OK)
		return false;
	for (size_t i = 0; i < m->code_count; i++)
		if (!sweep(h, &m->code[i], out))
			return false;
	if (!descend(h, m, out))
		return false;
	if (out->count)
		qsort(out->list, out->count, sizeof(*out->list), by_address);
	for (size_t i = 0; i < out->count; i++)
		if (kept == 0 || out->list[kept - 1].at != out->list[i].at)
			out->list[kept++] = out->list[i];
	out->count = kept;
	return true;
}

void traps_free(struct traps *t)
{
	free(t->list);
	*t = (struct traps){ 0 };
}

const struct trap *traps_at(const struct traps *t, uint32_t at)
{
	struct trap key = { .at = at };

	return t->count ? bsearch(&key, t->list, t->count, sizeof(*t->list), by_address) : NULL;
}

bool trap_decode(struct span bytes, struct trap *out)
{
	__attribute__((cleanup(close_handle))) csh h = 0;
	__attribute__((cleanup(free_insn))) cs_insn *insn = NULL;
	uint64_t at = 0;

	if (cs_open(CS_ARCH_X86, CS_MODE_32, &h) != CS_ERR_OK)
		return false;
	insn = cs_malloc(h);
	return insn && cs_disasm_iter(h, &bytes.p, &bytes.n, &at, insn) && is_trap(insn, out);
}

const char *trap_name(enum trap_kind k)
{
	static const char *const names[TRAP_KINDS] = { "cpuid", "rdmsr", "wrmsr", "getsec", "mov r32, cr4", "mov cr4, r32" };

	return k < TRAP_KINDS ? names[k] : "?";
}
