from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agents", "0013_trust")]

    operations = [
        migrations.AddField(
            model_name="fleetsample",
            name="late",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
