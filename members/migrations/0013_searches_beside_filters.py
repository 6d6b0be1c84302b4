"""Searches that stop, of memberships too, and beside what the filters of a list have chosen.

The functions of 0012 are told what is chosen as well: of a thousand namesakes those of the county.
For memberships they go by the union of each. Whom one is about may have left the reader's reach
since, and is shown only to whoever knows them otherwise: so what lies wholly within reach is looked
up first, as much as is wanted; where that is all there is, the past of those who have left is
added, and row security judges.
"""

from importlib import import_module

from django.db import migrations, models

searches = import_module("members.migrations.0012_searches_that_stop")
rows = import_module("members.migrations.0004_row_security")

# What is not chosen is NULL, and no part of the plan: one is made for each search.
OF_PERSON = """p.merged_into_id IS NULL
          AND ($5->>'sex' IS NULL OR p.sex = $5->>'sex')"""
PEOPLE = f"""
        SELECT p.id FROM members_person p
        WHERE ({{condition}}) AND {OF_PERSON}
          AND ($5->>'is_alive' IS NULL OR (p.died_on IS NULL) = ($5->>'is_alive')::boolean)"""
MEMBERSHIPS = f"""
        SELECT m.id FROM members_person p JOIN members_membership m ON m.person_id = p.id
        WHERE ({{condition}}) AND {OF_PERSON}
          AND ($5->>'state' IS NULL OR m.state = $5->>'state')
          AND ($5->>'channel' IS NULL OR m.channel = $5->>'channel')
          AND ($5->>'is_farmer_worker' IS NULL OR EXISTS (
              SELECT 1 FROM members_memberprofile f WHERE f.person_id = p.id
              AND f.is_farmer_worker = ($5->>'is_farmer_worker')::boolean))"""
LOOK = """
CREATE FUNCTION {name}({given}, roles text[], most integer, chosen jsonb) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 1000
SET synchronize_seqscans = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    reach bigint[];
    found bigint;
BEGIN
    IF roles IS NOT NULL AND NOT portal_whole(roles) THEN
        reach := ARRAY(SELECT portal_reach(roles));
    END IF;
    IF chosen ? 'county' THEN
        reach := ARRAY(
            SELECT o.id FROM union_portal_organization o JOIN union_portal_organization c
            ON starts_with(o.path, c.path)
            WHERE c.id::text = chosen->>'county' AND (reach IS NULL OR o.id = ANY (reach)));
    END IF;
    {looks}
END $$
"""
FIRST = """RETURN QUERY EXECUTE $q${rows}
          AND ($3 IS NULL OR {within})
        LIMIT $4
    $q$ USING {names}, reach, most, chosen;"""
# None of these is told twice: they belong beyond.
WHO_LEFT = """
    GET DIAGNOSTICS found = ROW_COUNT;
    IF reach IS NOT NULL AND found < most THEN
        RETURN QUERY EXECUTE $q${rows}
          AND m.organization_id = ANY ($3) AND p.organization_id <> ALL ($3)
        $q$ USING {names}, reach, most, chosen;
    END IF;"""
OF = {
    "members": (PEOPLE, FIRST, "p.organization_id = ANY ($3)"),
    "memberships": (
        MEMBERSHIPS,
        FIRST + WHO_LEFT,
        "(m.organization_id = ANY ($3) AND p.organization_id = ANY ($3))",
    ),
}
BY = {
    "named": ("pieces text[], piece text", f"{rows.PAIRS} @> $1::text[] AND name LIKE $2"),
    "spelled": (
        "letters text, beginning text",
        "replace(pinyin, ' ', '') LIKE $1 OR initials LIKE $1 OR name LIKE $2",
    ),
}


def look(of: str, by: str) -> migrations.RunSQL:
    """The function that looks `of` so many rows up `by` a name, and what takes it back."""
    (listed, looks, within), (given, condition) = OF[of], BY[by]
    names = given.replace(" text[]", "").replace(" text", "")
    asked = looks.format(rows=listed.format(condition=condition), within=within, names=names)
    told = f"{of}_{by}({given}, roles text[], most integer, chosen jsonb)"
    return migrations.RunSQL(
        LOOK.format(name=f"{of}_{by}", given=given, looks=asked), f"DROP FUNCTION {told}"
    )


class Migration(migrations.Migration):
    dependencies = [("members", "0012_searches_that_stop")]
    operations = [
        migrations.RunSQL(
            "DROP FUNCTION members_named(text[], text, text[], integer)", searches.NAMED
        ),
        migrations.RunSQL(
            "DROP FUNCTION members_spelled(text, text, text[], integer)", searches.SPELLED
        ),
        *(look(of, by) for of in OF for by in BY),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(
                fields=["state", "id"],
                name="membership_not_active",
                condition=~models.Q(state="active"),
            ),
        ),
    ]
