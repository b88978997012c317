"""``scripts/generate``: every file that is derived from another, written or compared."""

from __future__ import annotations

import argparse
import sys

from scripts.toolchain import contracts, sync_client, tree


def main() -> int:
    """Write the derived files, or with ``--check`` only name those that differ; returns the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a derived file is stale")
    checking = parser.parse_args().check
    try:
        derived = {**contracts.generate(tree.ROOT), **sync_client.generate(tree.ROOT)}
    except contracts.ContractsBroken:
        print("the contracts under protos/ do not compile: see above", file=sys.stderr)
        return 1
    folders = [contracts.FOLDER, sync_client.FOLDER]
    act = tree.differences if checking else tree.write
    changed = act(derived, tree.ROOT, folders)
    for path in changed:
        print(path)
    if checking and changed:
        print(f"{len(changed)} derived files differ from their sources: run scripts/generate", file=sys.stderr)
        return 1
    print(f"{len(derived)} derived files, {len(changed)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
