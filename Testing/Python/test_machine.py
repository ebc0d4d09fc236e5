"""What the computer lends: memory as a container limits it."""

from HTSegmentationLib import machine


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
