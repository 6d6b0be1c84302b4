"""Lists are ordered by columns of their own table: a join would hide rows of some readers."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("disbursement", "0005_strays_in_order")]
    operations = [
        migrations.AlterModelOptions(
            name="batchapproval",
            options={
                "ordering": ["-batch_id", "round", "id"],
                "verbose_name": "approval",
                "verbose_name_plural": "approvals",
            },
        ),
        migrations.AlterModelOptions(
            name="posting",
            options={
                "ordering": ["-entry_id", "position"],
                "verbose_name": "posting",
                "verbose_name_plural": "postings",
            },
        ),
        migrations.AlterModelOptions(
            name="returnrow",
            options={
                "ordering": ["-file_id", "number"],
                "verbose_name": "row of a return file",
                "verbose_name_plural": "rows of return files",
            },
        ),
    ]
