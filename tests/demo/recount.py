"""Read by `manage.py shell` of the demo: its figures and states, counted anew by SQL of our own.

Nothing here asks the product's queries: what they count is counted a second time, from the rows.
Writes one JSON object to the file that `RECOUNT_OUT` names.
"""

import json
import os

from django.db import connection

TODAY = "(now() AT TIME ZONE 'Asia/Shanghai')::date"
HONOURED = f"""
    FROM members_benefitoffer o
    JOIN members_merchant m ON m.id = o.merchant_id AND m.state = 'approved'
    WHERE o.state = 'published' AND {TODAY} BETWEEN o.valid_from AND o.valid_to
      AND EXISTS (SELECT FROM members_merchantagreement a
                  WHERE a.merchant_id = m.id AND a.state = 'confirmed'
                    AND {TODAY} BETWEEN a.valid_from AND a.valid_to)
"""
FIGURES = {
    "cards_issued": "SELECT count(issued_on) FROM members_servicecard",
    "benefit_categories": f"SELECT count(DISTINCT o.category_id) {HONOURED}",
    "benefit_offers": f"SELECT count(*) {HONOURED}",
    "merchants": f"SELECT count(DISTINCT m.id) {HONOURED}",
    "benefit_spend_fen": "SELECT sum(subsidy_fen) FROM members_redemption WHERE state = 'done'",
    "benefit_uses": "SELECT count(*) FROM members_redemption WHERE state = 'done'",
}
# Each has to be 0.
FAULTS = {
    "cards of nobody who is a member": """
        SELECT count(*) FROM members_servicecard c WHERE c.state = 'active' AND NOT EXISTS (
            SELECT FROM members_membership m WHERE m.person_id = c.person_id
            AND m.state IN ('active', 'retained', 'retired'))""",
    "cards that ended or stopped without a word": """
        SELECT count(*) FROM members_servicecard c
        WHERE c.state IN ('lost', 'suspended', 'replaced', 'cancelled') AND NOT EXISTS (
            SELECT FROM members_cardchange h WHERE h.card_id = c.id AND h.new_state = c.state)""",
    "uses of cards after they were lost or suspended": """
        SELECT count(*) FROM members_redemption r JOIN members_servicecard c ON c.id = r.card_id
        WHERE c.state IN ('lost', 'suspended') AND r.redeemed_at > (
            SELECT max(h.at) FROM members_cardchange h WHERE h.card_id = c.id)""",
    "steps of cards on the day of the demo": f"""
        SELECT count(*) FROM members_cardchange
        WHERE (at AT TIME ZONE 'Asia/Shanghai')::date >= {TODAY}""",
    "uses before the card was active": """
        SELECT count(*) FROM members_redemption r JOIN members_servicecard c ON c.id = r.card_id
        WHERE c.activated_on > (r.redeemed_at AT TIME ZONE 'Asia/Shanghai')::date""",
    "uses outside the offer's days": """
        SELECT count(*) FROM members_redemption r JOIN members_benefitoffer o ON o.id = r.offer_id
        WHERE (r.redeemed_at AT TIME ZONE 'Asia/Shanghai')::date
              NOT BETWEEN o.valid_from AND o.valid_to""",
    "offers whose count is not that of their uses": """
        SELECT count(*) FROM members_benefitoffer o WHERE used_count <> (
            SELECT count(*) FROM members_redemption r
            WHERE r.offer_id = o.id AND r.state = 'done')""",
    "programmes that committed something else than was used": """
        SELECT count(*) FROM members_benefitprogramme p WHERE committed_fen <> (
            SELECT coalesce(sum(subsidy_fen), 0) FROM members_redemption r
            WHERE r.programme_id = p.id AND r.state = 'done')""",
    "members who joined as children": """
        SELECT count(*) FROM members_membership m JOIN members_person p ON p.id = m.person_id
        WHERE m.first_joined_on < p.born_on + interval '16 years'""",
    "cards issued before their holder was a member": """
        SELECT count(*) FROM members_servicecard c JOIN members_membership m
        ON m.person_id = c.person_id WHERE c.issued_on < m.first_joined_on""",
    "cards whose steps are out of order or still to come": f"""
        SELECT count(*) FROM members_servicecard c, LATERAL (
            SELECT array_remove(ARRAY[c.applied_at, c.checked_at, c.approved_at], NULL) AS before,
                   array_remove(ARRAY[c.issued_on,
                       (c.collected_at AT TIME ZONE 'Asia/Shanghai')::date, c.activated_on], NULL)
                   AS after) AS steps
        WHERE before <> (SELECT array_agg(one ORDER BY one) FROM unnest(before) AS one)
           OR after <> (SELECT array_agg(one ORDER BY one) FROM unnest(after) AS one)
           OR (c.approved_at AT TIME ZONE 'Asia/Shanghai')::date > c.issued_on
           OR now() < ANY (before) OR {TODAY} < ANY (after)""",
    "cards that were applied for, issued and activated on one day": """
        SELECT count(*) FROM members_servicecard c
        WHERE (c.applied_at AT TIME ZONE 'Asia/Shanghai')::date >= c.issued_on
           OR c.issued_on >= c.activated_on""",
    "cards whose holder never agreed to their data going to the bank": """
        SELECT count(*) FROM members_servicecard c WHERE NOT EXISTS (
            SELECT FROM members_consent a JOIN members_consenttext t ON t.id = a.text_id
            WHERE a.person_id = c.person_id AND t.purpose = 'card')""",
    "unions with members that report no workers": """
        SELECT count(*) FROM union_portal_organization o WHERE o.level = 'grassroots'
        AND EXISTS (SELECT FROM members_membership m WHERE m.organization_id = o.id
                    AND m.state = 'active')
        AND NOT EXISTS (SELECT FROM members_unionyear y JOIN members_unionprofile p
                        ON p.organization_id = y.organization_id
                        WHERE y.organization_id = o.id AND y.workers_count > 0)""",
    "memberships without a beginning": """
        SELECT count(*) FROM members_membership m WHERE NOT EXISTS (
            SELECT FROM members_membershipchange c
            WHERE c.membership_id = m.id AND c.old_state = '')""",
}
LISTS = {
    "cards": "SELECT DISTINCT state FROM members_servicecard",
    "card_changes": "SELECT DISTINCT old_state || ' ' || new_state FROM members_cardchange",
    "merchant_states": "SELECT DISTINCT state FROM members_merchant",
    "offer_states": "SELECT DISTINCT state FROM members_benefitoffer",
    "statements": "SELECT DISTINCT state FROM welfare_merchantstatement",
    "joining": "SELECT DISTINCT state FROM members_joinapplication",
    "complaints": "SELECT DISTINCT state FROM members_merchantcomplaint",
    "counties": """
        SELECT DISTINCT split_part(o.path, '/', 2) FROM members_servicecard c
        JOIN union_portal_organization o ON o.id = c.organization_id""",
    "months": "SELECT DISTINCT to_char(issued_on, 'YYYY-MM') FROM members_servicecard"
    " WHERE issued_on IS NOT NULL",
    "needs": f"""
        SELECT DISTINCT c.need FROM members_benefitcategory c
        WHERE c.id IN (SELECT o.category_id {HONOURED})""",
}


def rows(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


told = {
    "figures": {key: int(rows(sql)[0][0] or 0) for key, sql in FIGURES.items()},
    "faults": {key: rows(sql)[0][0] for key, sql in FAULTS.items()},
    "lists": {key: sorted(row[0] for row in rows(sql)) for key, sql in LISTS.items()},
}
with open(os.environ["RECOUNT_OUT"], "w", encoding="utf-8") as out:
    json.dump(told, out)
