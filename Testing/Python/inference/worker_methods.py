"""Run as a program: a worker whose methods do what networks must not do. The method ``adaptive`` is the real one."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.export.mask_files import require_mask_path, write_mask
from HTSegmentationLib.inference.worker.job import Tools
from HTSegmentationLib.inference.worker.server import serve
from HTSegmentationLib.inference.worker.streams import claim_streams
from HTSegmentationLib.segmenter import HEMORRHAGE, SegmentationResult
from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold

NOTES = Path(os.environ.get("HTSEG_TEST_NOTES", "/nonexistent"))
"""A folder in which the tests look for what happened here."""


PLAIN = {"share": np.float32(0.5), "sizes": np.array([1, 2])}


class Details:
    def __init__(self, values):
        self.values = values

    def as_dict(self):
        return self.values

    def explain(self):
        return []


class Misbehaving(AdaptiveThreshold):
    """Segments, or does what its name says."""

    def __init__(self, method):
        super().__init__()
        self.method = method
        with (NOTES / "loaded").open("a") as notes:
            notes.write(f"{method}\n")

    def segment(self, prepared, roi=None, progress=lambda stage, fraction: None):
        progress("network", 0.25)
        getattr(self, self.method.replace("-", "_"))(progress)
        if roi is not None:
            return super().segment(prepared, roi, progress)
        mask = sitk.Cast(prepared.scan.image > 50, sitk.sitkUInt8)
        likely = sitk.Cast(mask, sitk.sitkFloat32)
        details = Details({"numpy": PLAIN, "not-a-number": {"share": float("nan")}}.get(self.method, {}))
        return SegmentationResult(self.method, mask, (HEMORRHAGE,), {}, 1.0, (), {}, details=details, probability=likely)

    def plain(self, progress):
        pass

    def numpy(self, progress):
        pass

    def not_a_number(self, progress):
        pass

    def orphans(self, progress):
        """Crashes and leaves a child that holds all its streams."""
        child = subprocess.Popen(["sleep", "600"])
        (NOTES / "pids").write_text(str(child.pid))
        os._exit(139)

    def prints(self, progress):
        print("printed by Python", flush=True)
        ctypes.CDLL(None).puts(b"printed by C")
        ctypes.CDLL(None).fflush(None)
        subprocess.run(["echo", "printed by a program"], check=True)
        assert sys.stdin.read() == ""

    def hang(self, progress):
        """Leaves a child, a grandchild in a session of its own, and waits for ever."""
        inner = "import subprocess, sys, time; subprocess.Popen(['sleep', '600'], start_new_session=True); time.sleep(600)"
        (Path(os.environ["TMPDIR"]) / "half-written").write_text("x")
        subprocess.Popen([sys.executable, "-c", inner])
        while len(children := descendants()) < 2:
            time.sleep(0.05)
        (NOTES / "pids.part").write_text("\n".join(map(str, [os.getpid(), *children])))
        (NOTES / "pids.part").rename(NOTES / "pids")
        progress("hanging", 0.5)
        time.sleep(600)

    def crash(self, progress):
        print("about to crash", file=sys.stderr, flush=True)
        os._exit(139)

    def killed(self, progress):
        os.kill(os.getpid(), signal.SIGKILL)

    def memory(self, progress):
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, resource.RLIM_INFINITY))
        try:
            np.ones((8 << 30,), np.uint8)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def full_disk(self, progress):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))

    def leaves(self, progress):
        raise SystemExit(1)

    def bug(self, progress):
        raise KeyError("surprise")


def descendants():
    from HTSegmentationLib.inference.worker.process_tree import descendants

    return descendants(os.getpid())


if __name__ == "__main__":
    streams = claim_streams()
    make = Tools(lambda request: Misbehaving(request.method), require_mask_path, write_mask)
    sys.exit(serve(*streams, make))
