# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch verify` and a build for mode txt on a host where no dynamic launch took place."""

import pytest

from build_model import h
from test_build_txt import build, pcrs_of, verify
from txt_model import SINIT_BANKS, TXT, TxtModel, inputs  # noqa: F401  (a fixture is among them)


@pytest.mark.parametrize("why, end", [("policy-missing", "the launch was stopped."), ("description-missing", "the launch was stopped."),
                                      ("preflight", "the launch was stopped, or the host was started unmeasured.")])
def test_capped_without_a_launch(inputs, why, end):
    """geolaunch.efi stopped before TXT, or with a failed pre-flight went on without it: all of PCR 17-22 are capped from FF."""
    assert build(inputs, TXT).returncode == 0
    pcrs = {b: {str(p): h(b, b"\xff" * len(h(b)), h(b, f"cap {why}".encode())).hex() for p in range(17, 23)} for b in SINIT_BANKS}
    code, v = verify(inputs, pcrs)
    assert code == 16 and v["verdicts"][0] == "no-drtm" and "capped" in v["verdicts"] and not v["drtm"]
    said = [line for line in v["explanation"] if "No dynamic launch took place" in line]
    assert len(said) == 1 and said[0].endswith("), and " + end)


def test_nothing_measured(inputs):
    """As after a pre-flight that refused: that there was no launch is all there is to say."""
    assert build(inputs, TXT).returncode == 0
    code, v = verify(inputs, {b: {str(p): "ff" * len(h(b)) for p in range(17, 23)} for b in SINIT_BANKS})
    assert (code, v["verdicts"], v["modules"], v["agree"], v["drtm"], v["country"]) == (10, ["no-drtm"], [], False, False, None)
    assert any("say nothing of the host's policy, modules and geo tag" in line for line in v["explanation"])


# Who extends all that a launch measures, but from what a reset leaves.
FromFF = type("FromFF", (TxtModel,), {"START": 0xFF})


@pytest.mark.parametrize("with_log", [False, True])
def test_the_same_without_a_launch(inputs, with_log):
    assert build(inputs, TXT).returncode == 0
    host = FromFF(TXT, inputs)
    code, v = verify(inputs, pcrs_of(host), host.log() if with_log else None)
    assert (code, v["verdicts"], v["modules"], v["agree"], v["drtm"]) == (10, ["no-drtm"], [], False, False), v["explanation"]
    assert "begin with all FF" in v["explanation"][0] and "the same was measured as expected, but without" in v["explanation"][-1]
    assert v["first_difference"] is None
    if with_log:
        assert v["pcrs"]["sha256"]["17"]["log"] == v["pcrs"]["sha256"]["17"]["tpm"]


@pytest.mark.parametrize("with_log", [False, True])
def test_a_direct_launch_of_the_same(inputs, with_log):
    """geolaunch.efi measured the same modules itself: no events of SINIT, and every bank has tboot's."""
    assert build(inputs, TXT).returncode == 0

    class Direct(FromFF):
        def sinit_events(self):
            return []

        def add(self, pcr, kind, type_name, name, digest, banks):
            super().add(pcr, {"policy": 0x5A0}.get(name, 0x5A1) if kind == 0x501 else kind, type_name, name, digest, self.banks)

    for same in (True, False):
        host = Direct(TXT, inputs)
        code, v = verify(inputs, pcrs_of(host), host.log() if with_log else None)
        assert "no-drtm" in v["verdicts"] and (code == 10) is (v["verdicts"] == ["no-drtm"]) is same, v["explanation"]
        assert (v["drtm"], v["agree"]) == (False, False)
        (inputs / "vm.json").write_bytes(b"{}")
