"""Routes that ask the models: /v1/predict, recommend, portrait, audience, explain, related, group; what is served."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from penchant._config import plain
from penchant.service._json import dump
from penchant.service._routing import router
from penchant.service.messages import (
    AudienceQuestion,
    ExplainQuestion,
    GroupQuestion,
    PortraitQuestion,
    Predicted,
    PredictQuestion,
    Recommended,
    RecommendQuestion,
    Related,
    RelatedQuestion,
)
from penchant.service.problems import MEDIA_TYPE, Refused

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["PROBLEMS", "bound", "description_routes", "question_routes", "told"]

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": words, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, words in (
        (400, "No JSON"), (401, "No key, or a wrong one"), (403, "A key without the scope"), (404, "An unknown id"),
        (408, "The body did not come"), (409, "Cannot be done now"), (413, "Too large"), (415, "Another content type"),
        (422, "What does not fit, by field"), (429, "Too often"), (503, "Too much to do"), (504, "Too slow"),
        (507, "No room for events"),
    )
}  # fmt: skip
"""What every route may answer, for the OpenAPI document."""


def question_routes(service: "Service") -> APIRouter:
    """The routes of the scope read."""
    routes = router(service, "read", prefix="/v1", tags=["questions"], responses=PROBLEMS)
    settings = service.settings

    async def answer(kind: str, question: Any, who: Any, request: Request) -> Response:
        state = request.state
        return _json(await service.ask(kind, question, who, state.key, state))

    @routes.post("/predict", response_model=Predicted)
    async def predict(question: PredictQuestion, request: Request) -> Response:
        """Would these users like these items: yes or no, P(liked), distance."""
        bound("/pairs", len(question.pairs), settings.rows_limit)
        return await answer("predict", question, question.pairs[0].user, request)

    @routes.post("/recommend", response_model=Recommended)
    async def recommend(question: RecommendQuestion, request: Request) -> Response:
        """The items nearest to a user, known or given as features; the best first."""
        bound("/n", question.n, settings.n_limit)
        bound("/candidates", len(question.candidates or ()), settings.rows_limit)
        return await answer("recommend", question, question.user, request)

    @routes.post("/portrait", response_model=None)
    async def portrait(question: PortraitQuestion, request: Request) -> Response:
        """What a user would like, with no candidate items: the form of `penchant portrait --json`."""
        bound("/examples", question.examples, settings.n_limit)
        return await answer("read", question, question.user, request)

    @routes.post("/audience", response_model=None)
    async def audience(question: AudienceQuestion, request: Request) -> Response:
        """Whom an item is for, published or not."""
        bound("/examples", question.examples, settings.n_limit)
        return await answer("read", question, question.item, request)

    @routes.post("/explain", response_model=None)
    async def explain(question: ExplainQuestion, request: Request) -> Response:
        """Why a user would like an item or not, and the least change that turns the decision."""
        return await answer("explain", question, question.user, request)

    @routes.post("/group", response_model=None)
    async def group(question: GroupQuestion, request: Request) -> Response:
        """What several have in common, or what divides them: the form of `penchant group --json`."""
        bound("/members", len(question.members or ()), settings.rows_limit)
        bound("/examples", question.examples, settings.n_limit)
        return await answer("group", question, question.where, request)

    @routes.post("/related", response_model=Related)
    async def related(question: RelatedQuestion, request: Request) -> Response:
        """Users or items near to a user or an item."""
        bound("/n", question.n, settings.n_limit)
        return await answer("related", question, question.item if question.user is None else question.user, request)

    return routes


def description_routes(service: "Service") -> APIRouter:
    """The routes that tell what is served, and how to ask; scope read."""
    routes = router(service, "read", prefix="/v1", tags=["description"], responses=PROBLEMS)

    @routes.get("/schema", response_model=None)
    async def schema() -> Response:
        """The columns that rows of features may have."""
        fitted = service.models.serving.first.fitted
        columns = {side: [plain(one) for one in fitted.schema.side(side)] for side in ("user", "item", "context")}
        return _json(dump(columns))

    @routes.get("/openapi.json", response_model=None)
    async def document(request: Request) -> Response:
        """This description, for machines."""
        return _json(dump(request.app.openapi()))

    @routes.get("/model", response_model=None)
    async def model() -> Response:
        """Which models are served."""
        return _json(dump(told(service)))

    return routes


def told(service: "Service") -> dict[str, Any]:
    """What is served, and how users are shared out."""
    serving = service.models.serving
    second = None if serving.second is None else serving.second.told()
    return {"first": serving.first.told(), "second": second, "share": serving.share, "shadow": serving.shadow}


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


def bound(field: str, value: int, limit: int) -> None:
    """Refuse more than the service allows in one request, by the field."""
    if value > limit:
        message = f"at most {limit} expected, got {value}"
        raise Refused(422, f"{field}: {message}.", errors=[{"field": field, "message": message}])
