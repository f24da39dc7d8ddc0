"""The files of deploy/ keep our rules: no root, pinned bases, exec forms, health, nothing left behind."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "deploy"
UNIT = FOLDER / "penchant.service"


def instructions():
    """The Dockerfile's instructions in order, each with its words; continued lines joined, comments left out."""
    text = re.sub(r"^\s*#.*\n", "", (FOLDER / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.split(None, 1)[1].strip()) for line in lines if line.strip()]


DOCKERFILE = instructions()
LAST = max(place for place, (word, _) in enumerate(DOCKERFILE) if word == "FROM")
"""Where the stage begins that is shipped."""


def every(word, start=0):
    return [rest for each, rest in DOCKERFILE[start:] if each == word]


def test_every_base_is_pinned_by_a_tag_that_says_something():
    known = set()
    for base in every("FROM"):
        image, *rest = base.split()
        if image not in known:
            assert re.search(r":(?!latest\b)[\w.-]*\d[\w.-]*(@sha256:[0-9a-f]{64})?$", image), (
                f"{image}: a version as tag"
            )
        known.update(rest[1:2])


def test_it_does_not_run_as_root():
    users = every("USER", LAST)
    assert users
    assert users[-1].split(":")[0] not in ("root", "0")
    last = max(place for place, (word, _) in enumerate(DOCKERFILE) if word == "USER")
    assert not [word for word, _ in DOCKERFILE[last:] if word in ("RUN", "COPY", "ADD")], (
        "nothing is written after that"
    )


def test_commands_are_in_the_exec_form_and_health_is_asked():
    (health,) = every("HEALTHCHECK", LAST)
    for command in (*every("CMD", LAST), *every("ENTRYPOINT", LAST), health.partition("CMD ")[2]):
        assert re.fullmatch(r'\[("[^"]*", )*"[^"]*"\]', command), command
    assert every("ENTRYPOINT", LAST)
    assert "/readyz" in health
    assert "--timeout=" in health
    assert every("STOPSIGNAL", LAST) == ["SIGTERM"]


def test_nothing_is_left_behind_or_fetched_from_anywhere():
    assert not every("ADD"), "COPY says what is copied"
    for command in every("RUN"):
        if "apt-get" in command or "apk " in command:
            assert "--no-install-recommends" in command
            assert "rm -rf /var/lib/apt/lists/*" in command
        if "pip" in command.split():
            assert "--no-cache-dir" in command
        assert not re.search(r"\b(sudo|curl|wget|chmod 777)\b", command)
    assert any("-c constraints.txt" in command for command in every("RUN")), "versions are held"
    assert not re.search(r"(?i)(password|secret|token)\s*=", (FOLDER / "Dockerfile").read_text())


def test_what_is_copied_is_there():
    for words in every("COPY"):
        *sources, _ = [word for word in words.split() if not word.startswith("--")]
        if "--from=" not in words:
            assert all((FOLDER.parent / source).exists() for source in sources), words


def settings_of_unit():
    lines = [line for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return [tuple(line.split("=", 1)) for line in lines]


def test_the_unit_has_no_root_and_ends_in_time():
    from penchant.service import ServiceSettings

    values = dict(settings_of_unit())
    assert values["DynamicUser"] == "yes"
    assert {values[name] for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices")} == {"yes"}
    assert values["ProtectSystem"] == "strict"
    assert values["CapabilityBoundingSet"] == ""
    assert float(values["TimeoutStopSec"]) > ServiceSettings().drain_s + 5, (
        "workers are waited for before they are killed"
    )
    assert values["Restart"] == "on-failure"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_unit(tmp_path):
    """Its programs are not installed here: their place is taken by one that is."""
    text = UNIT.read_text().replace("/opt/penchant/bin/penchant", shutil.which("true") or "/bin/true")
    (tmp_path / UNIT.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / UNIT.name)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert (done.returncode, ours) == (0, []), done.stderr
