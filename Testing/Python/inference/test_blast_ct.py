"""BLAST-CT's published network on a real scan: an old infarct, no hemorrhage."""

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import same_grid
from HTSegmentationLib.inference.make import make_segmenter
from HTSegmentationLib.inference.models.install import import_blast_ct

from ..needs import deep_learning

deep_learning()


@pytest.fixture(scope="module")
def result(test_data, real_scan, tmp_path_factory):
    """One of the three networks, over the whole brain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTSEG_MODELS", str(tmp_path_factory.mktemp("store") / "models"))
        model = import_blast_ct(test_data / "blast-ct-v1", models=(1,)).model
        return make_segmenter(model, device="cpu").run(real_scan)


def test_the_infarct_is_found_and_hardly_any_blood(result):
    """The published implementation finds about 0.00, 0.15, 4 and 0.01 mL. Its coarsest pathway looks at every fifth voxel
    alone, so that which voxels these are moves the edema by a mL."""
    volumes = {label.name: result.volume_ml(label) for label in result.labels}
    assert volumes["Intraparenchymal hemorrhage"] < 0.05
    assert volumes["Extra-axial hemorrhage"] < 0.4
    assert 2.0 < volumes["Perilesional edema"] < 6.0
    assert volumes["Intraventricular hemorrhage"] < 0.1


def test_the_edema_found_is_the_infarct_behind_on_the_left(result, real_scan):
    """Dark, in the patient's left half, in the brain's back half, and nearly all in one piece."""
    found = sitk.GetArrayFromImage(result.mask) == 3
    assert same_grid(result.mask, real_scan.image)
    assert np.median(sitk.GetArrayFromImage(real_scan.image)[found]) < 20
    points = np.array([real_scan.image.TransformIndexToPhysicalPoint(i.tolist()) for i in np.argwhere(found)[:, ::-1]])
    middle = real_scan.image.TransformContinuousIndexToPhysicalPoint([n / 2 for n in real_scan.image.GetSize()])
    assert np.mean(points[:, 0] > middle[0]) > 0.8
    assert np.mean(points[:, 1] > middle[1]) > 0.8


def test_it_ran_in_tiles_and_says_what_it_was_not_trained_for(result):
    details = result.details
    assert 0 < details.windows < 30
    assert details.spacing_mm == (1.0, 1.0, 1.0)
    assert "laid side by side" in details.explain()[2]
    assert "trained on traumatic brain injury" in details.explain()[3]
    assert "model-warning" in {remark.code for remark in result.remarks}
