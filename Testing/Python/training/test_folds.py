from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.training.folds import make_folds, split_of


@dataclass(frozen=True)
class Case:
    case_id: str
    patient: str
    ht_type: str
    volume_ml: float
    fold: str = ""


def cohort(*groups):
    """Cases of one patient each: (type, how many), volumes rising."""
    return [Case(f"{kind}-{n}", f"{kind}-{n}", kind, 1.0 + n) for kind, count in groups for n in range(count)]


many = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["HI2", "PH", "PH1"]), st.floats(0.1, 80)), min_size=12, max_size=60
).map(lambda rows: [Case(f"c{n}", f"p{p}", kind, volume) for n, (p, kind, volume) in enumerate(rows)])


@settings(deadline=None)
@given(cases=many, folds=st.integers(2, 5), seed=st.integers(0, 999), share=st.sampled_from([0.0, 0.2]))
def test_no_patient_is_ever_on_two_sides_and_every_case_is_held_out_once(cases, folds, seed, share):
    patients = {case.case_id: case.patient for case in cases}
    if len(set(patients.values())) < folds + 2:
        return
    held = Counter()
    for fold in make_folds(cases, folds, seed, validation_share=share):
        sides = [fold.training, fold.held_out] + ([fold.validation] if share else [])
        people = [{patients[name] for name in side} for side in sides]
        assert all(not a & b for n, a in enumerate(people) for b in people[n + 1 :])
        assert sum(map(len, sides)) == len(cases)
        assert all(sides)
        assert fold.watches_held_out == (share == 0)
        held.update(fold.held_out)
    assert held == Counter(patients.keys())


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 23), min_size=1, max_size=3), folds=st.integers(2, 5), seed=st.integers(0, 99))
def test_folds_differ_by_one_patient_at_most_in_each_type_and_over_all(sizes, folds, seed):
    cases = cohort(*zip("ABC", sizes, strict=False))
    if len(cases) < folds + 1:
        return
    made = make_folds(cases, folds, seed)
    for kind in ("", *"ABC"[: len(sizes)]):
        counts = [sum(name.startswith(kind) for name in fold.held_out) for fold in made]
        assert max(counts) - min(counts) <= 1


def test_every_fold_holds_one_of_the_largest_and_one_of_the_smallest_bleeds():
    made = make_folds(cohort(("PH", 20)), 5, 3)
    volumes = [sorted(int(name.split("-")[1]) for name in fold.held_out) for fold in made]
    assert all(held[0] < 5 and held[-1] >= 15 for held in volumes)


def test_the_seed_and_not_the_order_of_the_table_decides():
    cases = cohort(("HI2", 9), ("PH", 8))
    first = [set(fold.held_out) for fold in make_folds(cases, 4, 1)]
    assert [set(fold.held_out) for fold in make_folds(cases[::-1], 4, 1)] == first
    assert any([set(fold.held_out) for fold in make_folds(cases, 4, seed)] != first for seed in range(2, 6))


def test_the_column_fold_decides_where_there_is_one():
    cases = [replace(case, fold=str(n % 3 + 1)) for n, case in enumerate(cohort(("PH", 9)))]
    made = make_folds(cases, 5, 0)
    assert [fold.held_out for fold in made] == [tuple(f"PH-{n}" for n in range(k, 9, 3)) for k in range(3)]


def test_a_patient_in_two_folds_of_the_column_is_refused_by_name():
    cases = [replace(case, fold=str(n % 2)) for n, case in enumerate(cohort(("PH", 4)))]
    cases[2] = replace(cases[2], patient=cases[1].patient)
    with pytest.raises(UsageError, match="patient 'PH-1' is in the folds 1 and 0"):
        make_folds(cases, 2, 0)


def test_a_fold_that_is_named_for_some_cases_alone_is_refused():
    cases = [replace(case, fold="1" if n else "") for n, case in enumerate(cohort(("PH", 4)))]
    with pytest.raises(UsageError, match="empty for PH-0"):
        make_folds(cases, 2, 0)


@pytest.mark.parametrize(("count", "folds"), [(3, 5), (1, 2), (1, 0)])
def test_too_few_patients_for_the_folds_are_refused(count, folds):
    with pytest.raises(UsageError, match="too few"):
        make_folds(cohort(("PH", count)), folds, 0)


def test_a_fold_without_a_lesion_to_train_on_is_refused():
    cases = [replace(case, volume_ml=0.0 if n else 5.0) for n, case in enumerate(cohort(("PH", 4)))]
    with pytest.raises(UsageError, match="no case with a lesion"):
        make_folds(cases, 4, 0)


def test_no_folds_are_one_split_that_holds_out_a_fifth():
    (only,) = make_folds(cohort(("PH", 20)), 0, 0)
    assert (len(only.held_out), len(only.training), only.watches_held_out) == (4, 16, True)


def test_named_cases_are_held_out_with_all_of_their_patient():
    cases = cohort(("PH", 6))
    assert split_of(cases, ["PH-1", "PH-4"], 0).held_out == ("PH-1", "PH-4")
    with pytest.raises(UsageError, match="there is no case PH-9"):
        split_of(cases, ["PH-9"], 0)
    cases[2] = replace(cases[2], patient="PH-1")
    with pytest.raises(UsageError, match="both sides"):
        split_of(cases, ["PH-1"], 0)
