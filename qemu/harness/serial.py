# SPDX-License-Identifier: BSD-3-Clause
"""Console bytes to lines of text, without the terminal escapes that firmware writes."""
import re

# ECMA-48 control sequences, character set choices, two-byte escapes; a carriage return before a line feed.
_ESCAPE = re.compile(rb"\x1b\[[0-?]*[ -/]*([@-~])|\x1b[()#%][0-9A-Za-z@]|\x1b[^\[()#%]|\r\n?|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")
# What may be the beginning of one of these, at the end of what came so far.
_PARTIAL = re.compile(rb"(\x1b(\[[0-?]*[ -/]*|[()#%])?|\r)\Z")
_PARTIAL_MAX = 64
_CURSOR = (b"H", b"f")


def _plain(match):
    text = match.group(0)
    if text[:1] == b"\r" or match.group(1) in _CURSOR:
        return b"\n"
    return b""


class Lines:
    """Takes bytes as they come. Moving the cursor ends a line; empty lines are dropped."""

    def __init__(self):
        self._raw = b""
        self._line = b""

    def feed(self, data):
        """Returns the lines that `data` completes."""
        raw = self._raw + data
        held = _PARTIAL.search(raw[-_PARTIAL_MAX:])
        cut = len(raw) - len(held.group(0)) if held else len(raw)
        self._raw = raw[cut:]
        parts = (self._line + _ESCAPE.sub(_plain, raw[:cut])).split(b"\n")
        self._line = parts.pop()
        return [_text(p) for p in parts if p.strip()]

    def rest(self):
        """The line that is not complete yet."""
        return _text(self._line)


def _text(line):
    return line.decode("utf-8", "replace").rstrip()
