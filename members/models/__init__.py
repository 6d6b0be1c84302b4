"""Shape and constraints of the members app."""

from members.models.bank_accounts import BankAccount, MerchantAccount
from members.models.cards import (
    CardBank,
    CardBatch,
    CardChange,
    CardResultFile,
    CardResultRow,
    CardVerdict,
    ServiceCard,
)
from members.models.imports import (
    ImportFinding,
    ImportRun,
    RowKind,
    Severity,
    StagedPerson,
    StagedRow,
)
from members.models.logins import LoginCode
from members.models.memberships import (
    Channel,
    JoinApplication,
    Membership,
    MembershipChange,
    MembershipTransfer,
)
from members.models.merchants import (
    BenefitCategory,
    Merchant,
    MerchantAgreement,
    MerchantLogin,
    MerchantPlace,
    Need,
)
from members.models.merges import PersonMerge
from members.models.offers import (
    BenefitOffer,
    BenefitProgramme,
    Favourite,
    OfferKind,
)
from members.models.people import Person, Sex
from members.models.privacy import (
    Consent,
    ConsentPurpose,
    ConsentText,
    Correction,
    FamilyMember,
    Relation,
    RetentionRun,
)
from members.models.profiles import (
    Education,
    Employment,
    HukouType,
    MemberProfile,
    PoliticalStatus,
    TechnicalGrade,
)
from members.models.redemptions import (
    CardCode,
    CodeKind,
    MerchantComplaint,
    Rating,
    Redemption,
    WrongCode,
)
from members.models.unions import (
    EmployerNature,
    Industry,
    UnionProfile,
    UnionYear,
    YearStatistics,
)

__all__ = [
    "BankAccount",
    "BenefitCategory",
    "BenefitOffer",
    "BenefitProgramme",
    "CardBank",
    "CardBatch",
    "CardChange",
    "CardCode",
    "CardResultFile",
    "CardResultRow",
    "CardVerdict",
    "Channel",
    "CodeKind",
    "Consent",
    "ConsentPurpose",
    "ConsentText",
    "Correction",
    "Education",
    "EmployerNature",
    "Employment",
    "FamilyMember",
    "Favourite",
    "HukouType",
    "ImportFinding",
    "ImportRun",
    "Industry",
    "JoinApplication",
    "LoginCode",
    "MemberProfile",
    "Membership",
    "MembershipChange",
    "MembershipTransfer",
    "Merchant",
    "MerchantAccount",
    "MerchantAgreement",
    "MerchantComplaint",
    "MerchantLogin",
    "MerchantPlace",
    "Need",
    "OfferKind",
    "Person",
    "PersonMerge",
    "PoliticalStatus",
    "Rating",
    "Redemption",
    "Relation",
    "RetentionRun",
    "RowKind",
    "ServiceCard",
    "Severity",
    "Sex",
    "StagedPerson",
    "StagedRow",
    "TechnicalGrade",
    "UnionProfile",
    "UnionYear",
    "WrongCode",
    "YearStatistics",
]
