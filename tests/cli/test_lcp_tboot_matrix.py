# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch lcp` against tboot's lcp2_mlehash, lcp2_crtpolelt, lcp2_crtpollist and lcp2_crtpol over a matrix of inputs that is the same
each time: the same bytes, and where not, why."""

import hashlib
import json
import random
import re
import subprocess

import pytest
from lcp_model import ALGS, ELEMENT_TYPES, TBOOT_GZ, Element, algs_of, lcp, make_keys, make_list, random_elements, recode, refused, run
from oracles import tool

MLE_CASES = range(40)
ELEMENT_CASES = range(120)
LIST_CASES = range(50)
SIGN_CASES = range(48)
POLICY_CASES = range(60)
DATA_CASES = range(40)


def test_size_of_matrix():
    assert sum(len(c) for c in (MLE_CASES, ELEMENT_CASES, LIST_CASES, SIGN_CASES, POLICY_CASES, DATA_CASES)) >= 250


def show(path):
    return json.loads(lcp("show", "--json", path))


# ---- MLE hashes


@pytest.mark.parametrize("number", MLE_CASES)
def test_mle_hash(number):
    dice = random.Random(f"mle {number}")
    alg = ALGS[number % 4]
    cmdline = "".join(dice.choice("abcdefgh =,./-0123") for _ in range(dice.choice([0, 1, 30, 200, 510])))
    theirs = run([tool("lcp2_mlehash"), "--create", "--alg", alg, "--cmdline", cmdline, TBOOT_GZ]).decode().replace(" ", "").strip()
    ours = lcp("mle-hash", "--alg", alg, "--cmdline", cmdline, TBOOT_GZ).decode()
    assert ours == theirs + "\n"


def test_mle_hash_differs_for_a_command_line_that_does_not_fit():
    """On purpose: theirs prints a digest that no launch will have."""
    cmdline = "x" * 511
    run([tool("lcp2_mlehash"), "--create", "--alg", "sha256", "--cmdline", cmdline, TBOOT_GZ])
    assert "command line" in refused("mle-hash", "--cmdline", cmdline, TBOOT_GZ)


# ---- elements


def random_element(number):
    dice = random.Random(f"element {number}")
    kind = list(ELEMENT_TYPES)[number % 5]
    return Element(dice, kind, algs_of(kind)[number // 5 % len(algs_of(kind))])


@pytest.mark.parametrize("number", ELEMENT_CASES)
def test_element(number, tmp_path):
    element = random_element(number)
    theirs, ours = element.by_tboot(tmp_path), element.by_us(tmp_path)
    assert ours.read_bytes() == theirs.read_bytes()
    assert recode("element", theirs) == theirs.read_bytes()
    shown = show(theirs)
    assert shown["kind"] == "element" and shown["valid"]
    assert shown["element"]["type"] == ELEMENT_TYPES[element.kind]
    assert shown["element"]["control"]["value"] == element.control
    said = run([tool("lcp2_crtpolelt"), "--show", ours]).decode()
    assert f"({ELEMENT_TYPES[element.kind]})" in said
    if element.kind in ("mle", "stm", "sbios"):
        shown_hashes = shown["element"]["hashes"]
        if element.kind == "sbios":
            shown_hashes = [shown["element"]["fallback_hash"], *shown_hashes]
        assert shown_hashes == element.hashes
        assert re.sub(r"\s", "", said).count(element.hashes[-1]) == 1


def test_elements_of_every_kind():
    elements = [random_element(n) for n in ELEMENT_CASES]
    assert {(e.kind, e.alg) for e in elements} == {(k, a) for k in ELEMENT_TYPES for a in algs_of(k)}
    assert {e.control for e in elements} == {0, 1, 2, 3, 4, 7}


@pytest.mark.parametrize("kind", ["mle", "sbios", "stm"])
def test_sha512_elements_differ(kind, tmp_path):
    """On purpose: the format has room for sha512, theirs offers it and then refuses it."""
    element = Element(random.Random(kind), kind, "sha512")
    command = [tool("lcp2_crtpolelt"), "--create", "--type", "mle2" if kind == "mle" else kind, "--alg", "sha512", "--out", tmp_path / "x",
               element.hash_file(tmp_path, "hashes")]
    result = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert result.returncode != 0 and b"unsupported alg" in result.stderr
    assert show(element.by_us(tmp_path))["valid"]


@pytest.mark.parametrize("alg", ALGS)
def test_pcr_7_differs(alg, tmp_path):
    """On purpose: theirs hashes what lies in memory in the place of PCR 7's value."""
    element = Element(random.Random(alg), "pconf", alg)
    element.pcrs = dict(sorted({**element.pcrs, 7: "77" * (len(element.hashes[0]) // 2)}.items()))
    theirs, ours = element.by_tboot(tmp_path).read_bytes(), element.by_us(tmp_path).read_bytes()
    size = hashlib.new(alg).digest_size
    assert ours != theirs and ours[:-size] == theirs[:-size]
    assert ours[-size:] == hashlib.new(alg, b"".join(bytes.fromhex(v) for v in element.pcrs.values())).digest()


# ---- lists


LIST_VERSIONS = {"2.0": "0x200", "2.1": "0x201", "3.0": "0x300"}


def list_by_tboot(folder, version, elements, name="theirs.lst"):
    """Theirs puts every element in front of those before, so it is given them the other way round."""
    files = [e.by_tboot(folder, f"{name}.{i}.elt") for i, e in enumerate(elements)]
    run([tool("lcp2_crtpollist"), "--create", "--out", folder / name, "--listver", LIST_VERSIONS[version], *reversed(files)])
    return folder / name


@pytest.mark.parametrize("number", LIST_CASES)
def test_list(number, tmp_path):
    version = list(LIST_VERSIONS)[number % 3]
    elements = random_elements(number)
    theirs, ours = list_by_tboot(tmp_path, version, elements), make_list(tmp_path, version, elements)
    assert ours.read_bytes() == theirs.read_bytes()
    assert recode("list", theirs) == theirs.read_bytes()
    shown = show(theirs)
    assert shown["kind"] == "list" and shown["valid"]
    assert shown["list"]["version"] == version and shown["list"]["signature"] is None
    assert [e["type"] for e in shown["list"]["elements"]] == [ELEMENT_TYPES[e.kind] for e in elements]
    assert run([tool("lcp2_crtpollist"), "--show", ours]).decode().count("policy_element[") == len(elements)


def test_order_of_elements_differs(tmp_path):
    """On purpose: a list of ours has its elements in the order in which they were given."""
    elements = [Element(random.Random(kind), kind, "sha256") for kind in ("mle", "stm")]
    files = [e.by_tboot(tmp_path, e.kind) for e in elements]
    run([tool("lcp2_crtpollist"), "--create", "--out", tmp_path / "theirs", "--listver", "0x201", *files])
    assert [e["type_name"] for e in show(tmp_path / "theirs")["list"]["elements"]] == ["stm2", "mle2"]
    assert [e["type_name"] for e in show(make_list(tmp_path, "2.1", elements))["list"]["elements"]] == ["mle2", "stm2"]


@pytest.mark.parametrize("number", range(10))
def test_list_grows(number, tmp_path):
    """`list add` makes what `list create` makes at once."""
    elements = random_elements(number)
    whole = make_list(tmp_path, "2.1", elements)
    files = [e.by_us(tmp_path, f"{i}.elt") for i, e in enumerate(elements)]
    grown = tmp_path / "grown.lst"
    lcp("list", "create", "-o", grown, files[0])
    for file in files[1:]:
        lcp("list", "add", grown, file)
    assert grown.read_bytes() == whole.read_bytes()


# ---- signed lists


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    return make_keys(tmp_path_factory.mktemp("keys"))


# list version, their --sigalg, our --scheme, key, hash
SCHEMES = [(version, "rsa", "rsassa", key, alg)
           for version in ("2.0", "2.1") for key, alg in (("rsa2048", "sha1"), ("rsa2048", "sha256"), ("rsa3072", "sha256"), ("rsa3072", "sha384"))]
SCHEMES += [(version, "ecdsa", "ecdsa", key, alg)
            for version in ("2.0", "2.1", "3.0") for key, alg in (("p256", "sha256"), ("p384", "sha384"))]
SCHEMES += [("3.0", "rsapss", "rsapss", "rsa2048", "sha256"), ("3.0", "rsapss", "rsapss", "rsa3072", "sha256"),
            ("3.0", "rsapss", "rsapss", "rsa3072", "sha384")]
SIGNATURE_SIZE = {"rsa2048": 256, "rsa3072": 384, "p256": 64, "p384": 96}


def openssl_verifies(path, key, scheme, alg, pub, folder):
    """Straight from the bytes of the list, without our code."""
    raw = path.read_bytes()
    block = raw[-SIGNATURE_SIZE[key]:]
    if raw[1] == 3:
        signed = raw[:int.from_bytes(raw[2:4], "little")]
    else:
        signed = raw[:-len(block)]
    options = []
    if scheme == "ecdsa":
        half = len(block) // 2
        signature = der(0x30, der(2, block[:half][::-1]) + der(2, block[half:][::-1]))
    else:
        signature = block[::-1]
    if scheme == "rsapss":
        options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
    (folder / "signed").write_bytes(signed)
    (folder / "signature").write_bytes(signature)
    command = ["openssl", "dgst", f"-{alg}", "-verify", pub, *options, "-signature", folder / "signature", folder / "signed"]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).stdout == b"Verified OK\n"


def der(tag, content):
    if tag == 2:
        content = content.lstrip(b"\0")
        if not content or content[0] & 0x80:
            content = b"\0" + content
    return bytes([tag, len(content)]) + content


def signed_by_tboot(unsigned, sigalg, key, alg, revocation, keys, target):
    """False if their tool fails."""
    for _ in range(20):
        target.write_bytes(unsigned.read_bytes())
        command = [tool("lcp2_crtpollist"), "--sign", "--sigalg", sigalg, "--hashalg", alg, "--pub", keys / f"{key}.pub", "--priv",
                   keys / f"{key}.pem", "--rev", str(revocation), "--out", target]
        if subprocess.run(command, capture_output=True, timeout=60, check=False).returncode != 0:
            return False
        # Theirs writes an r or s that begins with a zero byte one byte too high: one ECDSA signature of 128 is wrong.
        if sigalg != "ecdsa" or openssl_verifies(target, key, "ecdsa", alg, keys / f"{key}.pub", target.parent):
            return True
    return False


@pytest.mark.parametrize("number", SIGN_CASES)
def test_signed_list(number, keys, tmp_path):
    version, sigalg, scheme, key, alg = SCHEMES[number % len(SCHEMES)]
    dice = random.Random(f"sign {number}")
    revocation = dice.choice([0, 1, 300, 65535])
    unsigned = make_list(tmp_path, version, random_elements(number), "list.lst")
    theirs, ours = tmp_path / "theirs.lst", tmp_path / "ours.lst"
    # With RSAPSS theirs takes unset memory for a context of OpenSSL's: for some lists it fails, or crashes. Only there.
    signed_by_both = signed_by_tboot(unsigned, sigalg, key, alg, revocation, keys, theirs)
    assert signed_by_both or scheme == "rsapss"
    lcp("sign", unsigned, "-o", ours, "--key", keys / f"{key}.pem", "--scheme", scheme, "--hash", alg, "--revocation", revocation)

    # all but the signature is equal; RSASSA has no random part, so its signature is too
    size = SIGNATURE_SIZE[key]
    if signed_by_both:
        assert recode("list", theirs) == theirs.read_bytes()
        assert ours.read_bytes()[:-size] == theirs.read_bytes()[:-size]
        assert (ours.read_bytes()[-size:] == theirs.read_bytes()[-size:]) == (scheme == "rsassa")

    # theirs by us, ours by openssl, ours by theirs
    for path in (theirs, ours) if signed_by_both else (ours,):
        verdict = json.loads(lcp("verify", "--json", "--public-key", keys / f"{key}.pub", path))
        assert verdict == [{"list": 0, "signed": True, "valid": True, "scheme": scheme, "hash_alg": alg, "error": None}]
        assert openssl_verifies(path, key, scheme, alg, keys / f"{key}.pub", tmp_path)
    if scheme == "rsapss":
        assert b"Verification successful" in run([tool("lcp2_crtpollist"), "--verify", ours])
    if scheme == "rsassa":
        assert b"signature verified" in run([tool("lcp2_crtpollist"), "--show", ours])


@pytest.mark.parametrize("version", LIST_VERSIONS)
def test_ecdsa_differs(version, keys, tmp_path):
    """Not on purpose of ours: lcp2_crtpollist aborts when it verifies an ECDSA signature, its own too. Once it does not, this test fails."""
    unsigned = make_list(tmp_path, version, random_elements(1), "list.lst")
    theirs = tmp_path / "theirs.lst"
    assert signed_by_tboot(unsigned, "ecdsa", "p256", "sha256", 0, keys, theirs)
    command = [tool("lcp2_crtpol"), "--create", "--type", "list", "--alg", "sha256", "--sign", "ecdsa-p256", "--pol", tmp_path / "p", "--data",
               tmp_path / "d", theirs]
    result = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert result.returncode != 0 and b"point is not on curve" in result.stderr
    lcp("verify", theirs)


def test_rsassa_in_3_0_differs(keys, tmp_path):
    """On purpose: the format has RSASSA in lists of version 3.0, their tool refuses it."""
    unsigned = make_list(tmp_path, "3.0", random_elements(2), "list.lst")
    command = [tool("lcp2_crtpollist"), "--sign", "--sigalg", "rsa", "--hashalg", "sha256", "--pub", keys / "rsa2048.pub", "--priv",
               keys / "rsa2048.pem", "--out", unsigned]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode != 0
    lcp("sign", unsigned, "--key", keys / "rsa2048.pem", "--scheme", "rsassa")
    lcp("verify", unsigned)
    assert openssl_verifies(unsigned, "rsa2048", "rsassa", "sha256", keys / "rsa2048.pub", tmp_path)


@pytest.mark.parametrize("key, alg", [("rsa3072", "sha1"), ("p256", "sha384"), ("p384", "sha256")])
def test_hash_that_no_mask_approves_differs(key, alg, keys, tmp_path):
    """On purpose: no bit of LcpSignAlgMask stands for these, so no SINIT would count the list."""
    unsigned = make_list(tmp_path, "2.1", random_elements(3), "list.lst")
    before = unsigned.read_bytes()
    assert "LcpSignAlgMask" in refused("sign", unsigned, "--key", keys / f"{key}.pem", "--hash", alg)
    assert unsigned.read_bytes() == before


# ---- policies


SIGN_NAMES = ["rsa-2048-sha1", "rsa-2048-sha256", "rsa-3072-sha256", "rsa-3072-sha384", "ecdsa-p256", "ecdsa-p384"]


class Policy:
    """A policy's fields, and what each of the two tools must be told to make it."""

    def __init__(self, number, kind):
        dice = random.Random(f"policy {kind} {number}")
        self.kind = kind
        self.version = ["3.0", "3.1", "3.2"][number % 3]
        self.alg = ALGS[number // 3 % 4]
        self.min_version = dice.choice([0, 1, 100, 255])
        self.max = dice.choice([None, 0, 1, 255])
        self.revocation = [dice.choice([0, 1, 500, 65535]) for _ in range(dice.randrange(1, 9))]
        self.control = dice.choice([0, 2, 4, 8, 0xe, 0x80000000, 0x8000000e])
        self.signs = dice.sample(SIGN_NAMES, dice.randrange(1, 6))
        self.masks = dice.sample(ALGS, dice.randrange(0, 4))
        self.aux = dice.choice([None, *ALGS]) if self.version != "3.2" else None

    def by_tboot(self, folder, lists=()):
        target = folder / "theirs.pol"
        command = [tool("lcp2_crtpol"), "--create", "--type", self.kind, "--alg", self.alg, "--polver", self.version, "--pol", target,
                   "--minver", self.min_version, "--rev", ",".join(map(str, self.revocation)), "--ctrl", hex(self.control)]
        if self.max is not None:
            command += ["--max_sinit_min", self.max]
        for name in self.signs:
            command += ["--sign", name]
        for name in self.masks:
            command += ["--mask", name]
        if self.aux:
            command += ["--auxalg", self.aux]
        if self.kind == "list":
            command += ["--data", folder / "theirs.dat", *lists]
        run(command)
        return target

    def by_us(self, folder, lists=()):
        target = folder / "ours.pol"
        command = ["policy", "create", "-o", target, "--type", self.kind, "--alg", self.alg, "--version", self.version,
                   "--min-version", self.min_version, "--revocation", ",".join(map(str, self.revocation)), "--control", hex(self.control),
                   "--sign-mask", ",".join(self.signs)]
        if self.max is not None:
            command += ["--max-sinit-min", self.max]
        if self.masks:
            command += ["--hash-mask", ",".join(self.masks)]
        if self.aux:
            command += ["--aux-mask", self.aux]
        if self.kind == "list":
            lcp("data", "create", "-o", folder / "ours.dat", *lists)
            command += ["--data", folder / "ours.dat"]
        lcp(*command)
        return target

    def check(self, path):
        shown = show(path)
        assert shown["kind"] == "policy" and shown["valid"], shown
        policy = shown["policy"]
        assert policy["type"] == self.kind and policy["version"] == self.version and policy["hash_alg"] == self.alg
        assert policy["sinit_min_version"] == self.min_version
        assert policy["revocation_counters"] == (self.revocation + [0] * 8)[:8]
        assert policy["control"]["value"] == self.control
        assert set(policy["sign_alg_mask"]["names"]) == set(self.signs)
        assert set(policy["hash_alg_mask"]["names"]) == set(self.masks or [self.alg])


@pytest.mark.parametrize("number", POLICY_CASES)
def test_policy_any(number, tmp_path):
    policy = Policy(number, "any")
    theirs, ours = policy.by_tboot(tmp_path), policy.by_us(tmp_path)
    assert ours.read_bytes() == theirs.read_bytes()
    assert recode("policy", theirs) == theirs.read_bytes()
    policy.check(theirs)
    said = run([tool("lcp2_crtpol"), "--show", ours]).decode()
    assert f"policy_control: {hex(policy.control)}\n" in said
    assert f"sinit_min_version: {hex(policy.min_version)}\n" in said


@pytest.mark.parametrize("number", DATA_CASES)
def test_policy_list(number, keys, tmp_path):
    """Policy and policy data together. All lists of one version: theirs does not take others. No ECDSA: theirs aborts then."""
    dice = random.Random(f"data {number}")
    policy = Policy(number, "list")
    version = dice.choice(["2.0", "2.1", "3.0"])
    lists = []
    # not eight: lcp2_crtpol makes such policy data, but does not show it
    for i in range(dice.choice([1, 2, 3, 7])):
        lists.append(make_list(tmp_path, version, random_elements(100 * number + i), f"{i}.lst"))
        if dice.randrange(2):
            lcp("sign", lists[-1], "--key", keys / dice.choice(["rsa2048.pem", "rsa3072.pem"]), "--revocation", dice.randrange(5))
    theirs, ours = policy.by_tboot(tmp_path, lists), policy.by_us(tmp_path, lists)
    assert (tmp_path / "ours.dat").read_bytes() == (tmp_path / "theirs.dat").read_bytes()
    assert ours.read_bytes() == theirs.read_bytes()
    assert recode("data", tmp_path / "theirs.dat") == (tmp_path / "theirs.dat").read_bytes()
    policy.check(theirs)
    shown = show(tmp_path / "theirs.dat")
    assert shown["kind"] == "data" and shown["data"]["num_lists"] == len(lists)
    assert shown["data"]["digests"][policy.alg] == show(ours)["policy"]["hash"]
    assert b"policy data hash matches policy hash" in run([tool("lcp2_crtpol"), "--show", ours, tmp_path / "ours.dat"])


def test_eight_lists_differ(tmp_path):
    """On purpose: the format has room for eight lists; lcp2_crtpol makes policy data of eight, and then does not read it."""
    lists = [make_list(tmp_path, "2.1", random_elements(i), f"{i}.lst") for i in range(8)]
    policy = Policy(0, "list")
    policy.by_tboot(tmp_path, lists)
    policy.by_us(tmp_path, lists)
    assert (tmp_path / "ours.dat").read_bytes() == (tmp_path / "theirs.dat").read_bytes()
    result = subprocess.run([tool("lcp2_crtpol"), "--show", tmp_path / "theirs.pol", tmp_path / "theirs.dat"], capture_output=True, timeout=60,
                            check=False)
    assert b"too many lists: 8" in result.stderr
    assert show(tmp_path / "ours.dat")["data"]["num_lists"] == 8
