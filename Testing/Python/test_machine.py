"""What the computer lends: memory as a container limits it."""

import mmap
import platform
import subprocess
import sys

import pytest

from HTSegmentationLib import machine

_FAULTS = """
import resource
from HTSegmentationLib.machine import keep_freed_memory
{}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    bytearray(40_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
"""Pages that the system had to clear for blocks that are freed at once."""


def pages(first, monkeypatch):
    for name in machine._TUNED_BY:
        monkeypatch.delenv(name, raising=False)
    run = subprocess.run([sys.executable, "-c", _FAULTS.format(first)], check=True, stdout=subprocess.PIPE, text=True)
    return int(run.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is the GNU C library that gives memory back")
def test_memory_that_was_freed_is_used_again(monkeypatch):
    once = 40_000_000 // mmap.PAGESIZE
    assert pages("", monkeypatch) > 10 * once
    assert pages("assert keep_freed_memory()", monkeypatch) < 3 * once


def test_what_the_user_tuned_is_left_alone(monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000000")
    assert not machine.keep_freed_memory()


def test_a_limit_of_the_container_counts_without_the_files_it_keeps_in_memory(monkeypatch, tmp_path):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "memory.max").write_text("1000\n")
    (tmp_path / "job" / "memory.stat").write_text("anon 300\nfile 600\n")
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "own").write_text("0::/job\n")
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 5 kB\n")
    monkeypatch.setattr(machine, "_CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr(machine, "_OWN_GROUP", tmp_path / "own")
    monkeypatch.setattr(machine, "_MEMORY_FILE", tmp_path / "meminfo")
    assert machine.free_memory() == 700
    (tmp_path / "own").unlink()
    assert machine.free_memory() == 5 * 1024
    (tmp_path / "meminfo").unlink()
    assert machine.free_memory() is None
