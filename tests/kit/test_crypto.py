"""Sealed data opens only whole, only as its own kind, and only with its key."""

import base64
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from union_portal.kit.crypto import Keyring, KeyringError, SealBroken, generate_key

ONE, TWO, INDEX = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
AES = Keyring.from_config(f"1:aes:{ONE}", index_key=INDEX)
SM4 = Keyring.from_config(f"2:sm4:{TWO}", index_key=INDEX)
BOTH = Keyring.from_config(f"1:aes:{ONE}, 2:sm4:{TWO}", index_key=INDEX)
RINGS = pytest.mark.parametrize("ring", [AES, SM4], ids=["aes", "sm4"])


@RINGS
@given(text=st.text())
def test_what_is_sealed_opens_again(ring: Keyring, text: str) -> None:
    blob = ring.seal("medical", text)
    assert ring.open("medical", blob) == text
    assert ring.open("medical", memoryview(blob)) == text
    assert text == "" or len(text) < 4 or text.encode() not in blob


@RINGS
def test_the_header_names_algorithm_and_key(ring: Keyring) -> None:
    blob = ring.seal("phone", "13800138000")
    assert blob[0] == {1: 1, 2: 2}[ring.current]
    assert ring.key_version(blob) == ring.current == blob[1]
    assert len(blob) == 2 + 12 + 11 + 16


@RINGS
def test_two_seals_of_one_value_differ(ring: Keyring) -> None:
    assert len(set(ring.seal_many("phone", ["13800138000"] * 50))) == 50


@RINGS
@given(place=st.integers(0, 40), bit=st.integers(0, 7))
def test_one_flipped_bit_breaks_the_seal(ring: Keyring, place: int, bit: int) -> None:
    blob = bytearray(ring.seal("phone", "13800138000"))
    blob[place] ^= 1 << bit
    with pytest.raises(SealBroken):
        ring.open("phone", blob)


@RINGS
def test_a_phone_does_not_open_as_an_identity_number(ring: Keyring) -> None:
    with pytest.raises(SealBroken, match="belongs elsewhere"):
        ring.open("national_id", ring.seal("phone", "13800138000"))


@RINGS
@pytest.mark.parametrize("cut", [0, 1, 13, 29])
def test_a_cut_value_is_broken_not_a_crash(ring: Keyring, cut: int) -> None:
    with pytest.raises(SealBroken):
        ring.open("phone", ring.seal("phone", "13800138000")[:cut])


def test_the_newest_key_seals_and_older_ones_still_open() -> None:
    old = AES.seal("phone", "13800138000")
    assert BOTH.current == 2
    assert BOTH.open("phone", old) == "13800138000"
    assert BOTH.key_version(BOTH.seal("phone", "13800138000")) == 2


def test_resealing_moves_a_value_to_the_current_key_once() -> None:
    moved = BOTH.reseal("phone", AES.seal("phone", "13800138000"))
    assert BOTH.key_version(moved) == 2
    assert SM4.open("phone", moved) == "13800138000"
    assert BOTH.reseal("phone", moved) == moved


def test_a_missing_key_version_is_named() -> None:
    with pytest.raises(SealBroken, match="key version 2"):
        AES.open("phone", SM4.seal("phone", "13800138000"))


def test_the_current_version_can_be_chosen() -> None:
    ring = Keyring.from_config({1: f"aes:{ONE}", "2": f"sm4:{TWO}"}, index_key=INDEX, current=1)
    assert ring.key_version(ring.seal("phone", "1")) == 1


def test_fingerprints_look_up_within_one_kind_only() -> None:
    print_of = AES.fingerprint
    assert print_of("phone", "138") == BOTH.fingerprint("phone", "138")
    assert print_of("phone", "138") != print_of("bank_account", "138")
    assert print_of("phone", "138") != print_of("phone", "139")
    assert len(print_of("phone", "138")) == 64
    assert AES.fingerprint_many("phone", ["138", "139"]) == [
        print_of("phone", "138"),
        print_of("phone", "139"),
    ]


def test_fingerprints_depend_on_the_index_key() -> None:
    other = Keyring.from_config(f"1:aes:{ONE}", index_key=generate_key())
    assert other.fingerprint("phone", "138") != AES.fingerprint("phone", "138")


def test_batches_answer_in_order() -> None:
    texts = [str(n) for n in range(1000)]
    assert SM4.open_many("phone", SM4.seal_many("phone", texts)) == texts


@pytest.mark.parametrize(
    ("keys", "index_key", "reason"),
    [
        ("", INDEX, "is missing"),
        ("1:aes:short", INDEX, "#1"),
        (f"1:aes:{ONE},2:des:{TWO}", INDEX, "#2"),
        (f"1:aes:{ONE},1:sm4:{TWO}", INDEX, "#2"),
        (f"0:aes:{ONE}", INDEX, "#1"),
        (f"256:aes:{ONE}", INDEX, "#1"),
        (f"x:aes:{ONE}", INDEX, "#1"),
        (ONE, INDEX, "#1"),
        (f"1:aes:{ONE}", "nonsense", "index key"),
        (f"1:aes:{ONE}", ONE, "must differ"),
    ],
)
def test_wrong_keys_are_explained_and_never_shown(keys: str, index_key: str, reason: str) -> None:
    with pytest.raises(KeyringError, match=reason) as refusal:
        Keyring.from_config(keys, index_key=index_key)
    assert ONE not in str(refusal.value) + repr(refusal.value)


def test_a_representation_never_shows_keys() -> None:
    shown = repr(BOTH) + str(BOTH) + repr(dict(BOTH.keys))
    assert shown.startswith("<Keyring 1:aes, 2:sm4; current 2>")
    assert "\\x01" not in shown
    assert ONE not in shown


def test_a_refusal_survives_the_way_between_processes() -> None:
    with pytest.raises(SealBroken) as refusal:
        AES.open("phone", SM4.seal("phone", "13800138000"))
    assert str(pickle.loads(pickle.dumps(refusal.value))) == str(refusal.value)
