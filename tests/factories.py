"""Kept for a while: what stood here is in `tests/make`."""

from __future__ import annotations

from tests.make.agents import ACCEPTS_AND_REPORTS as ACCEPTS_AND_REPORTS
from tests.make.agents import make_collector as make_agent  # noqa: F401
from tests.make.agents import make_lasting_gateway as make_gateway  # noqa: F401
from tests.make.configs import RUNNABLE as RUNNABLE
from tests.make.configs import make_body as make_body
from tests.make.configs import make_version as make_version
from tests.make.people import make_actor as make_user  # noqa: F401
from tests.make.speech import connect as connect
from tests.make.speech import feel as feel
from tests.make.speech import lose_config as lose_config
from tests.make.speech import report as report
from tests.make.speech import send as send
from tests.make.speech import suffer as suffer
from tests.make.speech import wanted_of as wanted_of
from tests.make.times import NOW as NOW
