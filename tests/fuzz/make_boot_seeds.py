#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_elf, fuzz_multiboot2_header, fuzz_multiboot2_info, fuzz_bzimage and fuzz_pecoff anew to tests/data/fuzz/."""
import struct

from seed_files import write


def header_tag(kind, content=b"", flags=0):
    data = struct.pack("<HHI", kind, flags, 8 + len(content)) + content
    return data + b"\0" * (-len(data) % 8)


def header(*tags, arch=0):
    body = b"".join(tags)
    length = 16 + len(body)
    return struct.pack("<IIII", 0xE85250D6, arch, length, -(0xE85250D6 + arch + length) & 0xFFFFFFFF) + body


def xen_header():
    return header(header_tag(1, struct.pack("<II", 4, 6)), header_tag(6), header_tag(10, struct.pack("<IIII", 0x200000, 0xFFFFFFFF, 0x200000, 2), 1),
                  header_tag(4, struct.pack("<I", 2), 1), header_tag(5, b"\0" * 12, 1), header_tag(7, b"", 1),
                  header_tag(9, struct.pack("<I", 0x201000), 1), header_tag(0))


def header_seeds():
    yield "xen", xen_header()
    yield "later", b"\0" * 64 + xen_header()
    yield "tboot", header(header_tag(5, struct.pack("<III", 2560, 1440, 32)), header_tag(0))
    yield "address-and-entries", header(header_tag(2, struct.pack("<IIII", 0x100000, 0x100000, 0, 0x200000)), header_tag(3, struct.pack("<I", 0x100010)),
                                        header_tag(8, struct.pack("<I", 0x100020)), header_tag(1, struct.pack("<III", 1, 3, 40), 1), header_tag(0))
    yield "unknown-required", header(header_tag(99), header_tag(0))
    yield "no-end", header(header_tag(6))
    yield "mips", header(header_tag(0), arch=4)


def elf32(segments, entry=0x200000, extra=b""):
    data = b"\x7fELF\1\1\1" + b"\0" * 9 + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, entry, 52, 0, 0, 52, 32, len(segments), 0, 0, 0)
    for kind, offset, virtual, physical, size, memory, align in segments:
        data += struct.pack("<8I", kind, offset, virtual, physical, size, memory, 7, align)
    return data.ljust(256, b"\0") + extra


def elf64(segments, entry):
    data = b"\x7fELF\2\1\1" + b"\0" * 9 + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
    for kind, offset, virtual, physical, size, memory, align in segments:
        data += struct.pack("<IIQQQQQQ", kind, 7, offset, virtual, physical, size, memory, align)
    return data.ljust(512, b"\0")


def elf_seeds():
    yield "xen", elf32([(1, 128, 0x200000, 0x200000, 200, 0x3A70, 0x40), (4, 0, 0, 0, 0, 0, 4)], extra=xen_header())
    yield "two-segments", elf32([(1, 0, 0x300000, 0x300000, 64, 128, 1), (1, 64, 0x2FF000, 0x2FF000, 64, 0x1000, 1)], 0x2FF010)
    yield "overlap", elf32([(1, 0, 0x300000, 0x300000, 64, 128, 1), (1, 64, 0x300040, 0x300040, 64, 64, 1)], 0x300000)
    yield "elf64", elf64([(1, 0, 0xFFFFFFFF81000000, 0x1000000, 256, 0x800, 0x1000)], 0xFFFFFFFF81000010)
    yield "bss-only", elf32([(1, 0xFFFFFFFF, 0x200000, 0x200000, 0, 0x1000, 0)])
    yield "wraps", elf32([(1, 0, 0xFFFFF000, 0xFFFFF000, 16, 0x2000, 1)], 0xFFFFF000)


def tag(kind, content=b""):
    data = struct.pack("<II", kind, 8 + len(content)) + content
    return data + b"\0" * (-len(data) % 8)


def info(*tags, total=None):
    body = b"".join(tags) + tag(0)
    return struct.pack("<II", 8 + len(body) if total is None else total, 0) + body


def info_seeds():
    everything = [
        tag(1, b"xen loglvl=all\0"), tag(2, b"geolaunch\0"), tag(3, struct.pack("<II", 0x1000000, 0x1800001) + b"kernel console=hvc0\0"),
        tag(3, struct.pack("<II", 0, 0) + b"\0"), tag(4, struct.pack("<II", 636, 1047552)),
        tag(6, struct.pack("<IIQQIIQQII", 24, 0, 0, 0x9F000, 1, 0, 0x100000, 0x3FF00000, 1, 0)),
        tag(8, struct.pack("<QIIIBBH6B", 0x80000000, 4096, 1024, 768, 32, 1, 0, 16, 8, 8, 8, 0, 8)), tag(11, struct.pack("<I", 1)),
        tag(12, struct.pack("<Q", 2)), tag(14, b"RSD PTR " + b"\0" * 12), tag(15, b"RSD PTR " + b"\0" * 28),
        tag(17, struct.pack("<II", 48, 1) + b"\7" * 96), tag(18), tag(19, struct.pack("<I", 3)), tag(20, struct.pack("<Q", 4)),
        tag(21, struct.pack("<I", 0x3B000000)),
    ]
    yield "all", info(*everything)
    yield "empty", info()
    yield "tboot", info(tag(1, b"xen tboot=0x803000\0"), everything[2], everything[4], everything[5], tag(13, b"\3\0" + b"\0" * 30), tag(99, b"x"))
    yield "text-framebuffer", info(tag(8, struct.pack("<QIIIBBH", 0xB8000, 160, 80, 25, 16, 2, 0)), tag(1, b"no end"), tag(6, struct.pack("<II", 32, 1) + b"\0" * 64))
    yield "short", info(*everything, total=64)
    yield "long", info(total=4096)


def bzimage(setup=3, size=8192, **fields):
    values = {"jump": 0x6A, "protocol": 0x20F, "loadflags": 1, "start": 0x100000, "max": 0x7FFFFFFF, "align": 0x200000, "reloc": 1, "min": 21, "xlf": 0x7F,
              "cmdline": 2047, "pref": 0x1000000, "init": 0x2000000} | fields
    b = bytearray(size)
    struct.pack_into("<B", b, 0x1F1, setup)
    struct.pack_into("<I", b, 0x1F4, (size - (setup + 1) * 512) // 16)
    struct.pack_into("<HBB4sH", b, 0x1FE, 0xAA55, 0xEB, values["jump"], b"HdrS", values["protocol"])
    struct.pack_into("<B", b, 0x211, values["loadflags"])
    struct.pack_into("<I", b, 0x214, values["start"])
    struct.pack_into("<IIBBHI", b, 0x22C, values["max"], values["align"], values["reloc"], values["min"], values["xlf"], values["cmdline"])
    struct.pack_into("<QI", b, 0x258, values["pref"], values["init"])
    return bytes(b)


def bzimage_seeds():
    ask = struct.pack("<BII", 3, 0x8000000, 0x123456)
    yield "good", ask + bzimage(size=4096)
    yield "no-initrd", struct.pack("<BII", 128, 0, 0) + bzimage(size=4096, jump=0x62)
    yield "old", ask + bzimage(size=4096, protocol=0x209)
    yield "initrd-too-high", struct.pack("<BII", 1, 0x7FFFF000, 0x1001) + bzimage(size=4096)
    yield "alignment", ask + bzimage(size=4096, align=0x300000)
    yield "cut", ask + bzimage(size=4096)[:0x264]


def pecoff(sections, tail=b"", loaded=False, **fields):
    """sections: (name, bytes, characteristics); as a file, or as it lies in memory."""
    f = {"machine": 0x8664, "magic": 0x20B, "signature": 0, "symbols": 0, "headers": 0x400, **fields}
    table, data, address = b"", bytearray(), 0x1000
    memory = bytearray(0x1000 * (1 + len(sections)))
    for name, content, kind in sections:
        raw = -(-len(content) // 0x200) * 0x200
        table += struct.pack("<8sIIIIIIHHI", name, len(content), address, raw, f["headers"] + len(data), 0, 0, 0, 0, kind)
        memory[address:address + len(content)] = content
        data += content.ljust(raw, b"\0")
        address += 0x1000
    symbols = f["headers"] + len(data) if f["symbols"] else 0
    coff = struct.pack("<HHIIIHH", f["machine"], len(sections), 0, symbols, 0, 240, 0x20E)
    optional = struct.pack("<H6xIII", f["magic"], len(data), 0, 0x1000).ljust(32, b"\0")
    optional += struct.pack("<II16xIIIHH", 0x1000, 0x200, len(memory), f["headers"], 0, 10, 0).ljust(76, b"\0")
    optional += struct.pack("<I", 16) + bytes(32) + struct.pack("<II", f["signature"], f["signature"]) + bytes(88)
    head = (b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0" + coff + optional + table).ljust(f["headers"], b"\0")
    if loaded:
        memory[:len(head)] = head
        return bytes(memory)
    return head + bytes(data) + tail


TABLE = 0x40 + 4 + 20 + 240


def put32(data, at, value):
    return data[:at] + struct.pack("<I", value) + data[at + 4:]


def pecoff_seeds():
    text, conf, policy = (b".text", b"\x90" * 70, 0x60000020), (b".launch", b"geolaunch 1\n", 0x40000040), (b".policy", b"\2\0", 0x40000040)
    yield "plain", pecoff([text], b"symbols", symbols=True)
    yield "embedded", pecoff([text, conf, policy])
    yield "embedded-in-memory", pecoff([text, conf, policy], loaded=True)
    yield "policy-missing", pecoff([text, conf])
    yield "twice", pecoff([text, conf, policy, conf])
    yield "writable", pecoff([text, conf, (b".policy", b"\2", 0xC0000040)])
    yield "signed", pecoff([text], bytes(16), signature=0x600)
    pair = [text, (b".data", b"d" * 9, 0xC0000040)]
    for name, tail, at, size in (("certificates", 16, 0x800, 16), ("certificates-padded", 24, 0x808, 16), ("certificates-in-the-middle", 16, 0x600, 16),
                                 ("certificates-cut", 16, 0x800, 32), ("certificates-over-all", 16, 0, 0x810)):
        yield name, put32(put32(pecoff(pair, bytes(tail)), 0x58 + 144, at), 0x58 + 148, size)
    yield "no-directories", put32(pecoff(pair, bytes(8)), 0x58 + 108, 4)
    turned = pecoff(pair)
    yield "table-turned", turned[:TABLE] + turned[TABLE + 40:TABLE + 80] + turned[TABLE:TABLE + 40] + turned[TABLE + 80:]
    for name, at, value in (("sections-share", 60, 0x400), ("section-in-headers", 20, 0x200), ("section-wraps", 16, 0xFFFFFC00)):
        yield name, put32(pecoff(pair), TABLE + at, value)
    yield "no-room", pecoff([text], headers=0x180)
    yield "other-machine", pecoff([text], machine=0xAA64)
    yield "pe32", pecoff([text], magic=0x10B)
    yield "no-sections", pecoff([])
    yield "no-mz", b"XM" + pecoff([text])[2:]
    plain, table = pecoff([text, (b".data", b"d" * 9, 0xC0000040)]), TABLE
    for name, at, value in (("gap", 40 + 20, 0x800), ("address-too-high", 40 + 12, 0x7FFFF000), ("same-address", 40 + 12, 0x1000),
                            ("raw-too-long", 40 + 16, 0x4000), ("something-behind-the-table", 80, 1)):
        yield name, plain[:table + at] + struct.pack("<I", value) + plain[table + at + 4:]
    yield "symbols-inside", plain[:0x4C] + struct.pack("<I", 0x500) + plain[0x50:]
    inside = pecoff([text, conf, policy], loaded=True)
    yield "leaves-memory", inside[:table + 40 + 12] + struct.pack("<I", 0x10000) + inside[table + 40 + 16:]
    yield "over-another", inside[:table + 40 + 12] + struct.pack("<I", 0x1000) + inside[table + 40 + 16:]
    yield "empty-section", pecoff([(b".bss", b"", 0x60000080), text])
    yield "cut", pecoff([text, conf, policy])[:0x200]


def main():
    for target, seeds in (("elf", elf_seeds()), ("multiboot2_header", header_seeds()), ("multiboot2_info", info_seeds()),
                          ("bzimage", bzimage_seeds()), ("pecoff", pecoff_seeds())):
        write(target, seeds)


if __name__ == "__main__":
    main()
