"""What a test has the gateway, or the master that calls it, do wrong. Without I/O."""

from __future__ import annotations

import msgspec

OUTCOMES = ("refused", "expired", "wrong", "overdue")
CRASHES = tuple(f"{when}_{step}" for step in ("certificate", "map", "notify", "answer") for when in ("before", "after"))


class Fault(msgspec.Struct):
    """For the next C(times) calls of set-shards.

    set_shards: refused (403), or the certificate counts as expired, wrong or overdue; empty for the real result.
    crash: where the primary master dies: before or after it wrote the certificate's date, wrote map and generation,
    notified the nodes, answered.
    """

    set_shards: str = ""
    crash: str = ""
    number: str = ""  # any number when empty
    times: int = 1

    def problem(self) -> str:
        """One sentence about what is wrong with it, empty when nothing is."""
        if self.set_shards and self.set_shards not in OUTCOMES:
            return f"set_shards is {self.set_shards!r}; allowed are {', '.join(OUTCOMES)}"
        if self.crash and self.crash not in CRASHES:
            return f"crash is {self.crash!r}; allowed are {', '.join(CRASHES)}"
        if not self.set_shards and not self.crash:
            return "set_shards or crash is required"
        if not 1 <= self.times <= 1000:
            return f"times is {self.times}; allowed are 1 to 1000"
        return ""


class Faults:
    """The faults still to come, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """One more."""
        self.waiting.append(fault)

    def take(self, number: str) -> Fault:
        """The fault for this call, a harmless one when there is none."""
        for fault in self.waiting:
            if fault.number in ("", number):
                fault.times -= 1
                if fault.times == 0:
                    self.waiting.remove(fault)
                return fault
        return Fault()
