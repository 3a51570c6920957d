"""Random selectors and agents from a small vocabulary, so that they often meet."""

from __future__ import annotations

from hypothesis import strategies as st

from agents.selectors.capabilities import BITS
from agents.selectors.matching import AgentLook
from agents.selectors.tree import (
    Capability,
    Exact,
    Exists,
    Glob,
    Label,
    Match,
    Order,
    Selector,
    VersionTerm,
    selector_of,
)

UIDS = [f"0193aaaa-0000-4000-8000-00000000000{n}" for n in range(4)]
KEYS = st.sampled_from(["env", "service.version", "in", "5", 'a "b"', "@x", "été", "a\\b"])
VERSIONS = st.sampled_from(["1.4.0", "v1.4", "1.10", "2.0.0-rc.1", "2.0.0", "0.9", "10"])
WORDS = st.sampled_from(
    ["prod", "", "a,b", "or", ">=1", "eu-west", "EU-west", "eu_west", "100%", "a*b", 'q"q', " x"]
)
TEXTS = st.one_of(VERSIONS, WORDS)
PATTERNS = st.sampled_from(["*", "eu-*", "eu?west", "*%", "1.*", "a\\b", "", "*-*t", "**"])
VALUES = st.one_of(
    st.builds(Exact, TEXTS),
    st.builds(Glob, PATTERNS),
    st.builds(VersionTerm, st.sampled_from(Order), VERSIONS),
)
VALUE_LISTS = st.lists(VALUES, min_size=1, max_size=3, unique=True).map(tuple)
COMPONENTS = st.sampled_from(["transform_processor", "otlp_receiver", "health_check_extension"])
FIELD_VALUES = {
    "name": st.one_of(
        st.builds(Exact, TEXTS),
        st.builds(Glob, PATTERNS),
        st.builds(VersionTerm, st.just(Order.EQ), VERSIONS),
    ),
    "status": st.one_of(
        st.builds(Exact, st.sampled_from(["unknown", "healthy", "offline"])),
        st.builds(Glob, st.sampled_from(["un*", "*", "x"])),
    ),
    "sick_component": st.one_of(
        st.builds(Exact, st.sampled_from(["exporter:otlp/eu", "exporter otlp/eu", "x"])),
        st.builds(Glob, st.sampled_from(["exporter:*", "*:otlp*", "*", "*/eu", ""])),
    ),
    "id": st.one_of(
        st.builds(Exact, st.sampled_from([UIDS[0], UIDS[1].replace("-", "").upper()])),
        st.builds(Glob, st.sampled_from(["0193AAAA*", "*1", "9*"])),
    ),
}
FIELD_TERMS = st.one_of(
    *(
        st.builds(
            Label,
            st.just(key),
            st.lists(values, min_size=1, max_size=2, unique=True).map(tuple),
            st.booleans(),
        )
        for key, values in FIELD_VALUES.items()
    ),
    st.builds(Exists, st.sampled_from(sorted(FIELD_VALUES)), st.booleans()),
)
TERMS = st.one_of(
    FIELD_TERMS,
    st.builds(Label, KEYS, VALUE_LISTS, st.booleans()),
    st.builds(Exists, KEYS, st.booleans()),
    st.builds(Capability, COMPONENTS, st.just(()), st.booleans()),
    st.builds(Capability, st.sampled_from(sorted(BITS)), st.just(()), st.booleans()),
    st.builds(Capability, KEYS, VALUE_LISTS, st.booleans()),
)
SELECTORS: st.SearchStrategy[Selector] = st.builds(
    selector_of, st.lists(TERMS, min_size=1, max_size=4), st.sampled_from(Match)
)
LOOKS = st.builds(
    AgentLook,
    st.dictionaries(KEYS, TEXTS, max_size=4),
    st.sets(
        st.sampled_from(["processor:transform", "receiver:otlp", "extension:health_check"])
    ).map(frozenset),
    st.integers(0, 0xFFFF),
    TEXTS.filter(lambda text: len(text) <= 200),
    st.sampled_from(UIDS),
    st.just("offline"),  # what an agent is that never connected
    st.just(()),
    st.sampled_from(["", "exporter otlp/eu", "receiver otlp", "x"]),
)
