# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch lcp evaluate` with files as a platform has them; the rules one by one are in tests/unit/test_lcp_evaluate.c."""

import hashlib
import json
import random
import re
import subprocess

import pytest
from lcp_model import ACM_TOOL, GEOLAUNCH, TBOOT_GZ, TOP, Element, lcp, make_keys, make_list, refused, run

HASHES = {a: hashlib.new(a, b"mle").hexdigest() for a in ("sha1", "sha256", "sha384", "sha512")}
PCRS = {"pcrs": {"sha256": {str(n): f"{n:02x}" * 32 for n in range(8)}}}


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def world(keys, tmp_path):
    """Policy and data with three lists: an unsigned one, one by RSA, one by ECDSA; two are about the MLE, one about PCRs."""
    (tmp_path / "pcrs.json").write_text(json.dumps(PCRS))
    lcp("element", "mle", "-o", tmp_path / "other.elt", "--hash", hashlib.sha256(b"other").hexdigest())
    lcp("element", "mle", "-o", tmp_path / "mle.elt", "--alg", "sha384", "--hash", HASHES["sha384"], "--min-version", 3)
    lcp("element", "pconf", "-o", tmp_path / "pconf.elt", "--pcrs", "0,4", "--pcr-file", tmp_path / "pcrs.json")
    for name, version, elements in (("a", "2.1", ["other"]), ("b", "3.0", ["mle"]), ("c", "2.1", ["pconf"])):
        lcp("list", "create", "--version", version, "-o", tmp_path / f"{name}.lst", *(tmp_path / f"{e}.elt" for e in elements))
    lcp("sign", tmp_path / "b.lst", "--key", keys / "rsa3072.pem", "--revocation", 5)
    lcp("sign", tmp_path / "c.lst", "--key", keys / "p256.pem", "--revocation", 2)
    return World(tmp_path)


class World:
    def __init__(self, folder):
        self.folder = folder
        self.policy = ["--hash-mask", "sha256,sha384", "--revocation", "0,5,2"]
        self.launch = ["--sinit-version", 3, "--mle", "sha384:" + HASHES["sha384"], "--pcr-file", folder / "pcrs.json"]

    def evaluate(self, *more, code=0):
        data, policy = self.folder / "data", self.folder / "policy"
        lcp("data", "create", "--force", "-o", data, *(self.folder / f"{n}.lst" for n in "abc"))
        lcp("policy", "create", "--force", "-o", policy, "--type", "list", "--data", data, *self.policy)
        return self.again(*more, code=code)

    def again(self, *more, code=0):
        return evaluate("--po", self.folder / "policy", "--po-data", self.folder / "data", *self.launch, *more, code=code)


def evaluate(*arguments, code=0):
    command = [GEOLAUNCH, "lcp", "evaluate", "--json", *(str(a) for a in arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == code, (command, result.stdout, result.stderr)
    return json.loads(result.stdout)


def test_allowed(world):
    out = world.evaluate()
    assert out["allowed"] and out["rule"] == "allowed" and out["error"] is None and out["ignored_lists"] == []
    assert out["decisions"]["mle"] == {"outcome": "match", "at": {"policy": "owner", "list": 1, "element": 0}, "index": 0}
    assert out["decisions"]["pconf"]["at"] == {"policy": "owner", "list": 2, "element": 0}
    assert out["decisions"]["stm"]["outcome"] == "no-element"
    assert out["sign_alg_mask"]["value"] == 0x30c8


def denied(out, rule, code):
    assert not out["allowed"] and out["rule"] == rule and out["error"]["code"] == code


def test_other_mle(world):
    world.launch[3] = "sha384:" + hashlib.sha384(b"evil").hexdigest()
    # an element asks for SHA-256, and that was not given
    assert world.evaluate(code=3)["rule"] == "input"
    out = world.evaluate("--mle", "sha256:" + HASHES["sha1"][:24] + HASHES["sha1"], code=6)
    denied(out, "mle-mismatch", "0xc00012e1")
    assert run([GEOLAUNCH, "txt", "decode-error", out["error"]["code"]]).decode().count("launch control policy") == 1


def test_other_pcrs(world):
    PCRS_CHANGED = json.loads(json.dumps(PCRS))
    PCRS_CHANGED["pcrs"]["sha256"]["4"] = "ff" * 32
    world.evaluate()
    (world.folder / "pcrs.json").write_text(json.dumps(PCRS_CHANGED))
    denied(world.again(code=6), "pconf-mismatch", "0xc08012e1")
    # a PCR that the element does not select
    PCRS_CHANGED["pcrs"]["sha256"].update({"4": "04" * 32, "5": "ff" * 32})
    (world.folder / "pcrs.json").write_text(json.dumps(PCRS_CHANGED))
    assert world.again()["allowed"]


def test_old_sinit(world):
    world.launch[1] = 2
    denied(world.evaluate("--mle", "sha256:" + HASHES["sha256"], code=6), "sinit-revoked-element", "0xc0410ae1")


def test_revoked_list(world):
    world.policy[3] = "0,6,2"
    out = world.evaluate("--mle", "sha256:" + HASHES["sha256"], code=6)
    denied(out, "element-disallowed", "0xc0541ee1")
    assert out["ignored_lists"] == [{"policy": "owner", "list": 1, "rule": "list-revoked"}]


def test_algorithm_not_approved(world):
    world.policy += ["--sign-mask", "rsa-2048-sha256,ecdsa-p256"]
    out = world.evaluate("--mle", "sha256:" + HASHES["sha256"], code=6)
    denied(out, "element-disallowed", "0xc0541ee1")
    assert out["ignored_lists"][0]["rule"] == "list-not-approved"


@pytest.mark.parametrize("part", ["elements", "signature", "key"])
def test_tampered_list(part, world):
    """The digest covers unsigned lists and keys; signatures cover the rest."""
    world.evaluate()
    data = bytearray((world.folder / "data").read_bytes())
    second = 36 + (world.folder / "a.lst").stat().st_size
    offset = {"elements": 40, "signature": (world.folder / "b.lst").stat().st_size - 1, "key": 120}[part]
    data[second + offset] ^= 1
    (world.folder / "data").write_bytes(data)
    out = world.again(code=6)
    if part == "key":
        denied(out, "data-digest", "0xc0041ee1")
    else:
        denied(out, "list-signature", "0xc04f1ee1")
    assert out["error"]["minor"] == {"key": 4}.get(part, 15)


def test_a_new_version_of_a_signed_list_needs_no_new_policy(world, keys):
    world.evaluate()
    before = (world.folder / "policy").read_bytes()
    lcp("element", "mle", "-o", world.folder / "new.elt", "--alg", "sha384", "--hash", "00" * 48)
    lcp("list", "create", "--version", "3.0", "--force", "-o", world.folder / "b.lst", world.folder / "new.elt")
    lcp("sign", world.folder / "b.lst", "--key", keys / "rsa3072.pem", "--revocation", 6)
    world.launch[3] = "sha384:" + "00" * 48
    assert world.evaluate()["allowed"]
    assert (world.folder / "policy").read_bytes() == before


def test_mle_file(tmp_path):
    """From tboot to a verdict, without a digest by hand."""
    (tmp_path / "h").write_bytes(lcp("mle-hash", "--cmdline", "logging=serial", TBOOT_GZ))
    lcp("element", "mle", "-o", tmp_path / "e", "--hash-file", tmp_path / "h")
    lcp("list", "create", "-o", tmp_path / "l", tmp_path / "e")
    lcp("data", "create", "-o", tmp_path / "d", tmp_path / "l")
    lcp("policy", "create", "-o", tmp_path / "p", "--type", "list", "--data", tmp_path / "d")
    launch = ["--po", tmp_path / "p", "--po-data", tmp_path / "d", "--sinit-version", 0, "--mle-file", TBOOT_GZ, "--cmdline"]
    assert evaluate(*launch, "logging=serial")["allowed"]
    denied(evaluate(*launch, "logging=none", code=6), "mle-mismatch", "0xc00012e1")
    # the class of older SINITs, which tboot knows
    denied(evaluate(*launch, "logging=none", "--error-class", "0x10", code=6), "mle-mismatch", "0xc0001101")


def test_supplier_and_flags(tmp_path):
    lcp("policy", "create", "-o", tmp_path / "any", "--type", "any", "--min-version", 4)
    lcp("policy", "create", "-o", tmp_path / "forced", "--type", "any", "--owner-enforced")
    sinit = ["--sinit-version", 4]
    assert evaluate(*sinit)["allowed"]
    assert evaluate("--ps", tmp_path / "any", *sinit)["allowed"]
    assert evaluate("--ps", tmp_path / "any", "--sinit-version", 3, code=6)["rule"] == "sinit-revoked-ps"
    assert evaluate("--po", tmp_path / "any", "--sinit-version", 3, code=6)["rule"] == "sinit-revoked-po"
    assert evaluate("--ps", tmp_path / "forced", *sinit, code=6)["rule"] == "po-missing"
    assert evaluate("--ps", tmp_path / "forced", "--po", tmp_path / "any", *sinit)["allowed"]
    assert evaluate(*sinit, "--npw", code=6)["rule"] == "npw-no-policy"
    assert evaluate(*sinit, "--needs-ps", code=6)["rule"] == "ps-missing"
    assert evaluate(*sinit, "--aux-version", 5, code=6)["rule"] == "aux-revoked"
    same = ["--bios", "sha256:" + HASHES["sha256"], "--aux-bios", "sha256:" + HASHES["sha256"]]
    assert evaluate(*sinit, *same)["allowed"]
    assert evaluate(*sinit, *same[:3], "sha256:" + "00" * 32, code=6)["rule"] == "autopromotion"
    # nothing to compare it with
    assert evaluate(*sinit, *same[2:], code=3)["rule"] == "input"
    assert evaluate(*sinit, "--bios", "sha384:" + HASHES["sha384"], *same[2:], code=3)["rule"] == "input"
    assert evaluate(*sinit, "--bios", "sha384:" + HASHES["sha384"], *same)["allowed"]
    lcp("policy", "create", "-o", tmp_path / "old", "--type", "any", "--version", "3.1")
    assert evaluate("--po", tmp_path / "old", *sinit)["allowed"]
    assert evaluate("--po", tmp_path / "old", *sinit, "--checks-aux-mask", code=6)["rule"] == "aux-mask"


def test_stm(tmp_path):
    stm = Element(random.Random(1), "stm", "sha256")
    stm.control = 0
    lcp("data", "create", "-o", tmp_path / "d", make_list(tmp_path, "2.1", [stm]))
    lcp("policy", "create", "-o", tmp_path / "p", "--type", "list", "--data", tmp_path / "d")
    launch = ["--po", tmp_path / "p", "--po-data", tmp_path / "d", "--sinit-version", 0]
    assert evaluate(*launch)["allowed"]
    assert evaluate(*launch, "--stm", "sha256:" + stm.hashes[-1])["decisions"]["stm"]["index"] == len(stm.hashes) - 1
    assert evaluate(*launch, "--stm", "sha256:" + "00" * 32, code=6)["rule"] == "stm-mismatch"


def test_text(world):
    world.evaluate()
    command = ["evaluate", "--po", world.folder / "policy", "--po-data", world.folder / "data", *world.launch]
    assert lcp(*command).decode().startswith("allowed\nmle             owner policy, list 1, element 0, entry 0\n")
    command[command.index("--mle") + 1] = "sha256:" + "00" * 32
    result = subprocess.run([GEOLAUNCH, "lcp", *map(str, command)], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 3 and result.stdout.startswith("open\nrule            input: ")
    command += ["--mle", "sha384:" + "00" * 48]
    result = subprocess.run([GEOLAUNCH, "lcp", *map(str, command)], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 6 and result.stderr == ""
    assert "TXT.ERRORCODE   0xc00012e1: class 0x2e, major 0x04, minor 0x00, list 0\n" in result.stdout


@pytest.mark.parametrize("arguments, text", [
    ([], "either --sinit or"), (["--sinit-version", "1", "--sinit", "x"], "either --sinit or"), (["--sinit-version", "256"], "255"),
    (["--sinit-version", "1", "more"], "only options"), (["--sinit-version", "1", "--mle", "sha256:00"], "64 hexadecimal digits"),
    (["--sinit-version", "1", "--mle", "00"], "an algorithm and a digest"), (["--sinit-version", "1", "--cmdline", "x"], "goes with --mle-file"),
    (["--sinit-version", "1", "--mle-file", "x", "--mle", "sha1:" + HASHES["sha1"]], "either --mle or"),
    (["--sinit-version", "1", "--tcti", "a", "--log", "b"], "more than one place"),
])
def test_usage(arguments, text):
    assert text in refused("evaluate", *arguments, code=2)


def test_sinit_file(tmp_path):
    """Version, algorithms and NPW are read from the module."""
    path = tmp_path / "sinit"
    path.write_bytes(run([ACM_TOOL, "sinit", 1]))
    module = json.loads(run([GEOLAUNCH, "acm", "show", "--json", path]))
    version = module["info"]["acm_version"]
    out = evaluate("--sinit", path)
    assert out["allowed"] and module["tpm"]["algorithms"] == [4, 11, 12]
    assert out["hash_alg_mask"]["names"] == ["sha1", "sha256", "sha384"]
    for least, rule in ((version, "allowed"), (version + 1, "sinit-revoked-po")):
        lcp("policy", "create", "--force", "-o", tmp_path / "p", "--type", "any", "--min-version", least)
        assert evaluate("--po", tmp_path / "p", "--sinit", path, code=6 if rule != "allowed" else 0)["rule"] == rule
    # Flags, bits 14 and 15: pre-production, debug-signed
    for bit in (0x40, 0x80):
        raw = bytearray(path.read_bytes())
        raw[15] |= bit
        (tmp_path / "npw").write_bytes(raw)
        assert evaluate("--sinit", tmp_path / "npw", code=6)["rule"] == "npw-no-policy"
    (tmp_path / "no").write_bytes(b"no module")
    assert str(tmp_path / "no") in refused("evaluate", "--sinit", tmp_path / "no")


# ---- the document


def rows():
    for line in (TOP / "docs/LCP-EVALUATION.md").read_text().splitlines():
        if line.startswith("| ") and not line.startswith(("| rule ", "| statement ")):
            yield [c.strip() for c in line.strip("|").split(" | ")]


def test_document_has_every_rule():
    rules = {r["rule"]: r for r in json.loads(lcp("evaluate", "--rules", "--json"))}
    table = {r[0]: r for r in rows() if len(r) == 6}
    assert list(table) == list(rules)
    for name, (_, text, error, source, deduced, _) in table.items():
        rule = rules[name]
        assert text == rule["text"]
        assert (deduced == "yes") == rule["deduced"]
        if name == "input":
            continue
        pairs = [f"0x{rule[o]['major']:02x}/0x{rule[o]['minor']:02x}" for o in ("owner", "supplier")]
        prefix = "" if rule["class"] == 0x2e else f"class 0x{rule['class']:02x}: "
        assert error == prefix + ", ".join(dict.fromkeys(pairs)), name
        assert source == re.sub(r"Intel NP-SEAMLDR 1.5 Core/Include/|Intel TXT | 315168-016", "", rule["source"]), name
    assert lcp("evaluate", "--rules").decode().count("\n") == len(rules)


def test_document_names_tests_that_exist():
    files = [(TOP / f"tests/unit/{n}.c").read_text() for n in ("test_lcp_evaluate", "test_lcp_evaluate_both")]
    for row in rows():
        for name in row[-1].split(", "):
            assert any(f"static void {name.rstrip(' |')}(" in text for text in files), name
    # and every case of the first is in the table
    named = {name for row in rows() for name in row[-1].rstrip(" |").split(", ")}
    assert set(re.findall(r'^\t\{ "(\w+)", \1, LCP_RULE', files[0], re.M)) <= named
