"""How long tables and report of a large cohort take, on results drawn at random.

    python Testing/Benchmarks/bench_evaluation.py --cases 1000

Every step is timed on its own; two methods are compared. No scan is read: the galleries say so in their pictures' places.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from synthetic_results import make_rows, write_results

from HTSegmentationLib.cohort.evaluation import evaluate, read_results
from HTSegmentationLib.cohort.evaluation.evaluate import write_tables
from HTSegmentationLib.cohort.evaluation.words import evaluation_words
from HTSegmentationLib.cohort.report import write_report


def timed(name, work):
    """Runs the work and prints its seconds."""
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    print(f"{name:<28}{seconds:7.2f} s")
    return result, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for method in ("adaptive", "global"):
            rows = make_rows(options.cases, method=method, groups=("HI1", "HI2", "PH1", "PH2"), failed=0.02)
            write_results(folder / method, rows)
        methods, reading = timed("reading", lambda: [read_results(folder / method) for method in ("adaptive", "global")])
        evaluation, tables = timed("all tables", lambda: evaluate(methods))
        _, words = timed("words", lambda: evaluation_words(evaluation))
        _, files = timed("CSV and JSON", lambda: write_tables(evaluation, folder))
        _, page = timed("report as HTML", lambda: write_report(folder / "report.html", evaluation))
        _, pages = timed("report as PDF", lambda: write_report(folder / "report.pdf", evaluation))
        print(f"{'tables and HTML together':<28}{reading + tables + words + files + page:7.2f} s")
        print(f"{'with the PDF':<28}{reading + tables + words + files + page + pages:7.2f} s")
        for kind in ("html", "pdf"):
            print(f"report.{kind}: {(folder / f'report.{kind}').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
