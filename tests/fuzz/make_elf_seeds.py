#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Gives fuzz_elf the images of the other targets that read ELF files, and one for 32-bit programs.

Usage: tests/fuzz/make_elf_seeds.py [DIR], default tests/data/fuzz.
"""

import struct

from seed_files import root


def main():
    for target, behind in (("fuzz_lcp_mle", True), ("fuzz_txt_image", False)):
        for path in sorted((root() / target).iterdir()):
            data = path.read_bytes()
            if not data or path.name.startswith("found-"):
                continue
            # In front of an MLE stands its command line, with its length; 255 is none.
            start = 1 + (data[0] if data[0] != 255 else 0) if behind else 0
            (root() / "fuzz_elf" / f"{target.removeprefix('fuzz_')}-{path.name}").write_bytes(data[start:])
    # End of the segment in the file: beyond it, but not in 32 bits.
    (root() / "fuzz_elf/wraps-in-32-bits").write_bytes(
        b"\x7fELF\1\1\1" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0x100010, 52, 0, 0, 52, 32, 1, 40, 0, 0)
        + struct.pack("<8I", 1, 0xFFFFFF00, 0x100000, 0x100000, 0x110, 0x110, 7, 1) + bytes(64))


if __name__ == "__main__":
    main()
