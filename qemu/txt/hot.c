/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/hot.h"

#include <capstone/capstone.h>

struct reader {
	csh h;
	cs_insn *insn;
};

static void reader_close(struct reader *r)
{
	if (r->insn)
		cs_free(r->insn, 1);
	if (r->h)
		(void)cs_close(&r->h);
}

static bool reader_open(struct reader *r)
{
	*r = (struct reader){ 0 };
	if (cs_open(CS_ARCH_X86, CS_MODE_32, &r->h) != CS_ERR_OK) {
		r->h = 0;
		return false;
	}
	if (cs_option(r->h, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK)
		r->insn = cs_malloc(r->h);
	return r->insn;
}

/* The instruction at `at`. */
static bool read_one(struct reader *r, struct span code, uint32_t base, uint32_t at)
{
	uint64_t address = at;
	const uint8_t *p;
	size_t left;

	if (at < base || at - base >= code.n)
		return false;
	p = code.p + (at - base);
	left = code.n - (at - base);
	return cs_disasm_iter(r->h, &p, &left, &address, r->insn);
}

/* Runs on to the next instruction, and does not depend on where it stands. */
static bool goes_on(const struct reader *r)
{
	static const uint8_t elsewhere[] = { CS_GRP_JUMP, CS_GRP_CALL, CS_GRP_RET, CS_GRP_INT, CS_GRP_IRET, CS_GRP_PRIVILEGE };

	for (size_t i = 0; i < GL_COUNT(elsewhere); i++)
		if (cs_insn_group(r->h, r->insn, elsewhere[i]))
			return false;
	return true;
}

static bool is_string(const struct reader *r)
{
	static const unsigned ids[] = { X86_INS_MOVSB, X86_INS_MOVSW, X86_INS_MOVSD, X86_INS_STOSB, X86_INS_STOSW, X86_INS_STOSD };
	uint8_t prefix = r->insn->detail->x86.prefix[0];

	for (size_t i = 0; i < GL_COUNT(ids); i++)
		if (r->insn->id == ids[i])
			return prefix == X86_PREFIX_REP || prefix == X86_PREFIX_REPNE;
	return false;
}

/* Jcc, opcodes 70-7F and 0F 80-8F: where it jumps to. SDM volume 2A, Jcc. */
static bool is_conditional(const struct reader *r, uint32_t *target)
{
	const cs_x86 *x = &r->insn->detail->x86;
	uint8_t op = x->opcode[0] == 0x0f ? x->opcode[1] - 0x10 : x->opcode[0];

	if ((op & 0xf0) != 0x70 || !cs_insn_group(r->h, r->insn, CS_GRP_JUMP) || x->op_count != 1 || x->operands[0].type != X86_OP_IMM)
		return false;
	*target = (uint32_t)x->operands[0].imm;
	return true;
}

/* From the loop's start the instructions are just those that were seen from `eip` on. */
static bool meets(struct reader *r, struct span code, uint32_t base, uint32_t from, uint32_t eip)
{
	while (from < eip) {
		if (!read_one(r, code, base, from) || !goes_on(r))
			return false;
		from += r->insn->size;
	}
	return from == eip;
}

bool hot_loop_find(struct span code, uint32_t base, uint32_t eip, struct hot_loop *out)
{
	__attribute__((cleanup(reader_close))) struct reader r;
	uint32_t at = eip, first;

	if (!reader_open(&r) || eip < base || !read_one(&r, code, base, eip))
		return false;
	if (is_string(&r)) {
		*out = (struct hot_loop){ eip, r.insn->size };
		return true;
	}
	while (!is_conditional(&r, &first)) {
		if (!goes_on(&r) || (at += r.insn->size) - eip >= HOT_LOOP_MAX || !read_one(&r, code, base, at))
			return false;
	}
	at += r.insn->size;
	if (first < base || first > eip || at - first > HOT_LOOP_MAX || !meets(&r, code, base, first, eip))
		return false;
	*out = (struct hot_loop){ first, at - first };
	return true;
}
