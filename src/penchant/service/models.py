"""The models that are served: loaded and checked beside the one in use, then switched to in one step.

    folder/                     ServiceSettings.models
    ├── a.penchant/  b.penchant/
    └── .serving.json           which of them is served: every worker follows it, and so does a restart

A request keeps the model it began with. Whatever fails while a model is loaded leaves the one in use as it is.
"""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from penchant._config import build, plain
from penchant.dynamics.events import EventStore
from penchant.errors import ConfigError, StorageError
from penchant.estimator import Penchant
from penchant.estimator.fitted import Fitted
from penchant.estimator.moving import Following
from penchant.service._json import dump
from penchant.storage import read_manifest, version_of, write_atomic

__all__ = ["Arm", "Loaded", "ModelRegistry", "Plan", "Serving", "load"]

Arm = Literal["first", "second"]

_PLAN = ".serving.json"
_KEPT = 10
"""Models that can be gone back to."""


@dataclass(frozen=True)
class Loaded:
    """A model in memory, checked and warm."""

    name: str
    """The directory's name."""
    version: str
    """Twelve digits of the SHA-256 of its manifest: other files, another version."""
    model: Penchant
    """The model itself."""
    path: Path
    """Where its directory is."""
    since: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    """When it was loaded."""

    @cached_property
    def fitted(self) -> Fitted:
        """All that it learned."""
        return self.model._check_fitted()

    @cached_property
    def pieces(self) -> list[str]:
        """What an answer says of each known item, row by row: as JSON without its braces, id, and name where there is
        one."""
        known, name = self.fitted.known["item"], self.fitted.name_column("item")
        ids = known.vocabulary.ids.to_list()
        if name is None or name not in known.frame.columns:
            return [f'"item":{_text(one)}' for one in ids]
        names = known.frame[name].to_list()
        return [f'"item":{_text(one)},"name":{_text(said)}' for one, said in zip(ids, names, strict=True)]

    def following(self, store: EventStore) -> Following:
        """The model with its users as a store's events move them."""
        follower = self.fitted.follower
        if not isinstance(follower, Following) or follower.store is not store:
            self.model.follow(store)
            follower = self.fitted.follower
        assert isinstance(follower, Following)
        return follower

    def told(self) -> dict[str, Any]:
        """What the API says of it."""
        fitted = self.fitted
        return {
            "name": self.name,
            "version": self.version,
            "loaded": self.since,
            "users": len(fitted.known["user"].frame),
            "items": len(fitted.known["item"].frame),
            "threshold": fitted.calibration.threshold,
            "space": plain(fitted.model.space),
            "context": [one.name for one in fitted.schema.side("context")],
        }


def _text(value: Any) -> str:
    return dump(value).decode()


def load(path: Path, *, device: str = "cpu") -> Loaded:
    """Read a model directory, hold every file against its checksum, and ask it once so that it is warm.

    Raises: StorageError: no model, an altered one, of a later version, or one that changed while it was read.
    """
    try:
        before = read_manifest(path)
        model = Penchant.load(path, device=device)
        changed = read_manifest(path) != before
    except OSError as error:  # a file that was there a moment ago
        raise StorageError(f"{path} cannot be read ({error.strerror}): load it again") from error
    if changed:
        raise StorageError(f"{path} changed while it was read: load it again")
    loaded = Loaded(path.name, version_of(before), model, path)
    _warm(loaded)
    return loaded


def _warm(loaded: Loaded) -> None:
    """Ask each kind of question once, of the first user there is."""
    fitted = loaded.fitted
    assert isinstance(loaded.pieces, list)
    fitted.prepare()
    if len(fitted.known["user"].frame) and len(fitted.known["item"].frame):
        loaded.model.recommend({}, n=1)
        loaded.model.portrait(fitted.known["user"].vocabulary.ids[0], examples=1, details=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which models are to be served, by name: what the folder's file holds."""

    first: str = ""
    """The model."""
    version: str = ""
    """Of its files."""
    second: str | None = None
    """The one beside it."""
    second_version: str | None = None
    """Of its files."""
    share: float = 0.0
    """The share of users whom the second answers."""
    shadow: bool = False
    """Is the second compared only?"""
    before: tuple[str, ...] = ()
    """Earlier ones, the latest last."""


@dataclass(frozen=True, slots=True)
class Serving:
    """The models in use; never changed, only replaced."""

    first: Loaded
    second: Loaded | None = None
    share: float = 0.0
    shadow: bool = False
    before: tuple[str, ...] = ()

    def arm_of(self, who: str) -> Arm:
        """Who answers: the same arm for the same user, on every worker and after every restart."""
        if self.second is None or self.shadow or not self.share:
            return "first"
        digest = hashlib.blake2b(who.encode("utf-8", "replace"), digest_size=8, person=b"penchant-arm").digest()
        return "second" if int.from_bytes(digest, "big") < self.share * 2**64 else "first"

    def of(self, arm: Arm) -> Loaded:
        """The model of an arm."""
        return self.second if arm == "second" and self.second is not None else self.first


class ModelRegistry:
    """What is served, and the ways to change it. Changes take turns; readers never wait.

    Arguments:
        first: where the model is.
        second, share, shadow: see `penchant.service.settings.ServiceSettings`.
        folder: of the models that may be switched to.
        prepare: called with each model before it is served.
        changed: called with what is served, after each change.
        loading: entered while what is served is about to change.

    Raises: StorageError, ConfigError: as of `load`.
    """

    def __init__(
        self,
        first: Path,
        *,
        second: Path | None = None,
        share: float = 0.0,
        shadow: bool = False,
        folder: Path | None = None,
        prepare: Callable[[Loaded], None] = lambda loaded: None,
        changed: Callable[[Serving], None] = lambda serving: None,
        loading: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._folder, self._prepare, self._changed, self._loading = folder, prepare, changed, loading
        self._lock = threading.Lock()
        self._replaced: Loaded | None = None
        self._seen = self._stamp()
        plan = self._plan()
        if plan is None:
            beside = None if second is None else self._load(second)
            self.serving = Serving(self._load(first), beside, share, shadow)
        else:
            self.serving = self._planned(plan, first)
        changed(self.serving)

    @property
    def names(self) -> list[str]:
        """The models of the folder."""
        if self._folder is None:
            return []
        try:
            inside = [one for one in self._folder.iterdir() if not one.name.startswith(".")]
        except OSError as error:
            raise StorageError(f"{self._folder} cannot be read ({error.strerror})") from error
        return sorted(one.name for one in inside if (one / "manifest.json").is_file())

    def switch(
        self, name: str, *, arm: Arm = "first", share: float | None = None, shadow: bool | None = None
    ) -> Serving:
        """Load a model of the folder and serve it.

        Raises: ConfigError: no folder, no such name. StorageError: as of `load`; what was served still is.
        """
        with self._lock, self._loading():
            now, loaded = self.serving, self._load(self._place(name))
            if arm == "first":
                chosen = replace(now, first=loaded, before=(*now.before, now.first.name)[-_KEPT:])
            else:
                chosen = replace(
                    now,
                    second=loaded,
                    share=now.share if share is None else share,
                    shadow=now.shadow if shadow is None else shadow,
                )
            return self._put(chosen)

    def roll_back(self) -> Serving:
        """Serve the model that was served before.

        Raises: ConfigError: there is none.
        """
        with self._lock, self._loading():
            now = self.serving
            if not now.before:
                raise ConfigError("there is no earlier model to go back to")
            name, kept = now.before[-1], self._replaced
            first = kept if kept is not None and kept.name == name else self._load(self._place(name))
            return self._put(replace(now, first=first, before=now.before[:-1]))

    def follow(self) -> bool:
        """Do as the folder's file says, where another worker changed it; was there anything to do?

        Raises: PenchantError: it cannot be done; what was served still is.
        """
        stamp = self._stamp()
        if stamp is None or stamp == self._seen:
            return False
        with self._lock:
            self._seen = stamp
            plan = self._plan()
            if plan is None or plan == _plan_of(self.serving):
                return False
            with self._loading():
                self.serving = self._carried_out(plan, self.serving)
                self._changed(self.serving)
            return True

    def _put(self, chosen: Serving) -> Serving:
        if self._folder is not None:
            write_atomic(self._folder / _PLAN, json.dumps(plain(_plan_of(chosen))).encode())
            self._seen = self._stamp()
        if chosen.first is not self.serving.first:
            self._replaced = self.serving.first  # so that going back takes no time
        self.serving = chosen
        self._changed(chosen)
        return chosen

    def _load(self, path: Path) -> Loaded:
        loaded = load(path)
        self._prepare(loaded)
        return loaded

    def _place(self, name: str) -> Path:
        """The directory of a name, which is one that the folder lists and so no path."""
        if self._folder is None:
            raise ConfigError("no models folder is configured: start the service with --models")
        if name not in self.names:
            raise ConfigError(f"there is no model {name!r} in the models folder: one of {self.names} expected")
        return self._folder / name

    def _stamp(self) -> tuple[int, int] | None:
        if self._folder is None:
            return None
        try:
            found = os.stat(self._folder / _PLAN)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _plan(self) -> Plan | None:
        if self._folder is None or self._stamp() is None:
            return None
        try:
            values: Mapping[str, Any] = json.loads((self._folder / _PLAN).read_bytes())
            return build(Plan, values, _PLAN)
        except (OSError, ValueError, TypeError) as error:
            raise StorageError(f"{self._folder / _PLAN} cannot be read ({error}): mend it or remove it") from error

    def _planned(self, plan: Plan, first: Path) -> Serving:
        """What the folder's file names, at the start; a first model that lies outside the folder is the one given."""
        if plan.first == first.name and plan.first not in self.names:
            second = None if plan.second is None else self._load(self._place(plan.second))
            return Serving(self._load(first), second, plan.share, plan.shadow, plan.before)
        return self._carried_out(plan, None)

    def _carried_out(self, plan: Plan, now: Serving | None) -> Serving:
        """The models of a plan; those in memory are taken from there, unless their files have changed."""
        have = [] if now is None else [one for one in (now.first, now.second, self._replaced) if one is not None]

        def found(name: str, version: str | None) -> Loaded:
            same = [one for one in have if (one.name, one.version) == (name, version)]
            return same[0] if same else self._load(self._place(name))

        second = None if plan.second is None else found(plan.second, plan.second_version)
        return Serving(found(plan.first, plan.version), second, plan.share, plan.shadow, plan.before)


def _plan_of(serving: Serving) -> Plan:
    second = serving.second
    return Plan(
        first=serving.first.name,
        version=serving.first.version,
        second=None if second is None else second.name,
        second_version=None if second is None else second.version,
        share=serving.share,
        shadow=serving.shadow,
        before=serving.before,
    )
