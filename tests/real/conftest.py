"""One gateway and a few real clients for the whole run; a client of its own where a test harms it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test.utils import setup_databases, teardown_databases
from pytest_django.plugin import DjangoDbBlocker

from tests.clients.build import Binaries, CannotBuild, binaries
from tests.clients.opampgo import OpampGoAgent
from tests.clients.plain import PlainCollector
from tests.clients.supervised import SupervisedCollector
from tests.real.gateway import Gateway

Client = TypeVar("Client", SupervisedCollector, OpampGoAgent, PlainCollector)
REQUIRED = "TIDEGATE_REQUIRE_REAL_CLIENTS"


@pytest.fixture(scope="session")
def built() -> Binaries:
    """The three programs. Without Go: a failure where they are required, else a skip."""
    try:
        return binaries()
    except CannotBuild as problem:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{problem} ({REQUIRED}=1)", pytrace=False)
        pytest.skip(f"real clients: {problem}")


@pytest.fixture(scope="package")
def store(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database for all tests here. What processes write must stay between tests, so this is not
    pytest-django's own, which rolls back or empties."""
    with django_db_blocker.unblock():
        _let_go()
        made = setup_databases(verbosity=0, interactive=False)
        try:
            yield
        finally:
            _let_go()
            teardown_databases(made, verbosity=0)
            _let_go()


def _let_go() -> None:
    """Close connections and pools: a pool keeps to the database that it was opened for."""
    for one in connections.all():
        one.close()
        if isinstance(one, DatabaseWrapper):
            one.close_pool()


@pytest.fixture(scope="package")
def gateway(
    built: Binaries, store: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """The gateway that most tests share. Who stops it uses one of their own."""
    shared = Gateway(tmp_path_factory.mktemp("gateway") / "gateway.log")
    try:
        yield shared.start()
    finally:
        shared.stop()


class Clients:
    """Makes clients with a directory each and stops them all at the end."""

    def __init__(self, built: Binaries, root: Path, stack: ExitStack) -> None:
        self._built = built
        self._root = root
        self._stack = stack
        self._numbers = itertools.count(1)

    def supervised(self, url: str, **options: Any) -> SupervisedCollector:
        made = SupervisedCollector(self._built, self._directory("supervised"), url, **options)
        return self._started(made)

    def opampgo(self, url: str, **options: Any) -> OpampGoAgent:
        return self._started(OpampGoAgent(self._built, self._directory("opampgo"), url, **options))

    def plain(self, url: str, **options: Any) -> PlainCollector:
        return self._started(PlainCollector(self._built, self._directory("plain"), url, **options))

    def _directory(self, kind: str) -> Path:
        return self._root / f"{kind}-{next(self._numbers)}"

    def _started(self, client: Client) -> Client:
        self._stack.callback(client.stop)
        client.start()
        return client


def _clients(built: Binaries, factory: pytest.TempPathFactory) -> Iterator[Clients]:
    with ExitStack() as stack:
        yield Clients(built, factory.mktemp("clients"), stack)


@pytest.fixture
def clients(built: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Clients of one test."""
    yield from _clients(built, tmp_path_factory)


@pytest.fixture(scope="module")
def lasting(built: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Clients that the tests of a module share."""
    yield from _clients(built, tmp_path_factory)
