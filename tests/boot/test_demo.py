# SPDX-License-Identifier: BSD-3-Clause
"""make demo's job: the form of result.json, its exit codes, TAMPER."""
import json
import os
import subprocess

import launch
import pytest

RUN = os.path.join(launch.TOP, "demo/run")


def run(folder, **env):
    p = subprocess.run([RUN], env={**os.environ, "DEMO_DIR": str(folder), **env}, capture_output=True, text=True, timeout=300, check=False)
    result = None
    if os.path.exists(os.path.join(folder, "result.json")):
        with open(os.path.join(folder, "result.json"), encoding="utf-8") as f:
            result = json.load(f)
    return p, result


def test_good_run(tmp_path):
    p, r = run(tmp_path)
    assert p.returncode == 0, p.stdout + p.stderr
    assert (r["mode"], r["drtm"], r["verdicts"], r["agree"], r["country"]) == ("direct", False, ["no-drtm"], True, "DE")
    assert sorted(r["pcrs"]) == sorted(launch.ALL_BANKS)
    for bank in r["pcrs"].values():
        assert sorted(bank) == [str(pcr) for pcr in range(17, 23)]
        for value in bank.values():
            assert value["predicted"] == value["log"] == value["tpm"] != ""
    assert "verdict: no-drtm" in p.stdout


@pytest.mark.parametrize("case,verdict", [("policy", "policy-mismatch"), ("geo", "geo-mismatch")])
def test_tampered_run(tmp_path, case, verdict):
    p, r = run(tmp_path, TAMPER=case)
    assert p.returncode not in (0, 1), p.stdout + p.stderr
    assert verdict in r["verdicts"] and r["agree"] is False


def test_xen(tmp_path):
    p, r = run(tmp_path, HYPERVISOR="xen")
    assert p.returncode == 0, p.stdout + p.stderr
    assert (r["mode"], r["drtm"], r["verdicts"], r["agree"], r["country"]) == ("direct", False, ["no-drtm"], True, "DE")
    assert "as dom0 of Xen 4.17" in p.stdout


@pytest.mark.parametrize("env", [{"TAMPER": "everything"}, {"HYPERVISOR": "bhyve"}, {"MODE": "slow"}, {"TAMPER": "kernel"}],
                         ids=lambda e: "+".join(e.values()))
def test_unknown_case(tmp_path, env):
    p, r = run(tmp_path, **env)
    assert p.returncode == 1 and r is None
    assert p.stderr.count("\n") == 1 and "=".join(*env.items()) in p.stderr
