# SPDX-License-Identifier: BSD-3-Clause
"""The stage's hash code, run as the 32-bit code that it is, beside hashlib."""
import hashlib
import pathlib
import random
import subprocess

TOOL = pathlib.Path(__file__).resolve().parents[2] / "build/stage/hash_tool"


def digests(data, piece):
    p = subprocess.run([TOOL, str(piece)], input=data, capture_output=True, timeout=30, check=True)
    return dict(line.split() for line in p.stdout.decode().splitlines())


def check(data, piece):
    got = digests(data, piece)
    assert got == {name: hashlib.new(name, data).hexdigest() for name in ("sha1", "sha256", "sha384", "sha512")}, (len(data), piece)


def test_every_length_around_the_blocks():
    data = random.Random(3).randbytes(600)
    for n in [*range(0, 10), *range(50, 70), *range(105, 135), 255, 256, 257, 600]:
        check(data[:n], 1000)


def test_pieces():
    data = random.Random(5).randbytes(100003)
    for piece in (1, 63, 64, 65, 128, 4096, 100003):
        check(data, piece)


def test_it_is_32_bit():
    assert TOOL.read_bytes()[:5] == b"\x7fELF\x01"
