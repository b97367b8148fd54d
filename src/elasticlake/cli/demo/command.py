"""`elasticlake demo`: the whole idea in one terminal, and nothing left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from elasticlake.cli.client import RestClient
from elasticlake.cli.command import output_of
from elasticlake.cli.connection import connection
from elasticlake.cli.demo.receiver import demo_receiver
from elasticlake.cli.demo.screen import Line, Screen, Step
from elasticlake.cli.demo.server import DemoServer, demo_server
from elasticlake.cli.demo.story import Story, told
from elasticlake.cli.signals import ended_in_order

NEXT = """
Next: `elasticlake serve` starts a server of your own, with its data in ./data; `elasticlake listen` shows its events.
In Python a receiver needs `elasticlake.webhooks` alone, which verified the deliveries above: docs/receiving.md."""


def demo(
    ctx: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(show_default=False, help="Keep the data in this folder; a temporary one if left out."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on until Ctrl-C: look at the dashboard, upload, see what arrives.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document a line for each step.")] = False,
) -> None:
    """Show it all in seconds: a server, an upload, its signed delivery, and a retry.

    All of it is real and on this machine, on free ports, and gone in the end. Needs the server's libraries. Exit code 0
    only if what arrived was verified.
    """
    screen = Screen(output_of(ctx, as_json))
    with ended_in_order(), demo_server(data) as server, demo_receiver() as receiver:
        screen.show(_server(server, is_kept=data is not None))
        screen.show(Step("receiver", {"endpoint": receiver.endpoint}, f"{receiver.endpoint}, a few lines of Python"))
        client = RestClient(connection(server.url, server.api_token))
        for step in Story(server, receiver, client).steps():
            screen.show(step)
        try:  # all is verified: from here on Ctrl-C ends it as it should end
            screen.show(_end(server, is_kept=keep))
            screen.say(NEXT)
            while keep:
                screen.show(told(receiver.arrivals.get()))
        except KeyboardInterrupt:
            screen.say("")  # below the ^C that the terminal shows


def _server(server: DemoServer, *, is_kept: bool) -> Step:
    document = {"url": server.url, "data": str(server.data), "seconds": round(server.started_in_seconds, 3)}
    fate = "kept" if is_kept else "removed in the end"
    lines = [Line(f"started in {server.started_in_seconds:.1f} s; data in {server.data} ({fate})")]
    return Step("server", document, f"{server.url}: S3, REST, dashboard and deliveries", lines)


def _end(server: DemoServer, *, is_kept: bool) -> Step:
    if not is_kept:
        return Step("end", {"verified": True}, "every delivery arrived and was verified")
    access = {"dashboard": f"{server.url}/ui", "password": server.dashboard_password}
    lines = [
        Line(access["dashboard"], name="dashboard"),
        Line(access["password"], name="password"),
        Line(str(server.data / "credentials.json"), name="keys and token"),
    ]
    headline = "every delivery arrived and was verified; the server runs on until Ctrl-C"
    return Step("end", {"verified": True, **access}, headline, lines)
