import random
import pytest
from django.apps import apps
from django.db import DatabaseError, transaction
from tests.audit import rows
from welfare.disbursement import invariants
from union_portal import audit


def test_explore(doomed_office):
    o = doomed_office
    o.settled("paid", "failed", "paid", "returned")
    o.released(2)
    audit.seal()
    audit.witnesses.write_down(audit.head())
    assert [r for r in invariants.check_all() if not r.holds] == []
    rng = random.Random(1)
    for model in list(apps.get_app_config("disbursement").get_models()) + [
        apps.get_model("union_portal.decision"),
        apps.get_model("members.bankaccount"),
    ]:
        t = model._meta.db_table
        if not rows.value(f'select count(*) from "{t}"'):
            print(t, "EMPTY")
            continue
        for c in rows.columns(t):
            out = []
            for _ in range(2):
                try:
                    with rows.undone():
                        n = rows.change(c, rng)
                        got = [r.code for r in invariants.check_all() if not r.holds]
                    out.append(",".join(got) or "-")
                except DatabaseError as e:
                    out.append("refused:" + str(e).split("\n")[0][:50])
            print(t, c.name, c.kind, out)
        with rows.undone():
            rows.execute(f'delete from "{t}" where ctid=(select min(ctid) from "{t}")')
            print(t, "DELETE", [r.code for r in invariants.check_all() if not r.holds])
