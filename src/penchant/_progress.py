"""Telling people how far long work is: a bar with the time left, plain lines, or nothing."""

import sys
import time
from typing import Protocol, TextIO, runtime_checkable

__all__ = ["PlainProgress", "Progress", "RichProgress", "SilentProgress", "make_progress"]

_EVERY = 5.0
"""Seconds between two plain lines."""


@runtime_checkable
class Progress(Protocol):
    """What long work tells: `start`, any number of `step`, `finish`."""

    def start(self, total: int, title: str) -> None:
        """Work of ``total`` steps begins."""

    def step(self, n: int = 1, **figures: float) -> None:
        """``n`` steps are done; figures such as a loss are shown beside them."""

    def finish(self) -> None:
        """The work is over, whether or not all steps were needed."""


class SilentProgress:
    """Says nothing."""

    def start(self, total: int, title: str) -> None:
        """Nothing."""

    def step(self, n: int = 1, **figures: float) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


class PlainProgress:
    """A line now and then, for logs: done, time left, figures."""

    def __init__(self, stream: TextIO | None = None, every: float = _EVERY) -> None:
        self.stream, self.every = stream or sys.stderr, every
        self.total, self.done, self.title = 0, 0, ""
        self.figures: dict[str, float] = {}
        self.began = self.said = 0.0

    def start(self, total: int, title: str) -> None:
        """Work of ``total`` steps begins."""
        self.total, self.done, self.title, self.figures = total, 0, title, {}
        self.began = self.said = time.monotonic()

    def step(self, n: int = 1, **figures: float) -> None:
        """``n`` steps are done."""
        self.done += n
        self.figures |= figures
        now = time.monotonic()
        if now - self.said >= self.every:
            self.said = now
            self._say(f"{_left(self.done, self.total, now - self.began)} left")

    def finish(self) -> None:
        """A last line, with the time it took."""
        self._say(f"done in {time.monotonic() - self.began:.0f} s")

    def _say(self, what: str) -> None:
        share = self.done / self.total if self.total else 1.0
        shown = "".join(f", {name} {value:.4f}" for name, value in self.figures.items())
        print(f"{self.title}: {share:.0%}, {what}{shown}", file=self.stream, flush=True)


def _left(done: int, total: int, seconds: float) -> str:
    if not done:
        return "unknown time"
    return f"about {seconds * (total - done) / done:.0f} s"


class RichProgress:
    """A bar with the time left."""

    def start(self, total: int, title: str) -> None:
        """Draw the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
        times = (
            TimeElapsedColumn(),
            TextColumn("· left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
        )
        self.bar = Bar(*columns, *times, console=Console(stderr=True))
        self.figures: dict[str, float] = {}
        self.task = self.bar.add_task(title, total=total, figures="")
        self.bar.start()

    def step(self, n: int = 1, **figures: float) -> None:
        """Move the bar."""
        self.figures |= figures
        shown = "  ".join(f"{name} {value:.4f}" for name, value in self.figures.items())
        self.bar.update(self.task, advance=n, figures=shown)

    def finish(self) -> None:
        """Leave the bar as it is; work that ended early counts as whole."""
        self.bar.update(self.task, total=self.bar.tasks[0].completed or 1)
        self.bar.stop()


def make_progress(show: bool | Progress | None) -> Progress:
    """False: silence. On a terminal a bar; elsewhere plain lines if True, silence if None. A `Progress` is itself."""
    if show is not None and not isinstance(show, bool):
        return show
    if show is False:
        return SilentProgress()
    if sys.stderr.isatty():
        return RichProgress()
    return PlainProgress() if show else SilentProgress()
