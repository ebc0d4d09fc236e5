"""The report: one file that opens anywhere, harms nobody and is the same for the same results."""

import base64
import io
import json
import re
import sys
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
import SimpleITK as sitk
from synthetic_results import make_rows, write_results

from HTSegmentationLib.cohort.evaluation import evaluate, evaluate_masks, read_results
from HTSegmentationLib.cohort.evaluation.results import CaseFiles
from HTSegmentationLib.cohort.report import require_report_path, write_report
from HTSegmentationLib.cohort.report.case_picture import case_picture
from HTSegmentationLib.cohort.report.content import CasePicture, Gallery, Picture
from HTSegmentationLib.cohort.report.sections import build_report
from HTSegmentationLib.cohort.report.summary import summary
from HTSegmentationLib.errors import HTSegError, MissingPackageError, OutputError, UsageError

from .. import needs
from ..phantom import as_scan, box_roi, head_array

HOSTILE = "<script>alert('x')</script>&<b>$\\frac{1}{0}$</b> \u202eevil \u65e5\u672c\u8a9e \u00e9\u00df " + "W" * 300
"""A name as somebody means ill, or only means well in another language."""


class Page(HTMLParser):
    """What a page holds: tags with their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def page_of(evaluation, folder):
    write_report(folder / "report.html", evaluation)
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    found = [
        read_results(write_results(folder / method, make_rows(24, method=method, failed=0.05, seed=seed)))
        for seed, method in enumerate(("adaptive", "global"))
    ]
    return evaluate(found)


@pytest.fixture(scope="module")
def page(evaluation, tmp_path_factory):
    return page_of(evaluation, tmp_path_factory.mktemp("page"))


def test_the_page_needs_nothing_but_itself(page):
    assert page.open == []
    assert {"script", "link", "iframe", "object", "form"}.isdisjoint({tag for tag, _ in page.tags})
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    assert all(anchor["href"].startswith("#") for anchor in page.all("a"))
    assert not any(name.startswith("on") or name == "style" for _, attributes in page.tags for name in attributes)
    assert "url(" not in " ".join(page.texts)


def test_the_page_is_built_for_readers_of_every_kind(page):
    assert page.all("html")[0]["lang"] == "en"
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(headings))
    assert all(cell.get("scope") in ("col", "row", "rowgroup") for cell in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table")) > 8
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {anchor["href"][1:] for anchor in page.all("a")} <= set(ids)


def test_each_figure_says_in_numbers_what_is_seen(page):
    figures = page.all("img")
    assert len(figures) >= 9
    assert all(len(image["alt"]) > 40 and re.search(r"\d", image["alt"]) for image in figures)


def test_figures_are_pictures_that_hold_no_links(page):
    for image in page.all("img"):
        kind, content = image["src"].removeprefix("data:").split(";base64,")
        drawn = base64.b64decode(content)
        assert kind == "image/svg+xml"
        assert b"<script" not in drawn
        links = re.findall(rb'(?:xlink:)?href="([^"]*)"', drawn)
        assert all(link.startswith((b"#", b"data:image/png")) for link in links)


def test_the_tables_of_the_evaluation_are_on_the_page(page, evaluation):
    for table in evaluation.tables:
        assert table.title in page.text, table.key
    assert "Published, adaptive-threshold paper, Table 2" in page.text
    assert "0.66 (0.17)" in page.text
    assert "not a medical device" in page.text


def test_failed_cases_are_on_the_page_with_their_reasons(page, evaluation):
    failed = [case.case_id for method in evaluation.cohort.methods for case in method.failures]
    assert failed
    assert all(case_id in page.text for case_id in failed)
    assert "the scan holds no brain" in page.text


def test_the_same_results_give_the_same_files(tmp_path):
    evaluation = evaluate([read_results(write_results(tmp_path / "results", make_rows(8)))])
    write_report([tmp_path / "1.html", tmp_path / "1.pdf"], evaluation)
    write_report([tmp_path / "2.html", tmp_path / "2.pdf"], evaluation)
    for kind in ("html", "pdf"):
        assert (tmp_path / f"1.{kind}").read_bytes() == (tmp_path / f"2.{kind}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.html", "1.pdf", "2.html", "2.pdf", "results"]


def test_the_pdf_says_what_the_page_says(evaluation, tmp_path):
    pypdf = needs.package("pypdf", "the PDF was not read")
    write_report(tmp_path / "r.pdf", evaluation)
    pdf = pypdf.PdfReader(tmp_path / "r.pdf")
    text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    report = build_report(evaluation)
    for section in report.sections:
        assert section.title in text
        for block in section.blocks:
            if isinstance(block, Picture):
                assert " ".join(block.seen.split())[:60] in text
    assert "0.66 (0.17)" in text
    assert "Nothing here may be used to decide about a patient" in text
    assert {round(float(page.mediabox.width)) for page in pdf.pages} == {595}
    assert not any("/JavaScript" in str(value) or "/URI" in str(value) for value in pdf.trailer["/Root"].values())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Results in which everything that a file may say is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = make_rows(12, failed=0.2, seed=1)
    for number, row in enumerate(rows):
        row |= {"case_id": f"{HOSTILE} {number}", "ht_type": (HOSTILE, "_hidden", "$x^2$")[number % 3]}
        row |= {"remark_codes": "<img/src=x>", "remarks": HOSTILE}
        if row["status"] == "failed":
            row["error"] = HOSTILE
    write_results(folder, rows)
    settings = {"method": HOSTILE, "parameters": {HOSTILE: HOSTILE}, "versions": {HOSTILE: HOSTILE}, "manifest": HOSTILE}
    (folder / "batch.json").write_text(json.dumps(settings))
    return evaluate([read_results(folder, HOSTILE)])


@pytest.mark.filterwarnings("error")
def test_hostile_texts_are_read_not_run(hostile, tmp_path):
    page = page_of(hostile, tmp_path)
    assert page.open == []
    assert not {"script", "b"} & {tag for tag, _ in page.tags}
    assert "<script>alert('x')</script>&<b>" in page.text
    assert "\u202e" not in page.text
    assert not any("src" in attributes and not attributes["src"].startswith("data:") for _, attributes in page.tags)


@pytest.mark.filterwarnings("error")
def test_hostile_texts_do_not_break_the_pdf(hostile, tmp_path):
    pypdf = needs.package("pypdf", "the PDF was not read")
    write_report(tmp_path / "r.pdf", hostile)
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "r.pdf").pages)
    assert "<script>alert" in text
    assert "\u00e9\u00df" in text


COHORTS = {
    "empty": [],
    "one case": make_rows(1),
    "one group": make_rows(5, groups=("PH",)),
    "no groups": make_rows(5, groups=()),
    "no reference": make_rows(5, without_reference=1.0),
    "all failed": make_rows(5, failed=1.0),
    "all the same": [make_rows(1)[0] | {"case_id": f"c{n}"} for n in range(5)],
    "empty masks": [row | {"volume_ml": 0.0, "reference_volume_ml": 0.0, "dice": 1.0} for row in make_rows(5)],
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", COHORTS)
def test_odd_cohorts_have_a_report(name, tmp_path):
    found = evaluate([read_results(write_results(tmp_path / "results", COHORTS[name]))])
    page = page_of(found, tmp_path)
    assert page.open == []
    assert not re.search(r"\bnan\b", page.text.lower())
    assert summary(found)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["empty", "one case", "all failed"])
def test_odd_cohorts_have_a_pdf(name, tmp_path):
    found = evaluate([read_results(write_results(tmp_path / "results", COHORTS[name]))])
    write_report(tmp_path / "report.pdf", found)
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_the_summary_is_honest(evaluation, tmp_path):
    said = " ".join(summary(evaluation))
    assert "With 24 cases single ones move every figure" in said
    assert "published values come from other patients" in said
    assert 4 <= len(re.findall(r"\.(?:\s|$)", said)) <= 12
    none = evaluate([read_results(write_results(tmp_path, make_rows(3, without_reference=1.0)))])
    assert "not how right they are" in " ".join(summary(none))


@pytest.fixture(scope="module")
def heads(tmp_path_factory):
    """A cohort of two heads on disk, evaluated from folders."""
    folder = tmp_path_factory.mktemp("heads")
    for number in (1, 2):
        array, bleed = head_array(seed=number)
        scan = as_scan(array)
        case = folder / f"case-{number}"
        case.mkdir()
        grown = np.roll(bleed, number, axis=2)
        images = {"ct": scan.image, "roi": box_roi(scan).on_grid(scan.image)}
        images |= {
            "truth": sitk.GetImageFromArray(bleed.astype(np.uint8)),
            "mask": sitk.GetImageFromArray(grown.astype(np.uint8)),
        }
        for name, image in images.items():
            image.CopyInformation(scan.image)
            sitk.WriteImage(image, str(case / f"{name}.nii.gz"))
    return folder


def test_the_gallery_shows_the_cases(heads):
    found = evaluate([evaluate_masks(heads, heads, rois=heads, images=heads, name="mine", jobs=1)])
    galleries = [block for section in build_report(found).sections for block in section.blocks if isinstance(block, Gallery)]
    cases = [case for gallery in galleries for case in gallery.cases]
    assert [case.title.split(":")[0] for case in cases] == ["case-1", "case-2"]
    assert all(isinstance(case, CasePicture) and case.png.startswith(b"\x89PNG") for case in cases)
    assert "slice 9 of 16" in cases[0].seen


def test_a_picture_shows_mask_reference_and_roi(heads):
    from matplotlib.image import imread

    case = heads / "case-2"
    files = CaseFiles(*(case / f"{name}.nii.gz" for name in ("ct", "mask", "truth")), roi=(case / "roi.nii.gz",))
    content, _ = case_picture(files)
    picture = imread(io.BytesIO(content))[..., :3]
    for color in ((0xD5, 0x5E, 0x00), (0x56, 0xB4, 0xE9), (0xF0, 0xE4, 0x42)):
        assert (np.abs(picture - np.array(color) / 255).max(axis=-1) < 0.12).sum() > 60


def test_a_picture_that_cannot_be_drawn_says_why_without_folders(heads, tmp_path):
    rows = [{"case_id": "case-1", "status": "done", "method": "adaptive", "ht_type": "", "dice": 0.5, "volume_ml": 1.0}]
    folder = write_results(tmp_path, rows)
    (folder / "records").mkdir()
    (folder / "masks").mkdir()
    place = heads / "case-1"
    (folder / "masks" / "case-1.nii.gz").write_bytes((place / "mask.nii.gz").read_bytes())

    def problem(image):
        record = {"inputs": {"image": {"path": str(image)}, "roi": [], "reference": {"path": str(place / "truth.nii.gz")}}}
        (folder / "records" / "case-1.json").write_text(json.dumps(record))
        report = build_report(evaluate([read_results(folder)]))
        (gallery,) = [block for section in report.sections for block in section.blocks if isinstance(block, Gallery)]
        return gallery.cases[0].problem

    assert problem(place / "ct.nii.gz") == ""
    assert problem(tmp_path / "gone.nii.gz") == "No picture: gone.nii.gz is not where it was when the cases were segmented."
    (tmp_path / "broken.nii.gz").write_bytes(b"broken")
    assert "broken.nii.gz" in problem(tmp_path / "broken.nii.gz")
    assert str(tmp_path) not in problem(tmp_path / "broken.nii.gz")
    with pytest.raises(HTSegError, match="do not tell where its CT lies"):
        case_picture(CaseFiles(mask=place / "mask.nii.gz"))


def test_report_names_are_checked_before_any_work(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"r\.docx: reports are written as \.html or \.pdf"):
        require_report_path(tmp_path / "r.docx")
    with pytest.raises(OutputError, match="no folder"):
        require_report_path(tmp_path / "none" / "r.html")
    monkeypatch.setitem(sys.modules, "reportlab", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'htsegmentation\[report\]'"):
        require_report_path(tmp_path / "r.pdf")
    require_report_path(tmp_path / "r.html")


def test_drawing_leaves_the_users_own_settings_alone(evaluation, tmp_path):
    import matplotlib as mpl
    from matplotlib import pyplot

    before, figures = dict(mpl.rcParams), pyplot.get_fignums()
    write_report(tmp_path / "r.html", evaluation)
    assert dict(mpl.rcParams) == before
    assert pyplot.get_fignums() == figures
