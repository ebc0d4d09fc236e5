import pytest

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.training.recipe_table import published_table, table_as_markdown
from HTSegmentationLib.training.recipes import CASCADE_VARIANTS, TRAINABLE, cascade_variant, published_settings

from ..needs import deep_learning


def test_the_se_unet_is_trained_as_published():
    settings = published_settings("se-unet")
    assert (settings.patch, settings.patches_per_case, settings.input.channels) == ((32, 32, 16), 3000, ("ct", "symmetric"))
    assert (settings.loss, settings.optimiser, settings.epochs, settings.patience) == ("dice-ce", "adadelta", 100, 15)
    assert (settings.folds, settings.validation, settings.augmentation.views) == (5, "loss", 1)
    assert (settings.sampling.lesion_share, settings.sampling.border_share, settings.sampling.within) == (0.5, 0.3, "brain")
    assert settings.inference.overlap > 0.5


def test_the_cascade_is_trained_as_published():
    settings = published_settings("cascaded-unet")
    assert (settings.window, settings.input.window_hu) == ((16, 320, 320), (-5.0, 85.0))
    assert (settings.optimiser, settings.learning_rate, settings.schedule) == ("adamw", 1e-2, "cosine-restarts")
    assert (settings.augmentation.rotation_deg, settings.augmentation.noise) == (30.0, 0.5)
    assert (settings.deep_supervision, settings.stage, settings.inference.cascade.stage2) == (True, "cascade", 1)


def test_the_ablation_of_the_cascade_has_its_three_single_stages():
    full, low, flat = (cascade_variant(name) for name in ("full", "low", "2d"))
    assert {settings.stage for settings in (full, low, flat)} == {"single"}
    assert (full.input.spacing_mm, low.input.spacing_mm) == ((0.488, 0.488, 5.0), (0.518, 0.518, 5.0))
    assert (flat.arguments["dimensions"], flat.window) == (2, (1, 512, 512))
    with pytest.raises(ParameterError, match="no variant '4d'; it has cascade, full, low, 2d"):
        cascade_variant("4d")


def test_the_cnn_with_deep_supervision_is_trained_as_published():
    settings = published_settings("cnn-ds")
    assert (settings.window, settings.input.window_hu, settings.batch_size) == ((64, 128, 128), (0.0, 100.0), 1)
    assert (settings.loss, settings.loss_parameters["include_background"]) == ("dice", True)
    assert (settings.optimiser, settings.schedule, settings.patience, settings.epochs) == ("adam", "plateau", 50, 500)


def test_deepmedic_is_refused_with_the_way_to_its_published_weights():
    with pytest.raises(ParameterError, match="import-blast-ct"):
        published_settings("deepmedic")


@pytest.mark.parametrize(
    "settings", [*map(published_settings, TRAINABLE), *map(cascade_variant, CASCADE_VARIANTS)], ids=lambda s: s.architecture
)
def test_every_network_takes_the_patches_of_its_recipe(settings):
    torch = deep_learning()
    from HTSegmentationLib.networks.registry import build_network

    with torch.device("meta"):
        network = build_network(settings.architecture, settings.network_arguments())
    assert network.size_fault(settings.window) == ""


def test_the_table_has_rows_for_every_network_and_a_reason_where_a_paper_is_silent():
    rows = published_table()
    assert {row.architecture for row in rows} == set(TRAINABLE)
    assert all(row.reason for row in rows if "not told" in row.paper)


def test_the_table_is_a_table_in_markdown():
    lines = table_as_markdown(published_table()).splitlines()
    assert len(lines) == len(published_table()) + 2
    assert {line.count("|") for line in lines} == {6}
