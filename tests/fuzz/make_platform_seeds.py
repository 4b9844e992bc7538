#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_stage_power and of the fuzz_txt_* targets for QEMU's answers, machine code and MLE files to tests/data/fuzz/."""
import json
import struct

from make_boot_seeds import elf32, header, header_tag
from seed_files import write

SHARED_UUID = bytes.fromhex("ff8d3c66b3e8824bbfaa19ea4d057a08")


# ---- fuzz_stage_power

def acpi(name, content):
    t = bytearray(struct.pack("<4sIBB", name, 36 + len(content), 1, 0) + b"GEO   GEOTABLE" + b"\0" * 12 + content)
    t[9] = -sum(t) & 255
    return bytes(t)


def fadt(dsdt=0x300, pm1a=0x604, pm1b=0, flags=0, x_dsdt=0, x_pm1a=(0, 0), x_pm1b=0, size=244):
    t = bytearray(size - 36)
    for at, form, value in ((40, "<I", dsdt), (64, "<I", pm1a), (68, "<I", pm1b), (112, "<I", flags), (140, "<Q", x_dsdt), (172, "<B", x_pm1a[0]),
                            (176, "<Q", x_pm1a[1]), (184, "<B", x_pm1a[0]), (188, "<Q", x_pm1b)):
        if at + struct.calcsize(form) <= size:
            struct.pack_into(form, t, at - 36, value)
    return acpi(b"FACP", bytes(t))


def memory(**places):
    m = bytearray()
    for at, data in sorted((int(k[1:], 16), v) for k, v in places.items()):
        m = m.ljust(at, b"\0")
        m[at:at + len(data)] = data
    return bytes(m)


def rsdp(revision, root):
    return struct.pack("<8sB6sB", b"RSD PTR ", 0, b"GEO   ", revision) + struct.pack("<IIQI", root if revision < 2 else 0, 36, root if revision >= 2 else 0, 0)


def s5(package, name=b"_S5_"):
    return acpi(b"DSDT", b"\x10\x05_SB_\x08" + name + b"\x12" + package)


def shared(version=6, base=0x800, size=0x2000, entry=0x900):
    return SHARED_UUID + struct.pack("<IIII", version, 0, entry, 0) + b"\0" * 72 + struct.pack("<II", base, size)


def power_seeds():
    good = s5(b"\x0a\x04\x0a\x05\x0a\x05\x00\x00")
    old, new = rsdp(0, 0x100), rsdp(2, 0x100)
    yield "rsdt", memory(x0=old, x100=acpi(b"RSDT", struct.pack("<II", 0x1c0, 0x200)), x200=fadt(), x300=good, x1000=shared())
    yield "xsdt", memory(x0=new, x100=acpi(b"XSDT", struct.pack("<QQ", 0x9000, 0x200)), x200=fadt(0, 0, 0, 0, 0x300, (1, 0xB004), 0xB008), x300=good)
    yield "numbers", memory(x0=new, x100=acpi(b"XSDT", struct.pack("<Q", 0x200)), x200=fadt(), x300=s5(b"\x06\x02\x01\x0b\x07\x00", b"\\_S5_"))
    yield "ones", memory(x0=old, x100=acpi(b"RSDT", struct.pack("<I", 0x200)), x200=fadt(size=116), x300=s5(b"\x46\x00\x02\x00\x01"))
    yield "name", memory(x0=old, x100=acpi(b"RSDT", struct.pack("<I", 0x200)), x200=fadt(), x300=s5(b"\x06\x02\x0c\x07\x00"))
    yield "one-value", memory(x0=old, x100=acpi(b"RSDT", struct.pack("<I", 0x200)), x200=fadt(), x300=s5(b"\x06\x01\x0a\x05"))
    yield "hardware-reduced", memory(x0=old, x100=acpi(b"RSDT", struct.pack("<I", 0x200)), x200=fadt(flags=1 << 20), x300=good)
    yield "no-fadt", memory(x0=old, x100=acpi(b"RSDT", struct.pack("<I", 0x300)), x300=good)
    yield "far-register", memory(x0=old, x100=acpi(b"RSDT", struct.pack("<I", 0x200)), x200=fadt(pm1a=0x10000), x300=good)
    yield "wrong-sum", memory(x0=old, x100=acpi(b"RSDT", struct.pack("<I", 0x200))[:-1] + b"\1", x200=fadt(), x300=good)
    yield "old-shared", memory(x0=b"\0", x1000=shared(version=1))
    yield "shared-elsewhere", memory(x0=b"\0", x1000=shared(base=0x2000))


# ---- fuzz_txt_acpi

def summed(data, at):
    b = bytearray(data)
    b[at] = -sum(b) & 255
    return bytes(b)


def txt_acpi_seeds():
    """Memory from 0xE0000 on: the RSDP at +0x20, the root at +0x100, tables behind it."""
    old = summed(b"RSD PTR \0GEO   \0" + struct.pack("<I", 0xE0100), 8)
    new = summed(summed(b"RSD PTR \0GEO   \2" + struct.pack("<I", 0), 8) + struct.pack("<IQI", 36, 0xE0100, 0), 33)
    dmar, mcfg = acpi(b"DMAR", b"\x2f\1" + bytes(10)), acpi(b"MCFG", bytes(24))
    rsdt = acpi(b"RSDT", struct.pack("<3I", 0xF0000, 0xE0200, 0xE0300))
    xsdt = acpi(b"XSDT", struct.pack("<2Q", 0xE0200, 0xE0300))
    for name, given, places in (
            ("rsdt", 0, {"x20": old, "x100": rsdt, "x200": dmar, "x300": mcfg}), ("xsdt", 0, {"x20": new, "x100": xsdt, "x200": mcfg, "x300": dmar}),
            ("given", 0xE0020, {"x20": new, "x100": xsdt, "x200": mcfg}), ("given-outside", 0x1000, {"x20": new}), ("none", 0, {"x100": xsdt}),
            ("given-no-rsdp", 0xE0100, {"x100": xsdt}), ("wrong-sum", 0xE0020, {"x20": old[:-1] + b"\1", "x100": rsdt}),
            ("wrong-long-sum", 0xE0020, {"x20": new[:-1] + b"\1", "x100": xsdt}), ("no-root", 0, {"x20": old}),
            ("wrong-root", 0, {"x20": old, "x100": xsdt}), ("odd-root", 0, {"x20": old, "x100": acpi(b"RSDT", b"\0\2\x0e\0\0")}),
            ("long-table", 0, {"x20": old, "x100": rsdt, "x200": b"DMAR" + struct.pack("<I", 0x20000) + bytes(28)}),
            ("short-table", 0, {"x20": old, "x100": rsdt, "x200": b"DMAR" + struct.pack("<I", 20) + bytes(28)}),
            ("cut-table", 0, {"x20": old, "x100": rsdt, "x300": b"DMAR" + struct.pack("<I", 200) + bytes(28)})):
        yield name, struct.pack("<I", given) + memory(**places)


# ---- fuzz_txt_gdb

def packet(body):
    return b"$" + body + b"#%02x" % (sum(body) & 255)


def gdb_seeds():
    registers = b"".join(b"%02x" % (i & 255) * (4 if 17 <= i <= 23 else 8) for i in range(33))
    yield "registers", registers + b"00" * 40
    yield "packet", b"++" + packet(registers) + packet(b"OK") + b"$"
    yield "few-registers", registers[:-2]
    for name, body in (("trap", b"S05"), ("thread", b"T05thread:p01.02;"), ("watch", b"T05thread:01;watch:fed20000;"), ("read", b"T05rwatch:fed30110;thread:02;"),
                       ("interrupt", b"T02thread:01;"), ("other", b"T0bthread:01;core:1;"), ("exit", b"W00"), ("killed", b"X06"), ("killed-short", b"X"), ("access", b"T05awatch:1;")):
        yield name, body
        yield name + "-packet", packet(body)
    yield "wrong-sum", b"$OK#00"
    yield "no-end", b"$T05"
    yield "noise", b"-$OK#9a"


# ---- fuzz_txt_code

def code_seeds():
    loop = bytes.fromhex("8a06 8807 46 47 49 75f7 c3")
    yield "loop", b"\2\0" + loop
    yield "loop-inside", b"\2\4" + loop
    yield "rep", b"\2\0" + bytes.fromhex("f3a4 c3")
    yield "short-way-out", b"\2\0" + bytes.fromhex("85c0 7402 ebfa c3")
    yield "traps", b"\0\0" + bytes.fromhex("0fa2 0f32 0f30 0f37 0f20e0 0f22e0 0f20c0 e802000000 ebe8 0fa2 c3")
    yield "traps-64", b"\1\0" + bytes.fromhex("0fa2 410f20e0 440f22e7 440f20e7 480f32 0f37 0f84f0ffffff 90 e9e6ffffff c3")
    yield "prefix", b"\0\2" + bytes.fromhex("66 f3 0fa2 f0 0f37 0f01c1 ff25001010 00 0f0b")
    yield "empty-way", b"\0\7" + bytes.fromhex("e9ffffff7f c3 06 0f84ffffff7f ff e8")
    yield "data", b"\0\0" + bytes.fromhex("eb04 0fa2 0f37 0f37 c3 ffff ffff 0fa2")
    yield "one", b"\3\0" + bytes.fromhex("0fa2")


# ---- fuzz_txt_image

def sections(file, *entries):
    """A 32-bit ELF file with section headers behind it."""
    b = bytearray(file)
    struct.pack_into("<I", b, 32, len(b))
    struct.pack_into("<HH", b, 46, 40, len(entries))
    for kind, flags, address, offset, size in entries:
        b += struct.pack("<10I", 0, kind, flags, address, offset, size, 0, 0, 1, 0)
    return bytes(b)


def image_seeds():
    one = elf32([(1, 0, 0x200000, 0x200000, 256, 0x1000, 1)], 0x200010)
    multiboot2 = elf32([(1, 128, 0x200000, 0x200000, 192, 0x3A70, 0x40)], extra=header(
        header_tag(3, struct.pack("<I", 0x200010)), header_tag(10, struct.pack("<IIII", 0x200000, 0xFFFFFFFF, 0x200000, 2), 1), header_tag(0)))
    yield "segment", one
    yield "sections", sections(one, (0, 0, 0, 0, 0), (1, 6, 0x200000, 0, 128), (1, 2, 0x200080, 128, 64), (8, 6, 0x200100, 0, 64), (1, 6, 0x200000, 0, 0))
    yield "section-nowhere", sections(one, (1, 6, 0x400000, 0, 64))
    yield "many-sections", sections(one, *[(1, 6, 0x200000, 0, 64)] * 65)
    yield "section-size", sections(one, (1, 6, 0x200000, 0, 64)).replace(struct.pack("<HH", 40, 1), struct.pack("<HH", 41, 1), 1)
    yield "section-outside", sections(one, (1, 6, 0x200000, 200, 4096))
    yield "no-code-section", sections(one, (1, 2, 0x200000, 0, 64))
    yield "multiboot2", multiboot2
    yield "multiboot2-bad-tag", multiboot2.replace(struct.pack("<HHI", 10, 1, 24), struct.pack("<HHI", 10, 1, 7))
    yield "multiboot2-no-end", multiboot2[:-8] + b"\1" * 8
    yield "multiboot2-long-tag", multiboot2.replace(struct.pack("<HHI", 10, 1, 24), struct.pack("<HHI", 10, 1, 999))
    yield "multiboot2-short-entry", multiboot2.replace(struct.pack("<HHI", 3, 0, 12), struct.pack("<HHI", 3, 0, 9))
    yield "virtual", elf32([(1, 0, 0xC0000000, 0x200000, 256, 0x1000, 1), (1, 64, 0xC0001000, 0x201000, 64, 64, 1)], 0xC0000010)
    yield "entry-outside", elf32([(1, 0, 0x200000, 0x200000, 256, 0x1000, 1)], 0x300000)
    yield "segment-outside", elf32([(1, 200, 0x200000, 0x200000, 256, 0x1000, 1)], 0x200010)
    yield "wraps", elf32([(1, 0, 0xFFFFFFF0, 0xFFFFFFF0, 256, 256, 1)], 0xFFFFFFF0)
    yield "many", elf32([(1, 0, 0x200000 + 16 * i, 0x200000 + 16 * i, 16, 16, 1) for i in range(70)], 0x200000)
    yield "no-segments", elf32([(4, 0, 0, 0, 0, 0, 4)], 0)
    for name, at, value in (("class", 4, 2), ("machine", 18, 62), ("type", 16, 1), ("magic", 0, 0), ("headers", 42, 5), ("offset", 29, 255)):
        b = bytearray(one)
        b[at] = value
        yield name, bytes(b)


# ---- fuzz_txt_qmp

def qmp_seeds():
    def lines(*messages):
        return b"".join(json.dumps(m).encode() + b"\r\n" for m in messages)

    greeting = {"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": []}}
    event = {"event": "RESET", "data": {"guest": True}, "timestamp": {"seconds": 1}}
    yield "connect", b"\0" + lines(greeting, event, {"return": {}, "id": 1})
    yield "connect-no-greeting", b"\0" + lines({"return": {}})
    yield "connect-refused", b"\0" + lines(greeting, {"id": 1, "error": {"class": "GenericError", "desc": "no"}})
    yield "connect-closed", b"\0"
    yield "execute", b"\1" + lines(event, {"return": {"status": "running"}, "id": 1}, {"event": "STOP"}, {"return": 1})
    yield "execute-other-id", b"\1" + lines({"return": {}, "id": 2})
    yield "execute-error", b"\1" + lines({"error": {"desc": "%s" * 40}, "id": 1})
    yield "execute-nothing", b"\1" + lines({"id": 1})
    yield "execute-no-message", b"\1[1]\n"
    yield "execute-text", b"\1HMP\n"
    yield "execute-closed", b"\1{\"return\": "
    yield "monitor", b"\2" + lines({"return": "EAX=0\r\n", "id": 1})
    yield "monitor-no-text", b"\2" + lines({"return": {}, "id": 1})
    yield "silent", b"\3" + lines({"return": "", "id": 1})
    yield "silent-says", b"\3" + lines({"return": "Error: no such device\r\n", "id": 1})
    yield "events", b"\4" + lines(event, {"event": 1}, {"event": "SHUTDOWN", "data": None}) + b"1\n"


def main():
    for target, seeds in (("stage_power", power_seeds), ("txt_acpi", txt_acpi_seeds), ("txt_gdb", gdb_seeds),
                          ("txt_code", code_seeds), ("txt_image", image_seeds), ("txt_qmp", qmp_seeds)):
        write(target, seeds())


if __name__ == "__main__":
    main()
