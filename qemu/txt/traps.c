/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/traps.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

#define CR4 4

static const cs_mode modes[] = { [TRAP_MODE_32] = CS_MODE_32, [TRAP_MODE_64] = CS_MODE_64 };

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
 * (SDM volume 2B, MOV - Move to/from Control Registers). In 64-bit mode a REX prefix directly before extends the other register by bit 0, and
 * CR4 to CR12, which there is not, by bit 2 (SDM volume 2A, 2.2.1).
 */
static bool is_trap(const cs_insn *i, enum trap_mode mode, struct trap *out)
{
	/* clang-format off */
	static const struct {
		unsigned id;
		enum trap_kind kind;
	} simple[] = {
		{ X86_INS_CPUID, TRAP_CPUID }, { X86_INS_RDMSR, TRAP_RDMSR }, { X86_INS_WRMSR, TRAP_WRMSR }, { X86_INS_GETSEC, TRAP_GETSEC },
	};
	/* clang-format on */
	struct trap t = { .at = i->address, .length = (uint8_t)i->size };
	const uint8_t *op;
	uint8_t rex = 0;

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
	if (mode == TRAP_MODE_64 && i->size > 3 && (op[-1] & 0xf0) == 0x40)
		rex = op[-1];
	if (rex & 4)
		return false;
	t.kind = op[1] == 0x20 ? TRAP_CR4_READ : TRAP_CR4_WRITE;
	t.reg = (uint8_t)((op[2] & 7) | (rex & 1) << 3);
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
static bool sweep(csh h, enum trap_mode mode, const struct image_range *code, struct traps *out)
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
		} else if (is_trap(insn, mode, &t) && !add(out, &t)) {
			return false;
		}
	}
	return true;
}

/* Addresses that the descent has still to follow, and a bit per byte of code that it has seen. */
struct descent {
	csh h;
	const struct trap_code *c;
	uint8_t *seen[IMAGE_MAX_RANGES];
	uint64_t *todo;
	size_t count, cap;
};

static void descent_done(struct descent *d)
{
	for (size_t i = 0; i < d->c->count; i++)
		free(d->seen[i]);
	free(d->todo);
}

/* True if the address is code that was not seen before; it is seen then. */
static bool visit(struct descent *d, uint64_t at, struct span *rest)
{
	for (size_t i = 0; i < d->c->count; i++) {
		const struct image_range *c = &d->c->code[i];
		uint64_t offset = at - c->at;

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

static bool push(struct descent *d, uint64_t at)
{
	if (d->count == d->cap) {
		size_t cap = d->cap ? 2 * d->cap : 1024;
		uint64_t *todo = realloc(d->todo, cap * sizeof(*todo));

		if (!todo)
			return false;
		d->todo = todo;
		d->cap = cap;
	}
	d->todo[d->count++] = at;
	return true;
}

/* Where a direct jump or call goes. */
static bool target(const cs_insn *i, enum trap_mode mode, uint64_t *out)
{
	const cs_x86 *x = &i->detail->x86;

	for (uint8_t g = 0; g < i->detail->groups_count; g++)
		if ((i->detail->groups[g] == CS_GRP_JUMP || i->detail->groups[g] == CS_GRP_CALL) && x->op_count == 1 &&
			x->operands[0].type == X86_OP_IMM) {
			*out = mode == TRAP_MODE_64 ? (uint64_t)x->operands[0].imm : (uint32_t)x->operands[0].imm;
			return true;
		}
	return false;
}

static bool ends_flow(const cs_insn *i)
{
	return i->id == X86_INS_JMP || i->id == X86_INS_LJMP || i->id == X86_INS_RET || i->id == X86_INS_RETF || i->id == X86_INS_IRETD ||
	       i->id == X86_INS_IRETQ || i->id == X86_INS_RETFQ || i->id == X86_INS_UD2;
}

static bool follow(struct descent *d, cs_insn *insn, struct traps *out)
{
	uint64_t next = d->todo[--d->count];
	struct span rest;
	struct trap t;

	while (visit(d, next, &rest)) {
		uint64_t at = next, to;

		if (!cs_disasm_iter(d->h, &rest.p, &rest.n, &at, insn))
			return true;
		if (is_trap(insn, d->c->mode, &t) && !add(out, &t))
			return false;
		if (target(insn, d->c->mode, &to) && !push(d, to))
			return false;
		if (ends_flow(insn))
			return true;
		next = at;
	}
	return true;
}

static bool descend(csh h, const struct trap_code *c, struct traps *out)
{
	__attribute__((cleanup(descent_done))) struct descent d = { .h = h, .c = c };
	__attribute__((cleanup(free_insn))) cs_insn *insn = NULL;

	if (cs_option(h, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK)
		return false;
	insn = cs_malloc(h);
	for (size_t i = 0; i < c->count; i++) {
		d.seen[i] = calloc(c->code[i].bytes.n / 8 + 1, 1);
		if (!d.seen[i])
			return false;
	}
	if (!insn)
		return false;
	for (size_t i = 0; i < c->entries; i++)
		if (!push(&d, c->entry[i]))
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

bool traps_find(const struct trap_code *c, struct traps *out)
{
	__attribute__((cleanup(close_handle))) csh h = 0;
	size_t kept = 0;

	*out = (struct traps){ 0 };
	if (c->count > IMAGE_MAX_RANGES || cs_open(CS_ARCH_X86, modes[c->mode], &h) != CS_ERR_OK)
		return false;
	for (size_t i = 0; i < c->count; i++)
		if (!sweep(h, c->mode, &c->code[i], out))
			return false;
	if (!descend(h, c, out))
		return false;
	if (out->count)
		qsort(out->list, out->count, sizeof(*out->list), by_address);
	for (size_t i = 0; i < out->count; i++)
		if (kept == 0 || out->list[kept - 1].at != out->list[i].at)
			out->list[kept++] = out->list[i];
	out->count = kept;
	return true;
}

bool traps_find_in_image(const struct image *m, struct traps *out)
{
	return traps_find(&(struct trap_code){ TRAP_MODE_32, m->code, m->code_count, { m->entry }, 1 }, out);
}

void traps_free(struct traps *t)
{
	free(t->list);
	*t = (struct traps){ 0 };
}

const struct trap *traps_at(const struct traps *t, uint64_t at)
{
	struct trap key = { .at = at };

	return t->count ? bsearch(&key, t->list, t->count, sizeof(*t->list), by_address) : NULL;
}

bool trap_decode(struct span bytes, enum trap_mode mode, struct trap *out)
{
	__attribute__((cleanup(close_handle))) csh h = 0;
	__attribute__((cleanup(free_insn))) cs_insn *insn = NULL;
	uint64_t at = 0;

	if (cs_open(CS_ARCH_X86, modes[mode], &h) != CS_ERR_OK)
		return false;
	insn = cs_malloc(h);
	return insn && cs_disasm_iter(h, &bytes.p, &bytes.n, &at, insn) && is_trap(insn, mode, out);
}

const char *trap_name(enum trap_kind k)
{
	static const char *const names[TRAP_KINDS] = { "cpuid", "rdmsr", "wrmsr", "getsec", "mov r32, cr4", "mov cr4, r32" };

	return k < TRAP_KINDS ? names[k] : "?";
}
