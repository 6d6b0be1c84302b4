"""What was kept of earlier changes of cards: in the log, and of the banks' answers as rows.

Of applications that ended as a set the log holds only how many there were: their changes can't be
told any more.
"""

from django.db import migrations

# Steps whose account stands in the card's own columns are left out, and checks that still count.
EARLIER = """
INSERT INTO members_cardchange (card_id, old_state, new_state, at, reason, noted_by_id)
SELECT k.card, k.old, k.new, k.at, left(k.reason, 200), a.id
FROM (
    SELECT e.subject_id::bigint AS card, e.detail ->> 'old' AS old, e.detail ->> 'new' AS new,
           e.at, e.reason, e.actor_id AS account
    FROM union_portal_auditentry e
    WHERE e.subject_type = 'members.servicecard' AND e.detail ? 'old' AND (
        e.detail ->> 'new' IN ('draft', 'union_review', 'suspended', 'lost', 'cancelled')
        OR e.detail ->> 'new' = 'active' AND e.detail ->> 'old' <> 'collected'
        OR e.detail ->> 'new' IN ('city_review', 'ready') AND EXISTS (
            SELECT 1 FROM union_portal_auditentry h
            WHERE h.subject_type = e.subject_type AND h.subject_id = e.subject_id
              AND h.id > e.id AND h.detail ->> 'new' = 'draft'))
    UNION ALL
    SELECT r.card_id, 'sent_to_bank', 'city_review', f.taken_at, '', f.taken_by_id
    FROM members_cardresultrow r JOIN members_cardresultfile f ON f.id = r.file_id
    WHERE r.verdict = 'refused'
    UNION ALL
    SELECT c.id, 'lost', 'replaced', f.taken_at, '', f.taken_by_id
    FROM members_servicecard c
    JOIN members_servicecard n ON n.replaces_id = c.id
    JOIN members_cardresultrow r ON r.card_id = n.id AND r.verdict = 'issued'
    JOIN members_cardresultfile f ON f.id = r.file_id
    WHERE c.state = 'replaced'
) k
JOIN members_servicecard c ON c.id = k.card
LEFT JOIN union_portal_account a ON a.id = k.account
ORDER BY k.at
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0014_card_changes")]
    operations = [migrations.RunSQL(EARLIER, migrations.RunSQL.noop)]
