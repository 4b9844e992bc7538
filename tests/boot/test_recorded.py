# SPDX-License-Identifier: BSD-3-Clause
"""The record behind docs/RELIABILITY.md (tests/data/results) has a row for each thing that there is to be tried, and none besides."""
import csv
import json
import os
from collections import defaultdict

import launch
import sweep_table
from test_tamper import CELLS

RECORDED = os.path.join(launch.TOP, "tests/data/results")
FUZZ = os.path.join(launch.TOP, "tests/fuzz")
AFTER = " after execution"
OVER = 90             # percent of a parser's lines
TEN_MINUTES = 600     # seconds of processor time
HOW = "run what is missing and then 'make reliability'"


def rows(kind):
    with open(os.path.join(RECORDED, kind + ".jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def parsers():
    with open(os.path.join(FUZZ, "parsers.csv"), newline="", encoding="utf-8") as f:
        return {(r["target"], r["file"]) for r in csv.DictReader(f)}


def difference(have, want):
    """What is missing and what is too much, in an order."""
    return sorted(want - have), sorted(have - want)


def test_every_cell_of_the_matrix():
    have = {(r["mode"], r["hypervisor"], r["change"], r["policy"], r["stopped_by"], tuple(r["verdicts"]), r["exit"]) for r in rows("tamper")}
    want = {(*c[:4], c.stopped_by, tuple(sorted(c.verdicts)), c.code) for c in CELLS}
    assert difference(have, want) == ([], []), HOW


def test_every_case_of_the_sweep_in_machines():
    have = {(r["mode"], r["index"], r["command"], r["kind"], r["policy"]) for r in rows("sweep") if r["mode"] in sweep_table.COMMANDS}
    want = {(c.mode, c.command.index, f"{c.command.party}: {c.command.name}", c.kind, c.policy)
            for full in (False, True) for c in sweep_table.cases(full)}
    assert difference(have, want) == ([], []), HOW


def test_every_command_of_the_sweep_in_process():
    """Each command of a launch, from the first to the last, met each fault of its kind of command under each type of policy."""
    met = defaultdict(lambda: defaultdict(set))
    for r in rows("sweep"):
        if r["mode"] not in sweep_table.COMMANDS:
            met[r["mode"]][r["index"], r["command"]].add((r["kind"], r["policy"]))
    for mode in ("direct-core", "stage-core"):
        assert sorted(i for i, _ in met[mode]) == list(range(1, len(met[mode]) + 1)), (mode, HOW)
        for (_, command), cases in met[mode].items():
            # An extend may also take place although its answer says otherwise.
            before, behind = ({c for c in cases if c[0].endswith(AFTER) is after} for after in (False, True))
            faults = {kind for kind, _ in before}
            assert len(faults) >= len(sweep_table.KINDS), (mode, command, HOW)
            assert before == {(kind, policy) for kind in faults for policy in sweep_table.POLICIES}, (mode, command, HOW)
            wrong = {kind + AFTER for kind in faults - {"retry"}} if command.endswith("PCR_Extend") else set()
            assert behind == {(kind, policy) for kind in wrong for policy in ("nonfatal", "halt")}, (mode, command, HOW)


def test_coverage_of_every_parser():
    found = rows("coverage")
    assert difference({(r["target"], r["file"]) for r in found}, parsers()) == ([], []), HOW
    assert [r for r in found if 100 * r["covered"] <= OVER * r["lines"]] == [], HOW


def test_no_test_was_skipped_or_failed():
    assert [r for r in rows("tests") if r["skipped"] or not r["passed"]] == []


def test_ten_minutes_for_every_fuzz_target():
    targets = {name[:-2] for name in os.listdir(FUZZ) if name.startswith("fuzz_") and name.endswith(".c")}
    found = rows("fuzz")
    assert difference({r["target"] for r in found}, targets) == ([], []), HOW
    assert [r for r in found if r["seconds"] < TEN_MINUTES or r["findings"]] == [], HOW
