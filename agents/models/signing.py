from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from agents.models.delivery import ConfigBody, Desired
from agents.signing.manifest import RENEW_BEFORE
from agents.signing.signed import Signed
from console.lib.text_column import TextColumn


class SigningKey(models.Model):
    """The public half of a key whose signatures of configs are believed (security.md section 5).

    The private half is with the signer, or elsewhere. Keys overlap: all that are not bad verify.
    """

    key_id = models.CharField(max_length=32, primary_key=True)
    name = models.CharField(max_length=100)
    public_pem = models.TextField()
    # Of our own signer, or of somebody else whose signatures are uploaded.
    is_ours = models.BooleanField()
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=150)
    bad_at = models.DateTimeField(null=True)
    bad_by = models.CharField(max_length=150, blank=True)
    bad_why = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.key_id[:8]})"


class SignedVersionQuerySet(models.QuerySet["SignedVersion"]):
    def good(self) -> Self:
        """Those that carry a signature by a key that is not bad. Whether it verifies is another
        question (`agents.signing.verifies`)."""
        return self.exclude(signature="").filter(key__bad_at=None)

    def waiting(self, now: datetime) -> Self:
        """Those that the signer has something to do for: new ones, ones asked for again, ones whose
        key went bad, and manifests about to expire of versions that somebody should run."""
        in_use = Exists(Desired.objects.filter(config_hash=OuterRef("body_id")))
        return self.filter(
            Q(signed_at=None)
            | Q(asked_at__gt=F("signed_at"))
            | Q(key__bad_at__isnull=False)
            | Q(manifest_key__bad_at__isnull=False)
            | (Q(expires_at__lt=now + RENEW_BEFORE) & in_use)
        )


class SignedVersion(models.Model):
    """The signature of one version of a config, and the manifest that says what it is (R32, R33).

    Made with the version, empty; the signer fills it. `asked_at` newer than `signed_at` asks it for
    a new manifest, e.g. one that names the version this one takes the place of (`rollback_of`).
    """

    class Origin(models.TextChoices):
        SIGNER = "signer"
        UPLOAD = "upload"

    config_name = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    body = models.ForeignKey(
        ConfigBody, models.PROTECT, related_name="signed", db_column="config_hash"
    )
    key = models.ForeignKey(SigningKey, models.PROTECT, null=True, related_name="signed")
    signature = models.TextField(blank=True)
    origin = models.CharField(max_length=8, choices=Origin.choices, blank=True)
    manifest = models.TextField(blank=True)
    manifest_key = models.ForeignKey(SigningKey, models.PROTECT, null=True, related_name="+")
    manifest_signature = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True)
    rollback_of = models.PositiveIntegerField(null=True)
    asked_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True)
    error = TextColumn(blank=True)

    objects = SignedVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["config_name", "version"], name="one_signature_a_version"
            ),
        ]

    def __str__(self) -> str:
        return f"signature of {self.config_name} v{self.version}"

    def signed(self) -> Signed:
        """Return what travels of it, once there is a signature (`good`)."""
        assert self.key is not None
        return Signed(
            config_hash=self.body_id,
            signature=self.signature,
            key_id=self.key.key_id,
            public_pem=self.key.public_pem,
            manifest=self.manifest,
            manifest_signature=self.manifest_signature,
            manifest_key_id=self.manifest_key_id or "",
        )
