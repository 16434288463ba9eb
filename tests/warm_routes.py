"""The service's operations, made before a program is forked off: not by each on its first request."""

from __future__ import annotations

from fastapi import FastAPI

from sameface.service.app import _routes

FastAPI(routes=_routes()).openapi()
