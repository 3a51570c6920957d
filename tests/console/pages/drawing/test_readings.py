from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.pages.drawing import readings
from console.pages.drawing.plots import Limit
from console.pages.drawing.readings import Dot, PlotFrame, PlotMark, Span

LIMIT = Limit(0.02)
shares = st.floats(0, 1, allow_nan=False)


def dots(*values: float | None) -> list[Dot]:
    return [
        Dot(float(n), None if value is None else Span(value), at=f"t{n}", says=f"{value}")
        for n, value in enumerate(values)
    ]


def drawn(found: list[Dot], limit: Limit | None = LIMIT, marks: tuple[PlotMark, ...] = ()) -> str:
    frame = PlotFrame(readings.scale_of(found, limit, 1.0), 10.0)
    said = "limit 2 %"
    return readings.chart(found, frame, limit=limit, limit_says=said, marks=marks, label="x")


def runs(markup: str, css: str = "treated") -> int:
    return len(re.findall(f'class="run {css}"', markup))


@pytest.mark.parametrize(
    ("values", "limit", "ticks"),
    [
        ((0.0, 0.95), LIMIT, (0.0, 0.25, 0.5, 0.75, 1.0)),
        ((0.0,), LIMIT, (0.0, 0.01, 0.02, 0.03)),
        ((0.0,), None, (0.0, 0.25, 0.5, 0.75, 1.0)),
        ((0.31, 0.4), Limit(0.5), (0.0, 0.2, 0.4, 0.6)),
        ((-0.1, 0.3), None, (-0.1, 0.0, 0.1, 0.2, 0.3)),
    ],
)
def test_a_scale_has_round_numbers_and_room_for_the_limit(
    values: tuple[float, ...], limit: Limit | None, ticks: tuple[float, ...]
) -> None:
    assert readings.scale_of(dots(*values), limit, 1.0).ticks == pytest.approx(ticks)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=9), st.floats(-1e6, 1e6))
def test_a_scale_holds_every_value_and_its_lines_are_even(values: list[float], at: float) -> None:
    scale = readings.scale_of(dots(*values), Limit(at))
    for value in (*values, at):
        slack = 1e-6 * (scale.high - scale.low)
        assert scale.low - slack <= value <= scale.high + slack
    steps = [b - a for a, b in zip(scale.ticks, scale.ticks[1:], strict=False)]
    assert 1 <= len(steps) <= readings.STEPS + 2
    assert max(steps) == pytest.approx(min(steps), rel=1e-3)


@given(st.lists(shares, max_size=60), shares)
def test_nothing_is_drawn_outside_the_frame(values: list[float], limit: float) -> None:
    markup = drawn(dots(*values), Limit(limit))
    places = re.findall(r'(?:x|y|x1|x2|y1|y2|width|height)="(-?[\d.]+)%"', markup)
    assert all(0 <= float(place) <= 100 for place in places)


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_readings_are_dots_without_a_slope(count: int) -> None:
    markup = drawn(dots(*[0.0, 0.95][:count]))
    assert runs(markup) == 0
    assert markup.count("data-at=") == count


def test_the_third_reading_makes_a_line() -> None:
    assert runs(drawn(dots(0.0, 0.1, 0.2))) == 1


def test_no_data_breaks_the_line_and_is_a_mark_of_its_own() -> None:
    markup = drawn(dots(0.0, 0.1, 0.2, None, 0.1, 0.2, 0.3, None, 0.1))
    assert runs(markup) == 2
    assert markup.count('href="#p-none"') == 2


def test_a_reading_beyond_the_limit_has_another_shape() -> None:
    markup = drawn([replace(dots(0.5)[0], is_bad=True)])
    assert 'href="#p-bad"' in markup
    assert 'href="#p-ok"' not in markup


def test_both_groups_have_their_bands() -> None:
    both = [
        replace(dot, found=Span(0.5, 0.4, 0.6), control=Span(0.1, 0.0, 0.2))
        for dot in dots(0, 0, 0)
    ]
    markup = drawn(both)
    assert runs(markup) == runs(markup, "control") == 1
    assert 'class="band treated"' in markup
    assert 'class="band control"' in markup
    assert markup.count('href="#p-control"') == 3


def test_the_forbidden_side_is_tinted_and_the_limit_says_its_value() -> None:
    above = drawn(dots(0.5), Limit(0.6))
    below = drawn(dots(0.5), Limit(0.6, fails_above=False))
    assert '<rect class="forbid" y="0%"' in above
    assert '<rect class="forbid" y="0%"' not in below
    assert ">limit 2 %</text>" in above


def test_words_at_the_right_edge_are_written_to_the_left() -> None:
    markup = drawn(dots(0.5), marks=(PlotMark(1, "all sent"), PlotMark(9.9, "rolled back", True)))
    assert re.search(r'text-anchor="start">all sent<', markup)
    assert re.search(r'text-anchor="end">rolled back<', markup)


@given(st.lists(st.one_of(st.none(), shares), min_size=1, max_size=300))
def test_thinning_keeps_the_worst_the_first_and_the_newest(values: list[float | None]) -> None:
    all_dots = dots(*values)
    kept = readings.thinned(all_dots, LIMIT)
    assert len(kept) <= readings.MOST_DOTS
    assert (kept[0], kept[-1]) == (all_dots[0], all_dots[-1])
    known = [dot.found.value for dot in all_dots if dot.found is not None]
    shown = [dot.found.value for dot in kept if dot.found is not None]
    assert not known or max(shown) == max(known)
    assert sorted(kept, key=lambda dot: dot.at_s) == kept


def test_what_is_read_of_a_dot_cannot_break_out_of_its_attribute() -> None:
    markup = drawn([replace(dots(0.5)[0], says='"><script>alert(1)</script>')])
    assert "<script>" not in markup
