"""Gene symbols that a spreadsheet has converted to dates.

Spreadsheets show SEPT2 as ``2-Sep`` or ``Sep-02``, and save it as ``2021-09-02``, depending on
their language and format. Several symbols can become the same date, so none is restored.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

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
# Spreadsheets count days from here.
_FIRST_DAY = date(1899, 12, 30)
_SERIAL = re.compile(r"([34]\d{4}|5[0-4]\d{3})(?:\.0)?")
# RIKEN clones such as 2310009E13 are large numbers for a spreadsheet.
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?E\+\d{1,3}", re.IGNORECASE)
# Columns in which more of the names are numbers hold ids.
_MOST_NUMBERS = 0.1
_LARGEST_NUMBER = 15
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
    symbols = [text for month, number in found for text in _symbols(month, number)]
    return " or ".join(dict.fromkeys(symbols))


def describe_dates(dates: Mapping[str, str], n_shown: int = 3) -> str:
    """Return the first few dates with the symbols that they may stand for.

    >>> describe_dates({"2-Sep": "SEPT2, now SEPTIN2", "3-May": ""})
    "'2-Sep' for SEPT2, now SEPTIN2; '3-May'"
    """
    shown = [f"{date!r} for {text}" if text else repr(date) for date, text in dates.items()]
    hidden = len(shown) - n_shown
    return "; ".join(shown[:n_shown]) + (f"; and {hidden:,} more" if hidden > 0 else "")


def serial_dates(names: Iterable[str]) -> dict[str, str]:
    """Return the numbers that a spreadsheet may have made of symbols, with these symbols.

    These are the days of dates in March, September, October and December, among names of which few
    are numbers, and numbers in scientific notation.

    Parameters
    ----------
    names : iterable of str
        Distinct names.

    Returns
    -------
    dict of str to str
    """
    names = list(names)
    numbers = [name for name in names if name.removesuffix(".0").isdigit()]
    found = {name: "a RIKEN clone" for name in names if _SCIENTIFIC.fullmatch(name)}
    if len(numbers) > _MOST_NUMBERS * len(names):
        return found
    for name in numbers:
        if match := _SERIAL.fullmatch(name):
            day = _FIRST_DAY + timedelta(days=int(match[1]))
            # SEPT2 is the second of the month, or its first day in 2002.
            candidates = (day.day, day.year % 100) if day.day == 1 else (day.day,)
            small = [number for number in candidates if number <= _LARGEST_NUMBER]
            symbols = [text for number in small for text in _symbols(day.month, number)]
            if symbols:
                found[name] = " or ".join(dict.fromkeys(symbols))
    return found


def _symbols(month: int, number: int) -> list[str]:
    pairs = _SYMBOLS.get(month, ())
    return [f"{old.format(number)}, now {new.format(number)}" for old, new in pairs]


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
