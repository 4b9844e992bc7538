# SPDX-License-Identifier: BSD-3-Clause
"""
The TPM fault sweep as data: the TPM commands of a good launch from the first one that is ours on, who sends each, and which of them meet
which fault. test_tpm_sweep.py compares the list with a good launch, so that no command is left out.
"""
from collections import namedtuple

# What goes wrong: the action of a fault rule of tpmproxy.
KINDS = {
    "retry": "rc:0x922", "failure": "rc:0x101", "lockout": "rc:0x921", "garbage": "garbage", "short": "short", "closed": "drop",
    "hang": "hang",         # no answer until the command is ended
    "huge": "huge",         # a response that claims 4 GiB: QEMU waits for the rest, and the guest sees none
    "silent": "silent",     # no answer ever
}
# The TPM does not come back: no later command is answered either.
LASTING = {"closed", "huge", "silent"}
# QEMU gives up no locality while it waits.
STUCK = {"huge", "silent"}
# Waits for the end of somebody's patience.
SLOW = {"hang", "huge", "silent"}
POLICIES = ("nonfatal", "continue", "halt")

Command = namedtuple("Command", "index party locality name")
Case = namedtuple("Case", "mode command kind policy")


def commands(*parts):
    found = []
    for party, locality, names in parts:
        for word in names.split():
            name, _, count = word.partition("*")
            for _ in range(int(count or 1)):
                found.append(Command(len(found) + 1, party, locality, name))
    return found


COMMANDS = {
    "direct": commands(
        ("efi", 2, "GetCapability*2 PCR_Extend*7 NV_ReadPublic NV_Read PCR_Extend PCR_Read*3 PCR_Extend PCR_Read*3"),
        ("firmware", 0, "PCR_Extend GetCapability*2 PCR_Read")),
    # The first one meets a closed locality, as it must before SENTER.
    "txt": commands(
        ("closed", 2, "GetCapability"), ("efi", 0, "GetCapability*2 NV_ReadPublic NV_Read NV_ReadPublic*2 NV_Read"),
        ("firmware", 0, "PCR_Extend GetCapability*2 PCR_Read PCR_Extend GetCapability*2 PCR_Read"),
        ("tboot", 0, "0xffffffff PCR_Event PCR_Reset CreatePrimary NV_ReadPublic NV_Read NV_ReadPublic"),
        ("sinit", 3, "GetCapability*2 NV_ReadPublic*3 PCR_Extend*14"),
        ("tboot", 0, "0xffffffff"), ("tboot", 2, "PCR_Event PCR_Reset NV_ReadPublic NV_Read"), ("tboot", 0, "NV_ReadPublic"),
        ("tboot", 2, "Create PCR_Extend*7 ContextSave GetRandom"),
        ("stage", 2, "GetCapability*2 NV_ReadPublic NV_Read PCR_Extend PCR_Read*3 PCR_Extend")),
}
LAST_EXTEND = {mode: max(c.index for c in rows if c.party in ("efi", "stage") and c.name == "PCR_Extend")
               for mode, rows in COMMANDS.items()}


def _usual():
    """Each command of the launch once, each kind several times; those that take long a few times."""
    quick = [k for k in KINDS if k not in SLOW]
    cases = []
    for mode, parties in (("direct", ("efi",)), ("txt", ("efi", "tboot", "sinit", "stage"))):
        rows = [c for c in COMMANDS[mode] if c.party in parties]
        for i, c in enumerate(rows):
            # Where the platform is in the middle, nobody waits for long. Patience of the firmware's is not ours to test.
            kinds = list(KINDS) if c.party == "sinit" else [k for k in quick if not (mode == "txt" and c.locality == 0 and k == "closed")]
            cases.append(Case(mode, c, kinds[i % len(kinds)], POLICIES[i % len(POLICIES)]))
    closing = COMMANDS["direct"][LAST_EXTEND["direct"] - 1]
    return cases + [Case("direct", closing, "silent", "halt"), Case("direct", COMMANDS["direct"][4], "hang", "nonfatal"),
                    Case("direct", COMMANDS["direct"][6], "huge", "halt"), Case("direct", COMMANDS["direct"][0], "silent", "continue"),
                    Case("txt", COMMANDS["txt"][1], "silent", "nonfatal"), Case("txt", COMMANDS["txt"][4], "silent", "nonfatal")]


def _full():
    cases = []
    for mode, rows in COMMANDS.items():
        for c in rows:
            for i, kind in enumerate(KINDS):
                if c.party == "closed":
                    continue
                both = mode == "direct" and c.party == "efi" and kind not in SLOW
                policies = ("nonfatal", "halt") if both else (POLICIES[(c.index + i) % len(POLICIES)],)
                cases += [Case(mode, c, kind, policy) for policy in policies]
    return cases


def cases(full):
    return _full() if full else _usual()


def name(case):
    c = case.command
    return f"{case.mode}-{c.index}-{c.party}-{c.name}-{case.kind}-{case.policy}"
