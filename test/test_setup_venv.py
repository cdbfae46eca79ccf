"""The search for an interpreter and the environment's stamp; nothing is installed."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"
WORKS = f'exec "{sys.executable}" "$@"'
SHIM = 'echo "pyenv: command not found" >&2; exit 127'  # what an unselected shim does


@pytest.fixture
def machine(tmp_path):
    """A machine with a few programs on PATH, an empty home and the tools folder."""

    class Machine:
        folder = tmp_path / "bin"
        tools = tmp_path / "repository" / "tools"

        def add(self, name, script, folder=None):
            path = (folder or self.folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(stat.S_IRWXU)
            return path

        def call(self, name, *words):
            return subprocess.run(
                [self.tools / name, *words],
                env={"PATH": str(self.folder), "HOME": str(tmp_path)},
                capture_output=True,
                text=True,
            )

    machine = Machine()
    machine.folder.mkdir()
    for name in "bash env cat cut date dirname grep mv rm sha256sum sh sleep".split():
        (machine.folder / name).symlink_to(shutil.which(name))
    machine.tools.mkdir(parents=True)
    for name in ("find_python.sh", "setup_venv.sh", "requirements.txt"):
        shutil.copy(TOOLS / name, machine.tools)
    shutil.copy(TOOLS.parent / "setup.py", machine.tools.parent)
    return machine


def found(machine, *words):
    result = machine.call("find_python.sh", *words)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_shim_that_does_not_run_is_passed_over(machine):
    machine.add("python3.12", SHIM)
    machine.add("python3.13", WORKS)
    assert found(machine) == sys.executable


def test_python3_of_another_version_is_passed_over(machine):
    machine.add("python3", "exit 1")  # what the version check answers
    assert machine.call("find_python.sh").returncode == 1


def test_pyenv_versions_folder_is_searched(machine):
    machine.add("python3.12", SHIM)
    versions = machine.folder.parent / ".pyenv" / "versions"
    machine.add("python3", WORKS, folder=versions / "3.12.7" / "bin")
    assert found(machine) == sys.executable


def test_uv_is_asked(machine):
    python = machine.add("python3.12", WORKS, folder=machine.folder.parent / "uv")
    machine.add("uv", f'test "$3" = 3.12 && echo {python}')
    assert found(machine) == sys.executable


def test_without_python_one_sentence_says_what_to_install(machine):
    result = machine.call("setup_venv.sh")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "apt-get install python3.12-venv" in result.stderr
    assert not (machine.tools / "venv").exists()


def test_given_interpreter_that_does_not_fit_is_named(machine):
    shim = machine.add("python3.12", SHIM)
    result = machine.call("setup_venv.sh", str(shim))
    assert result.returncode == 1
    assert str(shim) in result.stderr


@pytest.fixture
def with_fake_pip(machine):
    """An interpreter whose venvs hold a pip that notes its calls."""
    notes = machine.folder.parent / "notes"
    fake = f"""case "$*" in
*"-m venv"*)
    for venv; do :; done
    mkdir -p "$venv/bin"; cp "$0" "$venv/bin/python"; echo "$venv" > "$venv/bin/activate"
    echo venv >> {notes} ;;
*"-m pip install"*)
    echo "$*" >> {notes}
    test ! -e {notes}.fail ;;
*"-m pip"*) ;;
*) {WORKS} ;;
esac"""
    for name in ("mkdir", "cp"):
        (machine.folder / name).symlink_to(shutil.which(name))
    machine.add("python3.12", fake)
    # find_python prints sys.executable, which would be the real one: give ours.
    machine.python = str(machine.folder / "python3.12")
    machine.add("find_python.sh", f"echo {machine.python}", folder=machine.tools)
    machine.notes = lambda: notes.read_text().splitlines() if notes.exists() else []
    machine.fail = Path(f"{notes}.fail")
    return machine


def test_environment_is_made_once(with_fake_pip):
    machine = with_fake_pip
    result = machine.call("setup_venv.sh")
    assert result.returncode == 0, result.stderr
    calls = machine.notes()
    assert calls[0] == "venv" and len(calls) == 3
    assert "-r" in calls[1].split() and "--editable" in calls[2].split()
    activate = (machine.tools / "activate_python.sh").read_text()
    assert f'. "{machine.tools}/venv/bin/activate"' in activate
    assert machine.call("setup_venv.sh").returncode == 0
    assert machine.notes() == calls


def test_interrupted_environment_is_continued(with_fake_pip):
    machine = with_fake_pip
    machine.fail.touch()
    assert machine.call("setup_venv.sh").returncode != 0
    assert not (machine.tools / "activate_python.sh").exists()
    machine.fail.unlink()
    result = machine.call("setup_venv.sh")
    assert result.returncode == 0, result.stderr
    assert machine.notes().count("venv") == 1
    assert "Continuing" in result.stdout


def test_changed_pins_are_installed(with_fake_pip):
    machine = with_fake_pip
    machine.call("setup_venv.sh")
    before = len(machine.notes())
    with (machine.tools / "requirements.txt").open("a") as pins:
        pins.write("six\n")
    assert machine.call("setup_venv.sh").returncode == 0
    assert len(machine.notes()) == before + 2


def test_moved_repository_gets_a_new_environment(with_fake_pip):
    machine = with_fake_pip
    machine.call("setup_venv.sh")
    moved = machine.tools.parent.with_name("moved")
    os.rename(machine.tools.parent, moved)
    machine.tools = moved / "tools"
    assert machine.call("setup_venv.sh").returncode == 0
    assert machine.notes().count("venv") == 2


@pytest.mark.parametrize("name", ["setup_venv.sh", "find_python.sh", "run_tests.sh"])
def test_help_is_printed(name):
    result = subprocess.run([TOOLS / name, "--help"], capture_output=True, text=True)
    assert result.returncode == 0 and result.stdout.startswith("Usage: ")


def test_check_install_finds_everything():
    result = subprocess.run(
        [sys.executable, TOOLS / "check_install.py"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout
    assert "[ok]      espnet2 " in result.stdout
