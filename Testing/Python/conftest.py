"""What the tests of several rooms share."""

import locale
import os
from pathlib import Path

import pytest

from HTSegmentationLib.ct import read_ct

# Some packages set the locale of the process that imports them; processes started from here on do not care.
os.environ.setdefault("PYTHONUTF8", "1")

_LOCALE = locale.setlocale(locale.LC_CTYPE)


@pytest.fixture(autouse=True)
def locale_as_it_was():
    """No test reads files in an encoding that another one left behind."""
    locale.setlocale(locale.LC_CTYPE, _LOCALE)
    yield
    locale.setlocale(locale.LC_CTYPE, _LOCALE)


@pytest.fixture(scope="session")
def test_data():
    """The folder of real data; only where there is none, and not in the project's checks, tests of it are skipped."""
    folder = os.environ.get("HTSEG_TEST_DATA")
    if folder and Path(folder).is_dir():
        return Path(folder)
    message = "HTSEG_TEST_DATA is not set to the folder of real scans: reading a real CT was not tested"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def real_folder(test_data):
    """A real scan: tilted by 18.5 degrees, slices 4, 1.08 and 7 mm apart, an old infarct, no hemorrhage."""
    return test_data / "ge-infarct-ct"


@pytest.fixture(scope="session")
def real_scan(real_folder):
    return read_ct(real_folder)
