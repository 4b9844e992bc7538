# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch txt`: decode-error against tboot's txt-parse_err and its words; heap with the dump of a real machine."""

import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

import oracles

TOP = Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))
TXT_PARSE_ERR = oracles.tool("txt-parse_err")


def txt(*args):
    return subprocess.run([GEOLAUNCH, "txt", *map(str, args)], capture_output=True, text=True, timeout=30)


def decode(code):
    done = txt("decode-error", hex(code), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def theirs(code):
    return subprocess.run([TXT_PARSE_ERR, hex(code)], capture_output=True, text=True, timeout=30).stdout


def test_txt_parse_err_agrees():
    rng = random.Random(3)
    codes = [0, 1, 0x80000000, 0x80000007, 0xC0000001, 0xC0000C71, 0xC00014A1, 0xC0008006, 0xC0232901, 0xFFFFFFFF]
    codes += [0xC0000000 | rng.getrandbits(30) & ~(1 << 15) for _ in range(60)]
    codes += [0xC0000001 | 0x10 << 4 | rng.getrandbits(9) << 16 for _ in range(20)]
    codes += [rng.getrandbits(32) for _ in range(60)]
    for code in codes:
        out, ours = theirs(code), decode(code)
        if "no error" in out:
            assert not ours["valid"]
        elif match := re.search(r"processor error (0x[0-9a-f]+)", out):
            assert ours["processor"]["code"] == int(match[1], 16)
        elif match := re.search(r"unknown SW error (0x[0-9a-f]+):(0x[0-9a-f]+)", out):
            assert (ours["software"]["low"], ours["software"]["high"]) == (int(match[1], 16), int(match[2], 16))
        else:
            match = re.search(r"acm_type=(0x[0-9a-f]+), progress=(0x[0-9a-f]+), error=(0x[0-9a-f]+)", out)
            acm = ours["acm"]
            assert (acm["type"], acm["class"], acm["major"]) == tuple(int(g, 16) for g in match.groups())
            if match := re.search(r"minor error = (0x[0-9a-f]+), index = (\d+)", out):
                # theirs has 9 bits for the index, of which the upper 6 are reserved
                assert (acm["minor"], acm["policy_list"]) == (int(match[1], 16), int(match[2]) & 7)


def test_words():
    done = txt("decode-error", "0xc0841ee1")
    assert (done.returncode, done.stderr) == (0, "")
    for part in ("type 0x1 (SINIT)", "class 0x2e (launch control policy)", "major 0x7 (owner's policy or its data are wrong)",
                 "minor 0x4 (data file has another digest than the policy in the TPM names), policy list 2"):
        assert part in done.stdout
    assert decode(0xC0841EE1)["acm"] == {
        "type": 1, "type_name": "SINIT", "class": 0x2E, "class_text": "launch control policy", "old_class_text": None, "major": 7,
        "major_text": "owner's policy or its data are wrong", "minor": 4,
        "minor_text": "data file has another digest than the policy in the TPM names", "policy_list": 2}
    assert "SL_ERROR_LO_PMR_MLE" in txt("decode-error", "0xc0008017").stdout
    assert decode(0xC0008017)["software"]["name"] == "SL_ERROR_LO_PMR_MLE"
    assert decode(0xC0000001)["success"] and not decode(0xC0000C71)["success"]
    # decimal as well
    assert txt("decode-error", str(0xC0000C71)).stdout == txt("decode-error", "0xc0000c71").stdout


REAL = TOP / "tests/data/real-txt/txt-heap.bin"


def heap(file, *args):
    return txt("heap", file, *args)


def test_real_heap_as_json():
    """Every table of a machine that tboot has launched; tests/unit/test_txt_heap.c has the same values from the codec."""
    done = heap(REAL, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    got = json.loads(done.stdout)
    assert (got["size"], got["launched"]) == (0x16C12, True)
    assert got["bios"] == {"offset": "0x0", "size": 0x2C, "version": 3, "bios_sinit_size": 0x40000, "lcp_base": "0x6fb00000", "lcp_size": "0x300c",
                           "processors": 72, "sinit_flags": 0, "mle_flags": 0, "ppi": False, "client": False, "server": False, "elements": []}
    assert got["os_mle"] == {"offset": "0x2c", "size": 0x15120}
    os_sinit = got["os_sinit"]
    assert os_sinit.pop("event_logs") == [{"alg": None, "base": "0x1014c", "size": 8192, "first": 0, "next": 0x6BA, "offset": "0x1014c", "events": 20}]
    assert os_sinit.pop("elements") == [{"type": 8, "name": "event-log-tcg", "size": 28, "data": REAL.read_bytes()[0x151B8:0x151CC].hex()}]
    capabilities = os_sinit.pop("capabilities")
    assert capabilities.pop("value") == 0x201 and {k for k, v in capabilities.items() if v} == {"rlp_wake_getsec", "tcg_event_log_format"}
    assert os_sinit == {"offset": "0x1514c", "size": 136, "version": 7, "flags": 1, "extend_policy": "embedded", "mle_page_table": "0x801000",
                        "mle_size": "0x46000", "mle_header": "0x1a1e0", "pmr_low": {"base": "0x0", "size": "0x66a00000"},
                        "pmr_high": {"base": "0x100c00000", "size": "0xb3f400000"}, "lcp": {"base": "0x0", "size": "0x0"}, "rsdp": "0x0", "tprs": None}
    sinit_mle = got["sinit_mle"]
    assert [(m["base"], m["size"], m["type_name"]) for m in sinit_mle.pop("mdrs")] == [
        ("0x0", "0xa0000", "good"), ("0x100000", "0xf00000", "good"), ("0x1000000", "0x6eb00000", "good"),
        ("0x70000000", "0x8000000", "smm-no-overlay"), ("0x80000000", "0x10000000", "pcie-config"), ("0x100000000", "0xb40000000", "good")]
    assert [(e["type"], e["name"], e["table"]) for e in sinit_mle.pop("elements")] == [
        (6, "madt", {"signature": "APIC", "length": 5854, "size": 5854}), (9, "mcfg", {"signature": "MCFG", "length": 60, "size": 60})]
    assert sinit_mle.pop("digests_tpm12") == dict.fromkeys(("sinit", "mle", "stm", "policy"), "00" * 20)
    assert sinit_mle == {"offset": "0x151d4", "size": 6718, "version": 9, "bios_acm_id": "00" * 20, "edx_senter_flags": "0x0", "mseg_valid": "0x0",
                         "lcp_control": "0x0", "rlp_wakeup": "0x6fec2c20", "scrtm": 0, "dmar": {"signature": "DMAR", "length": 480, "size": 480}}


def told(value):
    """A value of the JSON as the text has it, a line for each of a list."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {told(v)}" for name, v in value.items())
    if isinstance(value, list):
        return "\n".join(told(v) for v in value) or "none"
    return {"None": "none", "True": "yes", "False": "no"}.get(str(value), str(value))


def test_real_heap_as_text():
    """Every value that the JSON has, behind its name."""
    done = heap(REAL)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(heap(REAL, "--json").stdout)
    want = ["TXT heap, 93202 bytes, as SINIT left it"]
    for title, name in (("BiosData", "bios"), ("OsMleData", "os_mle"), ("OsSinitData", "os_sinit"), ("SinitMleData", "sinit_mle")):
        want += ["", title]
        for field, value in found[name].items():
            first, *more = told(value).splitlines()
            want += [f"  {field:19} {first}", *(" " * 22 + line for line in more)]
    assert done.stdout.splitlines() == want


def test_log_in_a_heap(tmp_path):
    """What is written out is a log that `geolaunch log` reads, wherever the machine had its heap."""
    assert heap(REAL, "--log-out", tmp_path / "log").returncode == 0
    log = (tmp_path / "log").read_bytes()
    assert log == REAL.read_bytes()[0x1014C:0x1014C + 0x6BA]
    done = subprocess.run([GEOLAUNCH, "log", "--json", tmp_path / "log"], capture_output=True, text=True, timeout=30, check=True)
    assert len(json.loads(done.stdout)["events"]) == 20
    moved = bytearray(REAL.read_bytes())
    at = moved.index((0x1014C).to_bytes(8, "little") + (0x2000).to_bytes(4, "little"))
    moved[at:at + 8] = (0x6FB2014C + 0xF000).to_bytes(8, "little")
    (tmp_path / "moved").write_bytes(moved)
    logs = {base: json.loads(heap(tmp_path / "moved", "--json", *base).stdout)["os_sinit"]["event_logs"][0] for base in
            ((), ("--base", "0x6fb1f000"))}
    assert (logs[()]["offset"], logs[()]["events"]) == (None, None)
    assert (logs["--base", "0x6fb1f000"]["offset"], logs["--base", "0x6fb1f000"]["events"]) == ("0x1014c", 20)
    assert heap(tmp_path / "moved", "--base", "0x6fb1f000", "--log-out", tmp_path / "log2").returncode == 0
    assert (tmp_path / "log2").read_bytes() == log
    done = heap(tmp_path / "moved", "--log-out", tmp_path / "log3")
    assert done.returncode == 3 and "the event log at 0x6fb2f14c is not in the dump" in done.stderr and not (tmp_path / "log3").exists()


def test_log_out_loses_no_file(tmp_path):
    (tmp_path / "log").write_bytes(b"mine")
    done = heap(REAL, "--log-out", tmp_path / "log")
    want = f"geolaunch txt: file exists: {tmp_path}/log: replace it with --force, or name another\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", want)
    assert (tmp_path / "log").read_bytes() == b"mine"
    assert heap(REAL, "--log-out", tmp_path / "log", "--force").returncode == 0
    assert (tmp_path / "log").read_bytes() == REAL.read_bytes()[0x1014C:0x1014C + 0x6BA]


def test_heap_before_a_launch(tmp_path):
    """Nothing or zeros behind OsSinitData."""
    real = REAL.read_bytes()
    for n, tail in ((0x151D4, b""), (0x151D4, bytes(3)), (0x151D4, bytes(4096))):
        (tmp_path / "heap").write_bytes(real[:n] + tail)
        got = json.loads(heap(tmp_path / "heap", "--json").stdout)
        assert (got["launched"], got["sinit_mle"], got["os_sinit"]["version"]) == (False, None, 7)
        assert heap(tmp_path / "heap").stdout.startswith(f"TXT heap, {n + len(tail)} bytes, before SENTER\n")


def test_rest_behind_the_tables_does_not_matter(tmp_path):
    (tmp_path / "heap").write_bytes(REAL.read_bytes() + bytes(1 << 20))
    whole, cut = (json.loads(heap(f, "--json").stdout) for f in (tmp_path / "heap", REAL))
    del whole["size"], cut["size"]
    assert whole == cut


@pytest.mark.parametrize("offset, value, words", [
    (0x0, (2**63).to_bytes(8, "little"), "BiosData: "), (0x0, bytes(8), "BiosData: "), (0x8, b"\x09", "BiosData: version"),
    (0x2C, (0xFFFFFF).to_bytes(8, "little"), "OsMleData: "), (0x1514C, (20).to_bytes(8, "little"), "OsSinitData: "),
    (0x15154, b"\x63", "OsSinitData: version"), (0x151B4, b"\x04", "OsSinitData: size of an extended element"),
    (0x151D4, (0xFFFFFF).to_bytes(8, "little"), "SinitMleData: "), (0x151DC, b"\x63", "SinitMleData: "),
])
def test_broken_heap(tmp_path, offset, value, words):
    heap_bytes = bytearray(REAL.read_bytes())
    heap_bytes[offset:offset + len(value)] = value
    (tmp_path / "heap").write_bytes(heap_bytes)
    for more in ((), ("--json",), ("--log-out", tmp_path / "log")):
        done = heap(tmp_path / "heap", *more)
        assert (done.returncode, done.stdout) == (3, "") and words in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "log").exists()


def test_heap_files(tmp_path):
    assert heap(tmp_path / "nowhere").returncode == 1
    (tmp_path / "empty").write_bytes(b"")
    for empty in (tmp_path / "empty", "/dev/null"):
        done = heap(empty)
        assert (done.returncode, done.stderr) == (3, f"geolaunch txt: the file is empty: {empty}: give the heap from TXT.HEAP.BASE on\n")


@pytest.mark.parametrize("args", [["heap"], ["heap", "a", "b"], ["heap", "a", "--base", "x"], ["heap", "a", "--base"],
                                  ["decode-error", "1", "--base", "0"], ["decode-error", "1", "--log-out", "x"], [],
                                  ["decode-error", "1", "--force"], ["heap", "a", "--force"],
                                  ["decode-error"], ["decode-error", "x"], ["decode-error", "0x100000000"], ["decode-error", "-1"],
                                  ["decode-error", "1", "2"], ["encode", "1"], ["decode-error", "1", "--what"]])
def test_usage(args):
    done = txt(*args)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("geolaunch txt: ") and done.stderr.count("\n") == 1
