#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes one seed just at and one just above each limit that small inputs never reach: tests/fuzz/make_large_seeds.py [DIR], default tests/data/fuzz."""
import json
import struct

from make_platform_seeds import packet
from make_seeds import fleet_record
from seed_files import write

EFI_MAP_MAX = 1024          # efi/core/efi_map.h
LINT_NV_MAX = 1024          # cli/lint_tpm.h
MAX_ITEMS = 4096            # cli/verify_log.c
SLOT_LIST_MAX_SIZE = 65536  # cli/slot_list.h
SLOT_LIST_MAX_FILES = 256
GDB_BODY_MAX = 16384        # qemu/txt/gdb_packet.h
CONTENT_MAX = 4096          # of an NV index


def layout(count):
    """Every other page is a region of its own."""
    out = struct.pack("<BIIIIIII", 0, 0x100000, 0x28000, 0, 0, 4096, 4096, 4096)
    return out + b"".join(struct.pack("<IIQQQQ", 7, 0, 0x100000 + n * 0x2000, 0, 1, 15) for n in range(count))


def lint_dump(count):
    nv = [{"index": f"0x{0x01C10000 + n:08x}", "attributes": 0x22040006, "size": 0, "read": "not-tried"} for n in range(count)]
    return json.dumps({"format": "geolaunch-nv-1", "banks": ["sha256"], "nv": nv}, separators=(",", ":")).encode()


def verify(count):
    """A log whose events are all of PCR 20, in one bank."""
    spec = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, 2) + struct.pack("<4H", 4, 20, 11, 32) + b"\0"
    event = struct.pack("<IIIH20sI", 20, 0x5A1, 1, 4, b"\1" * 20, 0)
    return b"\0" + struct.pack("<II20xI", 0, 3, len(spec)) + spec + event * count


def slot_list(size):
    text = b"# geolaunch 1 demo\n" + b"".join(b"%064x  f%d\n" % (n, n) for n in range(SLOT_LIST_MAX_FILES))
    return b"\1" + text.ljust(size, b"#")


def slot_files(count):
    return b"\3demo\n" + b"".join(b"f%d\n" % n for n in range(count))


def seeds():
    for name, more in (("most", 0), ("too-many", 1)):
        yield "layout", f"regions-{name}", layout(EFI_MAP_MAX + more)
        yield "lint_dump", f"indices-{name}", lint_dump(LINT_NV_MAX + more)
        yield "slots", f"list-{name}", slot_list(SLOT_LIST_MAX_SIZE + more)
        yield "slots", f"files-{name}", slot_files(SLOT_LIST_MAX_FILES + more)
        yield "txt_gdb", f"body-{name}", b"0" * (GDB_BODY_MAX + more)
        yield "txt_gdb", f"packet-{name}", packet(b"0" * (GDB_BODY_MAX + more))
        content = b"00" * (CONTENT_MAX + more)
        yield "fleet_table", f"content-{name}", b"name,content\na," + content + b"\n"
        yield "fleet_record", f"content-{name}", fleet_record(banks=["sha256"], content=bytes(CONTENT_MAX + more), country=b"null").join((b"\2", b""))
    yield "verify", "events-too-many", verify(MAX_ITEMS + 1)


def main():
    for target, name, data in seeds():
        write(target, [(name, data)])


if __name__ == "__main__":
    main()
