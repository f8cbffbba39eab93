# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The index page: a browser shows it without a network, whatever the lines hold."""

from __future__ import annotations

import html.parser

from ansible_collections.waent.fleet.plugins.module_utils._check.log_events import Events
from ansible_collections.waent.fleet.plugins.module_utils._check.log_page import Run, page
from hypothesis import given
from hypothesis import strategies as st

RUN = Run("waent", "2026-11-29 19:00:00Z", "3h", ["h1"], [], [{"path": "hosts/h1/a/container.log", "bytes": 12}], [])


class Reader(html.parser.HTMLParser):
    """Tags and attributes as a browser sees them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        self.text.append(data)


def shown(lines, run=RUN):
    events = Events()
    events.add_log("h1", "a", "hosts/h1/a/container.log", lines)
    return page(run, events)


LINES = ["2026-11-29 19:00:01 E core died", "2026-11-29 19:00:00 I core began", "2026-11-29 19:00:02 W core slow"]


def test_errors_come_first_then_the_time_line_of_all():
    text = shown(LINES)
    errors, line = text.index('id="errors"'), text.index('id="line"')
    assert text.index("core died") < text.index("core slow") < line
    assert line < text.index("core began", line) < text.index("core died", line) < text.index("core slow", line)
    assert errors < line


def test_nothing_is_fetched_from_anywhere():
    reader = Reader(shown(["2026-11-29 19:00:00 E see https://h/x"]))
    assert not {"link", "img", "iframe", "object"} & set(reader.tags)
    assert all(link.startswith(("#", "hosts/")) for link in reader.links)
    assert "default-src 'none'" in shown([])


@given(st.lists(st.text(max_size=60), max_size=5), st.text(max_size=30))
def test_what_a_log_holds_is_text_and_never_markup(lines, cluster):
    plain = Reader(shown(["2026-11-29 19:00:00 E x"] * len(lines)))
    text = shown(["2026-11-29 19:00:00 E " + line.replace("\n", " ") for line in lines], RUN._replace(cluster=cluster))
    reader = Reader(text)
    assert set(reader.tags) <= set(plain.tags) | set(Reader(shown(["2026-11-29 19:00:00 E x"])).tags)
    text.encode("utf-8")


def test_a_tag_in_a_log_is_shown_and_a_line_that_is_too_long_is_cut():
    text = shown(["2026-11-29 19:00:00 E <script>alert(1)</script> " + "z" * 5000, "\x00\x1b[31m\udcff"])
    assert "&lt;script&gt;alert(1)" in text and "<script>alert" not in text
    assert "z" * 601 not in text


def test_what_is_missing_is_said_or_that_nothing_is():
    assert "every host was read" in shown([])
    text = shown([], RUN._replace(missing=["[LOGS_CUT] h1: the log of a is not whole"]))
    assert "the log of a is not whole" in text and "every host was read" not in text


def test_known_words_have_their_advice():
    assert "the disk is full: make room" in shown(["2026-11-29 19:00:00 E No space left on device"])
