# %% [markdown]
# # Questions to a database
# Write queries as text, and a function that asks.

# %%
import sqlite3

# %% locked="database"
def library():
    """Make a small database anew, in memory."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        """
        CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, year INTEGER);
        CREATE TABLE loan (book INTEGER, reader TEXT, days INTEGER);
        INSERT INTO book VALUES (1, 'Emma', 1815), (2, 'Ulysses', 1922), (3, 'Dracula', 1897);
        INSERT INTO loan VALUES (1, 'Ada', 10), (1, 'Bob', 3), (3, 'Ada', 21);
        """
    )
    return connection

def ask(query, *values):
    """Return all rows that a query finds."""
    connection = library()
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()

# %% solution="queries"
# old_books: titles of the books before 1900, in alphabetical order.
# loans: for each title how often it was lent, also those that never were, by number (the largest first), then title.
### BEGIN SOLUTION
old_books = "SELECT title FROM book WHERE year < 1900 ORDER BY title"
loans = """
    SELECT title, COUNT(loan.book) FROM book LEFT JOIN loan ON loan.book = book.id
    GROUP BY book.id ORDER BY COUNT(loan.book) DESC, title
"""
### END SOLUTION

# %% mistake="not_ordered"
old_books = "SELECT title FROM book WHERE year < 1900 ORDER BY year"
loans = "SELECT title, COUNT(*) FROM book JOIN loan ON loan.book = book.id GROUP BY title"

# %% mistake="bad_sql"
old_books = "SELECT title FORM book WHERE year < 1900"
loans = "SELECT title, COUNT(*) FROM book, loan ORDER BY 2"

# %% mistake="answers_for_queries"
old_books = ask("SELECT title FROM book WHERE year < 1900 ORDER BY title")
loans = [("Emma", 2), ("Dracula", 1), ("Ulysses", 0)]

# %%
ask("SELECT * FROM book")

# %% test="test_old_books" points=1
assert ask(old_books) == [("Dracula",), ("Emma",)]

# %% test="test_loans" points=2
rows = ask(loans)
assert rows[0] == ("Emma", 2), rows
### BEGIN HIDDEN TESTS
assert rows == [("Emma", 2), ("Dracula", 1), ("Ulysses", 0)]
### END HIDDEN TESTS

# %% solution="days_of"
def days_of(connection, reader):
    """Return for how many days a reader has borrowed books, 0 if none; the name may hold anything."""
    ### BEGIN SOLUTION
    return connection.execute("SELECT COALESCE(SUM(days), 0) FROM loan WHERE reader = ?", (reader,)).fetchone()[0]
    ### END SOLUTION

def lend(connection, book, reader, days):
    """Enter a loan; raise a LookupError if there is no such book."""
    ### BEGIN SOLUTION
    if connection.execute("SELECT 1 FROM book WHERE id = ?", (book,)).fetchone() is None:
        raise LookupError(f"there is no book {book}")
    connection.execute("INSERT INTO loan VALUES (?, ?, ?)", (book, reader, days))
    ### END SOLUTION

# %% mistake="pastes_the_name"
def days_of(connection, reader):
    """Return for how many days a reader has borrowed books, 0 if none; the name may hold anything."""
    rows = connection.execute(f"SELECT days FROM loan WHERE reader = '{reader}'").fetchall()
    return sum(days for days, in rows)

def lend(connection, book, reader, days):
    """Enter a loan; raise a LookupError if there is no such book."""
    connection.execute(f"INSERT INTO loan VALUES ({book}, '{reader}', {days})")

# %% mistake="none_for_nobody"
def days_of(connection, reader):
    """Return for how many days a reader has borrowed books, 0 if none; the name may hold anything."""
    return connection.execute("SELECT SUM(days) FROM loan WHERE reader = ?", [reader]).fetchone()[0]

def lend(connection, book, reader, days):
    """Enter a loan; raise a LookupError if there is no such book."""
    if len(list(connection.execute("SELECT * FROM book WHERE id = ?", [book]))) == 0:
        raise LookupError
    with connection:
        connection.execute("INSERT INTO loan (reader, book, days) VALUES (?, ?, ?)", (book, reader, days))

# %% mistake="asks_its_own_database"
def days_of(connection, reader):
    """Return for how many days a reader has borrowed books, 0 if none; the name may hold anything."""
    return ask("SELECT COALESCE(SUM(days), 0) FROM loan WHERE reader = ?", reader)[0][0]

def lend(connection, book, reader, days):
    """Enter a loan; raise a LookupError if there is no such book."""
    if not ask("SELECT 1 FROM book WHERE id = ?", book):
        raise KeyError(book)
    connection.execute("INSERT INTO loan VALUES (?, ?, ?)", (book, reader, days))

# %% test="test_days_of" points=2
connection = library()
assert days_of(connection, "Ada") == 31
assert days_of(connection, "Nobody") == 0
### BEGIN HIDDEN TESTS
assert days_of(connection, "O'Brien") == 0
connection.execute("INSERT INTO loan VALUES (2, 'Cy', 5)")
assert days_of(connection, "Cy") == 5
### END HIDDEN TESTS

# %% test="test_lend" points=2
connection = library()
lend(connection, 2, "Di", 7)
assert connection.execute("SELECT * FROM loan WHERE reader = 'Di'").fetchall() == [(2, "Di", 7)]
### BEGIN HIDDEN TESTS
try:
    lend(connection, 99, "Di", 1)
except LookupError:
    pass
else:
    raise AssertionError("there is no book 99")
assert connection.execute("SELECT COUNT(*) FROM loan").fetchone() == (4,)
### END HIDDEN TESTS
