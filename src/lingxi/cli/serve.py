"""``lingxi serve``: start the dashboard and the HTTP API."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import find_folder, guarded, open_shop, shop_option

if TYPE_CHECKING:
    from lingxi.access import Credentials


@click.command("serve")
@click.option("--host", default=None, help="Address to listen on; from the settings if not given.")
@click.option("--port", type=int, default=None, help="Port; from the settings if not given.")
@shop_option
@guarded
def command(host: str | None, port: int | None, folder: Path | None) -> None:
    """Start the dashboard and the HTTP API; the first start prints the first login."""
    run_server(folder, host, port)


def run_server(folder: Path | None, host: str | None, port: int | None) -> None:
    """Serve until told to stop; print the address once it can be asked (and the first login).

    The shop is opened here while the worker starts, which opens it for itself: a shop that cannot
    be opened ends both.
    """
    from lingxi.config import load_settings
    from lingxi.server.serve import serve

    settings = load_settings(find_folder(folder))
    address = f"http://{host or settings.server.host}:{port or settings.server.port}"
    lines = [f"Dashboard: {address}", f"API: {address}/docs"]
    login: list[str] = []

    def open_beside() -> None:
        first = _ensure_administrator(settings.folder)
        if first is not None:
            login.append(f"First login: {first.name}  password: {first.password}")
            login.append("It is shown only now; change it under Settings.")

    def tell() -> None:
        click.echo("\n".join([*lines, *login]))
        login.clear()

    try:
        serve(settings.folder, host=host, port=port, ready=tell, beside=open_beside)
    finally:
        if login:  # it could not start; the password is told nowhere else
            click.echo("\n".join(login))


def _ensure_administrator(folder: Path) -> "Credentials | None":
    from lingxi.access.users import ensure_administrator, list_users

    with open_shop(folder) as shop:
        with shop.store.read() as tx:
            if list_users(tx):
                return None
        with shop.store.write() as tx:
            return ensure_administrator(tx, shop.clock.now())
