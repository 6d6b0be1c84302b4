"""Whom the database shows which rows to, on one page: the line behind the pages' own scope.

`access.py` tells what a role may do; the pages ask it. Should a page forget to ask, the policies
made of this table still keep from its reader what is beside, below or elsewhere. They hold for
web processes; workers see every row. A table that is not here stands in `OPEN` with its reason.

Ways to see a row that end in `is_reading=True` let nobody write it.
"""

from __future__ import annotations

from typing import Final

from union_portal.access import Permission
from union_portal.readers import Door
from union_portal.row_rules import (
    ACCOUNTS,
    Following,
    Matching,
    Only,
    Own,
    Through,
    Way,
    Whole,
    Within,
    concerns,
    listed,
    within_paths,
)

_P = Permission
_PEOPLE = (_P.PERSON_VIEW,)
_MONEY = (_P.BATCH_VIEW, _P.FUND_VIEW)
_BATCHES = (_P.BATCH_VIEW,)
_EVERY_STAFF = (_P.STAFF_SITE,)
_BENEFITS = (_P.BENEFIT_VIEW,)
_OWN_PERSON = Own("person__account")
# What the register holds of a person: their union's staff, and the person.
_OF_PERSON = (Within("person__organization", _PEOPLE), _OWN_PERSON)
# What hangs on rows that were merged into the person's own is the person's.
_MERGED_MINE = Matching("person_id IN (SELECT portal_merged())", is_reading=True)
# The door of the tills stands open for tills alone, whoever else may come to open it.
_AT_TILL = Through(Door.TILL, "(SELECT portal_merchant()) IS NOT NULL")
_WRITTEN_AT_TILL = Through(Door.TILL, "(SELECT portal_merchant()) IS NOT NULL", is_reading=False)
_OF_MERCHANT = Matching("merchant_id = (SELECT portal_merchant())")
_MERCHANTS_PAPER = (
    "purpose IN ('merchant_licence', 'merchant_agreement', 'merchant_account_evidence')"
)
_REVIEWS = (Whole((_P.ROLE_GRANT,)), Whole((_P.AUDIT_VIEW,), is_reading=True))
# Who decides on a person reserves the money, in a fund whose pages may be closed to them.
_GRANTING = Through(Door.GRANTING, is_reading=False)
# Two rows of one human: whoever merges them moves what hangs on either, wherever it lies.
_MERGING = Through(Door.MERGING, is_reading=False)

SHOWN: Final[dict[str, tuple[Way, ...]]] = {
    # people
    "members.person": (
        Within("organization", _PEOPLE),
        Own("account"),
        Matching("id IN (SELECT portal_merged())", is_reading=True),
        # Whoever handles a case or its money knows whose it is, wherever they have moved.
        listed("awards_people", _PEOPLE),
        listed("disbursement_people", _MONEY),
        # Both unions of a transfer know who comes and goes.
        listed("members_moving", _PEOPLE),
        Through(Door.TRANSFER, is_reading=False),
        _AT_TILL,
        Through(Door.JOINING),
        Through(Door.FIRST_LOG_IN, is_reading=False),
        Through(Door.LOG_IN),
        Through(Door.HONOURS_ROLL, "id IN (SELECT awards_honoured())"),
    ),
    "members.bankaccount": (
        Within("person__organization", _PEOPLE),
        Own("person__account", is_reading=True),
        _MERGING,
        # Of merchants.
        Within("merchant__organization", (_P.BENEFIT_VIEW, _P.ACCOUNT_NUMBER_CONFIRM)),
        Matching("merchant_id = (SELECT portal_merchant())", is_reading=True),
        # Whoever pays somebody pays to this account, wherever they have moved.
        listed("disbursement_people", _MONEY, column="person_id"),
    ),
    "members.importrun": (Within("organization", (_P.PERSON_IMPORT,)),),
    "members.importfinding": (Following("run"),),
    "members.logincode": (Through(Door.FIRST_LOG_IN, is_reading=False),),
    "members.memberprofile": (
        Within("person__organization", _PEOPLE),
        Own("person__account", is_reading=True),
        Through(Door.TRANSFER, is_reading=False),
        _MERGING,
    ),
    "members.membership": (
        # Asked first, of the row itself: by the person a reader's whole county would be looked up.
        Within("organization", _PEOPLE, is_reading=True),
        Within("person__organization", _PEOPLE),
        Own("person__account", is_reading=True),
        listed("members_moving_memberships", _PEOPLE),
        Through(Door.TRANSFER, is_reading=False),
        _MERGING,
        _AT_TILL,
    ),
    "members.membershipchange": (
        Within("membership__person__organization", _PEOPLE),
        Following("membership", is_reading=True),
        Through(Door.TRANSFER, is_reading=False),
        _MERGING,
    ),
    "members.joinapplication": (
        Within("organization", _PEOPLE),
        Own("applied_by"),
        Through(Door.JOINING, is_reading=False),
    ),
    "members.membershiptransfer": (
        Within("source", _PEOPLE),
        Within("target", _PEOPLE),
        Own("membership__person__account"),
        _MERGING,
    ),
    "members.personmerge": (Within("organization", _PEOPLE),),
    "members.unionprofile": (Within("organization", _PEOPLE),),
    "members.unionyear": (Within("organization", _PEOPLE),),
    "members.yearstatistics": (Within("organization", _PEOPLE, is_reading=True),),
    # service cards
    "members.servicecard": (
        *_OF_PERSON,
        Through(Door.TRANSFER),
        _AT_TILL,
        _MERGING,
        Through(Door.LOG_IN),
    ),
    "members.cardchange": (Following("card"),),
    "members.cardbatch": (
        Within("organization", (_P.CARD_BATCH, _P.CARD_APPROVE)),
        Within("organization", (_P.TRAIL_VIEW,), is_reading=True),
    ),
    "members.cardresultfile": (Following("batch"),),
    "members.cardresultrow": (Following("file"),),
    "members.cardcode": (
        Own("card__person__account"),
        _WRITTEN_AT_TILL,
    ),
    # merchants, offers and their use
    "members.merchant": (
        Matching("state IN ('approved', 'suspended')", is_reading=True),
        Within("organization", _BENEFITS),
        Within("organization", _BATCHES, is_reading=True),
        Matching("id = (SELECT portal_merchant())", is_reading=True),
        Through(Door.MERCHANT_APPLYING, is_reading=False),
        Through(Door.MY_USES),
    ),
    "members.merchantagreement": (
        Matching("state = 'confirmed'", is_reading=True),
        Within("merchant__organization", _BENEFITS),
        Matching("merchant_id = (SELECT portal_merchant())", is_reading=True),
    ),
    "members.merchantplace": (
        Following("merchant", is_reading=True),
        Within("merchant__organization", _BENEFITS),
        _OF_MERCHANT,
    ),
    "members.merchantlogin": (
        Within("merchant__organization", _BENEFITS),
        Own("account", is_reading=True),
    ),
    # A figure that the public is told; who sets it is named.
    "members.benefitprogramme": (
        Matching("true", is_reading=True),
        Within("organization", (_P.PROGRAMME_EDIT,)),
    ),
    "members.benefitoffer": (
        Matching("state IN ('published', 'paused')", is_reading=True),
        Within("merchant__organization", _BENEFITS),
        Within("merchant__organization", _BATCHES, is_reading=True),
        _OF_MERCHANT,
        # What a member used once is named on their list, whatever became of the offer.
        Through(Door.MY_USES),
    ),
    "members.wrongcode": (
        Within("login__merchant__organization", _BENEFITS, is_reading=True),
        _WRITTEN_AT_TILL,
    ),
    "members.redemption": (
        Own("person__account", is_reading=True),
        _MERGED_MINE,
        _OF_MERCHANT,
        # A code that was used at another till is used.
        _AT_TILL,
        Within("organization", _BENEFITS, is_reading=True),
        Within("merchant__organization", _BENEFITS, is_reading=True),
        # Whoever pays a merchant's statement reads it, use by use.
        Matching(
            "EXISTS (SELECT 1 FROM welfare_statementline l"
            " WHERE l.redemption_id = members_redemption.id)",
            is_reading=True,
        ),
        # The directory adds up what was thought of an offer; whose uses they were it never asks.
        Through(Door.DIRECTORY, "state = 'done'"),
    ),
    "members.rating": (
        Following("redemption", is_reading=True),
        Own("redemption__person__account"),
        Through(Door.DIRECTORY),
    ),
    "members.merchantcomplaint": (
        _OWN_PERSON,
        Within("merchant__organization", (_P.COMPLAINT_ANSWER,)),
        Within("merchant__organization", (_P.TRAIL_VIEW,), is_reading=True),
        _MERGING,
    ),
    "members.favourite": (_OWN_PERSON, _MERGING),
    "welfare.merchantstatement": (
        Within("organization", _BENEFITS),
        Within("organization", _BATCHES, is_reading=True),
        _OF_MERCHANT,
    ),
    "welfare.statementline": (Following("statement"),),
    # consent and privacy
    "members.consent": (*_OF_PERSON, _MERGING),
    "members.correction": (*_OF_PERSON, _MERGING),
    "members.familymember": (*_OF_PERSON, _MERGING),
    "members.retentionrun": (
        Whole((_P.RETENTION_RUN,)),
        Whole((_P.AUDIT_VIEW,), is_reading=True),
    ),
    # what was decided, published, contested
    "union_portal.decision": (
        Within("organization", _PEOPLE),
        Matching(
            "subject_type = 'awards.subsidycase' AND subject_id IN (SELECT awards_own_cases())",
            is_reading=True,
        ),
        Matching("subject_type = 'members.person' AND subject_id = {person}", is_reading=True),
        # A merchant reads under which decision their month is paid.
        Matching(
            "subject_type = 'welfare.merchantstatement' AND subject_id IN"
            " (SELECT s.id FROM welfare_merchantstatement s"
            " WHERE s.merchant_id = (SELECT portal_merchant()))",
            is_reading=True,
        ),
        Through(
            Door.OBJECTION,
            "EXISTS (SELECT 1 FROM union_portal_noticeentry e"
            " JOIN union_portal_notice n ON n.id = e.notice_id"
            " WHERE e.decision_id = union_portal_decision.id AND n.state = 'published')",
            is_reading=False,
        ),
    ),
    "union_portal.appeal": (Following("decision"), Own("appellant")),
    "union_portal.objection": (
        Following("decision"),
        Through(Door.OBJECTION, "received_by_id IS NULL AND state = 'open'", is_reading=False),
    ),
    "union_portal.notice": (
        Matching("state IN ('published', 'closed')", is_reading=True),
        Within(
            "organization",
            (_P.NOTICE_PREPARE, _P.NOTICE_PUBLISH, _P.SUBSIDY_DECIDE, _P.TRAIL_VIEW),
        ),
    ),
    "union_portal.noticeentry": (Following("notice"),),
    # files, messages, work, the log
    "union_portal.storedfile": (
        Own("uploaded_by"),
        Only("purpose <> 'my_data'", Within("organization", (*_PEOPLE, _P.AUDIT_VIEW))),
        # What a report became is for whoever is shown its run: the merchants' desk and the
        # rules clerk see no people and print figures; a copy of one's data is for that person.
        Matching(
            "purpose IN ('report', 'my_data') AND EXISTS (SELECT 1 FROM union_portal_reportrun r"
            " WHERE r.file_id = union_portal_storedfile.id)",
            is_reading=True,
        ),
        Only(_MERCHANTS_PAPER, Within("organization", _BENEFITS)),
        Through(Door.MERCHANT_APPLYING, "purpose = 'merchant_licence'", is_reading=False),
    ),
    "union_portal.forgottenfile": (Following("file", is_reading=True),),
    "union_portal.filedownload": (Own("account"), Whole((_P.AUDIT_VIEW,))),
    "union_portal.message": (
        # A code opens a member's account: it is for the phone alone.
        Only("topic <> 'login_code'", Whole((_P.NOTICE_PREPARE, _P.TRAIL_VIEW))),
        Matching(
            "topic <> 'login_code' AND (recipient = {person} OR EXISTS"
            " (SELECT 1 FROM members_person p WHERE p.id = recipient))"
        ),
        Through(Door.FIRST_LOG_IN, "topic = 'login_code'", is_reading=False),
        # Whoever applies to join is in no register yet.
        Through(Door.JOINING, "topic = 'joining'", is_reading=False),
        # Whoever answers a complaint tells a member whom they are not shown.
        Matching(
            "subject_type = 'members.merchantcomplaint'"
            " AND subject_id IN (SELECT id::text FROM members_merchantcomplaint)"
        ),
        Through(Door.PROBES),
    ),
    "union_portal.reportrun": (
        # Statistics tell of nobody: whoever sees the figures sees their files.
        Only("kind LIKE 'union_statistics_%'", Within("organization", _PEOPLE)),
        Only(
            "kind NOT IN ('my_data_pdf', 'my_data_json')",
            Within("organization", (_P.REPORT_DISBURSEMENT, _P.TRAIL_VIEW)),
        ),
        Own("requested_by"),
        # Whoever asks for the next version counts those that others asked for.
        Through(Door.NEXT_VERSION),
    ),
    "union_portal.job": (
        Own("requested_by"),
        Whole((_P.JOB_VIEW,)),
        Through(Door.LIVE_JOB, "state IN ('queued', 'running')"),
        Through(Door.PROBES),
    ),
    "union_portal.auditentry": (
        Matching("actor_id = {account}"),
        # What others did to one's own log-in.
        Matching(
            "subject_type = 'union_portal.account' AND subject_id = {account}::text",
            is_reading=True,
        ),
        Whole(_EVERY_STAFF),
        within_paths("organization_path", *_EVERY_STAFF),
        Matching(
            "subject_type = 'members.person' AND subject_id = {person}::text", is_reading=True
        ),
        Matching(
            "subject_type = 'members.person' AND subject_id IN (SELECT portal_merged()::text)",
            is_reading=True,
        ),
        Matching(
            "subject_type = 'awards.subsidycase'"
            " AND subject_id IN (SELECT awards_own_cases()::text)",
            is_reading=True,
        ),
        Through(Door.AUDIT, is_reading=False),
    ),
    # accounts of staff, looked over
    "union_portal.reviewedrole": (
        Within("organization", (_P.ROLE_GRANT,)),
        Within("organization", (_P.AUDIT_VIEW,), is_reading=True),
    ),
    "union_portal.factorreset": (*_REVIEWS, Whole((_P.ACCOUNT_MANAGE,))),
    # programs: what an answer told its caller is for that caller alone
    "union_portal.sentcall": (Own("account"),),
    # money
    "disbursement.fund": (
        Within("organization", _MONEY),
        concerns("disbursement_fund_concerns", _PEOPLE),
        _GRANTING,
    ),
    "disbursement.ledgeraccount": (Within("fund__organization", _MONEY), _GRANTING),
    "disbursement.entry": (Within("fund__organization", _MONEY), _GRANTING),
    "disbursement.posting": (Within("entry__fund__organization", _MONEY), _GRANTING),
    "disbursement.entitlement": (
        Within("organization", (*_MONEY, *_PEOPLE)),
        Own("person__account", is_reading=True),
        _MERGED_MINE,
        Through(Door.MERGING),
        Matching("merchant_id = (SELECT portal_merchant())", is_reading=True),
    ),
    "disbursement.cap": (
        Within("person__organization", _PEOPLE),
        Own("person__account", is_reading=True),
        Through(Door.MERGING),
    ),
    "disbursement.payoutbatch": (
        Within("organization", _BATCHES),
        concerns("disbursement_batch_concerns", _PEOPLE),
        Through(Door.PROBES),
        Through(Door.REGISTER, "state = 'delivering'"),
    ),
    "disbursement.batchapproval": (Following("batch"),),
    "disbursement.bankfile": (
        Within("batch__organization", _BATCHES),
        Through(
            Door.REGISTER,
            "EXISTS (SELECT 1 FROM disbursement_payoutbatch b"
            " WHERE b.id = batch_id AND b.state = 'delivering')",
        ),
    ),
    "disbursement.payoutline": (
        Within("batch__organization", _BATCHES),
        Following("entitlement", is_reading=True),
        Through(Door.MERGING),
    ),
    "disbursement.returnfile": (Within("batch__organization", _BATCHES),),
    "disbursement.returnrow": (
        Within("file__batch__organization", _BATCHES),
        Following("line", is_reading=True),
    ),
    "disbursement.discrepancy": (Within("batch__organization", _BATCHES),),
    "disbursement.motion": (
        Within("batch__organization", _BATCHES),
        Within("line__batch__organization", _BATCHES),
        Within("entitlement__organization", _BATCHES),
        Following("entitlement", is_reading=True),
        Following("line", is_reading=True),
    ),
    "disbursement.sentmark": (
        Whole((*_BATCHES, _P.TRAIL_VIEW, _P.GATE_LIFT)),
        Matching(
            "EXISTS (SELECT 1 FROM disbursement_payoutbatch b WHERE b.number = batch_number)",
            is_reading=True,
        ),
        Through(Door.REGISTER),
    ),
    "disbursement.straypayment": (
        Whole((*_BATCHES, _P.TRAIL_VIEW, _P.GATE_LIFT)),
        # Whoever pays somebody knows that the register has paid them already.
        Matching(
            "EXISTS (SELECT 1 FROM disbursement_entitlement e"
            " WHERE e.claim_key = disbursement_straypayment.claim_key)",
            is_reading=True,
        ),
    ),
    # honours and subsidies
    "awards.subsidyround": (ACCOUNTS,),
    "awards.countycheck": (Within("county", _PEOPLE),),
    "awards.subsidycase": (
        Within("organization", _PEOPLE),
        Own("person__account"),
        _MERGED_MINE,
        _MERGING,
    ),
    "awards.homevisit": (Following("case"),),
    "awards.returnforcompletion": (Following("case"),),
    "awards.honour": (
        Within("person__organization", _PEOPLE),
        Own("person__account", is_reading=True),
        Through(Door.HONOURS_ROLL, "state = 'held'"),
        _MERGING,
    ),
    "awards.modelworker": (
        Within("person__organization", _PEOPLE),
        Own("person__account", is_reading=True),
        _MERGING,
    ),
    "awards.yearlyverification": (Following("model_worker"),),
    "awards.hardshipyear": (Following("model_worker"),),
}

# Rows that everybody may add, whatever they may see.
ADDED_BY_ANYBODY: Final = frozenset({"union_portal.auditentry"})

_BEFORE = "read before anybody is known: it is what makes somebody known"
_OFFICE = "belongs to no person and holds no money"
OPEN: Final[dict[str, str]] = {
    "union_portal.account": _BEFORE,
    "union_portal.pastpassword": _BEFORE,
    "union_portal.apitoken": _BEFORE,
    "union_portal.callcount": _BEFORE,
    "union_portal.roleassignment": _BEFORE,
    "union_portal.accountreview": _OFFICE,
    "union_portal.organization": _OFFICE,
    "union_portal.ruleset": _OFFICE,
    "union_portal.holiday": _OFFICE,
    "union_portal.countedfigure": "numbers that the public is told",
    "union_portal.auditblock": "digests alone, and workers write them",
    "union_portal.sentform": "keyed hashes and an address, asked by key alone",
    "members.stagedperson": "closed to web processes altogether (privileges.py)",
    "members.stagedrow": "a view: it shows the rows of the imports that its reader is shown",
    "members.cardbank": _OFFICE,
    "members.consenttext": _OFFICE,
    "members.benefitcategory": _OFFICE,
    "members.benefitoffer_places": "which offers are to be had at which shop",
    "disbursement.bankformat": _OFFICE,
    "disbursement.gate": "one row, which every payment asks",
    "awards.honourtitle": _OFFICE,
    "admin.logentry": "never written: the staff site keeps the portal's own log",
    "auth.permission": _OFFICE,
    "auth.group": _OFFICE,
    "auth.group_permissions": _OFFICE,
    "contenttypes.contenttype": _OFFICE,
    "sessions.session": _BEFORE,
    "account.emailaddress": _BEFORE,
    "account.emailconfirmation": _BEFORE,
    "mfa.authenticator": _BEFORE,
    "usersessions.usersession": _BEFORE,
    "axes.accessattempt": _BEFORE,
    "axes.accessattemptexpiration": _BEFORE,
    "axes.accessfailurelog": _BEFORE,
    "axes.accesslog": _BEFORE,
    "django_celery_beat.solarschedule": _OFFICE,
    "django_celery_beat.intervalschedule": _OFFICE,
    "django_celery_beat.clockedschedule": _OFFICE,
    "django_celery_beat.crontabschedule": _OFFICE,
    "django_celery_beat.periodictasks": _OFFICE,
    "django_celery_beat.periodictask": _OFFICE,
}
