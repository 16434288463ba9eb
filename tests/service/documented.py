"""The OpenAPI document of the service, made once a process: three files of tests are spread out by it before any test runs."""

from __future__ import annotations

from sameface.service.app import create_app
from sameface.service.settings import Settings

DOCUMENT = create_app(Settings("/nonexistent/never-opened")).openapi()
