"""Gene symbols that a spreadsheet has converted to dates.

Spreadsheets show SEPT2 as ``2-Sep`` or ``Sep-02``, and save it as ``2021-09-02``, depending on
their language and format. Several symbols can become the same date, so none is restored.
"""

import re

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january janv", "feb february févr fev", "mar march mrz mär mars", "apr april avr",
            "may mai mayo", "jun june juin", "jul july juil", "aug august août ago",
            "sep sept september set", "oct october okt", "nov november", "dec december dez déc dic",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
# Symbols with the name of a month and a number, and their present names.
_SYMBOLS = {
    3: (("MARCH{}", "MARCHF{}"), ("MARC{}", "MTARC{}")),
    9: (("SEPT{}", "SEPTIN{}"),),
    10: (("OCT{}", "POU family"),),
    12: (("DEC{}", "DELEC{}"),),
}
_DAY_MONTH = re.compile(
    r"(\d{1,2})[-. ]{1,2}([^\W\d_]{3,9})\.?(?:[-. ]{1,2}\d{2,4})?", re.IGNORECASE
)
# C. elegans has genes such as sep-1, so only the capitalised form with two digits is a date.
_MONTH_YEAR = re.compile(r"([A-Z][a-zäéû]{2,3})[-. ](\d{2})")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T]\d{2}:\d{2}.*)?")
_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})|(\d{1,2})/(\d{1,2})/(\d{2})")


def date_symbols(name: str) -> str | None:
    """Return the symbols that may have become a date, None if the name is no date.

    >>> date_symbols("2-Sep")
    'SEPT2, now SEPTIN2'
    """
    if not any(c.isdigit() for c in name) or len(name) > 24:
        return None
    found = _parse(name)
    if found is None:
        return None
    symbols = [
        f"{old.format(number)}, now {new.format(number)}"
        for month, number in found
        for old, new in _SYMBOLS.get(month, ())
    ]
    return " or ".join(dict.fromkeys(symbols))


def _parse(name: str) -> list[tuple[int, int]] | None:
    """Return the months and numbers that a date may stand for."""
    if match := _DAY_MONTH.fullmatch(name):
        month = _MONTHS.get(match[2].lower())
        return None if month is None else [(month, int(match[1]))]
    if match := _MONTH_YEAR.fullmatch(name):
        month = _MONTHS.get(match[1].lower())
        return None if month is None else [(month, int(match[2]))]
    if match := _ISO.fullmatch(name):
        year, month, day = map(int, match.groups())
        # SEPT2 as September 2002 has the first day of the month.
        return _valid([(month, day), *([(month, year % 100)] if day == 1 else [])])
    if match := _NUMERIC.fullmatch(name):
        one, other = int(match[1] or match[5]), int(match[3] or match[6])
        return _valid([(one, other), (other, one)])
    return None


def _valid(dates: list[tuple[int, int]]) -> list[tuple[int, int]] | None:
    return [(month, number) for month, number in dates if 1 <= month <= 12] or None
