"""Progress: silent, plain lines, or a bar; chosen by where it is shown."""

import io
import sys

import pytest

from penchant import _progress
from penchant._progress import PlainProgress, RichProgress, SilentProgress, make_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that is moved by hand."""
    now = [100.0]
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("terminal", "show", "expected"),
    [
        (True, None, RichProgress),
        (True, True, RichProgress),
        (True, False, SilentProgress),
        (False, None, SilentProgress),
        (False, True, PlainProgress),
        (False, False, SilentProgress),
    ],
)
def test_the_right_one_is_made(monkeypatch, terminal, show, expected):
    monkeypatch.setattr(sys, "stderr", Terminal() if terminal else io.StringIO())
    assert type(make_progress(show)) is expected


def test_plain_lines_come_now_and_then_with_the_time_left(clock):
    out = io.StringIO()
    progress = PlainProgress(out, every=5.0)
    progress.start(100, "Training")
    for done in range(1, 21):
        clock[0] += 1
        progress.step(1, loss=1 / done)
    progress.finish()
    lines = out.getvalue().splitlines()
    assert len(lines) == 5
    assert lines[0] == "Training: 5%, about 95 s left, loss 0.2000"
    assert lines[-1].startswith("Training: 20%, done in 20 s")


def test_figures_stay_until_they_change(clock):
    out = io.StringIO()
    progress = PlainProgress(out, every=0.0)
    progress.start(4, "Training")
    progress.step(1, auc=0.8)
    progress.step(1)
    assert out.getvalue().splitlines()[-1].endswith("auc 0.8000")
    progress.start(2, "Encoding")
    progress.step(0)
    assert out.getvalue().splitlines()[-1] == "Encoding: 0%, unknown time left"


def test_work_of_no_steps(clock):
    out = io.StringIO()
    progress = PlainProgress(out)
    progress.start(0, "Nothing")
    progress.finish()
    assert out.getvalue() == "Nothing: 100%, done in 0 s\n"


def test_a_bar_is_drawn_and_left_whole(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    progress = RichProgress()
    progress.start(10, "Training")
    progress.step(4, auc=0.8)
    progress.finish()  # stopped early
    assert "Training" in terminal.getvalue()
    assert "auc 0.8000" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_silence(capsys):
    progress = SilentProgress()
    progress.start(3, "x")
    progress.step(1, loss=2.0)
    progress.finish()
    assert capsys.readouterr() == ("", "")


def test_a_progress_that_is_given_is_itself():
    given = SilentProgress()
    assert make_progress(given) is given
