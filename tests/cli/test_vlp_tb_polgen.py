# SPDX-License-Identifier: BSD-3-Clause
"""Our policy codec against tboot's tb_polgen: the same policies must give the same bytes and the same reading of them."""

import hashlib
import os
import pathlib
import random
import re
import struct
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TOOL = os.environ.get("VLP_TOOL", str(TOP / "build" / "host" / "vlp_tool"))
TB_POLGEN = "/usr/sbin/tb_polgen"

ALGS = ["sha1", "sha256", "sha384", "sha512"]
TYPES = {
    "nonfatal": "TB_POLTYPE_CONT_NON_FATAL",
    "continue": "TB_POLTYPE_CONT_VERIFY_FAIL",
    "halt": "TB_POLTYPE_HALT",
}
ANY = 129
NV = 130
NV_RAW = 131
NO_PCR = 255
IMAGE_SIZES = [0, 1, 63, 64, 4096, 70000]
MAX_SIZE = 2124


class Policy:
    """A policy, and what each of the two tools must be told to make it."""

    def __init__(self, kind, alg, control):
        self.kind, self.alg, self.control = kind, alg, control
        self.entries = []  # [module, pcr, hash_type, nv_index, [digest]]
        self.steps = []  # arguments of tb_polgen --add

    def add(self, module, pcr, image=None, cmdline=""):
        """As tb_polgen does it: a further hash goes to the entry that the module has, whose PCR and type become the new ones."""
        step = ["--num", "any" if module == ANY else str(module), "--pcr", "none" if pcr == NO_PCR else str(pcr)]
        entry = next((e for e in self.entries if e[0] == module), None)
        if entry is None:
            entry = [module, pcr, 0, 0, []]
            self.entries.append(entry)
        entry[1] = pcr
        entry[2] = 0 if image is None else 1
        if image is None:
            step += ["--hash", "any"]
        else:
            entry[4].append(self.digest(cmdline, image))
            step += ["--hash", "image", "--cmdline", cmdline, "--image"]
        self.steps.append((step, image))

    def digest(self, cmdline, image):
        inner = hashlib.new(self.alg, cmdline.encode()).digest() + hashlib.new(self.alg, image).digest()
        return hashlib.new(self.alg, inner).digest()

    def by_tb_polgen(self, folder):
        target = folder / "theirs.vlp"
        run([TB_POLGEN, "--create", "--type", self.kind, "--alg", self.alg, "--ctrl", str(self.control), str(target)])
        for step, image in self.steps:
            if image is not None:
                (folder / "image").write_bytes(image)
                step = step + [str(folder / "image")]
            run([TB_POLGEN, "--add", *step, str(target)])
        return target

    def by_us(self):
        specs = [",".join([str(m), str(p), str(h), hex(nv), *(d.hex() for d in digests)])
                 for m, p, h, nv, digests in self.entries]
        return run([TOOL, "make", self.kind, self.alg, str(self.control), *specs])


def run(command):
    result = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stdout


def random_policy(number):
    """Policy `number`: algorithms, types and control values in turn, all else at random but the same each time."""
    dice = random.Random(number)
    policy = Policy(list(TYPES)[number % 3], ALGS[number % 4], number // 4 % 2)
    room = MAX_SIZE - 12
    digest_size = hashlib.new(policy.alg).digest_size
    modules = dice.sample(range(128), dice.randrange(1, 9))
    if number % 5 == 0:
        modules.append(ANY)
    for module in modules:
        pcr = dice.choice([NO_PCR, 0, 16, 17, 19, 20, 21, 22, 23])
        hashes = dice.randrange(4)
        room -= 8 + hashes * digest_size
        if room < 0:
            break
        if hashes == 0:
            policy.add(module, pcr)
        for _ in range(hashes):
            # not the magic of gzip: tb_polgen hashes what is inside of such a file
            image = b"I" + dice.randbytes(dice.choice(IMAGE_SIZES)) if dice.randrange(8) else b""
            cmdline = "".join(dice.choice("abc =,/.-0") for _ in range(dice.randrange(200)))
            policy.add(module, pcr, image, cmdline)
    return policy


NUMBERS = range(36)


def test_enough_variety():
    policies = [random_policy(n) for n in NUMBERS]
    assert {p.alg for p in policies} == set(ALGS)
    assert {p.kind for p in policies} == set(TYPES)
    assert {p.control for p in policies} == {0, 1}
    assert {e[2] for p in policies for e in p.entries} == {0, 1}
    assert {len(e[4]) for p in policies for e in p.entries} >= {0, 1, 2, 3}
    assert any(e[0] == ANY for p in policies for e in p.entries)
    assert len({repr(p.entries) for p in policies}) == len(NUMBERS)


@pytest.mark.parametrize("number", NUMBERS)
def test_same_bytes(number, tmp_path):
    policy = random_policy(number)
    theirs = policy.by_tb_polgen(tmp_path)
    assert policy.by_us() == theirs.read_bytes()
    assert run([TOOL, "recode", str(theirs)]) == theirs.read_bytes()
    assert read_theirs(run([TB_POLGEN, "--show", str(theirs)])) == read_ours(run([TOOL, "show", str(theirs)]))


def read_theirs(output):
    """What tb_polgen --show says, as a header and a list of entries."""
    header, entries = {}, []
    where = header
    for line in output.decode().splitlines():
        name, _, value = line.strip().partition(":")
        if name.startswith("policy entry["):
            where = {"hashes": []}
            entries.append(where)
        elif name.startswith("hashes["):
            where["hashes"].append(value.replace(" ", ""))
        elif value.strip():
            where[name] = value.strip()
    header["hash_alg"] = header["hash_alg"].removeprefix("TB_HALG_").lower()
    header["policy_control"] = int(header["policy_control"].split()[0], 16)
    for entry in entries:
        entry["hash_type"] = entry["hash_type"].removeprefix("TB_HTYPE_").lower()
    return header, entries


def read_ours(output):
    first, *rest = output.decode().splitlines()
    header = dict(part.split(" ", 1) for part in first.removeprefix("policy: ").split(", "))
    header["policy_control"] = int(header["policy_control"].split()[0], 16)
    entries = []
    for number, line in enumerate(rest):
        assert line.startswith(f"entry {number}: ")
        entry = dict(part.split(" ", 1) for part in line.split(": ", 1)[1].split(", "))
        entry["num_hashes"], *entry["hashes"] = entry["num_hashes"].split()
        if "nv_index" in entry:
            entry["nv_index"] = entry["nv_index"].removeprefix("0x")
        entries.append(entry)
    return header, entries


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize("module", [NV, NV_RAW])
def test_nv_entries_are_read_alike(alg, module, tmp_path):
    """tb_polgen cannot make NV entries, but it shows them."""
    policy = Policy("halt", alg, 1)
    policy.add(0, NO_PCR)
    policy.entries.append([module, 22, 1, 0x01C10110, [policy.digest("", b"tag")]])
    ours = tmp_path / "ours.vlp"
    ours.write_bytes(policy.by_us())
    theirs = read_theirs(run([TB_POLGEN, "--show", str(ours)]))
    assert theirs == read_ours(run([TOOL, "show", str(ours)]))
    assert theirs[1][1]["nv_index"] == "01c10110"


@pytest.mark.parametrize("entries, text", [
    # tb_polgen writes this without a word; tboot would never look at module 1's entry
    ([(ANY, 19, None), (1, 19, b"image")], "behind the one for any module"),
    # an entry made "any" later keeps its hashes, which then mean nothing
    ([(0, 17, b"image"), (0, 18, None)], "of type any has hashes"),
    # the other way round it is sound
    ([(0, 17, None), (0, 18, b"image")], None),
])
def test_what_tb_polgen_lets_pass(entries, text, tmp_path):
    policy = Policy("halt", "sha256", 1)
    for module, pcr, image in entries:
        policy.add(module, pcr, image)
    theirs = policy.by_tb_polgen(tmp_path)
    assert policy.by_us() == theirs.read_bytes()
    result = subprocess.run([TOOL, "show", str(theirs)], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == (3 if text else 0)
    if text:
        assert text in result.stderr
        assert re.search(r"tb_policy\.h", result.stderr)


def test_sm3_is_refused(tmp_path):
    """tboot 1.10.5 knows SM3 (0x12), we do not; the size of its hashes must not be guessed."""
    policy = tmp_path / "sm3.vlp"
    policy.write_bytes(struct.pack("<BBBIIB", 2, 0, 0x12, 1, 0, 1) + struct.pack("<BBBIB", 0, 255, 0, 0, 0))
    assert b"TB_HALG_SM3" in run([TB_POLGEN, "--show", str(policy)])
    result = subprocess.run([TOOL, "show", str(policy)], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 3
    assert "hash algorithm" in result.stderr
