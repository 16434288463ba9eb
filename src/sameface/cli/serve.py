"""`sameface serve`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final, cast

import typer

from sameface.cli.options import DetectorOption, DeviceOption, EncoderOption, PointOption, ThresholdOption
from sameface.defaults import DEFAULT_FPIR, DEFAULT_GALLERY, DEFAULT_KEYS

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def serve(
    galleries: Annotated[
        str, typer.Argument(help="Folder of galleries, or postgresql://…", envvar="SAMEFACE_GALLERIES")
    ] = "galleries",
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; beyond loopback keys are needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", min=0, max=65535)] = 8000,
    keys: Annotated[
        Path | None,
        typer.Option(
            "--keys", help="File of keys, made by `sameface keys add`.", envvar="SAMEFACE_KEYS", show_default=False
        ),
    ] = None,
    oidc_issuer: Annotated[
        str,
        typer.Option("--oidc-issuer", help="Take tokens of this OpenID Connect provider, too.", show_default=False),
    ] = "",
    oidc_audience: Annotated[
        str, typer.Option("--oidc-audience", help="What those tokens must be made for.", show_default=False)
    ] = "",
    oidc_roles: Annotated[
        str, typer.Option("--oidc-roles", help="Their claim that holds roles like sameface:identify; a path by dots.")
    ] = "roles",
    oidc_keys: Annotated[
        str,
        typer.Option(
            "--oidc-keys", help="Address of the provider's keys, where it describes none.", show_default=False
        ),
    ] = "",
    workers: Annotated[int, typer.Option("--workers", "-w", min=1, help="Processes.")] = 1,
    encoder: EncoderOption = None,
    detector: DetectorOption = None,
    device: DeviceOption = "cpu",
    threshold: ThresholdOption = None,
    operating_point: PointOption = None,
    fpir: Annotated[
        float, typer.Option("--fpir", min=1e-6, max=0.5, help="Share of strangers that identify may name wrongly.")
    ] = DEFAULT_FPIR,
    allow_embeddings: Annotated[
        bool, typer.Option("--allow-embeddings", help="Let admins read embeddings and exact distances: biometric data.")
    ] = False,
    review: Annotated[
        str, typer.Option("--review", help="The least a photo must pass at enrolment: standard or strict.")
    ] = "strict",
    replays: Annotated[
        str, typer.Option("--replays", help="A probe that is an enrolled photo: flag it, or refuse it.")
    ] = "flag",
    attempts: Annotated[
        int, typer.Option("--attempts", min=1, help="Refused claims of one person, per key and hour.")
    ] = 10,
    near_misses: Annotated[
        int,
        typer.Option(
            "--near-misses",
            min=1,
            help="Answers just above τ(K) for one person, per key and hour; four times as many a day.",
        ),
    ] = 60,
    liveness: Annotated[
        str,
        typer.Option(
            "--liveness",
            help="Whether identify and claims need a session of liveness that passed: off, warn or require.",
        ),
    ] = "off",
    least_passive: Annotated[
        float,
        typer.Option("--least-passive", min=0, max=1, help="Least passive score of such a session; 0 asks for none."),
    ] = 0.0,
    allowed_host: Annotated[
        list[str] | None, typer.Option("--allowed-host", help="Name to answer to; repeat for more.", show_default=False)
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="Certificate chain (PEM).", show_default=False)
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its key (PEM).", show_default=False)] = None,
    behind_proxy: Annotated[
        str, typer.Option("--behind-proxy", help="Proxies whose X-Forwarded headers are believed, by commas.")
    ] = "",
    root_path: Annotated[
        str, typer.Option("--root-path", help="Path under which a proxy shows the service, like /faces.")
    ] = "",
    log_format: Annotated[str, typer.Option("--log-format", help="Lines on standard error: plain or json.")] = "plain",
    traces: Annotated[
        str,
        typer.Option(
            "--traces", help="OpenTelemetry collector, like http://127.0.0.1:4318/v1/traces.", show_default=False
        ),
    ] = "",
    rate: Annotated[float, typer.Option("--rate", min=0.01, help="Requests per second per key.")] = 50.0,
    burst: Annotated[int, typer.Option("--burst", min=1, help="Requests at once per key.")] = 100,
    queue: Annotated[int, typer.Option("--queue", min=0, help="Photo requests that may wait; more get 503.")] = 32,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds for a request.")] = 30.0,
    max_photo_mb: Annotated[int, typer.Option("--max-photo-mb", min=1)] = 12,
    max_megapixels: Annotated[
        int, typer.Option("--max-megapixels", min=1, help="Of one photo; 25 megapixels take up to 0.5 GB.")
    ] = 25,
    max_faces: Annotated[int, typer.Option("--max-faces", min=1, help="Faces in one photo.")] = 100,
    expire_every: Annotated[
        float,
        typer.Option("--expire-every", min=1, help="Seconds between two looks for people whose time is over."),
    ] = 60.0,
    audit: Annotated[
        Path | None,
        typer.Option("--audit", help="File of the audit trail.  [default: in the folder]", show_default=False),
    ] = None,
    jobs: Annotated[
        Path | None,
        typer.Option("--jobs", help="Folder of bulk enrolments.  [default: in the folder]", show_default=False),
    ] = None,
    reports: Annotated[
        Path | None, typer.Option("--reports", help="Folder of evaluation reports to show.", show_default=False)
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document once it is loaded: where it listens.")
    ] = False,
) -> None:
    """Run the service and its page. Stop it with Ctrl-C; requests at work are finished first.

    TLS: give --tls-cert and --tls-key, or let a proxy do it and name the proxy with --behind-proxy.
    """
    from sameface.cli.output import note, print_json
    from sameface.errors import ExtraMissingError, SettingError

    try:
        from sameface.service.server import run
    except ImportError as error:
        raise ExtraMissingError(
            expected="the extra `serve`", got=f"no {error.name}", advice='run `pip install "sameface[serve]"`'
        ) from error
    from sameface.gallery import is_server
    from sameface.service.logs import LogFormat
    from sameface.service.settings import LeastReview, LivenessPolicy, Replays, Settings

    if (tls_cert is None) != (tls_key is None):
        raise SettingError(expected="--tls-cert and --tls-key", got="one of them", advice="give both or neither")
    for path in (tls_cert, tls_key):
        if path is not None and not path.is_file():
            raise SettingError(expected=f"a PEM file at {path}", got="nothing there", advice="check the path")
    in_database = is_server(galleries)
    settings = Settings(
        galleries=galleries if in_database else str(Path(galleries).resolve()),
        keys=keys.resolve() if keys else None,
        oidc_issuer=oidc_issuer,
        oidc_audience=oidc_audience,
        oidc_keys=oidc_keys,
        oidc_roles=oidc_roles,
        host=host,
        port=port,
        allowed_hosts=tuple(allowed_host or ()),
        detector=detector or "",
        encoder=encoder or "",
        device=device,
        operating_point=operating_point or "",
        threshold=threshold,
        fpir=fpir,
        embeddings=allow_embeddings,
        review=cast(LeastReview, review),  # checked by Settings
        replays=cast(Replays, replays),
        attempts=attempts,
        near_misses=near_misses,
        liveness=cast(LivenessPolicy, liveness),
        least_passive=least_passive,
        max_photo=max_photo_mb * 2**20,
        max_body=max(40, 2 * max_photo_mb) * 2**20,
        max_pixels=max_megapixels * 1_000_000,
        max_faces=max_faces,
        queue=queue,
        timeout=timeout,
        rate=rate,
        burst=burst,
        expire_every=expire_every,
        audit=audit.resolve() if audit else None if in_database else Path(galleries).resolve() / "audit.jsonl",
        jobs=jobs.resolve() if jobs else None,
        reports=reports,
        secure=tls_cert is not None or bool(behind_proxy),
        proxies=behind_proxy,
        root_path=root_path,
        log_format=cast(LogFormat, log_format),
        traces=traces,
    )
    scheme = "https" if tls_cert else "http"
    where = "postgresql" if in_database else settings.galleries
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"
    note(f"sameface {url} · galleries: {where}")
    if not settings.asks_who:
        note("no keys: whoever can reach this machine's loopback may do everything")
        if Path(DEFAULT_KEYS).is_file():
            note(f"{DEFAULT_KEYS} lies here and is not used: add --keys {DEFAULT_KEYS}")
    if not in_database and _lies_beside(Path(galleries)):
        note(f"{DEFAULT_GALLERY} lies here and is not served; to serve the galleries of this folder: sameface serve .")

    def ready() -> None:
        if json:
            print_json({"url": url, "galleries": where, "keys": settings.asks_who, "workers": workers})
            sys.stdout.flush()

    run(settings, workers=workers, tls=(tls_cert, tls_key) if tls_cert and tls_key else None, ready=ready)


def _lies_beside(galleries: Path) -> bool:
    """Whether people were enrolled in the file that the commands take by default, and another folder is served."""
    return Path(DEFAULT_GALLERY).is_file() and galleries.resolve() != Path.cwd()


APPS: Final = {"serve": app}
