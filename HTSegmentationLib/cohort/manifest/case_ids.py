"""What a case may be called: its name becomes part of file names on any system."""

from __future__ import annotations

import re
import unicodedata

LONGEST_ID = 100
"""Letters of a case_id; with an ending it still fits into a file name anywhere."""

_ALLOWED = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_ID - 1}}}")
"""No separators, no device names' colons, nothing hidden, nothing that reads as a flag or a formula."""

_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices, with any ending."""

_ADVICE = "use up to 100 letters, digits, '.', '_' and '-', beginning with a letter or digit"

_SHOWN_LETTERS = 60
"""How much of an unusable name is shown."""


def id_problem(name: str) -> str | None:
    """What keeps a name from being a case_id; None if nothing does.

    Example:
        >>> id_problem("ph-01") is None
        True
        >>> id_problem("con")
        "case_id 'con' is a name that Windows keeps for a device; choose another"
    """
    if not name:
        return "case_id is empty; name every case"
    if _RESERVED.fullmatch(name):
        return f"case_id {shown(name)!r} is a name that Windows keeps for a device; choose another"
    if not _ALLOWED.fullmatch(name) or name.endswith("."):
        return f"case_id {shown(name)!r} cannot be part of a file name; {_ADVICE}"
    return None


def shown(name: str) -> str:
    """A name as it can be shown: on one line, without characters that steer a terminal, not endless."""
    plain = "".join(letter if not unicodedata.category(letter).startswith(("C", "Z")) else " " for letter in name)
    plain = " ".join(plain.split())
    return plain if len(plain) <= _SHOWN_LETTERS else f"{plain[:_SHOWN_LETTERS]}..."


def made_id(text: str) -> str:
    """A case_id that is as much like the text as can be.

    Example:
        >>> made_id("Fall 7/ähnlich"), made_id("con"), made_id("")
        ('Fall-7-ahnlich', 'case-con', 'case')
    """
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", letters).strip("-._")[:LONGEST_ID].rstrip("-._")
    if id_problem(name) is None:
        return name
    return f"case-{name}"[:LONGEST_ID].rstrip("-._")
