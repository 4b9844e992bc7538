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


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def lcp(*arguments):
            subprocess.run([sys.argv[1], "lcp", *map(str, arguments)], check=True, cwd=folder)

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
            subprocess.run(["openssl", "genpkey", "-algorithm", *how, "-out", folder / key], check=True, capture_output=True)
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


if __name__ == "__main__":
    main()
