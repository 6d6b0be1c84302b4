"""Where hosts of their own can't be made, the command says why."""

import os
import shutil
import subprocess

import pytest

from tests.faults import __main__ as command
from tests.faults import hosts


def refusal(count=1):
    with pytest.raises(hosts.NotAllowed) as caught, hosts.made(count):
        raise AssertionError("a host was made")
    return str(caught.value)


def test_without_iproute2_nothing_is_tried(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "iproute2" in refusal()


def test_only_root_makes_hosts(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/sbin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "only root" in refusal()


def test_a_system_that_forbids_it_is_quoted(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/sbin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    forbidden = subprocess.CompletedProcess([], 1, stdout="", stderr="Operation not permitted\n")
    monkeypatch.setattr(subprocess, "run", lambda *words, **more: forbidden)
    assert refusal().endswith("says: Operation not permitted")


def test_the_command_says_why_and_ends(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr("sys.argv", ["tests.faults", "--hosts", "2"])
    assert command.main() == 2
    assert "iproute2" in capsys.readouterr().err
