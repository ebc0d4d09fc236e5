"""A fold of each kind of network: patches, whole heads, slices, two stages."""

import dataclasses

import pytest

from ..needs import deep_learning

torch = deep_learning()

from HTSegmentationLib.inference.device import choose_device  # noqa: E402
from HTSegmentationLib.inference.models.folder import verify_model  # noqa: E402
from HTSegmentationLib.training.cache import prepared_cases  # noqa: E402
from HTSegmentationLib.training.distributed import Team  # noqa: E402
from HTSegmentationLib.training.fold_run import FoldJob, train_fold, weight_files  # noqa: E402
from HTSegmentationLib.training.folds import Fold  # noqa: E402
from HTSegmentationLib.training.model_folder import ModelContent, write_model_folder  # noqa: E402
from HTSegmentationLib.training.model_words import ModelWords, texts_of  # noqa: E402
from HTSegmentationLib.training.recipes import cascade_variant, published_settings  # noqa: E402
from HTSegmentationLib.training.run_folder import RunFolder, made  # noqa: E402

FOLD = Fold(0, ("hi2-01", "ph-01"), ("hi2-02",), ("hi2-02",))
SHORT = {"epochs": 1, "batch_size": 2}
SMALL = {"levels": 2, "filters": 2}


def whole_heads():
    settings = published_settings("cnn-ds")
    small = dataclasses.replace(settings.input, size=(32, 32, 16))
    return dataclasses.replace(settings, input=small, arguments=SMALL, **SHORT)


def slices():
    settings = dataclasses.replace(published_settings("slice-unet"), arguments=SMALL, patches_per_case=1, **SHORT)
    return settings.with_patch((32, 32, 1))


def two_stages():
    settings = cascade_variant("cascade")
    own = dataclasses.replace(settings.input, spacing_mm=(None, None, None))
    arguments = {"filters": 2, "most_filters": 4, "supervised_levels": 2}
    settings = dataclasses.replace(settings, input=own, arguments=arguments, patches_per_case=1, **SHORT)
    return settings.with_patch((64, 64, 4))


@pytest.mark.parametrize(("make", "networks"), [(whole_heads, 1), (slices, 1), (two_stages, 2)])
def test_a_fold_becomes_a_model_that_is_in_order(tiny, tmp_path, make, networks):
    settings, place, moments = make(), RunFolder(tmp_path / "run"), []
    cases = [case for case in tiny.cases if case.case_id in (*FOLD.training, *FOLD.held_out)]
    cached = {case.case_id: case for case in prepared_cases(cases, settings, tmp_path / "cache", jobs=1)}
    how = {"half": False, "workers": 0, "minutes": None, "stop": lambda: False}
    job = FoldJob(place, settings, FOLD, cached, Team(), choose_device("cpu"), **how)
    outcome = train_fold(job, lambda stage, moment: moments.append((stage, moment.step)))
    assert outcome.ended == "epochs"
    assert outcome.epochs == outcome.best_epochs == (1,) * networks
    assert moments == [((stage if networks > 1 else None), 1) for stage in range(1, networks + 1)]
    weights, first_stage = weight_files([outcome, outcome], place)
    assert (len(weights), first_stage) == (2 * networks, 2 if networks > 1 else None)
    texts = texts_of(ModelWords(), settings.architecture, 3)
    content = ModelContent("ours", settings, weights, first_stage, texts, {}, {}, "card")
    model = write_model_folder(made(place.models), content)
    assert verify_model(model) == ()
    assert model.description.input == settings.input
    assert model.description.inference.cascade is None or model.description.inference.cascade.stage2 == 2
    # Once more, as after a longer training: the folder is replaced as a whole.
    assert write_model_folder(place.models, content).description == model.description
    assert [path.name for path in place.models.iterdir()] == ["ours"]
