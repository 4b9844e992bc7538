# SPDX-License-Identifier: BSD-3-Clause
"""
TPM fault sweep with whole machines: geolaunch.efi, tboot, SINIT and the stage before a TPM of which one command goes wrong
(sweep_table.py).
GEOLAUNCH_SWEEP=full tries every command with every fault. The same sweep without machines: tests/unit/test_efi_sweep.c, test_stage_sweep.c.
"""
import fcntl
import hashlib
import json
import os
import re
import struct

import pytest

import launch
import sweep_table
from results import record
from sweep_table import COMMANDS, KINDS, LASTING, LAST_EXTEND, STUCK
from tamper_host import STOP, Cache, Host
from tpm_trace import extend_of, trace_of

FULL = os.environ.get("GEOLAUNCH_SWEEP") == "full"
DYNAMIC = [str(p) for p in range(17, 23)]
CLEAN = {"direct": (10, ["no-drtm"]), "txt": (0, ["trusted"])}     # exit code and verdicts of a launch to which nothing happened
PATIENCE = 75     # seconds; nobody's but that of firmware and tboot is longer, and theirs lasts for minutes
GOOD = os.path.join(launch.TOP, "build/sweep-good")


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("cache"))


def run(cache, work, mode, policy, *options):
    """One launch; its trace is host.trace, one object a TPM command."""
    h = Host(cache, work, mode, "linux", policy)
    h.make()
    trace = h.path("trace")
    h.options += ["--tpm-trace", trace, "--qemu-arg=-trace", "--qemu-arg=tpm_tis_new_active_locality",
                  "--memory", "512" if mode == "txt" else "256", *options]
    h.boot()
    h.trace = trace_of(trace)
    # What QEMU itself asked before the machine ran meets no fault rule.
    while h.trace and h.trace[0]["seq"] == 0 and h.trace[0]["locality"] == 0:
        h.trace.pop(0)
    return h


def word(entry):
    return entry["cc"] if entry["name"] == "unknown" else entry["name"]


@pytest.fixture
def good(cache, tmp_path):
    """Commands of a good launch as (name, locality); made by the first worker that wants them."""
    def get(mode):
        newest = max(os.path.getmtime(p) for p in (launch.GEOLAUNCH, launch.EFI, launch.STAGE, os.path.join(STOP, "linux"), __file__))
        path = os.path.join(GOOD, mode + ".json")
        os.makedirs(GOOD, exist_ok=True)
        with open(path + ".lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(path) or os.path.getmtime(path) < newest:
                work = tmp_path / "good"
                work.mkdir()
                h = run(cache, work, mode, "halt")
                check_whole(h)
                with open(path + ".new", "w", encoding="utf-8") as f:
                    json.dump([(word(e), e["locality"]) for e in h.trace], f)
                os.rename(path + ".new", path)
            with open(path, encoding="utf-8") as f:
                return [tuple(e) for e in json.load(f)]
    return get


def rule(case, sent):
    """The fault rule that hits the case's command: rules count by name and locality."""
    at = len(sent) - len(COMMANDS[case.mode]) + case.command.index - 1
    c = case.command
    assert sent[at] == (c.name, c.locality)
    return f"{c.name}@{c.locality}#{sent[:at + 1].count(sent[at])}={KINDS[case.kind]}"


# ---- what the TPM took ----

def replay(h):
    """PCR 17-22 by all extends that the TPM executed."""
    start = b"\0" if h.result.get("drtm") else b"\xff"
    values = {b: {p: start * hashlib.new(b).digest_size for p in DYNAMIC} for b in h.banks}

    def extend(pcr, digests):
        for bank in set(digests) & set(values):
            values[bank][pcr] = hashlib.new(bank, values[bank][pcr] + digests[bank]).digest()

    if h.result.get("drtm"):
        # The D-RTM sequence is no TPM command; nothing but SINIT's module decides what it measures.
        first = h.expected["events"][0]
        assert (first["pcr"], first["type"]) == (17, 0x402)
        extend("17", {b: bytes.fromhex(d) for b, d in first["digests"].items()})
    for e in h.trace:
        if e["rc"] != "0x00000000" or "fault" in e or e["name"] not in ("PCR_Extend", "PCR_Event", "PCR_Reset"):
            continue
        command = bytes.fromhex(e["command"])
        pcr = str(struct.unpack_from(">I", command, 10)[0])
        if pcr in DYNAMIC:
            assert e["name"] == "PCR_Extend", e
            extend(pcr, extend_of(command)[1])
    return {b: {p: v.hex() for p, v in pcrs.items()} for b, pcrs in values.items()}


def dynamic(pcrs, banks):
    return {b: {p: pcrs[b][p].lower() for p in DYNAMIC} for b in banks}


def check_pcrs(h):
    """The TPM holds what it took, in every bank. Returns whether that is what was predicted."""
    values = dynamic(h.result["pcrs"], h.banks)
    assert values == replay(h), h.result["notes"]
    return values == dynamic(h.expected["pcrs"], h.banks)


def started(h):
    return h.result["facts"].get("done") == "yes"


def check_whole(h):
    code, v = h.verify()
    assert check_pcrs(h) and started(h), (h.result["ended"], h.result["notes"])
    assert (code, v["verdicts"], v["agree"]) == (*CLEAN[h.mode], True), v["explanation"]


def locality_of(h):
    """The locality that has the TPM at the end; None: nobody."""
    with open(h.path("logs/qemu.log"), encoding="utf-8") as f:
        last = re.findall(r"Active locality is now (\d+)", f.read())[-1]
    return None if last == "255" else int(last)


# ---- the rules ----

def halts(h, case):
    """Whether a launch of ours must stop at this: None if others decide."""
    c, late = case.command, case.command.index > LAST_EXTEND[case.mode]
    if case.kind == "retry" or late:
        return False
    if c.name == "GetCapability":
        return case.mode == "txt" or case.policy != "nonfatal"
    if c.name.startswith("NV_"):
        return case.kind in LASTING or case.policy == "halt"
    return True


def check_ours(h, case, whole, code, v):
    """A command of what measures: geolaunch.efi in mode direct, the stage in mode txt."""
    c = case.command
    assert whole == (case.kind == "retry" or c.index > LAST_EXTEND[case.mode])
    if case.mode == "direct" and c.index > LAST_EXTEND["direct"] and case.kind in LASTING and not started(h):
        # All is measured, but firmware that cannot measure any more starts no program. Nobody is shown the values of a machine that is off.
        if case.kind in STUCK and h.result["ended"] == "timeout":
            return      # firmware waits for minutes at each attempt to measure the program that it shall start
        assert h.result["halt"].startswith("start-failed") and h.result["ended"] == "halt"
        assert "the TPM refused to cap all of PCR 17-22" in h.serial or "could not be taken again" in h.serial
        return
    if c.name == "GetCapability" and case.mode == "direct" and case.kind in STUCK:
        assert "the TPM took a command and does not answer" in h.serial and v["capped"] is None
        if case.policy == "nonfatal":
            # The program may be started, but the firmware measures it first, or would.
            assert "the firmware measures what it starts and may wait for this TPM" in h.serial
            assert h.result["ended"] == "timeout" or started(h)
            return
    if c.name == "GetCapability" and case.kind == "closed" and (h.result["halt"] or "").startswith("start-failed"):
        # Unmeasured it may be started, but the firmware starts nothing that it cannot measure.
        assert case.policy == "nonfatal" and h.result["ended"] == "halt" and code == 14
        return
    assert started(h) == (not halts(h, case)), (h.result["ended"], h.result["halt"])
    if whole:
        return
    if c.name == "GetCapability":
        assert code == 14 if case.mode == "direct" else "geo-missing" in v["verdicts"]
        assert v["capped"] is None
    elif case.kind in LASTING:
        assert v["capped"] is None and set(v["verdicts"]) - {"no-drtm"}
    else:
        reason = "nv-unreadable" if c.name.startswith("NV_") else "tpm-error"
        assert (code, v["capped"]) == (16, reason)
    who = "geolaunch" if case.mode == "direct" else "geolaunch-stage"
    assert len(re.findall(rf"^{who}: halted: ", h.serial, re.M)) == halts(h, case)


def check_others(h, case, whole, v):
    """A command of tboot's, of SINIT's, of the pre-flight or of the firmware: nothing goes on that should not, or it has a name."""
    if case.command.party == "sinit":
        assert started(h) == whole == (case.kind == "retry")
    elif case.command.party == "tboot":
        # It falls back to a policy of its own, or takes a short answer for a good one: PCR 17-21 show it. Or it gives the launch up, and the
        # stage halts, or goes on where the policy says that this is all right.
        unlaunched = v["verdicts"] == ["no-drtm"] and (not started(h) or (case.policy == "nonfatal" and "NOT MEASURED" in h.serial))
        assert whole or unlaunched or {"policy-mismatch", "module-mismatch", "log-mismatch", "capped"} & set(v["verdicts"])
    elif case.command.party == "efi" and case.kind in STUCK:
        # Through the firmware, which would wait by minutes.
        assert not started(h) and h.result["halt"].startswith("tpm-error") and h.result["ended"] == "halt"
        assert "geolaunch: TPM: it has not answered the firmware for 30 seconds" in h.serial
    elif started(h) and not whole:
        # Without a launch, and the policy says that this is all right.
        assert case.mode == "txt" and case.policy == "nonfatal" and "NOT MEASURED" in h.serial


def check_locality(h, case):
    """At the end locality 0 is the firmware's, or nobody's, and whoever asks gets it. Returns whether it is."""
    free = locality_of(h) in (0, None)
    if case.kind not in STUCK and h.result["ended"] not in ("reset", "timeout"):
        assert free
    if case.mode == "direct" and not free:
        assert "geolaunch: the firmware's TPM locality did not come back" in h.serial
    return free


def outcome(h, case, whole, v):
    if whole:
        return ("recovered" if case.kind == "retry" else "no influence") + ("" if started(h) else ", not started")
    if started(h):
        return "unmeasured, started" if "NOT MEASURED" in h.serial else "capped, started" if v["capped"] else "started, other values"
    return ("capped, " if v["capped"] else "") + h.result["ended"]


@pytest.mark.parametrize("case", sweep_table.cases(FULL), ids=sweep_table.name)
def test_fault(cache, good, tmp_path, case):
    h = run(cache, tmp_path, case.mode, case.policy, "--fault", rule(case, good(case.mode)), "--timeout", "300", "--quiet", str(PATIENCE))
    assert sum("fault" in e and e["fault"] != "closed" for e in h.trace) == 1
    whole = check_pcrs(h)
    code, v = h.verify()
    about = (h.result["ended"], h.result["halt"], v["verdicts"], code, v["explanation"])
    assert v["agree"] is whole, about
    if whole:
        assert (code, v["verdicts"]) == CLEAN[case.mode], about
    else:
        # no-drtm alone: in mode txt the host was not launched; in mode direct all would be well.
        assert "trusted" not in v["verdicts"] and v["agree"] is False and code not in (0, *((10,) if case.mode == "direct" else ())), about
    if case.command.party in ("efi", "stage") and (case.mode == "direct" or case.command.party == "stage"):
        check_ours(h, case, whole, code, v)
    else:
        check_others(h, case, whole, v)
    record("sweep", {"mode": case.mode, "policy": case.policy, "index": case.command.index, "command": f"{case.command.party}: {case.command.name}",
            "kind": case.kind, "outcome": outcome(h, case, whole, v), "verdicts": v["verdicts"], "exit": code, "agree": v["agree"],
            "locality0_back": check_locality(h, case)})


@pytest.mark.parametrize("mode", ["direct", "txt"])
def test_every_command_is_in_the_table(good, mode):
    """From the first command of ours on, to the end of the launch."""
    sent, rows = good(mode), COMMANDS[mode]
    assert sent[-len(rows):] == [(c.name, c.locality) for c in rows]
    first = next(i for i, (_, locality) in enumerate(sent) if locality == 2)
    assert len(sent) - first == len(rows)


def test_every_command_and_every_kind_is_met():
    cases = sweep_table.cases(False)
    assert {c.kind for c in cases} == set(KINDS)
    for mode, parties in (("direct", {"efi"}), ("txt", {"efi", "tboot", "sinit", "stage"})):
        assert {c.command for c in cases if c.mode == mode} == {c for c in COMMANDS[mode] if c.party in parties}
