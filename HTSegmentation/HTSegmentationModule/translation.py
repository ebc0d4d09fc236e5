"""Texts that users read, in the language of the application.

Plain MRML (the package ``slicer-core``) has no translator; there the texts stay English.
"""

try:
    from slicer.i18n import tr
except ImportError:

    def tr(text: str) -> str:
        """The text as it is."""
        return text


__all__ = ["tr"]
