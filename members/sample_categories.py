"""Sixteen categories of offers, each under a need of life (衣食住行), as data.

A sample division, labelled so: which categories the newspaper's 16 are is not known. Whoever
holds the programme changes names, order and which are in use; codes stay.
"""

from typing import Final, NamedTuple

from members.models.merchants import Need


class SampleCategory(NamedTuple):
    """One category, ready to be entered."""

    code: str
    name: str
    name_en: str
    need: Need


SAMPLE_CATEGORIES: Final = (
    SampleCategory("clothing", "服装鞋帽", "Clothes and shoes", Need.CLOTHING),
    SampleCategory("laundry", "洗染缝补", "Laundry and mending", Need.CLOTHING),
    SampleCategory("dining", "餐饮美食", "Restaurants", Need.FOOD),
    SampleCategory("groceries", "粮油副食", "Groceries", Need.FOOD),
    SampleCategory("specialities", "陕北特产", "Specialities of northern Shaanxi", Need.FOOD),
    SampleCategory("furnishing", "家居建材", "Furniture and building materials", Need.HOUSING),
    SampleCategory("appliances", "家电数码", "Appliances and electronics", Need.HOUSING),
    SampleCategory("lodging", "酒店住宿", "Hotels", Need.HOUSING),
    SampleCategory("transport", "公交出行", "Buses and trains", Need.TRAVEL),
    SampleCategory("car_care", "汽车养护", "Car care and fuel", Need.TRAVEL),
    SampleCategory("tourism", "旅游景区", "Travel and sights", Need.TRAVEL),
    SampleCategory("medical", "医疗体检", "Health checks and clinics", Need.HEALTH),
    SampleCategory("fitness", "运动健身", "Sports and fitness", Need.HEALTH),
    SampleCategory("books", "图书文化", "Books and culture", Need.LEARNING),
    SampleCategory("training", "教育培训", "Courses and training", Need.LEARNING),
    SampleCategory("household", "家政生活", "Household services", Need.LIFE),
)
