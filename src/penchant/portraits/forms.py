"""The JSON forms of answers: what machines read. `Shown.to_dict` gives them, `Shown.json_schema` their JSON Schema."""

from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

__all__ = ["ExplanationForm", "GroupPortraitForm", "InterestForm", "PortraitForm", "VerdictForm", "WhatIfForm"]

Side = Literal["item", "user"]


class RadiusForm(TypedDict):
    """See `Radius`."""

    distance: float
    meaning: Literal["probability", "core", "distance"]
    probability: float
    inside: float
    clipped: bool
    words: str


class CoordinateForm(TypedDict):
    """A row of `Portrait.features`."""

    feature: str
    value: str
    share: float
    low: float
    high: float
    population: float
    difference: float
    lift: float | None


class LikelyForm(TypedDict):
    """A row of `Portrait.likely`."""

    feature: str
    level: float
    open: bool
    said: str


class TermForm(TypedDict):
    """A row of `Portrait.terms`."""

    feature: str
    term: str
    weight: float
    population: float
    difference: float
    lift: float


class ModeForm(TypedDict):
    """A row of `Details.modes`."""

    name: str
    share: float
    typical: dict[str, str]
    nearest: list[str]


class DetailsForm(TypedDict):
    """See `Details`."""

    distribution: list[dict[str, Any]]
    modes: list[ModeForm]
    invented: list[dict[str, Any]]
    source: Literal["prior", "ball"]
    returned: float
    effective: float
    notes: list[str]


class PortraitForm(TypedDict):
    """See `Portrait`."""

    subject: str
    side: Side
    says: list[str]
    typical: dict[str, str]
    population: dict[str, str]
    features: list[CoordinateForm]
    examples: list[dict[str, Any]]
    ball: RadiusForm
    likely: list[LikelyForm]
    terms: list[TermForm]
    sure: str
    details: DetailsForm | None
    notes: list[str]


class PartForm(TypedDict):
    """See `Part`."""

    members: list[Any]
    reach: float
    left: float
    tells: list[str]


class GroupPortraitForm(TypedDict):
    """See `GroupPortrait`."""

    name: str
    size: int
    verdict: Literal["common taste", "no common taste", "none found"]
    says: list[str]
    radius: float
    reach: float
    left: float
    served: float
    portrait: PortraitForm
    parts: list[PartForm]
    notes: list[str]


class ExampleForm(TypedDict):
    """See `Example`."""

    words: dict[str, str]
    values: dict[str, Any]
    distance: float
    probability: float


class VerdictForm(TypedDict):
    """See `Verdict`."""

    user: str
    item: str
    fixed: dict[str, str]
    free: dict[str, str]
    decision: Literal["liked", "not liked", "open"]
    proved: bool
    says: str
    threshold: float
    lower: float
    upper: float
    nearest: ExampleForm
    farthest: ExampleForm
    pieces: int
    notes: list[str]


class CounterfactualForm(TypedDict):
    """See `Counterfactual`."""

    changes: dict[str, dict[str, Any]]
    words: list[str]
    distance: float
    probability: float
    liked: bool
    size: int
    cost: float
    fewest: bool


class SearchForm(TypedDict):
    """See `Search`."""

    fields: list[str]
    max_changes: int
    nearest: float
    evaluations: int
    proved: bool


class ExplanationForm(TypedDict):
    """See `Explanation`."""

    user: str
    item: str
    liked: bool
    distance: float
    threshold: float
    probability: float
    axes: list[dict[str, Any]]
    effects: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    history: list[dict[str, Any]]
    counterfactual: CounterfactualForm | None
    search: SearchForm
    notes: list[str]


class MovedForm(TypedDict):
    """A row of `WhatIf.features`."""

    feature: str
    value: str
    before: float
    after: float
    change: float


class WhatIfForm(TypedDict):
    """See `WhatIf`."""

    subject: str
    changes: dict[str, dict[str, Any]]
    says: list[str]
    before: PortraitForm
    after: PortraitForm
    moved: float
    features: list[MovedForm]
    top: list[dict[str, Any]]
    core: float
    kept: float


class TrackedForm(TypedDict):
    """A row of `Interest.interests`."""

    weight: float
    likes: float
    radius: float
    nearest: list[str]


class InterestForm(TypedDict):
    """See `Interest`."""

    subject: str
    says: list[str]
    point: list[float]
    radius: float
    moved: float
    events: int
    interests: list[TrackedForm]
    features: list[MovedForm]
    trajectory: list[dict[str, Any]]
    notes: list[str]
