"""Texts of consent that ship with the product, as data. All are samples, and labelled so.

An office words its own with its lawyers; these show what each has to say: who, what for, which
data, how long, and what follows from saying no (Personal Information Protection Law, art. 14,
17, 29, 31).
"""

from dataclasses import dataclass

from members.models import ConsentPurpose


@dataclass(frozen=True)
class SampleText:
    """The words of one purpose, ready to be entered and adopted."""

    purpose: str
    text: str
    text_en: str


SAMPLES = (
    SampleText(
        ConsentPurpose.MEMBERSHIP,
        "【样例文本，须经本单位法务审定后使用】\n"
        "我同意工会为建立和管理会员实名制信息，处理我的姓名、身份证号、手机号、工作单位、"
        "就业状况等信息。这些信息仅用于会籍管理、会员服务和法定统计，保存至会籍终止后按规定归档。"
        "我可以随时撤回同意；撤回后除名册本身外不再用于其他用途，会籍记录依法保存。",
        "[Sample text: have your own lawyers word it before use]\n"
        "I agree that the union processes my name, identity number, mobile phone, employer and"
        " employment for the real-name register of members. The data serve membership, services"
        " to members and statistics required by law; they are archived after the membership ends."
        " I may withdraw at any time: the data are used for nothing beyond the register itself; the"
        " record of my membership is kept as the law requires.",
    ),
    SampleText(
        ConsentPurpose.CARD,
        "【样例文本，须经本单位法务审定后使用】\n"
        "我单独同意工会为办理工会会员服务卡，将我的姓名、身份证号、手机号提供给发卡银行，"
        "由银行用于开卡和联系我本人。不同意不影响我的会员身份，只是不能办理服务卡。"
        "我可以随时撤回同意；撤回后不再向银行提供新的信息，已经开立的卡由银行依法管理。",
        "[Sample text: have your own lawyers word it before use]\n"
        "I agree separately that the union gives my name, identity number and mobile phone to the"
        " issuing bank, so that it opens a service card for me and reaches me. Saying no does not"
        " touch my membership: I only get no card. I may withdraw at any time: nothing more is"
        " given to the bank; a card that was opened is the bank's to manage.",
    ),
    SampleText(
        ConsentPurpose.SENSITIVE,
        "【样例文本，须经本单位法务审定后使用】\n"
        "我单独同意工会为审核困难帮扶、医疗救助和补助申请，处理我提交的病情、收入、银行账户等"
        "敏感个人信息。只有办理申请的人员可以查看，查看会留下记录。不同意则无法审核相应申请。"
        "我可以随时撤回同意；撤回后不再受理新的申请，已支付款项的凭证依法保存。",
        "[Sample text: have your own lawyers word it before use]\n"
        "I agree separately that the union processes sensitive data that I hand in (illness,"
        " income, bank account) to judge applications for relief and subsidies. Only those who"
        " work on the application see them, and each look is recorded. Without my consent such an"
        " application can't be judged. I may withdraw at any time: no new application is taken;"
        " vouchers of what was paid are kept as the law requires.",
    ),
    SampleText(
        ConsentPurpose.NOTICES,
        "【样例文本，须经本单位法务审定后使用】\n"
        "我同意工会用短信通知我办理进度、活动和普惠信息。我可以随时撤回同意；撤回后不再发送短信，"
        "消息仍可在平台内查看。登录验证码在我本人索取时仍会发送。",
        "[Sample text: have your own lawyers word it before use]\n"
        "I agree that the union tells me by text message how my applications stand and what is on"
        " offer. I may withdraw at any time: no more text messages, I find the messages in the"
        " portal. A log-in code still comes when I ask for one.",
    ),
    SampleText(
        ConsentPurpose.FAMILY,
        "【样例文本，须经本单位法务审定后使用】\n"
        "我作为监护人单独同意工会为办理家庭帮扶和助学，处理我填写的未满十四周岁子女的姓名、"
        "出生日期和身份证号。我可以随时撤回同意；撤回后不能再登记未满十四周岁的家庭成员，"
        "我也可以删除已登记的信息。",
        "[Sample text: have your own lawyers word it before use]\n"
        "As the guardian I agree separately that the union processes name, birth date and identity"
        " number of my children under 14, as I enter them, for family relief and aid for"
        " schooling. I may withdraw at any time: no child under 14 can be entered any more, and I"
        " can remove those that were.",
    ),
)
