# SPDX-License-Identifier: BSD-3-Clause
"""Children that cannot outlive the run."""
import ctypes
import os
import signal
import subprocess

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1

# Which Debian package brings a program, for the error line.
_PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "swtpm": "swtpm",
    "swtpm_setup": "swtpm-tools",
    "mformat": "mtools",
    "mcopy": "mtools",
}


class HarnessError(Exception):
    """Something failed that is not the guest's doing. The text is one line for the user."""


class UsageError(HarnessError):
    """The options cannot be followed."""


class Interrupted(BaseException):
    """A signal asks for the end."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


def _die_with(parent):
    def prepare():
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(127)
    return prepare


def start(argv, cwd, log, pass_fds=()):
    """
    Starts a child whose output goes to the file `log`. It gets no signals of our terminal and dies with us.
    Its temporary files go to `cwd`, the private directory.
    """
    env = dict(os.environ, TMPDIR=cwd)
    try:
        with open(log, "wb") as out:
            return subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                    pass_fds=pass_fds, env=env, start_new_session=True, preexec_fn=_die_with(os.getpid()))
    except FileNotFoundError as e:
        name = os.path.basename(argv[0])
        hint = f" (package {_PACKAGES[name]})" if name in _PACKAGES else ""
        raise HarnessError(f"cannot start {argv[0]}: not installed{hint}") from e
    except OSError as e:
        raise HarnessError(f"cannot start {argv[0]}: {e.strerror}") from e


def last_line(log):
    """The last line that a child left in its log, for an error line; empty if there is none."""
    try:
        with open(log, encoding="utf-8", errors="replace") as f:
            lines = [line.strip() for line in f if line.strip()]
    except OSError:
        return ""
    return lines[-1] if lines else ""


def finish(child, seconds, log):
    """Waits for a child that ends by itself and must succeed."""
    name = os.path.basename(child.args[0])
    try:
        code = child.wait(seconds)
    except subprocess.TimeoutExpired as e:
        end(child, 0)
        raise HarnessError(f"{name} did not end within {seconds} s") from e
    if code != 0:
        raise HarnessError(f"{name} failed: {last_line(log) or f'exit status {code}'}")


def end(child, seconds, ask=True):
    """Ends a child: asks with SIGTERM, waits up to `seconds`, then kills it and what it started. Fine if it has ended already."""
    if child.poll() is None and ask:
        child.terminate()
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)    # it leads a session of its own
    child.wait()
