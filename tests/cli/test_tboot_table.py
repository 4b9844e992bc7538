# SPDX-License-Identifier: BSD-3-Clause
"""What tboot does about an error, read out of the binary that the tests run: its table must be that of docs/PREFLIGHT.md."""
import gzip
import os
import re
import struct

import oracles

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
# include/tb_error.h of tboot 1.10.5, by number
NAMES = ["NONE", "FIXED", "GENERIC", "TPM_NOT_READY", "SMX_NOT_SUPPORTED", "VMX_NOT_SUPPORTED", "VTD_NOT_SUPPORTED", "TXT_NOT_SUPPORTED",
         "MODULE_VERIFICATION_FAILED", "MODULES_NOT_IN_POLICY", "POLICY_INVALID", "POLICY_NOT_PRESENT", "SINIT_NOT_PRESENT",
         "ACMOD_VERIFY_FAILED", "POST_LAUNCH_VERIFICATION", "S3_INTEGRITY", "FATAL", "NV_VERIFICATION_FAILED", "PREV_TXT_ERROR"]
ACTIONS = ["go on", "unmeasured", "halt"]
TYPES = ["nonfatal", "continue", "halt"]


def table():
    """Policy type to (its default, exceptions by error): a byte, an int, and an (error, action) for each error, ended by error 0."""
    tboot = oracles.tboot_gz()
    with open(os.path.join(os.path.dirname(tboot), "tboot-syms"), encoding="ascii") as f:
        address = int(re.search(r"^([0-9a-f]+) r g_policy_map$", f.read(), re.M).group(1), 16)
    with gzip.open(tboot) as f:
        data = f.read()
    header = struct.unpack_from("<I", data, 28)[0]
    offset, _, physical = struct.unpack_from("<III", data, header + 4)
    at, out = offset + address - physical, {}
    for policy in TYPES:
        kind, default = struct.unpack_from("<BxxxI", data, at)
        assert TYPES[kind] == policy
        pairs = [struct.unpack_from("<II", data, at + 8 + 8 * i) for i in range(len(NAMES))]
        out[policy] = (ACTIONS[default], {NAMES[e]: ACTIONS[a] for e, a in pairs[:pairs.index((0, 0))]})
        at += 8 + 8 * len(NAMES)
    return out


def test_table_of_the_binary():
    tboots = table()
    with open(os.path.join(TOP, "docs/PREFLIGHT.md"), encoding="utf-8") as f:
        rows = re.findall(r"^\| (\S+) \| TB_ERR_(\w+) \| (.+) \| (.+) \| (.+) \|$", f.read(), re.M)
    assert len(rows) > 30
    for name, error, *actions in rows:
        for policy, said in zip(TYPES, actions):
            default, exceptions = tboots[policy]
            theirs = exceptions.get(error, default)
            # No launch can come of some: tboot would go on to one that fails.
            assert said == theirs or (theirs, said) == ("go on", "unmeasured"), (name, policy)
    assert tboots["nonfatal"][1]["PREV_TXT_ERROR"] == tboots["nonfatal"][1]["VTD_NOT_SUPPORTED"] == "unmeasured"
