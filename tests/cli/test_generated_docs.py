# SPDX-License-Identifier: BSD-3-Clause
"""The documents that are written from the tables in the code are up to date."""
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
