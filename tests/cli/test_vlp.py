# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch vlp`: what the comparison with tb_polgen (test_vlp_tb_polgen.py) does not reach."""

import hashlib
import json
import os
import re
import stat
import struct
import subprocess

import oracles
import pytest

from build_model import BASE, Model, build, make_inputs, variant
from vlp_model import ALGS, ANY, GEOLAUNCH, MAX_SIZE, NO_PCR, NV, NV_RAW, TOP, entry, header, module_hash, policy, vlp

H = [bytes([i]) * 32 for i in range(4)]
GOOD = policy(entry(0, NO_PCR), entry(1, 19, hashes=[H[1], H[2]]), entry(ANY, 21), entry(NV, 22, nv_index=0x01C10110, hashes=[H[3]]))
BARE = policy(entry(0, NO_PCR), entry(1, 19, hashes=[H[1]]))  # nothing to warn of


@pytest.fixture
def path(tmp_path):
    (tmp_path / "p").write_bytes(GOOD)
    return tmp_path / "p"


# ---- show ----

def test_show_json(path):
    assert json.loads(vlp("show", "--json", path).stdout) == {
        "version": 2, "policy_type": "halt", "hash_alg": "sha256", "policy_control": 1, "extend_pcr17": True, "reserved": 0,
        "size": len(GOOD), "num_entries": 4,
        "entries": [
            {"module": 0, "mod_num": 0, "pcr": None, "hash_type": "any", "nv_index": None, "num_hashes": 0, "hashes": []},
            {"module": 1, "mod_num": 1, "pcr": 19, "hash_type": "image", "nv_index": None, "num_hashes": 2,
             "hashes": [H[1].hex(), H[2].hex()]},
            {"module": "any", "mod_num": 129, "pcr": 21, "hash_type": "any", "nv_index": None, "num_hashes": 0, "hashes": []},
            {"module": "nv", "mod_num": 130, "pcr": 22, "hash_type": "image", "nv_index": "0x01c10110", "num_hashes": 1,
             "hashes": [H[3].hex()]},
        ],
    }


@pytest.mark.parametrize("alg", ALGS)
def test_show_json_algorithms(alg, tmp_path):
    digest = hashlib.new(alg, b"x").digest()
    (tmp_path / "p").write_bytes(policy(entry(NV_RAW, 22, nv_index=0x01C10110, hashes=[digest]), alg=ALGS[alg], kind=1, control=0))
    shown = json.loads(vlp("show", "--json", tmp_path / "p").stdout)
    assert (shown["hash_alg"], shown["policy_type"], shown["extend_pcr17"]) == (alg, "continue", False)
    assert shown["entries"][0]["module"] == "nv_raw" and shown["entries"][0]["hashes"] == [digest.hex()]


def test_show_what_is_unsound(path):
    """Values that nobody knows are shown as numbers: who looks for a fault needs to see it."""
    path.write_bytes(policy(entry(77, 24, 5), entry(200, 99, nv_index=7), kind=9, control=6, version=3, reserved=1))
    shown = json.loads(vlp("show", "--json", path).stdout)
    assert (shown["version"], shown["policy_type"], shown["policy_control"], shown["reserved"]) == (3, 9, 6, 1)
    assert (shown["entries"][0]["hash_type"], shown["entries"][1]["module"], shown["entries"][1]["nv_index"]) == (5, 200, "0x00000007")
    assert "unknown" in vlp("show", path).stdout


@pytest.mark.parametrize("content", [b"", GOOD[:-1], GOOD[:11], GOOD + b"\0", b"x" * 4096])
def test_no_policy(content, path):
    path.write_bytes(content)
    for verb in ("show", "add", "del", "create"):
        options = {"add": ["--num", 1, "--pcr", 17, "--hash", "any"], "del": ["--num", 1], "create": ["--update"]}.get(verb, [])
        assert "not a policy" in vlp(verb, *options, path, code=3).stderr
    assert path.read_bytes() == content


def test_largest_file(path):
    """255 entries with 255 hashes are far more than anybody takes; 64 KiB are read."""
    path.write_bytes(policy(*(entry(i, 17, hashes=[H[0]] * 14) for i in range(128))))
    assert path.stat().st_size < 65536
    assert len(vlp("show", path).stdout) > 100000
    path.write_bytes(bytes(65537))
    assert "larger than 65536" in vlp("show", path, code=3).stderr


# ---- create, add, del ----

def test_create_defaults(tmp_path):
    vlp("create", "--type", "halt", tmp_path / "p")
    assert (tmp_path / "p").read_bytes() == header(0)


def test_given_hashes(tmp_path):
    """Hashes and images in one call stand in the order of the call."""
    p = tmp_path / "p"
    (tmp_path / "image").write_bytes(b"image")
    vlp("create", "--type", "halt", p)
    vlp("add", "--num", 3, "--pcr", 20, "--hash", H[1].hex(), "--image", tmp_path / "image", "--cmdline", "a b",
        "--hash", H[2].hex().upper(), p)
    assert p.read_bytes() == policy(entry(3, 20, hashes=[H[1], module_hash("sha256", "a b", b"image"), H[2]]))
    # without --pcr an entry keeps its own
    vlp("add", "--num", 3, "--hash", H[3].hex(), p)
    assert json.loads(vlp("show", "--json", p).stdout)["entries"][0]["pcr"] == 20


def test_places(tmp_path):
    p = tmp_path / "p"
    vlp("create", "--type", "halt", p)
    for module, at in ((1, None), (2, 0), (3, 1), (4, 3)):
        vlp("add", "--num", module, "--pcr", 17, "--hash", "any", *([] if at is None else ["--at", at]), p)
    assert p.read_bytes() == policy(entry(2, 17), entry(3, 17), entry(1, 17), entry(4, 17))
    vlp("add", "--num", 5, "--pcr", 17, "--hash", "any", "--at", 5, p, code=2)
    assert "its number is 2" in vlp("add", "--num", 1, "--pcr", 17, "--hash", "any", "--at", 0, p, code=2).stderr
    # an entry for any module in front of others
    assert "behind the one for any module" in vlp("add", "--num", "any", "--pcr", 17, "--hash", "any", "--at", 0, p, code=3).stderr


def test_delete(path):
    vlp("del", "--num", 1, "--pos", 0, path)
    assert path.read_bytes() == policy(entry(0, NO_PCR), entry(1, 19, hashes=[H[2]]), entry(ANY, 21),
                                       entry(NV, 22, nv_index=0x01C10110, hashes=[H[3]]))
    vlp("del", "--num", 1, "--pos", 0, path)
    vlp("del", "--num", "any", path)
    vlp("del", "--nv-index", "0x01c10110", path)
    assert path.read_bytes() == policy(entry(0, NO_PCR))
    assert "no entry for any module" in vlp("del", "--num", "any", path, code=3).stderr
    assert "no entry for nv 0x01c10110" in vlp("del", "--nv-index", "0x01c10110", path, code=3).stderr


@pytest.mark.parametrize("args", [["--num", 1], ["--num", 1, "--all"], ["--num", 1, "--pos", 0]])
def test_only_entry_stays(args, path):
    """A policy without entries is unsound; one that is so already can be emptied, with a word."""
    path.write_bytes(policy(entry(1, 19, hashes=[H[1]])))
    before = path.read_bytes()
    text = vlp("del", *args, path, code=3).stderr
    assert "the only entry" in text and "add another first" in text and text.count("\n") == 1
    assert path.read_bytes() == before
    vlp("check", path)
    path.write_bytes(policy(entry(1, 17, 0, hashes=[H[1]])))
    if "--pos" not in args:
        assert "warning: " in vlp("del", *args, path).stderr
        assert path.read_bytes() == policy()
    # where an entry is left, it may go
    path.write_bytes(policy(entry(0, NO_PCR), entry(1, 19, hashes=[H[1]])))
    assert vlp("del", *args, path).stderr == ""
    assert path.read_bytes() == policy(entry(0, NO_PCR))


def test_nv(tmp_path):
    p, tag = tmp_path / "p", tmp_path / "tag"
    vlp("create", "--type", "halt", p)
    vlp("add", "--nv-index", "0x01c10110", "--pcr", 22, "--hash", "any", p)
    assert p.read_bytes() == policy(entry(NV, 22, nv_index=0x01C10110))
    # several contents are allowed
    for content in (b"one", b"two"):
        tag.write_bytes(content)
        vlp("add", "--nv-index", "0x01c10110", "--content", tag, p)
    hashes = [hashlib.sha256(content).digest() for content in (b"one", b"two")]
    assert p.read_bytes() == policy(entry(NV, 22, nv_index=0x01C10110, hashes=hashes))
    # one kind for an index
    assert "has an entry already" in vlp("add", "--nv-index", "0x01c10110", "--nv-raw", "--pcr", 22, "--hash", "any", p, code=3).stderr
    # what tboot reads at most, and what it extends as a digest
    tag.write_bytes(bytes(4096))
    vlp("add", "--nv-index", "0x01c10110", "--content", tag, p)
    tag.write_bytes(bytes(4097))
    assert "larger than 4096" in vlp("add", "--nv-index", "0x01c10110", "--content", tag, p, code=3).stderr
    for size in (0, 1, 20, 31, 33, 65):
        tag.write_bytes(bytes(size))
        vlp("add", "--nv-index", "0x01c10111", "--nv-raw", "--pcr", 22, "--content", tag, p, code=3)
    for index in ("0x40000010", "0x02000000", "0"):
        assert "needs a TPM 2.0 NV index" in vlp("add", "--nv-index", index, "--pcr", 22, "--hash", "any", p, code=3).stderr


@pytest.mark.parametrize("args", [
    [], ["frobnicate"], ["create"], ["show"], ["show", "p", "p"], ["diff", "p"],
    ["show", "--frobnicate", "p"], ["show", "--type", "halt", "p"],
    ["create", "--type", "halt", "--type", "halt", "q"], ["create", "--type"], ["create", "q"],
    ["create", "--update", "--force", "p"], ["create", "--update", "--from-manifest", "m", "p"],
    ["create", "--from-manifest", "m", "--type", "halt", "q"], ["create", "--update", "--type", "maybe", "p"],
    ["add", "p"], ["add", "--num", "1", "p"], ["add", "--num", "1", "--pcr", "17", "p"],
    ["add", "--num", "1", "--nv-index", "0x01c10110", "--hash", "any", "p"], ["add", "--num", "1", "--nv-raw", "--hash", "any", "p"],
    ["add", "--num", "1", "--pcr", "17", "--hash", "any", "--hash", "any", "p"],
    ["add", "--num", "1", "--pcr", "17", "--hash", "any", "--hash", "00" * 32, "p"],
    ["add", "--num", "1", "--pcr", "17", "--hash", "00" * 31, "p"], ["add", "--num", "1", "--pcr", "17", "--hash", "00" * 33, "p"],
    ["add", "--num", "1", "--pcr", "17", "--hash", "zz" * 32, "p"], ["add", "--num", "1", "--pcr", "17", "--hash", "image", "p"],
    ["add", "--num", "1", "--pcr", "17", "--content", "p", "p"], ["add", "--nv-index", "1", "--pcr", "17", "--image", "p", "p"],
    ["add", "--nv-index", "x", "--pcr", "17", "--hash", "any", "p"], ["add", "--nv-index", "0x100000000", "--hash", "any", "p"],
    ["add", "--num", "1", "--pcr", "17", "--cmdline", "x", "--hash", "00" * 32, "p"],
    ["add", "--num", "1", "--pcr", "17", "--no-decompress", "--hash", "00" * 32, "p"],
    ["add", "--num", "1", "--pcr", "", "--hash", "any", "p"], ["add", "--num", "7", "--hash", "any", "p"],
    ["add", "--num", "7", "--pcr", "17", "--hash", "any", "--at", "9", "p"],
    ["add", "--num", "1", *["--hash", "00" * 32] * 129, "p"],
    ["del", "p"], ["del", "--num", "1", "--nv-index", "0x01c10110", "p"], ["del", "--num", "1", "--pos", "0", "--all", "p"],
    ["del", "--num", "1", "p"], ["del", "--num", "1", "--pos", "256", "p"], ["del", "--num", "1", "--pos", "x", "p"],
    ["wrap", "p"], ["unwrap", "p"], ["wrap", "--ctrl", "x", "-o", "e", "p"], ["wrap", "-o", "p"], ["wrap", "-x", "p"],
])
def test_usage(args, path):
    before = path.read_bytes()
    assert vlp(*args, code=2, cwd=path.parent).stdout == ""
    assert path.read_bytes() == before and os.listdir(path.parent) == ["p"]


def test_files_that_cannot_be_used(path):
    add = ["add", "--num", 7, "--pcr", 17]
    assert "cannot open" in vlp("show", path.parent / "none", code=1).stderr
    assert "cannot open" in vlp(*add, "--image", path.parent / "none", path, code=1).stderr
    os.mkfifo(path.parent / "fifo")
    for name in ("fifo", "."):
        assert "not a regular file" in vlp(*add, "--image", path.parent / name, path, code=3).stderr
    assert "cannot write" in vlp("create", "--type", "halt", path.parent / "none" / "p", code=1).stderr
    assert "cannot write" in vlp("wrap", "-o", path.parent / "none" / "e", path, code=1).stderr
    assert path.read_bytes() == GOOD and sorted(os.listdir(path.parent)) == ["fifo", "p"]


def test_full_disk(path):
    with open("/dev/full", "w", encoding="ascii") as full:
        for args in (["show", path], ["check", path], ["diff", "--json", path, path]):
            result = subprocess.run([GEOLAUNCH, "vlp", *args], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
            assert result.returncode == 1 and b"cannot write" in result.stderr


def test_editing_makes_a_plain_file(path):
    vlp("add", "--num", 0, "--hash", "any", path)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert os.listdir(path.parent) == ["p"]


def test_editing_changes_the_file_behind_a_link(path):
    """In its place, with its modes."""
    folder = path.parent / "there"
    folder.mkdir()
    path.rename(folder / "q")
    path.symlink_to("there/q")
    (folder / "q").chmod(0o600)
    for args in (["add", "--num", 0, "--hash", "any"], ["del", "--num", 1, "--all"], ["create", "--update", "--type", "nonfatal"]):
        before = (folder / "q").read_bytes()
        vlp(*args, path)
        assert (args[0] == "add") == ((folder / "q").read_bytes() == before)
    assert os.readlink(path) == "there/q" and stat.S_IMODE((folder / "q").stat().st_mode) == 0o600
    assert (folder / "q").read_bytes() == policy(entry(0, NO_PCR), entry(ANY, 21), entry(NV, 22, nv_index=0x01C10110, hashes=[H[3]]), kind=0)
    assert os.listdir(folder) == ["q"] and sorted(os.listdir(path.parent)) == ["p", "there"]
    # what is made anew is another matter
    vlp("create", "--type", "halt", "--force", path)
    assert not path.is_symlink() and path.read_bytes() == policy()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_editing_keeps_the_owner(path):
    os.chown(path, 1234, 5678)
    path.chmod(0o640)
    vlp("del", "--num", 1, "--all", path)
    now = path.stat()
    assert (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode)) == (1234, 5678, 0o640)


def make_special(kind, where):
    if kind == "fifo":
        os.mkfifo(where)
    elif kind == "directory":
        where.mkdir()
    elif kind == "device":
        os.mknod(where, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    else:
        where.symlink_to("/dev/null")


@pytest.mark.parametrize("kind", ["fifo", "directory", "link", pytest.param("device", marks=pytest.mark.skipif(
    os.geteuid() != 0, reason="only root makes devices"))])
def test_force_replaces_no_special_file(kind, path):
    special = path.parent / "special"
    make_special(kind, special)
    before = special.lstat()
    for args in (["create", "--type", "halt", "--force", special], ["create", "--type", "halt", special], ["wrap", "--force", "-o", special, path]):
        text = vlp(*args, code=2).stderr
        assert "no regular file" in text and "--force" not in text and text.count("\n") == 1
    log = subprocess.run([GEOLAUNCH, "log", "--raw-out", special, "/dev/null"], capture_output=True, text=True, timeout=60, check=False)
    assert log.returncode == 2 and "no regular file" in log.stderr
    assert special.lstat() == before and sorted(os.listdir(path.parent)) == ["p", "special"]


# ---- from the manifest ----

@pytest.mark.parametrize("manifest", [
    BASE, variant(policy={"type": "continue", "hash": "sha384"}, banks=["sha1"]), variant(policy={"type": "nonfatal", "hash": "sha1"}),
    variant(geo={"kind": "nv_raw", "file": "tag-64"}, policy={"type": "halt", "hash": "sha512"}),
    variant(geo={"file": "tag-20", "verify": False}), variant(geo=None, files=None)])
def test_from_manifest(manifest, tmp_path):
    """The same bytes as those of build, and as those of the rules written down a second time."""
    make_inputs(tmp_path / "in")
    assert build(tmp_path / "in", manifest).returncode == 0
    vlp("create", "--from-manifest", tmp_path / "in/host.yaml", tmp_path / "p")
    assert (tmp_path / "p").read_bytes() == (tmp_path / "in/out/esp/EFI/geolaunch/policy.vlp").read_bytes()
    assert (tmp_path / "p").read_bytes() == Model(manifest, tmp_path / "in").policy


def test_from_manifest_refusals(tmp_path):
    """The manifest's faults are those of build, with their lines."""
    make_inputs(tmp_path / "in")
    text = "version: 1\nmode: direct\npolicy: { type: halt }\nhypervisor: { kind: linux, file: nothing }\n"
    (tmp_path / "in/host.yaml").write_text(text)
    assert "host.yaml:4:" in vlp("create", "--from-manifest", tmp_path / "in/host.yaml", tmp_path / "p", code=3).stderr
    many = variant(policy={"type": "halt", "hash": "sha512"}, files=[{"file": "vm.json", "path": f"/f{i}"} for i in range(40)])
    assert build(tmp_path / "in", many).returncode == 3
    assert "larger than 2124" in vlp("create", "--from-manifest", tmp_path / "in/host.yaml", tmp_path / "p", code=3).stderr
    assert not (tmp_path / "p").exists()


# ---- check ----

BROKEN = {
    "vlp-truncated": GOOD[:-1],
    "vlp-trailing": GOOD + b"\0",
    "vlp-version": policy(entry(0, 17), version=1),
    "vlp-type": policy(entry(0, 17), kind=3),
    "vlp-alg": policy(entry(0, 17), alg=0x12),
    "vlp-control": policy(entry(0, 17), control=3),
    "vlp-reserved": policy(entry(0, 17), reserved=1),
    "vlp-no-entries": policy(),
    "vlp-module": policy(entry(128, 17)),
    "vlp-pcr": policy(entry(0, 24)),
    "vlp-hash-type": policy(entry(0, 17, 2)),
    "vlp-hash-count": policy(entry(0, 17, 1)),
    "vlp-nv-index": policy(entry(NV, 17)),
    "vlp-duplicate": policy(entry(0, 17), entry(0, 17)),
    "vlp-shadowed": policy(entry(ANY, 17), entry(0, 17)),
    "vlp-size": policy(*(entry(i, 19, hashes=[H[0]] * 8) for i in range(8)), entry(8, 19)),
}
DOUBTFUL = {
    "vlp-nonfatal": policy(entry(0, NO_PCR), entry(1, 19, hashes=[H[1]]), kind=0),
    "vlp-not-extended": policy(entry(0, NO_PCR), entry(1, 19, hashes=[H[1]]), control=0),
    "vlp-sha1": policy(entry(0, NO_PCR), entry(1, 19, hashes=[bytes(20)]), alg=0x04),
    "vlp-extpol": policy(entry(0, NO_PCR), entry(1, 19, hashes=[bytes(48)]), alg=0x0C),
    "vlp-no-module-0": policy(entry(1, 19, hashes=[H[1]])),
    "vlp-any-only": policy(entry(0, NO_PCR), entry(1, 19)),
    "vlp-pcr-static": policy(entry(0, NO_PCR), entry(1, 16, hashes=[H[1]])),
    "vlp-unmeasured": policy(entry(0, NO_PCR), entry(1, NO_PCR, hashes=[H[1]])),
    "vlp-gap": policy(entry(0, NO_PCR), entry(2, 19, hashes=[H[1]])),
    "vlp-nv-tpm2": policy(entry(0, NO_PCR), entry(NV, 22, nv_index=0x01C10110, hashes=[H[1]])),
    "vlp-hash-twice": policy(entry(0, NO_PCR), entry(1, 19, hashes=[H[1], H[2], H[1]])),
    "vlp-hash-of-nothing": policy(entry(0, NO_PCR), entry(1, 19, hashes=[module_hash("sha256", "", b"")])),
}


def findings(path, code):
    out = json.loads(vlp("check", "--json", path, code=code).stdout)
    assert out["valid"] == (code == 0)
    return out["findings"]


@pytest.mark.parametrize("rule", BROKEN)
def test_rule(rule, path):
    path.write_bytes(BROKEN[rule])
    errors = [f for f in findings(path, 3) if f["severity"] == "error"]
    assert [f["id"] for f in errors] == [rule]
    assert "tboot" in errors[0]["text"]
    assert f"[{rule}]" in vlp("check", path, code=3).stdout


@pytest.mark.parametrize("rule", DOUBTFUL)
def test_warning(rule, path):
    path.write_bytes(BARE)
    assert findings(path, 0) == []
    assert vlp("check", "--strict", path).stdout == f"{path}: sound, 0 warnings\n"
    path.write_bytes(DOUBTFUL[rule])
    found = findings(path, 0)
    assert {f["severity"] for f in found} == {"warning"}
    assert [f["id"] for f in found] == (["vlp-sha1", "vlp-extpol"] if rule == "vlp-sha1" else [rule])
    assert f"[{rule}]" in vlp("check", "--strict", path, code=3).stdout


def test_all_that_is_wrong_at_once(path):
    path.write_bytes(policy(entry(ANY, 5), entry(1, 99, 7), entry(1, 17), kind=7))
    errors = [(f["entry"], f["subject"], f["id"]) for f in findings(path, 3) if f["severity"] == "error"]
    assert errors == [(None, None, "vlp-type"), (1, "module 1", "vlp-pcr"), (2, "module 1", "vlp-duplicate")]


def test_limit_of_size(path):
    path.write_bytes(policy(*(entry(i, 19, hashes=[bytes([i, j]) * 16 for j in range(8)]) for i in range(8))))
    assert path.stat().st_size == 12 + 8 * (8 + 8 * 32) == MAX_SIZE
    assert "vlp-size" not in vlp("check", path).stdout


def test_rules_are_documented():
    page = (TOP / "docs/man/geolaunch-vlp.1.scd").read_text()
    assert set(re.findall(r"^\*(vlp-[a-z0-9-]+)\*$", page, re.M)) == {*BROKEN, *DOUBTFUL}


# ---- diff ----

OTHER = bytes([9]) * 32


@pytest.mark.parametrize("a, b, lines", [
    (GOOD, GOOD, []),
    (policy(entry(1, 19)), policy(entry(1, 20)), ["module 1: pcr 19|20"]),
    (policy(entry(1, NO_PCR)), policy(entry(1, 20)), ["module 1: pcr none|20"]),
    (policy(entry(ANY, 19)), policy(entry(ANY, 19, hashes=[OTHER])),
     ["any module: hash_type any|image", f"any module: hash {OTHER.hex()} only B"]),
    (policy(entry(1, 19, hashes=[H[0], H[1]])), policy(entry(1, 19, hashes=[H[1], OTHER])),
     [f"module 1: hash {H[0].hex()} only A", f"module 1: hash {OTHER.hex()} only B"]),
    (policy(entry(1, 19, hashes=[H[0], H[1]])), policy(entry(1, 19, hashes=[H[1], H[0]])),
     ["module 1: the same hashes in another order or number"]),
    (policy(entry(1, 19), entry(2, 19)), policy(entry(2, 19), entry(3, 17)), ["module 1: only A", "module 3: only B"]),
    (policy(entry(1, 19), entry(2, 19)), policy(entry(2, 19), entry(1, 19)), ["order: the entries stand in another order"]),
    (policy(entry(NV, 22, nv_index=0x01C10110)), policy(entry(NV_RAW, 22, nv_index=0x01C10110)), ["nv 0x01c10110: kind nv|nv_raw"]),
    (policy(entry(NV, 22, nv_index=0x01C10110)), policy(entry(NV, 22, nv_index=0x01C10111)),
     ["nv 0x01c10110: only A", "nv 0x01c10111: only B"]),
    (policy(kind=2, control=1), policy(kind=0, control=0), ["policy_type: halt|nonfatal", "policy_control: 1|0"]),
    (policy(kind=7, reserved=1, version=1), policy(kind=8), ["version: 1|2", "policy_type: 7|8", "reserved: 1|0"]),
    (policy(entry(1, 19, hashes=[bytes(32)])), policy(entry(1, 19, hashes=[bytes(20)]), alg=4), ["hash_alg: sha256|sha1"]),
    (policy(entry(1, 19)), policy(entry(1, 19), entry(1, 20)), ["entries: some occur more than once: see 'geolaunch vlp check'"]),
])
def test_diff(a, b, lines, tmp_path):
    (tmp_path / "A").write_bytes(a)
    (tmp_path / "B").write_bytes(b)
    want = [re.sub(r":? (\w+)\|(\w+)$", r": \1 in A, \2 in B", re.sub(r"only ([AB])$", r"only in \1", line)) for line in lines]
    code = 5 if lines else 0
    assert vlp("diff", "A", "B", code=code, cwd=tmp_path).stdout.splitlines() == want
    assert json.loads(vlp("diff", "--json", "A", "B", code=code, cwd=tmp_path).stdout) == {"equal": not lines, "differences": want}


def test_diff_failures(path):
    assert "cannot open" in vlp("diff", path, path.parent / "none", code=1).stderr
    (path.parent / "no").write_bytes(b"x")
    assert "not a policy" in vlp("diff", path, path.parent / "no", code=3).stderr


# ---- wrap, unwrap ----

def tboot_tool(name, *args):
    subprocess.run([oracles.tool(name), *map(str, args)], capture_output=True, timeout=60, check=True)


@pytest.mark.parametrize("version", ["0x200", "0x201", "0x300"])
def test_unwrap_from_list_and_data(version, path, tmp_path):
    """Out of lists and policy data that tboot's tools make, in which other elements come first."""
    (tmp_path / "hashes").write_text(hashlib.sha256(b"mle").digest().hex(" ") + "\n")
    tboot_tool("lcp2_crtpolelt", "--create", "--type", "mle2", "--alg", "sha256", "--minver", 0, "--out", tmp_path / "mle.elt",
               tmp_path / "hashes")
    vlp("wrap", "-o", tmp_path / "vlp.elt", path)
    tboot_tool("lcp2_crtpollist", "--create", "--listver", version, "--out", tmp_path / "list", tmp_path / "mle.elt", tmp_path / "vlp.elt")
    tboot_tool("lcp2_crtpollist", "--create", "--listver", version, "--out", tmp_path / "other", tmp_path / "mle.elt")
    tboot_tool("lcp2_crtpol", "--create", "--type", "list", "--alg", "sha256", "--sign", "rsa-2048-sha256",
               "--pol", tmp_path / "pol", "--data", tmp_path / "data", tmp_path / "other", tmp_path / "list")
    for source in ("list", "data"):
        vlp("unwrap", "-o", tmp_path / f"{source}.vlp", tmp_path / source)
        assert (tmp_path / f"{source}.vlp").read_bytes() == GOOD
    for source in ("other", "mle.elt"):
        assert "no policy of tboot's" in vlp("unwrap", "-o", tmp_path / "none", tmp_path / source, code=3).stderr
    assert not (tmp_path / "none").exists()


def element(payload, size=None):
    uuid = bytes.fromhex("410693c3cbe3404fd79127f8b9e25c86")
    return struct.pack("<III", 28 + len(payload) if size is None else size, 0x13, 0) + uuid + payload


@pytest.mark.parametrize("content", [b"", b"\0" * 3, element(GOOD, 0), element(GOOD, 12), element(GOOD, 2**32 - 1), element(GOOD)[:-1],
                                     element(GOOD) + b"\0", element(b"no policy"), element(b""), GOOD])
def test_unwrap_nonsense(content, tmp_path):
    (tmp_path / "e").write_bytes(content)
    vlp("unwrap", "-o", tmp_path / "p", tmp_path / "e", code=3)
    assert os.listdir(tmp_path) == ["e"]


def test_wrap_refuses_what_is_no_policy(tmp_path):
    (tmp_path / "p").write_bytes(b"no policy")
    vlp("wrap", "-o", tmp_path / "e", tmp_path / "p", code=3)
    assert os.listdir(tmp_path) == ["p"]
    (tmp_path / "p").write_bytes(policy(entry(1, 77)))
    assert "warning" in vlp("wrap", "-o", tmp_path / "e", tmp_path / "p").stderr
