# SPDX-License-Identifier: BSD-3-Clause
"""
PCR 17-22 of a cell, told three ways that must agree: what the TPM holds at the end; all that it took, by the trace of its commands; and what
the files, the TPM's NV indices and the cell say (tamper_model.py, tamper_sinit.py). And the log, where there is one.
"""
import os

import tamper_model
import tamper_sinit
import tpm_trace
from tamper_host import VLP_INDEX
from tpm_trace import DYNAMIC

NO_TPM = {"tpm-none"}       # the cells in which there is nothing to be read
TPM_12 = {"tpm-12"}         # which has one bank
# On its way out, also on behalf of the stage, tboot 1.10.5 extends PCR 17, 18 and those of the modules that it has verified once each with
# whatever is on its stack, in every bank that it knows; never PCR 22.
TBOOT_BANKS = {"sha1", "sha256", "sha384", "sha512"}
NO_TPM_FOR_TBOOT = {"tpm-crb"}      # it finds none at locality 2, so it cannot do that
DRTM_LOCALITY = 4


def banks_of(h, cell):
    """What the TPM must have to be read."""
    return [] if cell.change in NO_TPM else ["sha1"] if cell.change in TPM_12 else h.banks


def files(h):
    """What is on the ESP; a file that is gone or empty has no bytes to be measured."""
    def read(name):
        return h.read(h.esp(name)) if os.path.exists(h.esp(name)) else b""
    return read


def of_sinit(h, cell):
    """What was extended before tboot: [(PCR, {bank: digest})]."""
    senter = h.result.get("senter")
    if senter not in ("launched", "reset"):
        return []
    measured = tamper_sinit.given_up(h, h.banks) if senter == "reset" else tamper_sinit.events(h, h.banks)
    if senter == "launched":
        tamper_sinit.check_prediction(cell.change, measured, tamper_sinit.predicted(h))
        logged = tamper_sinit.logged(tamper_model.replay(h.read(h.log), h.banks, 0)[1])
        assert logged == [e[1:] for e in measured]
    return [(pcr, digests) for _, pcr, _, digests in measured]


def modelled(h, cell, banks, given):
    """What PCR 17-22 must be when the launch is over."""
    if cell.stop and cell.stop[0] == "unmeasured":
        return tamper_model.Model(banks, 0xFF, {}, None).hex()
    if cell.mode == "direct":
        return tamper_model.direct(files(h), banks, h.content, cell.caps, cell.stop)
    if cell.stopped_by == "SINIT":
        return tamper_model.sinit(banks, given).hex()
    policy = tamper_model.TBOOT_DEFAULT if "tboot" in cell.caps else h.content[VLP_INDEX]
    return tamper_model.txt(files(h), banks, given, policy, h.content, cell.caps, cell.stop)


def caps_of_tboot(h, cell):
    """On its way out: [(locality, PCR, banks)]."""
    if cell.stopped_by not in ("stage", "tboot") or cell.change in NO_TPM_FOR_TBOOT:
        return []
    policy = tamper_model.TBOOT_DEFAULT if "tboot" in cell.caps else h.content[VLP_INDEX]
    entries = tamper_model.parse_policy(policy)[1]
    verified = {} if cell.stop[0] == "sinit" else {pcr for number, pcr in entries.items() if number and pcr != tamper_model.NONE}
    return [(2, pcr, TBOOT_BANKS) for pcr in sorted({17, 18, *verified})]


def without_caps(h, cell, extends):
    """All extends but those of tboot's on its way out, which must be there."""
    caps = caps_of_tboot(h, cell)
    n = len(extends) - len(caps)
    assert [(locality, pcr, set(digests)) for locality, pcr, digests in extends[n:]] == caps
    return extends[:n]


def check_log(h, cell, banks, took, started):
    """The log tells all that the TPM took, in this order and nothing else; a full one tells the first part of it."""
    launched = h.result.get("senter") == "launched"
    assert bool(h.log) is (launched or started), (h.log, launched, started)
    if not h.log:
        return
    told = [(pcr, digests) for pcr, _, digests, _ in tamper_model.replay(h.read(h.log), banks, 0)[1] if str(pcr) in DYNAMIC]
    took = [(pcr, digests) for _, pcr, digests in took]
    if "log" in cell.caps:
        assert 0 < len(told) < len(took)
        took = took[:len(told)]
    assert told == took


def check_pcrs(h, cell, about):
    """Returns how many values of the TPM's were compared."""
    banks = banks_of(h, cell)
    assert sorted(h.result["pcrs"]) == sorted(banks), about
    if not banks:
        assert not h.trace, about
        return 0
    have = {b: {p: h.result["pcrs"][b][p].lower() for p in DYNAMIC} for b in banks}
    given = of_sinit(h, cell)
    assert bool(h.result.get("drtm")) is bool(given), about
    first = [(DRTM_LOCALITY, *event) for event in given[:1]]      # the processor's own event, which no command is
    took = first + tpm_trace.extends_of(h.trace)
    start = 0 if given else 0xFF
    assert have == tpm_trace.replay(took, banks, start), about
    ours = without_caps(h, cell, took)
    passed, want = tpm_trace.replay(ours, banks, start), modelled(h, cell, banks, given)
    assert passed == want, (about, [(b, p, passed[b][p], want[b][p]) for b in banks for p in DYNAMIC if passed[b][p] != want[b][p]])
    check_log(h, cell, banks, ours, bool(h.result["facts"].get("program")) and cell.stopped_by != "unmeasured")
    values = sum(len(p) for p in have.values())
    assert values == len(DYNAMIC) * len(banks)
    return values
