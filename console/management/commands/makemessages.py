"""`makemessages` that also finds what is marked by `_l`, our short name of `gettext_lazy`."""

from __future__ import annotations

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """Collects the sentences of the source for translators."""

    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=_l"]
