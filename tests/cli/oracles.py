# SPDX-License-Identifier: BSD-3-Clause
"""Where tboot's own files lie, with which tests compare ours. Tests use these functions and name no path themselves.

scripts/deps unpacks Debian's package tboot into .deps/tboot and does not install it, since its installation rewrites the boot menu.
TBOOT_DIR names another tree like it: boot/tboot.gz, usr/sbin/tb_polgen, lcp2_crtpol, lcp2_crtpolelt, lcp2_crtpollist, lcp2_mlehash,
txt-acminfo, txt-parse_err, txt-stat.
"""

import os
import pathlib

TOP = pathlib.Path(__file__).resolve().parents[2]
TBOOT_DIR = pathlib.Path(os.environ.get("TBOOT_DIR") or TOP / ".deps/tboot")


def _found(*names):
    for name in names:
        if (TBOOT_DIR / name).is_file():
            return str(TBOOT_DIR / name)
    raise FileNotFoundError(f"none of {', '.join(names)} in {TBOOT_DIR}: run 'make deps', or name tboot's tree with TBOOT_DIR")


def tool(name):
    """Path of one of tboot's tools."""
    return _found(f"usr/sbin/{name}", f"usr/bin/{name}")


def tboot_gz():
    """Path of tboot itself, compressed as it is shipped."""
    return _found("boot/tboot.gz")
