"""The official days off and make-up days of 2025 and 2026."""

from django.db import migrations

from union_portal.kit.calendar_2025_2026 import HOLIDAYS, KNOWN_YEARS, NAMES

SOURCES = {2025: "国办发明电〔2024〕12号", 2026: "国办发明电〔2025〕7号"}
CHINESE = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Qingming Festival": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-Autumn Festival": "中秋节",
    "National Day": "国庆节",
    "National Day and Mid-Autumn Festival": "国庆节、中秋节",
}


def enter(apps, schema_editor):
    Holiday = apps.get_model("union_portal", "Holiday")
    Holiday.objects.bulk_create(
        [
            Holiday(
                day=day, is_workday=is_worked, name=CHINESE[NAMES[day]], source=SOURCES[day.year]
            )
            for day, is_worked in HOLIDAYS.items()
        ],
        ignore_conflicts=True,
    )


def remove(apps, schema_editor):
    Holiday = apps.get_model("union_portal", "Holiday")
    Holiday.objects.filter(day__year__in=KNOWN_YEARS, source__in=SOURCES.values()).delete()


class Migration(migrations.Migration):
    dependencies = [("union_portal", "0001_initial")]
    operations = [migrations.RunPython(enter, remove)]
