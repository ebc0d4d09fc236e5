"""What the tests of networks share."""

import pytest


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store for models of the test's own, which is not there yet; afterwards nothing half-made may lie in it."""
    folder = tmp_path / "häm models" / "store"
    monkeypatch.setenv("HTSEG_MODELS", str(folder))
    yield folder
    assert not [path.name for path in folder.glob(".*")]
