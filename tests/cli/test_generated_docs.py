# SPDX-License-Identifier: BSD-3-Clause
"""The documents that are written from the tables in the code are up to date."""
import json
import os
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
# generator, document, the target that writes it anew
DOCUMENTS = [("gen_measurements", "MEASUREMENTS.md", "measurements"), ("gen_preflight", "PREFLIGHT.md", "preflight-doc"),
             ("gen_lint", "LINT.md", "lint-doc")]


def program(generator):
    return os.path.join(TOP, "build/host", generator)


@pytest.mark.parametrize("generator, document, target", DOCUMENTS)
def test_document_is_generated(generator, document, target):
    want = subprocess.run([program(generator)], capture_output=True, text=True, check=True, timeout=60).stdout
    with open(os.path.join(TOP, "docs", document), encoding="utf-8") as f:
        assert f.read() == want, f"run 'make {target}'"


@pytest.mark.parametrize("generator", [generator for generator, _, _ in DOCUMENTS])
def test_generator_reports_a_full_disk(generator):
    with open("/dev/full", "w", encoding="utf-8") as full:
        run = subprocess.run([program(generator)], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert run.returncode == 1
    assert run.stderr == f"{generator}: cannot write the document\n"


# ---------------------------------------------------------------- docs/RELIABILITY.md

RELIABILITY = os.path.join(TOP, "scripts/reliability")
RECORDED = os.path.join(TOP, "tests/data/results")
CELL = {"mode": "txt", "hypervisor": "linux", "change": "initrd", "policy": "halt", "stopped_by": "tboot", "verdicts": ["capped"],
        "exit": 16, "pcrs_checked": 24, "seconds": 3}


def reliability(*args):
    return subprocess.run([RELIABILITY, *map(str, args)], capture_output=True, text=True, check=False, timeout=60)


def leave(folder, kind, *rows):
    folder.mkdir(exist_ok=True)
    (folder / f"{kind}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))


def test_reliability_is_generated():
    p = reliability("print", RECORDED)
    assert p.returncode == 0 and p.stderr == ""
    with open(os.path.join(TOP, "docs/RELIABILITY.md"), encoding="utf-8") as f:
        assert f.read() == p.stdout, "run 'make reliability'"


def test_results_are_recorded_in_an_order_of_their_own(tmp_path):
    other = {**CELL, "policy": "continue"}
    leave(tmp_path / "a", "tamper", CELL, other)
    leave(tmp_path / "b", "tamper", other, CELL)
    for name in ("a", "b"):
        assert reliability("record", tmp_path / name, tmp_path / f"{name}2").returncode == 0
    text = (tmp_path / "a2/tamper.jsonl").read_text()
    assert text == (tmp_path / "b2/tamper.jsonl").read_text()
    assert "seconds" not in text        # the same run again gives the same record
    page = reliability("print", tmp_path / "a2").stdout
    assert "| initrd |  | tboot; capped (16) | tboot; capped (16) |" in page and "2 boots" in page and "48 PCR values" in page


def test_a_new_fuzz_figure_replaces_that_of_its_target_alone(tmp_path):
    rows = [{"target": t, "seconds": 600, "runs": n, "findings": 0} for t, n in (("fuzz_vlp", 7), ("fuzz_acm", 8))]
    leave(tmp_path / "old", "fuzz", *rows)
    leave(tmp_path / "new", "fuzz", {**rows[0], "runs": 9})
    reliability("record", tmp_path / "old", tmp_path / "to")
    reliability("record", tmp_path / "new", tmp_path / "to")
    assert [(r["target"], r["runs"]) for r in map(json.loads, (tmp_path / "to/fuzz.jsonl").read_text().splitlines())] == [
        ("fuzz_acm", 8), ("fuzz_vlp", 9)]


SWEEP = {"mode": "txt", "policy": "halt", "index": 4, "command": "efi: NV_Read", "kind": "hang", "outcome": "halt", "verdicts": ["no-drtm"], "exit": 10,
         "agree": False, "locality0_back": True}


def recorded(folder, kind):
    return [json.loads(line) for line in (folder / f"{kind}.jsonl").read_text().splitlines()]


def test_a_part_of_the_sweep_leaves_the_rest_of_the_record(tmp_path):
    other, elsewhere = {**SWEEP, "kind": "huge"}, {**SWEEP, "mode": "direct"}
    leave(tmp_path / "old", "sweep", SWEEP, other, elsewhere)
    leave(tmp_path / "new", "sweep", {**other, "exit": 11}, {**other, "exit": 12})      # the same case twice: its last run counts
    leave(tmp_path / "later", "sweep", {**other, "command": "efi: NV_ReadPublic"})      # the launch sends another command now
    for name in ("old", "new"):
        assert reliability("record", tmp_path / name, tmp_path / "to").returncode == 0
    assert [(r["mode"], r["kind"], r["exit"]) for r in recorded(tmp_path / "to", "sweep")] == [
        ("direct", "hang", 10), ("txt", "hang", 10), ("txt", "huge", 12)]
    assert reliability("record", tmp_path / "later", tmp_path / "to").returncode == 0
    assert [(r["mode"], r["command"]) for r in recorded(tmp_path / "to", "sweep")] == [("direct", "efi: NV_Read"), ("txt", "efi: NV_ReadPublic")]


def test_cells_run_alone_leave_the_others_and_a_whole_run_replaces_them(tmp_path):
    other = {**CELL, "change": "geo"}
    leave(tmp_path / "old", "tamper", CELL, other)
    leave(tmp_path / "new", "tamper", {**CELL, "exit": 15})
    for name in ("old", "new"):
        assert reliability("record", tmp_path / name, tmp_path / "to").returncode == 0
    assert [(r["change"], r["exit"]) for r in recorded(tmp_path / "to", "tamper")] == [("geo", 16), ("initrd", 15)]
    (tmp_path / "new/pytest.xml").write_text('<testsuites><testsuite><testcase classname="tests.boot.test_tamper" name="test_cell"/>'
                                             '<testcase classname="tests.boot.test_tamper" name="test_b"/></testsuite></testsuites>')
    assert reliability("record", tmp_path / "new", tmp_path / "to").returncode == 0
    assert [(r["change"], r["exit"]) for r in recorded(tmp_path / "to", "tamper")] == [("initrd", 15)]
    assert recorded(tmp_path / "to", "tests") == [{"file": "tests/boot/test_tamper.py", "passed": 2, "skipped": 0}]


def test_results_that_cannot_be_recorded(tmp_path):
    (tmp_path / "none").mkdir()
    leave(tmp_path / "text", "tamper")
    (tmp_path / "text/tamper.jsonl").write_text("no JSON\n")
    leave(tmp_path / "field", "tamper", {k: v for k, v in CELL.items() if k != "exit"})
    (tmp_path / "failed").mkdir()
    (tmp_path / "failed/pytest.xml").write_text('<testsuites><testsuite><testcase classname="tests.cli.test_x" name="test_y"><failure/></testcase>'
                                                "</testsuite></testsuites>")
    for name, says in (("none", "no results; 'make test' leaves them there"), ("text", "tamper.jsonl:1: "), ("field", "exit missing in "),
                       ("failed", "tests/cli/test_x.py test_y failed; results of a run with failures are not recorded")):
        p = reliability("record", tmp_path / name, tmp_path / "to")
        assert p.returncode == 1 and says in p.stderr and p.stderr.count("\n") == 1, (name, p.stderr)
    assert not list((tmp_path / "to").glob("*"))
    assert reliability("record").returncode == 2
