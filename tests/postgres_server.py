"""A PostgreSQL of its own for a test run, on a socket in a temporary folder.

Debian's programs are used as they are; run by root, the server runs as the user ``postgres``. A
watchdog holds the other end of a pipe: when the test run ends, even by ``kill -9``, it stops the
server and removes the folder. The databases sort text by the rules of a language, as most do that
are in use, so that a query which relies on the order of code points fails here.
"""

import os
import pwd
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WATCHDOG = r"""
set -eu
programs=$1 home=$2
trap '' INT TERM
"$programs/initdb" -D "$home/data" -A trust -U lingxi --no-sync -E UTF8 --locale=C.UTF-8 \
    --locale-provider=icu --icu-locale=en-US >"$home/log" 2>&1 ||
    "$programs/initdb" -D "$home/data" -A trust -U lingxi --no-sync -E UTF8 >"$home/log" 2>&1
"$programs/pg_ctl" -D "$home/data" -l "$home/log" -w start >/dev/null -o \
    "-k '$home' -c listen_addresses='' -c fsync=off -c max_connections=60 -c timezone=Asia/Tokyo"
echo ready
cat >/dev/null || true
"$programs/pg_ctl" -D "$home/data" -m immediate -w stop >/dev/null 2>&1 || true
rm -rf "$home"
"""


class Unavailable(Exception):
    """Why there is no server here."""


@contextmanager
def run_server() -> Iterator[str]:
    """A running server's address.

    Raises
    ------
    Unavailable
        If PostgreSQL is not installed, or cannot be run by this user.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise Unavailable("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    home = Path(tempfile.mkdtemp(prefix="lxpg"))
    user = _choose_user()
    if user is not None:
        os.chown(home, user.pw_uid, user.pw_gid)
    watchdog = subprocess.Popen(
        ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(found[-1].parent), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=home,
        user=None if user is None else user.pw_uid,
        group=None if user is None else user.pw_gid,
        extra_groups=None if user is None else [],
        start_new_session=True,
    )
    assert watchdog.stdin is not None
    assert watchdog.stdout is not None
    try:
        ready, _, _ = select.select([watchdog.stdout], [], [], 60)
        if not ready or watchdog.stdout.readline() != b"ready\n":
            raise RuntimeError(f"PostgreSQL did not start: {_read(home / 'log')}")
        yield f"postgresql://lingxi@/postgres?host={home}"
    finally:
        watchdog.stdin.close()
        try:
            watchdog.wait(120)
        except subprocess.TimeoutExpired:
            os.killpg(watchdog.pid, signal.SIGKILL)
            watchdog.wait()
        watchdog.stdout.close()
        shutil.rmtree(home, ignore_errors=True)


def _choose_user() -> pwd.struct_passwd | None:
    """Whom to run it as, for PostgreSQL refuses root: nobody else where this is not root."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise Unavailable(
            "PostgreSQL refuses to run as root, and there is no user 'postgres'"
        ) from None


def _read(place: Path) -> str:
    return place.read_text(errors="replace") if place.is_file() else "it wrote nothing"
