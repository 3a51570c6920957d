from __future__ import annotations

from django.db import migrations

FINAL = """
CREATE FUNCTION accounts_auditevent_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER accounts_auditevent_is_final BEFORE UPDATE ON accounts_auditevent
    FOR EACH ROW EXECUTE FUNCTION accounts_auditevent_is_final();
"""
NOT_FINAL = """
DROP TRIGGER accounts_auditevent_is_final ON accounts_auditevent;
DROP FUNCTION accounts_auditevent_is_final();
"""


class Migration(migrations.Migration):
    """What people did stays as it was written (security.md R40)."""

    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunSQL(FINAL, NOT_FINAL)]
