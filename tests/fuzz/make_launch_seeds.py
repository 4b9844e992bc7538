#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_handoff, fuzz_elf_pack, fuzz_lint_tpm and fuzz_txt_smx anew.

Usage: tests/fuzz/make_launch_seeds.py [DIR], default tests/data/fuzz.
"""

import struct

import make_seeds as tpm
from seed_files import write


def handoff_seeds():
    def handoff(*copies, address=0x90000, code=200):
        return struct.pack("<4IH", 0x800010, 0x36D76289, 0x1000000, address, code) + b"".join(struct.pack("<4I", *c) for c in copies)

    tboot = (0x800000, 0x10000000, 0x1000, 0x2000)
    yield "none", handoff()
    yield "two", handoff(tboot, (0x1000000, 0x11000000, 0x500, 0))
    yield "next-to-each-other", handoff(tboot, (0x803000, 0x10001000, 0x500, 0x10))
    yield "over-block", handoff((0x91FFF, 0x10000000, 1, 0))
    yield "from-block", handoff((0x92000, 0x90000, 0x100, 0))
    yield "over-source", handoff(tboot, (0x10000FFF, 0x11000000, 0, 1))
    yield "over-other", handoff(tboot, (0x802FFF, 0x11000000, 1, 0))
    yield "over-itself", handoff((0x800000, 0x800FFF, 0x1000, 0))
    yield "high", handoff((0xFFFFF000, 0x1000, 0xFFF, 1))
    yield "too-high", handoff((0xFFFFF000, 0x1000, 0xFFF, 2))
    yield "source-too-high", handoff((0x1000000, 0xFFFFFFFF, 2, 0))
    yield "empty-copies", handoff((0x90000, 0x90000, 0, 0), (0x90000, 5, 0, 0))
    yield "many", handoff(*[(0x1000000 + 0x100 * i, 0x2000000 + 0x100 * i, 0x80, 0x80) for i in range(64)])
    yield "long-code", handoff(code=1025)
    yield "block-too-high", handoff(address=0xFFFFE001)
    yield "block-at-the-top", handoff(address=0xFFFFE000)


def elf(segments, entry=0x100010, wide=False, size=0):
    """Program headers (offset, file size, address, memory size) over a file that is filled up with ones to `size`."""
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    if wide:
        head = ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
        table = b"".join(struct.pack("<IIQQQQQQ", 1, 7, o, a, a, f, m, 16) for o, f, a, m in segments)
    else:
        head = ident + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, entry, 52, 0, 0, 52, 32, len(segments), 0, 0, 0)
        table = b"".join(struct.pack("<8I", 1, o, a, a, f, m, 7, 16) for o, f, a, m in segments)
    return (head + table).ljust(size, b"\1")


def elf_pack_seeds():
    def image(file, *runs):
        return bytes([len(runs)]) + b"".join(struct.pack("<HH", at, n) for at, n in runs) + file

    run = 64 * 1100
    mb2 = struct.pack("<IIII", 0xE85250D6, 0, 24, -(0xE85250D6 + 24) & 0xFFFFFFFF) + struct.pack("<HHI", 0, 0, 8)
    one = [(0x100, 0x300 + run, 0x100000, 0x400 + run)]
    yield "middle", image(elf(one, size=0x400), (0x200, 1100))
    yield "wide", image(elf(one, wide=True, size=0x400), (0x200, 1100))
    yield "start", image(elf(one, size=0x400), (0x100, 1100))
    yield "end", image(elf(one, size=0x400), (0x400, 1100))
    yield "two-runs", image(elf([(0x100, 0x300 + 2 * run, 0x100000, 0x400 + 2 * run)], size=0x400), (0x200, 1100), (0x210, 1100))
    yield "two-runs-apart", image(elf([(0x100, 0x300 + 2 * run, 0x100000, 0x400 + 2 * run)], size=0x400), (0x300, 1100), (0x180, 1100))
    yield "two-segments", image(elf([(0x100, 0x100, 0x100000, 0x100), (0x200, 0x200 + run, 0x200000, 0x300 + run)], size=0x400),
            (0x280, 1100))
    yield "bss-only", image(elf([(0x100, 0x200 + run, 0x100000, 0x200 + run), (0x100, 0, 0x200000, 0x1000)], size=0x400), (0x180, 1100))
    yield "short-run", image(elf([(0x100, 0x300 + 64 * 1000, 0x100000, 0x400 + 64 * 1000)], size=0x400), (0x200, 1000))
    yield "many", image(elf([(0x200, 0x100, 0x100000 + 0x1000 * i, 0x100) for i in range(8)] + [(0x300, 0x100 + run, 0x200000,
            0x100 + run)], size=0x400), (0x380, 1100))
    file = bytearray(elf(one, size=0x400))
    file[0x180:0x180 + len(mb2)] = mb2
    yield "multiboot2", image(bytes(file), (0x200, 1100))
    yield "multiboot2-behind", image(bytes(elf([(0x100, 0x80, 0x100000, 0x80)], size=0x180)) + mb2 + b"\1" * 0x100, (0x198, 1100))
    mle = bytes.fromhex("5aac82906f47a7740f5c55a2cb51b642") + struct.pack("<9I", 52, 0x20001, 0x10, 0, 0, run + 0x300, 0, 0, 0)
    file = bytearray(elf(one, size=0x400))
    file[0x100:0x100 + len(mle)] = mle
    yield "mle", image(bytes(file), (0x200, 1100))
    yield "nothing", image(elf(one, size=0x400))


def lint_tpm_seeds():
    def talk(*responses):
        return b"".join(struct.pack("<H", len(r)) + r for r in responses)

    def handles(*values, more=0):
        return tpm.tpm_answer(struct.pack(">BII", more, 1, len(values)) + b"".join(struct.pack(">I", v) for v in values))

    def owner(value):
        return tpm.tpm_answer(struct.pack(">BIIII", 0, 6, 1, 0x200, value))

    def refused(code):
        return tpm.tpm_answer(b"", code=code)

    def public(index=0x01C10110, size=100, policy=b"", attributes=0x20040004):
        return tpm.tpm_answer(struct.pack(">HIHIH", 14 + len(policy), index, 11, attributes, len(policy)) + policy
                              + struct.pack(">HHH", size, 34, 11) + bytes(32))

    low = b"\xff\0\0"
    pcrs = [tpm.tpm_pcrs((4, 20, low)), tpm.tpm_pcrs((11, 32, low)), tpm.tpm_pcrs((12, 48, low)), tpm.tpm_pcrs((13, 64, low))]
    read = [tpm.tpm_nv(64), tpm.tpm_nv(36)]
    yield "none", talk(owner(0), handles(), *pcrs)
    yield "one", talk(owner(1), handles(0x01C10110), public(), *read, *pcrs)
    yield "more", talk(owner(0), handles(0x01800001, more=1), public(0x01800001), *read, handles(0x01C10110),
                       public(policy=bytes(32)), *read, *pcrs)
    for name, code in (("password", 0x98E), ("bad-auth", 0x9A2), ("lockout", 0x921), ("locked", 0x148)):
        yield name, talk(owner(1), handles(0x01C10110), public(), refused(code), *pcrs)
    yield "of-others", talk(owner(0), handles(0x01800000, 0x01800002), public(0x01800000), public(0x01800002,
            attributes=0x22040004), *read, *pcrs)
    yield "not-written", talk(owner(0), handles(0x01C10110), public(attributes=0x40004), *pcrs)
    yield "cut", talk(owner(0), handles(0x01C10110), public(), read[0], read[0], *pcrs)
    yield "too-large", talk(owner(1), handles(0x01C10110), public(size=4000), *pcrs)
    yield "not-ascending", talk(owner(1), handles(0x01C10110, 0x01C10110), public(), *read, public(), *read, *pcrs)
    yield "no-index", talk(owner(1), handles(0x81000001), *pcrs)
    yield "other-property", talk(tpm.tpm_answer(struct.pack(">BIIII", 0, 6, 1, 0x201, 0)), handles(), *pcrs)
    yield "empty-and-more", talk(owner(0), handles(more=1), *pcrs)
    yield "gone", talk(owner(0), handles(0x01C10110), refused(0x18B))
    yield "no-handles", talk(owner(0), refused(0x101))
    yield "no-pcrs", talk(owner(0), handles(), refused(0x101))


def acm(size=0x1000, entry=0x800, gdt=0x700, limit=0x1F, selector=8, kind=2, header=161, scratch=143, key=64, control=0, version=0,
        claimed=None):
    head = struct.pack("<HHIIHHIIIHHIIIIII", kind, 0, header, version, 0xB001, 0, 0x8086, 0x20220101, (claimed or size) // 4, 1, 1,
            control, 0, limit, gdt,
                       selector, entry) + bytes(64) + struct.pack("<II", key, scratch)
    return head.ljust(size, b"\x5a")


def txt_smx_seeds():
    def module(content, what=1, base=0x100000, size=None, front=b""):
        return struct.pack("<BII", what, base, len(content) if size is None else size) + front + content

    tree = ("FlatView #0\n AS \"I/O\", root: io\n 0000000000000000-000000000000ffff (prio 0, ram): pc.ram\n\n"
            "FlatView #1\n AS \"memory\", root: system\n Root memory region: system\n{}\n\nFlatView #2\n AS \"memory\", root: other\n")
    lines = ["  0000000000000000-000000000009ffff (prio 0, ram): pc.ram",
             "  00000000000a0000-00000000000bffff (prio 1, i/o): vga-lowmem",
             "  0000000000100000-000000007fffffff (prio 0, ram): pc.ram @0000000000100000 KVM",
             "  0000000080000000-00000000800fffff (prio 0, ram): pc.ram @1"]
    blank = [line.split(" @")[0] for line in lines]
    yield "ram", b"\0" + tree.format("\r\n".join(blank)).encode()
    yield "ram-named", b"\0" + tree.format("\n".join(lines)).encode()
    yield "ram-backwards", b"\0" + tree.format("\n".join(reversed(blank))).encode()
    yield "ram-many", b"\0" + tree.format("\n".join(f"  {2 * i:04x}000-{2 * i:04x}fff (prio 0, ram): pc.ram" for i in range(6))).encode()
    yield "ram-end-first", b"\0" + tree.format("  0000000000100000-00000000000fffff (prio 0, ram): pc.ram").encode()
    yield "ram-all", b"\0" + tree.format("  0000000000000000-ffffffffffffffff (prio 0, ram): pc.ram").encode()
    yield "ram-long-line", b"\0" + tree.format("  " + "0" * 300).encode()
    yield "good", module(acm())
    yield "good-higher", module(acm(), base=0x101000, front=bytes(0x1000))
    yield "other-key", module(acm(), what=3)
    yield "unaligned", module(acm(), base=0x100040)
    yield "odd-size", module(acm(), size=0x1001)
    yield "small", module(acm(), size=0x400)
    yield "large", module(acm(), size=0x1000000)
    yield "at-the-top", module(acm(), base=0xFFFFF000)
    yield "no-memory", module(acm(), base=0x200000)
    for name, change in (("version", {"version": 0x30000}), ("kind", {"kind": 3}), ("claimed", {"claimed": 0x2000}), ("header",
            {"header": 0x40000000}),
                         ("scratch", {"scratch": 0xFFFFFFFF}), ("key", {"key": 200}), ("control", {"control": 8}), ("gdt-limit",
                                 {"limit": 0x10000}),
                         ("gdt-low", {"gdt": 0x100}), ("gdt-end", {"gdt": 0xFF0}), ("entry-low", {"entry": 0x10}), ("entry-end",
                                 {"entry": 0x1000}),
                         ("selector", {"selector": 12}), ("selector-0", {"selector": 0}), ("selector-end", {"selector": 24})):
        yield f"bad-{name}", module(acm(**change))


def main():
    for name, seeds in (("handoff", handoff_seeds), ("elf_pack", elf_pack_seeds), ("lint_tpm", lint_tpm_seeds), ("txt_smx", txt_smx_seeds)):
        write(name, seeds())


if __name__ == "__main__":
    main()
