from __future__ import annotations

from django.conf import settings
from django.db import models


class Role(models.TextChoices):
    """The five roles of spec section 11; what each may do is in `accounts.policy`."""

    VIEWER = "viewer"
    AUTHOR = "author"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


class RoleBinding(models.Model):
    """One role of one person, in a scope: selector text on trusted labels, "*" is everything."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="role_bindings")
    role = models.CharField(max_length=16, choices=Role.choices)
    scope = models.TextField(default="*")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "role", "scope"], name="one_role_binding"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.scope}"
