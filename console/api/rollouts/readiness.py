"""`rollouts/{id}/readiness`: what preflight says of a rollout's targets now, target by target."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from console.api import paging, params
from console.api.rollouts.views import rollout_of
from console.api.shapes import readiness as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.texts import said
from rollouts.drafts.finding import Finding
from rollouts.drafts.finding_agents import targets_of
from rollouts.drafts.readiness import about, readiness_of, targets_with
from rollouts.models import Target


class Readiness(ApiView):
    verbs = {"GET": "rollouts.view"}

    @extend_schema(
        operation_id="rollouts_readiness",
        parameters=[params.CHECK, params.LEVEL, *params.PAGE],
        responses=shapes.Readiness,
    )
    def get(self, request: Request, pk: int) -> Answer[shapes.Readiness]:
        """Every finding of preflight, and the targets with what was found about each.

        Without `check` or `level` all targets are listed, with them those that it is about.
        """
        rollout = rollout_of(self, pk)
        check, level = params.CHECK.of(request), params.LEVEL.of(request)
        findings = readiness_of(rollout)
        asked = [f for f in findings if check in ("", f.check) and level in ("", f.level)]
        rows = targets_with(rollout, asked) if check or level else targets_of(rollout)
        page, following = paging.newest(rows.select_related("agent", "phase"), request)
        return Answer(
            {
                "findings": [_finding(finding) for finding in findings],
                "targets": [_target(target, findings) for target in page],
                "next": following,
            }
        )


def _finding(finding: Finding) -> shapes.Finding:
    return {
        "check": finding.check,
        "level": finding.level,
        "count": finding.count,
        "text": said(finding.text),
        "samples": list(finding.samples),
        "about_agents": finding.concern is not None,
        "can_override": finding.can_override,
    }


def _target(target: Target, findings: list[Finding]) -> shapes.ReadyTarget:
    return {
        "agent": str(target.agent.instance_uid),
        "name": target.agent.name,
        "phase": target.phase.name,
        "findings": [{"check": f.check, "level": f.level} for f in about(target, findings)],
    }
