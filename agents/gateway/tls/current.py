"""What new connections start TLS with now, and how that changes without dropping anybody (R7).

A change makes a complete new context; it is looked at whole before it takes the place of the old one,
which the connections that it began keep. What cannot be used changes nothing.
"""

from __future__ import annotations

import logging
import ssl
from datetime import UTC, datetime

from agents.gateway.metrics import Metrics
from agents.gateway.options import TlsOptions
from agents.gateway.tls.bundle import Bundle
from agents.gateway.tls.context import make_context
from agents.gateway.tls.files import (
    ServerPair,
    TlsProblem,
    check_successor,
    content_of,
    read_authorities,
    read_pair,
)
from agents.gateway.tls.told import RELOAD_FAILED, RELOADED, Told
from console.lib.certificate_making import is_address
from console.lib.certificates import common_name_of
from console.lib.texts import Text, said, text

logger = logging.getLogger(__name__)


class CurrentTls:
    """The context of new connections. `begin` first; `context` is then never without one."""

    context: ssl.SSLContext
    pair: ServerPair

    def __init__(self, options: TlsOptions, metrics: Metrics) -> None:
        self.options = options
        self._metrics = metrics
        self._bundle = Bundle()
        self._content: tuple[bytes, ...] = ()
        self._untold: list[Told] = []

    def begin(self, bundle: Bundle) -> None:
        """Read everything for the first time. Raises TlsProblem."""
        if self.options.client_ca is not None:
            read_authorities(self.options.client_ca)
        self._content = self._read()
        self._take(read_pair(self.options.certificate, self.options.key), bundle)
        self._say_weaknesses()

    def has_other_files(self) -> bool:
        """Tell whether the files hold something else than at the last look."""
        return self._read() != self._content

    def renew(self, bundle: Bundle) -> None:
        """Take files and authorities as they are now. Files that cannot be used change nothing, which
        is said and counted once for each change of theirs; authorities change all the same."""
        content = self._read()
        pair, has_files = self.pair, content != self._content
        self._content = content
        try:
            if has_files:
                pair = self._successor()
            if has_files or bundle != self._bundle:
                self._take(pair, bundle)
                self._metrics.tls_reloads.labels("ok").inc()
                logger.info(RELOADED, extra={"authorities": len(bundle.anchors)})
                self._untold.append(Told(RELOADED, pair.file, authorities=len(bundle.anchors)))
            if has_files:
                self._metrics.tls_unusable.set(0)
                self._say_weaknesses()
        except TlsProblem as bad:
            self._metrics.tls_reloads.labels("failed").inc()
            self._metrics.tls_unusable.set(1)
            logger.error("%s: the earlier files still serve: %s", RELOAD_FAILED, bad)
            self._untold.append(Told(RELOAD_FAILED, self.pair.file, why=str(bad)))
            if bundle != self._bundle:
                self._take(self.pair, bundle)

    def take_untold(self) -> list[Told]:
        """Return the changes since the last call."""
        untold, self._untold = self._untold, []
        return untold

    def _successor(self) -> ServerPair:
        pair = read_pair(self.options.certificate, self.options.key)
        check_successor(pair, self.pair, datetime.now(UTC))
        if self.options.client_ca is not None:
            read_authorities(self.options.client_ca)
        return pair

    def _take(self, pair: ServerPair, bundle: Bundle) -> None:
        try:
            self.context = make_context(self.options, pair, bundle.certificates)
        except (ssl.SSLError, OSError) as bad:
            raise TlsProblem("tls.pair_unusable", file=pair.file, why=str(bad)) from bad
        self.pair, self._bundle = pair, bundle
        self._metrics.tls_expiry.set(pair.leaf.not_valid_after_utc.timestamp())

    def _read(self) -> tuple[bytes, ...]:
        return content_of(self.options.certificate, self.options.key, self.options.client_ca)

    def _say_weaknesses(self) -> None:
        """Say what works and should not stay."""
        file = self.pair.file
        if not self.pair.has_names:
            logger.warning(said(_no_names(self.pair)))
        if self.pair.leaf.not_valid_after_utc <= datetime.now(UTC):
            logger.error(said(text("tls.has_expired", file=file)))
        if self.options.allows_tls12:
            logger.warning(said(text("tls.allows_12")))


def _no_names(pair: ServerPair) -> Text:
    name = common_name_of(pair.leaf) or "HOST"
    kind = "IP" if is_address(name) else "DNS"
    return text("tls.no_names", file=pair.file, key=pair.key_file, name=name, kind=kind)
