"""A real server and a real Chromium for the browser suite.

The console runs under uvicorn in a thread of the test process, on the test database, on a port from
the system: pages, WebSocket and publisher as in production. Run with `pytest -m browser tests/browser`.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from console.asgi import application
from tests.make.people import PASSWORD, make_user

# Playwright runs an event loop in this thread; the rows of a test are written beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def _playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(_playwright: Playwright) -> Iterator[Browser]:
    path = (
        os.environ.get("E2E_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    if path is None:
        pytest.skip("no Chromium on PATH: install it, or set E2E_CHROMIUM")
    browser = _playwright.chromium.launch(executable_path=path, args=["--disable-dev-shm-usage"])
    yield browser
    browser.close()


class Server(uvicorn.Server):
    """uvicorn in a thread: signals belong to pytest."""

    def install_signal_handlers(self) -> None:
        """Leave them alone."""


@pytest.fixture
def server(transactional_db: None, settings: object) -> Iterator[str]:
    """Serve the console on a free port; return its address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(application, log_level="error", timeout_graceful_shutdown=1)
    running = Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not running.started:
        assert time.monotonic() < deadline, "the console did not start"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    running.should_exit = True
    thread.join(timeout=10)
    listening.close()


@pytest.fixture
def open_page(chromium: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Return a function that signs a new person in and gives their page.

    Every page fails the test at its end when the browser reported an error (script, policy).
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(name: str, *roles: str, width: int = 1280, js: bool = True, **more: object) -> Page:
        make_user(name, *roles, password=PASSWORD)
        context = chromium.new_context(
            base_url=server,
            viewport={"width": width, "height": 900},
            java_script_enabled=js,
            reduced_motion="reduce",
            timezone_id="Europe/Berlin",
            **more,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.goto("/login/")
        page.fill("#user", name)
        page.fill("#pw", PASSWORD)
        page.click("button[type=submit]")
        # Until the browser has left: going elsewhere before would call the sign-in off.
        page.wait_for_url(lambda url: "/login/" not in url)
        return page

    yield opened
    for context in contexts:
        context.close()
    # A refused form (409, 422) is an answer, though the browser logs it as a failed load.
    answers = ("status of 4", "Error Code 4")
    assert [c for c in complaints if not any(text in c for text in answers)] == []
