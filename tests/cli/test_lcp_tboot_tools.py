# SPDX-License-Identifier: BSD-3-Clause
"""Our launch control policy codecs against tboot's lcp2_* tools and openssl: same bytes, same hashes, same reading."""

import gzip
import hashlib
import itertools
import os
import pathlib
import random
import re
import subprocess

import pytest
from oracles import tboot_gz, tool

TOP = pathlib.Path(__file__).resolve().parents[2]
TOOL = os.environ.get("LCP_TOOL", str(TOP / "build" / "host" / "lcp_tool"))
TBOOT = tboot_gz()

ALGS = ["sha1", "sha256", "sha384", "sha512"]
HASH_MASKS = {"sha1": 0x1, "sha256": 0x8, "sm3": 0x20, "sha384": 0x40, "sha512": 0x80}
SIGN_MASKS = {"rsa-2048-sha1": 0x4, "rsa-2048-sha256": 0x8, "rsa-3072-sha256": 0x40, "rsa-3072-sha384": 0x80,
              "ecdsa-p256": 0x1000, "ecdsa-p384": 0x2000, "sm2": 0x10000}
TBOOT_UUID = "c3930641-e3cb-4f40-91d7-27f8b9e25c86"
OLD_LISTS = {"1.0": "0x100", "2.0": "0x200", "2.1": "0x201"}
LISTS = {**OLD_LISTS, "3.0": "0x300"}


def run(*command, ok=True):
    result = subprocess.run([str(c) for c in command], capture_output=True, timeout=120, check=False)
    assert not ok or result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stdout if ok else result


def ours(*arguments):
    return run(TOOL, *arguments)


def assert_recodes(kind, file):
    assert ours("recode", kind, file) == file.read_bytes()
    assert b"unknown" not in ours("show", kind, file)


def digest(alg, dice):
    return hashlib.new(alg, dice.randbytes(8)).hexdigest()


def hash_file(folder, values):
    """Hashes as lcp2_crtpolelt reads them: bytes apart."""
    path = folder / f"hashes-{len(list(folder.iterdir()))}"
    path.write_text("".join(" ".join(re.findall("..", v)) + "\n" for v in values))
    return path


# ---------------------------------------------------------------- policies

def policy_cases():
    dice = random.Random(1)
    for version, alg in itertools.product(["3.0", "3.1", "3.2"], [*ALGS, "sm3"]):
        for _ in range(2):
            yield version, alg, dice.randrange(1 << 32)
    for version in ["2.0", "2.1", "2.2", "2.3", "2.4"]:
        yield version, "sha1", dice.randrange(1 << 32)


@pytest.mark.parametrize("version, alg, seed", policy_cases())
def test_policy(version, alg, seed, tmp_path):
    dice = random.Random(seed)
    theirs = tmp_path / "theirs"
    minimum, maximum, control = dice.randrange(256), dice.randrange(256), dice.choice([0, 2, 4, 8, 14])
    counters = ",".join(str(dice.randrange(65536)) for _ in range(8))
    command = ["--alg", alg, "--type", "any", "--polver", version, "--minver", minimum, "--max_sinit_min", maximum,
               "--ctrl", control, "--rev", counters]
    masks = [0, 0, 0]
    if version >= "3.0":
        hashes = dice.sample(list(HASH_MASKS), dice.randrange(1, 5))
        signs = dice.sample(list(SIGN_MASKS), dice.randrange(1, 7))
        masks = [sum(HASH_MASKS[h] for h in hashes), sum(SIGN_MASKS[s] for s in signs), 0]
        command += [x for h in hashes for x in ("--mask", h)] + [x for s in signs for x in ("--sign", s)]
    if version in ("3.0", "3.1"):
        aux = dice.choice(list(HASH_MASKS))
        masks[2] = HASH_MASKS[aux]
        command += ["--auxalg", aux]
    run(tool("lcp2_crtpol"), "--create", *command, "--pol", theirs)
    assert ours("policy", version, alg.replace("sm3", "sm3_256"), "any", minimum, maximum, control, counters,
                *masks) == theirs.read_bytes()
    assert_recodes("policy", theirs)
    shown = run(tool("lcp2_crtpol"), "--show", theirs).decode()
    text = ours("show", "policy", theirs).decode()
    assert int(re.search(r"policy_control: (\S+)", shown)[1], 16) == int(re.search(r"policy_control: (\S+)", text)[1], 16)
    if version >= "3.0":
        for name in ["lcp_hash_alg_mask", "lcp_sign_alg_mask"]:
            assert int(re.search(rf"{name}: (\S+)", shown)[1], 16) == int(re.search(rf"{name}: (\S+)", text)[1], 16)


# ---------------------------------------------------------------- elements

ELEMENT_ALGS = ["sha1", "sha256", "sha384"]


@pytest.mark.parametrize("kind, alg, count", [
    *itertools.product(["mle2", "stm2"], ELEMENT_ALGS, [1, 2, 32]), *itertools.product(["sbios2"], ELEMENT_ALGS, [1, 2, 33]),
    ("mle", "sha1", 1), ("mle", "sha1", 5)])
def test_element(kind, alg, count, tmp_path):
    dice = random.Random(f"{kind} {alg} {count}")
    theirs = tmp_path / "theirs"
    values = [digest(alg, dice) for _ in range(count)]
    minimum, control = dice.randrange(256), dice.choice([0, 1])
    name = {"mle": "mle", "mle2": "mle2", "stm2": "stm", "sbios2": "sbios"}[kind]
    options = ["--minver", minimum] if kind in ("mle", "mle2") else []
    if kind != "mle":
        options += ["--alg", alg]
    split = dice.randrange(1, count + 1)
    files = [hash_file(tmp_path, values[:split])] + ([hash_file(tmp_path, values[split:])] if split < count else [])
    run(tool("lcp2_crtpolelt"), "--create", "--type", name, "--out", theirs, "--ctrl", control, *options, *files)
    assert ours("element", kind, control, alg, minimum if options[:1] == ["--minver"] else 0, *values) == theirs.read_bytes()
    assert_recodes("element", theirs)
    shown = run(tool("lcp2_crtpolelt"), "--show", theirs).decode().replace(" ", "").replace("\n", "").replace("\t", "")
    text = ours("show", "element", theirs).decode()
    for value in values:
        assert value in shown
        assert value in text


@pytest.mark.parametrize("kind, name", [("mle2", "mle2"), ("stm2", "stm"), ("sbios2", "sbios")])
def test_sha512_element(kind, name, tmp_path):
    """tboot 1.10.5 offers sha512 for these and then refuses its hashes; the format has room for them."""
    value = hashlib.sha512(b"").hexdigest()
    result = run(tool("lcp2_crtpolelt"), "--create", "--type", name, "--out", tmp_path / "theirs", "--alg", "sha512",
                 hash_file(tmp_path, [value]), ok=False)
    assert result.returncode != 0
    assert b"unsupported alg" in result.stdout + result.stderr
    mine = tmp_path / "mine"
    mine.write_bytes(ours("element", kind, 1, "sha512", 0, value))
    assert_recodes("element", mine)


@pytest.mark.parametrize("size", [1, 2124, 70000])
def test_custom_element(size, tmp_path):
    payload, theirs = tmp_path / "payload", tmp_path / "theirs"
    payload.write_bytes(random.Random(size).randbytes(size))
    run(tool("lcp2_crtpolelt"), "--create", "--type", "custom", "--out", theirs, "--ctrl", "1", "--uuid", "tboot", payload)
    assert ours("custom2", 1, TBOOT_UUID, payload) == theirs.read_bytes()
    assert_recodes("element", theirs)


def test_custom_element_other_uuid(tmp_path):
    payload, theirs = tmp_path / "payload", tmp_path / "theirs"
    payload.write_bytes(b"x")
    run(tool("lcp2_crtpolelt"), "--create", "--type", "custom", "--out", theirs, "--ctrl", "0", "--uuid",
        "{0x00112233, 0x4455, 0x6677, 0x8899, {0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}}", payload)
    assert ours("custom2", 0, "00112233-4455-6677-8899-aabbccddeeff", payload) == theirs.read_bytes()


def pconf2(alg, pcrs, folder, environment=None):
    dice = random.Random(f"{alg} {pcrs}")
    values = {p: digest(alg, dice) for p in pcrs}
    theirs = folder / "theirs"
    command = [tool("lcp2_crtpolelt"), "--create", "--type", "pconf2", "--out", theirs, "--ctrl", "1", "--alg", alg]
    command += [x for p in pcrs for x in (f"--pcr{p}", values[p])]
    if environment:
        command = ["env", environment, *command]
    run(*command)
    return theirs, ours("pconf2", 1, alg, sum(1 << p for p in pcrs), *[values[p] for p in pcrs]), values


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize("pcrs", [[0], [6], [1, 3], [0, 2, 4, 5], [0, 1, 2, 3, 4, 5, 6]])
def test_pconf2(alg, pcrs, tmp_path):
    theirs, mine, _ = pconf2(alg, pcrs, tmp_path)
    assert mine == theirs.read_bytes()
    assert_recodes("element", theirs)


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize("pcrs", [[7], [0, 7], [0, 1, 2, 3, 4, 5, 6, 7]])
def test_pconf2_with_pcr_7_differs(alg, pcrs, tmp_path):
    """tboot 1.10.5 leaves PCR 7 out of the digest and hashes what lay in memory instead; we hash its value."""
    theirs, mine, values = pconf2(alg, pcrs, tmp_path)
    size = len(values[7]) // 2
    assert mine != theirs.read_bytes()
    assert mine[:-size] == theirs.read_bytes()[:-size]
    assert mine[-size:] == hashlib.new(alg, b"".join(bytes.fromhex(values[p]) for p in pcrs)).digest()
    again, _, _ = pconf2(alg, pcrs, tmp_path, "MALLOC_PERTURB_=1")
    first = again.read_bytes()
    assert pconf2(alg, pcrs, tmp_path, "MALLOC_PERTURB_=2")[0].read_bytes() != first


@pytest.mark.parametrize("count", [1, 2])
def test_legacy_pconf_is_read(count, tmp_path):
    files = []
    for number in range(count):
        files.append(tmp_path / f"info-{number}")
        files[-1].write_text(f"locality:1f\n0:{'11' * 20}\n{number + 1}:{'22' * 20}\n")
    theirs = tmp_path / "theirs"
    run(tool("lcp2_crtpolelt"), "--create", "--type", "pconf", "--out", theirs, "--ctrl", "0", *files)
    assert_recodes("element", theirs)
    text = ours("show", "element", theirs).decode()
    shown = run(tool("lcp2_crtpolelt"), "--show", theirs).decode()
    digests = [re.sub(r"\s", "", d) for d in re.findall(r"digest_at_release:\s+((?:[0-9a-f]{2}\s+){20})", shown)]
    assert len(digests) == count
    assert re.findall(r"digest: (\S+)", text) == digests
    assert re.findall(r"pcrs: (\S+)", text) == ["0,1", "0,2"][:count]
    assert text.count("locality: 0x1f\n") == count


# ---------------------------------------------------------------- lists

@pytest.fixture(scope="module", name="elements")
def make_elements(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elements")
    dice = random.Random(7)
    made = {
        "mle2": ours("element", "mle2", 1, "sha256", 17, digest("sha256", dice)),
        "mle2-384": ours("element", "mle2", 0, "sha384", 0, digest("sha384", dice), digest("sha384", dice)),
        "pconf2": ours("pconf2", 0, "sha256", 5, digest("sha256", dice), digest("sha256", dice)),
        "sbios2": ours("element", "sbios2", 0, "sha512", 0, digest("sha512", dice), digest("sha512", dice)),
        "stm2": ours("element", "stm2", 2, "sha1", 0, digest("sha1", dice)),
        "mle": ours("element", "mle", 0, "sha1", 3, digest("sha1", dice)),
    }
    (folder / "payload").write_bytes(b"verified launch policy")
    made["custom2"] = ours("custom2", 1, TBOOT_UUID, folder / "payload")
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return folder


def make_list(version, target, names, elements):
    """lcp2_crtpollist puts each element in front of those before it."""
    files = [elements / n for n in names]
    run(tool("lcp2_crtpollist"), "--create", "--listver", LISTS[version], "--out", target, *reversed(files))
    return files


COMBINATIONS = [["mle2"], ["mle2", "custom2"], ["mle2", "mle2-384", "pconf2", "sbios2", "stm2", "custom2"], ["custom2", "custom2"],
                ["mle", "mle2"]]


@pytest.mark.parametrize("version", LISTS)
@pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)
def test_unsigned_list(version, names, elements, tmp_path):
    theirs = tmp_path / "theirs"
    files = make_list(version, theirs, names, elements)
    assert ours("list", version, *files) == theirs.read_bytes()
    assert_recodes("list", theirs)
    assert ours("signed", theirs) == b"0\n"
    for alg in ALGS:
        assert ours("hash", "list", alg, theirs).decode().strip() == hashlib.new(alg, theirs.read_bytes()).hexdigest()
    mine = tmp_path / "mine"
    mine.write_bytes(ours("list", version, *files))
    shown = run(tool("lcp2_crtpollist"), "--show", mine).decode()
    assert shown.count("policy_element[") == len(names)


def coordinates(folder, curve):
    point = run("openssl", "pkey", "-in", folder / curve, "-pubout", "-outform", "DER")[-2 * int(curve[2:]) // 8:]
    return point[:len(point) // 2], point[len(point) // 2:]


@pytest.fixture(scope="module", name="keys")
def make_keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for bits in [2048, 3072]:
        run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}", "-out", folder / f"rsa{bits}")
    for curve in ["P-256", "P-384"]:
        # lcp2_crtpollist refuses keys with a coordinate that begins with a zero byte: one of 128.
        while not (folder / curve).exists() or not all(part[0] for part in coordinates(folder, curve)):
            run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", folder / curve)
    for key in ["rsa2048", "rsa3072", "P-256", "P-384"]:
        run("openssl", "pkey", "-in", folder / key, "-pubout", "-out", folder / f"{key}.pub")
    return folder


def key_bytes(keys, key):
    """The public key as lists have it: little-endian modulus, or Qx and Qy."""
    text = run("openssl", "pkey", "-in", keys / key, "-text_pub", "-noout").decode()
    if key.startswith("rsa"):
        digits = re.search(r"Modulus:\s*((?:[0-9a-f:]|\s)+?)\s*Exponent", text)[1]
        modulus = bytes.fromhex(re.sub(r"[:\s]", "", digits))
        return modulus[-int(key[3:]) // 8:][::-1]
    digits = re.search(r"pub:\s*((?:[0-9a-f:]|\s)+?)\s*ASN1", text)[1]
    point = bytes.fromhex(re.sub(r"[:\s]", "", digits))[1:]
    half = len(point) // 2
    return point[:half][::-1] + point[half:][::-1]


def der_integer(number):
    content = number.lstrip(b"\0") or b"\0"
    if content[0] & 0x80:
        content = b"\0" + content
    return b"\x02" + bytes([len(content)]) + content


def openssl_accepts(keys, key, alg, signed, block, pss, folder):
    if key.startswith("rsa"):
        signature = block[::-1]
    else:
        half = len(block) // 2
        pair = der_integer(block[:half][::-1]) + der_integer(block[half:][::-1])
        signature = b"\x30" + bytes([len(pair)]) + pair
    (folder / "signature").write_bytes(signature)
    (folder / "signed").write_bytes(signed)
    options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:auto"] if pss else []
    result = run("openssl", "dgst", f"-{alg}", "-verify", keys / f"{key}.pub", "-signature", folder / "signature", *options,
                 folder / "signed", ok=False)
    return result.returncode == 0


# list version, lcp2_crtpollist --sigalg, key, hash
SIGNED = [
    ("1.0", "rsa", "rsa2048", "sha1"),
    ("2.0", "rsa", "rsa2048", "sha1"), ("2.0", "rsa", "rsa2048", "sha256"), ("2.0", "rsa", "rsa3072", "sha256"),
    ("2.1", "rsa", "rsa3072", "sha384"), ("2.1", "rsa", "rsa2048", "sha256"),
    ("2.0", "ecdsa", "P-256", "sha256"), ("2.1", "ecdsa", "P-256", "sha256"), ("2.1", "ecdsa", "P-384", "sha384"),
    ("3.0", "rsapss", "rsa2048", "sha256"), ("3.0", "rsapss", "rsa2048", "sha384"), ("3.0", "rsapss", "rsa3072", "sha256"),
    ("3.0", "rsapss", "rsa3072", "sha384"), ("3.0", "ecdsa", "P-256", "sha256"), ("3.0", "ecdsa", "P-384", "sha384"),
]


def sign(file, scheme, key, alg, keys, counter=5):
    run(tool("lcp2_crtpollist"), "--sign", "--sigalg", scheme, "--hashalg", alg, "--pub", keys / f"{key}.pub", "--priv", keys / key,
        "--rev", counter, "--out", file)


@pytest.mark.parametrize("version, scheme, key, alg", SIGNED)
@pytest.mark.parametrize("names", COMBINATIONS[:3], ids="+".join)
def test_signed_list(version, scheme, key, alg, names, elements, keys, tmp_path):
    theirs = tmp_path / "theirs"
    public = key_bytes(keys, key)
    # Now and then lcp2_crtpollist makes an ECDSA signature that openssl refuses, as a lost leading zero of r or s would: made anew.
    for _ in range(5 if scheme == "ecdsa" else 1):
        make_list(version, theirs, names, elements)
        before = theirs.read_bytes()
        sign(theirs, scheme, key, alg, keys)
        content = theirs.read_bytes()
        signed = len(before) + (2 if version == "3.0" else 4 + (4 if scheme == "ecdsa" else 0) + len(public))
        if openssl_accepts(keys, key, alg, content[:signed], content[-len(public):], scheme == "rsapss", tmp_path):
            break
    assert_recodes("list", theirs)
    assert int(ours("signed", theirs)) == signed
    assert openssl_accepts(keys, key, alg, content[:signed], content[-len(public):], scheme == "rsapss", tmp_path)
    assert not openssl_accepts(keys, key, alg, content[:signed - 1] + b"\xff", content[-len(public):], scheme == "rsapss", tmp_path)
    for hash_alg in ALGS:
        assert ours("hash", "list", hash_alg, theirs).decode().strip() == hashlib.new(hash_alg, public).hexdigest()
    text = ours("show", "list", theirs).decode()
    assert "revocation_counter: 5\n" in text
    half = public if scheme.startswith("rsa") else public[:len(public) // 2]
    assert f": {half.hex()}\n" in text


# ---------------------------------------------------------------- policy data

@pytest.mark.parametrize("alg", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("major, lists", [
    ("2", [None]), ("2", [None, None]), ("2", [("rsa", "rsa2048", "sha256")]), ("2", [("rsa", "rsa3072", "sha384"), None]),
    ("3", [None]), ("3", [("rsapss", "rsa3072", "sha384")]), ("3", [None, ("rsapss", "rsa2048", "sha256"), None]), ("2", [None] * 7),
    ("2", [None] * 8)])
def test_policy_data(alg, major, lists, elements, keys, tmp_path):
    files = []
    for number, signer in enumerate(lists):
        files.append(tmp_path / f"list-{number}")
        make_list(f"{major}.0", files[-1], COMBINATIONS[number % 3], elements)
        if signer:
            sign(files[-1], *signer, keys, number)
    policy, data = tmp_path / "policy", tmp_path / "data"
    run(tool("lcp2_crtpol"), "--create", "--alg", alg, "--type", "list", "--polver", "3.2", "--ctrl", "2", "--mask", alg, "--sign",
        "rsa-3072-sha384", "--pol", policy, "--data", data, *files)
    assert ours("data", *files) == data.read_bytes()
    assert_recodes("data", data)
    assert_recodes("policy", policy)
    assert ours("hash", "data", alg, data).strip().decode() == policy.read_bytes()[38:].hex()
    assert ours("policy", "3.2", alg, "list", 0, 255, 2, "0", HASH_MASKS[alg], 0x80, 0, data) == policy.read_bytes()
    if "custom2" in sum((COMBINATIONS[n % 3] for n in range(len(lists))), []):
        assert ours("unwrap", TBOOT_UUID, data) == b"verified launch policy"
    shown = run(tool("lcp2_crtpol"), "--show", policy, data, ok=False)
    if len(lists) == 8:
        # the format has room for eight; tboot 1.10.5 writes them and then does not read them
        assert b"too many lists" in shown.stdout + shown.stderr
    else:
        assert b"policy data hash matches policy hash" in shown.stdout


def test_legacy_policy_data(elements, keys, tmp_path):
    """TPM 1.2: lists 1.0, SHA-1."""
    files = [tmp_path / "signed", tmp_path / "plain"]
    for file in files:
        make_list("1.0", file, ["mle"], elements)
    sign(files[0], "rsa", "rsa2048", "sha1", keys)
    policy, data = tmp_path / "policy", tmp_path / "data"
    run(tool("lcp2_crtpol"), "--create", "--alg", "sha1", "--type", "list", "--polver", "2.4", "--pol", policy, "--data", data, *files)
    assert ours("data", *files) == data.read_bytes()
    assert_recodes("data", data)
    assert_recodes("policy", policy)
    assert ours("hash", "data", "sha1", data).strip().decode() == policy.read_bytes()[34:].hex()


# ---------------------------------------------------------------- MLE hash

@pytest.fixture(scope="module", name="tboot")
def unpack_tboot(tmp_path_factory):
    target = tmp_path_factory.mktemp("tboot") / "tboot.elf"
    target.write_bytes(gzip.decompress(pathlib.Path(TBOOT).read_bytes()))
    return target


def their_hash(alg, file, *cmdline):
    options = [x for c in cmdline for x in ("--cmdline", c)]
    return run(tool("lcp2_mlehash"), "--create", "--alg", alg, *options, file).decode().replace(" ", "").replace("\n", "")


CMDLINES = ["", "logging=serial,vga,memory", "a", "logging=serial serial=115200,8n1,0x3f8 ap_wake_mwait=true min_ram=0x2000000", "x" * 510]


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize("cmdline", CMDLINES)
def test_mle_hash(alg, cmdline, tboot):
    assert ours("mle-hash", alg, tboot, cmdline).decode().strip() == their_hash(alg, TBOOT, cmdline)


@pytest.mark.parametrize("alg", ALGS)
def test_mle_hash_without_cmdline(alg, tboot):
    assert ours("mle-hash", alg, tboot).decode().strip() == their_hash(alg, TBOOT)


def test_mle_hash_cmdline_too_long(tboot):
    """A command line that does not fit: lcp2_mlehash hashes it with its first byte zeroed, which no launch will have; we refuse."""
    result = run(TOOL, "mle-hash", "sha256", tboot, "x" * 511, ok=False)
    assert result.returncode == 3
    assert b"do not fit the area" in result.stderr
    assert their_hash("sha256", TBOOT, "x" * 511) not in {their_hash("sha256", TBOOT, ""), their_hash("sha256", TBOOT, "x" * 510)}


def test_mle_hash_of_compressed_file():
    result = run(TOOL, "mle-hash", "sha256", TBOOT, ok=False)
    assert result.returncode == 3
    assert b"is it compressed" in result.stderr
