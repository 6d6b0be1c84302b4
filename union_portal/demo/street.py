"""The demo's merchants and what they offer, as data: all made up, in the sixteen sample categories.

No shop of this name is known; coordinates are those of the county seats, scattered.
"""

from decimal import Decimal
from typing import Final, NamedTuple

SUFFIX: Final = "（演示）"
# Where the county seats lie (GCJ-02): latitude, longitude; and how many of a hundred shops.
SEATS: Final[dict[str, tuple[Decimal, Decimal, int]]] = {
    "610802": (Decimal("38.285"), Decimal("109.735"), 26),
    "610803": (Decimal("37.962"), Decimal("109.294"), 7),
    "610881": (Decimal("38.842"), Decimal("110.499"), 14),
    "610822": (Decimal("39.028"), Decimal("111.067"), 8),
    "610824": (Decimal("37.599"), Decimal("108.794"), 9),
    "610825": (Decimal("37.594"), Decimal("107.601"), 8),
    "610826": (Decimal("37.503"), Decimal("110.263"), 8),
    "610827": (Decimal("37.755"), Decimal("110.184"), 5),
    "610828": (Decimal("38.020"), Decimal("110.491"), 4),
    "610829": (Decimal("37.452"), Decimal("110.740"), 3),
    "610830": (Decimal("37.089"), Decimal("110.121"), 4),
    "610831": (Decimal("37.611"), Decimal("110.035"), 4),
}
STREETS: Final = ("北大街", "新建路", "长城路", "人民路", "文化路", "榆溪大道", "广济街", "南关街")
HEADS: Final = (
    *("驼铃", "塞上风", "榆溪人家", "红石峡畔", "镇北", "无定河", "沙柳", "胡杨", "金沙"),
    *("绿洲", "大漠", "长城里", "桃林", "黄土情"),
)


class Said(NamedTuple):
    """What an offer says: title, English title, text, and its figure by kind.

    `figure` is a members' price in fen, a discount in tenths of a tenth (85 is 8.5), or 0.
    """

    title: str
    title_en: str
    text: str
    kind: str
    figure: int = 0


class Subsidised(NamedTuple):
    """An offer that costs the federation so many fen a use, and how often it is used in all."""

    title: str
    title_en: str
    text: str
    subsidy_fen: int
    uses: int


class Trade(NamedTuple):
    """One category: what its shops are called, what they offer, and what is subsidised."""

    nouns: tuple[str, ...]
    offers: tuple[Said, ...]
    subsidised: Subsidised | None = None


def _discount(title: str, english: str, tenths: int, text: str) -> Said:
    return Said(title, english, text, "discount", tenths)


def _price(title: str, english: str, fen: int, text: str) -> Said:
    return Said(title, english, text, "price", fen)


def _gift(title: str, english: str, text: str) -> Said:
    return Said(title, english, text, "gift")


_SHOW: Final = "出示会员服务卡动态码即可享受。"
# By the code of the category; the subsidised uses come to something over 800,000 yuan.
TRADES: Final[dict[str, Trade]] = {
    "clothing": Trade(
        ("服饰店", "鞋城", "工装坊", "童装店", "羊绒馆", "布艺坊"),
        (
            _discount("全场服装八五折", "15% off all clothes", 85, f"正价商品八五折。{_SHOW}"),
            _price("劳保工装一套98元", "A set of work clothes for 98 yuan", 9800, _SHOW),
            _discount("换季鞋靴七折", "30% off last season's shoes", 70, _SHOW),
        ),
    ),
    "laundry": Trade(
        ("干洗店", "洗衣坊", "改衣铺", "皮具护理", "缝纫坊", "洗染店"),
        (
            _price("羽绒服清洗25元", "A down jacket cleaned for 25 yuan", 2500, _SHOW),
            _gift("缝补纽扣免费", "Buttons sewn on free of charge", f"当日可取。{_SHOW}"),
            _discount("床品清洗八折", "20% off bed linen", 80, _SHOW),
        ),
        Subsidised("工服清洗补贴15元", "Work clothes cleaned: 15 yuan paid by the union",
                   "清洗工服一套，工会补贴15元。", 1_500, 600),
    ),
    "dining": Trade(
        ("羊肉面馆", "炖羊馆", "豆腐宴", "碗托铺", "拼三鲜", "大烩菜馆"),
        (
            _discount("到店用餐八八折", "12% off every meal", 88, f"酒水除外。{_SHOW}"),
            _price("工作餐套餐18元", "A set lunch for 18 yuan", 1800, f"工作日午间供应。{_SHOW}"),
            _gift("每桌赠送时令小菜", "A seasonal side dish for each table", _SHOW),
        ),
        Subsidised("羊肉面立减20元", "Mutton noodles: 20 yuan paid by the union",
                   "一碗羊肉面，工会补贴20元。", 2_000, 1_250),
    ),
    "groceries": Trade(
        ("粮油店", "副食超市", "便民菜店", "杂粮铺", "生鲜店", "放心粮仓"),
        (
            _discount("米面粮油九五折", "5% off rice, flour and oil", 95, _SHOW),
            _price("小米5斤装29元", "Five jin of millet for 29 yuan", 2900, _SHOW),
            _gift("满百元送手工挂面", "Hand-made noodles from 100 yuan on", _SHOW),
        ),
        Subsidised("粮油满百补贴50元", "Groceries from 100 yuan on: 50 yuan paid by the union",
                   "购买粮油满100元，工会补贴50元。", 5_000, 1_100),
    ),
    "specialities": Trade(
        ("红枣行", "土特产店", "杂粮礼盒", "羊绒特产", "山货铺"),
        (
            _discount("特产礼盒八折", "20% off gift boxes", 80, _SHOW),
            _price("佳县红枣礼盒39元", "A box of Jiaxian dates for 39 yuan", 3900, _SHOW),
        ),
        Subsidised("助农礼盒补贴60元", "A box from the villages: 60 yuan paid by the union",
                   "购买助农礼盒一份，工会补贴60元。", 6_000, 750),
    ),
    "furnishing": Trade(
        ("家居城", "建材行", "灯饰馆", "窗帘布艺", "定制家具"),
        (
            _discount("家具九折并免费安装", "10% off furniture, fitted free", 90, _SHOW),
            _gift("免费上门量尺设计", "Measured and designed at home, free", _SHOW),
        ),
    ),
    "appliances": Trade(
        ("家电城", "数码店", "手机维修", "电器行", "电脑服务"),
        (
            _discount("小家电九二折", "8% off small appliances", 92, _SHOW),
            _price("空调清洗一台60元", "An air conditioner cleaned for 60 yuan", 6000, _SHOW),
        ),
    ),
    "lodging": Trade(
        ("宾馆", "酒店", "民宿", "招待所", "窑洞客栈"),
        (
            _price("标准间会员价168元", "A double room for 168 yuan", 16800, "含双早。" + _SHOW),
            _discount("门市价六五折", "35% off the listed price", 65, _SHOW),
        ),
    ),
    "transport": Trade(
        ("公交服务点", "出行服务", "代驾", "共享单车", "客运服务"),
        (
            _discount("城际客运九折", "10% off coaches between towns", 90, _SHOW),
            _price("骑行月卡9元", "A month of cycling for 9 yuan", 900, _SHOW),
        ),
        Subsidised("公交卡充值补贴50元", "Bus card: 50 yuan paid by the union",
                   "公交卡充值满100元，工会补贴50元。", 5_000, 1_000),
    ),
    "car_care": Trade(
        ("汽车养护", "洗车行", "加油服务", "轮胎行", "汽修厂"),
        (
            _price("普通洗车15元", "A car washed for 15 yuan", 1500, _SHOW),
            _discount("保养工时费七折", "30% off labour of a service", 70, _SHOW),
        ),
        Subsidised("车辆年检代办补贴80元", "Yearly inspection: 80 yuan paid by the union",
                   "代办车辆年检，工会补贴80元。", 8_000, 650),
    ),
    "tourism": Trade(
        ("旅行社", "景区票务", "滑雪场", "水上乐园", "研学基地"),
        (
            _discount("门票六折", "40% off admission", 60, f"本人及一名家属。{_SHOW}"),
            _price("周边一日游88元", "A day's outing for 88 yuan", 8800, "含车费导游。" + _SHOW),
        ),
        Subsidised("职工疗休养日补贴100元", "A day of rest: 100 yuan paid by the union",
                   "参加职工疗休养一日活动，工会补贴100元。", 10_000, 800),
    ),
    "medical": Trade(
        ("体检中心", "口腔门诊", "中医馆", "眼科门诊", "康复理疗"),
        (
            _discount("口腔治疗八折", "20% off dental care", 80, _SHOW),
            _gift("免费测量血压血糖", "Blood pressure and sugar measured free", _SHOW),
        ),
        Subsidised("职工体检补贴200元", "Health check: 200 yuan paid by the union",
                   "完成职工体检套餐，工会补贴200元。", 20_000, 1_200),
    ),
    "fitness": Trade(
        ("健身房", "游泳馆", "羽毛球馆", "瑜伽馆", "篮球公园"),
        (
            _price("游泳单次20元", "A swim for 20 yuan", 2000, _SHOW),
            _discount("年卡七五折", "25% off a year's card", 75, _SHOW),
        ),
        Subsidised("健身月卡补贴80元", "A month's gym card: 80 yuan paid by the union",
                   "办理健身月卡，工会补贴80元。", 8_000, 650),
    ),
    "books": Trade(
        ("书店", "文化空间", "影城", "剧场", "文创馆"),
        (
            _discount("图书八折", "20% off books", 80, _SHOW),
            _price("电影票25元", "A film for 25 yuan", 2500, f"特殊影厅除外。{_SHOW}"),
        ),
        Subsidised("购书满百补贴60元", "Books from 100 yuan on: 60 yuan paid by the union",
                   "购书满100元，工会补贴60元。", 6_000, 900),
    ),
    "training": Trade(
        ("技能培训", "驾校", "家政培训", "电商课堂", "少儿美术"),
        (
            _discount("驾校报名九折", "10% off driving lessons", 90, _SHOW),
            _gift("免费试听两课", "Two lessons to try, free", _SHOW),
        ),
        Subsidised("技能考证补贴150元", "A certificate of skill: 150 yuan paid by the union",
                   "报名技能等级考试，工会补贴150元。", 15_000, 600),
    ),
    "household": Trade(
        ("家政公司", "保洁服务", "月嫂中心", "管道疏通", "养老护理"),
        (
            _price("日常保洁2小时80元", "Two hours of cleaning for 80 yuan", 8000, _SHOW),
            _discount("月嫂服务九折", "10% off a maternity nurse", 90, _SHOW),
        ),
        Subsidised("家庭保洁补贴100元", "Cleaning at home: 100 yuan paid by the union",
                   "家庭深度保洁一次，工会补贴100元。", 10_000, 800),
    ),
}  # fmt: skip
