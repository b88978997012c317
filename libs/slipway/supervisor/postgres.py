"""The private PostgreSQL: TCP on loopback, a password of its own, never as root."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from slipway.errors import Kind, SlipwayError
from slipway.failpoints import hit
from slipway.supervisor.health import Probe, postgres_answers
from slipway.supervisor.redis import NotInstalled
from slipway.supervisor.spec import HELD, Owner, UnitSpec

_USER = "slipway"
_DEBIAN = Path("/usr/lib/postgresql")
_PROC = Path("/proc")

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "jit": "off",
    # Everything that it shares between its processes lies in its own folder, and goes with it.
    "dynamic_shared_memory_type": "mmap",
}
# What was acknowledged may be gone after a crash of the machine, not after one of the server alone: a commit still
# waits until the kernel has it, which synchronous_commit off would not.
_FAST = {"fsync": "off", "full_page_writes": "off"}

# As slipway.sql needs it, whatever the server's own default is.
_CREATE = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"

# Made beside and renamed: one that was killed halfway would be taken for a whole one.
_INITIALISE = 'rm -rf "$0/draft" && "$@" -D "$0/draft" && mv "$0/draft" "$0/data"'


class PostgresMisplaced(SlipwayError):
    """PostgreSQL's folder can't be used; the message says why, and the mend."""

    kind = Kind.FAILED_PRECONDITION
    reason = "POSTGRES_MISPLACED"


def postgres_unit(folder: Path, port: int, env: Mapping[str, str], log: Path, *, fast: bool) -> UnitSpec:
    """The PostgreSQL unit on loopback ``port``; ``fast``: don't wait for the disk.

    Raises :class:`NotInstalled` or :class:`PostgresMisplaced`.
    """
    programs, owner = find_postgres(), _owner(folder)
    _own_folder(folder, owner)
    password_file(folder, owner)
    place = HELD if owner else str(folder)
    settings = {**_SETTINGS, **(_FAST if fast else {}), "port": str(port)}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def uninitialised() -> tuple[str, ...] | None:
        if (folder / "data" / "PG_VERSION").is_file():
            return None
        login = (f"--username={_USER}", "--auth=scram-sha-256", f"--pwfile={place}/password")
        choices = ("--encoding=UTF8", "--locale=C.UTF-8", *(("--no-sync",) if fast else ()))
        return ("/bin/sh", "-c", _INITIALISE, place, str(programs / "initdb"), *login, *choices)

    return UnitSpec(
        name="postgres",
        command=(str(programs / "postgres"), "-D", f"{place}/data", *words),
        env=env,
        endpoints={"tcp": f"127.0.0.1:{port}"},
        probe=postgres_answers(postgres_url(folder, port)),
        log=log,
        before=lambda: drop_stale_lock(folder / "data"),
        first=uninitialised,
        owner=owner,
        stop_signal=signal.SIGINT,  # SIGTERM waits for every client to leave
    )


def drop_stale_lock(data: Path) -> None:
    """Remove the lock file of a server on ``data`` that is gone.

    PostgreSQL takes any process under the pid in its lock file for a server that runs, and refuses to start: a
    zombie that nobody reaps, as where a container's first process is no init, or whoever has got that pid since.
    A server's working directory is its data folder.
    """
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text(encoding="ascii").partition("\n")[0])
        if (_PROC / str(pid) / "cwd").readlink() == data.resolve():
            return
    except FileNotFoundError:  # a zombie has no working directory
        pass
    except (ValueError, PermissionError):  # PostgreSQL itself says it best
        return
    lock.unlink(missing_ok=True)


def postgres_url(folder: Path, port: int) -> str:
    """The URL of the administrating login, with its password."""
    return f"postgresql://{_USER}:{(folder / 'password').read_text(encoding='ascii')}@127.0.0.1:{port}/postgres"


def database_url(admin: str, name: str) -> str:
    """The URL of database ``name`` on the server of the login ``admin``."""
    return urlunsplit(urlsplit(admin)._replace(path=f"/{name}"))


def database_there(admin: str, name: str) -> Probe:
    """Probe for database ``name`` on the server of the login ``admin``; makes it when it is missing."""

    async def probe() -> str | None:
        import psycopg  # noqa: PLC0415  (of use to this profile alone)
        from psycopg import sql  # noqa: PLC0415

        try:
            async with await psycopg.AsyncConnection.connect(admin, autocommit=True, connect_timeout=5) as connection:
                found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
                if await found.fetchone() is None:
                    await connection.execute(sql.SQL(_CREATE).format(sql.Identifier(name)))
        except psycopg.errors.DuplicateDatabase:
            return None
        except psycopg.Error as error:
            return f"can't make sure of the database {name}: {type(error).__name__}"
        return None

    return probe


def find_postgres() -> Path:
    """The folder of PostgreSQL's programs. Raises :class:`NotInstalled`."""
    if (found := shutil.which("postgres")) and shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = [one for one in _DEBIAN.glob("*/bin") if (one / "postgres").is_file() and (one / "initdb").is_file()]
    if not installed:
        raise NotInstalled(
            "found no PostgreSQL server on PATH or in /usr/lib/postgresql; install one (Debian: postgresql), or name "
            "one with SLIPWAY_POSTGRES=postgresql://user@host:port/postgres"
        )
    return max(installed, key=lambda one: [int(part) for part in re.findall("[0-9]+", one.parent.name)])


def _owner(folder: Path) -> Owner | None:
    """Whom PostgreSQL runs as: None for this user; as root, the package's own account, else nobody."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            return Owner(account.pw_uid, account.pw_gid, folder)
    raise PostgresMisplaced("PostgreSQL refuses to run as root, and there is no account postgres or nobody; add one")


def _own_folder(folder: Path, owner: Owner | None) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if owner:
        os.chown(folder, owner.uid, owner.gid)


def password_file(folder: Path, owner: Owner | None) -> Path:
    """The file with the login's password, made when it is missing; readable by its owner alone."""
    file = folder / "password"
    if not file.exists():
        draft = folder / "password.draft"
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(16))
        if owner:
            os.chown(draft, owner.uid, owner.gid)
        hit("supervisor.secret.before")
        draft.replace(file)
        hit("supervisor.secret.after")
    return file
