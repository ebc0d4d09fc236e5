"""The same batch through a Dask cluster."""

import os
import signal
import threading
import time

import pytest

from HTSegmentationLib.cli import main
from HTSegmentationLib.cohort.batch import dask_pool
from HTSegmentationLib.cohort.batch.run import BatchOptions, run_batch
from HTSegmentationLib.cohort.batch.settings import BatchSettings
from HTSegmentationLib.cohort.manifest import read_manifest
from HTSegmentationLib.errors import UsageError

from .. import needs
from .small_cohort import write_cohort

distributed = needs.package("distributed", "batches on a cluster were not tested")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohort"), 5)


@pytest.fixture(scope="module")
def cluster():
    options = {"processes": True, "threads_per_worker": 1, "memory_limit": "1GB", "dashboard_address": ":0"}
    with distributed.LocalCluster(n_workers=2, **options) as cluster:
        yield cluster


def kill_a_worker(cluster, folder):
    """Kills one worker as soon as the first case is done."""
    while not list((folder / "records").glob("*.json")):
        time.sleep(0.01)
    os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)


def test_a_killed_worker_of_a_cluster_costs_no_case_and_the_table_is_that_of_this_machine(cohort, cluster, tmp_path):
    local, far = tmp_path / "local", tmp_path / "far"
    assert main(["batch", str(cohort), "--output", str(local), "--jobs", "2"]) == 0
    killer = threading.Thread(target=kill_a_worker, args=(cluster, far), daemon=True)
    killer.start()
    manifest = read_manifest(cohort, needs_roi=True)
    options = BatchOptions(scheduler=cluster.scheduler_address)
    summary = run_batch(manifest, far, BatchSettings("adaptive"), options)
    killer.join(10)
    assert not killer.is_alive()
    assert (summary.state.done, summary.state.failed) == (5, 0)
    assert (far / "results.csv").read_bytes() == (local / "results.csv").read_bytes()


def test_a_case_that_kills_every_worker_becomes_a_failed_one_with_its_reason(cluster):
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        pool = dask_pool.DaskPool(cluster.scheduler_address, work=signal.raise_signal)
        try:
            pool.submit(signal.SIGKILL)
            found = []
            while not found:
                found = pool.wait(1.0)
        finally:
            pool.close()
    assert found[0].record is None
    assert "lost 4 workers" in found[0].loss


def test_an_address_without_a_scheduler_is_said(cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_pool, "_CONNECT_S", 1.0)
    with pytest.raises(UsageError, match="there is no Dask scheduler"):
        run_batch(
            read_manifest(cohort, needs_roi=True),
            tmp_path / "out",
            BatchSettings("adaptive"),
            BatchOptions(scheduler="tcp://127.0.0.1:9"),
        )
