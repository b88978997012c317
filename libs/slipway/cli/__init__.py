"""What every operator's command shares: groups that turn errors into help, tables or JSON, and the three verbs.

A command exits with 0 when it did what it says, 1 when it failed, 2 when its input is wrong, 3 when what it
names does not exist, 4 when the service can't be reached. With ``--json`` the answer on stdout and the error on
stderr are JSON; without, they are for people.
"""

from slipway.cli.address import address_option
from slipway.cli.group import Command, Group, exit_code
from slipway.cli.output import emit, emit_one, figures, json_option
from slipway.cli.service import ServiceCommand

__all__ = [
    "Command",
    "Group",
    "ServiceCommand",
    "address_option",
    "emit",
    "emit_one",
    "exit_code",
    "figures",
    "json_option",
]
