"""The own-metrics settings that every agent is offered (spec section 6; OP-40)."""

from __future__ import annotations

import logging

from agents.gateway.options import Options, is_loopback
from agents.gateway.own_metrics.receiver import PATH
from agents.gateway.own_metrics.token import PLACEHOLDER
from agents.opamp.settings import Offer, settings_hash

logger = logging.getLogger(__name__)

OFF = "off"


def own_metrics_offer(options: Options, port: int) -> Offer | None:
    """Return the offer of this gateway, None when it makes none.

    The address agents reach is known by itself only on loopback. It is part of the offer's hash: a
    new address is offered anew, and a collector restarts to take it.
    """
    url = options.own_metrics_url
    if not url and is_loopback(options.host):
        url = f"{'https' if options.tls else 'http'}://{options.host}:{port}{PATH}"
    if url in ("", OFF):
        if not url:
            logger.info("Own metrics are not offered: --own-metrics-url says where to send them")
        return None
    settings = {
        "own_metrics": {
            "destination_endpoint": url,
            "headers": {"Authorization": f"Bearer {PLACEHOLDER}"},
        }
    }
    return Offer(settings, settings_hash(settings))
