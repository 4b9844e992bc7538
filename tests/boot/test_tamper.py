# SPDX-License-Identifier: BSD-3-Clause
"""
The tamper matrix: one thing of a launch is changed behind the policy's back, under each type of policy, in each mode. The tables in
tamper/ say who stops it and what `geolaunch verify` makes of it; what the PCRs must hold is computed here (tamper_model.py).
"""
import re
import time

import pytest

import tamper_model
from results import record
from tamper_changes import BEFORE, CHANGES
from tamper_host import Cache, Host
from tamper_pcrs import NO_TPM, check_pcrs, files
from tamper_table import CELLS, ENDS, ONLY_DIRECT, ONLY_TXT, POLICIES, RETURNS, SAYS, TABLES, reasons
import tamper_tpm_changes  # noqa: F401  (its changes go into CHANGES, too)
import tamper_txt_changes  # noqa: F401


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("tamper"))


# What `verify` says where the TPM has no values to judge by.
REFUSED = {change: f"the only PCR bank in common is {bank}" for change, bank in (("tpm-12", "sha1"), ("bank-only-sha1", "sha1"))}
REFUSED["tpm-none"] = "no values of a bank that geolaunch knows"


def alias(name):
    """Names of events as the tables have them."""
    if name is None:
        return "-"
    words = name.split()
    return f"m{words[1]}" if words[0] == "module" else "nv" if words[0] in ("nv", "nv-raw") else name


def check_what_ran(h, cell):
    """The very bytes that were measured: command line and initrd as the hypervisor got them."""
    modules, _ = tamper_model.parse_description(h.read(h.esp("launch.conf")).decode())
    facts = h.result["facts"]

    def blob(name):
        with open(h.result["blobs"][name], "rb") as f:
            return f.read()

    def check_initrd(members):
        initrd = blob("initrd")
        for role, name, _ in members:
            data = files(h)(name)
            assert data in initrd and (role != "initrd" or initrd.startswith(data)), name

    if facts["started"] in ("linux-efi", "linux-32"):
        assert facts["started"] == "linux-efi" or cell.mode == "txt"
        assert facts["cmdline"] == modules[0][2]
        check_initrd(modules[1:])
    elif facts["started"] == "xen-efi":
        assert facts["cmdline"] == f"xen {modules[0][2]}"
    elif facts["started"] == "xen-32":
        assert cell.mode == "txt" and facts["loader"] == "geolaunch-stage"
        assert re.fullmatch(rf"xen {re.escape(modules[0][2])} tboot=0x[0-9a-f]{{8}}", facts["cmdline"]), facts["cmdline"]
        assert facts["kernel-cmdline"] == f"kernel {modules[1][2]}" and blob("kernel") == files(h)(modules[1][1])
        check_initrd(modules[2:])
    else:
        raise AssertionError(facts["started"])


def never_powers_off(cell):
    """Nobody waits for the end of a machine that will not end: tboot stops the processor, and without a description nobody knows what to do."""
    return cell.stopped_by == "tboot" or (cell.stop and cell.stop[1].startswith("description-"))


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: f"{c.mode}-{c.hypervisor}-{c.change}-{c.policy}")
def test_cell(tmp_path, cache, cell):
    began = time.monotonic()
    h = Host(cache, tmp_path, cell.mode, cell.hypervisor, cell.policy)
    if cell.change in BEFORE:
        BEFORE[cell.change](h)
    h.make()
    if cell.change in CHANGES:
        CHANGES[cell.change](h)
    if never_powers_off(cell):
        h.options += ["--halt-grace", "0"]
    h.boot()
    r = h.result
    code, v = h.verify()
    about = (r["ended"], r["halt"], r["facts"].get("program"), r.get("senter"), h.findings(), v["first_difference"], v["modules"], v["capped"],
             v["verdicts"], code, r["notes"], r["repeat"])
    ended, senter = ENDS[cell.stopped_by]
    assert r["ended"] == ended and r["facts"].get("program", "-") == cell.program, about
    if cell.mode == "txt":
        assert r["senter"] == senter, about
    assert h.findings() == cell.found, about
    if cell.stopped_by in ("geolaunch", "pre-flight"):
        assert r["halt"].startswith(cell.stop[1] + ": ") and "this host was not started" in h.serial, about
        # The firmware's next boot option.
        assert ("Boot0002" in h.serial) is (cell.change in RETURNS), about
    assert (cell.stopped_by == "unmeasured") is ("geolaunch: verdict: NOT MEASURED, started because the policy allows it" in h.serial), about
    assert SAYS.get((cell.mode, cell.change), "geolaunch ") in h.serial, about
    values = check_pcrs(h, cell, about)
    assert (values > 0) is (cell.change not in NO_TPM), about
    assert ("refused" in v) is (cell.code == 3) and REFUSED.get(cell.change, "") in v.get("refused", ""), about
    first = v["first_difference"] and v["first_difference"]["name"]
    assert (alias(first), [alias(m) for m in v["modules"]], set(v["verdicts"]), code) == (cell.first, cell.modules, cell.verdicts, cell.code), about
    caps = [why for name, why in cell.caps.items() if name not in ("tboot", "log")]
    reason = cell.stop[1] if cell.stop and cell.stop[0] != "unmeasured" else caps[0] if caps else None
    assert v["capped"] == (reason if "capped" in cell.verdicts else None), about
    # tboot's own caps hide those of a stage that stopped; nobody gets to read them then, as the machine powers off.
    assert ("capped" in cell.verdicts) is bool(reason) or cell.stopped_by in ("stage", "tboot") or cell.stop == ("unmeasured", reason), about
    assert v["agree"] is (cell.verdicts in ({"trusted"}, {"no-drtm"}) and cell.mode == ("txt" if "trusted" in cell.verdicts else "direct")), about
    if r["facts"].get("program"):
        check_what_ran(h, cell)
    record("tamper", {"mode": cell.mode, "hypervisor": cell.hypervisor, "policy": cell.policy, "change": cell.change,
                      "stopped_by": cell.stopped_by, "verdicts": sorted(cell.verdicts), "exit": cell.code, "pcrs_checked": values,
                      "seconds": round(time.monotonic() - began, 1)})


@pytest.mark.parametrize("rule", ["PCR_Extend@2#8=rc:0x101", "PCR_Extend@2#9=rc:0x101", "NV_Read@2#2=rc:0x101"])
def test_tpm_fails_in_the_stage(tmp_path, cache, rule):
    """tboot extends seven times, so the eighth extend at locality 2 is the geo tag's and the ninth the closing event's."""
    h = Host(cache, tmp_path, "txt", "linux", "halt")
    h.make()
    h.options += ["--fault", rule]
    h.boot()
    code, v = h.verify()
    assert h.result["senter"] == "launched" and h.result["ended"] == "poweroff" and h.result["facts"] == {} and "geolaunch-stage: halted" in h.serial
    assert "trusted" not in v["verdicts"] and v["agree"] is False and "capped" in v["verdicts"] and code == 16, (v["verdicts"], v["explanation"])


def only(reasons_of):
    """All changes of ONLY_DIRECT or ONLY_TXT, each of them once."""
    changes = [change for some in reasons_of.values() for change in some]
    assert len(set(changes)) == len(changes)
    return set(changes)


def test_the_matrix_is_whole():
    """Every change is tried in some mode, and where it is tried, under each type of policy once; so is a launch without a change."""
    assert len({cell[:4] for cell in CELLS}) == len(CELLS)
    assert {c.change for c in CELLS} == set(CHANGES) | set(BEFORE)
    for key in TABLES:
        changes = {c.change for c in CELLS if c[:2] == key}
        assert "nothing" in changes, key
        assert {(c.change, c.policy) for c in CELLS if c[:2] == key} == {(change, policy) for change in changes for policy in POLICIES}, key


def test_a_change_is_tried_in_both_modes():
    """Unless it has no meaning in one of them."""
    direct, txt = ({c.change for c in CELLS if c[:2] == (mode, "linux")} for mode in ("direct", "txt"))
    assert (direct - txt, txt - direct) == (only(ONLY_DIRECT), only(ONLY_TXT))


@pytest.mark.parametrize("mode", ["direct", "txt"])
def test_what_is_tried_with_xen_has_a_reason(mode):
    tried = {c.change for c in CELLS if c[:2] == (mode, "xen")}
    named = reasons(mode, "xen")
    assert sorted(named) == sorted(tried)
    # Xen alone has a kernel besides.
    assert {c for c in tried if not c.startswith("kernel-")} <= {c.change for c in CELLS if c[:2] == (mode, "linux")}
