#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_txt_heap, fuzz_txt_mle and fuzz_txt_pe to tests/data/fuzz/. Machines as in these two files."""
import hashlib
import struct
from pathlib import Path

import make_lcp_seeds as lcp

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/data"
UUID = bytes.fromhex("5aac82906f47a7740f5c55a2cb51b642")


def write(target, name, data):
    folder = DATA / "fuzz" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def table(content):
    return struct.pack("<Q", len(content) + 8) + content


def bios_data(version=6, lcp=(0, 0)):
    b = struct.pack("<IIQQI", version, 0, *lcp, 1)
    if version >= 3:
        b += struct.pack("<II", 0, 2)
    if version >= 4:
        b += struct.pack("<IIHHH", 1, 14, 2, 1, 0) + struct.pack("<II", 0, 8)
    return b


def os_sinit(version=7, elements=b"", caps=0x202, flags=0, ptab=0x100000, size=0x4000, header=0x100, rsdp=0, lcp=(0, 0)):
    b = struct.pack("<II9QI", version, flags, ptab, size, header, 0, 0x200000, 0, 0, *lcp, caps)
    if version >= 5:
        b += struct.pack("<Q", rsdp)
    if version >= 6:
        b += elements + struct.pack("<II", 0, 8)
    return b


def log_tcg(base=0x1f0000, size=8192):
    return struct.pack("<IIQIII", 8, 28, base, size, 0, 0)


def logs(algs=(4, 11), base=0x1f0000, size=4096):
    body = b"".join(struct.pack("<HHQIII", a, 0, base + i * size, size, 0, 0) for i, a in enumerate(algs))
    return struct.pack("<III", 7, 12 + len(body), len(algs)) + body


def tprs(*ranges):
    return struct.pack("<III", 13, 12 + 16 * len(ranges), len(ranges)) + b"".join(struct.pack("<QQ", *r) for r in ranges)


def heap(os, bios=None, os_mle=b"\0" * 64):
    return table(bios or bios_data()) + table(os_mle) + table(os)


def heap_seeds():
    seeds = {
        "tcg-log": heap(os_sinit(elements=log_tcg())),
        "log-per-algorithm": heap(os_sinit(elements=logs(), caps=0x201)),
        "both-logs": heap(os_sinit(elements=log_tcg() + logs(base=0x1e0000))),
        "embedded": heap(os_sinit(elements=log_tcg(), flags=1)),
        "tpr": heap(os_sinit(elements=log_tcg() + tprs((0, 0x200000)))),
        "custom": heap(os_sinit(elements=struct.pack("<II16s", 4, 24, b"\7" * 16) + log_tcg())),
        "log-in-heap": heap(os_sinit(elements=log_tcg(base=0xCBC00060, size=0x1000)), os_mle=b"\0" * 0x1100),
        "rsdp": heap(os_sinit(elements=log_tcg(), rsdp=0xF0000)),
        "bios-2": heap(os_sinit(elements=log_tcg()), bios_data(2)),
        "bios-3": heap(os_sinit(elements=log_tcg()), bios_data(3)),
        "os-sinit-4": heap(os_sinit(4)),
        "os-sinit-5": heap(os_sinit(5)),
        "os-sinit-6": heap(os_sinit(6, log_tcg())),
        "small-log": heap(os_sinit(elements=log_tcg(size=300))),
        "empty": b"",
    }
    for name, data in seeds.items():
        write("fuzz_txt_heap", name, b"\0" + data)
    write("fuzz_txt_heap", "real", b"\0" + (DATA / "real-txt/txt-heap.bin").read_bytes())
    for name, data in policy_seeds():
        write("fuzz_txt_heap", f"policy-{name}", data)


def indices(aux=None, ps=None, po=None):
    """What stands in front of the heap: which indices there are, and what they hold."""
    there = [x for x in (aux, ps, po) if x is not None]
    return bytes([sum(1 << i for i, x in enumerate((aux, ps, po)) if x is not None)]) + b"".join(struct.pack("<H", len(x)) + x for x in there)


def policy_seeds():
    """Policies in the TPM, their data in the heap, where tboot has its log, too."""
    def launch(data=b"", owner=True, place=None, **given):
        bios = bios_data()
        place = (0xCBC00000 + len(table(bios)) + 8, len(data)) if place is None else place
        os = os_sinit(elements=log_tcg(), lcp=place if owner else (0, 0))
        return indices(**given) + heap(os, bios if owner else bios_data(lcp=place), data or bytes(64))

    def naming(*lists):
        digests = [hashlib.sha256(x).digest() for x in lists]
        return lcp.policy(0x0300)[:-32] + (digests[0] if len(digests) == 1 else hashlib.sha256(b"".join(digests)).digest())

    any_policy, mle, custom, signed = lcp.policy(0x0300, kind=1), lcp.new_list(elements=lcp.TWO), lcp.new_list(elements=lcp.ELEMENTS["custom2"]), lcp.LISTS["3.0-p256"]
    yield "any", launch(place=(0, 0), po=any_policy)
    yield "any-supplier", launch(place=(0, 0), aux=bytes(104), ps=any_policy)
    yield "list", launch(lcp.data(mle), po=naming(mle))
    yield "list-supplier", launch(lcp.data(mle), False, ps=naming(mle))
    yield "two-lists", launch(lcp.data(custom, mle), po=naming(custom, mle), ps=any_policy)
    yield "no-element-asked", launch(lcp.data(custom), po=naming(custom))
    yield "pconf", launch(lcp.data(lcp.new_list(elements=lcp.ELEMENTS["pconf2"])), po=naming(lcp.new_list(elements=lcp.ELEMENTS["pconf2"])))
    yield "signed", launch(lcp.data(signed), po=naming(signed))
    yield "other-data", launch(lcp.data(custom), po=naming(mle))
    yield "no-data", launch(place=(0, 0), po=naming(mle))
    yield "data-nowhere", launch(place=(0x10000000, 64), po=naming(mle))
    yield "data-too-high", launch(place=(1 << 32, 64), po=naming(mle))
    yield "data-too-large", launch(place=(0, 1 << 20), po=naming(mle))
    yield "short", launch(place=(0, 0), po=b"\0\3")
    yield "empty", launch(place=(0, 0), po=b"")
    yield "large-index", launch(place=(0, 0), po=bytes(1025))
    yield "small-aux", launch(place=(0, 0), aux=bytes(79))


def mle(pages=4, base=0x8000, ptab=0x1000, version=0x20002, start=0, end=None, header=0x40, entry=0x100, size=None, uuid=UUID, length=52, caps=0x227,
        cmdline=(0, 0), change=(), at=None, first=0):
    """The request and pieces of memory: page tables (`change`: more entries, (address, value)), a header and some bytes of the pages."""
    entries = [(ptab, (ptab + 0x1000) | 1), (ptab + 0x1000, (ptab + 0x2000) | 1)]
    entries += [(ptab + 0x2000 + 8 * i, (base + i * 4096) | 1) for i in range(pages)]
    pieces = [(where, struct.pack("<Q", value)) for where, value in [*entries, *change]]
    pieces += [(base + i * 4096 + 5, bytes([i + 1] * 9)) for i in range(pages)]
    size = pages * 4096 if size is None else size
    pieces.append((base + header if at is None else at, uuid + struct.pack("<9I", length, version, entry, first, start, end or size, caps, *cmdline)))
    return struct.pack("<III", ptab, size, header) + b"".join(struct.pack("<IH", where & 0xFFFFFFFF, len(data)) + data for where, data in pieces)


def mle_seeds():
    seeds = {
        "four-pages": mle(), "one-page": mle(1), "start-and-end": mle(start=0x80, end=0x3801), "old-header": mle(version=0x10000),
        "header-at-end": mle(header=0x3FCC), "header-outside": mle(header=0x4000), "header-far": mle(header=0xFFFFFFF0),
        "scattered": mle(3, base=0x10000, change=[(0x3010, 0x14001)]), "backwards": mle(3, change=[(0x3010, 0x4001)]),
        "hole": mle(3, change=[(0x3008, 0)]), "extra": mle(3, change=[(0x3018, 0x20001)]),
        "extra-table": mle(3, change=[(0x2008, 0x20001)]), "large": mle(change=[(0x2000, 0x3081)]),
        "reserved": mle(change=[(0x3000, 0x4000000000008001)]), "above-4g": mle(change=[(0x3018, 0x10000B001)]),
        "in-heap": mle(1, base=0xC0000), "in-sinit": mle(1, base=0xD0000), "tables-in-heap": mle(ptab=0xC0000),
        "tables-in-sinit": mle(ptab=0xD0000), "tables-above": mle(1, ptab=0x90000), "tables-outside": mle(1, ptab=0xFFFFF000),
        "pages-outside": mle(1, base=0xE0000), "in-log": mle(1, base=0xA0000), "tables-in-log": mle(ptab=0x9E000),
        "page-is-table": mle(3, base=0x2000), "page-is-directory": mle(3, base=0x1000), "unaligned": mle(change=[(0x1000, 0x2801)]),
        "no-uuid": mle(uuid=bytes(16)), "short-header": mle(length=44), "long-header": mle(length=4096),
        "entry-outside": mle(entry=0x4000), "end-outside": mle(end=0x4001), "end-before": mle(start=0x2000, end=0x1000),
        "no-wake": mle(caps=0), "cmdline": mle(cmdline=(0x200, 0x300)), "cmdline-outside": mle(cmdline=(0x200, 0x9000)),
        "cmdline-backwards": mle(cmdline=(0x300, 0x200)),
        "absolute": mle(start=0x1000, end=0x5000, entry=0x1100, cmdline=(0x1200, 0x1300)), "short-end": mle(end=0x2000),
        "late-first-page": mle(first=0x1000), "odd-first-page": mle(first=8),
        "entry-unmapped": mle(entry=0x3F000, size=0x3F001, end=0x3F001), "tables-backwards": mle(change=[(0x1000, 0x801)]),
        "late-start": mle(start=0x1000), "old-late-start": mle(version=0x10000, start=0x1000, end=0x3000, cmdline=(0x1200, 0x1300)),
        "no-size": mle(size=0), "odd-size": mle(size=0x3001), "huge": mle(size=0x40000000), "cut": mle()[:7],
        "two-tables": mle(4, size=0x201000, end=0x4000, change=[(0x2008, 0x20001)]), "unprotected": mle(1, base=0xD9000),
        "tables-unprotected": mle(ptab=0xD9000), "first-page": mle(header=0x1040, at=0x9040),
    }
    for name, data in seeds.items():
        write("fuzz_txt_mle", name, data)


def pe(sections, pages=3, base=0, subsystem=10):
    """A UEFI image behind `base` bytes; sections: (size, address, flags)."""
    head = bytearray(4096)
    struct.pack_into("<H58xI", head, 0, 0x5A4D, 0x80)
    struct.pack_into("<IHH12xHH", head, 0x80, 0x4550, 0x8664, len(sections), 112, 0x22)
    struct.pack_into("<H14xI36xI8xH", head, 0x98, 0x20B, 0x1000, pages * 4096, subsystem)
    for i, (size, at, flags) in enumerate(sections):
        struct.pack_into("<8xIII12xI", head, 0x108 + 40 * i, size, at, size, flags)
    return bytes(base) + bytes(head) + bytes((pages - 1) * 4096 - 16)


def pe_seeds():
    code = (0x1000, 0x1000, 0x60000020)
    write("fuzz_txt_pe", "one-section", pe([code]))
    write("fuzz_txt_pe", "three-sections", pe([code, (0x200, 0x2000, 0xC0000040), (0xE00, 0x2200, 0x20000000)]))
    write("fuzz_txt_pe", "behind-a-page", pe([(0x2000, 0x1000, 0x20)], base=4096, subsystem=12))
    write("fuzz_txt_pe", "in-another", pe([(0x2000, 0x1000, 0x20)], pages=5)[:8192] + pe([(0x2000, 0x1000, 0x20)]))


heap_seeds()
mle_seeds()
pe_seeds()
