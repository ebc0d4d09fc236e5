"""What a library's last words and a process's exit status are turned into."""

import pytest

from HTSegmentationLib.errors import HTSegError, InputError, ROIError
from HTSegmentationLib.inference.worker.diagnosis import diagnose
from HTSegmentationLib.inference.worker.failures import WorkerError, error_event, error_of_event


@pytest.mark.parametrize(
    ("words", "problem", "advice"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", "card's memory", "smaller batch"),
        ("RuntimeError: MPS backend out of memory", "card's memory", "smaller batch"),
        ("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 8.00 TiB", "memory is used up", "smaller batch"),
        ("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", "memory is used up", "smaller batch"),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "memory is used up", "smaller batch"),
        ("CUDA error: CUDA driver version is insufficient for CUDA runtime version", "driver is too old", "update"),
        ("RuntimeError: The NVIDIA driver on your system is too old (found version 11040)", "driver is too old", "update"),
        ("CUDA error: no kernel image is available for execution on the device", "not built for", "compute capability"),
        ("RuntimeError: cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", "card failed", "--device cpu"),
        ("OSError: [WinError 126] Error loading torch_cuda.dll: DLL load failed", "by half", "htseg check"),
        ("ImportError: libcudart.so.12: cannot open shared object file", "by half", "htseg check"),
        ("ModuleNotFoundError: No module named 'SimpleITK'", "lacks what HTSegmentation needs", "pip install"),
        ("RuntimeError: Error(s) in loading state_dict for SEUNet", "weights are damaged", "install it again"),
        ("safetensors_rust.SafetensorError: HeaderTooLarge", "weights are damaged", "install it again"),
        ("OSError: [Errno 28] No space left on device", "disk is full", "free space"),
    ],
)
def test_words_of_libraries_become_plain_advice(words, problem, advice):
    found = diagnose(f"Traceback (most recent call last):\n  File x\n{words}\n")
    assert problem in found.problem
    assert words[:100] in found.problem
    assert advice in found.advice


@pytest.mark.parametrize(
    ("status", "problem", "advice"),
    [
        (-9, "the system ended it", "more memory"),
        (137, "the system ended it", "more memory"),
        (-11, "crashed", "--device cpu"),
        (139, "crashed", "--device cpu"),
        (0xC0000005, "crashed", "--device cpu"),
        (-1073741819, "crashed", "--device cpu"),
        (-4, "instructions", "this processor"),
    ],
)
def test_exit_statuses_are_understood_of_signals_shells_and_windows(status, problem, advice):
    found = diagnose("loading the network\n", status)
    assert problem in found.problem
    assert advice in found.advice


def test_what_nobody_knows_is_passed_on_with_the_exit_status():
    found = diagnose("one\nsomething odd happened\n\n", 3)
    assert found.problem == "exit status 3: something odd happened"
    assert "htseg check" in found.advice


@pytest.mark.parametrize(
    "error",
    [
        InputError("head.nii.gz", "it is empty", "copy it again"),
        ROIError("the ROI is empty; draw one"),
        HTSegError("something else; do this"),
    ],
)
def test_errors_reach_the_parent_as_they_were(error):
    there = error_of_event(error_event(error))
    assert type(there) is type(error)
    assert str(there) == str(error)


def test_an_error_that_nobody_meant_becomes_a_worker_error_of_one_line():
    there = error_of_event(error_event(RuntimeError("CUDA out of memory.\nTried to allocate 2 GiB")), stderr="words")
    assert isinstance(there, WorkerError)
    assert there.stderr == "words"
    assert "\n" not in str(there)
