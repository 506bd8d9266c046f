# %% [markdown]
# # Records with names
# Named tuples and data classes. Two are given; you write functions for them, and one of your own.

# %%
import dataclasses
from collections import namedtuple
from dataclasses import dataclass
from typing import NamedTuple

# %% locked="given"
class Point(NamedTuple):
    """A point of the plane."""
    x: float
    y: float

@dataclass
class Segment:
    """A line between two points."""
    start: Point
    end: Point
    label: str = ""

Student = namedtuple("Student", ["name", "grades"])

# %% solution="geometry"
def midpoint(segment):
    """Return the Point in the middle of a Segment."""
    ### BEGIN SOLUTION
    a, b = segment.start, segment.end
    return Point((a.x + b.x) / 2, (a.y + b.y) / 2)
    ### END SOLUTION

def reverse(segment):
    """Return a new Segment in the other direction, with the same label."""
    ### BEGIN SOLUTION
    return dataclasses.replace(segment, start=segment.end, end=segment.start)
    ### END SOLUTION

# %% mistake="plain_tuples"
def midpoint(segment):
    """Return the Point in the middle of a Segment."""
    a, b = segment.start, segment.end
    return ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)

def reverse(segment):
    """Return a new Segment in the other direction, with the same label."""
    return (segment.end, segment.start, segment.label)

# %% mistake="reverses_in_place"
def midpoint(segment):
    """Return the Point in the middle of a Segment."""
    a, b = segment.start, segment.end
    return Point((a.x + b.x) / 2, (a.y + b.y) / 2)

def reverse(segment):
    """Return a new Segment in the other direction, with the same label."""
    segment.start, segment.end = segment.end, segment.start
    return segment

# %% mistake="loses_the_label"
def midpoint(segment):
    """Return the Point in the middle of a Segment."""
    a, b = segment.start, segment.end
    return Point((a.x + b.x) // 2, (a.y + b.y) // 2)

def reverse(segment):
    """Return a new Segment in the other direction, with the same label."""
    return Segment(segment.end, segment.start)

# %%
midpoint(Segment(Point(0, 0), Point(1, 4)))

# %% test="test_midpoint" points=2
middle = midpoint(Segment(Point(0, 0), Point(3, 4)))
assert middle == (1.5, 2)
assert middle.x == 1.5, "a Point has names"
### BEGIN HIDDEN TESTS
assert isinstance(middle, Point)
assert middle._asdict() == {"x": 1.5, "y": 2.0}
### END HIDDEN TESTS

# %% test="test_reverse" points=2
segment = Segment(Point(0, 1), Point(2, 3), "ab")
back = reverse(segment)
assert back == Segment(Point(2, 3), Point(0, 1), "ab"), back
assert segment.start == Point(0, 1), "the old segment stays as it is"
### BEGIN HIDDEN TESTS
assert back is not segment and reverse(back) == segment
assert dataclasses.asdict(back)["label"] == "ab"
### END HIDDEN TESTS

# %% solution="best_student"
def best_student(students):
    """Return the Student with the best mean of grades; a Student has a name and a tuple of grades."""
    ### BEGIN SOLUTION
    return max(students, key=lambda student: sum(student.grades) / len(student.grades))
    ### END SOLUTION

# %% mistake="the_name_only"
def best_student(students):
    """Return the Student with the best mean of grades; a Student has a name and a tuple of grades."""
    return max(students, key=lambda student: sum(student.grades) / len(student.grades)).name

# %% mistake="the_sum"
def best_student(students):
    """Return the Student with the best mean of grades; a Student has a name and a tuple of grades."""
    return max(students, key=lambda student: sum(student.grades))

# %% test="test_best_student" points=1
students = [Student("Ada", (5, 6)), Student("Bob", (3, 3, 4, 4)), Student("Cleo", (6,))]
assert best_student(students).name == "Cleo"
### BEGIN HIDDEN TESTS
best = best_student(students)
assert best == students[2] and isinstance(best, Student)
### END HIDDEN TESTS

# %% [markdown]
# ## Your own
# `Book(title, year, authors)` is a frozen data class that can be ordered by year, then title. `authors` is an empty tuple
# if none are given. The property `age` is the number of years until 2024.

# %% solution="book"
### BEGIN SOLUTION
@dataclass(frozen=True, order=True)
class Book:
    title: str = dataclasses.field(compare=False)
    year: int
    authors: tuple = dataclasses.field(default=(), compare=False)
    _sorting: str = dataclasses.field(init=False, repr=False, default="")

    def __post_init__(self):
        object.__setattr__(self, "_sorting", self.title)

    @property
    def age(self):
        return 2024 - self.year
### END SOLUTION

# %% mistake="not_frozen"
@dataclass
class Book:
    title: str
    year: int
    authors: tuple = ()

    @property
    def age(self):
        return 2024 - self.year

    def __lt__(self, other):
        return (self.year, self.title) < (other.year, other.title)

# %% mistake="ordered_by_title"
@dataclass(frozen=True, order=True)
class Book:
    title: str
    year: int
    authors: tuple = ()

    def age(self):
        return 2024 - self.year

# %% mistake="no_data_class"
class Book:
    def __init__(self, title, year, authors=()):
        self.title, self.year, self.authors = title, year, authors
        self.age = 2024 - year

    def __lt__(self, other):
        return (self.year, self.title) < (other.year, other.title)

# %% mistake="a_list_of_authors"
@dataclass(frozen=True)
class Book:
    title: str
    year: int
    authors: list = dataclasses.field(default_factory=list)

    @property
    def age(self):
        return 2024 - self.year

    def __lt__(self, other):
        return (self.year, self.title) < (other.year, other.title)

# %% test="test_book" points=2
book = Book("Emma", 1815, ("Austen",))
assert (book.title, book.year, book.authors) == ("Emma", 1815, ("Austen",))
assert book.age == 209
### BEGIN HIDDEN TESTS
assert Book("Faust", 1808).authors == ()
assert repr(book).startswith("Book(") and "Emma" in repr(book)
assert dataclasses.is_dataclass(Book)
### END HIDDEN TESTS

# %% test="test_book_frozen" points=1
book = Book("Emma", 1815)
try:
    book.year = 2000
except dataclasses.FrozenInstanceError:
    pass
else:
    raise AssertionError("a frozen book cannot be changed")
assert book.year == 1815

# %% test="test_book_order" points=2
books = [Book("Ulysses", 1922), Book("Emma", 1815), Book("Babbitt", 1922)]
assert [b.title for b in sorted(books)] == ["Emma", "Babbitt", "Ulysses"]
### BEGIN HIDDEN TESTS
assert min(books).year == 1815 and books[1] < books[0]
### END HIDDEN TESTS
