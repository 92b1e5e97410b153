from __future__ import annotations

from dataclasses import replace

import pytest

from aioserve.live.lines import ALARM, DIM, PLAIN_ASCII, UNICODE, WARNING
from aioserve.live.panels import (
    show_answers,
    show_busiest,
    show_connections,
    show_durations,
    show_errors,
    show_foot,
    show_head,
    show_message,
    show_messages,
    show_slowest,
    show_traffic,
    show_workers,
)
from aioserve.observe.snapshot import WorkerSnapshot
from tests.live.story import BUSY, FIRST, after, answered, scene_of, texts

pytestmark = pytest.mark.usefixtures("_utc")


SCENE = scene_of(FIRST, BUSY)
QUIET = scene_of(FIRST, messages=())


def styles_of(line):
    return [span.style for span in line.spans]


def test_head_says_who_serves_what_and_where():
    assert texts(show_head(SCENE, 80, 2)) == [
        "aioserve 0.1.0  ● serving                                              up 3h 12m",
        "http://127.0.0.1:8080                            serves ./site at /, app:Handler",
    ]
    assert len(show_head(SCENE, 80, 1)) == 1
    assert texts(show_head(SCENE, 40, 2))[1] == "http://127.0.0.1:8080"
    assert texts(show_head(scene_of(replace(FIRST, served=())), 80, 2))[1] == "http://127.0.0.1:8080"


def test_head_shows_the_end():
    first, _ = show_head(scene_of(replace(FIRST, state="stopping")), 80, 2)

    assert "● stopping, 53 connections left" in first.plain
    assert WARNING in styles_of(first)


def test_traffic_is_columns_with_numbers_beneath():
    lines = texts(show_traffic(SCENE, 80, 5))

    assert lines[0].startswith("Requests 1,000 /s  ───")
    assert lines[0].endswith("─ peak 1,000 in 10s")
    assert lines[1] == lines[2] == " " * 75 + "█████"
    assert lines[3] == "p50 0.2ms     p99 1.0ms     max 1.3s      out 5.0MB/s              10,000 in all"
    assert lines[4] == "42 idle  3 reading  7 answering  1 leaving                            12 refused"


def test_wide_traffic_has_a_column_for_each_second():
    assert texts(show_traffic(SCENE, 120, 4))[1] == " " * 110 + "█" * 10


def test_nothing_yet_is_said_calmly():
    assert show_durations(QUIET, 60).plain.startswith("p50 -         p99 -         max -         out 0B/s")
    assert show_connections(QUIET, 60).plain.rstrip() == "42 idle  3 reading  7 answering  1 leaving"
    assert texts(show_busiest(QUIET, 60, 4))[1] == "none yet"
    assert texts(show_errors(QUIET, 60, 4))[1] == "none"


def test_answers_have_rates_shares_and_bars():
    lines = show_answers(SCENE, 40, 5)

    assert texts(lines) == [
        "Answers ─────────────────────── last 10s",
        "2xx     955 /s  95.5% █████████████████▎",
        "3xx      30 /s   3.0% ▌",
        "4xx      12 /s   1.2% ▎",
        "5xx     3.0 /s   0.3% ▏",
    ]
    assert ALARM in styles_of(lines[4])


def test_answers_that_there_are_none_of_are_dim_and_1xx_is_shown_where_there_are_some():
    lines = show_answers(scene_of(FIRST, after(10, requests=answered(10))), 40, 9)

    assert [line[:3] for line in texts(lines)[1:]] == ["1xx", "2xx", "3xx", "4xx", "5xx"]
    assert set(styles_of(lines[5])) == {DIM}


def test_workers_have_a_line_each():
    lines = show_workers(SCENE, 38, 5)

    assert texts(lines) == [
        "Workers 2 ──────────────── 1 restarted",
        "41230   serves      48.3MB   lag 1.2ms",
        "41231   serves      51.2MB lag 130.0ms",
    ]
    assert WARNING in styles_of(lines[2])


def test_many_workers_are_summed_up():
    workers = tuple(WorkerSnapshot(pid, "loads the application", rss=1000) for pid in range(5))
    scene = scene_of(replace(FIRST, workers=workers))

    assert texts(show_workers(scene, 40, 4))[1:] == [
        "0       loading      1.0kB    lag 0.00ms",
        "1       loading      1.0kB    lag 0.00ms",
        "and 3 more, 3.0kB",
    ]
    assert len(show_workers(scene, 40, 1)) == 1


def test_paths_are_cut_in_the_middle_and_slow_ones_marked():
    lines = show_busiest(SCENE, 60, 4)

    assert texts(lines) == [
        "Busiest paths ─────────────────────────── /s    mean     max",
        "/                                        700   0.3ms   9.0ms",
        "/docs/handbook/ge…on-on-debian.html      200   0.6ms  54.0ms",
        "/api/orders                              100   3.0ms    1.3s",
    ]
    assert WARNING in styles_of(lines[3])


def test_slowest_path_comes_first_there():
    assert texts(show_slowest(SCENE, 60, 2))[1].startswith("/api/orders")


def test_errors_have_time_status_request_and_reason():
    lines = show_errors(SCENE, 60, 4)

    assert texts(lines)[1:] == [
        "00:52:50 500 GET /api/orders  KeyError: 'customer'",
        "00:51:50 503 POST /api/pay",
    ]
    assert texts(show_errors(SCENE, 30, 4))[1] == "00:52:50 500 GET /api/orders …"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-29T00:52:31+0000 INFO listening", "00:52:31 listening"),
        ("2026-11-29T00:52:31+0000 ERROR oh", "00:52:31 ERROR oh"),
        ("2026-11-29T00:52:31+0000 NOTICE oh", "00:52:31 NOTICE oh"),
        ("printed by \x1b[31m somebody", "printed by \\x1b[31m somebody"),
        ("x" * 50, "x" * 39 + "…"),
    ],
)
def test_messages_have_the_time_of_day(text, shown):
    assert show_message(text, 40, UNICODE).plain.rstrip() == shown


def test_last_messages_are_shown():
    assert texts(show_messages(SCENE, 60, 2)) == [
        "Messages ───────────────────────────────────────────────────",
        "00:53:01 ERROR worker 41229 was ended by SIGKILL",
    ]
    assert len(show_messages(SCENE, 60, 1)) == 1


def test_foot_says_what_keys_do():
    assert show_foot(SCENE, 70).plain == "q or Ctrl+C stops the server" + " " * 34 + "00:53:30"


def test_what_stands_at_the_right_edge_is_left_out_where_there_is_no_room():
    assert show_foot(SCENE, 40).plain.rstrip() == "q or Ctrl+C stops the server"
    assert show_durations(SCENE, 40).plain.rstrip() == "p50 0.2ms     p99 1.0ms     max 1.3s"
    assert "refused" not in show_connections(SCENE, 40).plain


def test_a_terminal_without_blocks_gets_ascii():
    scene = scene_of(FIRST, BUSY, glyphs=PLAIN_ASCII)
    parts = (show_head, show_traffic, show_answers, show_workers, show_busiest, show_errors, show_messages)

    assert all(line.plain.isascii() for show in parts for line in show(scene, 50, 5))
