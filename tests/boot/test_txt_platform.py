# SPDX-License-Identifier: BSD-3-Clause
"""Debian's tboot through SENTER on the TXT platform: what is launched, what is refused, and what is left in the TPM."""
import os
import subprocess

import pytest

import txt_boot
from txt_boot import GEOLAUNCH, TBOOT, TBOOT_LINE, boot, linux, make_esp

# A module that is no kernel: tboot gets through SENTER and its own checks, then stops. Quicker than Linux.
SHORT = [("module0", __file__, "")]


def mle_hash(alg):
    return subprocess.run([GEOLAUNCH, "lcp", "mle-hash", "--alg", alg, "--cmdline", TBOOT_LINE, TBOOT], capture_output=True, text=True,
                          check=True, timeout=60).stdout.strip()


def test_linux_through_senter(tmp_path):
    r = boot(str(tmp_path), make_esp(str(tmp_path / "esp"), linux()), "--banks", "sha1,sha256")
    text = r.serial_text()
    assert r["ended"] == "poweroff" and r["senter"] == "launched" and r["drtm"], r["notes"]
    assert "TBOOT: measured launch succeeded" in text
    assert r["facts"]["tboot"] == "yes" and r["facts"]["cpus"] == "1" and r["facts"]["done"] == "yes"
    assert r["mle_hash"]["sha1"] == mle_hash("sha1") and r["mle_hash"]["sha256"] == mle_hash("sha256")
    # The values in the TPM are those of the log. tboot itself extends and logs SHA-256 only (its default, extpol=sha256).
    log, pcrs = r.log(), r.guest_pcrs("sha256")
    assert txt_boot.extend_all(log, 17, 0xB, "sha256") == pcrs[17]
    assert txt_boot.extend_all(log, 18, 0xB, "sha256") == pcrs[18]
    assert {pcrs[i] for i in (19, 20, 21, 22)} == {"00" * 32}
    # Torn down as tboot does it before the machine goes off.
    assert "TBOOT: secrets flag cleared" in text and "measured environment torn down" in text
    assert r["sexits"] == 1 and not r["secrets"] and r["txt_errorcode"] == "0x00000000"
    # tboot caps what it launched.
    assert r["pcrs"]["sha256"]["17"] not in (pcrs[17], "00" * 32, "ff" * 32)


def test_processors_join(tmp_path):
    """The others sleep from SENTER on, and join at the address of TXT.MLE.JOIN when tboot wakes them."""
    r = boot(str(tmp_path), make_esp(str(tmp_path / "esp"), linux()), "--cpus", "2")
    text = r.serial_text()
    assert r["ended"] == "poweroff" and r["senter"] == "launched", r["notes"]
    assert r["joined"] == 1 and "cpu 1 waking up from TXT sleep" in text and "all APs in wait-for-sipi" in text
    assert r["facts"]["cpus"] == "2" and r["sexits"] == 1


@pytest.mark.parametrize("index_set, vlp", [("0", "0x01200001"), ("1", "0x01c10131")])
def test_vlp_in_nv(tmp_path, index_set, vlp):
    """Modules go to the PCRs that the policy in the TPM names."""
    nv = tmp_path / "nv"
    nv.mkdir()
    # version 2, nonfatal, SHA-256, control 1: module 0 into PCR 19, any hash; others into 20.
    (nv / f"nv-{vlp}").write_bytes(bytes([2, 0, 0xB, 1, 0, 0, 0, 0, 0, 0, 0, 2]) + bytes([0, 19, 0, 0, 0, 0, 0, 0]) + bytes([129, 20, 0, 0, 0, 0, 0, 0]))
    r = boot(str(tmp_path), make_esp(str(tmp_path / "esp"), SHORT), "--index-set", index_set, "--provision", str(nv),
             "--tpm-trace", str(tmp_path / "trace"))
    text = r.serial_text()
    assert r["senter"] == "launched" and "measured launch succeeded" in text
    assert "no policy in TPM NV" not in text
    log = r.log()
    assert [pcr for pcr, kind, _, _ in txt_boot.events(log) if kind == 0x501][-1] == 19
    assert r["pcrs"]["sha256"]["19"] == txt_boot.extend_all(log, 19, 0xB, "sha256") != "00" * 32


@pytest.mark.parametrize("rule, errorcode_class", [
    ("PCR_Extend@3#1=rc:0x101", "tpm-error"), ("PCR_Extend@3#9=silent", "tpm-silent"), ("_TPM_Hash=rc:0x101", None),
    ("GetCapability@3#1=rc:0x101", None), ("NV_ReadPublic@3#1=rc:0x101", None), ("NV_ReadPublic@3#3=short", "tpm-silent"),
    ("PCR_Extend@3#14=garbage", "tpm-silent"), ("PCR_Extend@3#2=rc:0x907", "tpm-locality")])
def test_tpm_fails_in_senter(tmp_path, rule, errorcode_class):
    """A TXT reset with TXT.ERRORCODE; never a launch."""
    r = boot(str(tmp_path), make_esp(str(tmp_path / "esp"), SHORT), "--fault", rule)
    assert r["ended"] == "reset" and r["status"] == 11 and r["senter"] == "reset", r["notes"]
    assert int(r["txt_errorcode"], 16) >> 30 == 3       # valid, and by software
    assert r["txt_resets"] == 1 and "measured launch succeeded" not in r.serial_text()
    assert r["rule"] in r.failed_rules()
    if errorcode_class:
        assert r["rule"] == errorcode_class


def test_tpm_is_busy_in_senter(tmp_path):
    """TPM_RC_RETRY: SINIT asks again. (Every command of SENTER, every way to fail: tests/unit/test_txt_link.c.)"""
    r = boot(str(tmp_path), make_esp(str(tmp_path / "esp"), SHORT), "--fault", "PCR_Extend@3#5=rc:0x922", "--fault", "NV_ReadPublic@3#2=rc:0x922")
    assert r["senter"] == "launched" and "measured launch succeeded" in r.serial_text() and r.dynamic_pcrs() == r.replayed()


def test_errorcode_survives_the_reset(tmp_path):
    """After the TXT reset tboot boots again, and tells the error of the last boot."""
    r = boot(str(tmp_path), make_esp(str(tmp_path / "esp"), SHORT), "--fault", "PCR_Extend@3#3=rc:0x101", "--resets", "1")
    text = r.serial_text()
    assert r["txt_resets"] >= 1 and r["resets"] >= 1 and r["launches"] == 1
    assert "TBOOT: TXT.ERRORCODE: 0xc" in text and "last boot has error" in text


def test_no_sinit_module(tmp_path):
    """Neither BIOS nor boot loader provide one: tboot starts its kernel without a launch."""
    r = boot(str(tmp_path), make_esp(str(tmp_path / "esp"), SHORT), "--txt-arg=--loader-sinit")
    text = r.serial_text()
    assert r["senter"] == "not-reached" and "SINIT ACM not provided" in text
    assert r["txt_errorcode"] == "0x00000000" and not r["drtm"]


@pytest.mark.parametrize("options, why", [
    (["--tpm", "1.2", "--provision", "/"], "--provision needs a TPM 2.0"),
    (["--tpm", "none", "--provision", "/"], "--provision needs a TPM 2.0"),
    (["--kvm"], "--platform txt works without KVM only"),
    (["--sinit", "/nonexistent"], "--sinit /nonexistent: no such file"),
    (["--provision", "/nonexistent"], "--provision /nonexistent: not a directory"),
])
def test_usage(tmp_path, options, why):
    p = subprocess.run([os.path.join(txt_boot.TOP, "qemu/run"), "--platform", "txt", "--esp", str(tmp_path), *options],
                       capture_output=True, text=True, timeout=30, check=False)
    assert p.returncode == 2 and why in p.stderr and p.stderr.count("\n") == 1
