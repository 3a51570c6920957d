from __future__ import annotations

import pytest

from rollouts.analysis.identity import (
    STRANGER,
    Names,
    Resolver,
    Targets,
    agent_labels,
    names_of,
    strongest,
)

USUAL = ("service_instance_id", "instance", "host_name", "k8s_pod_name")
ATTRIBUTES = ("service.instance.id", "host.name", "k8s.pod.name")


def resolver(*labels: str) -> Resolver:
    """Two agents: 1 on host web-1, 2 in a pod; 1 and 3 share a host."""
    names = Names()
    agents = {
        1: names_of("uid-1", ATTRIBUTES, (None, "web-1", None)),
        2: names_of("uid-2", ATTRIBUTES, ("own-2", None, "pod-2")),
        3: names_of("uid-3", ATTRIBUTES, (None, "web-1", None)),
    }
    for agent, found in agents.items():
        for attribute, value in found:
            names.add(agent, attribute, value)
    return Resolver(agent_labels(labels or USUAL), names, Targets())


@pytest.mark.parametrize(
    ("labels", "agents"),
    [
        ({"service_instance_id": "uid-1"}, {1}),
        ({"service_instance_id": "own-2"}, {2}),
        ({"service_instance_id": "uid-2"}, {2}),
        ({"instance": "uid-2"}, {2}),
        ({"instance": "10.0.0.1:8888", "k8s_pod_name": "pod-2"}, {2}),
        ({"host_name": "web-1"}, {1, 3}),
        ({"instance": "web-1:9100"}, set()),
        ({"service_instance_id": "somebody", "host_name": "web-1"}, set()),
        ({"job": "shop"}, set()),
        ({}, set()),
    ],
)
def test_a_series_is_whose_label_fits_first(labels: dict[str, str], agents: set[int]) -> None:
    assert resolver().fit(labels).agents == agents


def test_a_target_is_who_its_target_info_says() -> None:
    found = resolver()
    ours = {"job": "collectors", "instance": "a:8888"}
    theirs = {"job": "collectors", "instance": "b:8888"}
    found.add_target({**ours, "__name__": "target_info", "service_instance_id": "uid-1"})
    found.add_target({**theirs, "__name__": "target_info", "service_instance_id": "else"})
    assert found.fit(ours).agents == {1}
    assert found.fit({"instance": "a:8888"}).agents == {1}
    assert found.fit({**theirs, "host_name": "web-1"}) is STRANGER
    assert found.fit({"job": "node", "instance": "a:8888"}) is STRANGER


def test_a_gateway_that_passes_on_what_others_say_is_none_of_them() -> None:
    found = resolver()
    through = {"job": "gateway", "instance": "gw:8889"}
    for uid in ("uid-1", "uid-2"):
        found.add_target({**through, "__name__": "target_info", "service_instance_id": uid})
    assert found.fit({**through, "service_instance_id": "uid-2"}).agents == {2}
    assert found.fit(through) is STRANGER


def test_an_address_of_a_collector_is_its_host_but_any_other_is_not() -> None:
    names = Names()
    names.add(1, "host.name", "web-1")
    found = Resolver(agent_labels(USUAL), names, Targets())
    found.add_target({"__name__": "otelcol_process_uptime_seconds_total", "instance": "web-1:8888"})
    found.add_target({"__name__": "target_info", "instance": "web-1:9100"})
    assert found.fit({"instance": "web-1:8888"}).agents == {1}
    assert found.fit({"instance": "web-1:9100"}) is STRANGER


def test_a_host_says_less_than_an_id() -> None:
    found = resolver()
    fits = [found.fit({"host_name": "web-1"}), found.fit({"service_instance_id": "uid-1"})]
    assert strongest(fits) == {1: 0, 3: 2}
    assert [fit.is_sure for fit in fits] == [False, True]


def test_the_setting_can_map_a_label_to_an_attribute() -> None:
    (label,) = agent_labels(["node = host.name"])
    assert (label.label, label.attribute) == ("node", "host.name")
    assert resolver("node=host.name").fit({"node": "web-1"}).agents == {1, 3}
    with pytest.raises(ValueError, match="not a label"):
        agent_labels(["a-b"])
