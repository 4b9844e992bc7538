# SPDX-License-Identifier: BSD-3-Clause
"""tpmproxy for who plays the chipset: TPM commands at any locality, and the gate to the guest's localities."""
import pytest

from test_tpmproxy import DIGEST, INIT, STOP, code_of, extend_message, extended, fresh_state, message, read_message, stack  # noqa: F401

GET_RANDOM = 0x17B


def test_tpm_at_a_locality(stack):
    stack.start()
    stack.line("hash 00")
    response = bytes.fromhex(stack.line("tpm 3 " + extend_message(19).hex()))
    assert code_of(response) == 0
    # The guest's locality is what it was, and what it may extend, too.
    assert stack.extend(19) == 0x907
    assert stack.extend(16) == 0
    assert stack.line("tpm 0 " + extend_message(19).hex()) == "80010000000a00000907"
    assert stack.line("tpm 3 " + read_message(19).hex()).endswith(extended(DIGEST))
    assert [(t["seq"], t["locality"], t["rc"]) for t in stack.trace() if t["name"] == "PCR_Extend"] == [
        (0, 3, "0x00000000"), (2, 0, "0x00000907"), (3, 0, "0x00000000"), (0, 0, "0x00000907")]
    assert stack.shutdown() == 0


def test_tpm_while_the_guest_has_a_locality(stack):
    stack.start()
    stack.line("hash 00")
    stack.locality(2)
    assert code_of(bytes.fromhex(stack.line("tpm 3 " + extend_message(18).hex()))) == 0
    assert stack.extend(21) == 0            # locality 2 only
    assert stack.shutdown() == 0


def test_faults_apply(stack):
    stack.start("--fault", "PCR_Extend@3#2=rc:0x101", "--fault", "PCR_Extend@3#3=silent", "--fault", "PCR_Extend@3#4=short")
    line = "tpm 3 " + extend_message(16).hex()
    assert code_of(bytes.fromhex(stack.line(line))) == 0
    assert code_of(bytes.fromhex(stack.line(line))) == 0x101
    assert stack.line(line) == "error the TPM does not answer (fault rule)"
    assert stack.line(line) == "80020000000a00000000"
    assert code_of(bytes.fromhex(stack.line(line))) == 0
    assert stack.extend(16) == 0
    assert stack.shutdown() == 0


def test_fault_of_the_drtm_sequence(stack):
    stack.start("--fault", "_TPM_Hash#2=rc:0x101")
    assert stack.line("hash 00") == "ok"
    assert stack.line("hash 00") == "error the TPM does not take the D-RTM sequence (fault rule)"
    assert stack.line("hash 00") == "ok"
    assert stack.shutdown() == 0


@pytest.mark.parametrize("text", ["tpm", "tpm 3", "tpm 5 80010000000a00000144", "tpm 3 8001", "tpm 3 80010000000a0000014", "tpm x 00",
                                  "tpm 3 zz010000000a00000144"])
def test_tpm_refuses(stack, text):
    stack.start()
    assert stack.line(text).startswith("error ")
    assert stack.extend(16) == 0


def test_tpm_before_it_runs(stack):
    stack.proxy()
    assert stack.line("tpm 3 " + read_message(17).hex()) == "error the TPM is not running"


def test_gate(stack):
    stack.start("--gate")
    assert stack.extend(16) == 0
    for n in (1, 2, 3):
        stack.locality(n)
        assert stack.extend(16) == 0x907
    assert stack.line("localities 0,1") == "ok"
    stack.locality(1)
    assert stack.extend(20) == 0
    stack.locality(2)
    assert stack.extend(21) == 0x907
    assert stack.line("localities 0,1,2") == "ok"
    assert stack.extend(21) == 0
    stack.locality(3)
    assert stack.extend(19) == 0x907
    assert [t["fault"] for t in stack.trace() if "fault" in t] == ["closed"] * 5
    # A closed locality is no fault to count: what the platform does passes.
    assert code_of(bytes.fromhex(stack.line("tpm 3 " + extend_message(16).hex()))) == 0
    assert stack.shutdown() == 0


def test_gate_closes_with_a_reset(stack):
    stack.start("--gate")
    assert stack.line("localities 0,2") == "ok"
    stack.locality(2)
    assert stack.extend(16) == 0
    assert stack.ask(STOP) == b"\0\0\0\0"
    assert stack.ask(INIT, b"\0\0\0\0") == b"\0\0\0\0"
    assert code_of(stack.tpm(message(GET_RANDOM, b"\0\4"))) == 0x907


def test_all_localities_without_the_gate(stack):
    stack.start()
    stack.locality(3)
    assert stack.extend(16) == 0
    assert stack.line("localities 0") == "ok"
    assert stack.extend(16) == 0x907


@pytest.mark.parametrize("text", ["localities", "localities ", "localities 5", "localities 0,", "localities 0 1", "localities a"])
def test_localities_refuses(stack, text):
    stack.start("--gate")
    assert stack.line(text).startswith("error ")
    stack.locality(1)
    assert stack.extend(16) == 0x907
