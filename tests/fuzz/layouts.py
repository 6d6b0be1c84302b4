"""The layouts that inputs are read with: those shipped, and sparse ones as a bank may have them."""

from typing import Final

from welfare.disbursement.bankfile import SHIPPED, Format

_GENERIC = SHIPPED["generic-utf8"]
# Nothing here tells how many rows there should be: each has to be accounted for by itself.
SPARSE: Final = {
    "no-totals": {**_GENERIC, "encoding": "utf-8", "return_head": []},
    "no-totals-bars": {
        **SHIPPED["delimited-pipe"],
        "encoding": "gbk",
        "separator": "|",
        "return_head": [],
        "return_trailer": [],
    },
    "foot-alone": {
        **SHIPPED["delimited-pipe"],
        "separator": "\t",
        "encoding": "utf-8-sig",
        "return_head": [],
    },
}
LAYOUTS: Final = {
    name: Format.from_config(name, config) for name, config in {**SHIPPED, **SPARSE}.items()
}
