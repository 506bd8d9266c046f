# %% [markdown]
# # Dates
# Days, weeks and years, and all that is irregular about them.

# %%
from datetime import date, datetime, timedelta

# %% solution="is_leap_year"
def is_leap_year(year):
    """Return whether a year has 366 days."""
    ### BEGIN SOLUTION
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    ### END SOLUTION

# %% mistake="every_fourth_year"
def is_leap_year(year):
    """Return whether a year has 366 days."""
    return year % 4 == 0

# %% mistake="not_every_hundred"
def is_leap_year(year):
    """Return whether a year has 366 days."""
    return year % 4 == 0 and year % 100 != 0

# %% mistake="says_yes_or_no"
def is_leap_year(year):
    """Return whether a year has 366 days."""
    return "yes" if year % 4 == 0 and (year % 100 or not year % 400) else "no"

# %%
[year for year in range(1990, 2030) if is_leap_year(year)]

# %% test="test_is_leap_year" points=2
assert is_leap_year(2024)
assert not is_leap_year(2023)
### BEGIN HIDDEN TESTS
assert is_leap_year(2000) == True
assert is_leap_year(1900) == False
### END HIDDEN TESTS

# %% solution="next_weekday"
def next_weekday(day, weekday):
    """Return the first day after `day` that is this weekday (0 is Monday)."""
    ### BEGIN SOLUTION
    ahead = (weekday - day.weekday() - 1) % 7 + 1
    return day + timedelta(days=ahead)
    ### END SOLUTION

def working_days(first, last, holidays=()):
    """Return the days from first to last, both included, without weekends and holidays, as a list."""
    ### BEGIN SOLUTION
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5 and day not in holidays]
    ### END SOLUTION

# %% mistake="today_counts"
def next_weekday(day, weekday):
    """Return the first day after `day` that is this weekday (0 is Monday)."""
    while day.weekday() != weekday:
        day += timedelta(days=1)
    return day

def working_days(first, last, holidays=()):
    """Return the days from first to last, both included, without weekends and holidays, as a list."""
    days = []
    while first < last:
        if first.weekday() < 5 and first not in holidays:
            days.append(first)
        first += timedelta(days=1)
    return days

# %% mistake="weeks_begin_on_sunday"
def next_weekday(day, weekday):
    """Return the first day after `day` that is this weekday (0 is Monday)."""
    day += timedelta(days=1)
    while day.isoweekday() != weekday:
        day += timedelta(days=1)
        if day.year > 2100:
            raise ValueError("no such day")
    return day

def working_days(first, last, holidays=()):
    """Return the days from first to last, both included, without weekends and holidays, as a list."""
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    return [day for day in days if day.isoweekday() < 5 and day not in holidays]

# %% mistake="texts_for_dates"
def next_weekday(day, weekday):
    """Return the first day after `day` that is this weekday (0 is Monday)."""
    day += timedelta((weekday - day.weekday() - 1) % 7 + 1)
    return day.isoformat()

def working_days(first, last, holidays=()):
    """Return the days from first to last, both included, without weekends and holidays, as a list."""
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return len([day for day in days if day.weekday() < 5 and day not in holidays])

# %% test="test_next_weekday" points=2
friday = date(2024, 3, 8)
assert next_weekday(friday, 0) == date(2024, 3, 11)
assert next_weekday(friday, 4) == date(2024, 3, 15), "the day itself does not count"
### BEGIN HIDDEN TESTS
for n in range(7):
    day = next_weekday(date(2023, 12, 28), n)
    assert day.weekday() == n and timedelta(0) < day - date(2023, 12, 28) <= timedelta(7)
### END HIDDEN TESTS

# %% test="test_working_days" points=2
days = working_days(date(2024, 3, 7), date(2024, 3, 12))
assert [day.day for day in days] == [7, 8, 11, 12]
### BEGIN HIDDEN TESTS
assert working_days(date(2024, 5, 1), date(2024, 5, 2), holidays={date(2024, 5, 1)}) == [date(2024, 5, 2)]
assert working_days(date(2024, 3, 9), date(2024, 3, 10)) == []
### END HIDDEN TESTS

# %% solution="parse"
def parse(text):
    """Return a datetime for texts such as "9.3.2024 17:05" and a date for "9.3.2024"."""
    ### BEGIN SOLUTION
    if ":" in text:
        return datetime.strptime(text, "%d.%m.%Y %H:%M")
    return datetime.strptime(text, "%d.%m.%Y").date()
    ### END SOLUTION

# %% mistake="month_first"
def parse(text):
    """Return a datetime for texts such as "9.3.2024 17:05" and a date for "9.3.2024"."""
    if ":" in text:
        return datetime.strptime(text, "%m.%d.%Y %H:%M")
    return datetime.strptime(text, "%m.%d.%Y").date()

# %% mistake="always_a_datetime"
def parse(text):
    """Return a datetime for texts such as "9.3.2024 17:05" and a date for "9.3.2024"."""
    return datetime.strptime(text, "%d.%m.%Y %H:%M" if ":" in text else "%d.%m.%Y")

# %% test="test_parse" points=2
assert parse("9.3.2024 17:05") == datetime(2024, 3, 9, 17, 5)
assert parse("31.12.1999") == date(1999, 12, 31)
### BEGIN HIDDEN TESTS
assert type(parse("1.1.2000")) is date
assert parse("9.3.2024 17:05") - parse("8.3.2024 16:00") == timedelta(days=1, hours=1, minutes=5)
### END HIDDEN TESTS

# %% test="test_parse_nonsense" points=1
for text in ("30.2.2024", "soon"):
    try:
        parse(text)
    except ValueError:
        continue
    raise AssertionError(f"{text!r} is no date")
