# SPDX-License-Identifier: BSD-3-Clause
"""One run from options to result and exit code."""
import base64
import json
import os
import shutil
import signal
import sys
import tempfile
import time

from .esp import make_image
from .options import EXIT_CODES, parse, repeat_line
from .process import HarnessError, Interrupted, UsageError
from .tpm import State, Tpm, find_proxy
from .txt import KEYS, Txt, explain, find_program, provision
from .vm import Vm, copy_firmware

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_EVENT_LOG = "eventlog"


def _interrupt(number, _frame):
    raise Interrupted(number)


class Run:
    """The private directory of a run and everything that lives in it."""

    def __init__(self, options, script):
        self._options = options
        self._script = script
        self._began = time.monotonic()
        self._ends = []
        self.work = tempfile.mkdtemp(prefix="geolaunch-qemu-")
        self.logs = os.path.join(self.work, "logs")

    def boot(self):
        """Does the run; returns the result."""
        o = self._options
        self._make_logs()
        tpm = state = txt = None
        if o.platform == "txt":
            program = find_program(self._script)
            txt = Txt(o, self.work, self.logs, program, Tpm.command_socket)
            self._ends.append(txt)
        if o.tpm != "none":
            proxy = find_proxy(self._script)
            state = State(o, self.work, self.logs)
            self._ends.append(state)
            state.start()
        copy_firmware(o, self.work)
        disk = f"nbd:unix:{o.esp_nbd}" if o.esp_nbd else "esp.img"
        if o.esp:
            make_image(o.esp, os.path.join(self.work, disk), self.work)
        if state:
            state.ready()
            if o.provision:
                provision(o, self.work, self.logs, state.path, self._script)
            tpm = Tpm(o, self.work, self.logs, proxy, state.path)
            self._ends.append(tpm)
            tpm.start()
        vm = Vm(o, self.work, self.logs, tpm, txt)
        self._ends.append(vm)
        setup = time.monotonic() - self._began
        vm.run(disk, time.monotonic() + o.timeout)
        result = self._result(vm, tpm.collect() if tpm else None, setup)
        if txt:
            self._add_txt(result, txt.collect())
            result["heap"] = txt.keep_heap(self.logs) if o.keep else None
        return result

    def _add_txt(self, result, report):
        if report is None:
            result["ended"] = "error"
            result["notes"].append("txtplatform left no report")
            report = {}
        result |= {key: report.get(key) for key in KEYS}
        lines = list(explain(report)) if report else []
        result["explain"] = os.path.join(self.logs, "explain.txt")
        with open(result["explain"], "w", encoding="utf-8") as f:
            f.writelines(line + "\n" for line in lines)
        if self._options.explain:
            for line in lines:
                print(line, file=sys.stderr)

    def _make_logs(self):
        if self._options.keep:
            self.logs = os.path.abspath(self._options.keep)
        try:
            os.makedirs(self.logs, exist_ok=True)
        except OSError as e:
            raise UsageError(f"--keep {self.logs}: {e.strerror}") from e

    def _result(self, vm, pcrs, setup):
        notes = list(vm.report.notes)
        if vm.note:
            notes.insert(0, vm.note)
        ended = vm.ended
        if self._options.tpm != "none" and pcrs is None:
            notes.append("no PCR values: the TPM was gone before they could be read")
            ended = "error" if ended in ("poweroff", "halt", "reset") else ended
        elif pcrs and "error" in pcrs:
            notes.append(f"no PCR values: {pcrs['error']}")
        log = vm.report.blobs.get(_EVENT_LOG)
        trace = self._options.tpm_trace
        return self.no_result(notes) | {
            "ended": ended,
            "setup_s": round(setup, 3),
            "firmware_s": vm.firmware_s,
            "first_line_s": vm.first_line_s,
            "marks": vm.marks,
            "halt": vm.halt,
            "qemu_exit": vm.exit,
            "pcrs": pcrs["pcrs"] if pcrs else {},
            "facts": vm.report.facts,
            "blobs": self._write_blobs(vm.report.blobs),
            "log": base64.b64encode(log).decode() if log is not None else None,
            "trace": os.path.abspath(trace) if trace else None,
        }

    def no_result(self, notes):
        """The result of a run that failed before QEMU ended."""
        return {
            "ended": "error", "seconds": round(time.monotonic() - self._began, 3), "setup_s": None, "firmware_s": None,
            "first_line_s": None, "marks": {}, "halt": None, "qemu_exit": None, "pcrs": {}, "facts": {}, "blobs": {}, "log": None,
            "serial": os.path.join(self.logs, "serial.log"), "trace": None, "notes": notes,
        }

    def _write_blobs(self, blobs):
        folder = os.path.join(self.logs, "host")
        if blobs:
            os.makedirs(folder, exist_ok=True)
        for name, data in blobs.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)
        return {name: os.path.join(folder, name) for name in blobs}

    def end(self):
        """Ends every process of the run, newest first."""
        while self._ends:
            self._ends.pop().end()

    def clear(self, keep_logs):
        """Removes the private directory, or all but the logs in it. Returns where logs are now, None if nowhere."""
        if os.path.isdir(self.logs) and (keep_logs or self._options.keep):
            for entry in os.scandir(self.logs):
                if entry.name.endswith(".log") and entry.name != "serial.log" and entry.stat().st_size == 0:
                    os.unlink(entry.path)
        if self._options.keep or not keep_logs or not os.path.isdir(self.logs) or not os.listdir(self.logs):
            shutil.rmtree(self.work, ignore_errors=True)
            return self.logs if self._options.keep else None
        for entry in os.scandir(self.work):
            if entry.path == self.logs:
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
        return self.logs


def _write_result(result, path):
    text = json.dumps(result, indent=1) + "\n"
    if not path:
        sys.stdout.write(text)
        return
    temp = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temp, "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(temp, path)
    except OSError as e:
        raise HarnessError(f"cannot write {path}: {e.strerror}") from e


def _forget(path):
    """An older result must not be taken for this run's."""
    if path and os.path.exists(path):
        os.unlink(path)


def _say(text):
    print(f"qemu/run: {text}", file=sys.stderr)


def _finish(run, result, options, argv, script):
    """Writes the result and, unless all is well, one line. Returns the exit status."""
    ended = result["ended"]
    kept = run.clear(keep_logs=ended not in ("poweroff", "halt"))
    result["repeat"] = repeat_line(argv, script)
    if not kept or not os.path.exists(result["serial"]):
        result["serial"] = None
    if not kept:
        result["blobs"] = {}
    _write_result(result, options.json)
    if ended != "poweroff":
        why = f": {result['halt']}" if ended == "halt" else f": {result['notes'][0]}" if result["notes"] else ""
        logs = f"logs in {kept}" if kept else "logs not kept (--keep)"
        _say(f"ended by {ended} after {result['seconds']:.1f} s{why}; {logs}; repeat: {result['repeat']}")
    return EXIT_CODES[ended]


def main(argv, script):
    """Returns the exit status. `script` is the path of qemu/run."""
    options = parse(argv)
    run = None
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    try:
        try:
            _forget(options.json)
            run = Run(options, script)
            result = run.boot()
        except (HarnessError, OSError) as e:
            if run is None or isinstance(e, UsageError):
                raise
            result = run.no_result([str(e)])
        finally:
            # From here on nothing may cut the cleaning up short.
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            if run:
                run.end()
        return _finish(run, result, options, argv, script)
    except Interrupted as e:
        code, text = 128 + e.number, f"interrupted by {signal.Signals(e.number).name}"
    except UsageError as e:
        code, text = EXIT_CODES["usage"], str(e)
    except (HarnessError, OSError) as e:
        code, text = EXIT_CODES["error"], str(e)
    if run:
        run.clear(keep_logs=False)
    _say(text)
    return code
