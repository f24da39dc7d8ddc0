"""What is asked, and how answers look: the messages of the API, each with an example."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictInt, StringConstraints

__all__ = [
    "AudienceQuestion",
    "EventBatch",
    "ExplainQuestion",
    "GroupQuestion",
    "LoadOrder",
    "PlaceQuestion",
    "PortraitQuestion",
    "PredictQuestion",
    "Predicted",
    "Problem",
    "RecommendQuestion",
    "Recommended",
    "Related",
    "RelatedQuestion",
    "Taken",
]

Id = Annotated[str, StringConstraints(min_length=1, max_length=512, strict=True)] | StrictInt
"""Of a user or an item, as in the tables."""
Features = Annotated[Mapping[str, Any], Field(max_length=500)]
"""Of one who is in no table: column to value; what is left out is missing."""
Who = Id | Features
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Count = Annotated[StrictInt, Field(ge=1)]

_ROW: dict[str, JsonValue] = {"age": 24, "role": "support"}


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=False)


class Pair(_Message):
    """A user and an item, each by id or as features."""

    user: Who
    item: Who


class PredictQuestion(_Message):
    """Would these users like these items?"""

    model_config = ConfigDict(json_schema_extra={"examples": [{"pairs": [{"user": "u17", "item": "a9"}]}]})

    pairs: list[Pair] = Field(min_length=1, description="At most so many as the service's rows_limit.")
    context: Features | None = Field(default=None, description="The situation: context columns, for all pairs.")


class RecommendQuestion(_Message):
    """What should this user be shown?"""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"user": "u17", "n": 20, "where": "lang = 'zh'"},
                {"user": _ROW, "n": 5, "inside_only": True, "diversity": 0.3},
            ]
        }
    )

    user: Who
    n: Count = Field(default=10, description="How many, at most the service's n_limit.")
    inside_only: bool = Field(default=False, description="Only items of the user's ball: those that would be liked.")
    where: str | None = Field(
        default=None, max_length=2000, description="A condition on the item table, in a small part of SQL."
    )
    exclude_seen: bool = Field(default=True, description="Leave out what the user met in the training rows.")
    candidates: list[Id] | None = Field(default=None, min_length=1, description="Ids to choose from; null: all items.")
    diversity: Number = Field(default=0.0, ge=0, le=1, description="0: the nearest; towards 1: ever less alike.")
    context: Features | None = Field(default=None, description="The situation: context columns.")


class _Read(_Message):
    examples: StrictInt = Field(default=5, ge=0, description="How many real and made-up ones are shown.")
    probability: Number | None = Field(default=None, gt=0, lt=1, description="The ball's reach by P(liked).")
    core: Number | None = Field(default=None, gt=0, le=1, description="The ball's reach by a share of the known ones.")
    distance: Number | None = Field(default=None, gt=0, description="The ball's reach by distance.")
    details: bool = Field(default=False, description="Also the distribution, kinds and made-up ones; slower.")
    source: Literal["prior", "ball"] = "prior"
    ranges: bool = Field(default=False, description="Also proved and found ranges of each value; slower.")


class PortraitQuestion(_Read):
    """What does this user like?"""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user": "u17"}, {"user": _ROW, "core": 0.1}]})

    user: Who


class AudienceQuestion(_Read):
    """Whom is this item for?"""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"item": "a9"}, {"item": {"topic": "guides", "length": 600}}]}
    )

    item: Who


class ExplainQuestion(_Message):
    """Why would this user like this item, or not?"""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user": "u17", "item": "a9", "only": ["lang"]}]})

    user: Who
    item: Who
    only: list[Annotated[str, StringConstraints(max_length=512)]] | None = Field(
        default=None, max_length=500, description="Columns of the item that may change; null: all but ids."
    )
    max_changes: StrictInt = Field(default=3, ge=1, le=5, description="How many of them together.")


class PlaceQuestion(_Message):
    """Where on the map is a user or an item, known or not? Exactly one of the two is given."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user": "u17"}, {"item": {"topic": "guides"}}]})

    user: Who | None = None
    item: Who | None = None


class GroupQuestion(_Message):
    """What have these in common? Members, or a condition: exactly one of the two is given."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"members": ["u17", "u4"]}, {"side": "user", "where": "age > 40"}]}
    )

    side: Literal["user", "item"] = "user"
    members: list[Id] | None = Field(
        default=None, min_length=1, description="Ids, at most so many as the service's rows_limit."
    )
    where: str | None = Field(
        default=None, max_length=2000, description="A condition on the table of the side, in a small part of SQL."
    )
    probability: Number = Field(default=0.5, gt=0, lt=1, description="A member likes what is liked as surely as this.")
    examples: StrictInt = Field(default=5, ge=0, description="How many are shown that the most members would like.")


class RelatedQuestion(_Message):
    """Who or what is near to a user or an item? Exactly one of the two is given."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"item": "a9", "to": "item", "n": 10}]})

    user: Who | None = None
    item: Who | None = None
    to: Literal["user", "item"] = "item"
    n: Count = 10


class GivenEvent(_Message):
    """A user liked, disliked or passed over an item."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=256)] = Field(
        description="Given by whoever saw it happen: sent again, it has no second effect."
    )
    user: Id
    item: Id
    label: Literal[0, 1] = Field(description="1: liked.")
    time: Number = Field(description="When it happened: seconds since 1970, UTC.")
    kind: Literal["like", "dislike", "impression"] | None = None
    weight: Number | None = Field(default=None, gt=0)
    context: Features | None = None


class EventBatch(_Message):
    """Events, at most so many as the service's rows_limit."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"events": [{"id": "e1", "user": "u17", "item": "a9", "label": 1, "time": 1767225600.0}]}]
        }
    )

    events: list[GivenEvent] = Field(min_length=1)


class LoadOrder(_Message):
    """Switch to a model of the models folder."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "articles-2.penchant"}]})

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(description="The folder's name.")
    arm: Literal["first", "second"] = Field(default="first", description="The model, or the one beside it.")
    share: Number | None = Field(default=None, ge=0, le=1, description="second: its share of the users.")
    shadow: bool | None = Field(default=None, description="second: asked and compared, not given.")


# ---------------------------------------------------------------------- answers


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow")


class Served(_Answer):
    """Which model answered."""

    version: str = Field(description="Of the model: from the checksums of its files.")
    arm: Literal["first", "second"]


class Prediction(_Answer):
    """One pair."""

    liked: bool
    probability: float
    distance: float


class Predicted(_Answer):
    """One prediction a pair, in order."""

    predictions: list[Prediction]
    model: Served


class Found(_Answer):
    """One item of a list."""

    rank: int
    item: str | int
    name: Any = Field(default=None, description="Where the schema has a display column.")
    score: float = Field(description="P(liked).")
    distance: float
    inside: bool


class Recommended(_Answer):
    """The items, best first; with diversity in the order in which they were chosen."""

    items: list[Found]
    model: Served


class Near(_Answer):
    """One who is near."""

    id: str | int
    name: Any = None
    distance: float
    probability: float | None = Field(default=None, description="Of a like, between a user and an item.")


class Related(_Answer):
    """Who is near, the nearest first."""

    related: list[Near]
    model: Served


class Taken(_Answer):
    """What became of events; all of them are kept."""

    accepted: int
    duplicates: list[str] = Field(description="Ids that were there already, with the same content.")
    conflicts: list[str] = Field(description="Ids that were there already with other content: without effect.")


class FieldProblem(_Answer):
    """One field that is wrong."""

    field: str = Field(description="JSON pointer into the body.")
    message: str


class Problem(_Answer):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldProblem] = []
