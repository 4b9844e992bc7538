# SPDX-License-Identifier: BSD-3-Clause
"""A TPM that fails in the middle of a real launch: tpmproxy answers a chosen command in its place."""
import hashlib
import os

import launch
import pytest
from tpm_trace import extend_of, trace_of

DYNAMIC = [str(p) for p in range(17, 23)]


def capped(bank, before, reason):
    return hashlib.new(bank, before + hashlib.new(bank, b"cap " + reason).digest()).hexdigest()


def untouched(bank):
    return b"\xff" * hashlib.new(bank).digest_size


def test_tpm_that_asks_to_try_again(a_launch):
    """TPM_RC_RETRY once: the same command again, and nothing is extended twice. The trace tells what went over the wire."""
    trace = os.path.join(a_launch.work, "trace")
    a_launch.manifest["policy"]["type"] = "halt"
    a_launch.run("--fault", "PCR_Extend@2#3=rc:0x922", "--tpm-trace", trace)
    assert a_launch.result["ended"] == "poweroff", a_launch.serial
    assert a_launch.verdict["agree"] is True and a_launch.verdict["verdicts"] == ["no-drtm"]
    extends = [r for r in trace_of(trace) if r["name"] == "PCR_Extend"]
    ours = [r for r in extends if r["locality"] == 2]
    assert [r["rc"] for r in ours[:4]] == ["0x00000000", "0x00000000", "0x00000922", "0x00000000"]
    assert ours[2]["fault"] == "rc" and ours[2]["command"] == ours[3]["command"]
    done = [extend_of(bytes.fromhex(r["command"])) for r in ours if r["rc"] == "0x00000000"]
    assert done == [(e["pcr"], {b: bytes.fromhex(d) for b, d in e["digests"].items()}) for e in a_launch.expected["events"]]
    # Locality 2 is for the launch alone: the firmware and the host extend none of its PCRs, and we none of theirs.
    assert {extend_of(bytes.fromhex(r["command"]))[0] for r in extends if r["locality"] != 2}.isdisjoint(range(16, 24))


@pytest.mark.parametrize("policy", ["nonfatal", "halt"])
def test_tpm_that_takes_no_measurement(a_launch, policy):
    """TPM_RC_FAILURE: fatal under every policy. What it took before stays, and the cap follows in all dynamic PCRs."""
    a_launch.manifest["policy"]["type"] = policy
    a_launch.run("--fault", "PCR_Extend@2#3=rc:0x101")
    r, v = a_launch.result, a_launch.verdict
    assert r["ended"] == "halt", a_launch.serial
    assert r["halt"].startswith("tpm-error") and "TPM_RC_FAILURE (0x101)" in a_launch.serial
    assert "starting the hypervisor" not in a_launch.serial
    assert v["agree"] is False and set(v["verdicts"]) == {"no-drtm", "capped"} and v["capped"] == "tpm-error" and a_launch.code == 16
    for bank in launch.ALL_BANKS:
        policy_digest = bytes.fromhex(a_launch.expected["events"][0]["digests"][bank])
        measured = hashlib.new(bank, untouched(bank) + policy_digest).digest()
        for pcr in DYNAMIC:
            before = measured if pcr in ("17", "18") else untouched(bank)
            assert r["pcrs"][bank][pcr] == capped(bank, before, b"tpm-error"), (bank, pcr)
            assert r["pcrs"][bank][pcr] != a_launch.expected["pcrs"][bank][pcr], (bank, pcr)


def test_geo_index_that_the_tpm_does_not_give(a_launch):
    """Only the read at locality 2 fails: verify, who reads the index later, would find nothing wrong with it."""
    a_launch.manifest["policy"]["type"] = "halt"
    a_launch.run("--fault", "NV_Read@2=rc:0x101")
    r, v = a_launch.result, a_launch.verdict
    assert r["ended"] == "halt" and r["halt"].startswith("nv-unreadable"), a_launch.serial
    assert v["agree"] is False and v["capped"] == "nv-unreadable" and a_launch.code == 16
    for bank in launch.ALL_BANKS:
        # In the index's place, and then with all the others by the halt.
        once = bytes.fromhex(capped(bank, untouched(bank), b"nv-unreadable"))
        assert r["pcrs"][bank]["22"] == capped(bank, once, b"nv-unreadable"), bank
        files = bytes.fromhex(a_launch.expected["pcrs"][bank]["21"])
        assert r["pcrs"][bank]["21"] == capped(bank, files, b"nv-unreadable"), bank


@pytest.mark.parametrize("on_halt", ["poweroff", "return"])
def test_what_the_firmware_sees_of_a_halt(a_launch, on_halt):
    """Power off: nothing follows. Return: the firmware is told why, and goes on to its next boot option."""
    a_launch.manifest["policy"]["type"] = "halt"
    a_launch.manifest["on_halt"] = on_halt
    a_launch.run("--fault", "PCR_Extend@2#1=rc:0x101")
    assert a_launch.result["ended"] == "halt", a_launch.serial
    after = a_launch.serial.split("geolaunch: halted: tpm-error", 1)[1].split("\n", 1)[1]
    if on_halt == "poweroff":
        assert after.strip() == ""
    else:
        assert "failed to start Boot" in after and "Security Violation" in after
