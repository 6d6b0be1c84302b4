"""Lists are ordered by columns of their own table: a join would hide rows of some readers."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("union_portal", "0008_analyse")]
    operations = [
        migrations.AlterModelOptions(
            name="noticeentry",
            options={
                "ordering": ["-notice_id", "position"],
                "verbose_name": "entry on a notice",
                "verbose_name_plural": "entries on a notice",
            },
        ),
        migrations.AlterModelOptions(
            name="reviewedrole",
            options={
                "ordering": ["-review_id", "id"],
                "verbose_name": "reviewed role",
                "verbose_name_plural": "reviewed roles",
            },
        ),
    ]
