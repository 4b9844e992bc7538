#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Gives fuzz_elf the images of the other targets that read ELF files: tests/fuzz/make_elf_seeds.py [DIR], default tests/data/fuzz."""

import pathlib
import sys

DEFAULT = pathlib.Path(__file__).resolve().parents[1] / "data/fuzz"


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    for target, behind in (("fuzz_lcp_mle", True), ("fuzz_txt_image", False)):
        for path in sorted((root / target).iterdir()):
            data = path.read_bytes()
            if not data or path.name.startswith("found-"):
                continue
            # In front of an MLE stands its command line, with its length; 255 is none.
            start = 1 + (data[0] if data[0] != 255 else 0) if behind else 0
            (root / "fuzz_elf" / f"{target.removeprefix('fuzz_')}-{path.name}").write_bytes(data[start:])


if __name__ == "__main__":
    main()
