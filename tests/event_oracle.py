"""A store of events as a plain list: what every store is held against."""

from penchant.dynamics.events import Apply, Event, Id, State


class Plain:
    """Nothing clever: the log, what was folded away, and states folded anew each time they are asked for."""

    def __init__(self) -> None:
        self.log: list[Event] = []
        self.folded: list[Event] = []
        self.horizon = float("-inf")

    def append(self, batch: list[Event]) -> tuple[int, list[str], list[str]] | None:
        """How many are new; the ids that were there, and those with other content. None: refused, too old."""
        known = {event.id: event for event in self.log}
        fresh, duplicates, conflicts = [], [], []
        for event in batch:
            if event.id not in known:
                known[event.id] = event
                fresh.append(event)
            else:
                (duplicates if known[event.id] == event else conflicts).append(event.id)
        if any(event.time < self.horizon for event in fresh):
            return None
        self.log += fresh
        return len(fresh), duplicates, conflicts

    def compact(self, before: float) -> int:
        """Events before a time leave the log, and still count."""
        old = sorted((event for event in self.log if event.time < before), key=lambda event: event.time)
        self.folded += old
        self._keep_from(before)
        return len(old)

    def purge(self, before: float) -> int:
        """Events before a time leave the log, and what was folded by then: of a user all or nothing."""
        latest = {(type(event.user), event.user): event.time for event in self.folded}
        self.folded = [event for event in self.folded if latest[type(event.user), event.user] >= before]
        count = len(self.log)
        self._keep_from(before)
        return count - len(self.log)

    def _keep_from(self, before: float) -> None:
        self.log = [event for event in self.log if event.time >= before]
        self.horizon = max(self.horizon, before)

    def forget(self, user: Id) -> None:
        """Without a mark."""
        self.log = [event for event in self.log if not _of(event, user)]
        self.folded = [event for event in self.folded if not _of(event, user)]

    def states(self, users: list[Id], apply: Apply) -> dict[Id, State]:
        """What was folded, then by time, equal times by their order in the log."""
        found = {}
        for user in users:
            own = [event for event in self.folded if _of(event, user)]
            own += sorted((event for event in self.log if _of(event, user)), key=lambda event: event.time)
            if own:
                found[user] = State(apply.step(user, None, own), len(own), own[-1].time)
        return found


def _of(event: Event, user: Id) -> bool:
    return (type(event.user), event.user) == (type(user), user)
