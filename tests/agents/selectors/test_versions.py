from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from agents.selectors.versions import version_key, version_keys

SEMVER_ORDER = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.9.0",
    "1.10.0",
    "2.0.0",
]
PEP440_ORDER = [
    "1.0.dev456",
    "1.0a1",
    "1.0a2.dev456",
    "1.0a12.dev456",
    "1.0a12",
    "1.0b1.dev456",
    "1.0b2",
    "1.0b2.post345.dev456",
    "1.0b2.post345",
    "1.0rc1.dev456",
    "1.0rc1",
    "1.0",
    "1.0.post456.dev34",
    "1.0.post456",
    "1.1.dev1",
    "1!0.1",
]


def key(text: str) -> str:
    found = version_key(text)
    assert found is not None, text
    return found


@pytest.mark.parametrize("order", [SEMVER_ORDER, PEP440_ORDER], ids=["semver", "pep440"])
def test_keys_sort_in_the_order_of_the_standard(order: list[str]) -> None:
    assert sorted(order, key=key) == order
    assert len({key(text) for text in order}) == len(order)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("v1.4.0", "1.4.0"),
        ("V1.4", "1.4.0"),
        ("1.4", "1.4.0.0"),
        ("1.0.0+build.7", "1.0.0"),
        ("1.0.0-rc.1", "1.0.0rc1"),
        ("1.0.0-rc1", "1.0.0rc1"),
        ("1.0.0-ALPHA1", "1.0a1"),
        ("01.2.3", "1.2.3"),
    ],
)
def test_different_writings_of_a_version_are_equal(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("0.96.0-20240305-abcdef", "0.96.0"),
        ("0.142.1-dev", "0.142.1"),
        ("1.2.3-1", "1.2.3"),
        ("1.2.3.4-foo", "1.2.3.4"),
        ("1.2.3-rc2", "1.2.3-rc10"),
        ("9.0", "10.0"),
    ],
)
def test_a_lower_version_has_a_lower_key(lower: str, higher: str) -> None:
    assert key(lower) < key(higher)


@pytest.mark.parametrize(
    "text", ["", "prod", "eu-west", "v", "1.", "1..2", "1.2.3 4", "9" * 21, "1." * 70 + "1", "१.२"]
)
def test_what_is_not_a_version_has_no_key(text: str) -> None:
    assert version_key(text) is None


def test_only_labels_that_are_versions_get_keys() -> None:
    assert set(version_keys({"env": "prod", "version": "1.4.0", "tier": "2"})) == {
        "version",
        "tier",
    }


NUMBER = st.integers(0, 10**6).map(str)
RELEASE = st.lists(NUMBER, min_size=1, max_size=2).map(".".join)
PEP440 = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "1!"]),
        RELEASE,
        st.one_of(st.just(""), st.tuples(st.sampled_from(["a", "b", "rc"]), NUMBER).map("".join)),
        st.one_of(st.just(""), NUMBER.map(".post{}".format)),
        st.one_of(st.just(""), NUMBER.map(".dev{}".format)),
    ),
)


@given(PEP440, PEP440)
def test_keys_agree_with_pep_440(one: str, other: str) -> None:
    assert (key(one) < key(other)) == (Version(one) < Version(other))
    assert (key(one) == key(other)) == (Version(one) == Version(other))


@given(st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    found = version_key(text)
    assert found is None or found.isascii()
