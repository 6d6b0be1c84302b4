"""The planner told of many new rows by roles that own no table."""

from django.db import migrations

# The owner alone may ANALYZE; anybody else gets a warning, and the table is skipped. MAINTAIN
# would permit it, and with it to lock a table for good or to write its indices anew.
ANALYSE = """
CREATE FUNCTION portal_analyse(counted regclass, columns text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ANALYZE %s', counted)
        || coalesce((SELECT '(' || string_agg(quote_ident(c), ', ') || ')' FROM unnest(columns) c),
                    '');
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("union_portal", "0007_row_security")]
    operations = [
        migrations.RunSQL(ANALYSE, "DROP FUNCTION portal_analyse(regclass, text[])"),
    ]
