"""What the tests of networks share."""

import pytest

from HTSegmentationLib.inference.models import store as models_store


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store for models of the test's own, which is not there yet; afterwards nothing half-made may lie in it."""
    folder = tmp_path / "häm models" / "store"
    monkeypatch.setenv("HTSEG_MODELS", str(folder))
    monkeypatch.setattr(models_store, "bundled_folder", lambda: tmp_path / "none comes with it")
    yield folder
    assert not [path.name for path in folder.glob(".*")]
