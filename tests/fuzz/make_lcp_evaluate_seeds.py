#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_lcp_evaluate: policies with data made by `geolaunch lcp`, whose path is the first argument."""

import hashlib
import pathlib
import struct
import subprocess
import sys
import tempfile

OUT = pathlib.Path(__file__).resolve().parents[1] / "data/fuzz/fuzz_lcp_evaluate"


def forged(signed, exponent=1, alg=0x000B, versions=b"\x10\x10\x10"):
    """Of policy data with one RSA list of version 3.0: the same, signed by nobody. With exponent 1 a signature is what was to be signed."""
    start = 36
    offset, = struct.unpack_from("<H", signed, start + 2)
    at = start + offset
    bits, = struct.unpack_from("<H", signed, at + 4)
    name, oid = {0x0004: ("sha1", "3021300906052b0e03021a05000414"), 0x000B: ("sha256", "3031300d060960864801650304020105000420")}[alg]
    told = bytes.fromhex(oid) + hashlib.new(name, signed[start:at]).digest()
    block = b"\0\1" + b"\xff" * (bits // 8 - 3 - len(told)) + b"\0" + told
    key = signed[at + 10:at + 10 + bits // 8]
    return (signed[:at] + struct.pack("<BHBHI", versions[0], 1, versions[1], bits, exponent) + key +
            struct.pack("<HBHH", 0x14, versions[2], bits, alg) + block[::-1])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def lcp(*arguments):
            again = ["--force"] if "-o" in arguments else []      # the next version takes the names of the one before
            subprocess.run([sys.argv[1], "lcp", *map(str, arguments), *again], check=True, cwd=folder, timeout=60)

        def seed(name, flags, parts):
            sizes = [len(p) for p in parts[:3]]
            (OUT / name).write_bytes(struct.pack("<BHHH", flags, *sizes) + b"".join(parts))

        for what in ("mle", "stm", "bios"):
            kind = "sbios" if what == "bios" else what
            digest = hashlib.sha256(what.encode()).hexdigest()
            lcp("element", kind, "-o", kind, "--fallback" if kind == "sbios" else "--hash", digest)
        lcp("element", "pconf", "-o", "pconf", "--pcr", "0:" + "00" * 32, "--pcr", "7:" + "00" * 32)
        lcp("element", "mle", "-o", "override", "--alg", "sha384", "--control", "1", "--hash", "00" * 48)
        for key, how in (("rsa", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]), ("ec", ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"])):
            subprocess.run(["openssl", "genpkey", "-algorithm", *how, "-out", folder / key], check=True, capture_output=True, timeout=60)
        for version in ("2.1", "3.0"):
            lcp("list", "create", "--version", version, "-o", "all", "mle", "stm", "sbios", "pconf")
            lcp("list", "create", "--version", version, "-o", "rsa.lst", "mle")
            lcp("list", "create", "--version", version, "-o", "ec.lst", "override")
            lcp("sign", "rsa.lst", "--key", "rsa", "--revocation", 1)
            lcp("sign", "ec.lst", "--key", "ec")
            for data, lists in (("plain", ["all"]), ("signed", ["rsa.lst", "ec.lst", "all"])):
                lcp("data", "create", "-o", "data", *lists)
                lcp("policy", "create", "-o", "list", "--type", "list", "--data", "data", "--revocation", "1,1", "--owner-enforced")
                lcp("policy", "create", "-o", "any", "--type", "any", "--version", "3.0")
                policy, any_policy, raw = ((folder / n).read_bytes() for n in ("list", "any", "data"))
                seed(f"po-{data}-{version}", 2 | 8 | 16, [policy, b"", raw, b""])
                seed(f"ps-{data}-{version}", 2 | 4, [b"", policy, b"", raw])
                seed(f"both-{data}-{version}", 0, [policy, policy, raw, raw])
                seed(f"any-{data}-{version}", 1, [any_policy, policy, b"", raw])
            if version == "3.0":
                lcp("list", "create", "--version", version, "-o", "one", "mle")
                lcp("sign", "one", "--key", "rsa", "--scheme", "rsassa")
                lcp("data", "create", "-o", "data", "one")
                lcp("policy", "create", "-o", "list", "--type", "list", "--data", "data")
                policy, raw = ((folder / n).read_bytes() for n in ("list", "data"))
                versions = bytearray(raw)
                versions[36 + struct.unpack_from("<H", raw, 38)[0]] = 0x11
                for what, content in (("signed", raw), ("forged", forged(raw)), ("forged-sha1", forged(raw, alg=4)),
                                      ("forged-usual", forged(raw, 65537)), ("other-version", bytes(versions))):
                    seed(f"alone-{what}", 2 | 8, [policy, b"", content, b""])


if __name__ == "__main__":
    main()
