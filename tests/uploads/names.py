"""Sound pictures under names that mean harm: kept under a plain name, or refused."""

from tests.uploads.corpus import Hostile, family
from tests.uploads.pictures import photo


def named(rng, name: str) -> Hostile:
    return Hostile(name, photo(rng), may_be_clean=True)


@family
def name_that_leaves_its_folder(rng):
    way = rng.choice(
        ["../../../../etc/", "..\\..\\windows\\", "/etc/cron.d/", "C:\\", "....//", "%2e%2e/"]
    )
    return named(rng, f"{way}photo.jpg")


@family
def name_with_a_null_in_it(rng):
    return named(rng, f"photo.php\0{rng.randrange(99)}.jpg")


@family
def name_that_reads_backwards(rng):
    return named(rng, f"photo{rng.choice(chr(0x202E) + chr(0x2066) + chr(0x200F))}gpj.exe.jpg")


@family
def name_with_two_endings(rng):
    return named(
        rng, rng.choice(["photo.html.jpg", "photo.exe.jpeg", "photo.svg.jpg", "a.tar.gz.jpg"])
    )


@family
def name_that_a_system_reserves(rng):
    return named(rng, rng.choice(["CON.jpg", "nul.jpg", "aux.JPG", ".htaccess.jpg", "com1.jpeg"]))


@family
def name_too_long(rng):
    return named(rng, rng.choice(["a" * 250, "长" * 80, "😀" * 60]) + ".jpg")


@family
def name_that_writes_headers(rng):
    return named(
        rng, f'a"\r\nSet-Cookie: x={rng.randrange(9)}\r\n\r\n<script>alert(1)</script>.jpg'
    )


@family
def name_of_markup(rng):
    return named(
        rng, rng.choice(["<img src=x onerror=alert(1)>.jpg", "'\"--;DROP TABLE.jpg", "{{7*7}}.jpg"])
    )


@family
def name_of_nothing(rng):
    return named(rng, rng.choice([" .jpg", "....jpg", "\u200b.jpg", "-rf.jpg"]))
