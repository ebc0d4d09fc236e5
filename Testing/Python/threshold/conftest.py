"""The phantom, prepared once."""

import pytest

from HTSegmentationLib.threshold.prepare import prepare

from ..phantom import as_scan, box_roi, head_array


@pytest.fixture(scope="session")
def head():
    return as_scan(head_array()[0])


@pytest.fixture(scope="session")
def bleed():
    return head_array()[1]


@pytest.fixture(scope="session")
def prepared(head):
    return prepare(head)


@pytest.fixture
def roi(head):
    return box_roi(head)
