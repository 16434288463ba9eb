"""The application: routes, errors, lifespan."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.security import APIKeyHeader, HTTPBearer
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

import sameface
from sameface.errors import MethodError, NothingHereError, RequestError, SamefaceError
from sameface.recognizer.wire import Problem
from sameface.service.desk import Desk, open_desk
from sameface.service.forwarded import Forwarded
from sameface.service.intake import malformed
from sameface.service.memory import give_back_now_and_then
from sameface.service.middleware import Doorkeeper
from sameface.service.problem import told
from sameface.service.routes import about, batch, galleries, jobs, liveness, people, photos, rights
from sameface.service.settings import Settings, from_json

PAGE: Final = Path(__file__).with_name("page")
#: Where `sameface serve` leaves the settings for its worker processes, as JSON.
SETTINGS_VARIABLE: Final = "SAMEFACE_SERVE_SETTINGS"

_ABOUT: Final = """
Face verification and recognition. Send photos as multipart file parts, or as base64 text in JSON.

* **1:1** `POST /v1/verify` compares two photos; `POST /v1/galleries/{gallery}/verify` checks a claimed person.
* **1:K** `POST /v1/galleries/{gallery}/identify` names each face, or nobody.

A key goes into `Authorization: Bearer <key>`. Errors are `application/problem+json` with `expected`, `got` and `advice`.
The server's policy sets the threshold; a caller may only be stricter.
"""


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application. Networks are loaded when it starts, not before."""
    desk = open_desk(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        if desk.shelf is None:
            try:
                await asyncio.get_running_loop().run_in_executor(None, desk.load)
            except BaseException:
                desk.close()
                raise
        tasks = [asyncio.create_task(give_back_now_and_then()), asyncio.create_task(_write_key_uses(desk))]
        tasks.append(asyncio.create_task(_expire_now_and_then(desk)))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.get_running_loop().run_in_executor(None, desk.close)

    # Without FastAPI's own pages of documentation: they load scripts from elsewhere.
    app = FastAPI(
        title="sameface",
        version=sameface.__version__,
        description=_ABOUT,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        license_info={"name": "Apache-2.0"},
        redirect_slashes=False,
        routes=_routes(),
    )
    app.state.desk = desk
    _handle_errors(app)
    app.mount("/", StaticFiles(directory=PAGE, html=True), name="page")
    app.add_middleware(Doorkeeper, settings=settings, telemetry=desk.telemetry, tracing=desk.tracing)
    app.add_middleware(Forwarded, proxies=settings.proxies, root_path=settings.root_path)  # before all others
    return app


@cache
def _routes() -> list[BaseRoute]:
    """All operations: the same in every application, made once for those of a process. It takes long: descriptions are read from the source."""
    described: dict[int | str, dict[str, Any]] = {
        "default": {
            "description": "What was expected, what came, what to do.",
            "content": {"application/problem+json": {"schema": TypeAdapter(Problem).json_schema()}},
        }
    }
    keys = [Depends(HTTPBearer(auto_error=False)), Depends(APIKeyHeader(name="X-API-Key", auto_error=False))]
    whole = APIRouter(redirect_slashes=False)
    for router in (
        photos.router,
        liveness.router,
        galleries.router,
        batch.router,
        people.router,
        rights.router,
        jobs.router,
        about.router,
    ):
        whole.include_router(router, prefix="/v1", responses=described, dependencies=keys)
    whole.include_router(about.probes, prefix="/v1", responses=described)
    return whole.routes


async def _write_key_uses(desk: Desk) -> None:
    """Until cancelled: once a minute, in a thread."""
    while desk.key_use is not None:
        await asyncio.sleep(60)
        await asyncio.to_thread(desk.key_use.write)


async def _expire_now_and_then(desk: Desk) -> None:
    """Until cancelled: forget whose time is over, in a thread. Nobody names them before either."""
    while True:
        await asyncio.to_thread(desk.expire)
        await asyncio.sleep(desk.settings.expire_every)


def from_environment() -> FastAPI:
    """The application of a worker process."""
    sys.setswitchinterval(0.001)  # as in `server.run`
    return create_app(from_json(os.environ[SETTINGS_VARIABLE]))


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(SamefaceError)
    async def typed(request: Request, error: SamefaceError) -> Response:
        return told(error, request.scope["state"])

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [(tuple(item["loc"]), str(item["msg"])) for item in error.errors()]
        return told(malformed(faults), request.scope["state"])

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        kinds: dict[int, RequestError] = {
            404: NothingHereError(expected="an address of this service", got="another", advice="see /v1/openapi.json"),
            405: MethodError(
                expected="a method that this address takes", got=request.method, advice="see /v1/openapi.json"
            ),
        }
        fallback = malformed([((), str(error.detail)[:200])])
        answer = told(kinds.get(error.status_code, fallback), request.scope["state"])
        answer.headers.update(error.headers or {})
        if error.status_code == 405:
            answer.headers["Allow"] = ", ".join(sorted(_methods_at(app, request.scope)))
        return answer


def _methods_at(app: FastAPI, scope: Scope) -> set[str]:
    """Every method that an address takes; each route on its own knows its own only."""
    found: set[str] = set()
    for route in app.routes:
        if route.matches(scope)[0] is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return found
