"""What the tests of training share: one cohort of small heads, read and prepared once."""

import dataclasses
import importlib.util
from types import SimpleNamespace

import pytest

from HTSegmentationLib.training.cache import prepared_cases
from HTSegmentationLib.training.cases import read_training_cases
from HTSegmentationLib.training.recipes import published_settings

from .tiny_cohort import write_cohort


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Networks of a few hundred weights wait for a second thread longer than they compute."""
    if importlib.util.find_spec("torch") is None:
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def heads(tmp_path_factory):
    """The table of six small heads."""
    return write_cohort(tmp_path_factory.mktemp("heads"))


@pytest.fixture(scope="session")
def small_settings():
    """The SE U-Net's recipe with patches that fit small heads."""
    settings = dataclasses.replace(published_settings("se-unet"), patches_per_case=20, batch_size=8)
    return settings.with_symmetric(symmetric=False).with_patch((16, 16, 8))


@pytest.fixture(scope="session")
def tiny(heads, small_settings, tmp_path_factory):
    """The cohort read and prepared: ``cases``, ``cached``, ``cache`` and ``settings``."""
    cache = tmp_path_factory.mktemp("cache")
    cases = read_training_cases(heads, jobs=1)
    cached = prepared_cases(cases, small_settings, cache, jobs=1)
    return SimpleNamespace(table=heads, cases=cases, cached=cached, cache=cache, settings=small_settings)
