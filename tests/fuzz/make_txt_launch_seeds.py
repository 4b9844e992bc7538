#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_layout and fuzz_tboot anew: tests/fuzz/make_txt_launch_seeds.py [DIR], default tests/data/fuzz."""
import struct

from seed_files import write

MIB = 1 << 20


def memory_map(rows, extra=8):
    return b"".join(struct.pack("<IIQQQQ", kind, 0, base, 0, (end - base) // 4096, 15) + bytes(extra) for kind, base, end in rows)


def layout(rows, low=0x800000, size=0x228AD54, moved=16 * MIB, min_ram=0x2000000, items=(17 * MIB, 8192, 30 * MIB)):
    return struct.pack("<BIIIIIII", 8, low, size, moved, min_ram, *items) + memory_map(rows)


def layout_seeds():
    ovmf = [(3, 0, 0x1000), (7, 0x1000, 0xA0000), (7, MIB, 0x800000), (4, 0x800000, 0x1600000), (7, 0x1600000, 0x3BFDE000),
            (2, 0x3BFDE000, 0x3E3BD000), (4, 0x3E3BD000, 0x3EEB9000), (6, 0x3EEB9000, 0x3EF7A000), (9, 0x3FB73000, 0x3FB7F000),
            (10, 0x3FB7F000, 0x3FBFF000), (11, 0xB0000000, 0xC0000000)]
    yield "ovmf", layout(ovmf)
    yield "nvs-under-tboot", layout([(7, MIB, 0x806000), (10, 0x806000, 0x808000), (7, 0x808000, 0x30000000)])
    yield "small-hole", layout([(7, MIB, 0x700000), (10, 0x700000, 0x701000), (7, 0x701000, 0x30000000)], min_ram=0)
    yield "around-4-gib", layout([(7, MIB, 5 << 30)])
    yield "unsorted", layout([(2, 64 * MIB, 65 * MIB), (7, 65 * MIB, 256 * MIB), (7, MIB, 64 * MIB)])
    yield "little", layout([(7, MIB, 0x4A00000)], items=(17 * MIB, 8192, 8192))


def acpi():
    def summed(table, at):
        table = bytearray(table)
        table[at] = -sum(table) & 255
        return bytes(table)

    def head(name, body):
        return summed(struct.pack("<4sIBB6s8sIII", name, 36 + len(body), 1, 0, b"", b"", 0, 0, 0) + body, 9)
    base = 0x100000
    xsdt, dmar = head(b"XSDT", struct.pack("<QQ", base + 200, base + 300)), head(b"DMAR", bytes(12))
    rsdp = summed(struct.pack("<8sB6sBI", b"RSD PTR ", 0, b"", 2, base + 100), 8)
    rsdp = summed(rsdp + struct.pack("<IQB3x", 36, base + 100, 0), 32)
    out = bytearray(400)
    for at, table in ((0, rsdp), (100, xsdt), (200, head(b"FACP", bytes(8))), (300, dmar)):
        out[at:at + len(table)] = table
    return bytes(out)


def mb2_header(tags):
    head = struct.pack("<III", 0xE85250D6, 0, 16 + len(tags))
    return head + struct.pack("<I", -sum(struct.unpack("<III", head)) & 0xFFFFFFFF) + tags


def tboot_seeds():
    end = struct.pack("<HHI", 0, 0, 8)
    entry = struct.pack("<HHII", 3, 0, 12, 0x800010) + bytes(4)
    address = struct.pack("<HHIIIII", 2, 0, 24, 0x800200, 0x800000, 0x800800, 0x801000)
    ident = b"\x7fELF\1\1\1" + bytes(9)
    elf = ident + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0x800010, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    elf += struct.pack("<8I", 1, 0x400, 0x800000, 0x800000, 0x400, 0x1000, 7, 0x400)
    elf = elf.ljust(0x400, b"\0") + mb2_header(end).ljust(0x400, b"\0")
    yield "elf", b"\2" + elf
    yield "flat", b"\2" + (bytes(0x200) + mb2_header(address + entry + end)).ljust(0x800, b"\0")
    low = struct.pack("<HHIIIII", 2, 0, 24, 0x7FF200, 0x7FF000, 0x800800, 0x801000)
    yield "flat-below-base", b"\2" + (bytes(0x200) + mb2_header(low + entry + end)).ljust(0x1800, b"\0")
    below = struct.pack("<HHII", 3, 0, 12, 0x7FF010) + bytes(4)
    yield "flat-entry-below-base", b"\2" + (bytes(0x200) + mb2_header(low + below + end)).ljust(0x1800, b"\0")
    yield "acpi", b"\1" + acpi()
    yield "line", b"\0logging=serial ap_wake_mwait=true min_ram=0x2000000 extpol=sha256 ignore_prev_err=false call_racm=check"


def main():
    for target, seeds in (("layout", layout_seeds), ("tboot", tboot_seeds)):
        write(target, seeds())


if __name__ == "__main__":
    main()
