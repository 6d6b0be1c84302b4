"""The table of Django's database cache: used codes and counted tries, kept like everything."""

from django.db import migrations

TABLE = """
    CREATE TABLE union_portal_cache (
        cache_key varchar(255) PRIMARY KEY,
        value text NOT NULL,
        expires timestamptz NOT NULL
    );
    CREATE INDEX union_portal_cache_expires ON union_portal_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("union_portal", "0002_holidays")]
    operations = [migrations.RunSQL(TABLE, "DROP TABLE union_portal_cache")]
