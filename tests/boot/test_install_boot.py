# SPDX-License-Identifier: BSD-3-Clause
"""What `geolaunch install` makes, started by firmware: the slot that is the current one, each with the values predicted for its build."""
import json
import os
import shutil
import subprocess

import launch
import pytest


class Host:
    """An ESP to install builds on, and to boot from."""

    def __init__(self, a_launch):
        self.launch = a_launch
        self.work = a_launch.work
        self.top = os.path.join(self.work, "host")      # launch.boot() wants the directory above
        self.esp = os.path.join(self.top, "esp")
        os.makedirs(self.esp)
        a_launch.provision()
        shutil.copytree(a_launch.state, os.path.join(self.work, "tpm-before"))

    def build(self, name):
        """A build of its own: another command line."""
        out = os.path.join(self.work, name)
        self.launch.manifest["hypervisor"]["cmdline"] += f" build={name}"
        path = os.path.join(self.work, f"{name}.yaml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(self.launch.manifest, f)
        launch.build(path, out)
        return out

    def install(self, *args):
        result = subprocess.run([launch.GEOLAUNCH, "install", "--esp", self.esp, "--json", *args], capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def boot(self, expected):
        """Boots, with the TPM as it was at first; checks the launch against this build's prediction."""
        shutil.rmtree(self.launch.state)
        shutil.copytree(os.path.join(self.work, "tpm-before"), self.launch.state)
        self.launch.built = self.top
        shutil.copy(os.path.join(expected, "expected.json"), self.top)
        self.launch.boot()
        os.unlink(os.path.join(self.top, "expected.json"))      # with it this would be a build, into which nobody installs
        return self.launch


@pytest.fixture
def host(a_launch):
    return Host(a_launch)


def agrees(one, slot):
    assert one.result["ended"] == "poweroff", one.serial
    assert one.verdict["agree"] is True and one.verdict["verdicts"] == ["no-drtm"], one.verdict
    assert f"geolaunch: build {slot}" in one.serial


def test_slots(host):
    first, second = host.build("first"), host.build("second")
    a = host.install("--removable", first)
    agrees(host.boot(first), a["current"])
    b = host.install(second)
    assert b["previous"] == a["current"] != b["current"]
    agrees(host.boot(second), b["current"])
    assert host.install("--rollback")["current"] == a["current"]
    agrees(host.boot(first), a["current"])


def test_current_cannot_be_loaded(host):
    """As firmware does with its boot entries: the next one. Nothing was measured before."""
    first, second = host.build("first"), host.build("second")
    a = host.install("--removable", first)
    b = host.install(second)
    os.unlink(os.path.join(host.esp, "EFI/geolaunch", b["current"], "geolaunch.efi"))
    one = host.boot(first)
    agrees(one, f"{a['current']}, the previous one")
    assert "the current build cannot be loaded" in one.serial


def test_selection_of_nonsense(host):
    first = host.build("first")
    host.install("--removable", first)
    with open(os.path.join(host.esp, "EFI/geolaunch/slots.conf"), "w", encoding="ascii") as f:
        f.write("geolaunch-slots 1\nstart removable\ncurrent ..\\..\\EFI\\evil\\x\n")
    one = host.boot(first)
    assert one.result["ended"] == "halt" and one.result["halt"].startswith("description-missing"), one.serial
    assert "capped" in one.verdict["verdicts"]
