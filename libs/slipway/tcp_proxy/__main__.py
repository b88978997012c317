"""``python -m slipway.tcp_proxy``: one proxy as a process."""

from __future__ import annotations

import asyncio
import json
import signal
from functools import partial

import click

from slipway.errors import SlipwayError
from slipway.tcp_proxy.address import loopback
from slipway.tcp_proxy.control import serve
from slipway.tcp_proxy.proxy import TcpProxy


async def _run(to: str, listen: str, control: str, seed: int) -> None:
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    host, port = loopback(control, "control")
    async with TcpProxy.open(to, listen, seed=seed) as proxy:
        server = await asyncio.start_server(partial(serve, proxy), host, port)
        async with server:
            bound = server.sockets[0].getsockname()
            told = {"address": proxy.address, "control": f"{bound[0]}:{bound[1]}"}
            click.echo(json.dumps(told))
            await ending.wait()


@click.command(epilog="Example: python -m slipway.tcp_proxy --to 127.0.0.1:6379 --control 127.0.0.1:0")
@click.option("--to", required=True, help="Where to pass on to, host:port.")
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="Where to listen; port 0 takes a free one.")
@click.option("--control", default="127.0.0.1:0", show_default=True, help="Where to be steered; see Control.")
@click.option("--seed", default=0, show_default=True, help="Of jitter, loss and cuts.")
def main(to: str, listen: str, control: str, seed: int) -> None:
    """Pass TCP connections on over a network that is made bad on purpose.

    Prints one line of JSON with its address and its control's, then serves until SIGTERM.
    """
    try:
        asyncio.run(_run(to, listen, control, seed))
    except (SlipwayError, OSError) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
