"""The sequence behind `Desired.change` and `DesiredSettings.change`, and room for HOT updates.

The status row is rewritten often and has no index on what changes; with free space on its page an
update stays there (gateway.md section 8).
"""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("agents", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE agents_change_seq", "DROP SEQUENCE agents_change_seq"
        ),
        migrations.RunSQL(
            "ALTER TABLE agents_agentstatus SET (fillfactor = 60)",
            "ALTER TABLE agents_agentstatus RESET (fillfactor)",
        ),
        migrations.RunSQL(
            "ALTER TABLE agents_delivery SET (fillfactor = 80)",
            "ALTER TABLE agents_delivery RESET (fillfactor)",
        ),
    ]
