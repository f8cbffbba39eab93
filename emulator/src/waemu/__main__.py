"""The command C(emulator), or C(python -m waemu): one word for each thing it does."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the part that the first argument names."""
    if sys.argv[1:2] == ["probe"]:
        from waemu.probe.command import main as probe

        return probe(sys.argv[2:])
    if sys.argv[1:] == ["gateway"]:
        from waemu.gateway.main import main as gateway

        return gateway()
    print("usage: emulator probe --help | emulator gateway", file=sys.stderr)
    return 0 if sys.argv[1:2] in (["--help"], ["-h"]) else 2


if __name__ == "__main__":
    sys.exit(main())
