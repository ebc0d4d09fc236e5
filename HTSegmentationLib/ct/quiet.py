"""Keeping the file libraries from talking past the caller: what is wrong with a file is said once, in our own words."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk


@contextmanager
def quiet_itk() -> Iterator[None]:
    """ITK's warnings go straight to the terminal; the caller's setting returns afterwards."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Warnings of pydicom quote values of the file, and so can hold a patient's name."""
    logger = logging.getLogger("pydicom")
    disabled = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = disabled
