# SPDX-License-Identifier: BSD-3-Clause
"""What the booted host reports on the third serial line.

    geolaunch-host: key=value               a fact
    geolaunch-host: begin NAME base64       a blob: lines of base64 follow
    geolaunch-host: end NAME

Everything else on the line is ignored. The host is not trusted: names and sizes are checked, and what is wrong is told.
"""
import base64
import binascii
import re

_PREFIX = "geolaunch-host: "
_BEGIN = re.compile(r"begin (\S+) base64\Z")
_END = re.compile(r"end (\S+)\Z")
_FACT = re.compile(r"([A-Za-z0-9_.-]{1,64})=(.*)\Z")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\Z")
_BLOB_MAX = 16 << 20
_COUNT_MAX = 1000


class Report:
    """facts: name to text; blobs: name to bytes; notes: what was malformed, one line each."""

    def __init__(self):
        self.facts = {}
        self.blobs = {}
        self.notes = []
        self._name = None
        self._parts = []
        self._size = 0

    def _note(self, text):
        if len(self.notes) < _COUNT_MAX:
            self.notes.append(text)

    def line(self, text):
        """Takes one line."""
        if text.startswith(_PREFIX):
            self._ours(text[len(_PREFIX):].strip())
        elif self._name is not None:
            self._size += len(text)
            if self._size > _BLOB_MAX:
                self._note(f"blob {self._name} is too large")
                self._name = None
            else:
                self._parts.append(text.strip())

    def close(self):
        """No more lines will come."""
        if self._name is not None:
            self._note(f"blob {self._name} has no end")
            self._name = None

    def _ours(self, text):
        begin, end, fact = _BEGIN.match(text), _END.match(text), _FACT.match(text)
        if begin:
            self.close()
            self._name, self._parts, self._size = begin.group(1), [], 0
            if not _NAME.match(self._name) or len(self.blobs) >= _COUNT_MAX:
                self._note(f"blob with an impossible name: {self._name!r}")
                self._name = None
        elif end:
            self._end(end.group(1))
        elif fact and len(self.facts) < _COUNT_MAX:
            self.facts[fact.group(1)] = fact.group(2)
        else:
            self._note(f"not understood: {text[:200]!r}")

    def _end(self, name):
        if self._name is None:
            return
        if name != self._name:
            self._note(f"blob {self._name} ends as {name!r}")
        else:
            try:
                self.blobs[name] = base64.b64decode("".join(self._parts), validate=True)
            except (binascii.Error, ValueError):
                self._note(f"blob {name} is not base64")
        self._name = None
