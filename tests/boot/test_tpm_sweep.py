# SPDX-License-Identifier: BSD-3-Clause
"""
TPM fault sweep with whole machines: geolaunch.efi, tboot, SINIT and the stage before a TPM of which one command goes wrong
(sweep_table.py), and what must come of it (sweep_rules.py).
GEOLAUNCH_SWEEP=full tries every command with every fault. The same sweep without machines: tests/unit/test_efi_sweep.c,
test_efi_txt_sweep.c and test_stage_sweep.c.
"""
import collections
import fcntl
import json
import os
import re
import struct

import pytest

import launch
import sweep_rules as rules
import sweep_table
import tpm_trace
from results import record
from sweep_table import COMMANDS, KINDS, SLOW
from tamper_host import STOP, Cache, Host
from tpm_trace import DYNAMIC

FULL = os.environ.get("GEOLAUNCH_SWEEP") == "full"
NO_MODULE = {0x40c, 0x412, 0x413, 0x5a0, 0x5a2, 0x5a3}     # launch control policy; ours: policy, NV, closing event
CAP_VALUE = struct.pack("<I", 1)     # of SINIT, EVTYPE_CAP_VALUE: SDG 315168-016, appendix F
PATIENCE = 75     # seconds; nobody's but that of firmware and tboot is longer, and theirs lasts for minutes
GOOD = os.path.join(launch.TOP, "build/sweep-good")
TPMPROXY = os.path.join(os.path.dirname(launch.GEOLAUNCH), "tpmproxy")


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("cache"))


def run(cache, work, mode, policy, *options):
    """One launch; its trace is host.trace, one object a TPM command."""
    h = Host(cache, work, mode, "linux", policy)
    h.make()
    h.options += ["--qemu-arg=-trace", "--qemu-arg=tpm_tis_new_active_locality",
                  "--memory", "512" if mode == "txt" else "256", *options]
    h.boot()
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
        newest = max(os.path.getmtime(p) for p in (launch.GEOLAUNCH, launch.EFI, launch.STAGE, launch.TXTPLATFORM, TPMPROXY, launch.TBOOT,
                                                   os.path.join(STOP, "linux"), __file__))
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
    first = []
    if h.result.get("drtm"):
        # The D-RTM sequence is no TPM command; nothing but SINIT's module decides what it measures.
        event = h.expected["events"][0]
        assert (event["pcr"], event["type"]) == (17, 0x402)
        first = [(4, 17, {b: bytes.fromhex(d) for b, d in event["digests"].items()})]
    return tpm_trace.replay(first + tpm_trace.extends_of(h.trace), h.banks, 0 if first else 0xFF)


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
    assert (code, set(v["verdicts"]), v["agree"]) == (rules.code(rules.clean(h.mode)), rules.clean(h.mode), True), v["explanation"]


def locality_of(h):
    """The locality that has the TPM at the end; None: nobody."""
    with open(h.path("logs/qemu.log"), encoding="utf-8") as f:
        last = re.findall(r"Active locality is now (\d+)", f.read())[-1]
    return None if last == "255" else int(last)


# ---- what must come of it: sweep_rules.py ----

def missing_modules(h):
    """Names of the expected modules that the TPM took no extend of, if it took the first ones of each PCR."""
    taken = collections.Counter({17: 1} if h.result.get("drtm") else {})      # the D-RTM sequence
    for _, pcr, digests in tpm_trace.extends_of(h.trace):
        event = [e for e in h.expected["events"] if e["pcr"] == pcr][taken[pcr]]
        choices = [event["digests"], *(a["digests"] for a in event.get("alternatives", ()))]
        assert {b: d.hex() for b, d in digests.items() if b in h.banks} in choices, event["name"]
        taken[pcr] += 1
    names = set()
    for e in h.expected["events"]:
        taken[e["pcr"]] -= 1
        if taken[e["pcr"]] < 0 and e["type"] not in NO_MODULE and e["name"] != "policy":
            names.add(e["name"])
    return names


def check_end(h, case, e):
    assert started(h) == rules.started(e)
    if not started(h):
        assert h.result["ended"] == e.end
    halted = {who: re.findall(rf"^{who}: halted: (\S+?):", h.serial, re.M) for who in ("geolaunch", "geolaunch-stage")}
    assert halted["geolaunch"] == ([e.halt] if e.halt else [])
    # tboot, by which the stage powers off, may wait for the TPM then.
    assert len(halted["geolaunch-stage"]) == (e.end == "poweroff" or (e.end == "timeout" and case.command.party == "stage"))


def check_words(h, case, e):
    """What the operator is told on the console."""
    c, slow = case.command, case.kind in SLOW
    unknown = case.mode == "direct" and c.party == "efi" and c.name == "GetCapability" and slow     # what the TPM is
    tried = c.party == "efi" and not rules.whole(case, e) and (e.halt == "start-failed" or e.end == "timeout")
    says = {
        "NOT MEASURED": e.end == "unmeasured" or tried,
        "geolaunch: the TPM took a command and does not answer": unknown,
        "geolaunch: the firmware measures what it starts and may wait for this TPM": unknown and case.policy == "nonfatal",
        "geolaunch: TPM: it has not answered the firmware for 30 seconds": case.mode == "txt" and c.party == "efi" and slow,
    }
    for text, expected in says.items():
        assert (text in h.serial) == expected, text
    if case.mode == "direct" and rules.whole(case, e) and e.end == "halt":
        assert "the TPM refused to cap all of PCR 17-22" in h.serial or "could not be taken again" in h.serial


@pytest.mark.parametrize("case", sweep_table.cases(FULL), ids=sweep_table.name)
def test_fault(cache, good, tmp_path, case):
    h = run(cache, tmp_path, case.mode, case.policy, "--fault", rule(case, good(case.mode)), "--timeout", "300", "--quiet", str(PATIENCE))
    e = rules.expect(case)
    assert sum("fault" in t and t["fault"] != "closed" for t in h.trace) == 1
    whole = check_pcrs(h)
    code, v = h.verify()
    about = (h.result["ended"], h.result["halt"], v["verdicts"], code, v["explanation"])
    assert (set(v["verdicts"]), code, v["agree"], v["capped"]) == (e.verdicts, rules.code(e.verdicts), whole, e.capped), about
    assert whole is rules.whole(case, e), about
    check_end(h, case, e)
    check_words(h, case, e)
    if e.end == "reset":
        caps = tpm_trace.extends_of(h.trace)[rules.extended(case):]
        assert [pcr for _, pcr, _ in caps] == [17, 18]
        assert all(d == CAP_VALUE.ljust(len(d), b"\0") for _, _, digests in caps for d in digests.values())
    if e.taken is not None:
        assert len(tpm_trace.extends_of(h.trace)) == e.taken
        # Where there was to be a launch and was none nothing is known of modules.
        assert set(v["modules"]) == (set() if case.mode == "txt" and not h.result.get("drtm") else missing_modules(h)), about
    locality = locality_of(h)
    assert locality in rules.holder(case, e), about
    record("sweep", {"mode": case.mode, "policy": case.policy, "index": case.command.index,
                     "command": f"{case.command.party}: {case.command.name}", "kind": case.kind, "outcome": rules.outcome(case, e),
                     "verdicts": v["verdicts"], "exit": code, "agree": v["agree"], "locality0_back": locality in (0, None)})


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


def test_recorded_results_follow_the_rules():
    """Of the machines: what docs/RELIABILITY.md says was measured is what the rules want."""
    with open(os.path.join(launch.TOP, "tests/data/results/sweep.jsonl"), encoding="utf-8") as f:
        rows = [row for row in map(json.loads, f) if row["mode"] in COMMANDS]
    assert rows
    for row in rows:
        case = sweep_table.Case(row["mode"], COMMANDS[row["mode"]][row["index"] - 1], row["kind"], row["policy"])
        e = rules.expect(case)
        assert row["command"] == f"{case.command.party}: {case.command.name}"
        assert (row["outcome"], set(row["verdicts"]), row["exit"], row["agree"]) == (
            rules.outcome(case, e), e.verdicts, rules.code(e.verdicts), rules.whole(case, e)), row
        assert row["locality0_back"] == bool(rules.holder(case, e) & {0, None}), row
