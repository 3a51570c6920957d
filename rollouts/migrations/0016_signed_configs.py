from django.db import migrations

# The signer of the release that brings signatures signs what was saved before it too.
_ASK = """
    INSERT INTO agents_signedversion (config_name, version, config_hash, signature, origin, manifest,
                                      manifest_signature, asked_at, error)
    SELECT c.name, v.number, v.config_hash, '', '', '', '', now(), ''
    FROM rollouts_configversion v JOIN rollouts_config c ON c.id = v.config_id
    ON CONFLICT (config_name, version) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0015_signed_configs"),
        ("rollouts", "0015_who_has_seen_it"),
    ]

    operations = [
        migrations.RemoveField(model_name="configversion", name="signature"),
        migrations.RunSQL(_ASK, migrations.RunSQL.noop),
    ]
