"""The one function that says whether a certificate is good (R9): cases, and properties over all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.gateway.tls.verify import MAX_CHAIN, PeerRefused, verify_peer
from console.lib.certificate_making import Pair
from console.lib.certificates import read_der
from tests.agents.gateway.tls.odd import Openssl
from tests.make import certificates

NOW = datetime.now(UTC) + timedelta(hours=1)  # openssl signs from the present second on
SAN = "subjectAltName=URI:spiffe://x/agent/1\n"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Openssl:
    made = Openssl(tmp_path_factory.mktemp("openssl"))
    made.authority()
    return made


def code(chain: Sequence[Pair], anchors: Sequence[Pair], now: datetime = NOW) -> str:
    """Return "ok", or why the first of the chain is refused."""
    try:
        found = verify_peer(
            [one.certificate for one in chain], [one.certificate for one in anchors], now
        )
    except PeerRefused as refused:
        return refused.code
    assert found.leaf == chain[0].certificate
    assert found.anchor in [one.certificate for one in anchors]
    return "ok"


@pytest.mark.parametrize(
    ("extensions", "outcome"),
    [
        ("", "ok"),  # version 1: a CN and nothing else
        (SAN, "ok"),
        ("keyUsage=digitalSignature\n", "ok"),  # version 3 with a CN only
        ("extendedKeyUsage=clientAuth,serverAuth\n", "ok"),
        ("extendedKeyUsage=serverAuth\n", "certificate_wrong_use"),
        ("keyUsage=keyEncipherment\n", "certificate_wrong_use"),
        ("basicConstraints=CA:TRUE\n", "certificate_wrong_use"),
        ("1.2.3.4=critical,DER:0101FF\n", "certificate_wrong_use"),
        ("1.2.3.4=DER:0101FF\n", "ok"),
    ],
)
def test_what_openssl_makes(plain: Openssl, extensions: str, outcome: str) -> None:
    assert code([plain.leaf("edge", extensions)], [plain.pair("ca")]) == outcome


@pytest.mark.parametrize("extensions", ["", SAN])
@pytest.mark.parametrize("kind", ["rsa:1024", "ed25519", "ec secp256k1", "ec P-384", "rsa:2048"])
def test_kinds_of_keys(plain: Openssl, kind: str, extensions: str) -> None:
    name, _, curve = kind.partition(" ")
    words = ("-newkey", name, *(("-pkeyopt", f"ec_paramgen_curve:{curve}") if curve else ()))
    found = code([plain.leaf("kind", extensions, key_words=words)], [plain.pair("ca")])
    is_weak = kind in {"rsa:1024", "ec secp256k1"}
    assert found == ("certificate_weak" if is_weak else "ok")


def test_an_authority_on_ed25519(tmp_path: Path) -> None:
    made = Openssl(tmp_path, key_words=("-newkey", "ed25519"))
    ca = made.authority()
    assert code([made.leaf("a", SAN, digest="-sha512")], [ca]) == "ok"


def test_sha_1_is_refused(plain: Openssl) -> None:
    ca = plain.pair("ca")
    assert code([plain.leaf("old", "", digest="-sha1")], [ca]) == "certificate_weak"
    assert code([plain.leaf("old", SAN, digest="-sha1")], [ca]) == "certificate_untrusted"


class TestChains:
    def test_an_intermediate_leads_to_the_root_or_is_trusted_itself(self, plain: Openssl) -> None:
        between = plain.leaf("between", "basicConstraints=critical,CA:TRUE\n")
        leaf = plain.leaf("below", SAN, ca="between")
        root = plain.pair("ca")
        assert code([leaf, between], [root]) == "ok"
        assert code([leaf], [between]) == "ok"
        assert code([leaf], [root]) == "certificate_untrusted"
        assert code([leaf, between], []) == "certificate_untrusted"

    def test_version_1_has_nothing_between(self, plain: Openssl) -> None:
        between = plain.leaf("between", "basicConstraints=critical,CA:TRUE\n")
        leaf = plain.leaf("below", "", ca="between")
        assert code([leaf, between], [plain.pair("ca")]) == "certificate_untrusted"
        assert code([leaf], [between]) == "ok"

    @pytest.mark.parametrize("extensions", ["", SAN])
    @pytest.mark.parametrize(
        "of_the_authority",
        [
            "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature\n",
            "basicConstraints=critical,CA:TRUE\nextendedKeyUsage=serverAuth\n",
            "basicConstraints=critical,CA:TRUE\nnameConstraints=critical,permitted;URI:.other\n",
            "basicConstraints=critical,CA:FALSE\n",
            "",
        ],
    )
    def test_who_may_not_sign_has_signed_nothing(
        self, plain: Openssl, of_the_authority: str, extensions: str
    ) -> None:
        signer = plain.leaf("signer", of_the_authority)
        leaf = plain.leaf("below", extensions, ca="signer")
        assert code([leaf, signer], [plain.pair("ca")]) == "certificate_untrusted"
        if (
            not of_the_authority
            or "CA:FALSE" in of_the_authority
            or "Constraints=" not in extensions
        ):
            assert code([leaf], [signer]) in {"certificate_untrusted", "certificate_weak"}

    def test_a_path_length_holds(self, plain: Openssl) -> None:
        short = plain.leaf("short", "basicConstraints=critical,CA:TRUE,pathlen:0\n")
        longer = plain.leaf("longer", "basicConstraints=critical,CA:TRUE\n", ca="short")
        assert code([plain.leaf("a", SAN, ca="short"), short], [plain.pair("ca")]) == "ok"
        leaf = plain.leaf("b", SAN, ca="longer")
        assert code([leaf, longer, short], [plain.pair("ca")]) == "certificate_untrusted"

    def test_none_and_too_many(self, plain: Openssl) -> None:
        leaf, ca = plain.leaf("edge", SAN), plain.pair("ca")
        assert code([leaf] * (MAX_CHAIN + 1), [ca]) == "certificate_unreadable"
        with pytest.raises(PeerRefused):
            verify_peer([], [ca.certificate], NOW)


class TestTimes:
    @pytest.mark.parametrize("extensions", ["", SAN])
    def test_too_late_and_too_early_are_told_apart(self, plain: Openssl, extensions: str) -> None:
        leaf, ca = plain.leaf("timed", extensions), plain.pair("ca")
        ends = leaf.certificate.not_valid_after_utc
        begins = leaf.certificate.not_valid_before_utc
        assert code([leaf], [ca], ends - timedelta(seconds=1)) == "ok"
        assert code([leaf], [ca], ends) == "certificate_expired"
        assert code([leaf], [ca], ends + timedelta(days=3650)) == "certificate_expired"
        assert code([leaf], [ca], begins) == "ok"
        assert code([leaf], [ca], begins - timedelta(seconds=1)) == "certificate_not_yet_valid"

    @pytest.mark.parametrize("extensions", ["", SAN])
    def test_who_is_late_is_told_so_by_an_authority_issued_anew(
        self, plain: Openssl, extensions: str
    ) -> None:
        leaf = plain.leaf("timed", extensions)
        anew = certificates.reissued(plain.pair("ca"), begins_in_d=15, ends_in_d=90)
        assert code([leaf], [anew], NOW + timedelta(days=20)) == "certificate_expired"
        assert code([leaf], [anew], NOW) == "certificate_untrusted"

    @pytest.mark.parametrize("extensions", ["", SAN])
    def test_a_stranger_is_not_told_that_he_is_late(self, plain: Openssl, extensions: str) -> None:
        leaf = plain.leaf("timed", extensions)
        late = leaf.certificate.not_valid_after_utc + timedelta(days=1)
        assert code([leaf], [certificates.authority()], late) == "certificate_untrusted"

    @pytest.mark.parametrize("extensions", ["", SAN])
    def test_an_authority_has_its_time_too(self, tmp_path: Path, extensions: str) -> None:
        made = Openssl(tmp_path)
        ca = made.authority()
        leaf = made.leaf("longlived", extensions)
        end = ca.certificate.not_valid_after_utc + timedelta(seconds=1)
        assert code([leaf], [ca], end) == "certificate_expired"  # ten days against thirty
        made.folder.joinpath("short.crt").write_bytes(
            certificates.reissued(ca, ends_in_d=2).certificate.public_bytes(Encoding.PEM)
        )
        short = x509.load_pem_x509_certificate(made.folder.joinpath("short.crt").read_bytes())
        with pytest.raises(PeerRefused) as refused:
            verify_peer([leaf.certificate], [short], NOW + timedelta(days=3))
        assert refused.value.code == "certificate_untrusted"


def _der(pair: Pair) -> bytes:
    return pair.certificate.public_bytes(Encoding.DER)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@settings(max_examples=400, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("extensions", ["", SAN])
def test_no_change_of_a_certificate_is_ever_good(
    plain: Openssl, extensions: str, data: st.DataObject
) -> None:
    """Whatever bits are turned: it is refused with PeerRefused, or what was signed is what it was."""
    leaf, ca = _leaf(plain, extensions), plain.pair("ca")
    original = _der(leaf)
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place] ^= data.draw(st.integers(1, 255))
    try:
        certificate = read_der(bytes(changed))
    except ValueError:
        return
    try:
        found = verify_peer([certificate], [ca.certificate], NOW)
    except PeerRefused:
        return
    assert found.leaf.tbs_certificate_bytes == leaf.certificate.tbs_certificate_bytes


_leaves: dict[str, Pair] = {}


def _leaf(plain: Openssl, extensions: str) -> Pair:
    if extensions not in _leaves:
        _leaves[extensions] = plain.leaf("property", extensions)
    return _leaves[extensions]


@settings(max_examples=60, deadline=None)
@given(
    offset_s=st.integers(-20 * 86400, 40 * 86400),
    others=st.lists(st.integers(0, 2), max_size=3),
    is_trusted=st.booleans(),
    extensions=st.sampled_from(["", SAN]),
)
def test_it_is_good_exactly_within_its_time_and_trust(
    plain: Openssl, offset_s: int, others: list[int], is_trusted: bool, extensions: str
) -> None:
    """Other authorities, and other certificates sent along, change nothing either way."""
    leaf, ca = _leaf(plain, extensions), plain.pair("ca")
    strangers = _STRANGERS
    anchors = [strangers[n] for n in others] + ([ca] if is_trusted else [])
    now = NOW + timedelta(seconds=offset_s)
    facts = leaf.certificate
    outcome = code([leaf, *(strangers[n] for n in others)], anchors, now)
    if not is_trusted:
        assert outcome == "certificate_untrusted"
    elif now >= facts.not_valid_after_utc:
        assert outcome == "certificate_expired"
    elif now < facts.not_valid_before_utc:
        assert outcome == "certificate_not_yet_valid"
    else:
        assert outcome == "ok"


_STRANGERS = [certificates.authority(name) for name in ("Plain ca", "A", "B")]
