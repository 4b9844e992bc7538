# SPDX-License-Identifier: BSD-3-Clause
"""docs/PREFLIGHT.md is what the table in efi/core/preflight.c says; `make preflight-doc` writes it anew."""
import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
GENERATOR = os.path.join(TOP, "build/host/gen_preflight")


def test_document_is_generated():
    want = subprocess.run([GENERATOR], capture_output=True, text=True, check=True, timeout=60).stdout
    with open(os.path.join(TOP, "docs/PREFLIGHT.md"), encoding="utf-8") as f:
        assert f.read() == want, "run 'make preflight-doc'"


def test_generator_reports_a_full_disk():
    with open("/dev/full", "w", encoding="utf-8") as full:
        run = subprocess.run([GENERATOR], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert run.returncode == 1
    assert run.stderr == "gen_preflight: cannot write the document\n"
