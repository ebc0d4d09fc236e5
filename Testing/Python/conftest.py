"""What the tests of several rooms share."""

import os
from pathlib import Path

import pytest


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
