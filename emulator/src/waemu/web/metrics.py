"""What the webapp counts about itself (reference 8), and the two forms in which metrics are shown."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Metric:
    """One metric: samples are pairs of labels and value. C(kind) is gauge or counter."""

    name: str
    help: str
    kind: str
    samples: tuple[tuple[t.Mapping[str, str], float], ...]


def as_json(metrics: t.Iterable[Metric]) -> dict[str, t.Any]:
    """C({name: {data: [{labels, value}], help, type}})."""
    return {
        metric.name: {
            "data": [{"labels": dict(labels), "value": value} for labels, value in metric.samples],
            "help": metric.help,
            "type": metric.kind,
        }
        for metric in metrics
    }


def as_prometheus(metrics: t.Iterable[Metric]) -> str:
    """The Prometheus text format."""
    lines: list[str] = []
    for metric in metrics:
        lines.append(f"# HELP {metric.name} {_escaped(metric.help)}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        lines.extend(f"{metric.name}{_labels(labels)} {_number(value)}" for labels, value in metric.samples)
    return "\n".join(lines) + "\n"


PROMETHEUS_TYPE: t.Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class Metrics:
    """Counters of one webapp. C(started) and C(now) are monotonic seconds; C(connections) counts open ones."""

    node: str
    started: float
    now: t.Callable[[], float]
    connections: t.Callable[[], int] = lambda: 0
    in_flight: int = 0
    _most_in_flight: int = 0
    _states: Counter[str] = field(default_factory=Counter)
    _durations: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def begin(self) -> None:
        """A request has arrived."""
        self.in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self.in_flight)
        self._states["received"] += 1

    def end(self, method: str, status: int, milliseconds: float) -> None:
        """A request was answered. C(method) is an endpoint's metric name."""
        self.in_flight -= 1
        self._states["handled"] += 1
        total = self._durations.setdefault((method, str(status)), [0.0, 0.0])
        total[0] += milliseconds
        total[1] += 1

    def collect(self) -> list[Metric]:
        """All of them, as they are now."""
        return [*self._server(), *self._requests()]

    def _server(self) -> list[Metric]:
        one = {"node": self.node}
        gauges = {
            "web_uptime": ("Seconds since the web server started", round(self.now() - self.started, 3)),
            "web_connections": ("Open connections", self.connections()),
            "web_pending_connections": ("Requests being worked on", self.in_flight),
            "web_max_pending_connections": ("Most requests worked on at once", self._most_in_flight),
            "web_queue_len": ("Requests waiting for a worker", 0),
            "web_idle_processes": ("Workers without a request", int(self.in_flight == 0)),
            "web_total_processes": ("Workers", 1),
        }
        found = [Metric(name, text, "gauge", ((one, value),)) for name, (text, value) in gauges.items()]
        states = tuple(({"node": self.node, "state": state}, float(self._states[state])) for state in _STATES)
        return [*found, Metric("web_requests", "Requests by state", "gauge", states)]

    def _requests(self) -> list[Metric]:
        name = "api_requests_duration_ms"
        keys = sorted(self._durations)
        labels = [{"method": method, "result": result, "node": self.node} for method, result in keys]
        sums = tuple((label, round(self._durations[key][0], 3)) for label, key in zip(labels, keys, strict=True))
        counts = tuple((label, self._durations[key][1]) for label, key in zip(labels, keys, strict=True))
        return [
            Metric(f"{name}_sum", "Milliseconds spent on requests", "counter", sums),
            Metric(f"{name}_count", "Requests", "counter", counts),
        ]


_STATES: t.Final = ("received", "handled")


def _labels(labels: t.Mapping[str, str]) -> str:
    if not labels:
        return ""
    inside = ",".join(f'{name}="{_escaped(value, quotes=True)}"' for name, value in labels.items())
    return "{" + inside + "}"


def _escaped(text: str, *, quotes: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
