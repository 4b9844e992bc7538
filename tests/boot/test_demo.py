# SPDX-License-Identifier: BSD-3-Clause
"""make demo's job: the form of result.json, its exit codes, TAMPER."""
import json
import os
import re
import subprocess

import launch
import pytest

RUN = os.path.join(launch.TOP, "demo/run")


def run(folder, **env):
    p = subprocess.run([RUN], env={**os.environ, "DEMO_DIR": str(folder), **env}, capture_output=True, text=True, timeout=400, check=False)
    result = None
    if os.path.exists(os.path.join(folder, "result.json")):
        with open(os.path.join(folder, "result.json"), encoding="utf-8") as f:
            result = json.load(f)
    return p, result


GOOD = {"txt": (True, ["trusted"]), "direct": (False, ["no-drtm"])}


@pytest.mark.parametrize("mode,env", [("txt", {}), ("direct", {"MODE": "direct"})], ids=["txt", "direct"])
def test_good_run(tmp_path, mode, env):
    p, r = run(tmp_path, **env)
    assert p.returncode == 0, p.stdout + p.stderr
    assert (r["mode"], r["drtm"], r["verdicts"], r["agree"], r["country"]) == (mode, *GOOD[mode], True, "DE")
    assert sorted(r["pcrs"]) == sorted(launch.ALL_BANKS)
    for bank in r["pcrs"].values():
        assert sorted(bank) == [str(pcr) for pcr in range(17, 23)]
        for value in bank.values():
            assert value["predicted"] == value["log"] == value["tpm"] and re.fullmatch("[0-9a-f]{40,128}", value["tpm"])
    # The host itself, of its own TPM and log, says the same.
    assert r["host"] == {"exit": 0 if mode == "txt" else 10, "verdicts": r["verdicts"]}
    assert f"host: geolaunch verify, on its own TPM and log: {GOOD[mode][1][0]}\n" in p.stdout
    assert f"Verdict: {'trusted, D-RTM' if mode == 'txt' else 'no-drtm'};" in p.stdout
    assert "The host stands in DE" in p.stdout


@pytest.mark.parametrize("mode", sorted(GOOD))
def test_another_policy(tmp_path, mode):
    """A laxer policy lets the launch go on, and everybody can see that it was another one."""
    p, r = run(tmp_path, MODE=mode, TAMPER="policy")
    assert p.returncode not in (0, 1), p.stdout + p.stderr
    assert "policy-mismatch" in r["verdicts"] and r["agree"] is False
    assert r["host"] == {"exit": p.returncode, "verdicts": r["verdicts"]}
    assert r["ended"] == "poweroff"


@pytest.mark.parametrize("mode, verdict", [("direct", "geo-mismatch"), ("txt", "no-drtm")])
def test_another_place(tmp_path, mode, verdict):
    """In mode txt the pre-flight stops it before SENTER: PCR 17-22 are as the reset left them, and no dynamic launch took place."""
    p, r = run(tmp_path, MODE=mode, TAMPER="geo")
    assert p.returncode not in (0, 1), p.stdout + p.stderr
    assert verdict in r["verdicts"] and r["agree"] is False
    assert r["ended"] == "halt"


@pytest.mark.parametrize("mode", sorted(GOOD))
def test_xen(tmp_path, mode):
    p, r = run(tmp_path, MODE=mode, HYPERVISOR="xen")
    assert p.returncode == 0, p.stdout + p.stderr
    assert (r["mode"], r["drtm"], r["verdicts"], r["agree"], r["country"]) == (mode, *GOOD[mode], True, "DE")
    assert "as dom0 of Xen 4.17" in p.stdout


@pytest.mark.parametrize("env", [{"TAMPER": "everything"}, {"HYPERVISOR": "bhyve"}, {"MODE": "slow"}, {"TAMPER": "kernel"}],
                         ids=lambda e: "+".join(e.values()))
def test_unknown_case(tmp_path, env):
    p, r = run(tmp_path, **env)
    assert p.returncode == 1 and r is None
    assert p.stderr.count("\n") == 1 and "=".join(*env.items()) in p.stderr
