"""Searches of the register that stop: of a hundred thousand namesakes the first so many.

The functions of 0004 told every match. These take a limit, and the roles by which their caller is
shown people, if only those within reach are wanted. Whom they find is judged by row security like
every row: that they know a reach makes them no door, only quick.
"""

from importlib import import_module

from django.db import migrations, models

rows = import_module("members.migrations.0004_row_security")

# The reach as an array: a plan is made for each search, and knows how many people lie within. In
# no order but the table's own, from its beginning: so a look into an index ends where enough are
# found, and finds the same for every page.
LOOK = """
CREATE FUNCTION {name}({given}, roles text[], most integer) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 1000
SET synchronize_seqscans = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    reach bigint[];
BEGIN
    IF roles IS NOT NULL AND NOT portal_whole(roles) THEN
        reach := ARRAY(SELECT portal_reach(roles));
    END IF;
    RETURN QUERY EXECUTE $q$
        SELECT id FROM members_person
        WHERE ({condition}) AND merged_into_id IS NULL
          AND ($3 IS NULL OR organization_id = ANY ($3))
        LIMIT $4
    $q$ USING {names}, reach, most;
END $$
"""
NAMED = LOOK.format(
    name="members_named",
    given="pieces text[], piece text",
    names="pieces, piece",
    condition=f"{rows.PAIRS} @> $1::text[] AND name LIKE $2",
)
SPELLED = LOOK.format(
    name="members_spelled",
    given="letters text, beginning text",
    names="letters, beginning",
    condition="replace(pinyin, ' ', '') LIKE $1 OR initials LIKE $1 OR name LIKE $2",
)


class Migration(migrations.Migration):
    dependencies = [("members", "0011_roster")]
    operations = [
        migrations.RunSQL("DROP FUNCTION members_named(text[], text)", rows.NAMED),
        migrations.RunSQL("DROP FUNCTION members_spelled(text, text)", rows.SPELLED),
        migrations.RunSQL(NAMED, "DROP FUNCTION members_named(text[], text, text[], integer)"),
        migrations.RunSQL(SPELLED, "DROP FUNCTION members_spelled(text, text, text[], integer)"),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                fields=["id"], name="person_died", condition=models.Q(died_on__isnull=False)
            ),
        ),
    ]
