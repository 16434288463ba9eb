"""The OpenAPI document against the program: requests made from the document must be answered as the document says."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance, use_after_free

from sameface.service.app import create_app
from sameface.service.key_file import KeyFile
from sameface.service.settings import Settings
from tests.service.documented import DOCUMENT

CASES = int(os.environ.get("SAMEFACE_CONTRACT_CASES", "15"))
#: What a request may be refused for though it fits the document: bytes are seldom a photo of one face, cursors come from answers, and a text of
#: the form of a date may be none, or be over.
FROM_THE_CONTENT = {"not-an-image", "damaged-image", "no-face", "image-too-large", "enrollment-refused", "setting"}


def check(case, headers) -> None:
    """Send a request, and look at the answer with every check there is."""
    response = case.call(headers=headers)
    problem = response.headers.get("content-type") == ["application/problem+json"]
    said = json.loads(response.content) if problem else {"type": "", "expected": ""}
    kind = said["type"].removeprefix("urn:sameface:")
    policy = (
        "the policy of this server" in said["expected"]
    )  # laxer than that is refused, as the fields' descriptions say
    fits = kind in FROM_THE_CONTENT or policy or "cursor" in (case.query or {})
    # `use_after_free` takes the person of a deleted photo for deleted.
    left_out = [use_after_free, *([positive_data_acceptance] if fits else [])]
    case.validate_response(response, headers=headers, excluded_checks=left_out)


def without_lifespan(app):
    """The application, started once for all calls: schemathesis would start and stop it around each."""

    async def handle(scope, receive, send):
        if scope["type"] == "http":
            await app(scope, receive, send)
            return
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})

    return handle


@pytest.fixture(scope="module")
def contract(tmp_path_factory, point_file):
    folder = tmp_path_factory.mktemp("contract")
    key, _ = KeyFile(folder / "keys.json").add("admin")
    app = create_app(
        Settings(
            galleries=str(folder / "galleries"),
            keys=folder / "keys.json",
            operating_point=str(point_file),
            embeddings=True,
            rate=1e6,
            burst=10**6,
        )
    )
    app.state.desk.load()
    yield SimpleNamespace(key=key, schema=schemathesis.openapi.from_asgi("/v1/openapi.json", without_lifespan(app)))
    app.state.desk.close()


OPERATIONS = sorted((method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation(contract, method, path):
    headers = {"Authorization": f"Bearer {contract.key}", "Host": "127.0.0.1"}

    @given(case=contract.schema[path][method].as_strategy())
    @settings(
        max_examples=CASES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    def one(case):
        if (method, path) == ("DELETE", "/v1/galleries/{gallery}"):
            case.path_parameters = {"gallery": "never-there"}
        check(case, headers)

    one()
