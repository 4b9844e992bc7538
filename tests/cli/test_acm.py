# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch acm show` against tboot's txt-acminfo, on modules that vary in everything that a module can say."""

import json
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest

import oracles

TOP = Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))
TOOL = os.environ.get("ACM_TOOL", str(TOP / "build/host/acm_tool"))
TXT_ACMINFO = oracles.tool("txt-acminfo")
CAPS = ["rlp_wake_getsec", "rlp_wake_monitor", "ecx_pgtbl", "stm", "pcr_map_no_legacy", "pcr_map_da", "platform_type", "max_phy_addr",
        "tcg_event_log_format", "cbnt_supported"]
COUNT = 240


def make(*args):
    return subprocess.run([TOOL, *map(str, args)], capture_output=True, timeout=30, check=True).stdout


def acm(*args):
    return subprocess.run([GEOLAUNCH, "acm", *map(str, args)], capture_output=True, text=True, timeout=30)


def show(path):
    done = acm("show", path, "--json")
    assert (done.returncode, done.stderr) == (0, ""), done
    return json.loads(done.stdout)


def refused(done, code):
    assert done.returncode == code and done.stdout == "", done
    assert done.stderr.startswith("geolaunch acm: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


# ---------------------------------------------------------------- what txt-acminfo prints, by section


class Reading:
    """Its output as numbers. Keys repeat (flags, version, length), so each is looked for within its part only."""

    def __init__(self, text):
        self.head, rest = text.split("info_table:\n", 1)
        self.info, rest = re.split(r"\t chipset list:\n", rest, maxsplit=1)
        rest, self.signature = rest.split("signature information:\n", 1)
        parts = re.split(r"\t (processor list|TPM info list):\n", rest)
        self.parts = {"chipset": parts[0], **dict(zip(parts[1::2], parts[2::2]))}

    @staticmethod
    def number(part, key):
        found = re.search(rf"^\s*{re.escape(key)} ?: (0x[0-9a-f]+|\d+)", part, re.M)
        assert found, (key, part)
        return int(found[1], 0)

    @staticmethod
    def entries(part, keys):
        return [[Reading.number(e, k) for k in keys] for e in re.split(r"entry \d+:\n", part)[1:]]


def txt_acminfo(path):
    done = subprocess.run([TXT_ACMINFO, str(path)], capture_output=True, text=True, errors="replace", timeout=30)
    assert done.returncode == 0, done
    return Reading(done.stdout)


def same_header(theirs, ours, data):
    get = Reading.number
    h = ours["header"]
    for key, name in [("type", "type"), ("subtype", "subtype"), ("length", "length"), ("chipset_id", "chipset_id"), ("flags", "flags"),
                      ("vendor", "vendor"), ("size*4", "size"), ("txt_svn", "txt_svn"), ("se_svn", "se_svn"),
                      ("code_control", "code_control"), ("scratch_size", "scratch_size")]:
        assert get(theirs.head, key) == h[name], key
    major, minor = map(int, h["version"].split("."))
    assert get(theirs.head, "version") == major << 16 | minor
    assert f"{get(theirs.head, 'date'):08x}" == h["date"].replace("-", "")
    assert bool(get(theirs.head, "pre_production")) is h["pre_production"]
    assert bool(get(theirs.head, "debug_signed")) is h["debug_signed"]
    assert re.search(r"entry point: 0x([0-9a-f]+):([0-9a-f]+)", theirs.head).groups() == \
        (f"{h['seg_sel']:08x}", f"{h['entry_point']:08x}")
    assert get(theirs.signature, "key size*4") == h["key_size"]
    # Our own fields, from the bytes.
    assert (h["error_entry_point"], h["gdt_limit"], h["gdt_base"]) == struct.unpack_from("<3I", data, 36)


def same_info(theirs, ours):
    get = Reading.number
    i = ours["info"]
    for key, name in [("chipset_acm_type", "chipset_acm_type"), ("version", "version"), ("length", "length"),
                      ("os_sinit_data_ver", "os_sinit_data_version"), ("min_mle_hdr_ver", "min_mle_header_version"),
                      ("acm_ver", "acm_version")]:
        assert get(theirs.info, key) == i[name], key
    assert "ACM_UUID_V3" in theirs.info and i["uuid"] == "7fc03aaa-46a7-18db-2eac-698f8d417f5a"
    assert get(theirs.info, "capabilities") == i["capabilities"]["value"]
    assert {k: get(theirs.info, k) for k in CAPS} == {k: i["capabilities"][k] for k in CAPS}
    if i["version"] > 6:
        assert re.search(r"acm_revision: (\S+)", theirs.info)[1] == i["acm_revision"]


def unsigned(value):
    """64 bits are hexadecimal strings."""
    return int(value, 16) if isinstance(value, str) else value


def same_lists(theirs, ours):
    get = Reading.number
    keys = ["flags", "vendor_id", "device_id", "revision_id", "extended_id"]
    assert get(theirs.parts["chipset"], "count") == len(ours["chipsets"])
    assert theirs.entries(theirs.parts["chipset"], keys) == [[c[k] for k in keys] for c in ours["chipsets"]]
    keys = ["fms", "fms_mask", "platform_id", "platform_mask"]
    assert ("processor list" in theirs.parts) is (ours["processors"] is not None)
    if ours["processors"] is not None:
        assert get(theirs.parts["processor list"], "count") == len(ours["processors"])
        assert theirs.entries(theirs.parts["processor list"], keys) == [[unsigned(p[k]) for k in keys] for p in ours["processors"]]
    assert ("TPM info list" in theirs.parts) is (ours["tpm"] is not None)
    if ours["tpm"] is not None:
        part = theirs.parts["TPM info list"]
        assert [get(part, k) for k in ("ext_policy", "tpm_family", "tpm_nv_index_set")] == \
            [ours["tpm"][k] for k in ("extend_policy", "family", "nv_index_set")]
        assert get(part, "alg count") == len(ours["tpm"]["algorithms"])
        assert [int(a, 16) for a in re.findall(r"alg_id: (0x[0-9a-f]+)", part)] == ours["tpm"]["algorithms"]


def same_signature(theirs, ours, data):
    """txt-acminfo takes every header for 0.0: right for 0.0, wrong places for later ones, where it prints bytes of the key as exponent
    and signature. There ours is compared with the bytes, and what it prints with the places it looks at."""
    key, exponent, signature = re.match(r".*?key:\n(.*?)\t RSA public key exponent: (\S+)\n.*?signature:\n(.*?)(?:ERROR|$)",
                                        theirs.signature, re.S).groups()
    assert int(exponent, 16) == struct.unpack_from("<I", data, 384)[0]
    assert bytes.fromhex(signature) == data[388:644]
    s = ours["signature"]
    if ours["header"]["version"] == "0.0":
        assert (bytes.fromhex(key).hex(), int(exponent, 16), bytes.fromhex(signature).hex()) == \
            (s["public_key"], s["exponent"], s["signature"])
    else:
        assert (s["public_key"], s["exponent"], s["signature"]) == (data[128:512].hex(), 65537, data[512:896].hex())
    assert ("xmss_public_key" in s) is (ours["header"]["version"] == "4.0")


@pytest.mark.parametrize("block", range(8))
def test_txt_acminfo_agrees(tmp_path, block):
    path = tmp_path / "acm"
    seen = set()        # what was compared
    for number in range(block, COUNT, 8):
        data = make(number)
        path.write_bytes(data)
        ours = show(path)
        if ours["info"]["version"] > 8:
            continue  # tboot 1.10.5 reads the offsets of older versions there: see the next test
        seen.add((ours["header"]["version"], ours["info"]["version"]))
        theirs = txt_acminfo(path)
        same_header(theirs, ours, data)
        same_info(theirs, ours)
        same_lists(theirs, ours)
        same_signature(theirs, ours, data)
        assert (ours["header"]["padding"], ours["chipsets2"], ours["file"]) == (0, None, str(path))
    assert len(seen) >= 2, seen


def test_version_9_reads_the_lists_in_a_row(tmp_path):
    """On purpose unlike tboot 1.10.5, like 1.11: the lists of version 9 stand behind the info table, each with a header."""
    path = tmp_path / "acm"
    count = 0
    for number in range(COUNT):
        data = make(number)
        length, scratch = struct.unpack_from("<I", data, 4)[0], struct.unpack_from("<I", data, 124)[0]
        info = (length + scratch) * 4
        if data[info + 17] < 9:
            continue
        path.write_bytes(data)
        ours = show(path)
        at, lists = info + struct.unpack_from("<H", data, info + 18)[0], {}
        while (name := data[at:at + 4][::-1].decode()) != "NULL":
            size = struct.unpack_from("<I", data, at + 4)[0]
            lists[name] = data[at + 12:at + size]
            at += size
        for name, key in [("CS1L", "chipsets"), ("CS2L", "chipsets2")]:
            entries = struct.iter_unpack("<IHHHHI", lists[name][4:]) if name in lists else None
            names = ["flags", "vendor_id", "device_id", "revision_id", "register_mask", "extended_id"]
            assert ours[key] == (None if entries is None else [dict(zip(names, e)) for e in entries])
        names = ["fms", "fms_mask", "platform_id", "platform_mask"]
        assert [[unsigned(p[n]) for n in names] for p in ours["processors"]] == [list(e) for e in struct.iter_unpack("<IIQQ", lists["CPUL"][4:])]
        assert ours["tpm"]["algorithms"] == [a for a, in struct.iter_unpack("<H", lists["TPML"][6:])]
        count += 1
    assert count > 20


def test_both_refuse(tmp_path):
    """What txt-acminfo does not take for a module, we do not either."""
    good = bytearray(make("sinit", 1))
    path = tmp_path / "acm"
    for offset, value, words in [(0, 3, "ModuleType"), (16, 0x87, "ModuleVendor"), (24, 0, "Size"), (1216, 0, "UUID"),
                                 (1216 + 17, 2, "version is below 3")]:
        bad = bytearray(good)
        bad[offset] = value
        if offset == 24:
            bad += bytes(0x8000)
        path.write_bytes(bad)
        assert words in refused(acm("show", path), 3)
        assert subprocess.run([TXT_ACMINFO, str(path)], capture_output=True, timeout=30).returncode == 1
    path.write_bytes(good[:1000])
    assert "smaller than any module" in refused(acm("show", path), 3)
    path.write_bytes(good + bytes(0x10000))
    assert show(path)["header"]["padding"] == 0x10000
    assert subprocess.run([TXT_ACMINFO, str(path)], capture_output=True, timeout=30).returncode == 0


# ---------------------------------------------------------------- the command


@pytest.fixture
def sinit(tmp_path):
    path = tmp_path / "sinit.bin"
    path.write_bytes(make("sinit", 1))
    return path


def test_text(sinit):
    done = acm("show", sinit)
    assert (done.returncode, done.stderr) == (0, "")
    for line in ("header_version: 0.0", "date: 2022-01-01", "size: 65536", "chipsets: 1", "processors: 1", "  nv_index_set: 1",
                 "    alg: sha384", "  capabilities: 0x00000227"):
        assert line in done.stdout.splitlines()
    assert "warning" not in done.stdout and "platform:" not in done.stdout


def test_warning(sinit):
    data = bytearray(sinit.read_bytes())
    data[52:56] = struct.pack("<I", len(data))
    sinit.write_bytes(data)
    assert "warning: EntryPoint lies outside" in acm("show", sinit).stdout
    assert "EntryPoint" in show(sinit)["warning"]


@pytest.mark.parametrize("args, fits", [
    (["--didvid", "8086:b001:1"], True),
    (["--didvid", "0x8086:0xb001:0x1"], True),
    (["--didvid", "8086:b001:2"], False),
    (["--didvid", "8086:b002:1"], False),
    (["--cpu", "906ea"], True),
    (["--cpu", "906ea:1c000000000000", "--fused", "production"], True),
    (["--fused", "debug"], False),
])
def test_platform(sinit, args, fits):
    done = acm("show", sinit, *args)
    assert done.returncode == (0 if fits else 5) and done.stderr == ""
    assert ("platform: the module fits the platform\n" in done.stdout) is fits
    done = acm("show", sinit, "--json", *args)
    assert done.returncode == (0 if fits else 5)
    assert json.loads(done.stdout)["platform"]["matches"] is fits


@pytest.mark.parametrize("args", [
    ["show"], ["list", "x"], ["show", "a", "b"], ["show", "x", "--didvid", "8086:b001"], ["show", "x", "--didvid", "8086:b001:1:2"],
    ["show", "x", "--didvid", "18086:b001:1"], ["show", "x", "--didvid", "::"], ["show", "x", "--cpu", "1ffffffff"], ["show", "x", "--cpu", ""],
    ["show", "x", "--cpu", "906ea:"], ["show", "x", "--cpu", "906ea:zz"], ["show", "x", "--fused", "no"],
    ["show", "x", "--this-machine", "--fused", "debug"], ["show", "x", "--nothing"],
])
def test_usage(args):
    refused(acm(*args), 2)


def test_no_file(tmp_path):
    assert "nowhere" in refused(acm("show", tmp_path / "nowhere"), 1)


def test_this_machine(sinit):
    """Where the tests run there is no TXT, or nobody may read it: one line, or an answer."""
    done = acm("show", sinit, "--this-machine")
    if done.returncode in (0, 5):
        assert "platform: " in done.stdout
    else:
        refused(done, 1)
