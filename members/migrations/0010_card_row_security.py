"""Who moves between unions, who stands at whose till, and whose rows were merged into whose."""

from django.db import migrations

MERCHANT = """
CREATE FUNCTION portal_merchant() RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT merchant_id FROM members_merchantlogin WHERE ended_at IS NULL AND account_id
            = nullif(split_part(current_setting('portal.reader', true), ' ', 1), '')::bigint);
END $$
"""

MOVING_MEMBERSHIPS = """
CREATE FUNCTION members_moving_memberships(roles text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 100 AS $$
BEGIN
    RETURN QUERY SELECT t.membership_id FROM members_membershiptransfer t
    WHERE t.state IN ('requested', 'released')
      AND (t.source_id IN (SELECT portal_reach(roles)) OR t.target_id IN (SELECT portal_reach(roles)));
END $$
"""

MOVING = """
CREATE FUNCTION members_moving(roles text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 100 AS $$
BEGIN
    RETURN QUERY SELECT m.person_id FROM members_membership m
    WHERE m.id IN (SELECT members_moving_memberships(roles));
END $$
"""

# Rows that turned out to be the reader's own: asked by policies, past the policies themselves.
MERGED = """
CREATE FUNCTION portal_merged() RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 1 AS $$
BEGIN
    RETURN QUERY SELECT id FROM members_person WHERE merged_into_id = (SELECT portal_person());
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0009_privacy")]
    operations = [
        migrations.RunSQL(MERCHANT, "DROP FUNCTION portal_merchant()"),
        migrations.RunSQL(MOVING_MEMBERSHIPS, "DROP FUNCTION members_moving_memberships(text[])"),
        migrations.RunSQL(MOVING, "DROP FUNCTION members_moving(text[])"),
        migrations.RunSQL(MERGED, "DROP FUNCTION portal_merged()"),
    ]
