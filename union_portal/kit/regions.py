"""Administrative divisions (GB/T 2260): provinces, and the twelve counties of Yulin.

Never derive where a person lives or belongs from the first digits of an identity number:
they say where it was first issued. They serve warnings and made-up people only.
"""

from typing import Final

from django.utils.translation import gettext_noop

YULIN: Final = "610800"

YULIN_DIVISIONS: Final[dict[str, str]] = {
    "610802": gettext_noop("Yuyang District"),
    "610803": gettext_noop("Hengshan District"),
    "610881": gettext_noop("Shenmu City"),
    "610822": gettext_noop("Fugu County"),
    "610824": gettext_noop("Jingbian County"),
    "610825": gettext_noop("Dingbian County"),
    "610826": gettext_noop("Suide County"),
    "610827": gettext_noop("Mizhi County"),
    "610828": gettext_noop("Jiaxian County"),
    "610829": gettext_noop("Wubu County"),
    "610830": gettext_noop("Qingjian County"),
    "610831": gettext_noop("Zizhou County"),
}

YULIN_DIVISIONS_ZH: Final[dict[str, str]] = {
    "610802": "榆阳区",
    "610803": "横山区",
    "610881": "神木市",
    "610822": "府谷县",
    "610824": "靖边县",
    "610825": "定边县",
    "610826": "绥德县",
    "610827": "米脂县",
    "610828": "佳县",
    "610829": "吴堡县",
    "610830": "清涧县",
    "610831": "子洲县",
}
"""Official names, for rows that are stored rather than shown."""

FORMER_CODES: Final[dict[str, str]] = {
    "610802": "612701",
    "610803": "612724",
    "610881": "612722",
    "610822": "612723",
    "610824": "612725",
    "610825": "612726",
    "610826": "612727",
    "610827": "612728",
    "610828": "612729",
    "610829": "612730",
    "610830": "612731",
    "610831": "612732",
}
"""Code of the same place before Yulin became a city: on numbers of people born before 2000."""

PROVINCES: Final[dict[str, str]] = {
    "11": gettext_noop("Beijing"),
    "12": gettext_noop("Tianjin"),
    "13": gettext_noop("Hebei"),
    "14": gettext_noop("Shanxi"),
    "15": gettext_noop("Inner Mongolia"),
    "21": gettext_noop("Liaoning"),
    "22": gettext_noop("Jilin"),
    "23": gettext_noop("Heilongjiang"),
    "31": gettext_noop("Shanghai"),
    "32": gettext_noop("Jiangsu"),
    "33": gettext_noop("Zhejiang"),
    "34": gettext_noop("Anhui"),
    "35": gettext_noop("Fujian"),
    "36": gettext_noop("Jiangxi"),
    "37": gettext_noop("Shandong"),
    "41": gettext_noop("Henan"),
    "42": gettext_noop("Hubei"),
    "43": gettext_noop("Hunan"),
    "44": gettext_noop("Guangdong"),
    "45": gettext_noop("Guangxi"),
    "46": gettext_noop("Hainan"),
    "50": gettext_noop("Chongqing"),
    "51": gettext_noop("Sichuan"),
    "52": gettext_noop("Guizhou"),
    "53": gettext_noop("Yunnan"),
    "54": gettext_noop("Tibet"),
    "61": gettext_noop("Shaanxi"),
    "62": gettext_noop("Gansu"),
    "63": gettext_noop("Qinghai"),
    "64": gettext_noop("Ningxia"),
    "65": gettext_noop("Xinjiang"),
    "71": gettext_noop("Taiwan"),
    "81": gettext_noop("Hong Kong residents"),
    "82": gettext_noop("Macao residents"),
    "83": gettext_noop("Taiwan residents"),
}


def division_name(code: str) -> str:
    """Message id of the name of a Yulin county or a province; the code itself if unknown."""
    return YULIN_DIVISIONS.get(code) or PROVINCES.get(code[:2], code)
