# SPDX-License-Identifier: BSD-3-Clause
"""Policies of the Verified Launch Policy format, made by hand, and how to call `geolaunch vlp`."""

import hashlib
import os
import pathlib
import struct
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))

ALGS = {"sha1": 0x04, "sha256": 0x0B, "sha384": 0x0C, "sha512": 0x0D}
TYPES = ["nonfatal", "continue", "halt"]
ANY, NV, NV_RAW = 129, 130, 131
NO_PCR = 255
MAX_SIZE = 2124


def vlp(*args, code=0, cwd=None):
    """Runs `geolaunch vlp`; the result has stdout and stderr as text."""
    result = subprocess.run([GEOLAUNCH, "vlp", *map(str, args)], capture_output=True, text=True, timeout=60, check=False, cwd=cwd)
    assert result.returncode == code, (args, result)
    if code not in (0, 5) and "check" not in args:
        assert result.stderr.startswith("geolaunch vlp: ") and result.stderr.count("\n") == 1, result.stderr
    return result


def digest_size(alg):
    return hashlib.new(alg).digest_size


def hash_of(alg, data):
    return hashlib.new(alg, data).digest()


def module_hash(alg, cmdline, image):
    return hash_of(alg, hash_of(alg, cmdline.encode()) + hash_of(alg, image))


def header(count, kind=2, alg=0x0B, control=1, version=2, reserved=0):
    return struct.pack("<BBBIIB", version, kind, alg, control, reserved, count)


def entry(module, pcr, hash_type=None, nv_index=0, hashes=()):
    return struct.pack("<BBBIB", module, pcr, bool(hashes) if hash_type is None else hash_type, nv_index, len(hashes)) + b"".join(hashes)


def policy(*entries, **fields):
    return header(len(entries), **fields) + b"".join(entries)
