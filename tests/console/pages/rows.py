"""Pages as tests read them. What makes their rows is in `tests/make`."""

from __future__ import annotations

from typing import Protocol

from tests.make.agents import FIRST_SEEN as FIRST_SEEN
from tests.make.agents import keep as keep
from tests.make.agents import make_fleet as make_fleet
from tests.make.agents import make_gateway as make_lease  # noqa: F401
from tests.make.configs import TEXT as TEXT
from tests.make.configs import make_config as make_config
from tests.make.people import PASSWORD as PASSWORD
from tests.make.people import make_user as make_user
from tests.make.people import sign_in as sign_in
from tests.make.rollouts import make_approval as make_approval
from tests.make.rollouts import make_events as make_events
from tests.make.rollouts import make_readings as make_readings
from tests.make.rollouts import make_rollback as make_rollback
from tests.make.rollouts import make_rollout as make_rollout


class Answer(Protocol):
    """What a test client returns, as far as text goes."""

    @property
    def content(self) -> bytes: ...


def markup(answer: Answer) -> str:
    """Return the page with one space for each run of white space: its templates wrap their lines."""
    return " ".join(answer.content.decode().split())
