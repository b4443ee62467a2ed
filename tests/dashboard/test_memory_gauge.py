"""The gauge of memory: what a run uses of what its device has, in words and as a bar."""

from __future__ import annotations

import re

import pytest

from dashboard.memory_gauge import gauge, gigabytes
from tests.dashboard.recorded import events
from unlearning.runs.events import Started, Stepped, read_event
from unlearning.runs.view import View, view_of


def seen(device: str, total: int, *used: tuple[int, int]) -> View:
    view = View()
    for event in events("forgotten", steps=4):
        if isinstance(event, Started):
            view.fold(event.model_copy(update={"device": device, "memory_total": total}))
        if isinstance(event, Stepped) and event.step <= len(used):
            memory, peak = used[event.step - 1]
            view.fold(event.model_copy(update={"memory": memory, "memory_peak": peak}))
    return view


def test_nothing_stands_there_before_the_first_step() -> None:
    assert gauge(View(), True) == gauge(seen("cuda", 80 * 10**9), True) == ""


def test_a_gpu_shows_use_peak_and_all_there_is() -> None:
    view = seen("cuda:0", 80 * 10**9, (20 * 10**9, 64 * 10**9), (24 * 10**9, 40 * 10**9))
    told = gauge(view, True)
    assert "GPU memory" in told and "24.0 of 80.0 GB" in told and "tight" not in told
    assert 'style="width:30.0%"' in told and 'style="left:80.0%"' in told
    assert 'aria-valuenow="0.300"' in told and "at most 64.0 so far" in told
    # Afterwards the most that it took is what counts.
    after = gauge(view, False)
    assert "at most 64.0 of 80.0 GB" in after and 'style="width:80.0%"' in after


def test_what_is_nearly_full_is_said_in_words() -> None:
    told = gauge(seen("cpu", 10**9, (870_000_000, 0)), True)
    assert "0.87 of 1.0 GB, tight" in told and "GPU" not in told and "memory fair" in told


def test_a_log_without_the_total_has_words_and_no_bar() -> None:
    told = gauge(seen("cpu", 0, (910_000_000, 0)), True)
    assert "0.91 GB in use" in told and 'class="bar"' not in told


def test_logs_from_before_are_read() -> None:
    """They lack the fields; what was not noted is 0."""
    kept = []
    for event in events("forgotten", steps=3):
        line = event.model_dump_json()
        for name in ("memory_total", "memory_peak", "membership"):
            line = re.sub(rf',"{name}":(\d+|{{}})', "", line)
        kept.append(read_event(line))
    view = view_of(kept)
    assert view.started.memory_total == 0 and view.memory_peak == view.memory == 910_000_000
    assert view.membership == {"original": {}, "unlearned": {}}
    assert {"memory_total"} < Started.MEASURED and {"memory_peak"} < Stepped.MEASURED


@pytest.mark.parametrize(
    ("size", "words"), [(5 * 10**6, "0.01"), (910 * 10**6, "0.91"), (12_340_000_000, "12.3"),
                        (141 * 10**9, "141")],
)  # fmt: skip
def test_sizes_in_words(size: int, words: str) -> None:
    assert gigabytes(size) == words
