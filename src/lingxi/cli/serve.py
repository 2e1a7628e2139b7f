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
    """Print the address (and the first login), then serve until told to stop."""
    from lingxi.access import ensure_administrator
    from lingxi.server.serve import serve

    with open_shop(folder) as shop:
        with shop.store.write() as tx:
            first = ensure_administrator(tx, shop.clock.now())
        settings = shop.settings
    address = f"http://{host or settings.server.host}:{port or settings.server.port}"
    click.echo(f"Dashboard: {address}")
    click.echo(f"API: {address}/docs")
    if first is not None:
        click.echo(f"First login: {first.name}  password: {first.password}")
        click.echo("It is shown only now; change it under Settings.")
    serve(settings.folder, host=host, port=port)
