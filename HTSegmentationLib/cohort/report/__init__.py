"""A cohort's evaluation as a report to read and print: one self-contained HTML file, or a PDF."""

from HTSegmentationLib.cohort.report.write import require_report_path, write_report

__all__ = ["require_report_path", "write_report"]
