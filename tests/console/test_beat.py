"""Beat goes on ticking when the clock of its machine is set back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from celery import Celery
from celery.beat import ScheduleEntry

from console.beat import SteadyScheduler
from console.celery import app
from tests.make.times import NOW

HOUR = timedelta(hours=1)


class Beat:
    """A beat with two tasks a second, on a clock that the test sets; `sent` are names of tasks."""

    def __init__(self, file: Path, clock: time_machine.Traveller) -> None:
        self.clock, self.file = clock, str(file)
        self.sent: list[str] = []
        self.app = Celery("test", broker="memory://", set_as_current=False)
        self.app.conf.beat_schedule = {
            name: {"task": name, "schedule": 1.0} for name in ("tick", "measure")
        }
        self.app.conf.result_expires = None  # else Celery adds a task of its own
        self.start()

    def start(self) -> None:
        sent = self.sent

        class Recorder(SteadyScheduler):
            def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
                sent.append(entry.task)

        self.scheduler = Recorder(self.app, schedule_filename=self.file)

    def seconds(self, count: int) -> list[str]:
        """Let time pass, return what was sent in it."""
        before = len(self.sent)
        for _ in range(count):
            self.clock.shift(1)
            for _ in range(5):
                self.scheduler.tick()
        return self.sent[before:]


@pytest.fixture
def beat(tmp_path: Path) -> Iterator[Beat]:
    with time_machine.travel(NOW, tick=False) as clock:
        beat = Beat(tmp_path / "beat", clock)
        yield beat
        beat.scheduler.close()


def test_every_task_goes_on_after_the_clock_was_set_back(beat: Beat) -> None:
    assert set(beat.seconds(5)) == {"tick", "measure"}
    beat.clock.shift(-HOUR)
    sent = beat.seconds(10)
    assert min(sent.count("tick"), sent.count("measure")) >= 8


def test_what_its_file_says_of_a_later_time_stops_nothing_either(beat: Beat) -> None:
    beat.seconds(5)
    beat.scheduler.close()
    beat.clock.shift(-HOUR)
    beat.start()
    assert set(beat.seconds(5)) == {"tick", "measure"}


def test_a_clock_set_forward_sends_each_task_once_not_an_hour_of_them(beat: Beat) -> None:
    beat.seconds(5)
    beat.clock.shift(HOUR)
    assert len(beat.seconds(3)) <= 6


def test_the_product_uses_it() -> None:
    assert app.conf.beat_scheduler == "console.beat:SteadyScheduler"
