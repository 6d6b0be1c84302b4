"""Amounts asked for and recommended are above nothing; lists are ordered without a join."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("awards", "0003_row_security")]
    operations = [
        migrations.AlterModelOptions(
            name="countycheck",
            options={
                "ordering": ["-round_id", "county_id"],
                "verbose_name": "county check",
                "verbose_name_plural": "county checks",
            },
        ),
        migrations.AddConstraint(
            model_name="subsidycase",
            constraint=models.CheckConstraint(
                condition=models.Q(asked_fen__isnull=True) | models.Q(asked_fen__gt=0),
                name="case_asked_above_nothing",
            ),
        ),
        migrations.AddConstraint(
            model_name="subsidycase",
            constraint=models.CheckConstraint(
                condition=models.Q(recommended_fen__isnull=True) | models.Q(recommended_fen__gt=0),
                name="case_recommended_above_nothing",
            ),
        ),
    ]
