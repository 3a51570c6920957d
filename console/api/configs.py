"""`configs` and their versions, and the upload of a raw body."""

from __future__ import annotations

from typing import cast

from django.db.models import Max, QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from console.api import paging, params
from console.api.idempotency import once
from console.api.links import page
from console.api.parsers import RawParser
from console.api.shapes import configs as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView, raw
from console.lib.problems import FieldError, Invalid, Missing
from console.lib.texts import text as say
from rollouts.actions.files.upload_config import upload_config
from rollouts.configs.findings import worded
from rollouts.models import Config, ConfigVersion


class Upload(ApiView):
    verbs = {"POST": "configs.write"}
    parser_classes = [RawParser]

    @extend_schema(
        operation_id="config_upload",
        parameters=[
            *(params.CONFIG_NAME, params.MESSAGE),
            *(params.CONFIG_SIGNATURE, params.IDEMPOTENCY_KEY),
        ],
        request={"application/yaml": OpenApiTypes.BINARY},
        responses={201: shapes.Uploaded, 200: shapes.Uploaded},
    )
    @once
    def post(self, request: Request) -> Answer[shapes.Uploaded]:
        """Store the body, exactly as it is, as the next version of config `name`.

        201 with the new version; 200 with the version that already has the same bytes. The signature
        comes a moment later, by the signer, unless one by a trusted key is sent along.
        """
        name = params.CONFIG_NAME.of(request)
        if not name:
            wrong = [FieldError("name", say("api.no_name_in_address"))]
            raise Invalid("api.say_which_config", errors=wrong)
        body = raw(request)
        uploaded = upload_config(
            name=name,
            body=body,
            by=self.actor,
            message=params.MESSAGE.of(request),
            signature=request.headers.get(params.CONFIG_SIGNATURE.name, ""),
        )
        version = versions().get(pk=uploaded.version.pk)
        return Answer(uploaded_row(version), status=201 if uploaded.created else 200)


class ConfigList(ApiView):
    verbs = {"GET": "configs.view"}

    @extend_schema(operation_id="configs_list", responses=shapes.ConfigList)
    def get(self, request: Request) -> Answer[shapes.ConfigList]:
        """Every config with the number of its newest version."""
        configs = Config.objects.annotate(latest=Max("versions__number")).order_by("name")
        return Answer({"configs": [_config_row(config) for config in configs]})


class VersionList(ApiView):
    verbs = {"GET": "configs.view"}

    @extend_schema(
        operation_id="configs_versions",
        parameters=params.PAGE,
        responses=shapes.VersionList,
    )
    def get(self, request: Request, name: str) -> Answer[shapes.VersionList]:
        """The versions of a config, newest first, without their bodies."""
        rows = versions().filter(config=config_of(name))
        found, following = paging.newest(rows, request, "number")
        shown = [version_row(version) for version in found]
        return Answer({"name": name, "versions": shown, "next": following})


class VersionDetail(ApiView):
    verbs = {"GET": "configs.view"}

    @extend_schema(operation_id="configs_version", responses=shapes.Version)
    def get(self, request: Request, name: str, number: str) -> Answer[shapes.Version]:
        """One version; `number` may be `latest`."""
        return Answer(version_row(version_of(name, number)))


class VersionBody(ApiView):
    verbs = {"GET": "configs.view"}

    @extend_schema(
        operation_id="configs_version_body",
        responses={(200, "application/yaml"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, name: str, number: str) -> HttpResponse:
        """The exact bytes of a version. Their SHA-256 is the config hash, which is the ETag."""
        version = version_of(name, number)
        etag = f'"{version.config_hash}"'
        if request.headers.get("If-None-Match") == etag:
            return HttpResponse(status=304, headers={"ETag": etag})
        body = ConfigVersion.objects.values_list("body_ref__body", flat=True).get(pk=version.pk)
        filename = f"{name}-v{version.number}.yaml"
        headers = {
            "ETag": etag,
            "Cache-Control": "private, no-cache",
            "Content-Disposition": f'inline; filename="{filename}"',
        }
        return HttpResponse(bytes(body), content_type="application/yaml", headers=headers)


def versions() -> QuerySet[ConfigVersion]:
    """Return versions with what a row says, without reading any body."""
    rows = ConfigVersion.objects.select_related("config", "author", "body_ref")
    return rows.defer("body_ref__body").with_signature()


def config_of(name: str) -> Config:
    """Return a config by name. Raises Missing."""
    config = Config.objects.filter(name=name).first()
    if config is None:
        raise Missing("config.missing", name=name)
    return config


def version_of(name: str, number: str) -> ConfigVersion:
    """Return a version by number, or `latest`. Raises Missing."""
    rows = versions().filter(config=config_of(name)).order_by("-number")
    if number != "latest":
        is_number = number.isascii() and number.isdecimal() and len(number) < 10
        rows = rows.filter(number=int(number) if is_number else -1)
    version = rows.first()
    if version is None:
        raise Missing("config.no_version", name=name, number=number[:20])
    return version


def uploaded_row(version: ConfigVersion) -> shapes.Uploaded:
    """Return what an upload answers; `url` is the version's page."""
    name = version.config.name
    return {
        "name": name,
        "version": version.number,
        "config_hash": version.config_hash,
        "signature": version.signature,
        "checks": [cast(shapes.Check, worded(check)) for check in version.checks],
        "url": page(f"configs/{name}/v/{version.number}/"),
    }


def version_row(version: ConfigVersion) -> shapes.Version:
    """Return one version, without its body."""
    return {
        **uploaded_row(version),
        "message": version.message,
        "author": version.author.get_username() if version.author else None,
        "created_at": version.created_at,
        "size_bytes": version.body_ref.size_bytes,
    }


def _config_row(config: Config) -> shapes.Config:
    return {
        "name": config.name,
        "description": config.description,
        "latest": getattr(config, "latest", None),
        "created_at": config.created_at,
    }
