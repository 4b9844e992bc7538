# SPDX-License-Identifier: BSD-3-Clause
"""PCR banks and log formats: what the TPM has after SENTER and tboot is what the log says, in each bank that the author of an event extends."""
import os
import subprocess

import pytest

from txt_boot import ALGS, TBOOT_LINE, TOP, boot, events, make_esp

SHORT = [("module0", __file__, "")]
ALL = "sha1,sha256,sha384,sha512"
ACM_TOOL = os.path.join(TOP, "build/host/acm_tool")
# Of a module that does not write TCG logs: tboot then asks for one log per algorithm.
TCG_LOG = "0x200"
TBOOT_EVENT = 0x501
REAL, REAL_END = os.path.join(TOP, "tests/data/real-txt/txt-logs.bin"), 1634
FIRST = 0x45
AUX, PS = "0x01c10102", "0x01c10103"
# A supplier's policy that allows all: LCP_POLICY2 3.2, SHA-256, type any, all algorithms.
PS_ANY = bytes([2, 3, 0xB, 0, 1]) + bytes(23) + bytes([8, 0, 8, 0, 0, 0, 8]) + bytes(35)
# CPU_SCRTM_STAT, LCP_CONTROL, STM, LCP_DETAILS, LCP_AUTHORITIES
SAME_DATA = {0x40B, 0x40C, 0x40E, 0x412, 0x413}


def launch(work, banks, extpol, *options):
    line = f"{TBOOT_LINE} extpol={extpol}" if extpol else TBOOT_LINE
    r = boot(work, make_esp(os.path.join(work, "esp"), SHORT, line), "--banks", banks, *options)
    assert r["senter"] == "launched" and "measured launch succeeded" in r.serial_text(), (r["why"], r["notes"])
    assert sorted(r["pcrs"]) == sorted(banks.split(","))
    return r


@pytest.mark.parametrize("banks, extpol, tboot_banks", [
    ("sha256", None, ["sha256"]),
    ("sha1,sha256", None, ["sha256"]),
    ("sha256,sha384", None, ["sha256"]),
    ("sha384", None, ["sha256"]),           # tboot logs what it cannot extend
    (ALL, None, ["sha256"]),
    (ALL, "sha384", ["sha384"]),
    (ALL, "agile", ALL.split(",")),
    (ALL, "embedded", ALL.split(",")),
    # More digests in tboot's events than the log's first record announces.
    ("sha1,sha256", "agile", ALL.split(",")),
])
def test_banks(tmp_path, banks, extpol, tboot_banks):
    r = launch(str(tmp_path), banks, extpol)
    assert r.dynamic_pcrs() == r.replayed()
    log = events(r.log())
    sinit, tboot = [e for e in log if e[1] != TBOOT_EVENT], [e for e in log if e[1] == TBOOT_EVENT]
    # SINIT extends all banks of the TPM; tboot those of its option extpol, by default SHA-256 only.
    assert len(sinit) == 15 and all(sorted(d) == [ALGS[b] for b in banks.split(",")] for _, _, d, _ in sinit)
    assert [pcr for pcr, *_ in tboot] == [17, 18, 17] and all(sorted(d) == [ALGS[b] for b in tboot_banks] for _, _, d, _ in tboot)
    for bank in banks.split(","):
        pcrs = r.dynamic_pcrs()[bank]
        assert len(set(pcrs.values())) == 3 and {pcrs[str(i)] for i in (19, 20, 21, 22)} == {"00" * (len(pcrs["19"]) // 2)}


def shape(log):
    return [(pcr, kind, sorted(digests), len(data)) for pcr, kind, digests, data in log]


def test_same_structure_as_a_real_machine(tmp_path):
    """
    The log of a machine with Intel TXT: the same events in the same order, each with digests of the same banks and data of the same layout.
    That machine has an AUX and a supplier's index, and tboot started a kernel with one more module.
    """
    with open(REAL, "rb") as f:
        real = f.read()
    assert not any(real[REAL_END:])
    real = real[:REAL_END]
    nv = tmp_path / "nv"
    nv.mkdir()
    for index, content in ((AUX, bytes(104)), (PS, PS_ANY)):
        (nv / f"nv-{index}").write_bytes(content)
        (nv / f"nv-{index}.attributes").write_text("policywrite|ownerwrite|authread|no_da")
        (nv / f"nv-{index}.policy").write_bytes(bytes(range(32)))
    r = boot(str(tmp_path), make_esp(str(tmp_path / "esp"), [*SHORT, ("module1", __file__, "")]), "--banks", "sha1,sha256", "--provision", str(nv))
    assert r["senter"] == "launched", r["why"]
    log = r.log()
    assert shape(events(log)) == shape(events(real)) and len(events(real)) == 19
    # The Spec ID event, byte by byte; then whatever does not depend on machine, module and MLE.
    assert log[:FIRST] == real[:FIRST]
    for ours, theirs in zip(events(log), events(real)):
        if ours[1] in SAME_DATA:
            assert ours == theirs
    # tboot's built-in policy.
    assert [e for e in events(log) if e[1] == TBOOT_EVENT][:2] == [e for e in events(real) if e[1] == TBOOT_EVENT][:2]


@pytest.fixture
def older_sinit(tmp_path):
    path = str(tmp_path / "older.acm")
    with open(path, "wb") as f:
        subprocess.run([ACM_TOOL, "sinit", "1", TCG_LOG], stdout=f, check=True, timeout=30)
    return path


@pytest.mark.parametrize("banks, extpol", [("sha256", None), ("sha1,sha256", "agile"), (ALL, "agile")])
def test_log_per_algorithm(tmp_path, older_sinit, banks, extpol):
    r = launch(str(tmp_path), banks, extpol, "--sinit", older_sinit)
    assert r.dynamic_pcrs() == r.replayed_per_algorithm()
    for log in r.logs_per_algorithm().values():
        assert [(pcr, kind) for pcr, kind, _, _ in log][:2] == [(17, 0x402), (17, 0x40A)]
        assert [(pcr, kind) for pcr, kind, _, _ in log][-3:] == [(17, TBOOT_EVENT), (18, TBOOT_EVENT), (17, TBOOT_EVENT)]


def test_bank_without_a_log(tmp_path, older_sinit):
    """tboot with its default extpol makes one log; the TPM has another bank besides."""
    r = boot(str(tmp_path), make_esp(str(tmp_path / "esp"), SHORT), "--banks", "sha1,sha256", "--sinit", older_sinit)
    assert r["senter"] == "reset" and r["ended"] == "reset" and r["rule"] == "heap-log-banks" and r["txt_errorcode"] == "0xc0012f01"
