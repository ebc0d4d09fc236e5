"""Real MRML from the package slicer-core: scene, nodes, module logics; no Qt, no application."""

import ast
import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ..needs import slicer_core, slicer_must_be_there
from ..phantom import BLEED_CENTER_MM, SIZE, SPACING, head_array

MODULE = Path(__file__).parents[3] / "HTSegmentation"
sys.path.insert(0, str(MODULE))

HAS_SLICER = importlib.util.find_spec("slicer_core") is not None
collect_ignore_glob = [] if HAS_SLICER or slicer_must_be_there() else ["test_*.py"]

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
ORIGIN = [-(n - 1) * s / 2 for n, s in zip(SIZE, SPACING, strict=True)]
BLEED_RAS = (-BLEED_CENTER_MM[0], -BLEED_CENTER_MM[1], BLEED_CENTER_MM[2])


def rigid(degrees=(10, -20, 30), shift=(5, -7, 11)):
    """A rotation and a shift, 4x4."""
    result = np.eye(4)
    result[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    result[:3, 3] = shift
    return result


class TinyLogic:
    """Stands for slicer.ScriptedLoadableModule.ScriptedLoadableModuleLogic, which slicer-core lacks."""

    def __init__(self, parent=None):
        self.moduleName = type(self).__name__.removesuffix("Logic")


@pytest.fixture(scope="session")
def slicer():
    import vtk  # noqa: F401  (its kits before Slicer's)

    slicer = slicer_core()
    standIn = types.ModuleType("slicer.ScriptedLoadableModule")
    standIn.ScriptedLoadableModuleLogic = TinyLogic
    if importlib.util.find_spec("slicer.ScriptedLoadableModule") is None:
        sys.modules["slicer.ScriptedLoadableModule"] = standIn
    return slicer


@pytest.fixture
def scene(slicer):
    """A new scene with the logics that Slicer has, as slicer.mrmlScene."""
    scene = slicer.vtkMRMLScene()
    app = slicer.vtkSlicerApplicationLogic()
    app.SetMRMLScene(scene)
    logics = []
    for name in ("Segmentations", "SubjectHierarchy"):
        logic = getattr(slicer, f"vtkSlicer{name}ModuleLogic")()
        logic.SetMRMLApplicationLogic(app)
        logic.SetMRMLScene(scene)
        app.SetModuleLogic(name, logic)
        logics.append(logic)
    before = getattr(slicer, "mrmlScene", None)
    slicer.mrmlScene = scene
    yield scene
    slicer.mrmlScene = before
    scene.Clear(1)
    for logic in logics:
        logic.SetMRMLScene(None)
    app.SetMRMLScene(None)


@pytest.fixture
def matrix():
    """A 4x4 array as VTK's."""
    import vtk

    def make(array):
        result = vtk.vtkMatrix4x4()
        result.DeepCopy(np.asarray(array, dtype=float).ravel().tolist())
        return result

    return make


@pytest.fixture(scope="session")
def phantom():
    """(values, bleed) of a head with a ball of blood; 7.0 mL."""
    return head_array()


@pytest.fixture
def addVolume(scene, slicer, matrix):
    """Adds a volume of an array (z, y, x); the matrix is from index to RAS mm."""

    def add(array, ijkToRas=None, name="head", kind="vtkMRMLScalarVolumeNode"):
        if ijkToRas is None:
            ijkToRas = np.diag([*SPACING, 1.0])
            ijkToRas[:3, 3] = ORIGIN
            ijkToRas = LPS_FROM_RAS @ ijkToRas
        node = scene.AddNewNodeByClass(kind, name)
        slicer.util.updateVolumeFromArray(node, array)
        node.SetIJKToRASMatrix(matrix(ijkToRas))
        return node

    return add


@pytest.fixture
def volume(addVolume, phantom):
    return addVolume(phantom[0].copy())


@pytest.fixture
def addBox(scene):
    """Adds an ROI box; RAS mm."""

    def add(center=BLEED_RAS, size=(40, 40, 34), name="R"):
        node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", name)
        node.SetCenter(*center)
        node.SetSize(*size)
        return node

    return add


@pytest.fixture
def addCurve(scene):
    """Adds a closed curve; RAS mm."""

    def add(points, name="CC", linear=False):
        node = scene.AddNewNodeByClass("vtkMRMLMarkupsClosedCurveNode", name)
        if linear:
            node.SetCurveTypeToLinear()
        for point in points:
            node.AddControlPointWorld(*point)
        return node

    return add


@pytest.fixture
def addLinear(scene, matrix):
    """Adds a linear transform; RAS to RAS, to its parent."""

    def add(array, name="T"):
        node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
        node.SetMatrixTransformToParent(matrix(array))
        return node

    return add


@pytest.fixture
def addAcquisition(scene, slicer):
    """Puts a volume under a grid transform that moves each of its slices, as Slicer's DICOM reader does.

    ``shifts`` is RAS mm, one row a slice.
    """
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    def add(volume, shifts):
        columns, rows, slices = volume.GetImageData().GetDimensions()
        spacing = volume.GetSpacing()
        image = vtk.vtkImageData()
        image.SetOrigin(*volume.GetOrigin())
        image.SetDimensions(2, 2, slices)
        image.SetSpacing(spacing[0] * columns, spacing[1] * rows, spacing[2])
        vectors = np.repeat(np.asarray(shifts, dtype=float)[:, None, :], 4, axis=1).reshape(-1, 3)
        image.GetPointData().SetScalars(numpy_to_vtk(vectors, deep=True))
        directions = vtk.vtkMatrix4x4()
        volume.GetIJKToRASDirectionMatrix(directions)
        transform = slicer.vtkOrientedGridTransform()
        transform.SetGridDirectionMatrix(directions)
        transform.SetDisplacementGridData(image)
        node = scene.AddNewNodeByClass("vtkMRMLGridTransformNode", "acquisition transform")
        node.SetAndObserveTransformToParent(transform)
        volume.SetAndObserveTransformNodeID(node.GetID())
        return node

    return add


@pytest.fixture
def addSegment(scene, slicer):
    """Adds a segment of an array (z, y, x) on a volume's grid to a segmentation, a new one if there is none."""

    def add(array, volume, node=None, name="Reference", terminology=None):
        from HTSegmentationModule.segmentation_conversion import orientedImage
        from HTSegmentationModule.volume_conversion import ijkToRas

        if node is None:
            node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
            node.CreateDefaultDisplayNodes()
        segmentID = node.GetSegmentation().AddEmptySegment("", name)
        segment = node.GetSegmentation().GetSegment(segmentID)
        segment.SetLabelValue(1)
        segment.AddRepresentation("Binary labelmap", orientedImage(array, ijkToRas(volume), (0, 0, 0)))
        if terminology is not None:
            segment.SetTerminology(terminology)
        return node, segmentID

    return add


def parameterDefaults():
    """Names and defaults of the parameter node's fields, from its source: its decorator is not in slicer-core."""
    tree = ast.parse((MODULE / "HTSegmentationModule" / "parameter_node.py").read_text(encoding="utf-8"))
    (node,) = (item for item in tree.body if isinstance(item, ast.ClassDef))
    defaults = {}
    for field in node.body:
        if isinstance(field, ast.AnnAssign):
            kind = ast.unparse(field.annotation)
            empty = {"str": "", "list[vtkMRMLMarkupsNode]": []}.get(kind)
            defaults[field.target.id] = empty if field.value is None else ast.literal_eval(field.value)
    return defaults


@pytest.fixture
def parameters():
    """Makes what has the fields and defaults of a parameter node."""

    def make(volume=None, roiNodes=(), **fields):
        values = parameterDefaults() | {"inputVolume": volume, "roiNodes": list(roiNodes)}
        assert set(fields) <= set(values)
        return types.SimpleNamespace(**(values | fields))

    return make


@pytest.fixture(autouse=True)
def store(tmp_path_factory, monkeypatch):
    """A folder for models of the test's own, empty, so that nothing of this computer's user plays a part."""
    folder = tmp_path_factory.mktemp("models")
    monkeypatch.setenv("HTSEG_MODELS", str(folder))
    monkeypatch.setattr("HTSegmentationLib.inference.models.store.bundled_folder", lambda: folder / "none comes with it")
    return folder


@pytest.fixture
def logic(slicer, scene):
    from HTSegmentationModule.logic import HTSegmentationLogic

    logic = HTSegmentationLogic()
    yield logic
    logic.close()


@pytest.fixture
def case(logic, volume, addBox, parameters):
    """The parameters of the phantom's case."""
    return parameters(volume, [addBox()])
