# SPDX-License-Identifier: BSD-3-Clause
"""tboot.mb2 as it is made, from the ELF file in tboot.gz: Debian's package has none."""
import struct


def flat(elf):
    """A PE file whose multiboot2 header says where to put it as it stands."""
    offset, address, size, memory = (struct.unpack_from("<I", elf, struct.unpack_from("<I", elf, 28)[0] + at)[0] for at in (4, 12, 16, 20))
    entry = struct.unpack_from("<I", elf, 24)[0]
    load = address - 0x1000
    tags = struct.pack("<HHIIIII", 2, 0, 24, load + 0x200, load, address + size, address + memory)
    tags += struct.pack("<HHII", 3, 0, 12, entry) + bytes(4) + struct.pack("<HHI", 0, 0, 8)
    head = struct.pack("<III", 0xE85250D6, 0, 16 + len(tags))
    head += struct.pack("<I", -sum(struct.unpack("<III", head)) & 0xFFFFFFFF)
    page = bytearray(0x1000)
    page[0:2], page[0x3C:0x40], page[0x80:0x84] = b"MZ", struct.pack("<I", 0x80), b"PE\0\0"
    page[0x200:0x200 + len(head + tags)] = head + tags
    signature = b"\x30\x82" + bytes(510)     # behind what is loaded, as sbsign leaves it
    return bytes(page) + elf[offset:offset + size] + signature
