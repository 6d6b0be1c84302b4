"""What the policies of row security ask about an account: its roles, as they stand today."""

from django.db import migrations

# The account named by the statement, if it may act, and what it holds on this day of ours.
HELD = """
    FROM union_portal_roleassignment r
    JOIN union_portal_account a ON a.id = r.account_id AND a.is_active
    JOIN union_portal_organization h ON h.id = r.organization_id
    WHERE a.id = nullif(split_part(current_setting('portal.reader', true), ' ', 1), '')::bigint
      AND r.role = ANY (roles)
      AND (now() AT TIME ZONE 'Asia/Shanghai')::date
          BETWEEN r.valid_from AND coalesce(r.valid_to, 'infinity'::date)
"""

REACH = f"""
CREATE FUNCTION portal_reach(roles text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 20 AS $$
BEGIN
    RETURN QUERY SELECT o.id FROM union_portal_organization o
    WHERE EXISTS (SELECT 1 {HELD} AND starts_with(o.path, h.path));
END $$
"""

PATHS = f"""
CREATE FUNCTION portal_paths(roles text[]) RETURNS SETOF text
LANGUAGE plpgsql STABLE ROWS 20 AS $$
BEGIN
    RETURN QUERY SELECT o.path::text FROM union_portal_organization o
    WHERE EXISTS (SELECT 1 {HELD} AND starts_with(o.path, h.path));
END $$
"""

WHOLE = f"""
CREATE FUNCTION portal_whole(roles text[]) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT 1 {HELD} AND h.parent_id IS NULL);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("union_portal", "0006_witness_email")]
    operations = [
        migrations.RunSQL(REACH, "DROP FUNCTION portal_reach(text[])"),
        migrations.RunSQL(PATHS, "DROP FUNCTION portal_paths(text[])"),
        migrations.RunSQL(WHOLE, "DROP FUNCTION portal_whole(text[])"),
    ]
