"""Several open applications of one number: a second refused would tell of the first.

And what a worker counts of unions and members for a year.
"""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0010_card_row_security"),
        ("union_portal", "0012_forgotten_files"),
    ]
    operations = [
        migrations.RemoveConstraint(model_name="joinapplication", name="join_one_open"),
        migrations.AddField(
            model_name="joinapplication",
            name="asked_from",
            field=models.CharField(
                blank=True,
                db_default="",
                editable=False,
                max_length=64,
                verbose_name="print of the address",
            ),
        ),
        migrations.AddIndex(
            model_name="joinapplication",
            index=models.Index(fields=["national_id_index", "applied_at"], name="join_number"),
        ),
        migrations.CreateModel(
            name="YearStatistics",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("year", models.PositiveSmallIntegerField(verbose_name="year")),
                ("figures", models.JSONField(default=dict, verbose_name="figures")),
                (
                    "counted_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        editable=False,
                        verbose_name="counted at",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="union_portal.organization",
                        verbose_name="union",
                    ),
                ),
            ],
            options={
                "verbose_name": "statistics of a year",
                "verbose_name_plural": "yearly statistics",
                "ordering": ["-year", "organization_id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "year"), name="year_statistics_newest_count"
                    )
                ],
            },
        ),
    ]
