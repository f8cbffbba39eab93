"""Properties of the primary master's decisions, for any observed state."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from waemu.clock import LIVENESS_STALE
from waemu.core import decide
from waemu.core.decide import NodeView
from waemu.shards import ALLOWED_COUNTS, CONTROL_SHARD
from waemu.store.cluster import Owner

PRIMARY = Owner("m1:master1", "boot-m1")
INTERVAL = 30.0
LONG_TRUST = 10 * LIVENESS_STALE
seconds = st.sampled_from([0.0, 1.0, 29.9, 30.0, 45.0, 119.0, 121.0, 1000.0])
CONDITIONS = {
    "alive": {},
    "dead": {"silent": 45.0, "silent_elsewhere": (31.0,), "db_age": 50.0, "answered": False},
    "stale": {"db_age": 121.0},
    "cut off from the primary": {"silent": 45.0, "silent_elsewhere": (0.0,), "answered": False},
    "not restarted": {"generation": 1},
    "starting": {"generation": 0},
}


@st.composite
def views_of(draw: st.DrawFn, *, secondaries: int | None = None) -> dict[str, NodeView]:
    """Coreapps in the conditions that matter, and in any other."""
    found = {}
    for number in range(draw(st.integers(0, 6))):
        key = f"h{number}:core{number}"
        view = NodeView(key, f"boot-{number}-{draw(st.sampled_from([1, 1, 1, 2]))}", 2, silent_elsewhere=(0.0,))
        if draw(st.integers(0, 3)):
            view = replace(view, **CONDITIONS[draw(st.sampled_from([*CONDITIONS, "alive"]))])
        else:
            silent = draw(seconds)
            elsewhere = tuple(draw(st.lists(seconds, max_size=3)))
            view = replace(
                view, silent=silent, silent_elsewhere=elsewhere, db_age=draw(seconds), answered=silent == 0.0
            )
        if secondaries is not None:
            view = replace(view, silent_elsewhere=tuple(draw(seconds) for _ in range(secondaries)))
        found[key] = view
    return found


@st.composite
def owners_of(draw: st.DrawFn, shards: int) -> dict[int, Owner]:
    """A shard map as the primary could find it: one shard per coreapp, gaps, boots that are gone."""
    numbers = draw(st.lists(st.integers(0, 7), unique=True, max_size=shards))
    owners = {
        shard: Owner(f"h{number}:core{number}", f"boot-{number}-{draw(st.sampled_from([1, 1, 1, 2]))}")
        for shard, number in zip(draw(st.permutations(range(shards))), numbers, strict=False)
    }
    if draw(st.booleans()):
        owners[CONTROL_SHARD] = draw(st.sampled_from([PRIMARY, Owner("m2:master2", "boot-m2")]))
    return owners


counts = st.sampled_from([count for count in ALLOWED_COUNTS if count <= 8])
situations = counts.flatmap(lambda shards: st.tuples(st.just(shards), owners_of(shards), views_of()))


def decided(
    shards: int, owners: dict[int, Owner], views: dict[str, NodeView], db_trusted: float = LONG_TRUST
) -> tuple[decide.Changes, dict[int, Owner]]:
    """The changes, and the map after them."""
    changes = decide.assign(
        shards=shards,
        generation=2,
        owners=owners,
        views=views,
        primary=PRIMARY,
        interval=INTERVAL,
        db_trusted=db_trusted,
    )
    after = {shard: owner for shard, owner in {**owners, **changes}.items() if owner is not None}
    return changes, after


def dead(view: NodeView, db_trusted: float = LONG_TRUST) -> bool:
    """Whether either detection rule fires."""
    return bool(decide.unhealthy(view, interval=INTERVAL, db_trusted=db_trusted))


@given(situations)
def test_one_coreapp_owns_at_most_one_shard(situation: tuple[int, dict[int, Owner], dict[str, NodeView]]) -> None:
    _changes, after = decided(*situation)
    keys = [owner.node_key for shard, owner in after.items() if shard != CONTROL_SHARD]
    assert len(keys) == len(set(keys))


@given(situations)
def test_live_owners_keep_their_shard(situation: tuple[int, dict[int, Owner], dict[str, NodeView]]) -> None:
    shards, owners, views = situation
    _changes, after = decided(shards, owners, views)
    for shard, owner in owners.items():
        view = views.get(owner.node_key)
        if shard != CONTROL_SHARD and view and view.instance_id == owner.instance_id and not dead(view):
            assert after[shard] == owner


@given(situations)
def test_only_ready_coreapps_are_promoted(situation: tuple[int, dict[int, Owner], dict[str, NodeView]]) -> None:
    shards, owners, views = situation
    changes, _after = decided(shards, owners, views)
    for shard, owner in changes.items():
        if shard == CONTROL_SHARD or owner is None:
            continue
        view = views[owner.node_key]
        assert view.answered
        assert view.generation == 2
        assert view.instance_id == owner.instance_id
        assert not dead(view)


@given(situations)
def test_no_shard_stays_vacant_beside_a_standby(situation: tuple[int, dict[int, Owner], dict[str, NodeView]]) -> None:
    shards, owners, views = situation
    _changes, after = decided(shards, owners, views)
    busy = {owner.node_key for shard, owner in after.items() if shard != CONTROL_SHARD}
    idle = [
        view
        for key, view in views.items()
        if key not in busy
        and view.answered
        and view.generation == 2
        and not dead(view)
        and view.db_age <= LIVENESS_STALE
    ]
    vacant = [
        shard
        for shard in range(shards)
        if shard not in after or after[shard].node_key not in views or dead(views[after[shard].node_key])
    ]
    assert not (idle and vacant)


@given(situations)
def test_deciding_again_changes_nothing(situation: tuple[int, dict[int, Owner], dict[str, NodeView]]) -> None:
    shards, owners, views = situation
    _changes, after = decided(shards, owners, views)
    again, _after = decided(shards, after, views)
    assert again == {}


@given(situations)
def test_control_shard_follows_the_documented_rule(
    situation: tuple[int, dict[int, Owner], dict[str, NodeView]],
) -> None:
    shards, owners, views = situation
    _changes, after = decided(shards, owners, views)
    assert after.get(CONTROL_SHARD) == (PRIMARY if shards > 1 else after.get(0))


@given(counts.flatmap(lambda n: st.tuples(st.just(n), owners_of(n), views_of(secondaries=0))))
def test_heartbeat_rule_needs_a_second_master(situation: tuple[int, dict[int, Owner], dict[str, NodeView]]) -> None:
    _shards, _owners, views = situation
    for view in views.values():
        assert decide.unhealthy(view, interval=INTERVAL, db_trusted=LONG_TRUST) != "heartbeat"


@given(situations, st.floats(0, LIVENESS_STALE))
def test_no_promotion_storm_after_the_database_was_away(
    situation: tuple[int, dict[int, Owner], dict[str, NodeView]], db_trusted: float
) -> None:
    """The owners' rows are old, but they answer; the standbys have written theirs already: nobody is replaced."""
    shards, owners, views = situation
    holding = {owner.node_key for owner in owners.values()}
    returned = {
        key: replace(view, db_age=1000.0 if key in holding else 0.0, silent=0.0, silent_elsewhere=(0.0,), answered=True)
        for key, view in views.items()
    }
    _changes, after = decided(shards, owners, returned, db_trusted)
    for shard, owner in owners.items():
        if shard != CONTROL_SHARD and owner.node_key in returned:
            assert after[shard].node_key == owner.node_key


def test_a_silent_row_is_death_once_the_database_has_been_there_for_long() -> None:
    owners = {0: Owner("h1:core1", "boot"), CONTROL_SHARD: Owner("h1:core1", "boot")}
    views = {"h1:core1": NodeView("h1:core1", "boot", 2, db_age=121.0), "h2:core2": NodeView("h2:core2", "boot", 2)}
    assert decided(1, owners, views, db_trusted=119.0)[0] == {}
    assert decided(1, owners, views, db_trusted=121.0)[1][0].node_key == "h2:core2"


@given(views_of(secondaries=1))
def test_a_cut_between_primary_and_owner_alone_is_not_death(views: dict[str, NodeView]) -> None:
    for view in views.values():
        cut = replace(view, silent=1000.0, silent_elsewhere=(0.0,), db_age=30.0, answered=False)
        assert not dead(cut)


def test_restarted_owner_is_promoted_again_at_once() -> None:
    owners = {0: Owner("h1:core1", "first"), CONTROL_SHARD: Owner("h1:core1", "first")}
    restarted = NodeView("h1:core1", "second", 2)
    _changes, after = decided(1, owners, {"h0:core0": NodeView("h0:core0", "boot", 2), "h1:core1": restarted})
    assert after[0] == Owner("h1:core1", "second")


def test_restarted_owner_that_is_still_starting_keeps_its_place() -> None:
    owners = {0: Owner("h1:core1", "first"), CONTROL_SHARD: Owner("h1:core1", "first")}
    starting = NodeView("h1:core1", "second", 0, answered=False)
    changes, _after = decided(1, owners, {"h0:core0": NodeView("h0:core0", "boot", 2), "h1:core1": starting})
    assert changes == {}


def test_lowest_key_is_promoted() -> None:
    views = {key: NodeView(key, "boot", 2) for key in ("h3:core", "h1:core", "h2:core")}
    _changes, after = decided(2, {}, views)
    assert [after[0].node_key, after[1].node_key] == ["h1:core", "h2:core"]


def test_coreapps_that_did_not_restart_since_set_shards_get_nothing() -> None:
    _changes, after = decided(1, {}, {"h1:core": NodeView("h1:core", "boot", 1)})
    assert 0 not in after


@given(
    heard_at=st.floats(0, 1000),
    delay=st.floats(0, 5),
    interval=st.floats(5, 60),
    lease_left=st.floats(0, 30),
    confirmed_at=st.floats(0, 1000),
    written_at=st.floats(0, 1000),
)
def test_an_owner_gives_up_before_its_successor_connects(
    heard_at: float, delay: float, interval: float, lease_left: float, confirmed_at: float, written_at: float
) -> None:
    """Whatever rule replaces it: the successor is chosen after that rule ran out, and waits for the confirmation."""
    chosen = min(heard_at + delay + min(interval, lease_left), written_at + LIVENESS_STALE)
    connects = max(chosen, min(confirmed_at + 2.0, written_at + LIVENESS_STALE))
    safe = decide.safe_after_heartbeat(heard_at, interval=interval, lease_left=lease_left)
    ends = decide.ownership_ends(
        safe_from_masters=safe, confirmed_at=confirmed_at, confirmed_for=2.0, written_at=written_at
    )
    assert ends <= connects


@given(views_of(secondaries=1), st.floats(0.1, 60))
def test_next_check_is_when_a_rule_first_fires(views: dict[str, NodeView], interval: float) -> None:
    waiting = {key: s for key, s in views.items() if not decide.unhealthy(s, interval=interval, db_trusted=0)}
    assume(waiting)
    wait = decide.next_check(waiting.values(), interval=interval)
    assert wait > 0
    silent = [s for s in waiting.values() if not s.answered and s.db_age <= LIVENESS_STALE]
    for view in silent:
        later = replace(
            view, silent=view.silent + interval, silent_elsewhere=tuple(s + interval for s in view.silent_elsewhere)
        )
        assert decide.unhealthy(later, interval=interval, db_trusted=0) == "heartbeat"
        assert wait <= interval + decide.CHECK_MARGIN


def test_a_node_that_was_not_notified_keeps_the_longer_interval() -> None:
    view = NodeView("h1:core", "boot", 2, silent=10.0, silent_elsewhere=(10.0,), answered=False, known_interval=30.0)
    assert decide.unhealthy(view, interval=5.0, db_trusted=LONG_TRUST) == ""
    assert decide.unhealthy(replace(view, known_interval=5.0), interval=5.0, db_trusted=LONG_TRUST) == "heartbeat"


def test_a_map_that_gives_one_node_two_shards_is_fixed() -> None:
    twice = Owner("h1:core1", "boot")
    _changes, after = decided(
        2, {0: twice, 1: twice}, {key: NodeView(key, "boot", 2) for key in ("h1:core1", "h2:core2")}
    )
    assert (after[0].node_key, after[1].node_key) == ("h1:core1", "h2:core2")


@given(st.data())
def test_after_set_shards_nobody_is_given_a_shard_beside_one_who_serves_as_before(data: st.DataObject) -> None:
    views = data.draw(views_of())
    known = {key: data.draw(st.sampled_from([1, 2])) for key in views}
    serving = {key for key in views if data.draw(st.booleans())}
    views = {key: replace(view, known_generation=known[key], serving=key in serving) for key, view in views.items()}
    owners = data.draw(owners_of(4))
    old = decide.serves_as_before(views, generation=2, owners=owners, interval=INTERVAL)
    named = {owner.node_key for owner in owners.values()}
    assert set(old) <= serving - named  # those of the new map serve by the new count
    for key in serving - named:
        knows_or_gave_up = known[key] == 2 or views[key].silent >= INTERVAL
        assert (key in old) != knows_or_gave_up
