# SPDX-License-Identifier: BSD-3-Clause
"""The rows of the tamper matrix, tamper/*.table, and what is said of all rows at once."""
import os
from collections import namedtuple

FOLDER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "tamper")
TABLES = {("direct", "linux"): "direct", ("direct", "xen"): "direct-xen", ("txt", "linux"): "txt", ("txt", "xen"): "txt-xen"}
POLICIES = ("nonfatal", "continue", "halt")
Cell = namedtuple("Cell", "mode hypervisor change policy stopped_by program stop caps found first modules verdicts code")
# How a run ends, and whether SENTER took place, by who stops it.
ENDS = {
    "nobody": ("poweroff", "launched"), "geolaunch": ("halt", "not-reached"), "unmeasured": ("poweroff", "not-reached"),
    "pre-flight": ("halt", "not-reached"), "SINIT": ("reset", "reset"), "tboot": ("halt", "launched"), "stage": ("poweroff", "launched"),
}
# What the console must say besides.
SAYS = {
    ("direct", "tpm-none"): "no TPM found", ("direct", "tpm-crb"): "TPM locality 2 is closed", ("direct", "tpm-12"): "TPM 1.2",
    ("direct", "tpm-hides-banks"): "TPM_RC_FAILURE (0x101)",
    ("direct", "tpm-no-bank"): "no PCR bank with SHA-1, SHA-256, SHA-384 or SHA-512 is active",
    ("txt", "tpm-no-bank"): "geolaunch-stage: no PCR bank", ("txt", "tpm-no-bank-in-firmware"): "the PCR bank that tboot extends is not active",
    ("txt", "tpm-none"): "no TPM found", ("txt", "tpm-crb"): "geolaunch-stage: TPM locality 2 is closed", ("txt", "tpm-12"): "TPM 1.2",
    ("txt", "tpm-hides-banks"): "geolaunch-stage: the TPM does not answer as a TPM 2.0 should: TPM_RC_FAILURE (0x101)",
    ("txt", "tboot-data"): "[unmeasured]", ("direct", "geo-owner-reads"): "cannot be read with empty authorization",
}
RETURNS = {"description-on-halt-and-rules"}     # a launch that is stopped goes back to the firmware, as launch.conf says then
# Changes of one mode that have no meaning in the other. All others are tried in both.
ONLY_DIRECT = {}
ONLY_TXT = {
    "direct has no tboot": ["tboot-byte", "tboot-data", "tboot-line", "tboot-truncated", "tboot-missing"],
    "direct has no SINIT": ["sinit-of-bios", "sinit-of-esp", "sinit-bit", "sinit-truncated"],
    "direct has no launch control": ["launch-control", "lcp-other-tboot", "lcp-data-bit", "lcp-data-missing", "lcp-policy-bit",
                                     "lcp-policy-missing", "lcp-tboot-byte"],
    "direct has no stage, and no rules for one": [
        "stage-byte", "stage-truncated", "stage-missing", "stage-rules", "stage-rules-geo", "stage-rules-no-geo", "stage-halt",
        "file-mode-and-rules", "module-added-to-rules", "module-missing-and-rules", "module-order-and-rules",
        "description-halt-delay-and-rules", "description-on-halt-and-rules"],
    "the policy of direct is the one on the ESP": ["vlp-of-esp-any", "vlp-of-esp-type", "vlp-of-esp-truncated"],
    "direct looks at nothing before it measures": ["geo-written-after-preflight", "tpm-no-bank-in-firmware"],
    "the log of direct grows in memory, there is no room that somebody else has taken": ["log-full", "log-full-before-tboot"],
}


def pairs(text):
    """m3=module-unreadable m5:21=module-missing"""
    return dict(word.split("=") for word in words(text))


def words(text):
    return [] if text == "-" else text.split()


def _lines(mode, hypervisor):
    with open(os.path.join(FOLDER, TABLES[mode, hypervisor] + ".table"), encoding="ascii") as f:
        return f.read().splitlines()


def read_table(mode, hypervisor):
    """Columns are those of Cell, between bars; policies of one row with commas."""
    for line in _lines(mode, hypervisor):
        if not line or line.startswith("#"):
            continue
        change, policies, by, program, stop, caps, found, first, modules, verdicts, code = [c.strip() for c in line.split("|")]
        for policy in policies.split(","):
            yield Cell(mode, hypervisor, change, policy, by, program, next(iter(pairs(stop).items()), None), pairs(caps), words(found), first,
                       words(modules), set(words(verdicts)), int(code))


def reasons(mode, hypervisor):
    """The head of a table of Xen says which changes are tried and why: '# because WHY: CHANGE CHANGE'. All that are named."""
    found = [line.removeprefix("# because ").split(": ", 1) for line in _lines(mode, hypervisor) if line.startswith("# because ")]
    assert all(why and changes for why, changes in found)
    return [change for _, changes in found for change in changes.split()]


CELLS = [cell for key in TABLES for cell in read_table(*key)]
