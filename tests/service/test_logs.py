"""Lines of the log: of fixed form, each with the request's id."""

from __future__ import annotations

import json
import logging
import logging.config

import pytest

from sameface.service.logs import JsonFormatter, fields, log_config


@pytest.mark.parametrize("style", ["plain", "json"])
def test_the_configuration_is_one(style):
    logging.config.dictConfig({**log_config(style), "loggers": {}})


def test_a_json_line():
    record = logging.makeLogRecord(
        {"name": "sameface.service", "levelname": "INFO", "msg": "a %s", "args": ("b",)}
        | fields(request_id="r1", status=200)
    )
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["level"], line["request_id"], line["status"]) == ("a b", "info", "r1", 200)


def test_a_fault_of_ours_is_in_the_log_with_its_request(serve, monkeypatch, caplog):
    api = serve()

    def explode() -> None:
        raise RuntimeError("the cause")

    monkeypatch.setattr(api.app.state.desk.shelf, "names", explode)
    caplog.set_level(logging.INFO)
    answer = api.get("/v1/galleries")
    told = answer.json()["request_id"]
    lines = [
        json.loads(JsonFormatter().format(record)) for record in caplog.records if record.name == "sameface.service"
    ]
    fault = next(line for line in lines if line["level"] == "error")
    assert fault["request_id"] == told
    assert "the cause" in fault["traceback"]
    access = next(line for line in lines if line.get("status") == 500)
    assert (access["request_id"], access["error"]) == (told, "fault")


def test_every_refusal_is_tied_to_its_request(api, caplog):
    caplog.set_level(logging.INFO)
    answer = api.post("/v1/detect", content=b"x", headers={"Content-Type": "text/plain"})
    record = next(record for record in caplog.records if answer.json()["request_id"] in record.getMessage())
    assert "error=unsupported-media" in record.getMessage()
