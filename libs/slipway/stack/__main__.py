"""``python -m slipway.stack``: what ``scripts/stack`` runs."""

from slipway.stack.cli import main

if __name__ == "__main__":
    main(prog_name="scripts/stack")
