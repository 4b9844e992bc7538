# SPDX-License-Identifier: BSD-3-Clause
"""The TPM of a run: its state, swtpm, and the proxy between it and QEMU."""
import json
import os
import shutil
import tempfile
import time

from . import process
from .process import HarnessError, UsageError

BANKS = ("sha1", "sha256", "sha384", "sha512")
_SETUP_SECONDS = 60
_START_SECONDS = 20
_PROXY_END_SECONDS = 15
_SWTPM_END_SECONDS = 3
_POLL_SECONDS = 0.002
_STATE_FILE = {"2.0": "tpm2-00.permall", "1.2": "tpm-00.permall"}


def version_of(kind):
    """TPM version for a value of --tpm."""
    return "1.2" if kind == "1.2" else "2.0"


def _copy_state(source, target):
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(source):
        path = os.path.join(source, name)
        if os.path.isfile(path) and not name.startswith("."):
            shutil.copy(path, target)


class State:
    """A state directory for swtpm. start() begins, ready() ends its making, so that other work fits in between."""

    def __init__(self, options, work, logs):
        self._options = options
        self._version = version_of(options.tpm)
        self._log = os.path.join(logs, "swtpm_setup.log")
        self._work = work
        self._setup = None
        self._cache = None
        self.path = os.path.join(work, "tpm")

    def start(self):
        given = self._options.tpm_state
        if given:
            if not os.path.exists(os.path.join(given, _STATE_FILE[self._version])):
                raise UsageError(f"--tpm-state {given}: no state of a TPM {self._version} there ({_STATE_FILE[self._version]})")
            if self._options.tpm_state_rw:
                self.path = os.path.abspath(given)
            else:
                _copy_state(given, self.path)
            return
        cache = os.environ.get("GEOLAUNCH_CACHE")
        if cache:
            banks = "-".join(self._options.banks) if self._version == "2.0" else "1.2"
            self._cache = os.path.join(os.path.abspath(cache), f"tpm-{banks}")
            if os.path.isdir(self._cache):
                _copy_state(self._cache, self.path)
                self._cache = None
                return
        os.makedirs(self.path)
        argv = ["swtpm_setup", "--tpmstate", self.path, "--overwrite"]
        if self._version == "2.0":
            argv += ["--tpm2", "--pcr-banks", ",".join(self._options.banks)]
        self._setup = process.start(argv, self._work, self._log)

    def ready(self):
        if not self._setup:
            return
        process.finish(self._setup, _SETUP_SECONDS, self._log)
        os.unlink(self._log)
        if self._cache:
            self._keep()

    def _keep(self):
        """Puts the fresh state into the cache; whoever renames first wins."""
        try:
            os.makedirs(os.path.dirname(self._cache), exist_ok=True)
            temp = tempfile.mkdtemp(dir=os.path.dirname(self._cache))
            _copy_state(self.path, temp)
            try:
                os.rename(temp, self._cache)
            except OSError:
                shutil.rmtree(temp)
        except OSError as e:
            raise HarnessError(f"cannot use GEOLAUNCH_CACHE: {e.strerror}: {e.filename}") from e

    def end(self):
        if self._setup:
            process.end(self._setup, 0)


def find_proxy(script):
    """The tpmproxy program: $GEOLAUNCH_TPMPROXY, or the one that the build makes."""
    given = os.environ.get("GEOLAUNCH_TPMPROXY")
    root = os.path.dirname(os.path.dirname(script))
    path = os.path.abspath(given or os.path.join(root, "build", "host", "tpmproxy"))
    if not os.access(path, os.X_OK):
        raise HarnessError(f"no tpmproxy at {path}: build it with make, or set GEOLAUNCH_TPMPROXY")
    return path


class Tpm:
    """swtpm and the proxy. QEMU connects to self.socket, relative to the run's private directory."""

    socket = "proxy.sock"
    command_socket = "command.sock"

    def __init__(self, options, work, logs, proxy, state):
        self._options = options
        self._work = work
        self._proxy_path = proxy
        self._state = state
        # Not among the logs: what an earlier run left there must not be taken for this one's.
        self._pcrs = os.path.join(work, "pcrs.json")
        self._logs = {name: os.path.join(logs, f"{name}.log") for name in ("swtpm", "proxy")}
        self.children = {}

    def start(self):
        """Returns when QEMU may connect. Sockets have relative names: their length is limited to 107 bytes."""
        swtpm = ["swtpm", "socket", "--tpmstate", f"dir={self._state}", "--ctrl", "type=unixio,path=swtpm.sock", "--terminate"]
        if version_of(self._options.tpm) == "2.0":
            swtpm.append("--tpm2")
        proxy = [self._proxy_path, "--listen", self.socket, "--swtpm", "swtpm.sock", "--pcrs", self._pcrs,
                 "--command", self.command_socket]
        if self._options.platform == "txt":
            proxy.append("--gate")
        if self._options.tpm_trace:
            proxy += ["--trace", os.path.abspath(self._options.tpm_trace)]
        for rule in self._options.fault:
            proxy += ["--fault", rule]
        self.children["swtpm"] = process.start(swtpm, self._work, self._logs["swtpm"])
        self.children["proxy"] = process.start(proxy, self._work, self._logs["proxy"])
        deadline = time.monotonic() + _START_SECONDS
        path = os.path.join(self._work, self.socket)
        while not os.path.exists(path):
            self.check()
            if time.monotonic() > deadline:
                raise HarnessError(f"the TPM proxy did not listen within {_START_SECONDS} s")
            time.sleep(_POLL_SECONDS)

    def _why(self, name):
        text = process.last_line(self._logs[name])
        return text.removeprefix("tpmproxy: ") or f"{name} ended with status {self.children[name].returncode}"

    def failure(self):
        """One line on the first child that failed; None if none did (the proxy ends well when QEMU ends)."""
        return next((self._why(name) for name in ("proxy", "swtpm") if self.children[name].poll()), None)

    def check(self):
        """Raises an error if a child has ended although it should run."""
        for name in ("proxy", "swtpm"):
            if self.children[name].poll() is not None:
                raise (UsageError if self.children["proxy"].poll() == 2 else HarnessError)(self._why(name))

    def collect(self):
        """To be called once QEMU has ended: returns what the proxy wrote about the PCRs, None if it wrote nothing."""
        proxy = self.children["proxy"]
        if proxy.poll() is None:
            proxy.terminate()       # in case QEMU never connected; it reads the PCRs all the same
        try:
            proxy.wait(_PROXY_END_SECONDS)
        except process.subprocess.TimeoutExpired as e:
            raise HarnessError("the TPM proxy does not end although QEMU has") from e
        try:
            with open(self._pcrs, encoding="utf-8") as f:
                return json.load(f)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as e:
            raise HarnessError(f"cannot read {self._pcrs}: {e}") from e

    def end(self):
        for name in ("proxy", "swtpm"):
            if name in self.children:
                process.end(self.children[name], _SWTPM_END_SECONDS)
