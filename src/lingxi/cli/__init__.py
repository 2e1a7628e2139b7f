"""The command line: one file a command, found by name, loaded only when it is used."""

import gc
from importlib import import_module

import click
from typing_extensions import override

import lingxi

_COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Make a shop in a new folder."),
    "import": ("import_files", "Bring in orders, customers, events or items from a file."),
    "watch": ("watch", "Bring in what is dropped into a folder."),
    "pull": ("pull", "Bring in what sources have that nobody sends."),
    "drain": ("drain", "Bring in what waits in Kafka."),
    "quality": ("quality", "What cleaning kept, changed and set aside."),
    "quarantine": ("quarantine", "List, export, mend and replay what was set aside."),
    "rates": ("rates", "Exchange rates, so that money of other currencies counts."),
    "train": ("train", "Learn from the shop's events."),
    "plan": ("plan", "Write the marketing plan, or show it."),
    "recommend": ("recommend", "What one customer, or a visitor, would like."),
    "evaluate": ("evaluate", "Measure recommenders on files, yours or a published split."),
    "placements": ("placements", "Where lists stand, what fills them, and why not this item."),
    "journey": ("journey", "What customers are led through: drafts, versions, lint."),
    "apply": ("apply", "Definitions from a folder of files, with the changes shown first."),
    "export": ("export", "The shop's definitions as a folder of files, for git."),
    "offer": ("offer", "Offers: what customers get, when, and what the shop will spend."),
    "coupon": ("coupon", "Coupons: issue, check, redeem, ledger, liability."),
    "similar": ("similar", "What is like an item."),
    "explain": ("explain", "Everything known of one customer, with reasons."),
    "serve": ("serve", "Start the dashboard and the HTTP API."),
    "run": ("run", "Runs of journeys: customers on their way, and why they are where they are."),
    "campaign": ("campaign", "One message to an audience at a moment."),
    "calendar": ("calendar", "What is going to be sent, and what was, day by day."),
    "work": ("work", "Do the standing work: segments, journeys, sending."),
    "template": ("template", "Templates of messages: drafts, versions, previews."),
    "message": ("message", "Messages: why sent, why not, what they came to; tests."),
    "status": ("status", "Where the shop stands."),
    "doctor": ("doctor", "Check the installation and the shop."),
    "models": ("models", "List model versions, switch between them, roll back."),
    "backup": ("backup", "Save the shop to a folder while it runs."),
    "restore": ("restore", "Bring a saved shop back."),
    "forget": ("forget", "Erase everything held on a customer."),
    "person": ("person", "Export everything held on a customer."),
    "identity": ("identity", "Who a customer is, the merges that made them, and undoing one."),
    "segment": ("segment", "Who fulfils a rule: put, count, members, overlap, growth, explain."),
    "list": ("customer_list", "Lists of customers that people keep by hand."),
    "consent": ("consent", "What a customer has agreed to; give and withdraw it."),
    "mail": ("mail", "E-mail: signing keys, bounces, suppressions, double opt-in, preflight."),
    "privacy": ("privacy", "What platforms asked for a person, and carrying it out."),
    "source": ("source", "Who may send events, and with which key."),
    "user": ("user", "Users of the dashboard."),
    "key": ("key", "Keys of the HTTP API."),
    "simulate": ("simulate", "Make the files of a simulated shop."),
    "demo": ("demo", "A simulated shop, from raw events to the dashboard."),
}

_AS_JSON = "lingxi.as_json"


class _LazyGroup(click.Group):
    """Imports a command's module when it is asked for, so that the rest costs nothing."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"lingxi.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    @override
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if not ctx.meta[_AS_JSON]:
                raise
            from lingxi.cli.frame import fail

            fail("usage", error.format_message(), as_json=True, status=2)

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from lingxi.errors import did_you_mean

        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in _COMMANDS:
            ctx.fail(f"There is no command {name!r}{did_you_mean(name, _COMMANDS)}")
        return super().resolve_command(ctx, args)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(lingxi.__version__, prog_name="lingxi")
def main() -> None:
    """Lingxi: personalised marketing, automated, for online shops.

    A command works on the shop in the current folder, or in --shop DIR. Exit status: 0 done, 2 for
    a mistake in what was asked, 1 for a fault of Lingxi.
    """
    gc.set_threshold(100_000, 20, 20)  # millions of rows that form no cycles: seldom look for any
