from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.live.rates import (
    REMEMBERED,
    Durations,
    History,
    PathRates,
    Rates,
    durations_between,
    last_columns,
    paths_between,
    quantile,
    rates_between,
)
from aioserve.observe.snapshot import DURATION_BOUNDS, PathSnapshot
from tests.live.story import FIRST, after, answered, history_of, lasted

BUCKETS = len(DURATION_BOUNDS) + 1


def test_rates_are_differences_by_time():
    now = after(2, requests=answered(0, 20, 4, 2, 2), size_sum=1000, refused={"400": 3, "limit": 1})

    assert rates_between(FIRST, now) == Rates(14.0, (0.0, 10.0, 2.0, 1.0, 1.0), 500.0, 2.0)


def test_no_time_has_no_rates():
    assert rates_between(FIRST, replace(FIRST, requests=answered(1))) == Rates()


def test_counters_that_go_back_are_no_negative_rates():
    """Those of a worker that died before it could tell its last ones."""
    before = replace(FIRST, requests=answered(0, 20), size_sum=10, refused={"400": 1}, durations=lasted(b1=2))

    assert rates_between(before, after(1)) == Rates()
    assert durations_between(before, after(1)) is None


# Durations


def test_percentiles_are_interpolated_within_their_bucket():
    counts = lasted(b4=100)  # from 0.5 to 1 ms
    lower, upper = DURATION_BOUNDS[3], DURATION_BOUNDS[4]

    assert quantile(counts, 0.5, 1.0) == pytest.approx((lower + upper) / 2)
    assert quantile(counts, 0.99, 1.0) == pytest.approx(lower + (upper - lower) * 0.99)
    assert quantile(counts, 1.0, 1.0) == upper


def test_first_bucket_begins_at_nothing_and_empty_ones_are_passed():
    assert quantile(lasted(b0=2), 0.5, 1.0) == pytest.approx(DURATION_BOUNDS[0] / 2)
    assert quantile(lasted(b0=1, b9=1), 0.75, 9.0) == pytest.approx(
        (DURATION_BOUNDS[8] + DURATION_BOUNDS[9]) / 2
    )
    assert quantile(lasted(b2=1), 0.0, 1.0) == DURATION_BOUNDS[1]


def test_last_bucket_ends_at_the_slowest():
    counts = tuple(4 * (index == BUCKETS - 1) for index in range(BUCKETS))

    assert quantile(counts, 0.5, 40.0) == 30.0
    assert quantile(counts, 0.5, 0.0) == 0.0


@given(st.lists(st.integers(0, 50), min_size=BUCKETS, max_size=BUCKETS).filter(any), st.floats(0, 100))
def test_percentiles_are_in_order(counts, highest):
    found = [quantile(counts, share, highest) for share in (0.0, 0.5, 0.99, 1.0)]

    assert found == sorted(found)
    assert found[-1] <= highest


def test_slowest_of_some_seconds_is_known_where_it_is_the_slowest_of_all():
    found = durations_between(FIRST, after(10, durations=lasted(b4=99, b8=1), slowest=0.0123))

    assert found.highest == 0.0123


def test_slowest_of_other_seconds_is_the_bound_of_its_bucket():
    before = replace(FIRST, slowest=9.0)
    now = after(10, before, durations=lasted(b4=100))

    assert durations_between(before, now) == Durations(
        pytest.approx(0.00075), pytest.approx(0.000995), DURATION_BOUNDS[4]
    )


def test_slowest_is_never_beyond_the_slowest_of_all():
    before = replace(FIRST, slowest=0.0006)

    assert durations_between(before, after(10, before, durations=lasted(b4=1))).highest == 0.0006
    assert durations_between(FIRST, after(10, durations=lasted(b4=1))).highest == DURATION_BOUNDS[4]


# Paths


def test_paths_are_those_of_the_time_between_the_busiest_first():
    before = replace(FIRST, paths=(PathSnapshot("/old", 100, 1.0, 0.5), PathSnapshot("/a", 10, 1.0, 0.2)))
    now = after(
        10,
        paths=(
            PathSnapshot("/old", 100, 1.0, 0.5),
            PathSnapshot("/a", 30, 5.0, 0.4),
            PathSnapshot("/new", 40, 2.0, 0.1),
        ),
    )

    assert paths_between(before, now) == [
        PathRates("/new", 4.0, 0.05, 0.1),
        PathRates("/a", 2.0, 0.2, 0.4),
        PathRates("/old", 0.0, 0.01, 0.5),
    ]


# History


def test_history_has_a_number_for_each_second():
    history = history_of(
        FIRST,
        after(1, requests=answered(0, 5)),
        after(2, requests=answered(0, 7)),
        after(5, requests=answered(0, 13)),
    )

    assert list(history.series) == [5.0, 2.0, 2.0, 2.0, 2.0]
    assert history.seconds == 5
    assert history.rates.requests == 2.0
    assert history.recent.requests == 2.6


def test_history_forgets():
    history = history_of(FIRST, after(10_000))

    assert len(history.series) == history.seconds == REMEMBERED


def test_empty_history_has_nothing():
    history = History()

    assert (history.latest, history.rates, history.recent) == (None, Rates(), Rates())
    assert (history.durations, history.paths) == (None, [])
    assert history_of(FIRST).rates == Rates()


def test_durations_and_paths_are_of_the_last_ten_seconds():
    history = history_of(
        *(
            after(second, durations=lasted(b4=10), paths=(PathSnapshot("/", second, 1, 1),))
            for second in range(12)
        ),
        after(12, durations=lasted(b4=10, b9=3), slowest=0.05, paths=(PathSnapshot("/", 22, 2, 1),)),
    )

    assert history.durations.highest == 0.05
    assert history.paths == [PathRates("/", 2.0, 0.05, 1)]


# Columns


def test_columns_have_the_mean_of_their_seconds():
    assert list(last_columns([1, 3, 5, 7], 4, 10, 2)) == [2.0, 6.0]
    assert list(last_columns([1, 3, 5, 7], 4, 1, 2)) == [6.0]
    assert list(last_columns([1, 3, 5, 7], 4, 4, 1)) == [1, 3, 5, 7]
    assert list(last_columns([], 0, 4, 2)) == []


def test_a_full_column_stays_as_it_is_when_time_goes_on():
    """Else the whole picture would change each second."""
    assert list(last_columns([1, 3, 5, 7, 9], 5, 10, 2)) == [2.0, 6.0, 9.0]
    assert list(last_columns([3, 5, 7, 9, 9], 6, 10, 2)) == [3.0, 6.0, 9.0]
