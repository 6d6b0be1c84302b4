"""Whose names stand on the roll of honours, whose cases a reader handles, and which are theirs."""

from django.db import migrations

# Asked by policies once per statement; they look as the owner, past the policies themselves.
HONOURED = """
CREATE FUNCTION awards_honoured() RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
BEGIN
    RETURN QUERY SELECT person_id FROM awards_honour WHERE state = 'held';
END $$
"""

PEOPLE = """
CREATE FUNCTION awards_people(roles text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
BEGIN
    RETURN QUERY SELECT c.person_id FROM awards_subsidycase c
    WHERE c.organization_id IN (SELECT portal_reach(roles));
END $$
"""

OWN_CASES = """
CREATE FUNCTION awards_own_cases() RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 5 AS $$
BEGIN
    RETURN QUERY SELECT c.id FROM awards_subsidycase c
    WHERE c.person_id = (SELECT portal_person());
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("awards", "0002_kept_findings_resealed"), ("members", "0004_row_security")]
    operations = [
        migrations.RunSQL(HONOURED, "DROP FUNCTION awards_honoured()"),
        migrations.RunSQL(PEOPLE, "DROP FUNCTION awards_people(text[])"),
        migrations.RunSQL(OWN_CASES, "DROP FUNCTION awards_own_cases()"),
    ]
