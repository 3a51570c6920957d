from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.lib.processes import identity
from console.processes import probes
from console.processes.record import LIST_NAME, AlreadyRunning, DataLock, ProcessList

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEP, start_new_session=True) as process:
        yield process
        process.kill()


def test_a_second_holder_is_told_who_has_the_directory(tmp_path: Path) -> None:
    first = DataLock(tmp_path)
    first.acquire("http://127.0.0.1:8080")
    with pytest.raises(AlreadyRunning, match=rf"pid {os.getpid()}, http://127.0.0.1:8080"):
        DataLock(tmp_path).acquire("http://127.0.0.1:8081")
    first.release()


def test_a_released_directory_can_be_taken_again(tmp_path: Path) -> None:
    first = DataLock(tmp_path)
    first.acquire("http://127.0.0.1:8080")
    first.release()
    second = DataLock(tmp_path)
    second.acquire("http://127.0.0.1:8080")
    second.release()
    assert (tmp_path / "up.lock").read_text() == ""


def test_what_a_killed_run_left_is_ended(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    ProcessList(tmp_path).add(sleeper.pid, "worker")
    assert ProcessList(tmp_path).end_leftovers() == ["worker"]
    assert sleeper.wait() < 0


def test_a_process_that_only_has_the_number_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    entry = {"pid": sleeper.pid, "name": "worker", "mark": "1"}
    (tmp_path / LIST_NAME).write_text(json.dumps([entry]))
    assert ProcessList(tmp_path).end_leftovers() == []
    assert identity.start_mark(sleeper.pid) is not None


def test_one_that_ended_by_itself_is_forgotten(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    processes = ProcessList(tmp_path)
    processes.add(sleeper.pid, "worker")
    processes.remove(sleeper.pid)
    assert json.loads((tmp_path / LIST_NAME).read_text()) == []


def test_a_list_cut_off_by_a_full_disk_is_ignored(tmp_path: Path) -> None:
    (tmp_path / LIST_NAME).write_text('[{"pid": 1')
    assert ProcessList(tmp_path).end_leftovers() == []


def test_a_taken_port_names_itself_and_the_flag(unused_tcp_port: int) -> None:
    listen = (
        "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1])));"
        " print(1, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", listen, str(unused_tcp_port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as listener:
        assert listener.stdout is not None
        listener.stdout.readline()
        with pytest.raises(probes.PortTaken, match=rf"port {unused_tcp_port} .* --opamp-port N"):
            probes.check_port_free("127.0.0.1", unused_tcp_port, "--opamp-port")
        listener.kill()


def test_a_free_port_passes(unused_tcp_port: int) -> None:
    assert probes.check_port_free("127.0.0.1", unused_tcp_port, "--port") is None  # type: ignore[func-returns-value]
