"""What a user must be told beside a result: assumptions, corrections and doubts."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.Enum):
    """How much a remark should worry the reader."""

    NOTE = "note"
    """Something was done or assumed that does not put the result in doubt."""

    CAUTION = "caution"
    """The result should be looked at with this in mind."""

    WARNING = "warning"
    """The result is likely to be wrong unless somebody checks it."""


@dataclass(frozen=True)
class Remark:
    """One sentence for the user, carried from where it was found to every report.

    Args:
        code: A stable name in kebab-case, for programs and tests.
        text: The sentence, in words a clinician reads, with its numbers and units. No patient data.
        severity: How much it should worry the reader.
    """

    code: str
    text: str
    severity: Severity = Severity.NOTE

    def __str__(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, str]:
        """The remark as plain values, for JSON."""
        return {"code": self.code, "severity": self.severity.value, "text": self.text}
