from __future__ import annotations

from django.db import migrations

FINAL = """
CREATE FUNCTION rollouts_event_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events of a timeline are never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER rollouts_event_is_final BEFORE UPDATE ON rollouts_event
    FOR EACH ROW EXECUTE FUNCTION rollouts_event_is_final();
"""
NOT_FINAL = """
DROP TRIGGER rollouts_event_is_final ON rollouts_event;
DROP FUNCTION rollouts_event_is_final();
"""


class Migration(migrations.Migration):
    """A timeline tells what was decided, and on what; nobody rewrites it afterwards (spec section 4)."""

    dependencies = [("rollouts", "0003_drop_unread_fields")]

    operations = [migrations.RunSQL(FINAL, NOT_FINAL)]
