"""``python -m slipway.supervisor``: the ``slipway`` command."""

from slipway.supervisor.cli import main

if __name__ == "__main__":
    main()
