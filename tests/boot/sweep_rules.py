# SPDX-License-Identifier: BSD-3-Clause
"""
What must come of each fault of the TPM sweep: by whose command went wrong, how, under which policy, and by what had been measured until
then. Nothing here looks at a run; test_tpm_sweep.py compares each run with it, in every point.
"""
from collections import namedtuple

from sweep_table import COMMANDS, LASTING, LAST_EXTEND, SLOW, STUCK

CODES = {"trusted": 0, "no-drtm": 10, "geo-missing": 11, "geo-mismatch": 12, "module-mismatch": 13, "policy-mismatch": 14,
         "log-mismatch": 15, "capped": 16}

# What each extend of a launch measures, in its order; SINIT's are modules as well.
MEASURED = {
    "direct": ["policy"] * 2 + ["module"] * 5 + ["nv", "closing"],
    "txt": ["module"] * 14 + ["policy"] * 2 + ["module"] * 5 + ["nv", "closing"],
}
VERDICT = {"policy": "policy-mismatch", "module": "module-mismatch", "nv": "geo-missing"}

# How a run ends. The host was started: "started", or "unmeasured" without a launch. It was not: "halt" (the processor stopped, or our
# halt), "poweroff" (through tboot, by the stage), "reset", "timeout" (somebody waits for the TPM). halt: what geolaunch.efi says of its
# halt. capped: the reason that verify gives. taken: how many extends of the launch the TPM took, and then none; None: others, too.
Expected = namedtuple("Expected", "verdicts end halt capped taken", defaults=(None, None, None))


def clean(mode):
    return {"trusted"} if mode == "txt" else {"no-drtm"}


def code(verdicts):
    return max(CODES[v] for v in verdicts)


def started(e):
    return e.end in ("started", "unmeasured")


def whole(case, e):
    """Nothing of the launch is missing or wrong. (no-drtm alone is the best that there is in mode direct.)"""
    return e.verdicts == clean(case.mode)


def holder(case, e):
    """
    Localities that may have the TPM at the end; None: nobody, and whoever asks gets it. In mode direct it has to be the firmware's 0:
    without it firmware measures nothing more (its TCG2 protocol fails), and nobody but us can ask for it. QEMU gives up no locality while
    a command runs, so whoever waits for ever holds it.
    """
    if case.mode == "direct" or e.halt:
        return {0}
    return {case.command.locality} if e.end == "timeout" else {0, None}


def extended(case):
    """How many extends of a launch come before the case's command."""
    before = COMMANDS[case.mode][:case.command.index - 1]
    return sum(c.party != "firmware" and c.name == "PCR_Extend" for c in before)


def broken_off(case, end, halt=None, logged=False, taken=None):
    """
    PCR 17-22 got what comes before the command, or the first extends that are given, and nothing after it. A log that ends there lacks
    the closing event; without a log that is of interest if nothing else is missing.
    """
    taken = extended(case) if taken is None else taken
    left = MEASURED[case.mode][taken:]
    verdicts = {VERDICT[m] for m in left if m != "closing"}
    if logged or left == ["closing"]:
        verdicts.add("log-mismatch")
    return Expected(verdicts if case.mode == "txt" else verdicts | {"no-drtm"}, end, halt, None, taken)


# When tboot stops or powers off what it launched, it extends PCR 17-21 in all banks with what lies on its stack. Nobody can know that:
# policy and modules may be any, and the log does not lead to the values. PCR 22 alone still tells what the stage did.
TBOOT_CAPS = {"module-mismatch", "policy-mismatch", "log-mismatch"}


def good(case, end="started", **more):
    return Expected(clean(case.mode), end, **more)


def nothing(end, halt=None):
    """Mode txt without SENTER, and locality 2 is closed."""
    return Expected({"no-drtm"}, end, halt, None, 0)


def unlaunched(case):
    """tboot gives the launch up; the stage goes on only where the policy lets it."""
    return nothing("unmeasured" if case.policy == "nonfatal" else "poweroff")


# ---- whose command it is ----

def direct_efi(case):
    c, lasts = case.command, case.kind in LASTING
    if case.kind == "retry":
        return good(case)
    if c.index > LAST_EXTEND["direct"]:
        # All is measured. But firmware that cannot measure what it starts does not start it, and waits for minutes for a silent TPM.
        if case.kind in STUCK:
            return good(case, "timeout")
        return good(case, "halt", halt="start-failed") if lasts else good(case)
    if c.name == "GetCapability":
        if case.policy != "nonfatal":
            return broken_off(case, "halt", "tpm-error")
        if case.kind in STUCK:
            return broken_off(case, "timeout")
        if case.kind == "closed":
            return broken_off(case, "halt", "start-failed")
        return broken_off(case, "unmeasured")
    if lasts:
        return broken_off(case, "halt", "tpm-error")
    if c.name.startswith("NV_"):
        end = ("halt", "nv-unreadable") if case.policy == "halt" else ("started", None)
        return Expected({"no-drtm", "geo-mismatch", "capped"}, *end, "nv-unreadable")
    return Expected({"no-drtm", "capped"}, "halt", "tpm-error", "tpm-error")


def direct_firmware(case):
    """What the firmware measures of the program that it starts. All of ours is in."""
    if case.kind in SLOW:
        return good(case, "timeout")
    if case.command.name != "PCR_Extend" or case.kind in ("garbage", "short"):
        return good(case)
    if case.kind == "closed":
        return good(case, "halt", halt="start-failed")
    # It looks at the code of the answer, does not try again, and does not start what it could not measure.
    return Expected({"no-drtm", "capped"}, "halt", "start-failed", "start-failed")


PREFLIGHT = {4: "vlp", 5: "vlp", 6: "lcp", 7: "geo", 8: "geo"}     # which NV index


def txt_efi(case):
    """Pre-flight. Locality 2 is closed, so all goes through the firmware, and no cap can be extended."""
    what, refused = PREFLIGHT.get(case.command.index, "tpm"), nothing("halt", "preflight")
    if case.kind == "retry":
        return good(case)
    if case.kind in SLOW:
        return nothing("halt", "tpm-error")      # the guard's
    gone = case.kind == "closed"
    if what == "geo" or (what == "vlp" and not gone):
        if case.policy == "halt":
            return refused
        return unlaunched(case) if gone else good(case)
    # With this TPM no launch can succeed.
    if case.policy != "nonfatal":
        return refused
    return nothing("halt", "start-failed") if gone else nothing("unmeasured")


def txt_firmware(case):
    """What the firmware measures of tboot's start: PCR 0-7."""
    if case.kind in SLOW:
        return nothing("timeout")
    return unlaunched(case) if case.kind == "closed" else good(case)


def txt_sinit(case):
    """
    It does its work to the end, or caps PCR 17 and 18 and resets the machine. It has a way to the TPM of its own: of a fault it meets the
    one command, and the next one works.
    """
    return good(case) if case.kind == "retry" else broken_off(case, "reset")._replace(taken=None)


def tboot_before(case):
    """tboot before SENTER: 0xffffffff, PCR_Event, PCR_Reset and CreatePrimary are its tests of the TPM."""
    c, at = case.command, case.command.index - next(r.index for r in COMMANDS["txt"] if r.party == "tboot")
    if case.kind in SLOW:
        return nothing("timeout")
    if case.kind == "closed":
        # Cut off behind the tests it goes through SENTER, and then starts module 0 without measuring. SINIT has a way of its own.
        return unlaunched(case) if at < 4 else broken_off(case, "poweroff", logged=True, taken=SINIT_EXTENDS)
    if c.name in ("PCR_Event", "PCR_Reset", "CreatePrimary") and (c.name, case.kind) != ("PCR_Event", "short"):
        return unlaunched(case)
    # It does not look at the first answer, and takes its policy out of the TPM after SENTER.
    return good(case)


def tboot_after(case):
    c = case.command
    if case.kind in SLOW:
        return broken_off(case, "timeout", logged=True)
    tests = [r.index for r in COMMANDS["txt"] if r.party == "tboot" and r.index > LAST_SINIT][:3]
    if case.kind == "closed":
        # With no TPM at its tests, or when all is measured, it starts the stage, which starts nothing. In between it stops.
        end = "poweroff" if c.index in tests or c.name == "GetRandom" else "halt"
        return broken_off(case, end, logged=True)
    if c.name == "0xffffffff" or c.name == "ContextSave" or (c.name, case.kind) == ("PCR_Event", "short"):
        return good(case)
    if c.index in tests:
        # A TPM that is not ready: it gives the launch up, and the stage says so in PCR 17-22.
        return Expected({"capped"}, unlaunched(case).end, None, "preflight")
    if c.name.startswith("NV_"):
        # No policy of the owner's for it: its own, which is nonfatal whatever type the owner chose.
        return Expected({"module-mismatch", "policy-mismatch"}, "started")
    stopped = Expected({"geo-missing"} | TBOOT_CAPS, "halt")
    if c.name in ("Create", "GetRandom"):
        # Wanted for sealing. A short answer is good enough.
        return good(case) if case.kind == "short" or case.policy == "nonfatal" else stopped
    if c.name == "PCR_Extend" and case.kind == "short" and c.index != FIRST_TBOOT_EXTEND:
        # Taken for done, and logged.
        return Expected({VERDICT[MEASURED["txt"][extended(case)]], "log-mismatch"}, "started")
    assert c.name == "PCR_Extend"
    return stopped


def txt_stage(case):
    c = case.command
    if case.kind == "retry":
        return good(case)
    if case.kind in LASTING:
        return broken_off(case, "timeout" if case.kind in STUCK else "poweroff", logged=True)
    if c.name == "GetCapability":
        # No TPM to cap with, but tboot has one.
        return Expected({"geo-missing"} | TBOOT_CAPS, "poweroff")
    if not c.name.startswith("NV_"):
        return Expected({"capped"} | TBOOT_CAPS, "poweroff", None, "tpm-error")
    if case.policy != "halt":
        return Expected({"geo-mismatch", "capped"}, "started", None, "nv-unreadable")
    return Expected({"geo-mismatch", "capped"} | TBOOT_CAPS, "poweroff", None, "nv-unreadable")


LAST_SINIT = max(c.index for c in COMMANDS["txt"] if c.party == "sinit")
SINIT_EXTENDS = sum(c.party == "sinit" and c.name == "PCR_Extend" for c in COMMANDS["txt"])
FIRST_TBOOT_EXTEND = min(c.index for c in COMMANDS["txt"] if c.party == "tboot" and c.name == "PCR_Extend")
RULES = {("direct", "efi"): direct_efi, ("direct", "firmware"): direct_firmware, ("txt", "efi"): txt_efi, ("txt", "firmware"): txt_firmware,
         ("txt", "sinit"): txt_sinit, ("txt", "stage"): txt_stage}


def expect(case):
    party = case.command.party
    if party == "tboot":
        return tboot_after(case) if case.command.index > LAST_SINIT else tboot_before(case)
    return RULES[case.mode, party](case)


def outcome(case, e):
    """In words, as docs/RELIABILITY.md has them."""
    if whole(case, e):
        return ("recovered" if case.kind == "retry" else "no influence") + ("" if started(e) else ", not started")
    if started(e):
        return "unmeasured, started" if e.end == "unmeasured" else "capped, started" if e.capped else "started, other values"
    return ("capped, " if e.capped else "") + e.end
