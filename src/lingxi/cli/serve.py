"""``lingxi serve``: start the dashboard and the HTTP API."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, open_shop, shop_option


@click.command("serve")
@click.option("--host", default=None, help="Address to listen on; from the settings if not given.")
@click.option("--port", type=int, default=None, help="Port; from the settings if not given.")
@shop_option
@guarded
def command(host: str | None, port: int | None, folder: Path | None) -> None:
    """Start the dashboard and the HTTP API; the first start prints the first login."""
    run_server(folder, host, port)


def run_server(folder: Path | None, host: str | None, port: int | None) -> None:
    """Serve until told to stop; print the address once it can be asked (and the first login)."""
    from lingxi.access import ensure_administrator
    from lingxi.server.serve import serve

    with open_shop(folder) as shop:
        with shop.store.write() as tx:
            first = ensure_administrator(tx, shop.clock.now())
        settings = shop.settings
    address = f"http://{host or settings.server.host}:{port or settings.server.port}"
    lines = [f"Dashboard: {address}", f"API: {address}/docs"]
    login = []
    if first is not None:
        login = [
            f"First login: {first.name}  password: {first.password}",
            "It is shown only now; change it under Settings.",
        ]

    def tell() -> None:
        click.echo("\n".join([*lines, *login]))
        login.clear()

    try:
        serve(settings.folder, host=host, port=port, ready=tell)
    finally:
        if login:  # it could not start; the password is told nowhere else
            click.echo("\n".join(login))
