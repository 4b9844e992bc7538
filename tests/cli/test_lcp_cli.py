# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch lcp` mle-hash, element, list, policy, data, show: what they take, refuse and show beyond what tboot's tools do."""

import contextlib
import gzip
import hashlib
import json
import os
import pathlib
import random
import subprocess

import pytest
from lcp_model import ALGS, GEOLAUNCH, TBOOT_GZ, TOP, Element, lcp, make_list, random_elements, refused, run
from oracles import tool
from swtpm import Swtpm

HASH = hashlib.sha256(b"mle").hexdigest()
REAL_LOG = TOP / "tests/data/real-txt/txt-logs.bin"


def show(path):
    return json.loads(lcp("show", "--json", path))


def mle(folder, name="mle.elt", **options):
    arguments = [x for k, v in options.items() for x in ("--" + k.replace("_", "-"), v)]
    lcp("element", "mle", "-o", folder / name, "--hash", HASH, *arguments)
    return folder / name


# ---- mle-hash


def test_mle_hash_of_unpacked_file(tmp_path):
    unpacked = tmp_path / "tboot"
    unpacked.write_bytes(gzip.decompress(pathlib.Path(TBOOT_GZ).read_bytes()))
    for alg in ALGS:
        out = lcp("mle-hash", "--alg", alg, "--cmdline", "x", unpacked)
        assert out == lcp("mle-hash", "--alg", alg, "--cmdline", "x", TBOOT_GZ)
        assert len(out) == 2 * hashlib.new(alg).digest_size + 1
    assert lcp("mle-hash", unpacked) == lcp("mle-hash", "--alg", "sha256", "--cmdline", "", unpacked)


def test_mle_hash_of_several_members(tmp_path):
    """gzip files may be joined; bytes that are no member come after the last one."""
    raw = gzip.decompress(pathlib.Path(TBOOT_GZ).read_bytes())
    joined = tmp_path / "joined.gz"
    joined.write_bytes(gzip.compress(raw[:1000]) + gzip.compress(raw[1000:]) + b"\0" * 512)
    assert lcp("mle-hash", joined) == lcp("mle-hash", TBOOT_GZ)


def test_mle_hash_of_damaged_files(tmp_path):
    packed = pathlib.Path(TBOOT_GZ).read_bytes()
    for name, content in {"cut": packed[:5000], "head": packed[:3], "wrong": packed[:5000] + b"\xff" * 50 + packed[5050:]}.items():
        (tmp_path / name).write_bytes(content)
        assert "damaged or cut off" in refused("mle-hash", tmp_path / name)
    (tmp_path / "text").write_text("not an image")
    assert "ELF" in refused("mle-hash", tmp_path / "text")
    assert "cannot" in refused("mle-hash", tmp_path / "missing", code=1)
    assert "sha3" in refused("mle-hash", "--alg", "sha3", TBOOT_GZ, code=2)
    assert "give one file" in refused("mle-hash", code=2)


# ---- elements


def test_hash_files(tmp_path):
    """As lcp2_mlehash prints them, or plain; empty lines, and files from elsewhere."""
    hashes = [hashlib.sha256(bytes([i])).hexdigest() for i in range(4)]
    spaced = " ".join(hashes[0][i:i + 2] for i in range(0, 64, 2))
    (tmp_path / "a").write_text(f"{spaced}\n\n{hashes[1].upper()}\r\n")
    (tmp_path / "b").write_text(hashes[3])
    lcp("element", "mle", "-o", tmp_path / "e", "--hash-file", tmp_path / "a", "--hash", hashes[2], "--hash-file", tmp_path / "b")
    assert show(tmp_path / "e")["element"]["hashes"] == hashes
    (tmp_path / "c").write_text(f"{hashes[0]}\n{hashes[1]}x\n")
    said = refused("element", "mle", "-o", tmp_path / "e2", "--hash-file", tmp_path / "c")
    assert "line 2" in said and "64 hexadecimal digits" in said
    (tmp_path / "d").write_text("\n")
    assert "no hashes" in refused("element", "mle", "-o", tmp_path / "e2", "--hash-file", tmp_path / "d")
    assert not (tmp_path / "e2").exists()


def test_lcp2_mlehash_output_is_a_hash_file(tmp_path):
    (tmp_path / "h").write_bytes(run([tool("lcp2_mlehash"), "--create", "--alg", "sha256", "--cmdline", "a=b", TBOOT_GZ]))
    lcp("element", "mle", "-o", tmp_path / "e", "--hash-file", tmp_path / "h")
    assert show(tmp_path / "e")["element"]["hashes"] == [lcp("mle-hash", "--cmdline", "a=b", TBOOT_GZ).decode().strip()]


def composite(values, alg):
    return hashlib.new(alg, b"".join(values)).hexdigest()


def test_pconf_of_a_tpm(tmp_path):
    with contextlib.closing(Swtpm()) as tpm:
        for pcr in (0, 4):
            run(["tpm2_pcrextend", "-T", tpm.tcti, f"{pcr}:sha1={'11' * 20},sha256={'22' * 32}"])
        printed = run(["tpm2_pcrread", "-T", tpm.tcti, "sha1:0,4,7+sha256:0,4,7"]).decode()
        for alg in ("sha1", "sha256"):
            lcp("element", "pconf", "-o", tmp_path / alg, "--alg", alg, "--pcrs", "0,4,7", "--tcti", tpm.tcti)
    (tmp_path / "printed").write_text(printed)
    for alg in ("sha1", "sha256"):
        bank = printed.split(alg)[1].split("sha256")[0] if alg == "sha1" else printed.split("sha256")[1]
        values = [bytes.fromhex(line.split("0x")[1]) for line in bank.splitlines() if "0x" in line]
        info = show(tmp_path / alg)["element"]["pcr_infos"]
        assert info == [{"hash_alg": alg, "pcrs": [0, 4, 7], "select": "910000", "digest": composite(values, alg)}]
        # the same from a file, and from values
        lcp("element", "pconf", "--force", "-o", tmp_path / "again", "--alg", alg, "--pcrs", "0,4,7", "--pcr-file", tmp_path / "printed")
        assert (tmp_path / "again").read_bytes() == (tmp_path / alg).read_bytes()
        given = [x for n, v in zip((0, 4, 7), values) for x in ("--pcr", f"{n}:{v.hex()}")]
        lcp("element", "pconf", "--force", "-o", tmp_path / "again", "--alg", alg, *given)
        assert (tmp_path / "again").read_bytes() == (tmp_path / alg).read_bytes()


def firmware_log(events, locality=None):
    """A crypto-agile log with SHA-256 only."""
    def event(pcr, kind, digest, data):
        return pcr.to_bytes(4, "little") + kind.to_bytes(4, "little") + digest + len(data).to_bytes(4, "little") + data
    spec = b"Spec ID Event03\0" + bytes([0, 0, 0, 0, 0, 2, 0, 2]) + (1).to_bytes(4, "little") + b"\x0b\0\x20\0" + b"\0"
    log = event(0, 3, bytes(20), spec)
    if locality is not None:
        log += event(0, 3, (1).to_bytes(4, "little") + b"\x0b\0" + bytes(32), b"StartupLocality\0" + bytes([locality]))
    for pcr, digest in events:
        log += event(pcr, 8, (1).to_bytes(4, "little") + b"\x0b\0" + digest, b"x")
    return log


@pytest.mark.parametrize("locality", [None, 0, 3])
def test_pconf_of_a_log(locality, tmp_path):
    digests = [hashlib.sha256(bytes([i])).digest() for i in range(3)]
    (tmp_path / "log").write_bytes(firmware_log([(0, digests[0]), (4, digests[1]), (0, digests[2])], locality))
    lcp("element", "pconf", "-o", tmp_path / "e", "--pcrs", "0,4-5", "--log", tmp_path / "log")
    pcr0 = bytes(31) + bytes([locality or 0])
    for d in (digests[0], digests[2]):
        pcr0 = hashlib.sha256(pcr0 + d).digest()
    pcr4 = hashlib.sha256(bytes(32) + digests[1]).digest()
    assert show(tmp_path / "e")["element"]["pcr_infos"][0]["digest"] == composite([pcr0, pcr4, bytes(32)], "sha256")
    assert "bank sha1" in refused("element", "pconf", "-o", tmp_path / "e2", "--alg", "sha1", "--pcrs", "0", "--log", tmp_path / "log")
    (tmp_path / "log").write_bytes((tmp_path / "log").read_bytes()[:-1])
    assert "event log" in refused("element", "pconf", "-o", tmp_path / "e2", "--pcrs", "0", "--log", tmp_path / "log")
    # A log of a launch has nothing of the firmware's.
    (tmp_path / "log").write_bytes(firmware_log([(17, digests[0]), (18, digests[1])], None))
    assert "no event for PCR 0" in refused("element", "pconf", "-o", tmp_path / "e2", "--pcrs", "0", "--log", tmp_path / "log")
    assert not (tmp_path / "e2").exists()


def test_several_pcr_infos(tmp_path):
    for i in range(3):
        values = {"pcrs": {"sha256": {str(n): f"{i}{n}" * 32 for n in range(8)}}}
        (tmp_path / f"{i}.json").write_text(json.dumps(values))
    files = [x for i in range(3) for x in ("--pcr-file", tmp_path / f"{i}.json")]
    lcp("element", "pconf", "-o", tmp_path / "e", "--pcrs", "1,2", *files, "--pcr", f"1:{'aa' * 32}", "--pcr", f"2:{'bb' * 32}")
    element = show(tmp_path / "e")["element"]
    assert element["num_pcr_infos"] == 4
    expected = [composite([bytes.fromhex(f"{i}1" * 32), bytes.fromhex(f"{i}2" * 32)], "sha256") for i in range(3)]
    expected.append(composite([b"\xaa" * 32, b"\xbb" * 32], "sha256"))
    assert [i["digest"] for i in element["pcr_infos"]] == expected


@pytest.mark.parametrize("arguments, text", [
    ([], "say one of"), (["mle"], "no output"), (["nonsense", "-o", "x"], "say one of"), (["mle", "stm", "-o", "x"], "say one of"),
    (["mle", "-o", "x"], "no digest"), (["stm", "-o", "x"], "no digest"), (["sbios", "-o", "x"], "--fallback"),
    (["mle", "-o", "x", "--hash", HASH, "--fallback", HASH], "--fallback is for sbios"),
    (["stm", "-o", "x", "--hash", HASH, "--min-version", "1"], "--min-version is for mle"),
    (["pconf", "-o", "x"], "no PCR values"), (["pconf", "-o", "x", "--tcti", "y"], "which PCRs"),
    (["pconf", "-o", "x", "--pcrs", "0", "--hash", HASH, "--pcr", "0:aa"], "are for mle"),
    (["mle", "-o", "x", "--hash", HASH, "--pcrs", "0"], "for pconf only"),
    (["custom", "-o", "x", "--uuid", "tboot"], "needs --uuid and --data"), (["mle", "-o", "x", "--hash", HASH, "--data", "y"], "for custom only"),
    (["mle", "-o", "x", "--hash", HASH, "--min-version", "256"], "255"), (["mle", "-o", "x", "--hash", HASH, "--control", "-1"], "--control"),
    (["mle", "-o", "x", "--hash", HASH, "--alg", "md5"], "md5"),
    (["pconf", "-o", "x", "--pcrs", "0,24"], "--pcrs"), (["pconf", "-o", "x", "--pcrs", "5-3"], "--pcrs"), (["pconf", "-o", "x", "--pcrs", "1,"], "--pcrs"),
    (["pconf", "-o", "x", "--pcr", "24:aa"], "--pcr"), (["pconf", "-o", "x", "--pcr", "1"], "--pcr"),
    (["pconf", "-o", "x", "--pcr", f"1:{HASH}", "--pcr", f"1:{HASH}"], "twice"),
    (["pconf", "-o", "x", "--pcrs", "0,1", "--pcr", f"1:{HASH}"], "leave it out"),
])
def test_element_usage(arguments, text, tmp_path):
    command = [GEOLAUNCH, "lcp", "element", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert result.returncode == 2 and text in result.stderr and result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["mle", "--hash", "00"], ["sbios", "--fallback", "zz"], ["pconf", "--pcr", "0:00"]])
def test_digest_of_the_command_line(arguments, tmp_path):
    """Wrong usage, as for vlp; in a file it is a wrong input."""
    assert "64 hexadecimal digits" in refused("element", *arguments, "-o", tmp_path / "x", code=2)
    (tmp_path / "hashes").write_text("00\n")
    assert "hashes: line 1: a digest of" in refused("element", "mle", "--hash-file", tmp_path / "hashes", "-o", tmp_path / "x")


@pytest.mark.parametrize("arguments, text", [
    (["pconf", "--pcr", f"8:{HASH}"], "selects no PCR, or others than 0-7"),
    (["mle", "--hash", HASH, "--control", "8"], "reserved bits"), (["custom", "--uuid", "no", "--data", "/dev/null"], "UUID"),
])
def test_element_refused(arguments, text, tmp_path):
    assert text in refused("element", *arguments, "-o", tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_output_to_stdout(tmp_path):
    assert lcp("element", "mle", "-o", "-", "--hash", HASH) == mle(tmp_path).read_bytes()
    assert "cannot" in refused("element", "mle", "-o", tmp_path / "no/folder", "--hash", HASH, code=1)


# ---- lists and data


def test_elements_one_behind_the_other_in_a_file(tmp_path):
    both = tmp_path / "both"
    both.write_bytes(mle(tmp_path, "a").read_bytes() + mle(tmp_path, "b", control="1").read_bytes())
    assert "of this type and hash algorithm already" in refused("list", "create", "-o", tmp_path / "l", both)
    stm = Element(random.Random(1), "stm", "sha256").by_us(tmp_path)
    both.write_bytes((tmp_path / "a").read_bytes() + stm.read_bytes())
    lcp("list", "create", "-o", tmp_path / "l", both)
    assert len(show(tmp_path / "l")["list"]["elements"]) == 2


def test_list_usage(tmp_path):
    element = mle(tmp_path)
    assert "say create or add" in refused("list", code=2)
    assert "no output file" in refused("list", "create", element, code=2)
    assert "at least one element" in refused("list", "create", "-o", "x", code=2)
    assert "a list and at least one" in refused("list", "add", element, code=2)
    assert "1.0" in refused("list", "create", "--version", "1.0", "-o", tmp_path / "x", element, code=2)
    assert "--drop-signature is for add" in refused("list", "create", "--drop-signature", "-o", tmp_path / "x", element, code=2)
    assert "--version is for create" in refused("list", "add", "--version", "2.1", element, element, code=2)
    assert "element" in refused("list", "create", "-o", tmp_path / "x", REAL_LOG)
    (tmp_path / "empty").write_bytes(b"")
    assert "element" in refused("list", "create", "-o", tmp_path / "x", tmp_path / "empty")
    assert not (tmp_path / "x").exists()


def test_signed_list_does_not_grow(tmp_path):
    run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", tmp_path / "key"])
    path = make_list(tmp_path, "2.1", random_elements(1)[:1])
    lcp("sign", path, "--key", tmp_path / "key")
    before = path.read_bytes()
    custom = tmp_path / "custom"
    lcp("element", "custom", "-o", custom, "--uuid", "tboot", "--data", tmp_path / "key")
    assert "--drop-signature" in refused("list", "add", path, custom)
    assert path.read_bytes() == before
    lcp("list", "add", "--drop-signature", "-o", tmp_path / "grown", path, custom)
    assert path.read_bytes() == before
    shown = show(tmp_path / "grown")["list"]
    assert shown["signature"] is None and len(shown["elements"]) == 2
    assert shown["elements"][1]["uuid"] == "c3930641-e3cb-4f40-91d7-27f8b9e25c86"
    assert bytes.fromhex(shown["elements"][1]["data"]) == (tmp_path / "key").read_bytes()


def test_data_refused(tmp_path):
    run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", tmp_path / "key"])
    path = make_list(tmp_path, "2.1", random_elements(1))
    assert "one to eight" in refused("data", "create", "-o", tmp_path / "d", code=2)
    assert "one to eight" in refused("data", "create", "-o", tmp_path / "d", *[path] * 9, code=2)
    assert "say create" in refused("data", code=2)
    assert "no output file" in refused("data", "create", path, code=2)
    # with a key in it, but without the signature
    half = tmp_path / "half.lst"
    half.write_bytes(lcp("sign", path, "--print-data", "--key", tmp_path / "key"))
    said = refused("data", "create", "-o", tmp_path / "d", path, half)
    assert "half.lst" in said and "sign it first" in said
    assert "mle.elt" in refused("data", "create", "-o", tmp_path / "d", mle(tmp_path))
    assert not (tmp_path / "d").exists()


def test_lists_of_different_versions(tmp_path):
    """lcp2_crtpol wants them all alike; the format does not."""
    lists = [make_list(tmp_path, v, random_elements(i), f"{i}.lst") for i, v in enumerate(("2.0", "3.0", "2.1"))]
    lcp("data", "create", "-o", tmp_path / "d", *lists)
    assert [x["version"] for x in show(tmp_path / "d")["data"]["lists"]] == ["2.0", "3.0", "2.1"]


# ---- policy


def test_policy_flags(tmp_path):
    lcp("policy", "create", "-o", tmp_path / "p", "--type", "any", "--npw", "--sinit-caps", "--owner-enforced", "--aux-delete")
    control = show(tmp_path / "p")["policy"]["control"]
    assert control == {"value": 0x8000000e, "npw": True, "sinit_caps": True, "owner_enforced": True, "aux_delete": True}


def test_policy_masks(tmp_path):
    lcp("policy", "create", "-o", tmp_path / "p", "--type", "any", "--hash-mask", "0x48", "--sign-mask", "8")
    policy = show(tmp_path / "p")["policy"]
    assert policy["hash_alg_mask"] == {"value": 0x48, "names": ["sha256", "sha384"]}
    assert policy["sign_alg_mask"] == {"value": 8, "names": ["rsa-2048-sha256"]}
    lcp("policy", "create", "--force", "-o", tmp_path / "p", "--type", "any")
    policy = show(tmp_path / "p")["policy"]
    assert policy["version"] == "3.2" and policy["hash_alg_mask"]["names"] == ["sha256"]
    assert "rsa-2048-sha1" not in policy["sign_alg_mask"]["names"]
    # none is none
    lcp("policy", "create", "--force", "-o", tmp_path / "p", "--type", "any", "--hash-mask", "0", "--sign-mask", "0")
    policy = show(tmp_path / "p")["policy"]
    assert policy["hash_alg_mask"]["names"] == policy["sign_alg_mask"]["names"] == []


@pytest.mark.parametrize("arguments, code, text", [
    (["--type", "any"], 2, "no output"), (["-o", "p"], 2, "no type"), (["-o", "p", "--type", "list"], 2, "needs the policy data"),
    (["-o", "p", "--type", "any", "--data", "d"], 2, "for --type list"), (["-o", "p", "--type", "some"], 2, "list or any"),
    (["-o", "p", "--type", "any", "--version", "2.4"], 2, "3.0, 3.1, 3.2"), (["-o", "p", "--type", "any", "--hash-mask", "sha256,"], 2, "--hash-mask"),
    (["-o", "p", "--type", "any", "--sign-mask", "rsa"], 2, "rsa is no algorithm"), (["-o", "p", "--type", "any", "--revocation", "1,2,3,4,5,6,7,8,9"], 2, "eight"),
    (["-o", "p", "--type", "any", "--revocation", "65536"], 2, "65535"), (["-o", "p", "--type", "any", "--revocation", ""], 2, "eight"),
    (["-o", "p", "--type", "any", "--control", "1"], 3, "PolicyControl"), (["-o", "p", "--type", "any", "--aux-mask", "sha256"], 3, "AuxHashAlgMask"),
    (["-o", "p", "--type", "any", "--hash-mask", "0x100"], 3, "LcpHashAlgMask"), (["-o", "p", "--type", "list", "--data", "/dev/null"], 3, "ends inside its header"),
])
def test_policy_refused(arguments, code, text, tmp_path):
    command = [GEOLAUNCH, "lcp", "policy", "create", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert result.returncode == code and text in result.stderr and result.stderr.count("\n") == 1, result.stderr
    assert not list(tmp_path.iterdir())
    assert "say create" in refused("policy", "make", code=2)


# ---- show


def test_show_recognises(tmp_path):
    element = mle(tmp_path)
    path = make_list(tmp_path, "2.1", random_elements(1))
    lcp("data", "create", "-o", tmp_path / "data", path)
    lcp("policy", "create", "-o", tmp_path / "policy", "--type", "list", "--data", tmp_path / "data")
    for file, kind in ((element, "element"), (path, "list"), (tmp_path / "data", "data"), (tmp_path / "policy", "policy")):
        shown = show(file)
        assert shown["kind"] == kind and shown["valid"] and shown["error"] is None and shown["size"] == file.stat().st_size
        assert json.loads(lcp("show", "--json", "--type", kind, file)) == shown
        text = lcp("show", file).decode()
        assert text.startswith({"element": "element:\n", "list": "list:\n", "data": "num_lists: 1\n", "policy": "version: 3.2\n"}[kind])
    # every version of both, where the numbers overlap
    for version in ("2.0", "2.1", "3.0"):
        assert show(make_list(tmp_path, version, random_elements(5)))["kind"] == "list"
    for version in ("3.0", "3.1", "3.2"):
        lcp("policy", "create", "--force", "-o", tmp_path / "policy", "--type", "any", "--version", version)
        assert show(tmp_path / "policy")["kind"] == "policy"
    for version in ("2.0", "2.1", "2.2", "2.3", "2.4"):
        run([tool("lcp2_crtpol"), "--create", "--type", "any", "--alg", "sha1", "--polver", version, "--pol", tmp_path / "policy"])
        assert show(tmp_path / "policy")["policy"]["version"] == version


def test_show_of_legacy_files(tmp_path):
    """What tboot's tools make for TPM 1.2 is read."""
    digest = hashlib.sha1(b"x").hexdigest()
    (tmp_path / "h").write_text(" ".join(digest[i:i + 2] for i in range(0, 40, 2)) + "\n")
    run([tool("lcp2_crtpolelt"), "--create", "--type", "mle", "--out", tmp_path / "e", "--minver", "5", tmp_path / "h"])
    run([tool("lcp2_crtpollist"), "--create", "--out", tmp_path / "l", "--listver", "0x100", tmp_path / "e"])
    assert show(tmp_path / "e")["element"]["type_name"] == "mle"
    shown = show(tmp_path / "l")["list"]
    assert shown["version"] == "1.0" and shown["elements"][0]["hashes"] == [digest]
    assert shown["elements"][0]["sinit_min_version"] == 5


def test_show_what_is_invalid(tmp_path):
    raw = bytearray(mle(tmp_path).read_bytes())
    raw[8] = 0x80
    (tmp_path / "bad").write_bytes(raw)
    shown = show(tmp_path / "bad")
    assert not shown["valid"] and "reserved bits" in shown["error"] and shown["element"]["control"]["value"] == 0x80
    assert "reserved bits" in refused("show", tmp_path / "bad")
    assert lcp("show", "--json", tmp_path / "bad")
    # where in a list or in policy data
    path = make_list(tmp_path, "2.1", [Element(random.Random(1), "stm", "sha256"), Element(random.Random(1), "mle", "sha256")])
    lcp("data", "create", "-o", tmp_path / "data", path)
    raw = bytearray((tmp_path / "data").read_bytes())
    second = 36 + 8 + int.from_bytes(raw[44:48], "little")
    raw[second + 8] = 0x80
    (tmp_path / "data").write_bytes(raw)
    shown = show(tmp_path / "data")
    assert not shown["valid"] and (shown["error_list"], shown["error_element"]) == (0, 1)


def test_show_nothing(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "random").write_bytes(random.Random(5).randbytes(500))
    for name in ("empty", "random"):
        assert "neither" in refused("show", tmp_path / name)
        assert "neither" in refused("show", "--json", tmp_path / name)
    raw = make_list(tmp_path, "2.1", random_elements(1)).read_bytes()
    (tmp_path / "cut").write_bytes(raw[:-1])
    assert "the list ends" in refused("show", tmp_path / "cut")
    assert "the policy's hash algorithm" in refused("show", "--type", "policy", tmp_path / "cut")
    assert "give one file" in refused("show", code=2)
    assert "--type x" in refused("show", "--type", "x", tmp_path / "cut", code=2)


def test_show_every_field_of_a_signed_list(tmp_path):
    run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", tmp_path / "key"])
    path = make_list(tmp_path, "3.0", random_elements(2))
    lcp("sign", path, "--key", tmp_path / "key", "--revocation", 9)
    raw = path.read_bytes()
    shown = show(path)["list"]
    signature = shown["signature"]
    modulus = run(["openssl", "rsa", "-in", tmp_path / "key", "-noout", "-modulus"]).decode().split("=")[1].strip()
    assert signature["key"] == bytes.fromhex(modulus)[::-1].hex()
    assert signature["signature"] == raw[-256:].hex()
    assert signature["signed_size"] == int.from_bytes(raw[2:4], "little")
    assert (signature["revocation_counter"], signature["exponent"], signature["versions"]) == (9, 65537, [16, 16, 16])
    # a signed list is measured by its key
    assert shown["digests"] == {a: hashlib.new(a, bytes.fromhex(signature["key"])).hexdigest() for a in ALGS}


def test_unknown_action():
    assert "unknown action: nonsense" in refused("nonsense", code=2)
    assert "no action given" in refused(code=2)


def test_full_disk():
    command = ["sh", "-c", f"{GEOLAUNCH} lcp mle-hash {TBOOT_GZ} > /dev/full"]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 1


# ---- files in each other's places, and files that exist


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    mle(folder, "e")
    lcp("element", "stm", "--hash", HASH, "-o", folder / "s")
    lcp("list", "create", "-o", folder / "l", folder / "e")
    lcp("data", "create", "-o", folder / "d", folder / "l")
    lcp("policy", "create", "-o", folder / "p", "--type", "list", "--data", folder / "d")
    run([GEOLAUNCH, "vlp", "create", "--type", "halt", folder / "v"])
    run([GEOLAUNCH, "vlp", "add", "--num", "0", "--pcr", "none", "--hash", "any", folder / "v"])
    (folder / "k").write_bytes(b"\x7fELF" + bytes(100))
    return folder


MISTAKEN = {
    "evaluate --po d --po-data p --sinit-version 1": "--po d: this is a policy data file: give a launch control policy",
    "evaluate --po p --po-data l --sinit-version 1": "--po-data l: this is a policy list: give a policy data file",
    "show v": "this is a Verified Launch Policy: 'geolaunch vlp show' shows it",
    "show k": "this is an ELF file",
    "sign e --key none": "this is a policy element: give a policy list",
    "list create -o new l": "this is a policy list: give a policy element",
    "data create -o new e": "this is a policy element: give a policy list",
    "policy create --type list --data l -o new": "this is a policy list: give a policy data file",
    "verify p": "this is a launch control policy: give a policy list",
}


@pytest.mark.parametrize("line", MISTAKEN)
def test_mistaken_file(files, line):
    p = subprocess.run([GEOLAUNCH, "lcp", *line.split()], cwd=files, capture_output=True, text=True, timeout=60, check=False)
    assert (p.returncode, p.stderr.count("\n")) == (3, 1) and MISTAKEN[line] in p.stderr, p.stderr


@pytest.mark.parametrize("line,what", [("vlp show l", "a policy list"), ("vlp add --num 1 --hash any p", "a launch control policy"),
                                       ("vlp unwrap -o new k", "an ELF file"), ("vlp wrap -o new d", "a policy data file")])
def test_mistaken_file_of_vlp(files, line, what):
    p = subprocess.run([GEOLAUNCH, *line.split()], cwd=files, capture_output=True, text=True, timeout=60, check=False)
    assert (p.returncode, p.stderr.count("\n")) == (3, 1) and f"this is {what}" in p.stderr, p.stderr


MAKERS = ["lcp element mle --hash " + HASH + " -o", "lcp list create e -o", "lcp list add l s -o", "lcp data create l -o", "lcp policy create --type any -o",
          "vlp create --type halt", "vlp wrap v -o"]


@pytest.mark.parametrize("line", MAKERS)
def test_existing_output(files, tmp_path, line):
    """One rule for all: not replaced without --force; - is standard output, and not a terminal."""
    def make(*more, **how):
        return subprocess.run([GEOLAUNCH, *line.split(), *more], cwd=files, capture_output=True, timeout=60, check=False, **how)

    target = tmp_path / "new"
    assert make(target).returncode == 0
    made = target.read_bytes()
    target.write_bytes(b"old")
    p = make(target)
    assert p.returncode == 2 and b"file exists: " in p.stderr and b"--force" in p.stderr and target.read_bytes() == b"old"
    assert make(target, "--force").returncode == 0 and target.read_bytes() == made
    assert make("-").stdout == made and not (files / "-").exists()
    main, terminal = os.openpty()
    p = subprocess.run([GEOLAUNCH, *line.split(), "-"], cwd=files, stdout=terminal, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(terminal)
    os.close(main)
    assert p.returncode == 2 and b"a terminal" in p.stderr


@pytest.mark.parametrize("output", [[], ["-o", "link"]])
def test_the_changed_file_may_be_a_link(files, tmp_path, output):
    """The file behind it changes, in its place and with its modes."""
    (tmp_path / "l").write_bytes((files / "l").read_bytes())
    (tmp_path / "l").chmod(0o600)
    (tmp_path / "link").symlink_to("l")
    run([GEOLAUNCH, "lcp", "list", "add", *output, "link", files / "s"], cwd=tmp_path)
    assert len((tmp_path / "l").read_bytes()) > len((files / "l").read_bytes())
    assert (tmp_path / "link").is_symlink() and (tmp_path / "l").stat().st_mode & 0o7777 == 0o600


def test_the_changed_file_is_no_output_in_the_way(files, tmp_path):
    (tmp_path / "l").write_bytes((files / "l").read_bytes())
    lcp("list", "add", "-o", tmp_path / "l", tmp_path / "l", files / "s")
    assert (tmp_path / "l").read_bytes() != (files / "l").read_bytes()
