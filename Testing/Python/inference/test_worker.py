"""The worker process: what it answers, and what becomes of it when something goes wrong."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import HTSegmentationLib
from HTSegmentationLib.errors import Cancelled, HTSegError, InputError, OutputError, UsageError
from HTSegmentationLib.inference.worker.client import WorkerClient
from HTSegmentationLib.inference.worker.failures import WorkerError
from HTSegmentationLib.inference.worker.protocol import Request

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the misbehaving methods need POSIX")

PATIENCE_S = 30


@pytest.fixture(scope="module")
def scan_file(tmp_path_factory):
    dense = np.indices((4, 16, 16))[1] > 8
    image = sitk.GetImageFromArray(np.where(dense, 70, 30).astype(np.int16))
    path = tmp_path_factory.mktemp("scan") / "scan.nrrd"
    sitk.WriteImage(image, path)
    return path


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def worker(notes):
    library = Path(HTSegmentationLib.__file__).parents[1]
    environment = os.environ | {"HTSEG_TEST_NOTES": str(notes), "PYTHONPATH": str(library)}
    script = Path(__file__).parent / "worker_methods.py"
    with WorkerClient(environment=environment, command=[sys.executable, str(script)]) as client:
        yield client


@pytest.fixture
def request_of(scan_file, tmp_path):
    def make(method, **changes):
        files = dict.fromkeys(("ct", "brain", "tissue"), str(scan_file))
        return Request(method, **files | {"output": str(tmp_path / "mask.nrrd")} | changes)

    return make


def alive(pid):
    """Whether a process runs; one that ended and was not yet collected by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def eventually(holds):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_case_is_segmented_and_told_of(worker, request_of, tmp_path):
    told = []
    request = request_of("plain", probability=str(tmp_path / "likely.nrrd"))
    record = worker.segment(request, lambda *words: told.append(words))
    assert ("network", 0.3875) in told
    assert record["mask"] == request.output
    assert record["probability"] == request.probability
    assert record["volumes_ml"] == {"Hemorrhage": pytest.approx(4 * 7 * 16 / 1000)}
    assert sitk.GetArrayFromImage(sitk.ReadImage(request.output)).sum() == 4 * 7 * 16
    assert sitk.ReadImage(request.probability).GetPixelID() == sitk.sitkFloat32


def test_the_second_case_loads_nothing_again_and_another_method_does(worker, request_of, notes):
    for method in ("plain", "plain", "prints", "plain"):
        worker.segment(request_of(method))
    assert (notes / "loaded").read_text().split() == ["plain", "prints", "plain"]


def test_what_libraries_print_does_not_reach_the_protocol(worker, request_of):
    record = worker.segment(request_of("prints"))
    assert record["method"] == "prints"
    eventually(lambda: {"printed by Python", "printed by C", "printed by a program"} <= set(worker.stderr.split("\n")))


def test_stopping_kills_the_worker_with_children_and_grandchildren(worker, request_of, notes, tmp_path):
    def progress(stage, fraction):
        if stage == "hanging":
            raise Cancelled

    with pytest.raises(Cancelled):
        worker.segment(request_of("hang"), progress)
    pids = [int(word) for word in (notes / "pids").read_text().split()]
    assert len(pids) == 3
    eventually(lambda: not any(map(alive, pids)))
    assert not worker.running
    assert not list(tmp_path.glob("*mask*"))


def test_another_thread_can_stop_a_worker_that_says_nothing(worker, request_of, notes):
    threading.Thread(target=lambda: (eventually((notes / "pids").exists), worker.cancel())).start()
    with pytest.raises(Cancelled):
        worker.segment(request_of("hang"))
    assert worker.segment(request_of("plain"))["method"] == "plain"


def test_what_a_stopped_worker_left_is_removed_and_all_files_are_private(worker, request_of, notes):
    worker.start()
    with worker.case_folder() as folder:
        private = folder.parent
        assert folder.stat().st_mode & 0o777 == private.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()

    def progress(stage, fraction):
        if stage == "hanging":
            assert list(private.rglob("half-written"))
            raise Cancelled

    with pytest.raises(Cancelled):
        worker.segment(request_of("hang"), progress)
    assert not list(private.rglob("half-written"))
    worker.close()
    assert not private.exists()


@pytest.mark.parametrize(
    ("method", "status", "words"),
    [("crash", 139, "a library crashed; try --device cpu"), ("killed", -signal.SIGKILL, "the memory was used up")],
)
def test_a_crash_becomes_advice_and_the_next_case_gets_a_new_worker(worker, request_of, tmp_path, method, status, words):
    with pytest.raises(WorkerError, match=words) as caught:
        worker.segment(request_of(method))
    assert caught.value.exit_status == status
    assert not (tmp_path / "mask.nrrd").exists()
    if method == "crash":
        assert "about to crash" in caught.value.stderr
    assert worker.segment(request_of("plain"))["method"] == "plain"


def test_a_worker_that_runs_out_of_memory_says_so_and_stays_usable(worker, request_of):
    worker.start()
    with pytest.raises(WorkerError, match=r"the memory is used up .*Unable to allocate 8.00 GiB.*smaller batch") as caught:
        worker.segment(request_of("memory"))
    assert caught.value.exit_status is None
    assert worker.running
    assert worker.segment(request_of("plain"))["method"] == "plain"


def test_a_full_disk_leaves_no_mask_and_is_told(worker, request_of, tmp_path):
    with pytest.raises(HTSegError, match=r"output-mask\.nii: it could not be written whole; free space"):
        worker.segment(request_of("full-disk", output=str(tmp_path / "mask.nii")))
    assert not list(tmp_path.glob("*mask*"))


def test_numbers_of_numpy_reach_the_parent_and_what_is_no_number_is_an_error(worker, request_of):
    assert worker.segment(request_of("numpy"))["details"] == {"share": 0.5, "sizes": [1, 2]}
    with pytest.raises(WorkerError, match="not JSON compliant"):
        worker.segment(request_of("not-a-number"))
    assert worker.running


def test_what_a_crashed_worker_started_does_not_outlive_it(worker, request_of, notes):
    with pytest.raises(WorkerError):
        worker.segment(request_of("orphans"))
    pids = [int(word) for word in (notes / "pids").read_text().split()]
    eventually(lambda: not any(map(alive, pids)))


@pytest.mark.parametrize("method", ["bug", "leaves"])
def test_a_library_that_fails_or_wants_to_leave_does_not_take_the_worker_along(worker, request_of, method):
    with pytest.raises(WorkerError):
        worker.segment(request_of(method))
    assert worker.running


def test_an_error_of_the_users_is_the_same_as_without_a_worker(worker, request_of, tmp_path):
    with pytest.raises(InputError, match="cannot be read as an image"):
        worker.segment(request_of("plain", ct=str(tmp_path / "nothing.nrrd")))
    with pytest.raises(UsageError, match=r"mask\.jpg"):
        worker.segment(request_of("plain", output=str(tmp_path / "mask.jpg")))
    with pytest.raises(OutputError, match="no folder"):
        worker.segment(request_of("plain", output=str(tmp_path / "nowhere" / "mask.nrrd")))


def test_a_request_that_takes_too_long_ends_the_worker(worker, request_of, notes):
    worker.start()
    worker._timeout_s = 1.0
    with pytest.raises(WorkerError, match="no answer within 1 s"):
        worker.segment(request_of("hang"))
    assert not worker.running


def test_a_python_that_is_not_there_or_not_one_of_ours_is_named(tmp_path):
    with pytest.raises(WorkerError, match="nowhere/python cannot be started"):
        WorkerClient("/nowhere/python").start()
    with pytest.raises(WorkerError, match="lacks what HTSegmentation needs"):
        WorkerClient(command=[sys.executable, "-S", "-I", "-c", "import SimpleITK"]).start()
    with pytest.raises(WorkerError, match="no answer within 1 s"):
        WorkerClient(command=["sleep", "60"], start_timeout_s=1.0).start()


@pytest.mark.parametrize("method", ["hang", "plain"])
def test_the_worker_ends_with_its_parent_and_removes_what_that_one_cannot(notes, request_of, tmp_path, method):
    """The parent is killed, which gives it no chance to end anybody; amid a request, or when nothing is to do."""
    library = Path(HTSegmentationLib.__file__).parents[1]
    environment = os.environ | {"HTSEG_TEST_NOTES": str(notes), "PYTHONPATH": str(library), "TMPDIR": str(tmp_path)}
    command = [sys.executable, str(Path(__file__).parent / "worker_methods.py")]
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, json, time\n"
            "from HTSegmentationLib.inference.worker.client import WorkerClient\n"
            "from HTSegmentationLib.inference.worker.protocol import Request\n"
            "command, values = json.loads(sys.argv[1])\n"
            "client = WorkerClient(command=command)\n"
            "client.segment(Request(**values))\n"
            "open(sys.argv[2], 'w').write(str(client._child.pid))\n"
            "time.sleep(600)",
            json.dumps([command, vars(request_of(method))]),
            str(notes / "pids"),
        ],
        env=environment,
    )
    eventually(lambda: (notes / "pids").exists() and (notes / "pids").read_text())
    pids = [int(word) for word in (notes / "pids").read_text().split()]
    assert all(map(alive, pids))
    assert list(tmp_path.glob("htseg-worker-*"))
    parent.kill()
    parent.wait()
    eventually(lambda: not any(map(alive, pids)))
    assert not list(tmp_path.glob("htseg-worker-*"))


def converse(lines, *, wait_s=PATIENCE_S):
    """What ``htseg worker`` answers to these lines of stdin."""
    done = subprocess.run(
        [sys.executable, "-m", "HTSegmentationLib", "worker"],
        input=b"".join(lines),
        capture_output=True,
        timeout=wait_s,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_garbage_is_refused_line_by_line_and_the_worker_goes_on(tmp_path):
    requests = [
        b"\x00\xff nonsense\n",
        b"\n",
        b"[1, 2]\n",
        b"[" * 100_000 + b"\n",
        b"x" * (3 << 20) + b"\n",
        b'{"id": 1, "command": "dance"}\n',
        b'{"id": 2, "command": "segment"}\n',
        b'{"id": 3, "command": "segment", "method": "adaptive", "ct": "/none", "output": "/tmp/a.nrrd", "hue": "red"}\n',
        b'{"id": 4, "command": "segment", "method": "adaptive", "ct": 5, "output": "/tmp/a.nrrd"}\n',
        b'{"id": NaN, "command": "dance"}\n',
        b'{"id": 5, "command": "segment", "method": "adaptive", "ct": "/none", "output": "/tmp/a.nrrd"}\n',
        b'{"command": "shutdown"}\n',
        b'{"id": 6, "command": "dance"}\n',
    ]
    status, events = converse(requests)
    assert status == 0
    assert events[0]["event"] == "ready"
    assert events[0]["versions"]["htsegmentation"] == HTSegmentationLib.__version__
    assert [event["event"] for event in events[1:]] == ["error"] * 10
    assert [event["id"] for event in events[1:]] == [None] * 4 + [1, 2, 3, 4, None, 5]
    assert [event["code"] for event in events[1:]] == ["UsageError"] * 9 + ["InputError"]


def test_what_was_asked_before_a_shutdown_is_finished(scan_file, tmp_path):
    output = tmp_path / "mask.seg.nrrd"
    files = dict.fromkeys(("ct", "brain", "tissue", "roi"), str(scan_file))
    request = {"id": 1, "command": "segment", "method": "global", "output": str(output), **files}
    status, events = converse([json.dumps(request).encode() + b"\n", b'{"command": "shutdown"}\n'])
    assert status == 0
    assert events[-1]["event"] == "result", events[-1]
    assert events[-1]["record"]["labels"][0]["code"] == "50960005"
    assert output.exists()


def test_a_stdin_that_ends_ends_an_idle_worker_in_order():
    assert converse([])[0] == 0
