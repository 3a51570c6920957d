from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from console.pages.drawing import charts, plots
from console.pages.drawing.charts import BarPart
from console.pages.drawing.plots import Limit, PlotPoint


def widths(markup: str) -> list[float]:
    return [
        float(w) for w in re.findall(r'<rect class="f-[a-z-]+" x="[^"]*" width="([^"]+)%"', markup)
    ]


def test_a_bar_gives_each_part_its_share() -> None:
    markup = charts.stacked_bar([BarPart("applied", 3), BarPart("failed", 1)], 4, "3 of 4")
    assert widths(markup) == [75, 25]


def test_a_bar_of_nothing_is_only_its_ground() -> None:
    assert widths(charts.stacked_bar([BarPart("applied", 0)], 0, "none")) == []


@given(st.lists(st.integers(0, 10_000), max_size=6), st.integers(0, 20_000))
def test_a_bar_never_leaves_its_frame(counts: list[int], total: int) -> None:
    markup = charts.stacked_bar([BarPart("applied", n) for n in counts], total, "x")
    assert sum(widths(markup)) <= 100.05


def test_a_label_cannot_break_out_of_its_attribute() -> None:
    markup = charts.stacked_bar([], 1, '"><script>alert(1)</script>')
    assert "<script>" not in markup


def test_a_sparkline_tints_the_side_that_fails() -> None:
    readings = [PlotPoint(0, 0.2), PlotPoint(10, 0.4)]
    above = plots.sparkline(readings, Limit(0.5), "x")
    below = plots.sparkline(readings, Limit(0.5, fails_above=False), "x")
    assert 'class="forbid" y="0"' in above
    assert 'class="forbid" y="0"' not in below


def test_a_gap_in_the_readings_lifts_the_pen() -> None:
    readings = [PlotPoint(0, 1.0), PlotPoint(5, None), PlotPoint(10, 1.0)]
    path = re.search(r'class="ln" d="([^"]+)"', plots.sparkline(readings, None, "x"))
    assert path is not None
    assert path[1].count("M") == 2


def test_no_reading_draws_no_line_and_no_dot() -> None:
    markup = plots.sparkline([], Limit(1.0), "no reading yet")
    assert "end-dot" not in markup
    assert 'd="M0 0"' in markup


def test_no_chart_carries_a_style_attribute() -> None:
    markup = plots.step_curve([(1.0, 0.5), (3.0, 1.0)], end_s=5.0, goal_s=30.0, label="x")
    assert "style=" not in markup
