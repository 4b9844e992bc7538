# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch provision` against a real swtpm: what it makes is read back by tpm2-tools, and it survives being killed at any TPM command."""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

import oracles
from build_model import BASE, build, geo_tag, make_inputs, variant
from swtpm import Swtpm
from tpm_cut import Cut
from txt_model import TXT, make_txt_inputs, txt_variant

TOP = Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))
ACM_TOOL = os.environ.get("ACM_TOOL", str(TOP / "build/host/acm_tool"))
LCP2_CRTPOL = oracles.tool("lcp2_crtpol")
GEO = 0x01C10110
# by index set: error, vlp, lcp
SETS = {0: (0x01200002, 0x01200001, 0x01400001), 1: (0x01C10132, 0x01C10131, 0x01C10106)}
WRITTEN = 1 << 29
ATTRIBUTES = {"error": 0x02040004, "geo": 0x02042002, "vlp": 0x02040002, "lcp": 0x0204000A}


@pytest.fixture
def tpm():
    t = Swtpm()
    yield t
    t.close()


def vlp(entries, alg=11, kind=2):
    out = struct.pack("<BBBIIB", 2, kind, alg, 1, 0, len(entries))
    for module, pcr, nv_index, hashes in entries:
        out += struct.pack("<BBBIB", module, pcr, 1 if hashes else 0, nv_index, len(hashes)) + b"".join(hashes)
    return out


SMALL = vlp([(0, 255, 0, []), (1, 19, 0, [b"\x11" * 32])])
# two pieces of a TPM whose NV buffer has 1024 bytes
LARGE = vlp([(n, 19, 0, [bytes([n + 1]) * 64] * 4) for n in range(5)], alg=13)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Everything that can be provisioned, made once."""
    f = tmp_path_factory.mktemp("provision")
    make_inputs(f / "in")
    make_txt_inputs(f / "in")
    assert build(f / "in", TXT).returncode == 0
    # most tests tell the index set; the host has the module in its firmware
    (f / "in/out/esp/EFI/geolaunch/sinit").unlink()
    assert build(f / "in", BASE, out="direct").returncode == 0
    for name, alg in [("any.pol", "sha256"), ("any384.pol", "sha384")]:
        subprocess.run([LCP2_CRTPOL, "--create", "--type", "any", "--alg", alg, "--mask", alg, "--auxalg", "sha256", "--sign", "0x40",
                        "--pol", f / name], check=True, capture_output=True, timeout=60)
    (f / "small.vlp").write_bytes(SMALL)
    (f / "large.vlp").write_bytes(LARGE)
    (f / "tag").write_bytes(geo_tag({"country": "FR"}))
    for index_set in SETS:
        p = subprocess.run([ACM_TOOL, "sinit", str(index_set)], check=True, capture_output=True, timeout=60)
        (f / f"sinit{index_set}.bin").write_bytes(p.stdout)
    return f


def provision(tpm, *args, **more):
    tcti = ["--tcti", tpm.tcti] if tpm else []
    return subprocess.run([GEOLAUNCH, "provision", *map(str, args), *tcti], capture_output=True, text=True, timeout=60, **more)


WARNING = "geolaunch provision: warning: the owner's password is empty: "


def quiet(done):
    """Nothing on standard error but that the owner has no password, as in most of these tests."""
    return done.stderr == "" or (done.stderr.startswith(WARNING) and done.stderr.count("\n") == 1)


def ok(tpm, *args):
    done = provision(tpm, *args)
    assert done.returncode == 0 and quiet(done), done
    return done.stdout


def actions(tpm, *args, code=0):
    """use: action"""
    done = provision(tpm, *args, "--json")
    assert done.returncode == code and quiet(done), done
    return {i["use"]: i["action"] for i in json.loads(done.stdout)["indices"]}


def one_line(done, code):
    assert done.returncode == code, done
    assert done.stdout == ""
    assert done.stderr.startswith("geolaunch provision: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def indices(tpm):
    """{index: (attributes, size, name)} as tpm2-tools see them."""
    text = tpm.tool("tpm2_nvreadpublic").stdout.decode()
    return {int(i, 16): (int(a, 16), int(s), n) for i, n, a, s in
            re.findall(r"^(0x[0-9a-f]+):\n  name: (\w+)\n.*?value: 0xB\n  attributes:\n.*?value: (0x\w+)\n  size: (\d+)", text, re.M | re.S)}


def content(tpm, index):
    return tpm.tool("tpm2_nvread", hex(index)).stdout


def everything(files, index_set=1):
    return [files / "in/out", "--index-set", index_set, "--lcp", files / "any.pol", "--error-index"]


# ---------------------------------------------------------------- what it makes


@pytest.mark.parametrize("index_set", SETS)
def test_everything(tpm, files, index_set):
    args = everything(files, index_set)
    error, policy, owner = SETS[index_set]
    assert actions(tpm, *args) == dict.fromkeys(["error", "geo", "vlp", "lcp"], "define")
    made = indices(tpm)
    expected = {error: ("error", bytes([1, 0, 0, 0, 0, 0, 0, 0])), GEO: ("geo", geo_tag(BASE["geo"]["tag"])),
                policy: ("vlp", (files / "in/out/esp/EFI/geolaunch/policy.vlp").read_bytes()),
                owner: ("lcp", (files / "any.pol").read_bytes())}
    assert made.keys() == expected.keys()
    for index, (use, data) in expected.items():
        attributes, size, name = made[index]
        assert (attributes, size) == (ATTRIBUTES[use] | WRITTEN, len(data))
        public = struct.pack(">IHIHH", index, 11, attributes, 0, len(data))
        assert name == "000b" + hashlib.sha256(public).hexdigest()
        # with the index's own empty password, as tboot reads it
        assert content(tpm, index) == data
    # again: nothing is done
    assert actions(tpm, *args) == dict.fromkeys(["error", "geo", "vlp", "lcp"], "keep")
    assert json.loads(ok(tpm, *args, "--json"))["changed"] is False
    assert ok(tpm, *args, "--check").count("equal") == 4
    assert indices(tpm) == made


def test_geo_command_agrees(tpm, files):
    """`geo define` and `geo write` make the same index."""
    ok(tpm, files / "in/out", "--no-vlp")
    done = subprocess.run([GEOLAUNCH, "geo", "define", "--json", "--tcti", tpm.tcti], capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["changed"] is False
    # a locked one is kept as long as it holds the same
    subprocess.run([GEOLAUNCH, "geo", "lock", "--tcti", tpm.tcti], check=True, capture_output=True, timeout=60)
    assert actions(tpm, files / "in/out", "--no-vlp") == {"geo": "keep"}
    assert "locked, and other content" in one_line(provision(tpm, "--geo", files / "tag"), 5)
    assert actions(tpm, "--geo", files / "tag", "--replace") == {"geo": "redefine"}
    assert content(tpm, GEO) == geo_tag({"country": "FR"})


def test_tboot_may_write_its_error(tpm, files):
    ok(tpm, "--error-index", "--index-set", 1)
    tpm.tool("tpm2_nvwrite", "0x01c10132", "-i", "-", data=struct.pack("<I", 9))
    assert content(tpm, 0x01C10132) == struct.pack("<II", 9, 0)
    assert actions(tpm, "--error-index", "--index-set", 1) == {"error": "keep"}
    ok(tpm, "--error-index", "--index-set", 1, "--check")


@pytest.mark.parametrize("index_set", SETS)
def test_set_of_sinit(tpm, files, index_set):
    sinit = files / f"sinit{index_set}.bin"
    assert f"index set {index_set}, as the SINIT module says\n" in ok(tpm, "--vlp", files / "small.vlp", "--sinit", sinit)
    assert indices(tpm).keys() == {SETS[index_set][1]}
    ok(tpm, "--vlp", files / "small.vlp", "--sinit", sinit, "--index-set", index_set)
    other = provision(tpm, "--vlp", files / "small.vlp", "--sinit", sinit, "--index-set", 1 - index_set)
    assert f"uses index set {index_set}" in one_line(other, 3)


@pytest.mark.parametrize("index_set", SETS)
def test_set_of_the_builds_sinit(tpm, files, tmp_path, index_set):
    """Nothing tells the set but the module that the build has for the host."""
    out = tmp_path / "out"
    shutil.copytree(files / "in/out", out)
    shutil.copy(files / f"sinit{index_set}.bin", out / "esp/EFI/geolaunch/sinit")
    assert f"index set {index_set}, as the SINIT module says\n" in ok(tpm, out)
    assert SETS[index_set][1] in indices(tpm) and SETS[1 - index_set][1] not in indices(tpm)
    # Told the same, or otherwise: the policy would lie where nobody looks.
    before = indices(tpm)
    ok(tpm, out, "--index-set", index_set)
    for more in ([], ["--dry-run"], ["--check"], ["--replace"], ["--dry-run", "--tcti", "none"]):
        line = one_line(provision(None if "--tcti" in more else tpm, out, "--index-set", 1 - index_set, *more), 3)
        assert f"the build's SINIT module uses index set {index_set}, but --index-set says {1 - index_set}: " in line
        assert "name the module that the host uses with --sinit" in line
    assert indices(tpm) == before
    # The host's own module counts more, and one that says nothing about sets does not matter.
    assert f"index set {1 - index_set}, as the SINIT module says\n" in ok(tpm, out, "--sinit", files / f"sinit{1 - index_set}.bin")
    assert "leave out --index-set" in one_line(provision(tpm, out, "--no-vlp", "--index-set", 1 - index_set), 2)
    assert f"uses index set {index_set}" in one_line(provision(tpm, out, "--sinit", files / f"sinit{index_set}.bin", "--index-set",
                                                               1 - index_set), 3)
    (out / "esp/EFI/geolaunch/sinit").write_bytes(b"no module")
    assert "no authenticated code module" in one_line(provision(tpm, out), 3)
    ok(tpm, out, "--no-vlp")
    ok(tpm, out, "--index-set", 1 - index_set)


# ---------------------------------------------------------------- a build for direct mode


def test_direct_mode_needs_the_geo_tag_alone(tpm, files):
    out = files / "in/direct"
    text = ok(tpm, out)
    assert "index set" not in text and text.endswith("vlp    not for the TPM: in direct mode geolaunch.efi obeys policy.vlp on the EFI system partition\n")
    assert indices(tpm).keys() == {GEO} and content(tpm, GEO) == geo_tag(BASE["geo"]["tag"])
    assert actions(tpm, out) == {"geo": "keep"}
    assert ok(tpm, out, "--no-vlp").count("\n") == 1
    for more in (["--index-set", 1], ["--sinit", files / "sinit1.bin"]):
        line = one_line(provision(tpm, out, *more), 2)
        assert f"this build is for direct mode, in which geolaunch.efi obeys the policy on the EFI system partition: no index set is used: leave out {more[0]}" in line
    # asked for in so many words
    policy = out / "esp/EFI/geolaunch/policy.vlp"
    assert actions(tpm, out, "--vlp", policy, "--index-set", 1) == {"geo": "keep", "vlp": "define"}
    assert actions(tpm, out, "--error-index", "--index-set", 1) == {"error": "define", "geo": "keep"}


def test_direct_mode_without_a_tag(tpm, files, tmp_path):
    make_inputs(tmp_path / "in")
    manifest = variant()
    del manifest["geo"]
    assert build(tmp_path / "in", manifest).returncode == 0
    assert "direct mode and has no geo tag: it needs nothing in the TPM" in one_line(provision(tpm, tmp_path / "in/out"), 2)


def test_mode_is_not_guessed(tpm, files, tmp_path):
    shutil.copytree(files / "in/direct", tmp_path / "out")
    (tmp_path / "out/expected.json").write_text("{")
    assert "expected.json" in one_line(provision(tpm, tmp_path / "out"), 3)


def test_geo_index_is_the_policys(tpm, files, tmp_path):
    digest = hashlib.sha256(geo_tag({"country": "FR"})).digest()
    (tmp_path / "vlp").write_bytes(vlp([(0, 255, 0, []), (130, 22, 0x01800042, [digest])]))
    ok(tpm, "--vlp", tmp_path / "vlp", "--geo", files / "tag", "--index-set", 1)
    assert indices(tpm).keys() == {0x01800042, 0x01C10131}
    ok(tpm, "--no-vlp", "--geo", files / "tag", "--geo-index", "0x01800043")
    assert 0x01800043 in indices(tpm)


@pytest.mark.parametrize("index_set", SETS)
@pytest.mark.parametrize("other", range(3))
def test_geo_index_of_another_use(tpm, files, index_set, other):
    """Refused before anything is written; where the other is not written, it is nobody's business."""
    index, name = SETS[index_set][other], ["error", "vlp", "lcp"][other]
    what = (["--error-index"], ["--vlp", files / "small.vlp"], ["--lcp", files / "any.pol"])
    geo = ["--geo", files / "tag", "--geo-index", hex(index)]
    for more in ([], ["--replace"], ["--check"], ["--dry-run"]):
        line = one_line(provision(tpm, *what[other], *geo, "--index-set", index_set, *more), 3)
        assert f"NV index 0x{index:08x} cannot be both" in line and f"the {name} index" in line and "the geo index" in line
    assert indices(tpm) == {}
    ok(tpm, *what[other], *geo, "--index-set", 1 - index_set)
    # the policy's own entry says it, too
    digest = hashlib.sha256((files / "tag").read_bytes()).digest()
    (files / "own.vlp").write_bytes(vlp([(0, 255, 0, []), (130, 22, SETS[index_set][1], [digest])]))
    assert "cannot be both" in one_line(provision(tpm, "--vlp", files / "own.vlp", "--geo", files / "tag", "--index-set", index_set), 3)


def test_geo_index_that_the_policy_does_not_measure(tpm, files, tmp_path):
    line = one_line(provision(tpm, files / "in/direct", "--geo-index", "0x01800043"), 3)
    assert "--geo-index 0x01800043: the policy measures NV index 0x01c10110, and not that one" in line
    assert indices(tpm) == {}
    ok(tpm, files / "in/direct", "--geo-index", hex(GEO))
    # one that measures none leaves the choice
    ok(tpm, "--vlp", files / "small.vlp", "--index-set", 1, "--geo", files / "tag", "--geo-index", "0x01800043")


def test_options_that_would_be_ignored(tpm, files):
    for more in (["--vlp", files / "small.vlp", "--index-set", 1], ["--error-index", "--index-set", 1], []):
        line = one_line(provision(tpm, *more, "--geo-index", "0x01800043"), 2)
        assert "--geo-index 0x01800043: there is no geo content to write: name it with --geo" in line
    for option in (["--index-set", 1], ["--sinit", files / "sinit1.bin"]):
        line = one_line(provision(tpm, "--geo", files / "tag", *option), 2)
        assert f"no index set is used: leave out {option[0]}" in line
    assert indices(tpm) == {}


def test_what_needs_an_index_set(tpm, files):
    direct, vlp = files / "in/direct", ["--vlp", files / "small.vlp"]
    tell = "name the host's SINIT module with --sinit, or tell 0 or 1 with --index-set"
    for args, words in (([direct, "--no-vlp", "--error-index"], f"--error-index needs one: {tell}\n"),
                        ([direct, "--error-index"], f"--error-index needs one: {tell}\n"),
                        ([*vlp, "--error-index"], f"the policy needs one: {tell}\n"), (vlp, f"the policy needs one: {tell}\n"),
                        ([direct, *vlp], f"the policy needs one: {tell}\n"),
                        ([files / "in/out"], f"the policy needs one: {tell} (only the geo index: --no-vlp)\n"),
                        (["--lcp", files / "any.pol"], f"the launch control policy needs one: {tell}\n")):
        assert one_line(provision(tpm, *args), 2).endswith("which index set? " + words)
    assert indices(tpm) == {}


def test_nv_raw(tpm, files, tmp_path):
    tag = hashlib.sha256(b"tag").digest()
    (tmp_path / "tag").write_bytes(tag)
    (tmp_path / "vlp").write_bytes(vlp([(0, 255, 0, []), (131, 22, GEO, [tag])]))
    ok(tpm, "--vlp", tmp_path / "vlp", "--geo", tmp_path / "tag", "--index-set", 1)
    (tmp_path / "tag").write_bytes(tag[:-1])
    assert "32, 48 or 64 bytes" in one_line(provision(tpm, "--vlp", tmp_path / "vlp", "--geo", tmp_path / "tag", "--index-set", 1), 3)


# ---------------------------------------------------------------- an index that holds something else


def test_replace(tpm, files):
    ok(tpm, "--vlp", files / "small.vlp", "--index-set", 1, "--geo", files / "in/tag-64")
    before = indices(tpm)
    args = everything(files)
    line = one_line(provision(tpm, *args), 5)
    assert "NV index 0x01c10110 (geo) is not as wanted: other content; nothing was changed: --replace changes it" in line
    # nothing at all was done, also not what was possible
    assert indices(tpm) == before and content(tpm, GEO) == (files / "in/tag-64").read_bytes()
    assert actions(tpm, *args, "--check", code=5) == {"error": "define", "geo": "rewrite", "vlp": "redefine", "lcp": "define"}
    assert actions(tpm, *args, "--dry-run", code=5) == {"error": "define", "geo": "rewrite", "vlp": "redefine", "lcp": "define"}
    assert indices(tpm) == before
    assert actions(tpm, *args, "--dry-run", "--replace") == {"error": "define", "geo": "rewrite", "vlp": "redefine", "lcp": "define"}
    assert indices(tpm) == before
    ok(tpm, *args, "--replace")
    ok(tpm, *args, "--check")


@pytest.mark.parametrize("attributes, args, reason", [
    ("ownerwrite|authread|no_da|ppwrite", [], "other attributes"),
    ("ownerwrite|authread", [], "other attributes"),
    ("ownerwrite|ownerread|no_da", [], "other attributes"),
    ("ownerwrite|authread|no_da", ["-p", "pw"], "a password"),
    ("ownerwrite|authread|no_da", ["-g", "sha384"], "another name algorithm"),
    ("ownerwrite|authread|no_da", ["-L", "policy"], "a policy"),
])
def test_same_content_is_not_enough(tpm, files, tmp_path, attributes, args, reason):
    (tmp_path / "policy").write_bytes(bytes(32))
    tpm.tool("tpm2_nvdefine", "0x01c10131", "-C", "o", "-s", str(len(SMALL)), "-a", attributes,
             *(str(tmp_path / a) if a == "policy" else a for a in args))
    tpm.tool("tpm2_nvwrite", "0x01c10131", "-C", "o", "-i", "-", data=SMALL)
    wanted = ["--vlp", files / "small.vlp", "--index-set", 1]
    assert f": {reason}; nothing" in one_line(provision(tpm, *wanted), 5)
    assert f"differs ({reason})" in provision(tpm, *wanted, "--check").stdout
    assert actions(tpm, *wanted, "--replace") == {"vlp": "redefine"}
    assert content(tpm, 0x01C10131) == SMALL and indices(tpm)[0x01C10131][0] == ATTRIBUTES["vlp"] | WRITTEN


def test_platform_created(tpm, files):
    tpm.tool("tpm2_nvdefine", "0x01c10131", "-C", "p", "-s", str(len(SMALL)), "-a", "platformcreate|ppwrite|authread|no_da")
    for more in ([], ["--replace"]):
        line = one_line(provision(tpm, "--vlp", files / "small.vlp", "--index-set", 1, *more), 5)
        assert "made by the platform's firmware" in line and "--replace" not in line


def test_check_needs_no_password_and_changes_nothing(tpm, files):
    ok(tpm, *everything(files))
    tpm.tool("tpm2_changeauth", "-c", "owner", "s3cret")
    before = indices(tpm)
    ok(tpm, *everything(files), "--check")
    assert indices(tpm) == before
    # an empty TPM differs
    tpm.tool("tpm2_nvundefine", hex(GEO), "-C", "o", "-P", "s3cret")
    assert "differs (not defined)" in provision(tpm, *everything(files), "--check").stdout


# ---------------------------------------------------------------- owner password, TPM errors


def test_owner_password(tpm, files, tmp_path):
    secret = tmp_path / "auth"
    secret.write_text("s3cret\n")
    tpm.tool("tpm2_changeauth", "-c", "owner", "s3cret")
    assert "TPM_RC_BAD_AUTH" in one_line(provision(tpm, *everything(files)), 4)
    assert indices(tpm) == {}
    ok(tpm, *everything(files), "--owner-auth", secret)
    ok(tpm, *everything(files), "--check")
    # nothing to do: nobody is asked
    ok(tpm, *everything(files), "--owner-auth", tmp_path / "nowhere")


def test_too_large_for_the_tpm(tpm, tmp_path):
    """tboot takes 2124 bytes, but swtpm's indices end at 2048."""
    (tmp_path / "vlp").write_bytes(vlp([(n, 19, 0, [bytes([n + 1]) * 64] * 4) for n in range(8)], alg=13))
    assert "cannot have 2124 bytes" in one_line(provision(tpm, "--vlp", tmp_path / "vlp", "--index-set", 1), 4)


def test_no_tpm(files):
    line = one_line(provision(None, *everything(files), "--tcti", "swtpm:path=/nowhere"), 4)
    assert "no TPM" in line and "SOCKET.ctrl" in line


def test_empty_owner_password(tpm, files, tmp_path):
    """Told when something was written, and not otherwise."""
    def run(*args):
        done = provision(tpm, *everything(files), *args, "--json")
        return json.loads(done.stdout)["owner_password_empty"], done.stderr

    assert run("--dry-run") == (True, "")
    empty, line = run()
    assert empty is True and line.startswith(WARNING) and "'tpm2_changeauth -c owner file:FILE', FILE without a line end (printf %s)" in line and line.count("\n") == 1
    assert run() == (True, "") and run("--check") == (True, "")
    clear(tpm)
    secret = tmp_path / "secret"
    secret.write_text("of the owner")
    tpm.tool("tpm2_changeauth", "-c", "owner", f"file:{secret}")
    assert run("--owner-auth", secret) == (False, "")
    assert set(indices(tpm)) == {*SETS[1], GEO}


# ---------------------------------------------------------------- dry run


def test_dry_run_without_a_tpm(files):
    done = provision(None, *everything(files), "--dry-run", "--tcti", "none", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert (report["index_set"], report["dry_run"], report["changed"], report["owner_password_empty"]) == (1, True, False, None)
    for i in report["indices"]:
        size = {"error": 8, "geo": 64, "vlp": i["size"], "lcp": 70}[i["use"]]
        assert i["action"] == "define" and i["policy"] is None and i["size"] == size
        assert i["public_area"] == struct.pack(">IHIHH", int(i["index"], 16), 11, ATTRIBUTES[i["use"]], 0, size).hex()
    text = provision(None, *everything(files), "--dry-run", "--tcti", "none").stdout
    assert "public area 01c10106000b0204000a00000046\n" in text
    assert "lcp    0x01c10106    70 bytes  define (not defined)\n" in text


def test_dry_run_changes_nothing(tpm, files):
    assert set(actions(tpm, *everything(files), "--dry-run").values()) == {"define"}
    assert indices(tpm) == {}


# ---------------------------------------------------------------- killed at any TPM command


def clear(tpm):
    for index in indices(tpm):
        tpm.tool("tpm2_nvundefine", hex(index), "-C", "o")


def argv(*args):
    return [GEOLAUNCH, "provision", *map(str, args)]


def first_time(files):
    return ["--vlp", files / "large.vlp", "--lcp", files / "any.pol", "--geo", files / "tag", "--error-index", "--index-set", 1]


def prepare_nothing(tpm, _):
    clear(tpm)


def prepare_others(tpm, files):
    """Everything is there, but otherwise: content, size and attributes."""
    clear(tpm)
    ok(tpm, "--geo", files / "in/tag-64", "--lcp", files / "any384.pol", "--index-set", 1)
    tpm.tool("tpm2_nvdefine", "0x01c10131", "-C", "o", "-s", str(len(LARGE)), "-a", "ownerwrite|authread|no_da|ppwrite")
    tpm.tool("tpm2_nvdefine", "0x01c10132", "-C", "o", "-s", "4", "-a", "ownerwrite|authread|authwrite|no_da")


@pytest.mark.parametrize("prepare, more, least", [(prepare_nothing, [], 24), (prepare_others, ["--replace"], 26)])
@pytest.mark.parametrize("answered", [False, True])
def test_killed(tpm, files, prepare, more, least, answered):
    args = [*first_time(files), *more]
    cut = Cut(tpm)
    prepare(tpm, files)
    code, total = cut.run(argv(*args))
    assert code == 0 and total >= least, (code, total, cut.err)
    states = set()
    for at in range(1, total + 1):
        prepare(tpm, files)
        code, seen = cut.run(argv(*args), at=at, answered=answered)
        assert (code, seen) == (-9, at)
        states.add(tuple(sorted(indices(tpm).items())))
        # without being told anything new
        ok(tpm, *args)
        ok(tpm, *first_time(files), "--check")
    # it really was stopped in many different states
    assert len(states) > 8


# ---------------------------------------------------------------- inputs, usage


def test_index_set_is_asked_for(tpm, files):
    line = one_line(provision(tpm, files / "in/out"), 2)
    assert "--sinit" in line and "--index-set" in line and "--no-vlp" in line
    assert indices(tpm) == {}


@pytest.mark.parametrize("args, words", [
    (["in"], "no output of 'geolaunch build'"),
    (["--vlp", "in/tag-64"], "policy cannot be used"),
    (["--lcp", "in/tag-64"], "launch control policy cannot be used"),
    (["--lcp", "old.pol"], "launch control policy is for TPM 1.2"),
    (["--geo", "in/empty", "--no-vlp"], "empty"),
    (["--geo", "in/tag-4097"], "tag-4097"),
    (["--vlp", "small.vlp", "--sinit", "in/vmm"], "no authenticated code module"),
    (["--vlp", "small.vlp", "--sinit", "bios.bin"], "no SINIT module, but BIOS"),
    (["--vlp", "small.vlp", "--sinit", "old.bin"], "says nothing about TPMs"),
    (["--vlp", "small.vlp", "--sinit", "tpm12.bin"], "does not support TPM 2.0"),
    (["in/out", "--geo", "tag"], "demands another content of NV index 0x01c10110"),
    (["no-geo"], "its content is not there"),
])
def test_bad_input(files, args, words):
    folder = files / "bad"
    if not folder.exists():
        folder.mkdir()
        sinit = bytearray((files / "sinit1.bin").read_bytes())
        tpm_list = struct.unpack_from("<I", sinit, 1216 + 44)[0]
        for name, at, value in [("bios.bin", 1216 + 16, 0), ("old.bin", 1216 + 17, 4), ("tpm12.bin", tpm_list, 1 << 2 | 3)]:
            changed = bytearray(sinit)
            changed[at] = value
            (folder / name).write_bytes(changed)
        (folder / "old.pol").write_bytes(struct.pack("<HBBBB8HIBBHI", 0x0202, 0, 1, 0, 0, *[0] * 8, 0, 0, 0, 0, 0) + bytes(20))
        (folder / "no-geo/esp/EFI/geolaunch").mkdir(parents=True)
        (folder / "no-geo/esp/EFI/geolaunch/policy.vlp").write_bytes((files / "in/out/esp/EFI/geolaunch/policy.vlp").read_bytes())
    found = [str(next((f / a for f in (folder, files) if not a.startswith("-") and (f / a).exists()), a)) for a in args]
    more = [] if "--sinit" in args else ["--index-set", "1"]
    assert words in one_line(provision(None, *found, *more, "--dry-run", "--tcti", "none"), 3)


def test_missing_file(files):
    assert "nowhere" in one_line(provision(None, "--vlp", files / "nowhere", "--index-set", 1, "--dry-run", "--tcti", "none"), 1)


@pytest.mark.parametrize("args", [
    [], ["a", "b"], ["--index-set", "2"], ["--index-set", "x"], ["--geo-index", "0x40000010"], ["--geo-index", "x"],
    ["--check", "--dry-run"], ["--check", "--replace"], ["--vlp", "x", "--no-vlp"], ["--geo", "x", "--no-geo"],
    ["--geo-index", "0x01c10110", "--no-geo"], ["--vlp", "x", "--tcti", "none"], ["--what"], ["--vlp"],
])
def test_usage(args):
    one_line(provision(None, *args), 2)


def test_old_build_without_geo(tpm, files, tmp_path):
    """A build whose policy measures no index has no geo.bin, and none is wanted."""
    make_inputs(tmp_path / "in")
    make_txt_inputs(tmp_path / "in")
    manifest = txt_variant()
    del manifest["geo"]
    assert build(tmp_path / "in", manifest).returncode == 0
    assert not (tmp_path / "in/out/geo.bin").exists()
    assert actions(tpm, tmp_path / "in/out", "--index-set", 1) == {"vlp": "define"}
