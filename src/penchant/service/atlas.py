"""The maps of the models that are served: each is drawn once, by a process of low priority, and kept on disk.

    folder/
    ├── <version>.map/          as `penchant map MODEL --save` writes it: there whole, or not
    ├── <version>.held          held by the worker that has it drawn; others wait
    └── <version>.done          how far it is, in percent

A drawing ends with the service. A worker that is killed leaves its child drawing, which holds the file till it is done.
"""

import contextlib
import gzip
import hashlib
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from penchant.errors import ConfigError, PenchantError, SpaceError, StorageError
from penchant.estimator.mapping import Located, locate
from penchant.maps import InterestMap, check_method
from penchant.service._holding import held
from penchant.service.models import Loaded
from penchant.service.problems import Refused
from penchant.service.settings import ServiceSettings
from penchant.storage import read_manifest
from penchant.tables.sources import cache_folder

__all__ = ["Atlas", "Drawn", "maps_folder"]

_LOOK_S = 0.25
"""Seconds between two looks at what another worker draws."""
_AGAIN_S = 60.0
"""After a failure, another try is made no sooner."""
_RETRY_S = 2
_KEPT_ON_DISK = 20
_KEPT = 3
"""Versions whose maps are kept in memory."""
_LEAST = 19
"""The lowest priority there is."""
_PERCENT = re.compile(r": (\d{1,3})%")
_KIND = "penchant-map"

_log = logging.getLogger("penchant.service")


@dataclass(frozen=True)
class Drawn:
    """A map that is there."""

    picture: InterestMap
    """The map."""
    loaded: Loaded
    """The model that it is of."""
    packed: bytes
    """Its JSON form, gzip."""
    located: Located
    """Where those on it lie in the space."""

    @cached_property
    def etag(self) -> str:
        """Names this content."""
        return f'"{hashlib.sha256(self.packed).hexdigest()[:16]}"'


class _Work:
    """What brings a map into memory."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.drawn: Drawn | None = None
        self.error: Exception | None = None
        self.percent, self.began, self.ended = 0, time.monotonic(), 0.0

    @property
    def stale(self) -> bool:
        """Did it fail so long ago that another try may help?"""
        return self.error is not None and time.monotonic() - self.ended > _AGAIN_S


def maps_folder(settings: ServiceSettings) -> Path:
    """Where maps are kept."""
    if settings.maps is not None:
        return Path(settings.maps)
    return cache_folder() / "maps" if settings.models is None else Path(settings.models) / ".maps"


class Atlas:
    """The maps of one process.

    Arguments:
        folder: where they are kept; it is made when the first is drawn.
        method: how they are laid out.
    """

    def __init__(self, folder: Path, *, method: str = "tsne") -> None:
        self.folder, self.method = folder, method
        self._lock = threading.Lock()
        self._work: dict[str, _Work] = {}
        self._child: subprocess.Popen[str] | None = None
        self._ended = False

    def path(self, version: str) -> Path:
        """Where the map of a model's version is."""
        return self.folder / f"{version}.map"

    def find(self, loaded: Loaded, wait_s: float = 0.0) -> Drawn:
        """The map of a model; where there is none yet, it is begun.

        Arguments:
            wait_s: how long to wait for it at most, from when it was begun.

        Raises:
            Refused: 503 with Retry-After and progress (in [0, 1]), it is being drawn; 501, it cannot be drawn here;
                500, drawing failed.
        """
        with self._lock:
            work = self._work.get(loaded.version)
            if work is None or work.stale:
                self._check(loaded)
                work = self._work[loaded.version] = _Work()
                for old in list(self._work)[:-_KEPT]:
                    del self._work[old]
                threading.Thread(target=self._bring, args=(loaded, work), daemon=True, name="penchant-map").start()
        work.over.wait(max(0.0, wait_s + work.began - time.monotonic()))
        if work.drawn is not None:
            return work.drawn
        if work.error is not None:
            raise Refused(500, "The map could not be drawn; why is in the service's log.")
        raise Refused(
            503,
            f"The map is being drawn: {work.percent} %. Ask again a little later.",
            headers={"retry-after": str(_RETRY_S)},
            more={"progress": work.percent / 100},
        )

    def close(self) -> None:
        """End what is being drawn."""
        self._ended = True
        with self._lock:
            child = self._child
        if child is not None:
            child.terminate()

    def _check(self, loaded: Loaded) -> None:
        """Refuse at once what cannot be drawn here."""
        if self.path(loaded.version).exists():
            return
        try:
            check_method(self.method)
            loaded.fitted.model.space.require_metric("map")
        except (ConfigError, SpaceError) as error:
            raise Refused(501, f"This service cannot draw a map: {error}") from error

    def _bring(self, loaded: Loaded, work: _Work) -> None:
        """Load the map, once it is there: drawn before, by another worker, or now."""
        try:
            drawn = False
            while not self._loaded(loaded, work) and not self._ended:
                if drawn:
                    raise StorageError(f"what was drawn is of no use: has {loaded.path} changed since it was loaded?")
                drawn = self._draw(loaded, work)
                if not drawn:
                    work.percent = self._told(loaded.version)
                    time.sleep(_LOOK_S)
        except (PenchantError, OSError, ValueError) as error:
            if not self._ended:
                _log.exception("the map of %s cannot be drawn", loaded.name)
            work.error, work.ended = error, time.monotonic()
        finally:
            work.over.set()

    def _loaded(self, loaded: Loaded, work: _Work) -> bool:
        path = self.path(loaded.version)
        if not path.exists():
            return False
        try:
            picture = InterestMap.load(path)
            if picture.model != loaded.version:
                raise StorageError(f"it is of version {picture.model}")
            packed = gzip.compress(picture.to_json().encode(), 6, mtime=0)
            drawn = Drawn(picture, loaded, packed, locate(loaded.fitted, picture))
        except PenchantError as error:
            _log.error("the map in %s is of no use, another is drawn: %s", path, error)
            shutil.rmtree(path, ignore_errors=True)
            return False
        work.drawn = drawn
        return True

    def _draw(self, loaded: Loaded, work: _Work) -> bool:
        """Have it drawn, unless another process does; was it ours to do?

        Raises: StorageError: it failed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(loaded.version)
        with held(path.with_suffix(".held")) as own:
            if own is None:
                return False
            if not path.exists():
                self._run(loaded, work, own)
                for one in (".held", ".done"):
                    path.with_suffix(one).unlink(missing_ok=True)
                self._tidy()
            return True

    def _run(self, loaded: Loaded, work: _Work, own: int) -> None:
        path = self.path(loaded.version)
        command = [sys.executable, "-m", "penchant", "map", str(loaded.path), "--save", str(path)]
        options: dict[str, Any] = {"env": {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}}
        if sys.platform == "win32":
            options["creationflags"] = subprocess.BELOW_NORMAL_PRIORITY_CLASS
        else:
            options |= {"pass_fds": (own,), "start_new_session": True}
        with self._lock:
            if self._ended:
                return
            self._child = child = subprocess.Popen(
                [*command, "--method", self.method, "--rng", "0"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace", **options,
            )  # fmt: skip
        if sys.platform != "win32":
            with contextlib.suppress(OSError):  # it has ended already
                os.setpriority(os.PRIO_PROCESS, child.pid, _LEAST)
        last = self._listen(child, work, path.with_suffix(".done"))
        with self._lock:
            self._child = None
        if child.returncode and not self._ended:
            raise StorageError(f"drawing ended with {child.returncode}: {last.strip()}")

    def _listen(self, child: "subprocess.Popen[str]", work: _Work, file: Path) -> str:
        """Follow a child to its end; its last line."""
        last = ""
        assert child.stderr is not None
        with child:
            for line in child.stderr:
                last = line.strip() or last
                found = _PERCENT.search(line)
                if found:
                    work.percent = min(99, int(found[1]))
                    with contextlib.suppress(OSError):
                        file.write_text(str(work.percent))
        return last

    def _told(self, version: str) -> int:
        """How far another worker says it is."""
        try:
            return min(99, int(self.path(version).with_suffix(".done").read_text()))
        except (OSError, ValueError):
            return 0

    def _tidy(self) -> None:
        """Remove the oldest maps, where there are many."""
        found = sorted(self.folder.glob("*.map"), key=lambda one: one.stat().st_mtime)
        for one in found[:-_KEPT_ON_DISK]:
            with contextlib.suppress(StorageError):
                read_manifest(one, _KIND)
                shutil.rmtree(one, ignore_errors=True)
