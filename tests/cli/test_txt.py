# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch txt decode-error` against tboot's txt-parse_err, and its words."""

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


@pytest.mark.parametrize("args", [[], ["decode-error"], ["decode-error", "x"], ["decode-error", "0x100000000"], ["decode-error", "-1"],
                                  ["decode-error", "1", "2"], ["encode", "1"], ["decode-error", "1", "--what"]])
def test_usage(args):
    done = txt(*args)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("geolaunch txt: ") and done.stderr.count("\n") == 1
