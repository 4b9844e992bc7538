# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of `geolaunch lcp` share: the programs, keys, and random policies that are the same each time."""

import hashlib
import os
import pathlib
import random
import subprocess

import oracles

TOP = pathlib.Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))
LCP_TOOL = os.environ.get("LCP_TOOL", str(TOP / "build/host/lcp_tool"))
ACM_TOOL = os.environ.get("ACM_TOOL", str(TOP / "build/host/acm_tool"))
TBOOT_GZ = oracles.tboot_gz()
ALGS = ["sha1", "sha256", "sha384", "sha512"]
# lcp2_crtpolelt refuses sha512 in elements with digests, though it offers it
DIGEST_ALGS = ["sha1", "sha256", "sha384"]
ELEMENT_TYPES = {"mle": 0x10, "pconf": 0x11, "sbios": 0x12, "custom": 0x13, "stm": 0x14}


def run(command, **how):
    """Output of a program that must succeed."""
    result = subprocess.run([str(c) for c in command], capture_output=True, timeout=120, check=False, **how)
    assert result.returncode == 0, (command, result.returncode, result.stdout, result.stderr)
    return result.stdout


def lcp(*arguments):
    return run([GEOLAUNCH, "lcp", *arguments])


def refused(*arguments, code=3):
    """The one line that says why."""
    command = [GEOLAUNCH, "lcp", *(str(a) for a in arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == code, (command, result.returncode, result.stdout, result.stderr)
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("geolaunch lcp")
    return result.stderr


def recode(kind, path):
    return run([LCP_TOOL, "recode", kind, path])


def make_keys(folder):
    """A key of each kind that policy lists take: NAME.pem and NAME.pub."""
    for name in ("rsa2048", "rsa3072", "p256", "p384"):
        make_key(folder / f"{name}.pem", name)
        while name[0] == "p" and has_short_coordinate(folder / f"{name}.pem", int(name[1:]) // 8):
            make_key(folder / f"{name}.pem", name)
        run(["openssl", "pkey", "-in", folder / f"{name}.pem", "-pubout", "-out", folder / f"{name}.pub"])
    return folder


def make_key(path, name):
    how = ["RSA", "-pkeyopt", f"rsa_keygen_bits:{name[3:]}"] if name[0] == "r" else ["EC", "-pkeyopt", f"ec_paramgen_curve:P-{name[1:]}"]
    run(["openssl", "genpkey", "-algorithm", *how, "-out", path])


def has_short_coordinate(path, size):
    """lcp2_crtpollist misplaces numbers that begin with a zero byte."""
    point = run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"])[-2 * size:]
    return 0 in (point[0], point[size])


def digest_of(dice, alg):
    return hashlib.new(alg, dice.randbytes(8)).hexdigest()


class Element:
    """An element, and what each of the two tools must be told to make it."""

    def __init__(self, dice, kind, alg):
        self.kind, self.alg = kind, alg
        self.control = dice.choice([0, 0, 1, 2, 3, 4, 7])
        self.min_version = dice.choice([0, 1, 17, 255]) if kind == "mle" else 0
        self.hashes = [digest_of(dice, alg) for _ in range(dice.randrange(1, 9))]
        # without PCR 7, which lcp2_crtpolelt leaves out of the digest
        self.pcrs = {n: digest_of(dice, alg) for n in dice.sample(range(7), dice.randrange(1, 8))}
        self.uuid = dice.choice([None, dice.randbytes(16).hex()])
        self.payload = dice.randbytes(dice.choice([1, 4, 100, 5000]))

    def hash_file(self, folder, name):
        path = folder / name
        # one line a digest, as lcp2_mlehash prints it
        path.write_text("".join(" ".join(h[i:i + 2] for i in range(0, len(h), 2)) + "\n" for h in self.hashes))
        return path

    def by_tboot(self, folder, name="theirs.elt"):
        target = folder / name
        command = [oracles.tool("lcp2_crtpolelt"), "--create", "--type", {"mle": "mle2", "pconf": "pconf2"}.get(self.kind, self.kind)]
        if self.kind != "custom":
            command += ["--alg", self.alg]
        command += ["--ctrl", hex(self.control), "--out", target]
        if self.kind == "mle":
            command += ["--minver", str(self.min_version)]
        if self.kind == "pconf":
            for n, value in self.pcrs.items():
                command += [f"--pcr{n}", value]
        elif self.kind == "custom":
            (folder / "payload").write_bytes(self.payload)
            command += ["--uuid", tboot_uuid(self.uuid) if self.uuid else "tboot", folder / "payload"]
        else:
            command += [self.hash_file(folder, "theirs.hashes")]
        run(command)
        return target

    def by_us(self, folder, name="ours.elt"):
        target = folder / name
        command = ["element", self.kind, "--force", "-o", target, "--control", hex(self.control)]
        if self.kind == "pconf":
            command += ["--alg", self.alg]
            for n, value in self.pcrs.items():
                command += ["--pcr", f"{n}:{value}"]
        elif self.kind == "custom":
            (folder / "payload").write_bytes(self.payload)
            command += ["--uuid", our_uuid(self.uuid) if self.uuid else "tboot", "--data", folder / "payload"]
        else:
            command += ["--alg", self.alg]
            hashes = self.hashes
            if self.kind == "mle":
                command += ["--min-version", str(self.min_version)]
            if self.kind == "sbios":
                command += ["--fallback", hashes[0]]
                hashes = hashes[1:]
            for value in hashes:
                command += ["--hash", value]
        lcp(*command)
        return target


def tboot_uuid(u):
    """As lcp2_crtpolelt takes it. Its fourth field is a number too."""
    tail = ", ".join("0x" + u[i:i + 2] for i in range(20, 32, 2))
    return f"{{0x{u[0:8]}, 0x{u[8:12]}, 0x{u[12:16]}, 0x{u[16:20]}, {{{tail}}}}}"


def our_uuid(u):
    return f"{u[0:8]}-{u[8:12]}-{u[12:16]}-{u[16:20]}-{u[20:32]}"


def algs_of(kind):
    return ALGS if kind == "pconf" else DIGEST_ALGS


def random_elements(number):
    """One to five elements for a list: no two of the same type and algorithm, which a list may not have."""
    dice = random.Random(f"list {number}")
    combinations = [(kind, alg) for kind in ELEMENT_TYPES for alg in (algs_of(kind) if kind != "custom" else ["sha256"])]
    return [Element(dice, kind, alg) for kind, alg in dice.sample(combinations, dice.randrange(1, 6))]


def make_list(folder, version, elements, name="ours.lst"):
    """A list by us; its elements are by us too."""
    files = [e.by_us(folder, f"{name}.{i}.elt") for i, e in enumerate(elements)]
    lcp("list", "create", "--force", "--version", version, "-o", folder / name, *files)
    return folder / name
