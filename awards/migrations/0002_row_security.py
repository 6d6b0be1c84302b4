"""Whose names stand on the public roll of honours."""

from django.db import migrations

HONOURED = """
CREATE FUNCTION awards_honoured() RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
BEGIN
    RETURN QUERY SELECT person_id FROM awards_honour WHERE state = 'held';
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("awards", "0001_initial")]
    operations = [migrations.RunSQL(HONOURED, "DROP FUNCTION awards_honoured()")]
