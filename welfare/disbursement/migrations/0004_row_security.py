"""Whose money a reader handles, and whether a fund or a batch holds money of somebody theirs.

Whoever reads why a person was paid or not reads the fund and the batch too, and no more of it
than its row. Policies can't ask this of each other in a ring; these look as the owner.
"""

from django.db import migrations

CONCERNS = """
CREATE FUNCTION disbursement_people(roles text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
BEGIN
    RETURN QUERY SELECT e.person_id FROM disbursement_entitlement e
    WHERE e.organization_id IN (SELECT portal_reach(roles));
END $$;

CREATE FUNCTION disbursement_fund_concerns(fund bigint, roles text[]) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT 1 FROM disbursement_entitlement e WHERE e.fund_id = fund
        AND (e.person_id = (SELECT portal_person())
             OR e.organization_id IN (SELECT portal_reach(roles))));
END $$;

CREATE FUNCTION disbursement_batch_concerns(batch bigint, roles text[]) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT 1 FROM disbursement_payoutline l
        JOIN disbursement_entitlement e ON e.id = l.entitlement_id
        WHERE l.batch_id = batch
        AND (e.person_id = (SELECT portal_person())
             OR e.organization_id IN (SELECT portal_reach(roles))));
END $$;
"""

FORGET = """
DROP FUNCTION disbursement_people(text[]);
DROP FUNCTION disbursement_fund_concerns(bigint, text[]);
DROP FUNCTION disbursement_batch_concerns(bigint, text[]);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("disbursement", "0003_kept_files_resealed"),
        ("members", "0004_row_security"),
    ]
    operations = [migrations.RunSQL(CONCERNS, FORGET)]
