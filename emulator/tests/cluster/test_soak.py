"""Three minutes of kills, pauses and cuts at random, by the chaos script that can do it for hours."""

from __future__ import annotations

import subprocess

import pytest

from tests.cluster.conftest import SOAK_MINUTES, Soak

START_AND_END = 300.0  # seconds for starting the cluster, recovering and cleaning up on a busy machine


@pytest.mark.soak
def test_nothing_is_lost_and_nobody_banned_in_three_minutes_of_mishaps(soak: Soak) -> None:
    try:
        code = soak.process.wait(timeout=SOAK_MINUTES * 60 + START_AND_END)
    except subprocess.TimeoutExpired:
        pytest.fail(f"it does not end:\n{soak.said()[-6000:]}")
    said = soak.said()
    print(said[-4000:])  # the seed and what happened, for whoever has to understand a failure
    assert code == 0, said[-26000:]
